#!/usr/bin/env bats
# A node whose xos-credd is frozen, killed, or without room: whoever asks gets an answer or a clear error in the time that
# docs/protocols/credd.md states, others are served meanwhile, and nothing that was acknowledged is lost.
# tests/credd/trouble_test.c does the same to xos-credd alone, at many moments.

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for the shells of jobs; bats sets stderr
bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/demo.bash"

setup_file() { demo_start; }
teardown_file() {
	umount "$DEMO/nodes/n1/credd" "$DEMO/nodes/n1/jobd/run" 2>/dev/null || true
	demo_stop
}
setup() {
	demo_load
	export XOS_TOKEN=$BATS_TEST_TMPDIR/token.pem
	NODE=$DEMO/nodes/n1
	login alice
}
teardown() { # a case that failed half-way must not leave the others a frozen node
	local pid
	if pid=$(credd_daemon); then kill -CONT "$pid"; fi
}

root() { [ "$(id -u)" -eq 0 ]; }
supervisor() { awk '{print $1}' "$NODE/run/xos-credd.pid"; }
credd_daemon() { tr -d ' ' <"/proc/$(supervisor)/task/$(supervisor)/children" | grep .; }
job() { xos-job submit --wait "$@"; }
state_is() { xos-job show "$1" --json | jq -e --arg s "$2" '.state == $s' >/dev/null; }
on_record() { xos-acct list --json | jq -e --arg id "$1" '[.records[] | select(.id == $id)] | length == 1' >/dev/null; }
within() { # SECONDS COMMAND...: its own status, and not the time-out's
	timeout "$@" || { local rc=$?; [ $rc -ne 124 ] && return $rc; echo "not within $1 s" >&2; return 99; }
}

aside() { # NAME COMMAND...: meanwhile; its status in NAME.rc
	(rc=0; within 25 "${@:2}" >/dev/null 2>"$BATS_TEST_TMPDIR/$1.err" || rc=$?; echo $rc >"$BATS_TEST_TMPDIR/$1.rc") 3>&- &
}

@test "frozen: what xos-jobd knows is answered, what needs xos-credd is refused in time, jobs go on" {
	local id other
	id=$(xos-job submit -- sh -c 'echo up; until [ -e "$HOME/go" ]; do sleep 0.1; done; exit 7')
	other=$(xos-job submit -- sh -c 'echo up; exec sleep 600')
	retry bash -c "xos-job logs $id | grep -q up && xos-job logs $other | grep -q up"
	kill -STOP "$(credd_daemon)"
	aside submit xos-job submit -- true
	run -0 within 5 xos-job list --json
	[ "$(jq --arg id "$id" '[.jobs[] | select(.id == $id and .state == "running")] | length' <<<"$output")" -eq 1 ]
	run -0 within 5 xos-job logs "$id"
	run -0 within 5 xos-token show
	# a job ends by itself, another is ended: neither waits for xos-credd
	touch "$NODE/jobd/work/$id/go"
	run -7 within 25 xos-job wait "$id"
	run -0 within 25 xos-job cancel "$other"
	run -143 within 25 xos-job wait "$other"
	wait
	[ "$(cat "$BATS_TEST_TMPDIR/submit.rc")" = 3 ]
	grep -q 'xos-credd.*did not answer within 5000 ms' "$BATS_TEST_TMPDIR/submit.err"
	kill -CONT "$(credd_daemon)"
	run -0 within 25 xos-job submit --wait -- true
	retry on_record "$id"
}

@test "frozen while two submit: the first is told, the one that still waits goes on" {
	local first
	kill -STOP "$(credd_daemon)"
	aside a xos-job submit --wait -- true
	aside b xos-job submit --wait -- true
	retry bash -c "[ -s '$BATS_TEST_TMPDIR/a.rc' ] || [ -s '$BATS_TEST_TMPDIR/b.rc' ]"
	kill -CONT "$(credd_daemon)"
	wait
	run cat "$BATS_TEST_TMPDIR/a.rc" "$BATS_TEST_TMPDIR/b.rc"
	first=$(sort <<<"$output" | tr '\n' ' ')
	[ "$first" = "0 3 " ]
	grep -q 'did not answer' "$BATS_TEST_TMPDIR"/[ab].err
}

