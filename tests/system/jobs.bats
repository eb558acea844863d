#!/usr/bin/env bats
# Jobs: what a node does with them, and with those who send what no tool of ours would send.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/demo.bash"

setup_file() { demo_start; }
teardown_file() { demo_stop; }
setup() {
	demo_load
	export XOS_TOKEN=$BATS_TEST_TMPDIR/token.pem
	NODE=$DEMO/nodes/n1
	JOBS=https://$(sed -n 's/^listen = //p' "$NODE/jobd.conf")/v1/vo/demo/jobs
	login alice
}

root() { [ "$(id -u)" -eq 0 ]; }

# api METHOD PATH [DATA]: prints body and, last, the HTTP status
api() {
	curl -sS --cert "$XOS_TOKEN" --cacert "$DEMO/trust/demo-root.pem" -X "$1" -w '\n%{http_code}' \
		${3+-H 'Content-Type: application/json' --data-binary "$3"} "$JOBS$2"
}

answers() { # STATUS CODE METHOD PATH [DATA]
	run api "${@:3}"
	echo "$output"
	[ "${lines[-1]}" = "$1" ]
	[ -z "$2" ] || [ "$(jq -r .code <<<"${lines[-2]}")" = "$2" ]
}

nonce='"nonce":"AAAAAAAAAAAAAAAAAAAAAA=="'

daemon_process() { # ROLE: its pid
	local p
	for p in /proc/[0-9]*; do
		tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q "xos-jobd run --config $NODE/.*--role $1" &&
			echo "${p#/proc/}" && return 0
	done
	return 1
}

monitor_of() {
	local p
	for p in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)" = "xos-job-monitor $1 " ] &&
			[ "$(stat -c %u "$p")" = "$(id -u)" ] && echo "${p#/proc/}"
	done | head -n 1
}

alive() { kill -0 "$1" 2>/dev/null; }
state_is() { xos-job show "$1" --json | jq -e --arg s "$2" '.state == $s' >/dev/null; }

@test "surroundings: private /tmp, no privileges, own processes, the promised variables" {
	local outside
	outside=$(mktemp /tmp/xos-outside.XXXXXX)
	run -0 --separate-stderr xos-job submit --wait --env GREETING=hello --env OUTSIDE="$outside" -- sh -c \
		'echo $GREETING; umask; grep NoNewPrivs /proc/self/status | tr -d "\t"; test -e "$OUTSIDE" || echo hidden; test -r "$X509_USER_PROXY" && echo "$XOS_NODE"; test "$(pwd)" = "$HOME" && echo home'
	rm "$outside"
	if root; then
		[ "$output" = $'hello\n0077\nNoNewPrivs:1\nhidden\nn1\nhome' ]
	else
		[[ "$output" == hello*0077*NoNewPrivs:1*n1*home ]]
	fi
}

@test "both streams arrive, in their own places" {
	run -0 --separate-stderr xos-job submit --wait -- sh -c 'echo out; echo err >&2'
	[ "$output" = out ]
	# shellcheck disable=SC2154
	[ "$stderr" = err ]
}

@test "a flood of output is capped, the job ends well, and show says what was dropped" {
	local id
	id=$(xos-job submit -- sh -c 'head -c 20000000 /dev/zero; echo done >&2')
	run -0 xos-job wait "$id"
	[ "$(xos-job logs "$id" | wc -c)" -eq 16777216 ]
	[ "$(xos-job logs --stderr "$id")" = done ]
	xos-job show "$id" --json | jq -e '.dropped_stdout == 20000000 - 16777216'
}

@test "wall time ends a job, also one that ignores SIGTERM" {
	run -143 --separate-stderr xos-job submit --wait --wall 1s -- sleep 600
	run -137 --separate-stderr xos-job submit --wait --wall 1s -- sh -c 'trap "" TERM; while :; do sleep 1; done'
}

