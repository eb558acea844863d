#!/usr/bin/env bats
# What the policy service keeps: who may write which set, versions that come and go at their time, two
# administrators, and cases that a push must pass. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	local name
	for name in bob carol dave; do
		head -c 15 /dev/urandom | base64 >"$V/$name.pw"
		as admin xos-vo member add "$name" --password-stdin <"$V/$name.pw"
	done
	as admin xos-vo group add /demo/physics
	as admin xos-vo group add /demo/physics/lasers
	as admin xos-vo group add /demo/bio
	as admin xos-vo member join carol /demo/physics
	as admin xos-vo member join dave /demo/bio
	as admin xos-vo role grant bob /demo/Role=admin
	as admin xos-vo role grant carol /demo/physics/Role=admin
	as admin xos-vo role grant dave /demo/bio/Role=admin
	as bob xos-login bob --role /demo/Role=admin --password-stdin <"$V/bob.pw"
	as carol xos-login carol --role /demo/physics/Role=admin --password-stdin <"$V/carol.pw"
	as dave xos-login dave --role /demo/bio/Role=admin --password-stdin <"$V/dave.pw"
}

# What the node decides by.
node_has() { [ "$(xos-credd status --config "$V/n1/credd.conf" | jq .bundle.vo_set)" = "$1" ]; }

teardown_file() { vo_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$V"/vo/log/*.log >&2
	fi
}

set_of() { # SERIAL [STATEMENT]: a set of the VO in $V/vo.xos
	printf '# kept as it is\nvo "demo" serial %s { %s }\n' "$1" "${2:-permit group /demo action job.submit, job.show on any;}" >"$V/vo.xos"
}
in_force() { as admin xos-policy list --json | jq -e --argjson n "$1" '.sets[] | select(.state == "in force") | .serial == $n' >/dev/null; }
# The next serial that nothing has.
next() { echo $(($(as admin xos-policy list --json | jq '[.sets[].serial] | max') + 1)); }
state_of() { as admin xos-policy list --json | jq -r --argjson n "$1" '.sets[] | select(.serial == $n) | .state'; }

@test "a group's administrator writes for that group and for those below it, and for no other" {
	echo 'group "/demo/physics" serial 5 { forbid user eve action job.submit on any; }' >"$V/g.xos"
	retry as carol xos-policy push --group /demo/physics "$V/g.xos"
	run -0 as carol xos-policy show --group /demo/physics
	[[ $output == 'group "/demo/physics" serial 5'* ]]
	echo 'group "/demo/physics/lasers" serial 1 { }' >"$V/l.xos"
	as carol xos-policy push --group /demo/physics/lasers "$V/l.xos"
	# The administrator of another group, a member without the role, a lower serial.
	run -1 as dave xos-policy push --group /demo/physics "$V/g.xos"
	[[ $output == *"--role /demo/physics/Role=admin"* ]]
	run -1 as alice xos-policy push --group /demo/physics "$V/g.xos"
	run -1 as carol xos-policy push --group /demo/physics "$V/g.xos"
	[[ $output == *"raise it above"* ]]
	# Nor do they read what is another group's, nor withdraw it.
	run -1 as dave xos-policy show --group /demo/physics
	run -1 as dave xos-policy withdraw --group /demo/physics
	run -1 as carol xos-policy list --sets
}

@test "the head of a set says for whom it is" {
	echo 'group "/demo/bio" serial 9 { }' >"$V/g.xos"
	run -1 as carol xos-policy push --group /demo/physics "$V/g.xos"
	[[ $output == *"/demo/bio"* ]]
	run -1 as carol xos-policy push --group /demo/bio "$V/g.xos"
	run -1 as admin xos-policy push "$V/g.xos"
	echo 'vo "demo" serial 999 { }' >"$V/g.xos"
	run -1 as carol xos-policy push --group /demo/physics "$V/g.xos"
}

@test "an owner's set is written by that member alone; an administrator may take it away" {
	echo 'owner "demo:alice" serial 1 { permit group /demo/physics action file.read on file:/data/a; }' >"$V/o.xos"
	as alice xos-policy push --owner "$V/o.xos"
	run -1 as carol xos-policy push --owner "$V/o.xos"
	run -1 as admin xos-policy push --owner "$V/o.xos"
	[[ $output == *"somebody else"* ]]
	run -1 as carol xos-policy withdraw --owner demo:alice
	as admin xos-policy withdraw --owner demo:alice
	run -1 as alice xos-policy show --owner demo:alice
	# What was withdrawn does not come back under its serial.
	run -1 as alice xos-policy push --owner "$V/o.xos"
	run -0 as admin xos-policy list --owner demo:alice --json
	jq -e '.sets[0].withdrawn_by == "admin"' <<<"$output"
	run -0 as alice xos-policy show --owner demo:alice 1
}

