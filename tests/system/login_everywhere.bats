#!/usr/bin/env bats
# Logging out everywhere reaches nodes. (That what was delegated of an ended token is refused, too: tests/credd/decide_test.c.)
load vo.bash

setup_file() {
	vo_make
	start_node n1
}

teardown_file() { vo_remove; }

# refused_at_node: the node refuses the copy of alice's token, for the reason that is wanted
refused_at_node() {
	run as copy xos-job submit --wait -- true
	[ "$status" -eq 1 ] && [[ $output == *"ended by its holder"* ]]
}

@test "a copied token is refused by nodes once its holder logged out everywhere" {
	cp "$V/alice" "$V/copy"
	as copy xos-job submit --wait -- true
	run as alice xos-logout --everywhere
	[ "$status" -eq 0 ]
	[[ $output == *"what was delegated of it"* ]]
	retry refused_at_node
	# a new log-in is a new token
	as alice xos-login alice --password-stdin <"$V/alice.pw"
	run as alice xos-job submit --wait -- true
	[ "$status" -eq 0 ]
	refused_at_node
}
