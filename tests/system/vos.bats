#!/usr/bin/env bats
# Two VOs on one server: one address, one network process, auth and key of their own. They never mix. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority
load failure

# A second VO, "second", beside demo: its own root, keys, TLS identity, users; the same member name with another password.
second_make() {
	S=$AUTH/second
	export S
	mkdir -m 755 "$S"
	SECOND_FINGERPRINT=$(xos-cad root-init --dir "$S/root" --vo second)
	export SECOND_FINGERPRINT
	echo "second-secret" | xos-cad init --dir "$S/cad" --vo second --admin ada --password-stdin >/dev/null
	xos-cad root-sign --dir "$S/root" --kind ca --csr "$S/cad/ca.csr" --out "$S/cad/ca.pem"
	xos-rcad init --dir "$S/rcad" --vo second >/dev/null
	xos-cad root-sign --dir "$S/root" --kind rca --csr "$S/rcad/rca.csr" --out "$S/rcad/rca.pem"
	local d
	for d in cad rcad; do
		mkdir -p "$S/$d/trust"
		cp "$S/root/root.pem" "$S/$d/trust/"
		cat "$S/cad/ca.pem" "$S/rcad/rca.pem" >"$S/$d/trust/issuers.pem"
		printf '%s\n' "vo = second" "listen = ${URL#https://}" "state = $S/$d" "trust = $S/$d/trust" \
			"tls_certificate = $S/$d/tls.pem" "tls_key = $S/$d/tls.key" >"$S/$d/$d.conf"
		(umask 077 && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / \
			-keyout "$S/$d/tls.key" -out "$S/$d/tls.csr" 2>/dev/null)
	done
	printf '%s\n' "ca_url = $URL" "listen_http = ${HTTP#http://}" "http_url = $HTTP" >>"$S/cad/cad.conf"
	if [ "$(id -u)" -eq 0 ]; then
		printf 'user_network = 1899999090\nuser_auth = 1899999094\nuser_key = 1899999095\n' >>"$S/cad/cad.conf"
	fi
	xos-rcad issue --config "$S/rcad/rcad.conf" --service ca --name localhost --host localhost \
		--host 127.0.0.1 --csr "$S/cad/tls.csr" --out "$S/cad/tls.pem" >/dev/null
	# a folder of its own, for what is renewed without a restart
	mkdir "$S/cad/tls"
	mv "$S"/cad/tls.* "$S/cad/tls/"
	sed -i 's#/cad/tls\.#/cad/tls/tls.#' "$S/cad/cad.conf"
	[ "$(id -u)" -ne 0 ] || chown 1899999090 "$S/cad/tls/tls.key"
	mkdir "$AUTH/vos"
	cp "$S/cad/cad.conf" "$AUTH/vos/second.conf"
	echo "vos = $AUTH/vos" >>"$CONF"
}

setup_file() {
	authority_make
	HTTP=http://127.0.0.1:$(authority_port)
	export HTTP
	printf 'listen_http = %s\nhttp_url = %s\n' "${HTTP#http://}" "$HTTP" | cat - "$CONF" >"$AUTH/new.conf"
	cat "$AUTH/new.conf" >"$CONF"
	second_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" --vo demo >/dev/null
	xos-login --join "$URL" --fingerprint "$SECOND_FINGERPRINT" --vo second >/dev/null
	in_demo xos-login --vo demo ada --role /demo/Role=admin --password-stdin <<<admin-secret
	in_second xos-login --vo second ada --role /second/Role=admin --password-stdin <<<second-secret
}

# shellcheck disable=SC2034 # authority.bash reads it
setup() { AUTHORITY_PID=$(cut -d' ' -f1 "$AUTH/pid" 2>/dev/null) || true; }

teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 15 "$AUTH/log" >&2
	fi
}

