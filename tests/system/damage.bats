#!/usr/bin/env bats
# Files of jobs that were damaged on disk: each is set aside once, said, and the rest goes on. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	start_node n1
}

teardown_file() { vo_remove; }

setup() {
	RUN=$V/n1/jobd/run
	[ -d "$RUN" ] || RUN=$(find "$V/n1/jobd" -type d -name run)
	SPOOL=${RUN%/run}/spool
	LOG=$V/n1/log/xos-jobd.log
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$LOG" >&2
		find "$RUN" "$SPOOL" -ls >&2
	fi
}

submit() { as alice xos-job submit "$@"; }
started() { [ -e "$RUN/$1/started" ]; }
ended() { [ -e "$RUN/$1/status" ]; }
settled() { [ -e "$RUN/$1/done" ]; }
said() { grep -c "event=job.damaged.*$1" "$LOG" || true; }
state() { as alice xos-job show "$1" --json | jq -r .state; }
recorded() { as admin xos-acct list --json | jq -e --arg id "$1" '[.. | objects | select(.id? == $id)] | length > 0' >/dev/null; }

# A job that ends when it is told to.
waiting_job() { submit -- sh -c "until [ -e go ]; do sleep 0.1; done; exit 3"; }
end_it() { touch "${RUN%/run}/work/$1/go"; }

@test "a record that is no record any more is set aside once; the job is settled, the next one recorded" {
	retry submit --wait -- true
	local id
	id=$(waiting_job)
	retry started "$id"
	echo '{"id": "no record' >"$RUN/$id/record"
	end_it "$id"
	retry settled "$id"
	[ -e "$RUN/$id/record.damaged" ]
	[ ! -e "$RUN/$id/record" ]
	[ "$(said "$id")" -eq 1 ]
	[ "$(state "$id")" = "done" ]
	id=$(submit -- true)
	retry recorded "$id"
}

@test "a status that is cut short: the job counts as lost, once, and is recorded so" {
	local id
	id=$(waiting_job)
	retry started "$id"
	xos-node stop --dir "$V/n1"
	end_it "$id"
	retry ended "$id"
	truncate -s 9 "$RUN/$id/status"
	xos-node start --dir "$V/n1"
	retry settled "$id"
	[ -e "$RUN/$id/status.damaged" ]
	[ "$(said "$id")" -eq 1 ]
	retry recorded "$id"
	run -3 as alice xos-job wait "$id"
	[[ $output == *"damaged"* ]]
}

@test "a record in the spool that is too long or no record does not hold up those behind it" {
	local id
	head -c 300000 /dev/zero | tr '\0' ' ' >"$SPOOL/00000000000000000000000000000000.json"
	echo nonsense >"$SPOOL/00000000000000000000000000000001.json"
	chown --reference="$SPOOL" "$SPOOL"/0*.json
	id=$(submit -- true)
	retry recorded "$id"
	[ -e "$SPOOL/00000000000000000000000000000000.refused" ]
	[ -e "$SPOOL/00000000000000000000000000000001.refused" ]
	[ "$(grep -c event=record.refused "$LOG")" -eq 2 ]
}
