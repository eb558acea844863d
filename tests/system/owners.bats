#!/usr/bin/env bats
# Nodes of two owners in one VO, from joining to leaving: n1 of lab by approval, n2 of farm by code, n3 of lab by code with
# a data service, e1 of farm by EST. What the one owner may not do to the other; whom a ban shuts out, and where; keys that
# were copied. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	xos-server stop --dir "$V/vo"
	echo "refresh = 1s" | tee -a "$V"/vo/{vopsd/vopsd,acctd/acctd}.conf >>"$V/vo/rcad/rcad.conf"
	printf 'est_site = farm\nest_retry = 1s\n' >>"$V/vo/rcad/rcad.conf"
	xos-server start --dir "$V/vo"
	local name
	for name in bob carol; do
		as admin xos-vo member add "$name" --password-stdin <"$V/alice.pw"
		as "$name" xos-login "$name" --password-stdin <"$V/alice.pw"
	done
	xos-policy site-key --out "$V/farm"
	as admin xos-policy site add farm --key "$V/farm.pub"
	sed 's/lab/farm/g' "$V/lab.xos" >"$V/farm.xos"
	xos-policy sign --site-key "$V/farm.key" --out "$V/farm.jws" "$V/farm.xos"
	xos-policy push --site farm "$V/farm.jws"
	xos-node admission --site lab --site-key "$V/lab.key" --serial 1 --approver bob
	xos-node admission --site farm --site-key "$V/farm.key" --serial 1 --approver carol
	read -r VOPS RCA ACCT < <(addresses)
	EST=$(xos-server status --dir "$V/vo" --json | jq -r .est)
	export VOPS RCA ACCT EST
}

teardown_file() { vo_remove; }

teardown() {
	[ "$BATS_TEST_COMPLETED" = 1 ] || tail -n 10 "$V"/vo/log/*.log "$V"/n[0-9]/log/*.log >&2
}

addresses() {
	local f=$V/config/demo/vo.conf
	echo "$(sed -n 's/^vops = //p' "$f") $(sed -n 's/^rca = //p' "$f") $(sed -n 's/^accounting = //p' "$f")"
}

node() { # NAME SITE ARGUMENT...
	local member=()
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-node init --dir "$V/$1" --name "$1" --site "$2" --site-key "$V/$2.pub" "${member[@]}" "${@:3}"
}

run_node() { # NAME: decides by what is a second old at most
	printf 'refresh = 1s\n' >>"$V/$1/credd.conf"
	xos-node start --dir "$V/$1"
}

state() { as alice xos-node list --json | jq -r --arg n "$1" '.nodes[] | select(.node == $n) | .state'; }
site() { as alice xos-node list --json | jq -r --arg n "$1" '.nodes[] | select(.node == $n) | .site'; }
credd() { xos-credd status --config "$V/$1/credd.conf"; }

# cert NAME: the two curl arguments for that node's own certificate; NAME/SERVICE: for that service's
cert() {
	case $1 in
	e1) echo "--cert $V/e1.pem --key $V/e1.key" ;;
	*/*) echo "--cert $V/${1%/*}/tls/${1#*/}.pem --key $V/${1%/*}/tls/${1#*/}.key" ;;
	*) echo "--cert $V/$1/credd/node.pem --key $V/$1/credd/node.key" ;;
	esac
}

# ask CERT URL [CURL-ARGUMENT...]: the status; the body is in $BATS_TEST_TMPDIR/body
# shellcheck disable=SC2046
ask() {
	: >"$BATS_TEST_TMPDIR/body"
	curl -s --insecure $(cert "$1") -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' "${@:3}" "$2" || true
}

# est VERB CURL-ARGUMENT...: e1's request; prints the status, the answer is in $V/e1.p7
est() {
	curl -s --cacert "$V/vo/trust/root.pem" -o "$V/e1.p7" -w '%{http_code}' -H "Content-Type: application/pkcs10" \
		--data-binary "@$V/e1.b64" "${@:2}" "$EST/.well-known/est/$1"
}

job_url() { as alice xos-node list --json | jq -r --arg n "$1" '.nodes[] | select(.node == $n) | .services[] | select(.kind == "jobs") | .url'; }

evaluation='{"subject":{"type":"user","id":"demo:alice"},"action":{"name":"job.submit"},"resource":{"type":"node","id":"lab/n1"}}'

# where CERT SITE: what each service answers to that certificate, a word for each that takes one
where() {
	echo "nodes=$(ask "$1" "$RCA/v1/vo/demo/nodes")" \
		"bundle=$(ask "$1" "$VOPS/v1/vo/demo/bundle?site=$2")" \
		"authzen=$(ask "$1" "$VOPS/access/v1/evaluation" -H 'Content-Type: application/json' -d "$evaluation")" \
		"records=$(ask "$1" "$ACCT/v1/vo/demo/records" -H 'Content-Type: application/json' -d '{}')"
}

