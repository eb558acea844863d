#!/usr/bin/env bats
# Logging in to a running xos-cad, and everything that must be refused. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority

setup_file() {
	authority_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	xos-vo group add /demo/physics >/dev/null
	xos-vo group add /demo/physics/hep >/dev/null
	echo alice-secret | xos-vo member add alice --group /demo/physics/hep --password-stdin >/dev/null
}

teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$AUTH/log" >&2
	fi
}

alice() { echo alice-secret | xos-login alice --password-stdin "$@"; }

@test "the right password gives a token that stock openssl verifies" {
	run alice
	[ "$status" -eq 0 ]
	[[ $output == *"alice of VO demo: valid for 12h00m"* || $output == *"valid for 11h59m"* ]]
	run openssl verify -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/cad/ca.pem" "$XOS_TOKEN"
	[ "$status" -eq 0 ]
	[ "$(stat -c %a "$XOS_TOKEN")" = 600 ]
	run xos-token verify
	[ "$status" -eq 0 ]
	run xos-token show --json
	[ "$status" -eq 0 ]
	[[ $output == *'"member": "alice"'* && $output == *'"kind": "user"'* && $output == *'"number": 2'* ]]
	[[ $(tr -d ' \n' <<<"$output") == *'"groups":["/demo/physics/hep","/demo/physics","/demo"]'* ]]
	run xos-token needs-renewal
	[ "$status" -eq 1 ]
}

@test "a wrong password and an unknown member are refused alike: exit 1" {
	run xos-login alice --password-stdin <<<"wrong-secret"
	[ "$status" -eq 1 ]
	wrong=$output
	run xos-login mallory --password-stdin <<<"wrong-secret"
	[ "$status" -eq 1 ]
	[ "$output" = "$wrong" ]
}

@test "passwords that cannot be are refused before they are sent" {
	run xos-login alice --password-stdin <<<"caffè nero"
	[ "$status" -eq 1 ]
	[[ $output == *"printable ASCII"* ]]
	run xos-login alice --password-stdin <<<""
	[ "$status" -ne 0 ]
}

@test "a server that cannot be reached: exit 3, with what to do" {
	mkdir -p "$AUTH/other/demo"
	cp "$XOS_CONFIG"/demo/* "$AUTH/other/demo/"
	cp "$XOS_CONFIG/default" "$AUTH/other/"
	sed -i "s#^ca = .*#ca = https://127.0.0.1:1#" "$AUTH/other/demo/vo.conf"
	run xos-login alice --config "$AUTH/other" --password-stdin <<<"alice-secret"
	[ "$status" -eq 3 ]
	[[ $output == *"cannot reach https://127.0.0.1:1"* ]]
}

@test "usage errors: exit 2" {
	run xos-login --lifetime 8 alice </dev/null
	[ "$status" -eq 2 ]
	run xos-login --fingerprint sha256:00 </dev/null
	[ "$status" -eq 2 ]
	run xos-login --join "$URL" </dev/null
	[ "$status" -eq 2 ]
	run xos-login --join "$URL" --fingerprint "sha256:00" </dev/null
	[ "$status" -eq 2 ]
	run xos-login alice bob </dev/null
	[ "$status" -eq 2 ]
}

@test "another fingerprint does not join, and nothing is stored" {
	run xos-login --config "$AUTH/new" --join "$URL" --fingerprint "sha256:$(printf '0%.0s' {1..64})"
	[ "$status" -eq 1 ]
	[ ! -e "$AUTH/new/demo" ]
}

@test "a second root for a VO that is known is refused" {
	xos-cad root-init --dir "$AUTH/root2" --vo demo >/dev/null
	mkdir -p "$AUTH/config2/demo"
	cp "$XOS_CONFIG"/demo/* "$AUTH/config2/demo/"
	cp "$AUTH/root2/root.pem" "$AUTH/config2/demo/root.pem"
	echo demo >"$AUTH/config2/default"
	run xos-login --config "$AUTH/config2" --join "$URL" --fingerprint "$FINGERPRINT"
	[ "$status" -eq 1 ]
	[[ $output == *"root"* ]]
	cmp "$AUTH/root2/root.pem" "$AUTH/config2/demo/root.pem"
	# and a server under a root that was not joined is not talked to
	run xos-login --config "$AUTH/config2" alice --password-stdin <<<"alice-secret"
	[ "$status" -eq 1 ]
}

@test "roles: those that are held, on request only" {
	run xos-login ada --password-stdin --out "$AUTH/t1" <<<"admin-secret"
	[ "$status" -eq 0 ]
	run xos-token show --json "$AUTH/t1"
	[[ $(tr -d ' \n' <<<"$output") == *'"roles":[]'* ]]
	run xos-login ada --role /demo/Role=admin --password-stdin --out "$AUTH/t1" <<<"admin-secret"
	[ "$status" -eq 0 ]
	run xos-token show --json "$AUTH/t1"
	[[ $(tr -d ' \n' <<<"$output") == *'"roles":["/demo/Role=admin"]'* ]]
	run alice --role /demo/Role=admin
	[ "$status" -eq 1 ]
	[[ $output == *"does not hold the role"* ]]
	run alice --role nonsense
	[ "$status" -eq 1 ]
}

@test "lifetimes: what is asked for, within the VO's bound" {
	run alice --lifetime 1h --json
	[ "$status" -eq 0 ]
	left=$(sed -n 's/.*"seconds_left": \([0-9]*\).*/\1/p' <<<"$output")
	[ "$left" -gt 3500 ] && [ "$left" -le 3600 ]
	run alice --lifetime 25h
	[ "$status" -eq 1 ]
	[[ $output == *"may live from 1m to 1d"* ]]
}