@test "a locked group administrator writes nothing" {
	echo 'group "/demo/bio" serial 1 { }' >"$V/b.xos"
	as dave xos-policy push --group /demo/bio "$V/b.xos"
	as admin xos-vo lock role /demo/bio/Role=admin --for 1d --message "ask the help desk"
	refused() { as dave xos-policy show --group /demo/bio 2>&1 | grep -q "ask the help desk"; }
	retry refused
	run -1 as dave xos-policy withdraw --group /demo/bio
	[[ $output == *"ask the help desk"* ]]
}

@test "a node's set is taken as its site signed it" {
	echo 'node "lab/n1" serial 3 { forbid user demo:eve action job.submit on any; }' >"$V/n.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/n.jws" "$V/n.xos"
	xos-policy push --node lab/n1 "$V/n.jws"
	run -0 as admin xos-policy list --sets --json
	jq -e '.sets[] | select(.level == "node" and .name == "lab/n1" and .serial == 3)' <<<"$output"
	run -1 xos-policy push --node lab/n2 "$V/n.jws"
	run -1 xos-policy push --node other/n1 "$V/n.jws"
	run -1 xos-policy push --site lab "$V/n.jws"
	run -1 xos-policy push --node lab/n1 "$V/n.xos"
	[[ $output == *"not signed"* ]]
	xos-policy site-key --out "$V/thief"
	echo 'node "lab/n1" serial 9 { }' >"$V/n.xos"
	xos-policy sign --site-key "$V/thief.key" --out "$V/n.jws" "$V/n.xos"
	run -1 xos-policy push --node lab/n1 "$V/n.jws"
	echo 'node "lab/n1" serial 2 { }' >"$V/n.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/n.jws" "$V/n.xos"
	run -1 xos-policy push --node lab/n1 "$V/n.jws"
}

@test "an older version is put back under a higher serial, comments and all" {
	set_of 10
	as admin xos-policy push "$V/vo.xos" --comment "before"
	set_of 11 "forbid group /demo action job.submit on any;"
	as admin xos-policy push "$V/vo.xos"
	run -1 as alice xos-policy rollback 10
	run -0 as admin xos-policy rollback 10 --comment "too strict"
	[[ $output == *"serial 12"*"in force"* ]]
	in_force 12
	run -0 as admin xos-policy show
	[[ ${lines[0]} == "# kept as it is" && ${lines[1]} == 'vo "demo" serial 12 { permit group /demo action job.submit, job.show on any; }' ]]
	run -0 as admin xos-policy diff 10 current --with "$V/lab.xos"
	run -1 as admin xos-policy diff 11 12 --with "$V/lab.xos"
	[[ $output == *job.submit* ]]
	run -1 as admin xos-policy rollback 12
	run -1 as admin xos-policy rollback 999
}

@test "a set that fails the VO's cases is refused with the case, whoever pushes it" {
	local n
	n=$(next)
	printf 'subject zoe\n  is demo:zoe\n  groups /demo\ncase members run jobs\n  subject zoe\n  action job.submit\n  on node:lab/n1\n  expect permit\n' >"$V/members.test"
	as admin xos-policy cases set "$V/members.test"
	set_of "$n" "permit group /demo/physics action job.submit on any;"
	run -1 as bob xos-policy push "$V/vo.xos"
	[[ $output == *members.test:4*"members run jobs"*"expect permit"*"deny: Refused"* ]]
	run ! in_force "$n"
	# Cases that travel with a push count for that push.
	sed 's/expect permit/expect deny/; s/members run/nobody runs/' "$V/members.test" >"$V/vo.test"
	set_of "$n"
	run -1 as bob xos-policy push "$V/vo.xos"
	[[ $output == *vo.test:4*"nobody runs jobs"* ]]
	rm "$V/vo.test"
	as bob xos-policy push "$V/vo.xos"
	in_force "$n"
	run -0 as admin xos-policy cases list
	[[ $output == *members.test*admin* ]]
	as admin xos-policy cases show members.test | diff - "$V/members.test"
	run -1 as alice xos-policy cases remove members.test
	as admin xos-policy cases remove members.test
	# Files that are none, or would read other files.
	printf 'case x\n' >"$V/bad.test"
	run -1 as admin xos-policy cases set "$V/bad.test"
	[[ $output == *bad.test:* ]]
}