@test "three nodes of two owners join, each by its owner's way, and decide" {
	node n1 lab
	join n1
	run -1 as carol xos-node approve n1 # who does not see it, either
	run -1 as admin xos-node approve n1
	as bob xos-node approve n1
	join n1
	run -1 as bob xos-node code --site farm
	node n2 farm
	as carol xos-node code --site farm --node n2 >"$V/code" 2>/dev/null
	join n2 --code-stdin <"$V/code"
	node n3 lab --data-url https://127.0.0.1:9443
	as bob xos-node code --site lab --node n3 >"$V/code" 2>/dev/null
	join n3 --code-stdin <"$V/code"
	[ -s "$V/n3/tls/data.pem" ]
	local name
	for name in n1 n2 n3; do run_node $name; done
	for name in n1 n2 n3; do retry as alice xos-job submit --node $name --wait -- true; done
}

@test "a stock client of an owner's gets in by EST, by that owner's code and under the name in it" {
	openssl ecparam -name prime256v1 -genkey -noout -out "$V/e1.key"
	openssl req -new -key "$V/e1.key" -subj /CN=e1 2>/dev/null | grep -v -- ----- >"$V/e1.b64"
	local code
	code=$(as bob xos-node code --site lab --node n9 --json | jq -r .code)
	[ "$(est simpleenroll -u "e1:$code")" = 401 ]
	code=$(as carol xos-node code --site farm --node e1 --json | jq -r .code)
	[ "$(est simpleenroll -u "e1:$code")" = 200 ]
	base64 -d "$V/e1.p7" | openssl pkcs7 -inform der -print_certs | sed -n '/BEGIN/,/END/p' >"$V/e1.pem"
	[ "$(site e1)" = farm ]
}

@test "a lock is in force on each of them; a node that asks for no bundles is not said to have it" {
	run -0 as admin xos-vo lock member carol --for 1d --wait 2s --json
	jq -e '.receipt.enforced == 3 and .receipt.nodes == 4 and [.receipt.missing[].node] == ["e1"]' <<<"$output"
	run -0 as admin xos-vo unlock member carol --wait 2s
	[[ $output == *"in force on 3 of 4 nodes"*"not reached: e1 "* ]]
}

# decides NAME EXIT: does alice's job start there, or is it refused?
decides() {
	local status=0
	as alice xos-job submit --node "$1" --wait -- true >/dev/null 2>&1 || status=$?
	[ "$status" = "$2" ]
}

@test "a set and its rollback are live on each of them within the refresh interval" {
	local name serial
	serial=$(as admin xos-policy list --json | jq '[.. | .serial? // empty] | max')
	cat >"$V/no.xos" <<-EOF
		vo "demo" serial $((serial + 1)) {
			forbid group /demo action job.submit on any because "a rest";
		}
	EOF
	as admin xos-policy push "$V/no.xos"
	for name in n1 n2 n3; do retry decides "$name" 1; done
	run -0 as admin xos-policy rollback "$serial"
	for name in n1 n2 n3; do retry decides "$name" 0; done
}

