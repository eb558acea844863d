#!/usr/bin/env bats
# How bundles reach nodes: waited for, in parts that changed, with receipts; servers that are away; hostile answers. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	as admin xos-vo group add /demo/students
	start_node n1
	start_node n2
	retry as alice xos-job submit --node n1 --wait -- true
	retry as alice xos-job submit --node n2 --wait -- true
}

teardown_file() { vo_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$V"/vo/log/*.log "$V"/n1/log/*.log >&2
	fi
}

credd() { xos-credd status --config "$V/$1/credd.conf"; }
vops() { sed -n 's/^vops = //p' "$V/config/demo/vo.conf"; }
# ask NODE QUERY [CURL-ARGUMENT...]: the bundle, as that node; prints the HTTP status
ask() {
	cat "$V/$1/credd/node.pem" "$V/$1/credd/node.key" >"$BATS_TEST_TMPDIR/node.pem"
	curl -s --insecure --cert "$BATS_TEST_TMPDIR/node.pem" -o "$BATS_TEST_TMPDIR/body" -D "$BATS_TEST_TMPDIR/head" \
		-w '%{http_code}' "${@:3}" "$(vops)/v1/vo/demo/bundle?site=lab$2"
}

@test "a lock says on how many nodes it is in force, and so does its end" {
	run -0 as admin xos-vo lock member alice --for 1d --message "call the help desk"
	[[ $output == *"in force on 2 of 2 nodes"* ]]
	# What is said is so.
	run -1 as alice xos-job submit --node n2 --wait -- true
	[[ $output == *"call the help desk"* ]]
	run -0 as admin xos-vo unlock member alice --json
	jq -e '.receipt.complete and .receipt.enforced == 2 and .receipt.nodes == 2' <<<"$output"
	run -0 as alice xos-job submit --node n1 --wait -- true
}

@test "a node that is not reached is named, with the time until which it could accept" {
	xos-node stop --dir "$V/n2"
	run -0 as admin xos-vo lock group /demo/students --wait 1s
	[[ $output == *"in force on 1 of 2 nodes"*"not reached: n2 (last seen 20"*"could accept until 20"* ]]
	# It never had that lock, so there is nothing that it must take back.
	run -0 as admin xos-vo unlock group /demo/students --json
	jq -e '.receipt.complete' <<<"$output"
	# After a restart of the policy service nothing is claimed about a node that has not asked since.
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -0 as admin xos-vo lock group /demo/students
	[[ $output == *"in force on 1 of 2 nodes"*"not reached: n2 (not seen since the policy service was started; could accept until 20"* ]]
	xos-node start --dir "$V/n2"
	run -0 as admin xos-vo unlock group /demo/students
	[[ $output == *"in force on 2 of 2 nodes"* ]]
}

@test "only what changed is sent, and it is nothing without the rest" {
	run -0 ask n1 ""
	[ "$output" = 200 ]
	local serial whole
	serial=$(credd n1 | jq .bundle.serial)
	whole=$(wc -c <"$BATS_TEST_TMPDIR/body")
	[ "$(head -c 8 "$BATS_TEST_TMPDIR/body")" = XOSBNDL1 ]
	run -0 ask n1 "" -H "If-None-Match: \"$serial\""
	[ "$output" = 304 ]
	echo 'vo "demo" serial 2 { permit group /demo action job.submit, job.show on any; }' >"$V/vo.xos"
	as admin xos-policy push "$V/vo.xos"
	moved() { credd n1 | jq -e ".bundle.vo_set == 2"; }
	retry moved
	run -0 ask n1 "" -H "If-None-Match: \"$serial\""
	[ "$output" = 200 ]
	local new
	new=$(wc -c <"$BATS_TEST_TMPDIR/body")
	[ "$new" -lt "$whole" ]
	# A serial that was never given out: all of it.
	run -0 ask n1 "" -H 'If-None-Match: "999999"'
	[ "$output" = 200 ]
	[ "$(wc -c <"$BATS_TEST_TMPDIR/body")" -gt "$new" ]
	run -0 as alice xos-job submit --node n1 --wait -- true
}

@test "questions that are none" {
	run -0 ask n1 "&wait=61"
	[ "$output" = 400 ]
	run -0 ask n1 "&in_force=-1"
	[ "$output" = 400 ]
	run -0 ask n1 "&until=yesterday"
	[ "$output" = 400 ]
	run -0 ask n1 "&other=1"
	[ "$output" = 400 ]
	run -0 curl -s --insecure --cert "$V/alice" -o /dev/null -w '%{http_code}' "$(vops)/v1/vo/demo/bundle?site=lab"
	[ "$output" = 403 ]
	run -0 curl -s --insecure -o /dev/null -w '%{http_code}' "$(vops)/v1/vo/demo/enforcement"
	[ "$output" = 401 ]
	run -0 curl -s --insecure --cert "$BATS_TEST_TMPDIR/node.pem" -o /dev/null -w '%{http_code}' "$(vops)/v1/vo/demo/enforcement"
	[ "$output" = 403 ]
}

@test "a banned node gets no bundle but the reason, and permits nothing until the ban ends" {
	as admin xos-node ban n2 --message "disk check"
	banned() { credd n2 | jq -e '.state == "banned" and (.message | contains("disk check"))'; }
	retry banned
	run -0 ask n2 ""
	[ "$output" = 403 ]
	grep -q "disk check" "$BATS_TEST_TMPDIR/body"
	run -1 as alice xos-job submit --node n2 --wait -- true
	as admin xos-node unban n2
	retry as alice xos-job submit --node n2 --wait -- true
	credd n2 | jq -e '.state == "ready"'
}

@test "servers that are away: decides as before, says until when, denies past it, recovers by itself" {
	xos-node stop --dir "$V/n1"
	sed -i 's/^max_age.*//' "$V/n1/credd.conf"
	echo "max_age = 8s" >>"$V/n1/credd.conf"
	echo "wait = 1s" >>"$V/n1/credd.conf"
	xos-node start --dir "$V/n1"
	# A bundle that young: the service signs anew when it was asked to go on.
	echo "bundle_refresh = 2s" >>"$V/vo/vopsd/vopsd.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	ready() { credd n1 | jq -e '.state == "ready"'; }
	retry ready
	retry as alice xos-job submit --node n1 --wait -- true
	run -0 xos-node status --dir "$V/n1"
	[[ $output == *"also with no server reachable, until"* || $output == *"also without any server"* ]]
	xos-server stop --dir "$V/vo"
	stale() { credd n1 | jq -e '.state == "stale" and (.message | contains("ended at"))'; }
	retry stale
	xos-server start --dir "$V/vo"
	retry ready
	retry as alice xos-job submit --node n1 --wait -- true
}