@test "administration needs the role in the token" {
	alice >/dev/null
	run xos-vo group add /demo/x
	[ "$status" -eq 1 ]
	[[ $output == *"xos-login --role /demo/Role=admin"* ]]
	# members may look at themselves only
	run xos-vo member show alice
	[ "$status" -eq 0 ]
	run xos-vo member show ada
	[ "$status" -eq 1 ]
}

@test "a lock stops log-ins at once, tells why after the right password only, and ends" {
	admin >/dev/null
	run xos-vo lock member alice --for 7d --message "call the help desk"
	[ "$status" -eq 0 ]
	run alice
	[ "$status" -eq 1 ]
	[[ $output == *"call the help desk"* ]]
	run xos-login alice --password-stdin <<<"wrong-secret"
	[ "$status" -eq 1 ]
	[[ $output != *"help desk"* ]]
	run xos-vo unlock member alice
	[ "$status" -eq 0 ]
	run alice
	[ "$status" -eq 0 ]
}

@test "a removed member is as good as unknown, and the name stays taken" {
	admin >/dev/null
	echo carol-secret | xos-vo member add carol --password-stdin
	run xos-login carol --password-stdin --out "$AUTH/t2" <<<"carol-secret"
	[ "$status" -eq 0 ]
	xos-vo member remove carol
	run xos-login carol --password-stdin --out "$AUTH/t2" <<<"carol-secret"
	[ "$status" -eq 1 ]
	[[ $output == *"the member's name or the password is wrong"* ]]
	run xos-vo member add carol --no-password
	[ "$status" -eq 1 ]
	[[ $output == *"never given"* ]]
}

@test "a new password counts, the old one does not" {
	admin >/dev/null
	echo dave-secret | xos-vo member add dave --password-stdin
	echo other-secret | xos-vo password dave --password-stdin
	run xos-login dave --password-stdin --out "$AUTH/t3" <<<"dave-secret"
	[ "$status" -eq 1 ]
	run xos-login dave --password-stdin --out "$AUTH/t3" <<<"other-secret"
	[ "$status" -eq 0 ]
}

@test "many failures are slowed down, with the time to wait" {
	for _ in 1 2 3 4 5 6; do
		run xos-login eve --password-stdin <<<"wrong-secret"
		[ "$status" -ne 0 ]
	done
	[ "$status" -eq 3 ]
	[[ $output == *"too many failed log-ins"* && $output == *"try again in"* ]]
}

fetch() { curl -sS --cacert "$AUTH/root/root.pem" -o "$AUTH/answer" -w '%{http_code}' "$@"; }

@test "bad HTTP requests: clear problems, nothing lost" {
	run fetch "$URL/v1/vo/other/trust"
	[ "$output" = 404 ]
	run fetch -X POST "$URL/v1/vo/demo/token"
	[ "$output" = 401 ]
	scram='Authorization: SCRAM-SHA-256 data=cD14b3MtdG9rZW4tcmVxdWVzdCwsbj1hbGljZSxyPTAxMjM0NTY3ODlhYmNkZWY='
	json='Content-Type: application/json'
	run fetch -H "$scram" -H "$json" -d '{"csr": "AA==", "roles": [' "$URL/v1/vo/demo/token"
	[ "$output" = 400 ]
	grep -q '"code"' "$AUTH/answer"
	run fetch -H "$scram" -H "$json" -d '{"csr": "AA==", "roles": []}' "$URL/v1/vo/demo/token"
	[ "$output" = 400 ]
	run fetch -H "$scram" -H "$json" -d '{"csr": "AA==", "more": 1}' "$URL/v1/vo/demo/token"
	[ "$output" = 400 ]
	run fetch -H 'Authorization: SCRAM-SHA-256 data=x' -H "$json" -d '{}' "$URL/v1/vo/demo/token"
	[ "$output" = 400 ]
	head -c 200000 /dev/zero >"$AUTH/zeros"
	run fetch -H "$scram" -H "$json" --data-binary "@$AUTH/zeros" "$URL/v1/vo/demo/token"
	[ "$output" = 413 ]
	run fetch -H "$json" -d '{"command": "x.y.z", "chain": []}' "$URL/v1/vo/demo/commands"
	[ "$output" = 400 ]
	run fetch "$URL/v1/vo/demo/roster"
	[ "$output" = 401 ]
	run alice
	[ "$status" -eq 0 ]
}