demo_login() { xos-login --vo demo ada --password-stdin --out "$AUTH/t" <<<admin-secret; }
second_login() { xos-login --vo second ada --password-stdin --out "$AUTH/t" <<<second-secret; }
in_demo() { XOS_TOKEN=$AUTH/token.demo "$@"; }
in_second() { XOS_TOKEN=$AUTH/token.second "$@"; }
code() { curl -sS -o "$AUTH/answer" -w '%{http_code}' --cacert "$AUTH/root/root.pem" "$@"; }
# The pid of a part of the second VO: grandchildren of the supervisor.
second_part() {
	local p
	for p in $(cat /proc/[0-9]*/task/[0-9]*/children 2>/dev/null); do
		if tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -q -- "--config $AUTH/vos/second.conf --role $1 "; then
			echo "$p"
			return 0
		fi
	done
	return 1
}

@test "one address, both VOs; each shows its members the identity that they believe" {
	run code "$URL/v1/vo"
	[ "$output" = 200 ]
	[ "$(cat "$AUTH/answer")" = '{"vos":["demo","second"]}' ]
	run in_demo xos-token show --json
	[[ $(tr -d ' \n' <<<"$output") == *'"vo":"demo"'* ]]
	run in_second xos-token show --json
	[[ $(tr -d ' \n' <<<"$output") == *'"vo":"second"'* ]]
	openssl verify -CAfile "$S/root/root.pem" -untrusted "$S/cad/ca.pem" "$AUTH/token.second"
	run ! openssl verify -CAfile "$AUTH/root/root.pem" -untrusted "$S/cad/ca.pem" "$AUTH/token.second"
	[ "$(grep -c -- '--role network' <(ps -o args= --ppid "$AUTHORITY_PID"))" -eq 1 ]
}

shown() { # ROOT: the certificate that a stock client sees which says that it believes this root
	openssl s_client -connect "${URL#https://}" -requestCAfile "$1" -CAfile "$1" -verify_return_error </dev/null 2>/dev/null
}

@test "stock openssl sees the identity that it asks for, and a renewed one after a SIGHUP" {
	shown "$S/root/root.pem" | grep -q 'Verify return code: 0 (ok)'
	shown "$AUTH/root/root.pem" | grep -q 'Verify return code: 0 (ok)'
	local before
	before=$(shown "$S/root/root.pem" | openssl x509 -noout -serial)
	xos-rcad issue --config "$S/rcad/rcad.conf" --service ca --name localhost --host localhost \
		--host 127.0.0.1 --csr "$S/cad/tls/tls.csr" --out "$S/cad/tls/new.pem" >/dev/null
	mv "$S/cad/tls/new.pem" "$S/cad/tls/tls.pem"
	reload
	retry eval '[ "$(shown "$S/root/root.pem" | openssl x509 -noout -serial)" != '"'$before'"' ]'
	shown "$S/root/root.pem" | grep -q 'Verify return code: 0 (ok)'
	second_login
}

@test "a VO that is not there: 404, by name" {
	for path in trust directory; do
		run code "$URL/v1/vo/third/$path"
		[ "$output" = 404 ]
		grep -q 'there is no VO \\"third\\" here' "$AUTH/answer"
	done
	run code -X POST "$URL/v1/vo/third/token"
	[ "$output" = 404 ]
}

@test "the password of one is no password of the other, also for the same name" {
	run in_demo xos-login --vo demo ada --password-stdin --out "$AUTH/t" <<<second-secret
	[ "$status" -eq 1 ]
	[[ $output == *"the member's name or the password is wrong"* ]]
	run in_second xos-login --vo second ada --password-stdin --out "$AUTH/t" <<<admin-secret
	[ "$status" -eq 1 ]
	in_second xos-login --vo second ada --password-stdin --out "$AUTH/t" <<<second-secret
}