@test "a job that daemonises leaves nothing behind" {
	local id
	id=$(xos-job submit -- sh -c 'setsid sleep 6543 & setsid sh -c "trap \"\" HUP TERM; sleep 6543" & exit 4')
	run -4 xos-job wait "$id"
	run ! pgrep -f 'sleep 6543'
}

@test "a program that is not there is an answer, not a hang" {
	run -1 --separate-stderr xos-job submit --wait -- no-such-program
	[[ "$stderr" == *"no-such-program: No such file"* ]]
}

@test "arguments: none, too many, too long, reserved and doubled variables" {
	run -2 xos-job submit
	run -1 xos-job submit -- ''
	# shellcheck disable=SC2046
	run ! xos-job submit -- echo $(seq 2000)
	run ! xos-job submit -- echo "$(head -c 100000 /dev/zero | tr '\0' x)"
	run -1 xos-job submit --env XOS_NODE=n2 -- true
	run -1 xos-job submit --env X509_USER_PROXY=/etc/passwd -- true
	run -1 xos-job submit --env A=1 --env A=2 -- true
	run -2 xos-job submit --wall 10 -- true
	run -1 xos-job submit --wall 300d -- true
}

@test "restrictions: one's own, one that is none, one that ends sooner" {
	cat >"$BATS_TEST_TMPDIR/r.xos" <<<'delegation by user "alice" { check action in {file.read}; }'
	run -0 --separate-stderr xos-job submit --wait --lifetime 10m --restrict "$BATS_TEST_TMPDIR/r.xos" -- xos-token show --json
	jq -e '.seconds_left <= 600 and (.delegation[0].restriction | contains("file.read") and (contains("file.write") | not))' <<<"$output"
	run -1 xos-job submit --restrict - -- true <<<'vo "demo" serial 1 { permit any action job.submit on any; }'
	run -1 xos-job submit --restrict - -- true <<<'nonsense'
	run -1 xos-job submit --restrict "$BATS_TEST_TMPDIR/none" -- true
}

@test "hostile: bodies that are malformed, too long, or say more than they may" {
	answers 400 "" POST "" '{'
	answers 400 json-field POST "" "{$nonce,\"argv\":[\"true\"],\"uid\":0}"
	answers 400 "" POST "" "{$nonce,\"argv\":[]}"
	answers 400 "" POST "" "{$nonce,\"argv\":[\"true\"],\"env\":{\"HOME\":\"/\"}}"
	echo "{$nonce,\"argv\":[\"true\"],\"env\":$(seq 10000 | jq -Rn '[inputs | {("V" + .): "x"}] | add')}" >"$BATS_TEST_TMPDIR/many"
	answers 429 job-environment POST "" "@$BATS_TEST_TMPDIR/many"
	head -c 300000 /dev/zero | tr '\0' ' ' >"$BATS_TEST_TMPDIR/long"
	answers 413 body-too-long POST "" "@$BATS_TEST_TMPDIR/long"
	answers 404 "" GET /../../../etc/passwd
	answers 400 job-id GET /00
	answers 404 job-unknown GET /00000000000000000000000000000000
}