@test "killed with all its processes: running jobs do not notice, and the next start has their credentials" {
	local id
	id=$(xos-job submit -- sh -c 'echo up; until [ -e "$HOME/go" ]; do sleep 0.1; done; xos-token show --json')
	retry bash -c "xos-job logs $id | grep -q up"
	kill -9 "$(supervisor)"
	run -3 --separate-stderr within 25 xos-job submit -- true
	[[ "$stderr" == *"xos-credd"* ]]
	state_is "$id" running
	xos-node start --dir "$NODE"
	xos-credd status --config "$NODE/credd.conf" | jq -e '.jobs >= 1'
	touch "$NODE/jobd/work/$id/go"
	run -0 xos-job wait "$id"
	xos-job logs "$id" | tail -n +2 | jq -e '.delegation | length == 1'
	retry on_record "$id"
}

@test "a full disk below xos-credd: refused with the reason, what runs goes on, and well again with room" {
	root || skip "needs root to mount a small file system"
	local id
	xos-node stop --dir "$NODE"
	cp -a "$NODE/credd" "$BATS_TEST_TMPDIR/kept"
	mount -t tmpfs -o "size=4m,mode=$(stat -c %a "$NODE/credd")" none "$NODE/credd"
	chown --reference="$BATS_TEST_TMPDIR/kept" "$NODE/credd"
	cp -a "$BATS_TEST_TMPDIR/kept/." "$NODE/credd"
	xos-node start --dir "$NODE"
	id=$(xos-job submit -- sh -c 'echo up; until [ -e "$HOME/go" ]; do sleep 0.1; done; test -r "$X509_USER_PROXY"')
	retry bash -c "xos-job logs $id | grep -q up"
	head -c 8m /dev/zero >"$NODE/credd/filler" 2>/dev/null || true
	run -3 --separate-stderr within 25 xos-job submit -- true
	[[ "$stderr" == *"No space left on device"* ]]
	state_is "$id" running
	# decided as before, by the policy that it has
	XOS_TOKEN=$BATS_TEST_TMPDIR/bob.pem
	login bob
	run -1 --separate-stderr xos-job submit -- true
	[[ "$stderr" == *"Students use the batch queue"* ]]
	XOS_TOKEN=$BATS_TEST_TMPDIR/token.pem
	rm "$NODE/credd/filler"
	run -0 --separate-stderr job -- echo well
	[ "$output" = well ]
	touch "$NODE/jobd/work/$id/go"
	run -0 xos-job wait "$id"
	retry on_record "$id"
	xos-node stop --dir "$NODE"
	rm -rf "$BATS_TEST_TMPDIR/kept"
	cp -a "$NODE/credd" "$BATS_TEST_TMPDIR/kept"
	umount "$NODE/credd"
	cp -a "$BATS_TEST_TMPDIR/kept/." "$NODE/credd"
	xos-node start --dir "$NODE"
}

@test "a job that fills the place of its own credential keeps it, and harms nobody" {
	root || skip "needs the job's own tmpfs"
	# shellcheck disable=SC2016 # the job's shell expands it
	run -0 --separate-stderr job -- sh -c 'd=$(dirname "$X509_USER_PROXY"); head -c 3000000 /dev/zero >"$d/x" 2>/dev/null && echo took; i=0; while true >"$d/$i" 2>/dev/null; do i=$((i + 1)); done; xos-token check >/dev/null && echo good'
	[ "$output" = good ]
	run -0 --separate-stderr job -- sh -c 'xos-token check >/dev/null && echo good'
	[ "$output" = good ]
}