@test "commands and certificates of one are refused at the other, with the reason" {
	in_second xos-vo --vo second group add /second/physics
	run in_demo xos-vo --vo demo group list --json
	[[ $output != *physics* ]]
	# a command of the second's administrator, put to demo
	run env XOS_TOKEN="$AUTH/token.second" xos-vo --vo demo group add /demo/intruder
	[ "$status" -ne 0 ]
	run in_demo xos-vo --vo demo group list --json
	[[ $output != *intruder* ]]
	# its certificate in TLS
	run code --cert "$AUTH/token.second" "$URL/v1/vo/demo/directory"
	[ "$output" = 403 ]
	grep -q 'your certificate is of VO second, and this is VO demo' "$AUTH/answer"
	run code --cert "$AUTH/token.second" "$URL/v1/vo/second/directory"
	[ "$output" = 200 ]
	run code --cert "$AUTH/token.demo" "$URL/v1/vo/second/directory"
	[ "$output" = 403 ]
	# a service of one gets no lists of the other
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout "$AUTH/v.key" -out "$AUTH/v.csr" 2>/dev/null
	xos-rcad issue --config "$S/rcad/rcad.conf" --service vops --name localhost --host localhost --csr "$AUTH/v.csr" --out "$AUTH/v.pem" >/dev/null
	run code --cert "$AUTH/v.pem" --key "$AUTH/v.key" "$URL/v1/vo/second/roster"
	[ "$output" = 200 ]
	run code --cert "$AUTH/v.pem" --key "$AUTH/v.key" "$URL/v1/vo/demo/roster"
	[ "$output" = 403 ]
}

ocsp() { # VO ISSUER ROOT CERT
	openssl ocsp -issuer "$2" -cert "$4" -url "$HTTP/ocsp/$1" -CAfile "$3" -verify_other "$2" 2>&1
}

@test "stock verifiers learn of each VO's tokens under its own name, at the one plain address" {
	run ocsp demo "$AUTH/cad/ca.pem" "$AUTH/root/root.pem" "$AUTH/token.demo"
	[[ $output == *"token.demo: good"* ]]
	run ocsp second "$S/cad/ca.pem" "$S/root/root.pem" "$AUTH/token.second"
	[[ $output == *"token.second: good"* ]]
	in_second xos-vo --vo second lock token "$(openssl x509 -in "$AUTH/token.second" -noout -serial | cut -d= -f2 | tr A-F a-f)"
	run ocsp second "$S/cad/ca.pem" "$S/root/root.pem" "$AUTH/token.second"
	[[ $output == *"token.second: revoked"* ]]
	# the other VO's responder knows nothing of it
	run ocsp demo "$S/cad/ca.pem" "$S/root/root.pem" "$AUTH/token.second"
	[[ $output != *": good"* ]]
	in_second xos-login --vo second ada --role /second/Role=admin --password-stdin <<<second-secret
	run ocsp demo "$AUTH/cad/ca.pem" "$AUTH/root/root.pem" "$AUTH/token.demo"
	[[ $output == *"token.demo: good"* ]]
}

@test "records stand in the log of their own VO" {
	run xos-cad log --config "$AUTH/vos/second.conf"
	[ "$status" -eq 0 ]
	[[ $output == *"/second/physics"* ]]
	run xos-cad log --config "$CONF"
	[ "$status" -eq 0 ]
	[[ $output != *"/second/"* ]]
}

@test "the death of one's key or auth process is its own: the other serves on, and it comes back" {
	local network key part
	network=$(authority_part network)
	key=$(authority_part key)
	for part in key auth; do
		kill -9 "$(second_part "$part")"
		demo_login
		retry second_login
	done
	[ "$(authority_part network)" = "$network" ]
	[ "$(authority_part key)" = "$key" ]
	# and the other way about, all of them come back
	kill -9 "$key"
	retry demo_login
	retry second_login
}