@test "hostile: credentials that are not for this job" {
	local id other chain
	id=$(api POST "" "{$nonce,\"argv\":[\"true\"]}" | head -n 1 | jq -r .id)
	[ ${#id} -eq 32 ]
	# the member's own token
	chain=$(awk '/BEGIN CERT/{c=1} c{print} /END CERT/{c=0}' "$XOS_TOKEN" | jq -Rs '[splits("-----END CERTIFICATE-----\n") | select(length > 9) | gsub("-----BEGIN CERTIFICATE-----|\n"; "")]')
	answers 403 "" PUT "/$id/credential" "{\"chain\":$chain}"
	# a delegation for another job
	chain=$(xos-job submit --wait -- sh -c 'cat "$X509_USER_PROXY"' | awk '/BEGIN CERT/{c=1} c{print} /END CERT/{c=0}' | jq -Rs '[splits("-----END CERTIFICATE-----\n") | select(length > 9) | gsub("-----BEGIN CERTIFICATE-----|\n"; "")]')
	answers 403 "" PUT "/$id/credential" "{\"chain\":$chain}"
	answers 400 "" PUT "/$id/credential" '{"chain":["AAAA"]}'
	answers 400 "" PUT "/$id/credential" '{"chain":[]}'
	# and it still waits: nothing of this started it
	state_is "$id" waiting
	xos-job cancel "$id"
	state_is "$id" cancelled
	answers 409 job-over PUT "/$id/credential" "{\"chain\":$chain}"
	# the same submission again is the same job
	answers 409 job-exists POST "" "{$nonce,\"argv\":[\"true\"]}"
}

@test "hostile: what belongs to another member, job or VO" {
	local id
	id=$(xos-job submit -- sh -c 'echo secret; sleep 600')
	retry bash -c "xos-job logs $id | grep -q secret"
	# another member
	XOS_TOKEN=$BATS_TEST_TMPDIR/bob.pem
	login bob
	answers 403 job-not-yours GET "/$id"
	answers 403 job-not-yours GET "/$id/output?stream=stdout"
	answers 403 job-not-yours POST "/$id/cancel" '{}'
	answers 403 job-not-yours PUT "/$id/credential" '{"chain":[]}'
	[ "$(xos-job list --json | jq '.jobs | length')" -eq 0 ]
	# another job of the same member
	XOS_TOKEN=$BATS_TEST_TMPDIR/token.pem
	run ! xos-job submit --wait -- xos-job cancel "$id"
	run ! xos-job submit --wait -- xos-job logs "$id"
	state_is "$id" running
	xos-job cancel "$id"
	# nobody at all
	run curl -sk "$JOBS"
	[ "$(jq -r .code <<<"$output")" = client-certificate-needed ]
}

@test "kill -9 of front, starter and courier: the job goes on and its status arrives" {
	local id role pid
	id=$(xos-job submit -- sh -c 'echo up; while [ ! -e "$HOME/go" ]; do sleep 0.1; done; exit 9')
	retry bash -c "xos-job logs $id | grep -q up"
	for role in front starter courier; do
		retry daemon_process "$role"
		pid=$(daemon_process "$role")
		kill -9 "$pid"
		retry bash -c "! kill -0 $pid 2>/dev/null"
		retry state_is "$id" running
	done
	[ -n "$(monitor_of "$id")" ]
	touch "$NODE/jobd/work/$id/go"
	run -9 xos-job wait "$id"
	retry bash -c "xos-acct list --json | jq -e '[.records[] | select(.id == \"$id\")] | length == 1'"
}

@test "kill -9 of the daemon: the job ends while nobody looks, and is on record once" {
	local id pid
	id=$(xos-job submit -- sh -c 'echo up; while [ ! -e "$HOME/go" ]; do sleep 0.1; done; exit 8')
	retry bash -c "xos-job logs $id | grep -q up"
	pid=$(awk '{print $1}' "$NODE/run/xos-jobd.pid")
	kill -9 "$pid"
	touch "$NODE/jobd/work/$id/go"
	retry test -e "$NODE/jobd/run/$id/status"
	xos-node start --dir "$NODE"
	run -8 xos-job wait "$id"
	retry bash -c "xos-acct list --json | jq -e '[.records[] | select(.id == \"$id\" and .value == 8)] | length == 1'"
	xos-acct verify
}

@test "kill -9 of a monitor: nothing goes on unseen, and the record says lost" {
	local id pid
	id=$(xos-job submit -- sh -c 'echo up; sleep 7654')
	retry bash -c "xos-job logs $id | grep -q up"
	pid=$(monitor_of "$id")
	kill -9 "$pid"
	run -3 --separate-stderr xos-job wait "$id"
	[[ "$stderr" == *"monitor lost: exit status unknown"* ]]
	retry bash -c '! pgrep -f "[s]leep 7654" >/dev/null'
	retry bash -c "xos-acct list --json | jq -e '[.records[] | select(.id == \"$id\" and .end == \"lost\")] | length == 1'"
}

@test "accounting away: jobs run, records wait, and come exactly once" {
	local id pid
	pid=$(awk '{print $1}' "$DEMO/server/run/xos-acctd.pid")
	kill -9 "$pid"
	id=$(xos-job submit -- true)
	run -0 xos-job wait "$id"
	retry test -e "$NODE/jobd/spool/$id.json"
	xos-server start --dir "$DEMO/server"
	retry bash -c "xos-acct list --json | jq -e '[.records[] | select(.id == \"$id\")] | length == 1'"
	retry bash -c "[ ! -e '$NODE/jobd/spool/$id.json' ]"
	xos-acct verify
}

@test "accounting: another member's records, and a record from a member" {
	XOS_TOKEN=$BATS_TEST_TMPDIR/bob.pem
	login bob
	[ "$(xos-acct list --json | jq '.records | length')" -eq 0 ]
	run -1 xos-acct list --member alice
	local url
	url=$(sed -n 's/^listen = //p' "$DEMO/server/acctd/acctd.conf")
	run curl -sS --cert "$XOS_TOKEN" --cacert "$DEMO/trust/demo-root.pem" -H 'Content-Type: application/json' \
		--data-binary '{}' "https://$url/v1/vo/demo/records"
	[ "$(jq -r .status <<<"$output")" -ge 400 ]
}

@test "accounting: a log put back to an older state is noticed by who saw the newer one" {
	root || skip "the record is readable by its user only"
	local d=$DEMO/server/acctd/log
	xos-acct verify
	mkdir "$BATS_TEST_TMPDIR/old"
	cp -p "$d/records.log" "$d/records.log.head" "$BATS_TEST_TMPDIR/old"
	local id
	id=$(xos-job submit -- true)
	retry bash -c "xos-acct list --json | jq -e '[.records[] | select(.id == \"$id\")] | length == 1'"
	xos-acct verify
	mkdir "$BATS_TEST_TMPDIR/new"
	cp -p "$d/records.log" "$d/records.log.head" "$BATS_TEST_TMPDIR/new"
	cat "$BATS_TEST_TMPDIR/old/records.log" >"$d/records.log"
	cat "$BATS_TEST_TMPDIR/old/records.log.head" >"$d/records.log.head"
	run -1 --separate-stderr xos-acct verify
	[[ "$stderr" =~ record.*missing ]]
	cat "$BATS_TEST_TMPDIR/new/records.log" >"$d/records.log"
	cat "$BATS_TEST_TMPDIR/new/records.log.head" >"$d/records.log.head"
	xos-acct verify
}

@test "in a plain chroot, whose root is no mount point, jobs still get mounts of their own" {
	root || skip "needs root"
	local r=$BATS_TEST_TMPDIR/root build
	build=$(cd "${BUILD:-$SOURCE/build/release}" && pwd)
	mkdir -p "$r/build" "$r/tmp" "$r/var/tmp"
	chmod 1777 "$r/tmp" "$r/var/tmp"
	# shellcheck disable=SC2016 # the inner shell expands them
	run -0 unshare -m --propagation private sh -ec '
		for d in bin sbin lib lib64 usr etc dev proc sys; do
			if [ -L "/$d" ]; then cp -P "/$d" "$1/$d"; elif [ -d "/$d" ]; then mkdir "$1/$d" && mount --rbind "/$d" "$1/$d"; fi
		done
		mount --rbind "$2" "$1/build"
		! chroot "$1" mount --make-rslave / 2>/dev/null # or this test shows nothing
		chroot "$1" /build/unit/test-jobs-run' sh "$r" "$build"
	[[ "$output" == *"100%"* ]]
}