@test "the lists are for the policy service, not for members" {
	alice >/dev/null
	run fetch --cert "$XOS_TOKEN" "$URL/v1/vo/demo/roster"
	[ "$output" = 403 ]
}

@test "each process's files are closed to the others" {
	local state=$AUTH/cad file reader
	for file in "$state"/auth/verifiers.db "$state"/auth/membership.db "$state"/key/issuance.log "$state"/ca.key; do
		[ "$(stat -c %a "$file")" = 600 ]
	done
	[ "$(stat -c %a "$state/auth")" = 700 ]
	[ "$(stat -c %a "$state/key")" = 700 ]
	[ "$(id -u)" -eq 0 ] || return 0
	for reader in 1899999090 1899999092; do
		run ! setpriv --reuid "$reader" --regid "$reader" --clear-groups cat "$state/auth/verifiers.db"
	done
	for reader in 1899999090 1899999091; do
		run ! setpriv --reuid "$reader" --regid "$reader" --clear-groups cat "$state/ca.key"
		run ! setpriv --reuid "$reader" --regid "$reader" --clear-groups cat "$state/key/issuance.log"
	done
	# and the one that needs it reads it
	setpriv --reuid 1899999091 --regid 1899999091 --clear-groups cat "$state/auth/verifiers.db" >/dev/null
}

@test "the log has every token and every act, and checks" {
	alice >/dev/null
	serial=$(xos-token show --json | sed -n 's/.*"serial": "\([0-9a-f]*\)".*/\1/p')
	[ -n "$serial" ]
	run xos-cad log --config "$CONF"
	[ "$status" -eq 0 ]
	[[ $output == *"\"serial\":\"$serial\""* ]]
	[[ $output == *'"verb":"vo.init"'* && $output == *'"verb":"group.add"'* ]]
	[[ $output != *"SCRAM-SHA-256"* ]]
}

@test "kill -9 of each process: it comes back and nothing acknowledged is lost" {
	admin >/dev/null
	for part in network auth key; do
		xos-vo group add "/demo/before-$part" >/dev/null
		pid=$(authority_part "$part")
		kill -9 "$pid"
		retry alice --out "$AUTH/t4" 2>/dev/null
		retry xos-vo group list >"$AUTH/groups" 2>/dev/null
		grep -q "/demo/before-$part" "$AUTH/groups"
		retry xos-vo group add "/demo/after-$part" 2>/dev/null
	done
	run xos-cad log --config "$CONF"
	[ "$status" -eq 0 ]
	for part in network auth key; do
		[[ $output == *"/demo/before-$part"* && $output == *"/demo/after-$part"* ]]
	done
}

@test "kill -9 under load: every token that came out is in the log" {
	for round in 1 2 3; do
		for i in 1 2 3 4; do
			(
				for k in 1 2 3 4 5; do
					alice --out "$AUTH/load.$round.$i.$k" >/dev/null 2>&1 || true
				done
			) &
		done
		sleep 0.3
		kill -9 "$(authority_part key)" || true
		wait
		retry alice --out "$AUTH/load.$round.end" >/dev/null 2>&1
	done
	xos-cad log --config "$CONF" >"$AUTH/all"
	n=0
	for f in "$AUTH"/load.*; do
		serial=$(xos-token show --json "$f" | sed -n 's/.*"serial": "\([0-9a-f]*\)".*/\1/p')
		grep -q "\"serial\":\"$serial\"" "$AUTH/all"
		n=$((n + 1))
	done
	[ "$n" -ge 3 ]
}

@test "log out removes the token" {
	alice >/dev/null
	run xos-logout
	[ "$status" -eq 0 ]
	[ ! -e "$XOS_TOKEN" ]
	run xos-token needs-renewal
	[ "$status" -eq 2 ]
	run xos-vo describe
	[ "$status" -eq 1 ]
	[[ $output == *"xos-login"* ]]
}

@test "stopping and starting keeps everything" {
	admin >/dev/null
	xos-vo member list >"$AUTH/before"
	authority_stop
	run alice
	[ "$status" -eq 3 ]
	authority_start
	run alice
	[ "$status" -eq 0 ]
	admin >/dev/null
	xos-vo member list >"$AUTH/after"
	cmp "$AUTH/before" "$AUTH/after"
	authority_stop
}