@test "a version comes into force at its time, goes at its end, and the servers may stop in between" {
	local n
	n=$(next)
	set_of "$n" "permit group /demo action job.submit on any;"
	run -0 as admin xos-policy push "$V/vo.xos" --at 1h
	[[ $output == *"comes into force at"* ]]
	[ "$(state_of "$n")" = planned ]
	as admin xos-policy cancel "$n"
	[ "$(state_of "$n")" = cancelled ]
	run -1 as admin xos-policy cancel "$n"
	set_of $((n + 1)) "permit group /demo action job.submit on any;"
	as admin xos-policy push "$V/vo.xos" --at 3s --until 8s
	xos-server stop --dir "$V/vo" && xos-server start --dir "$V/vo"
	retry in_force $((n + 1))
	retry in_force $((n + 2))
	run -0 as admin xos-policy show
	[[ $output == *"serial $((n + 2)) { permit group /demo action job.submit, job.show on any; }"* ]]
	# An end before the beginning, or in the past, is none.
	set_of $((n + 3))
	run -1 as admin xos-policy push "$V/vo.xos" --at 2h --until 1h
	run -1 as admin xos-policy push "$V/vo.xos" --until 2020-01-01T00:00:00Z
	run -2 as admin xos-policy push "$V/vo.xos" --at tomorrow
}

@test "with review, what one administrator proposes another approves" {
	local n id other
	n=$(next)
	as admin xos-policy review on
	set_of "$n"
	run -0 as admin xos-policy push "$V/vo.xos" --json
	id=$(jq .proposal <<<"$output")
	run ! in_force "$n"
	# Not by oneself, nor by somebody who administers a group, nor by nobody.
	run -1 as admin xos-policy approve "$id"
	[[ $output == *"another administrator"* ]]
	run -1 as carol xos-policy approve "$id"
	run -1 as alice xos-policy proposals
	run -0 as bob xos-policy show --proposal "$id"
	[[ $output == *"by: admin"*"serial $n"* ]]
	run -0 as bob xos-policy diff current "proposal:$id" --with "$V/lab.xos"
	# Two race: of two made on one set in force, the second approval finds another one.
	run -0 as admin xos-policy push "$V/vo.xos" --json
	other=$(jq .proposal <<<"$output")
	as bob xos-policy approve "$id"
	in_force "$n"
	run -1 as bob xos-policy approve "$id"
	run -1 as bob xos-policy approve "$other"
	[[ $output == *"in force by now"* ]]
	as bob xos-policy reject "$other"
	as bob xos-policy list --json | jq -e --argjson n "$n" '.sets[] | select(.serial == $n) | .by == "admin" and .approver == "bob"'
}

@test "a rollback, an end and the rule itself are reviewed too" {
	local n id
	n=$(next)
	run -0 as admin xos-policy rollback 10 --json
	id=$(jq .proposal <<<"$output")
	as bob xos-policy approve "$id"
	in_force "$n"
	set_of $((n + 1)) "permit group /demo action job.submit on any;"
	id=$(as admin xos-policy push "$V/vo.xos" --until 1h --json | jq .proposal)
	as bob xos-policy approve "$id"
	# Cancelling the end would make for ever what was approved for an hour.
	run -0 as admin xos-policy cancel $((n + 2))
	[[ $output == *proposal* ]]
	[ "$(state_of $((n + 2)))" = planned ]
	run -0 as admin xos-policy review off --json
	id=$(jq .proposal <<<"$output")
	run -1 as admin xos-policy approve "$id"
	set_of $((n + 5))
	run -0 as admin xos-policy push "$V/vo.xos"
	[[ $output == *proposal* ]]
	as bob xos-policy approve "$id"
	as admin xos-policy push "$V/vo.xos"
	in_force $((n + 5))
}

@test "a preview tells which running jobs would end, and which node could not be asked" {
	local job
	make_node n1 && join n1 && as admin xos-node approve n1 && join n1
	echo "refresh = 1s" >>"$V/n1/credd.conf"
	xos-node start --dir "$V/n1"
	job=$(retry as alice xos-job submit --node n1 -- /bin/sleep 600)
	running() { as alice xos-job show "$job" --json | jq -e '.state == "running"' >/dev/null; }
	retry running
	set_of "$(next)"
	run -0 as admin xos-policy preview "$V/vo.xos"
	[[ $output == *"0 of 1 running jobs"* ]]
	set_of "$(next)" 'permit group /demo action job.submit on any; forbid user alice action job.submit on any because "Ask Bob." on change stop after 10m;'
	run -1 as admin xos-policy preview "$V/vo.xos"
	[[ $output == *"$job of demo:alice: deny, now permit: stops after 10m"*"Ask Bob."* ]]
	run -1 as admin xos-policy preview "$V/vo.xos" --json
	jq -e '.nodes[0].jobs[0].change == "stop" and .nodes[0].jobs[0].after == 600' <<<"$output"
	run -1 as admin xos-policy push --preview "$V/vo.xos"
	[[ $output == *"not pushed"* ]]
	running
	# It tells about everybody's jobs; a set that is none is refused.
	run -3 as alice xos-policy preview "$V/vo.xos"
	[[ $output == *"administrators"* ]]
	run -3 as carol xos-policy preview "$V/vo.xos"
	run -1 as admin xos-policy preview "$V/lab.xos"
	as alice xos-job cancel "$job"
}

