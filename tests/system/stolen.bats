#!/usr/bin/env bats
# Every key of the VO in a thief's hand: a copy of the servers' whole folder, keys of root, ca, rca, vops and accounting, runs at
# their addresses. What a node with an owner of its own then does, and how the VO comes back. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

HUGE=9223372036854775000

setup_file() {
	vo_make
	# The owner lets members run jobs, but not bob, and nobody look at others'.
	owner_set 5 'forbid user demo:bob action job.submit on any because "not on our machines";'
	xos-policy push --site lab "$V/lab.jws"
	as admin xos-vo member add bob --password-stdin <"$V/alice.pw"
	as bob xos-login bob --password-stdin <"$V/alice.pw"
	start_node n1
	printf 'refresh = 1s\nwait = 1s\n' >>"$V/n1/credd.conf"
	xos-node stop --dir "$V/n1"
	xos-node start --dir "$V/n1"
	retry as alice xos-job submit --node n1 --wait -- true
	retry owner_says_no
	xos-policy site-key --out "$V/thief"
	xos-server stop --dir "$V/vo"
	cp -a "$V/vo" "$V/evil"
	printf %s $HUGE >"$V/evil/vopsd/key/bundle.serial"
	xos-server start --dir "$V/evil" || { tail -n 5 "$V"/evil/log/* >&2; return 1; }
}

teardown_file() {
	xos-server stop --dir "$V/evil" || true
	vo_remove
}

teardown() {
	[ "$BATS_TEST_COMPLETED" = 1 ] || tail -n 10 "$V"/{evil,vo}/log/*vopsd* "$V"/n1/log/*.log >&2
}

# owner_set SERIAL STATEMENT...: the site's set as its owner signs it
owner_set() {
	printf 'site "lab" serial %s { accounts vo demo uid 1900000000-1900999999;
	  permit vo demo action job.submit, job.show on site:lab; %s }\n' "$1" "${2:-}" >"$V/lab.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab.jws" "$V/lab.xos"
}

owner_says_no() { as bob xos-job submit --node n1 --wait -- true 2>&1 | grep "not on our machines"; }

credd() { xos-credd status --config "$V/n1/credd.conf"; }
says() { credd | jq -e "$1" >/dev/null; }

# alice as before, bob as the owner says, whatever the VO says
within() {
	as alice xos-job submit --node n1 --wait -- true
	owner_says_no
	run -1 as bob xos-job submit --node n1 --wait -- true
}

@test "sets that permit everything permit what the owner does" {
	echo "vo \"demo\" serial $HUGE { permit any action any on any; }" >"$V/vo.xos"
	as admin xos-policy push "$V/vo.xos"
	retry says ".bundle.vo_set == $HUGE"
	within
}

@test "a site set by another key is refused, and so is an older one of the owner's; nothing counts without" {
	as admin xos-policy site remove lab
	as admin xos-policy site add lab --key "$V/thief.pub"
	sed 's/serial 5/serial 99/; s/forbid.*;/permit vo demo action any on site:lab;/' "$V/lab.xos" >"$V/thief.xos"
	xos-policy sign --site-key "$V/thief.key" --out "$V/thief.jws" "$V/thief.xos"
	xos-policy push --site lab "$V/thief.jws"
	retry says '.vops.last_error | test("not signed by the key")'
	run ! as bob xos-job submit --node n1 --wait -- true
	as admin xos-policy site remove lab
	as admin xos-policy site add lab --key "$V/lab.pub"
	owner_set 4
	xos-policy push --site lab "$V/lab.jws"
	retry says '.vops.last_error | test("site set has the serial 4, but 5 was seen")'
	run ! as bob xos-job submit --node n1 --wait -- true
	as admin xos-policy site remove lab
	as admin xos-policy site add lab --key "$V/lab.pub"
	# Without any the site grants nothing, to nobody.
	retry says '.bundle.site_set == null and .vops.last_error == null'
	run -3 as alice xos-job submit --node n1 --wait -- true
	[[ $output == *"has no policy here"* ]]
	owner_set 5 'forbid user demo:bob action job.submit on any because "not on our machines";'
	xos-policy push --site lab "$V/lab.jws"
	retry says '.bundle.site_set == 5'
	within
}

@test "who has the rca's key makes no node of the owner's: admission terms are under the site's key" {
	run -1 xos-node admission --site lab --site-key "$V/thief.key" --approver bob
	[[ $output == *"not signed by the key"* ]]
}

@test "the VO comes back though the thief signed with the highest serial there is: its key is revoked" {
	local before
	xos-server stop --dir "$V/evil"
	xos-server start --dir "$V/vo"
	retry says '.vops.last_error | test("old state is not taken back")'
	within
	before=$(credd | jq .bundle.serial)
	xos-server rollover vops prepare --dir "$V/vo"
	xos-server rollover vops activate --dir "$V/vo"
	# The successor's serials count only when the stolen key counts no more.
	retry says '.vops.last_error | test("old state is not taken back")'
	[ "$(credd | jq .bundle.serial)" = "$before" ]
	xos-server rollover vops revoke --dir "$V/vo" --reason "stolen"
	retry says '.bundle.vo_set == 1 and .bundle.serial < 1000000 and .vops.last_error == null'
	grep -q "event=bundle.serials-forgotten" "$V/n1/log/xos-credd.log"
	within
	# And the thief's bundles do not come back.
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/evil"
	retry says '.vops.last_error | test("revoked")'
	says '.bundle.vo_set == 1'
	within
}

@test "with the root's key, too: a list, and keys, that the node must believe permit no more than the owner" {
	xos-server stop --dir "$V/evil"
	rm -rf "$V/evil"
	cp -a "$V/vo" "$V/evil"
	xos-server start --dir "$V/evil"
	xos-server rollover vops prepare --dir "$V/evil"
	xos-server rollover vops activate --dir "$V/evil"
	as admin xos-policy push "$V/vo.xos"
	retry says ".bundle.vo_set == $HUGE"
	within
}

@test "a list with the highest serial, by a key that was stolen, stops the policy service until that key is revoked" {
	xos-server stop --dir "$V/evil"
	# As if the thief had stood between the servers: the list is the ca's, its serial is not.
	sqlite3 "$V/vo/vopsd/auth/sets.db" "UPDATE objects SET serial = $HUGE"
	xos-server start --dir "$V/vo"
	refused() { grep -q "$HUGE was seen before" "$V/vo/log/xos-vopsd.log"; }
	retry refused
	local step
	for step in prepare activate "revoke --reason stolen"; do
		# shellcheck disable=SC2086
		xos-server rollover ca $step --dir "$V/vo"
	done
	taken() { [ "$(sqlite3 "$V/vo/vopsd/auth/sets.db" "SELECT max(serial) FROM objects WHERE kind < 2")" -lt 1000000 ]; }
	retry taken
	# Of the rca's, whose key still counts, it stays.
	[ "$(sqlite3 "$V/vo/vopsd/auth/sets.db" "SELECT serial FROM objects WHERE kind = 2")" = $HUGE ]
}