@test "each process's files are closed to those of the other VO" {
	[ "$(id -u)" -eq 0 ] || skip "only root gives each process a user"
	local reader
	for reader in 1899999091 1899999092; do
		run ! setpriv --reuid "$reader" --regid "$reader" --clear-groups cat "$S/cad/auth/verifiers.db"
		run ! setpriv --reuid "$reader" --regid "$reader" --clear-groups cat "$S/cad/key/issuance.log"
	done
	for reader in 1899999094 1899999095; do
		run ! setpriv --reuid "$reader" --regid "$reader" --clear-groups cat "$AUTH/cad/auth/verifiers.db"
	done
}

@test "configurations that would let them mix are refused by --check" {
	local c=$AUTH/vos/second.conf
	cp "$c" "$AUTH/second.good"
	try() {
		sed "$1" "$AUTH/second.good" >"$c"
		run xos-cad --check --config "$CONF"
		[ "$status" -eq 2 ]
		[[ $output == *"$2"* ]]
	}
	try 's/^vo = second/vo = demo/' "is served already"
	try "s#^state = .*#state = $AUTH/cad/.#" "VO"
	try 's#^listen = .*#listen = 127.0.0.1:1#' "listen and user_network must be those of VO demo"
	try "\$avos = $AUTH/vos" "first configuration only"
	if [ "$(id -u)" -eq 0 ]; then
		try 's/^user_key = .*/user_key = 1899999092/' "users of its own"
	fi
	cp "$AUTH/second.good" "$c"
	run xos-cad --check --config "$CONF"
	[ "$status" -eq 0 ]
}

@test "xos-server: a second VO beside the first, and away again" {
	local v=$BATS_TEST_TMPDIR/v config=$BATS_TEST_TMPDIR/config one two
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR/../.."
	mkdir -m 755 "$v"
	export XOS_CONFIG=$config XOS_TOKEN=$v/token
	local base=()
	[ "$(id -u)" -ne 0 ] || base=(--uid-base 1899999100)
	xos-server init --dir "$v/one" --vo one --admin ada --password-stdin "${base[@]}" <<<one-secret
	xos-server start --dir "$v/one"
	# not twice the same, and not beside a VO that is a guest itself
	run xos-server init --dir "$v/two" --vo one --admin ada --password-stdin --with "$v/one" <<<two-secret
	[ "$status" -eq 1 ]
	[[ $output == *"serves a VO one already"* ]]
	xos-server init --dir "$v/two" --vo two --admin ada --password-stdin --with "$v/one" <<<two-secret
	run xos-server init --dir "$v/three" --vo three --admin ada --password-stdin --with "$v/two" <<<two-secret
	[ "$status" -eq 1 ]
	[[ $output == *"name that folder"* ]]
	xos-server start --dir "$v/two"
	[ "$(xos-server check --dir "$v/two" --json | jq -r .done)" = check ]
	run xos-server join-arguments --dir "$v/two" --json
	[ "$(jq -r .vo <<<"$output")" = two ]
	[[ $(jq -r .fingerprint <<<"$output") == sha256:* ]]
	one=$(xos-server join-arguments --dir "$v/one") two=$(xos-server join-arguments --dir "$v/two")
	[ "${one%% *}" = "${two%% *}" ]
	# shellcheck disable=SC2086
	xos-login --join $one
	# shellcheck disable=SC2086
	xos-login --join $two
	xos-login --vo one ada --password-stdin <<<one-secret
	xos-login --vo two ada --role /two/Role=admin --password-stdin <<<two-secret
	xos-vo --vo two group add /two/physics
	run xos-server status --dir "$v/two"
	[ "$status" -eq 0 ]
	xos-server check --dir "$v/one"
	xos-server check --dir "$v/two"
	xos-server remove --dir "$v/two" --yes
	xos-login --vo one ada --password-stdin <<<one-secret
	run xos-login --vo two ada --password-stdin <<<two-secret
	[ "$status" -ne 0 ]
	xos-server stop --dir "$v/one"
	xos-server remove --dir "$v/one" --yes
}
