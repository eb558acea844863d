#!/usr/bin/env bats
# Delegation on to another node: a job on n1 submits jobs on n2 with its own credential, within its depth and its
# restriction, and nothing beyond; what it may not do is refused and on record. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	as admin xos-vo member add bob --password-stdin <"$V/alice.pw"
	as bob xos-login bob --password-stdin <"$V/alice.pw"
	start_node n1
	start_node n2
	restriction submit 'job.submit, job.show'
	restriction look 'job.show, file.read'
	local n
	for n in n1 n2; do retry as alice xos-job submit --node $n --wait -- true; done
	# Credentials of jobs that have ended, and are good until their end: one to pass on once, one that is not.
	umask 077
	job submit --node n1 --wait --depth 1 --restrict "$V/submit.xos" -- sh -c 'cat "$X509_USER_PROXY"' >"$V/deep"
	job submit --node n1 --wait --restrict "$V/submit.xos" -- sh -c 'cat "$X509_USER_PROXY"' >"$V/flat"
}

teardown_file() { vo_remove; }

teardown() {
	[ "$BATS_TEST_COMPLETED" = 1 ] || tail -n 12 "$V"/n[0-9]/log/*.log "$V/vo/log/xos-cad.log" >&2
}

restriction() { echo "delegation by user \"alice\" { check action in {$2}; }" >"$V/$1.xos"; }
job() { as alice xos-job "$@"; }
root() { [ "$(id -u)" -eq 0 ]; }
url() { as alice xos-node list --json | jq -r --arg n "$1" '.nodes[] | select(.node == $n).services[] | select(.kind == "jobs").url'; }
leaf_job() { as "$1" xos-token show --json | jq -r '.delegation[-1].id'; }
events() { grep -h "event=$2 " "$V/$1"/log/*.log; } # NODE EVENT: the newest last
decisions() { find "$V/$1" -name decisions.jsonl -exec cat {} +; } # NODE

# api CREDENTIAL NODE METHOD PATH [DATA]: what that node's job service answers, without our tool's help
api() {
	curl -sS --insecure --cert "$V/$1" -X "$3" -w '\n%{http_code}' \
		${5+-H 'Content-Type: application/json' --data-binary "$5"} "$(url "$2")/v1/vo/demo$4"
}

refused() { # CODE CREDENTIAL NODE METHOD PATH [DATA]
	run api "${@:2}"
	echo "$output"
	[ "${lines[-1]}" = 403 ] && [ "$(jq -r .code <<<"${lines[-2]}")" = "$1" ]
}

spec() { echo "{\"nonce\": \"$(head -c 16 /dev/urandom | base64)\", \"argv\": [\"true\"]}"; }

@test "a job submits on another node; who acted for whom stands in the credential, the job, decision and record" {
	run -0 --separate-stderr job submit --node n1 --wait --depth 1 --restrict "$V/submit.xos" -- \
		xos-job submit --node n2 --wait -- sh -c 'xos-token show --json; xos-token show >&2'
	local first second
	first=$(job list --node n1 --json | jq -r '[.jobs[] | select(.command | test("submit --node n2"))][0].id')
	second=$(job list --node n2 --json | jq -r --arg via "job $first" '.jobs[] | select(.via == $via).id')
	jq -se --arg a "$first" --arg b "$second" '.[0].delegation as [$x, $y]
		| $x.by == "alice" and $x.for == "alice" and $x.id == $a and $x.node == "n1" and $x.depth == 1
		and $y.by == "job \($a) on n1" and $y.for == "alice" and $y.id == $b and $y.node == "n2" and $y.depth == 0
		and ($x.restriction | contains("job.submit")) and ($y.restriction | contains("job.submit") | not)
		and $y.until <= $x.until' <<<"$output"
	# shellcheck disable=SC2154
	[[ $stderr == *"passed on by:"*"job $first on n1 to job $second on n2, for alice"* ]]
	job show "$second" | grep -q "submitted by: *job $first, for alice"
	[ "$(job show "$second" --json | jq .wall)" -le "$(as alice xos-token show --json | jq .seconds_left)" ]
	# The decision, as an event and for asking again.
	events n2 decision | grep -q "chain=\"job $first on n1\" .*decision=permit"
	decisions n2 | jq -se --arg a "$first" 'any(.[].delegations[]?; .id == $a and .node == "n1" and .depth == 1 and .until)'
	retry sh -c "XOS_TOKEN=$V/alice xos-acct list --json | jq -e '.records[] | select(.id == \"$second\").actors == [\"job $first on n1\"]'"
	as alice xos-acct list | grep -q "job $first on n1 .*$second"
}

@test "beyond its depth: by our tool, by hand, on its own node and on another" {
	# A third step: what n2's job has is used up.
	run -1 --separate-stderr job submit --node n1 --wait --depth 1 --restrict "$V/submit.xos" -- \
		xos-job submit --node n2 --wait --restrict "$V/submit.xos" -- xos-job submit --node n1 -- true
	run -1 --separate-stderr as deep xos-job submit --node n2 --depth 1 -- true
	[[ $stderr == *"may be passed on 1 time"* ]]
	run -1 --separate-stderr as flat xos-job submit --node n1 -- true
	[[ $stderr == *"may submit nothing"*"--depth 1"* ]]
	refused delegation-depth flat n1 POST /jobs "$(spec)"
	refused wrong-node flat n2 POST /jobs "$(spec)"
	# Nor longer than it has itself.
	run -1 --separate-stderr as deep xos-job submit --node n2 --wall 2d -- true
	[[ $stderr == *"ends in"*"ask for less with --wall"* ]]
	events n1 local.refused | grep "code=delegation-depth" | grep -q "job $(leaf_job flat) on n1"
	events n2 decision.refused | grep "code=wrong-node" | grep -q "job $(leaf_job flat) is for the node n1 only"
}

@test "outside its restriction: the default one, one without the action; depth opens no action" {
	run -1 --separate-stderr job submit --node n1 --wait --depth 1 -- xos-job submit --node n2 -- true
	run -1 --separate-stderr job submit --node n1 --wait --depth 8 --restrict "$V/look.xos" -- xos-job submit --node n2 -- true
	local id
	id=$(job list --node n1 --json | jq -r '.jobs | max_by(.submitted) | .id')
	job logs --node n1 --stderr "$id" | grep -q "has the action job.submit.*the delegation by alice"
	decisions n2 | jq -se --arg id "$id" 'any(.[]; .decision == "deny" and (.by | test("delegation alice"))
		and .delegations[0].id == $id and .delegations[0].depth == 8)'
}

@test "another's job: one of the same member, one of another member, its credential" {
	local own bobs
	own=$(job submit --node n2 --json -- sleep 300 | jq -r .id)
	root && retry as bob xos-job submit --node n2 --wait -- true
	bobs=$(root && as bob xos-job submit --node n2 --json -- sleep 300 | jq -r .id)
	refused job-not-yours deep n2 GET "/jobs/$own"
	refused job-not-yours deep n2 POST "/jobs/$own/cancel" '{}'
	run -0 api deep n2 GET /jobs
	[ "$(jq -c "[.jobs[].id] | contains([\"$own\"])" <<<"${lines[0]}")" = false ]
	root || { job cancel --node n2 "$own"; return 0; }
	refused job-not-yours deep n2 GET "/jobs/$bobs"
	# bob's credential, by xos-credd's socket: operation 7 with the id of his job.
	run -0 --separate-stderr job submit --node n2 --wait -- perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => $ENV{XOS_CREDD_SOCKET}) or die $!;
		syswrite($s, pack("a2CCnnNN/a*", "XL", 1, 1, 7, 0, 1, pack("N/a*", $ARGV[0])));
		sysread($s, my $b, 4096); print substr($b, 16)' "$bobs"
	[[ $output == *no-credential* && $output != *BEGIN* ]]
	events n2 local.refused | grep "operation=credential" | grep "code=no-credential" | grep -q "job=$bobs"
	as bob xos-job cancel --node n2 "$bobs"
	job cancel --node n2 "$own"
}

@test "it gets no token, renews none, commands nothing" {
	run -1 as deep xos-login --renew
	xos-forge-renewal "$V/deep" "$BATS_TEST_TMPDIR/renewal"
	run curl -sS --insecure -H 'Content-Type: application/json' --data-binary "@$BATS_TEST_TMPDIR/renewal" "$CA/v1/vo/demo/renew"
	[ "$(jq -r .code <<<"$output")" = delegation-refused ]
	# The same by the member's own token: the body is as it should be.
	xos-forge-renewal "$V/alice" "$BATS_TEST_TMPDIR/renewal"
	curl -sS --insecure -H 'Content-Type: application/json' --data-binary "@$BATS_TEST_TMPDIR/renewal" "$CA/v1/vo/demo/renew" | jq -e .chain
	run -1 as deep xos-token list
	run -1 as deep xos-token end "$(as alice xos-token show --json | jq -r .serial)"
	grep "route=/v1/vo/{vo}/renew .*code=delegation-refused" "$V/vo/log/xos-cad.log"
	[ "$(grep -c "event=command.refused .*code=delegation-refused" "$V/vo/log/xos-cad.log")" -ge 2 ]
}

# request FILE [ALGORITHM...]: a key and a certification request in FILE.key, FILE
request() {
	openssl genpkey "${@:2}" -out "$1.key" 2>/dev/null
	openssl req -new -key "$1.key" -subj /CN=whatever -out "$1" 2>/dev/null
}

@test "a member delegates by hand: what the holder of the key may do, and may not" {
	local t=$BATS_TEST_TMPDIR
	umask 077
	request "$t/csr" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
	as alice xos-token delegate --for transfer --node n2 --lifetime 10m --depth 1 --restrict "$V/submit.xos" "$t/csr" >"$t/chain"
	cat "$t/csr.key" "$t/chain" >"$V/transfer"
	as transfer xos-token show --json | jq -e '.seconds_left <= 600 and (.delegation | length == 1)
		and .delegation[0].actor == "transfer" and .delegation[0].node == "n2" and (.delegation[0].id | length == 32)'
	as transfer xos-job submit --node n2 --wait -- true
	# Passed on once, and no more; what comes of it keeps the first restriction.
	as transfer xos-token delegate --lifetime 1h --restrict "$V/look.xos" --out "$V/narrow"
	as narrow xos-token show --json | jq -e '.delegation | length == 2 and .[1].node == "n2" and .[1].until <= .[0].until'
	refused policy-denied narrow n2 POST /jobs "$(spec)"
	run -1 as narrow xos-token delegate --out "$t/no"
	[[ $output == *"may not be passed on any further"* ]]
	run -1 as transfer xos-token delegate --depth 1 --out "$t/no"
	run -1 as deep xos-token delegate --stock --node lab/n1 --out "$t/no"
	[[ $output == *"only a member's own token"* ]]
	[ ! -e "$t/no" ]
}

@test "requests that are none, keys that nobody proved, terms that contradict each other" {
	local t=$BATS_TEST_TMPDIR
	request "$t/csr" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
	openssl req -in "$t/csr" -outform DER -out "$t/der"
	as alice xos-token delegate "$t/der" >"$t/out"
	head -c 100 "$t/der" >"$t/cut"
	{ cat "$t/der" && echo x; } >"$t/trailing"
	# The signature is somebody else's: the last byte of it changed.
	{ head -c -1 "$t/der" && tail -c 1 "$t/der" | tr '\000-\377' '\001-\377\000'; } >"$t/unproved"
	head -c 20000 /dev/zero >"$t/long"
	request "$t/small" -algorithm RSA -pkeyopt rsa_keygen_bits:1024
	local f
	for f in cut trailing unproved small csr.key none; do
		run -1 --separate-stderr as alice xos-token delegate "$t/$f"
		[ -z "$output" ]
	done
	run -3 as alice xos-token delegate "$t/long" # a limit, as everywhere
	for f in "--depth 9" "--depth x" "--lifetime 0" "--until yesterday" "--lifetime 1h --until 2030-01-01T00:00:00Z" "--stock" "--stock --node n1 --for x"; do
		# shellcheck disable=SC2086
		run -2 as alice xos-token delegate $f "$t/csr"
	done
	run -2 as alice xos-token delegate
	run -1 as alice xos-token delegate --until 2020-01-01T00:00:00Z "$t/csr"
	run -1 as alice xos-token delegate --restrict "$V/vo.xos" "$t/csr"
}

@test "a lock of the token ends what was made of it, wherever it is shown" {
	as alice xos-login alice --fresh --password-stdin <"$V/alice.pw"
	(umask 077 && job submit --node n1 --wait --depth 1 --restrict "$V/submit.xos" -- sh -c 'cat "$X509_USER_PROXY"' >"$V/lost")
	run api lost n2 POST /jobs "$(spec)"
	[ "${lines[-1]}" = 201 ]
	as admin xos-vo lock token "$(as alice xos-token show --json | jq -r .serial)" --wait 20s
	as alice xos-login alice --fresh --password-stdin <"$V/alice.pw"
	refused policy-denied lost n2 POST /jobs "$(spec)"
	events n2 decision | grep "chain=\"job $(leaf_job lost) on n1\"" | grep -q "decision=deny reason=locked"
	# What was made of another token goes on.
	run api deep n2 POST /jobs "$(spec)"
	[ "${lines[-1]}" = 201 ]
}

@test "a job passes on what the authority renewed for it, and the chain says who signed what" {
	sed -i '/^lifetime/d; /^\[token\]/d' "$V/vo/cad/cad.conf"
	printf '[token]\nlifetime = 300s\n' >>"$V/vo/cad/cad.conf"
	kill -HUP "$(awk '{print $1}' "$V/vo/run/xos-cad.pid")"
	run -0 --separate-stderr job submit --node n1 --wait --depth 1 --restrict "$V/submit.xos" --lifetime 8s --renew 1h -- sh -c '
		until openssl x509 -in "$X509_USER_PROXY" -noout -subject | grep -q OU\ =\ delegation; do sleep 0.2; done
		xos-job submit --node n2 --wait -- xos-token show --json'
	jq -se '.[0].delegation as [$x, $y] | $x.signed_by == "authority" and $x.node == "n1" and $x.depth == 1
		and $y.signed_by == "holder" and $y.node == "n2" and $y.by == "job \($x.id) on n1"' <<<"$output"
}
