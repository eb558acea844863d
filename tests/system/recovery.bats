#!/usr/bin/env bats
# Any process may die at any moment: it comes back, or one command brings it back, and nothing that
# was acknowledged is lost.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/demo.bash"

setup_file() { demo_start; }
teardown_file() { demo_stop; }
setup() {
	demo_load
	export XOS_TOKEN=$BATS_TEST_TMPDIR/token.pem
}

revive() {
	xos-server start --dir "$DEMO/server"
	xos-node start --dir "$DEMO/nodes/n1"
}

works() {
	login alice && xos-job submit --wait -- true
}

gone() { ! readlink "/proc/$1/exe" >/dev/null 2>&1; } # a zombie that nobody waits for is gone, too

@test "kill -9 of each process in turn" {
	local pid name
	for pid in $(demo_processes); do
		[ -e "/proc/$pid/exe" ] || continue # went with its supervisor
		name=$(tr '\0' ' ' <"/proc/$pid/cmdline")
		echo "killing $name"
		kill -9 "$pid"
		retry gone "$pid"
		retry revive
		retry works
	done
}

@test "kill -9 of all processes at once" {
	# shellcheck disable=SC2046
	kill -9 $(demo_processes)
	retry revive
	retry works
}

@test "a job goes on, and its end is recorded, while jobd is killed and started" {
	login alice
	local id pid
	id=$(xos-job submit -- sh -c 'echo begun; while [ ! -e go ]; do sleep 0.1; done; echo ended; exit 5')
	retry bash -c "xos-job logs $id | grep -q begun"
	for pid in $(demo_processes); do
		if [ -e "/proc/$pid/exe" ] && [[ "$(readlink "/proc/$pid/exe")" == */xos-jobd ]]; then
			kill -9 "$pid" || true
		fi
	done
	retry revive
	retry xos-job show "$id"
	xos-job show "$id" --json | jq -e '.state == "running"'
	touch "$DEMO/nodes/n1/jobd/work/$id/go"
	run -5 xos-job wait "$id"
	[[ "$(xos-job logs "$id")" == *ended* ]]
	retry bash -c "xos-acct list --json | grep -q $id"
	xos-acct verify
}

@test "records wait in the node's spool while the accounting server is away" {
	login alice
	local pid id
	pid=$(sed 's/ .*//' "$DEMO/server/run/xos-acctd.pid")
	kill -9 "$pid"
	retry gone "$pid"
	id=$(xos-job submit -- true)
	xos-job wait "$id"
	revive
	retry bash -c "xos-acct list --json | grep -q $id"
	[ "$(xos-acct list --json | grep -c "$id")" -ge 1 ]
	xos-acct verify
}

@test "the node decides while every VO server is away" {
	login alice
	xos-server stop --dir "$DEMO/server"
	run -0 xos-job submit --node n1 --wait -- true
	run -3 xos-login alice --password-stdin <"$DEMO/secrets/alice"
	xos-node status --dir "$DEMO/nodes/n1"
	xos-server start --dir "$DEMO/server"
	retry works
}

@test "no certificate exists that the issuance log lacks" {
	root_only=$(id -u)
	[ "$root_only" -eq 0 ] || skip "the issuance log is readable by its user only"
	login alice
	local serial log
	serial=$(xos-token show --json | jq -r .serial)
	log=$(find "$DEMO/server/cad" -name '*.log' | head -n 1)
	grep -a -q -i "$serial" "$log"
}

@test "quickstart again on the same folder, and after --stop: the data stays" {
	login alice
	local before
	before=$(xos-token show --json | jq .number)
	"$SOURCE/scripts/quickstart" --dir "$DEMO" >"$BATS_TEST_TMPDIR/again" 2>&1 || {
		cat "$BATS_TEST_TMPDIR/again"
		return 1
	}
	"$SOURCE/scripts/quickstart" --dir "$DEMO" --stop
	[ -z "$(demo_processes)" ]
	"$SOURCE/scripts/quickstart" --dir "$DEMO" >"$BATS_TEST_TMPDIR/again" 2>&1
	login alice
	[ "$(xos-token show --json | jq .number)" = "$before" ]
}

@test "a parent folder that the accounts of jobs cannot search is named and refused" {
	[ "$(id -u)" -eq 0 ] || skip "only as root do jobs run under other accounts"
	local closed=$BATS_TEST_TMPDIR/closed
	mkdir -m 700 "$closed"
	run -1 "$SOURCE/scripts/quickstart" --dir "$closed/demo"
	[[ "$output" == *"$closed"* && "$output" == *chmod* ]]
}
