#!/usr/bin/env bats
# Heads of the VO's logs on their way to the nodes, which witness that the logs only grow. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	export VOPSD_CONF=$'refresh = 1s\nheads_refresh = 1s'
	vo_make
	make_node n1
	join n1
	as admin xos-node approve n1
	join n1
	echo "refresh = 1s" >>"$V/n1/credd.conf"
	xos-node start --dir "$V/n1"
}

teardown_file() { vo_remove; }

setup() { W=$V/n1/credd/witness; }

teardown() {
	[ "$BATS_TEST_COMPLETED" = 1 ] || tail -n 15 "$V"/vo/log/xos-vopsd.log "$V"/n1/log/xos-credd.log >&2
}

credd() { xos-credd status --config "$V/n1/credd.conf"; }
of() { credd | jq -e ".logs[] | select(.log == \"demo/$1\") | $2"; }
witnessed() { [ "$(of "$1" .records)" -ge "$2" ]; } # LOG RECORDS: known and proven
records() { as admin xos-vo log verify --json --of "$1" | jq .records; }
url() { sed -n "s/^$1 = //p" "$V/config/demo/vo.conf"; }
get() { curl -s --insecure "$(url "$1")/v1/vo/demo/log/$2"; }
grow_rca() { as admin xos-node unban n1 || true; } # it is not banned; that somebody tried is recorded
ready_warns() { curl -s --insecure "$(url vops)/health/ready" | grep -q "head of the log of the accounting"; }
via_vops() { # PATH, as the node
	cat "$V/n1/credd/node.pem" "$V/n1/credd/node.key" >"$BATS_TEST_TMPDIR/pem"
	curl -s --insecure --cert "$BATS_TEST_TMPDIR/pem" -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' "$(url vops)/v1/vo/demo/logs/$1"
}

@test "a node keeps the newest head of each log, and follows it with proofs" {
	retry witnessed ca 1
	retry witnessed nodes 1
	retry of accounting '.records >= 0'
	local n
	as alice xos-login alice --password-stdin <"$V/alice.pw"
	n=$(records ca)
	retry witnessed ca "$n"
	credd | jq -e '[.logs[].contradicted] == [false, false, false]'
	run -0 xos-node status --dir "$V/n1"
	[[ $output == *"demo/ca: "*" records, signed at "*"demo/nodes: "* && $output != *CONTRADICTED* ]]
	# What a node kept is what a member compares with.
	run -0 as alice xos-vo log verify --head "$W/ca.head"
	[[ $output == *"is one of this log"* ]]
	run -1 as alice xos-vo log verify --head "$W/rca.head"
}

@test "the logs of the rca and of the accounting answer as that of the ca" {
	local n
	grow_rca
	run -0 as alice xos-vo log verify --of rca
	[[ $output == *"demo/nodes: "*" records"* ]]
	n=$(records rca)
	grow_rca
	run -0 as alice xos-vo log verify --of rca
	[[ $output == *"are unchanged"* ]]
	run -0 as alice xos-vo log verify --of accounting
	run -2 as alice xos-vo log verify --of vops
	run -2 as alice xos-vo log show alice --of rca
	get rca "proof?sequence=1" | jq -e '.sequence == 1 and (.path | length) > 0'
	get rca "consistency?from=1&to=$n" | jq -e '.from == 1 and (.path | length) > 0'
	get rca "consistency?from=1&to=99999" | jq -e '.status == 404'
	get rca "consistency" | jq -e '.status == 400'
	get rca "head?x=1" | jq -e '.status == 400'
	curl -s --insecure "$(url rca)/v1/vo/other/log/head" | jq -e '.status == 404'
	# Nobody without a certificate reads the accounting's.
	get accounting head | jq -e '.status == 401'
	get accounting "consistency?from=1" | jq -e '.status == 401'
}

@test "the policy service hands proofs on, for questions that are some" {
	local n
	n=$(records ca)
	[ "$(via_vops "ca/consistency?from=1&to=$n")" = 200 ]
	jq -e '.path | length > 0' "$BATS_TEST_TMPDIR/body"
	[ "$(via_vops "ca/consistency?from=1&to=$n")" = 200 ]
	[ "$(via_vops "ca/consistency?from=1&to=99999")" = 404 ]
	[ "$(via_vops "ca/consistency?from=0&to=1")" = 400 ]
	[ "$(via_vops "ca/consistency?from=2&to=1")" = 400 ]
	[ "$(via_vops "vops/consistency?from=1&to=2")" = 404 ]
	[ "$(curl -s --insecure -o /dev/null -w '%{http_code}' "$(url vops)/v1/vo/demo/logs/ca/consistency?from=1&to=2")" = 401 ]
}

@test "without the accounting the policy service serves, with a warning, and nodes go on" {
	local pid
	read -r pid _ <"$V/vo/run/xos-acctd.pid"
	kill "$pid"
	retry ready_warns
	curl -s --insecure "$(url vops)/health/ready" | jq -e '.status == "ready"'
	run -0 xos-node status --dir "$V/n1"
}

@test "a log that was cut is noticed at once by the policy service, and by the node when it grows again" {
	local log=$V/vo/rcad/key n
	mkdir "$BATS_TEST_TMPDIR/old"
	xos-server stop --dir "$V/vo"
	cp -p "$log"/issued.log* "$BATS_TEST_TMPDIR/old/"
	xos-server start --dir "$V/vo"
	grow_rca
	grow_rca
	n=$(as admin xos-vo log verify --json --of rca | jq .records)
	retry witnessed nodes "$n"
	xos-server stop --dir "$V/vo"
	cp -p "$BATS_TEST_TMPDIR/old"/issued.log* "$log/"
	xos-server start --dir "$V/vo"
	retry grep -q 'event=fetch.failed.*log-went-back' "$V/vo/log/xos-vopsd.log"
	of nodes '.records == '"$n"' and .contradicted == false'
	# As many and more records, but others.
	grow_rca
	grow_rca
	grow_rca
	retry of nodes .contradicted
	[ -s "$W/rca.conflict" ]
	grep -q 'event=log.contradicted.*log-rewritten' "$V/n1/log/xos-credd.log"
	run -0 xos-node status --dir "$V/n1"
	[[ $output == *"demo/nodes: $n records"*"CONTRADICTED: the first $n records of demo/nodes are not those"* ]]
	jq -e '.before != .head and (.chain | length) > 0' "$W/rca.conflict"
	# It decides as before: what reaches it is signed, and locks must.
	credd | jq -e '.state == "ready"'
	# Also after a restart, until a person has looked at it.
	xos-node stop --dir "$V/n1"
	xos-node start --dir "$V/n1"
	retry of nodes .contradicted
	of nodes '.records == '"$n"
}