@test "what a group's administrator wrote counts on the node; who lost the role writes no more" {
	retry as carol xos-job submit --node n1 -- /bin/true
	echo 'group "/demo/physics" serial 50 { forbid user carol action job.submit on any because "Laser safety first."; }' >"$V/g.xos"
	as carol xos-policy push --group /demo/physics "$V/g.xos"
	stopped() { as carol xos-job submit --node n1 -- /bin/true 2>&1 | grep -q "Laser safety first"; }
	retry stopped
	# The same of a set that the site signed for this node.
	echo 'node "lab/n1" serial 20 { forbid user demo:alice action job.submit on any because "Fan is broken."; }' >"$V/n.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/n.jws" "$V/n.xos"
	xos-policy push --node lab/n1 "$V/n.jws"
	broken() { as alice xos-job submit --node n1 -- /bin/true 2>&1 | grep -q "Fan is broken"; }
	retry broken
	echo 'node "lab/n1" serial 21 { }' >"$V/n.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/n.jws" "$V/n.xos"
	xos-policy push --node lab/n1 "$V/n.jws"
	as admin xos-policy withdraw --group /demo/physics
	retry as carol xos-job submit --node n1 -- /bin/true
	retry as alice xos-job submit --node n1 -- /bin/true
	as admin xos-vo role revoke carol /demo/physics/Role=admin
	echo 'group "/demo/physics" serial 51 { }' >"$V/g.xos"
	lost() { as carol xos-policy show --group /demo/physics 1 2>&1 | grep -q "does not administer /demo/physics now"; }
	retry lost
	run -1 as carol xos-policy push --group /demo/physics "$V/g.xos"
}

@test "a set that names what a node does not know is refused, with node and statement" {
	local n
	told() { as admin xos-policy nodes --json | jq -e '.nodes[] | select(.node == "n1" and .services == "jobd")' >/dev/null; }
	retry told
	n=$(next)
	push() { set_of "$n" "permit group /demo action job.submit, job.show on any; $1" && as admin xos-policy push "$V/vo.xos" "${@:2}"; }
	run -1 push 'forbid group /demo action job.submit on any when has job.cpu and job.cpu > 4;'
	[[ $output == *"line 2"*"demo:2"*"attribute job.cpu"*"jobd on node n1"* ]]
	run -1 push 'duty group /demo action job.submit on any { notify "ops"; }'
	[[ $output == *"duty notify"*n1* ]]
	# Without a control group a job can widen its own affinity: a limit below what the machine has is not enforced then.
	if jq -e '.[] | .caps[] | select(.name == "cpu") | .least > 1' "$V/n1/credd/abilities.json"; then
		run -1 push 'limit group /demo action job.submit on any { cpu <= 1; }'
		[[ $output == *"limit cpu"*n1* ]]
	fi
	run ! in_force "$n"
	# About another site, or with what the node's services do enforce: no question.
	push 'limit group /demo action job.submit on any { memory <= 1GiB; } forbid group /demo action job.submit on site:far when has job.cpu and job.cpu > 4; permit group /demo action job.submit on any when time in 08:00-18:00 Europe/Paris;'
	n=$(next)
	push 'forbid group /demo/bio action job.submit on any when has job.cpu and job.cpu > 4;' --force
	in_force "$n"
	# Only the node itself says what it can do.
	run -0 curl -s --cacert "$V/config/demo/root.pem" --cert "$V/n1/tls/jobs.pem" --key "$V/n1/tls/jobs.key" -X PUT --data '{}' \
		-o /dev/null -w '%{http_code}' "$(sed -n 's/^vops = //p' "$V/config/demo/vo.conf")/v1/vo/demo/nodes/n1/abilities"
	[ "$output" = 403 ]
}

@test "a rollback is live on the node within the refresh interval" {
	local n
	n=$(next)
	set_of "$n" "forbid group /demo action job.submit on any;"
	as admin xos-policy push "$V/vo.xos"
	retry node_has "$n"
	run -1 as alice xos-job submit --node n1 -- /bin/true
	as admin xos-policy rollback $((n - 1))
	retry node_has $((n + 1))
	retry as alice xos-job submit --node n1 -- /bin/true
	xos-node stop --dir "$V/n1"
	run -3 as admin xos-policy preview "$V/vo.xos"
	[[ $output == *"n1: could not be asked"* ]]
}
