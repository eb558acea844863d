#!/usr/bin/env bats
# Who may command the authorities that do not hold the membership: an administrator who was removed, was locked or lost
# the role still has a token that says otherwise. And how long a lock takes to reach a node. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	local name
	for name in bob carol dave; do
		head -c 15 /dev/urandom | base64 >"$V/$name.pw"
		as admin xos-vo member add "$name" --password-stdin <"$V/$name.pw"
		as admin xos-vo role grant "$name" /demo/Role=admin
		as "$name" xos-login "$name" --role /demo/Role=admin --password-stdin <"$V/$name.pw"
	done
}

teardown_file() { vo_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$V"/vo/log/*.log >&2
	fi
}

# Both authorities, by a command that changes nothing.
accepted() { as "$1" xos-node applications && as "$1" xos-policy sites; } >/dev/null 2>&1
refused() { # MEMBER TEXT: by both
	as "$1" xos-node applications 2>&1 | grep -q "$2" && as "$1" xos-policy sites 2>&1 | grep -q "$2"
}

# within SECONDS COMMAND...: no later than that
within() {
	local started=$SECONDS
	retry "${@:2}"
	[ $((SECONDS - started)) -le "$1" ]
}

@test "an administrator who lost the role commands nobody within the refresh interval" {
	retry accepted bob
	as admin xos-vo role revoke bob /demo/Role=admin
	within 10 refused bob "does not administer VO demo now"
	run -1 as bob xos-node applications
	run -1 as bob xos-policy site add other --key "$V/lab.pub"
	run -1 as bob xos-node ban n1 --message x
	as admin xos-vo role grant bob /demo/Role=admin
	retry accepted bob
}

@test "an administrator who is locked commands nobody, learns why, and may again afterwards" {
	retry accepted carol
	as admin xos-vo lock member carol --for 1d --message "lost the laptop"
	within 10 refused carol "lost the laptop"
	as admin xos-vo unlock member carol
	retry accepted carol
	# What would leave nobody to take it away is refused.
	run -1 as admin xos-vo lock role /demo/Role=admin --for 1d
	[[ $output == *"would leave no administrator"* ]]
	run -1 as admin xos-vo lock group /demo --for 1d
	[[ $output == *"would leave no administrator"* ]]
}

@test "an administrator who was removed commands nobody" {
	retry accepted dave
	as admin xos-vo member remove dave
	within 10 refused dave "does not administer VO demo now"
	run -1 as dave xos-policy site remove lab
	run -0 as admin xos-policy sites
	[[ $output == *lab* ]]
}

@test "servers that have just been started take commands once they know who may give them" {
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	# No retry here: the tool waits by itself.
	run -0 as admin xos-node applications
	run -0 as admin xos-policy sites
}

@test "an authority that knows no administrators takes no commands, says why, and exit 3" {
	cp "$V/vo/rcad/rcad.conf" "$V/rcad.conf"
	sed -i '/^ca_url/d' "$V/vo/rcad/rcad.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -3 as admin xos-node applications
	[[ $output == *"not heard yet from xos-cad who administers VO demo"* ]]
	run curl -s --insecure "https://$(sed -n 's/^listen = //p' "$V/vo/rcad/rcad.conf")/health/ready"
	[[ $output == *"no ca_url"* ]]
	cp "$V/rcad.conf" "$V/vo/rcad/rcad.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -0 as admin xos-node applications
}

@test "the list of administrators is for the authorities, not for members" {
	local url
	url=$(sed -n 's/^ca = //p' "$V/config/demo/vo.conf")/v1/vo/demo/administrators
	run curl -s --insecure -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 401 ]
	run curl -s --insecure --cert "$V/admin" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 403 ]
	run curl -s --insecure --cert "$V/vo/cad/tls.pem" --key "$V/vo/cad/tls.key" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 403 ]
	run curl -s --insecure --cert "$V/vo/acctd/tls.pem" --key "$V/vo/acctd/tls.key" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 200 ]
	run curl -s --insecure --cert "$V/vo/rcad/tls.pem" --key "$V/vo/rcad/tls.key" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 200 ]
}

