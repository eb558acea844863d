#!/usr/bin/env bats
# Jobs that run while policy and locks change: stopped, drained or let go on as the statements say; frozen by a lock where the machine can and
# the node runs as root, else stopped. One VO and one node for all cases. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	as admin xos-vo member add bob --password-stdin <"$V/alice.pw"
	as bob xos-login bob --password-stdin <"$V/alice.pw"
	make_node n1
	join n1
	as admin xos-node approve n1
	join n1
	printf 'refresh = 1s\nwait = 1s\n' >>"$V/n1/credd.conf"
	xos-node start --dir "$V/n1"
	retry as alice xos-job submit --node n1 --wait -- true
}

teardown_file() {
	local job
	# What a case left when it failed.
	for job in $(as admin xps --json | jq -r '.jobs[].id'); do as admin xos-job cancel "$job"; done
	vo_remove
}

setup() {
	RUN=$V/n1/$(sed -n 's/^state = //p' "$V/n1/jobd.conf")/run
}

teardown() {
	credd_gets CONT
	[ "$BATS_TEST_COMPLETED" = 1 ] || {
		tail -n 15 "$V"/n1/log/*.log >&2
		policy
	}
	as admin xos-vo unlock member alice --wait 0 >/dev/null 2>&1 || true
}


# credd_gets SIGNAL: what its supervisor started
credd_gets() {
	local supervisor rest
	read -r supervisor rest <"$V/n1/run/xos-credd.pid"
	pgrep -P "$supervisor" | xargs kill -"$1"
}

root() { [ "$(id -u)" -eq 0 ]; }

# Does the job service say that it can freeze here?
freezes() { root && grep -h "event=jobs.control-groups" "$V"/n1/log/*jobd* | tail -n 1 | grep -q freeze; }

# is JOB FILTER: as an administrator sees it; a locked member sees nothing
is() { as admin xos-job show "$1" --json | jq -e "$2" >/dev/null; }

# policy STATEMENTS: pushes the VO's set with them added
policy() {
	local n
	n=$(($(cat "$V/serial" 2>/dev/null || echo 1) + 1))
	echo "$n" >"$V/serial"
	echo "vo \"demo\" serial $n { permit group /demo action job.submit, job.show on any; $* }" >"$V/vo.xos"
	as admin xos-policy push "$V/vo.xos"
}

submit() { # MEMBER [WALL]: a job that writes as long as it runs
	as "$1" xos-job submit --node n1 --wall "${2:-1h}" -- sh -c 'while :; do echo .; sleep 0.05; done'
}

# A job that was submitted just now has no output yet.
written() { stat -c %s "$RUN/$1/stdout" 2>/dev/null || echo 0; }
writes() { retry more "$1" "$(written "$1")"; }
more() { [ "$(written "$1")" -gt "$2" ]; }

# passes JOB N: a time in which that job, which runs, writes so much
passes() {
	local m
	m=$(written "$1")
	retry more "$1" $((m + $2))
}

# stands JOB BESIDE: frozen, by the job service's word too, and writes nothing while another one does. What it wrote before may be on its
# way yet.
stands() {
	local n
	retry is "$1" '.frozen_since'
	retry grep -q "event=job.frozen job=$1" "$V"/n1/log/*jobd*
	passes "$2" 10
	n=$(written "$1")
	passes "$2" 20
	[ "$(written "$1")" -eq "$n" ]
}

lock_alice() { as admin xos-vo lock member alice --for 1d --message "Laptop stolen." --wait 0; }
unlock_alice() { as admin xos-vo unlock member alice --wait 0; }

log_in_again() { retry as alice xos-login alice --password-stdin <"$V/alice.pw"; }

restart() { # LINE...: of jobd.conf
	xos-node stop --dir "$V/n1"
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$V/n1/jobd.conf"
	xos-node start --dir "$V/n1"
}

by_wall() { # DURATION: jobs of an hour go on, of two drain, of three stop after that time
	policy "forbid any action job.submit on any when has job.wall and job.wall == 1h because \"Not for an hour.\" on change continue;
	  forbid any action job.submit on any when has job.wall and job.wall == 2h because \"Not for two.\" on change drain;
	  forbid @three any action job.submit on any when has job.wall and job.wall == 3h because \"Not for three.\" contact \"ops@demo.example\" on change stop after $1;"
}

@test "a push stops, drains or lets go on, as its statements say" {
	local goes drains stops other
	goes=$(submit alice 1h) drains=$(submit alice 2h) stops=$(submit alice 3h) other=$(submit alice 4h)
	for job in $goes $drains $stops $other; do writes "$job"; done
	by_wall 1h
	retry is "$stops" '.state == "running" and .stops_at and (.standing_text | test("Not for three.*ops@demo.example"))'
	retry is "$drains" '.draining and (.standing_text | test("Not for two"))'
	retry is "$goes" '(.standing_text | test("Not for an hour")) and (.draining | not) and (.stops_at | not)'
	run -0 as alice xps
	[[ $output == *"$stops"*stopping* && $output == *"$drains"*draining* ]]
	run -0 as alice xos-job show "$stops"
	[[ $output == *"unless it is permitted again"*"Not for three."* ]]
	# Nothing new begins of any of them.
	run -1 as alice xos-job submit --node n1 --wall 2h -- true
	# Sooner, but not into the past.
	by_wall 1s
	retry is "$stops" '.state == "done" and .cause == "policy" and .signal == 15 and (.text | test("Not for three"))'
	for job in $goes $drains $other; do
		is "$job" '.state == "running"'
		writes "$job"
	done
	is "$other" 'has("standing_text") | not'
	# The record says so too.
	retry grep -q "event=job.settled job=$stops .*cause=policy" "$V"/n1/log/*jobd*
	policy
	retry is "$drains" '(.draining | not) and (.standing_text | not)'
	for job in $goes $drains $other; do as alice xos-job cancel "$job"; done
}

@test "a stop is off once the job is permitted again, and is remembered by a job service that starts anew" {
	local job at
	job=$(submit alice)
	writes "$job"
	policy 'forbid any action job.submit on any on change stop after 1h;'
	retry is "$job" '.stops_at'
	at=$(as admin xos-job show "$job" --json | jq -r .stops_at)
	restart
	retry is "$job" ".stops_at == \"$at\""
	policy
	retry is "$job" '.state == "running" and (.stops_at | not)'
	# What was decided is done also while nobody can decide.
	policy 'forbid any action job.submit on any because "Cooling." on change stop after 3s;'
	retry is "$job" '.stops_at'
	credd_gets STOP
	retry is "$job" '.state == "done" and .cause == "policy" and (.text | test("Cooling"))'
	credd_gets CONT
	policy
}

@test "a window that begins stops what runs, without any push" {
	local job from
	job=$(submit alice)
	writes "$job"
	# Begun by what is true from a moment on, two seconds from now.
	from=$(date -u -d '+2 seconds' +%FT%TZ)
	policy "forbid any action job.submit on any when now >= $from on change stop after 1s;"
	retry is "$job" '.state == "done" and .cause == "policy"'
	policy
	retry as alice xos-job submit --node n1 --wait -- true
}

@test "a locked member's job is frozen, over a restart too, and goes on; another member's is not touched" {
	root || skip "without root a node runs one member's jobs: the next case is theirs"
	local job other
	job=$(submit alice) other=$(submit bob)
	writes "$job"
	writes "$other"
	lock_alice
	if ! freezes; then
		retry is "$job" '.state == "done" and .cause == "lock"'
	else
		retry is "$job" '.frozen_since and (.standing_text | test("Laptop stolen"))'
		[ "$(as admin xps --json | jq -r '.jobs[] | select(.frozen_since) | .id')" = "$job" ]
		stands "$job" "$other"
		restart
		retry is "$other" '.state == "running"'
		is "$job" '.frozen_since'
		stands "$job" "$other"
	fi
	is "$other" '.state == "running" and (has("frozen_since") | not) and (has("standing_text") | not)'
	unlock_alice
	if freezes; then
		retry is "$job" '.state == "running" and (.frozen_since | not)'
		writes "$job"
	fi
	log_in_again
	as alice xos-job cancel "$job"
	as bob xos-job cancel "$other"
}

@test "a frozen job is cancelled without running again, and one whose monitor dies leaves nothing" {
	freezes || skip "this machine cannot freeze jobs: they are stopped, as the case before and the next show"
	local job lost other monitor size
	job=$(submit alice) lost=$(submit alice) other=$(submit bob)
	for j in $job $lost $other; do writes "$j"; done
	lock_alice
	stands "$job" "$other"
	stands "$lost" "$other"
	size=$(written "$job")
	as admin xos-job cancel "$job"
	retry is "$job" '.state == "cancelled"'
	[ "$(written "$job")" -eq "$size" ]
	monitor=$(cat "$RUN/$lost/started")
	kill -KILL "$monitor"
	retry is "$lost" '.state == "failed"'
	run ! grep -qs "XOS_JOB_ID=$lost" /proc/[0-9]*/environ
	[ -z "$(find /sys/fs/cgroup -maxdepth 6 -type d -name "*$lost*" 2>/dev/null)" ]
	unlock_alice
	as bob xos-job cancel "$other"
	log_in_again
}

@test "frozen for too long it is stopped; on_lock = stop stops at once" {
	local job
	restart "freeze_max = 1s"
	job=$(retry submit alice)
	writes "$job"
	lock_alice
	retry is "$job" '.state == "done" and .cause == "lock" and (.text | test("Laptop stolen"))'
	unlock_alice
	log_in_again
	sed -i '/^freeze_max/d' "$V/n1/jobd.conf"
	restart "on_lock = stop"
	job=$(retry submit alice)
	writes "$job"
	lock_alice
	retry is "$job" '.state == "done" and .cause == "lock" and .signal == 15'
	run ! grep "event=job.frozen job=$job" "$V"/n1/log/*jobd*
	unlock_alice
}
