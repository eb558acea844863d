#!/usr/bin/env bats
# Robots: a token that is restricted for good, on a node that runs jobs. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	export V
	echo 'delegation by user "nightly" { check action in {job.submit, job.show} and now < 2099-01-01T00:00Z; }' >"$V/may.xos"
	echo 'delegation by user "idle" { check action in {job.show}; }' >"$V/maynot.xos"
	local name
	for name in nightly idle; do head -c 15 /dev/urandom | base64 >"$V/$name.pw"; done
	as admin xos-vo member add nightly --robot --owner alice --restriction "$V/may.xos" --password-stdin <"$V/nightly.pw"
	as admin xos-vo member add idle --robot --owner alice --restriction "$V/maynot.xos" --password-stdin <"$V/idle.pw"
	as nightly xos-login nightly --password-stdin <"$V/nightly.pw"
	as idle xos-login idle --password-stdin <"$V/idle.pw"
	start_node n1
	export XOS_NODE=n1
}

teardown_file() { vo_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 20 "$V"/vo/log/* "$V"/n1/log/* >&2
	fi
}

@test "a robot's token carries its restriction as a critical extension" {
	run as nightly xos-token show --json
	[ "$status" -eq 0 ]
	[ "$(jq -r '.delegation[0].actor' <<<"$output")" = robot ]
	[[ $(jq -r '.delegation[0].restriction' <<<"$output") == *job.submit* ]]
	run as nightly xos-token verify
	[ "$status" -eq 0 ]
	# stock programs that do not know the restriction refuse the token
	run openssl verify -CAfile "$V/config/demo/root.pem" -untrusted "$V/config/demo/issuers.pem" "$V/nightly"
	[ "$status" -ne 0 ]
	[[ $output == *"critical extension"* ]]
	run as admin xos-vo member show nightly --json
	[ "$(jq -r .owner <<<"$output")" = alice ]
}

@test "it does what the restriction allows, and nothing else" {
	retry as nightly xos-job submit --wait -- echo 'done'
	run as idle xos-job submit --wait -- echo 'done'
	[ "$status" -eq 1 ]
	# never a command, whatever roles it holds
	run as nightly xos-vo describe --json
	[ "$status" -eq 1 ]
	[[ $output == *'"delegation-refused"'* ]]
}

@test "a robot needs an owner in good standing and a restriction" {
	run as admin xos-vo member add r2 --robot --owner alice --no-password
	[ "$status" -eq 2 ]
	run as admin xos-vo member add r2 --robot --owner nobody --restriction "$V/may.xos" --no-password --json
	[ "$status" -eq 1 ]
	run as admin xos-vo member add r2 --robot --owner nightly --restriction "$V/may.xos" --no-password --json
	[ "$status" -eq 1 ]
	[[ $output == *'"owner-left"'* ]]
	run as admin xos-vo member add r2 --robot --owner alice --restriction "$V/vo.xos" --no-password --json
	[ "$status" -eq 1 ]
	[[ $output == *'"restriction"'* ]]
	run as alice xos-vo member add r2 --robot --owner alice --restriction "$V/may.xos" --no-password --json
	[ "$status" -eq 1 ]
	[[ $output == *'"not-administrator"'* ]]
}

refused_on_node() { ! as nightly xos-job submit --wait -- true 2>/dev/null; }

@test "it stands and falls with its owner, also where its token is unexpired" {
	as admin xos-vo member suspend alice
	run as nightly xos-login nightly --password-stdin --json <"$V/nightly.pw"
	[ "$status" -eq 1 ]
	[[ $output == *'"owner-left"'* ]]
	retry refused_on_node
	as admin xos-vo member owner nightly admin
	retry as nightly xos-job submit --wait -- echo again
	as admin xos-vo member remove alice
	as nightly xos-login nightly --password-stdin <"$V/nightly.pw"
	run as idle xos-login idle --password-stdin --json <"$V/idle.pw"
	[ "$status" -eq 1 ]
	[[ $output == *'"owner-left"'* ]]
}