@test "each renews; a banned one is refused by every service within the refresh interval, and let in again" {
	local name before
	for name in n1 n2 n3; do
		before=$(openssl x509 -in "$V/$name/credd/node.pem" -noout -serial)
		xos-node renew --force --dir "$V/$name"
		[ "$(openssl x509 -in "$V/$name/credd/node.pem" -noout -serial)" != "$before" ]
	done
	# shellcheck disable=SC2046
	[ "$(est simplereenroll $(cert e1))" = 200 ]
	# Who is not banned is let in, or is told that the record lacks a member: the ban is what the others are refused for.
	[ "$(where n2 farm)" = "nodes=200 bundle=200 authzen=200 records=403" ]
	[ "$(where n2/jobs farm)" = "nodes=200 bundle=403 authzen=200 records=400" ]
	[ "$(where n3/data lab)" = "nodes=200 bundle=403 authzen=200 records=400" ]
	[ "$(where e1 farm)" = "nodes=200 bundle=200 authzen=200 records=403" ]
	run -1 as bob xos-node ban n2 --wait 0s
	as carol xos-node ban n2 --wait 0s --message "disk check"
	as bob xos-node ban n3 --wait 0s --message "disk check"
	as carol xos-node ban e1 --wait 0s --message "disk check"
	local all="nodes=403 bundle=403 authzen=403 records=403"
	out() { [ "$(where "$1" "$2")" = "$all" ]; }
	for name in "n2 farm" "n2/jobs farm" "n3 lab" "n3/jobs lab" "n3/data lab" "e1 farm"; do
		# shellcheck disable=SC2086
		retry out $name
	done
	[ "$(where n1 lab)" = "nodes=200 bundle=200 authzen=200 records=403" ]
	# The reason is the ban where the kind of certificate is taken at all.
	for name in "$RCA/v1/vo/demo/nodes" "$VOPS/v1/vo/demo/bundle?site=farm"; do
		ask n2 "$name" >/dev/null
		grep -q "disk check" "$BATS_TEST_TMPDIR/body"
	done
	ask n2/jobs "$ACCT/v1/vo/demo/records" -H 'Content-Type: application/json' -d '{}' >/dev/null
	grep -q "disk check" "$BATS_TEST_TMPDIR/body"
	# xos-cad and the xos-jobd of another node take no node's certificate, banned or not.
	for name in "$CA/v1/vo/demo/locks" "$CA/v1/vo/demo/roster" "$(job_url n1)/v1/vo/demo/jobs"; do
		[ "$(ask n2 "$name")" = 403 ]
		[ "$(ask n2/jobs "$name")" = 403 ]
	done
	run -1 xos-node renew --force --dir "$V/n2"
	[[ $output == *"disk check"* ]]
	# shellcheck disable=SC2046
	[ "$(est simplereenroll $(cert e1))" = 403 ]
	run -1 as alice xos-job submit --node n2 --wait -- true
	run -1 as admin xos-node unban n2 --wait 0s
	as carol xos-node unban n2 --wait 0s
	as bob xos-node unban n3 --wait 0s
	retry as alice xos-job submit --node n2 --wait -- true
	again() { [ "$(where n2 farm)" = "nodes=200 bundle=200 authzen=200 records=403" ]; }
	retry again
}

@test "a connection that was open before the ban is refused like a new one" {
	local url="$VOPS/v1/vo/demo/bundle?site=lab" codes
	let_in() { [ "$(ask n3 "$url")" = 200 ]; }
	retry let_in
	# One connection, one question after another; the ban falls in between.
	for ((i = 0; i < 40; i++)); do printf 'url = "%s"\noutput = "/dev/null"\n' "$url"; done >"$BATS_TEST_TMPDIR/many"
	# shellcheck disable=SC2046
	curl -s --insecure $(cert n3) -w '%{stderr}%{http_code} %{num_connects}\n' --rate 10/s -K "$BATS_TEST_TMPDIR/many" \
		2>"$BATS_TEST_TMPDIR/codes" 3>&- &
	local pid=$!
	begun() { grep -q "^200" "$BATS_TEST_TMPDIR/codes"; }
	retry begun
	as bob xos-node ban n3 --wait 0s
	wait "$pid"
	as bob xos-node unban n3 --wait 0s
	codes=$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/codes" | uniq | tr '\n' ' ')
	echo "$codes"
	[ "$codes" = "200 403 " ]
	[ "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/codes" | sort | uniq -c | awk '$2 == 1 { print $1 }')" = 1 ]
}

@test "one node's key that was copied shows; an answer that was lost on the way to another's is no theft" {
	local asker key
	key=$(pgrep -P "$(cut -d' ' -f1 "$V/vo/run/xos-rcad.pid")" -f -- "--role key")
	kill -STOP "$key"
	xos-node renew --force --dir "$V/n3" 3>&- &
	asker=$!
	waiting() { ss -tnp state established 2>/dev/null | grep -q "pid=$asker,"; }
	retry waiting
	kill -9 "$asker"
	wait "$asker" || true
	kill -CONT "$key"
	retry xos-node renew --force --dir "$V/n3"
	[ "$(state n3)" = active ]
	cp -r "$V/n2" "$V/thief"
	rm -r "$V/thief/run"
	xos-node renew --force --dir "$V/n2"
	shows() { run -1 xos-node renew --force --dir "$V/thief"; [[ $output == *"used twice"* ]]; }
	retry shows
	[ "$(state n2) $(state n3) $(state n1)" = "banned active active" ]
	run -1 as bob xos-node unban n2 --wait 0s --accept "sha256:$(printf '%064d' 0)"
}

@test "they leave, and what they had opens nothing more" {
	cp -r "$V/n1" "$V/gone"
	xos-node stop --dir "$V/n1"
	xos-node leave --yes --dir "$V/n1"
	[ "$(state n1)" = left ]
	local was="--cert $V/gone/credd/node.pem --key $V/gone/credd/node.key"
	cert() { echo "$was"; }
	left() { [ "$(where n1 lab)" = "nodes=403 bundle=403 authzen=403 records=403" ]; }
	retry left
	run -1 xos-node renew --force --dir "$V/gone"
	run -1 as alice xos-job submit --node n1 --wait -- true
}