@test "the record is closed to who is locked, and opens all of it to administrators of the moment only" {
	all_records() { as "$1" xos-acct list --member alice; }
	refused_records() { as "$1" xos-acct list "${@:3}" 2>&1 | grep -q "$2"; }
	retry all_records bob
	as admin xos-vo role revoke bob /demo/Role=admin
	within 10 refused_records bob "does not administer VO demo now" --member alice
	run -0 as bob xos-acct list --member bob
	as admin xos-vo lock member bob --for 1d --message "lost the laptop"
	within 10 refused_records bob "lost the laptop" --member bob
	as admin xos-vo unlock member bob
	retry as bob xos-acct list --member bob
	as admin xos-vo role grant bob /demo/Role=admin
	# A service that does not hear who is locked lets nobody in, which is no refusal.
	cp "$V/vo/acctd/acctd.conf" "$V/acctd.conf"
	sed -i '/^rca_url/d' "$V/vo/acctd/acctd.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -3 as admin xos-acct list
	[[ $output == *"lets nobody in"* ]]
	cp "$V/acctd.conf" "$V/vo/acctd/acctd.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -0 as admin xos-acct list
}

@test "a banned node's records wait at the node and are taken when the ban ends" {
	start_node n1
	retry as alice xos-job submit --node n1 --wait --name before -- true
	recorded() { as admin xos-acct list --json | jq -e --arg n "$1" '[.records[].name] | index($n)' >/dev/null; }
	retry recorded before
	local job
	job=$(as alice xos-job submit --node n1 --name during -- sh -c 'while :; do sleep 0.1; done')
	as admin xos-node ban n1 --message "disk check"
	post_refused() {
		curl -s --insecure --cert "$V/n1/tls/jobs.pem" --key "$V/n1/tls/jobs.key" --json '{}' \
			"https://$(sed -n 's/^listen = //p' "$V/vo/acctd/acctd.conf")/v1/vo/demo/records" | grep -q "disk check"
	}
	within 10 post_refused
	# What ran there is frozen, or stopped where that cannot be; its owner ends it.
	kill "$(cat "$V/n1/jobd/run/$job/started")" || true
	set_aside_or_waiting() { find "$V/n1" -path '*spool*' -name "*.$1" | grep -q .; }
	retry set_aside_or_waiting json
	run -1 recorded during
	as admin xos-node unban n1
	retry recorded during
	run -1 set_aside_or_waiting refused
}

@test "with every setting as it comes a lock reaches a node within ten seconds" {
	# The node of the test before.
	submit() { as alice xos-job submit --wait -- true; }
	stopped() { submit 2>&1 | grep -q "call the help desk"; }
	retry submit
	as admin xos-vo lock member alice --for 1d --message "call the help desk"
	# A margin for a busy machine: what counts is that two intervals of ten seconds fail here.
	within 13 stopped
	as admin xos-vo unlock member alice
	within 13 submit
	# One token: the job's delegation would be of it; a new log-in goes on.
	serial=$(openssl x509 -in "$V/alice" -noout -serial | sed 's/serial=//' | tr A-Z a-z)
	as admin xos-vo lock token "$serial" --message "call the help desk"
	within 13 stopped
	as alice xos-login alice --password-stdin <"$V/alice.pw"
	within 13 submit
	run -0 as admin xos-vo unlock token "$serial"
}

@test "an administrator's token that is locked commands nobody; another of the same person does" {
	retry accepted bob
	serial=$(openssl x509 -in "$V/bob" -noout -serial | sed 's/serial=//' | tr A-Z a-z)
	as admin xos-vo lock token "$serial"
	within 10 refused bob "token $serial of bob is locked"
	run -1 as bob xos-vo locks
	[[ $output == *"locked the token $serial"* ]]
	as bob xos-login bob --role /demo/Role=admin --password-stdin <"$V/bob.pw"
	retry accepted bob
}
