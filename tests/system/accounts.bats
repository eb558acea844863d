#!/usr/bin/env bats
# Accounts on a node: groups and homes by the site's rules, uids that single jobs have to themselves, and who had
# which. As root; without, there is one account. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

root() { [ "$(id -u)" -eq 0 ]; }

setup_file() {
	vo_make
	as admin xos-vo group add /demo/physics
	as admin xos-vo group add /demo/bio
	as admin xos-vo member join alice /demo/physics
	as alice xos-login alice --password-stdin <"$V/alice.pw"
	make_node n1
	join n1
	as admin xos-node approve n1
	join n1
	echo 'lease_quarantine = 0s' >>"$V/n1/credd.conf"
	mkdir -m 755 "$V/homes"
	rules 2 "home \"$V/homes/%\""
	xos-node start --dir "$V/n1"
	JOBS=$(sed -n 's/^listen = /https:\/\//p' "$V/n1/jobd.conf")
	export JOBS
	retry has_set 2
}

teardown_file() { vo_remove; }

setup() { root || skip "computed accounts need root"; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 20 "$V"/n1/log/*.log >&2
	fi
}

rules() { # SERIAL RULES-OF-THE-SLICE: signs and pushes the site's set
	echo "site \"lab\" serial $1 { accounts vo demo uid 1900000000-1900999999 $2;
	  accounts vo demo group /demo/physics gid 1960000001; accounts vo demo group /demo/bio gid 1960000002;
	  accounts vo demo group /demo gid 1960000003;
	  permit @jobs vo demo action job.submit, job.show, job.cancel on site:lab; }" >"$V/lab.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab.jws" "$V/lab.xos"
	xos-policy push --site lab "$V/lab.jws"
}
apart() { # two uids for jobs, if that is not so already
	has_set 3 && return
	rules 3 "jobs 1950000000-1950000001 home \"$V/homes/%\""
	retry has_set 3
}
has_set() { [ "$(xos-credd status --config "$V/n1/credd.conf" 2>/dev/null | jq .bundle.site_set)" = "$1" ]; }

submit() { as alice xos-job submit --node n1 "$@"; }
show() { as alice xos-job show "$1" --json; }
state_is() { show "$1" | jq -e --arg s "$2" '.state == $s' >/dev/null; }
accounts() { xos-node accounts --dir "$V/n1" --json | jq -e ".vos[0] | ($1)" >/dev/null; }
lease_of() { xos-node accounts --dir "$V/n1" --json | jq -e --arg j "$1" '.vos[0].leases[] | select(.job == $j)'; }
no_lease() { ! lease_of "$1" >/dev/null; }
held() { lease_of "$1" | jq -e --arg w "$2" '.left // "" | contains($w)' >/dev/null; }
uid_of() { lease_of "$1" | jq .uid; }

# A job that waits until $V/go-NAME is there; prints its id once it runs.
waiting_job() {
	local id
	id=$(submit -- sleep 300)
	retry state_is "$id" running
	echo "$id"
}
end() { as alice xos-job cancel "$1" && retry state_is "$1" cancelled; }

@test "a job has the gids of its member's groups, and a home that is made once and is the member's own" {
	# shellcheck disable=SC2016
	run -0 --separate-stderr submit --wait -- sh -c 'id -u; id -G; echo "$HOME"; echo kept >"$HOME/file"; pwd'
	[[ ${lines[0]} = 190000000? && ${lines[1]} = "${lines[0]} 1960000001 1960000003" ]]
	[ "${lines[2]}" = "$V/homes/demo.alice" ]
	[[ ${lines[3]} = "$V/n1/jobd/work/"* ]]
	[ "$(stat -c '%u %g %a' "$V/homes/demo.alice")" = "${lines[0]} ${lines[0]} 700" ]
	# shellcheck disable=SC2016
	run -0 --separate-stderr submit --wait -- sh -c 'cat "$HOME/file"'
	[ "$output" = kept ]
}

@test "what stands where a home should be is not touched, and no link is followed" {
	mkdir "$V/other"
	mv "$V/homes/demo.alice" "$V/kept"
	ln -s "$V/other" "$V/homes/demo.alice"
	run ! submit --wait -- true
	[[ $output == *"home"*"no folder"* ]]
	rm "$V/homes/demo.alice"
	mkdir "$V/homes/demo.alice"
	run ! submit --wait -- true
	[[ $output == *"belongs to another account"* ]]
	[ "$(stat -c %u "$V/homes/demo.alice")" -eq 0 ]
	[ "$(stat -c %u "$V/other")" -eq 0 ]
	rmdir "$V/homes/demo.alice"
	mv "$V/kept" "$V/homes/demo.alice"
}

@test "accounts and whois say who is who, by which rules and from where" {
	local uid
	run -0 xos-node accounts --dir "$V/n1"
	[[ $output == *"1900000000-1900999999"*"$V/homes/%"*"/demo/physics: gid 1960000001"*"have an account here"* ]]
	[[ $output == *"jobs run under their member's account"* ]]
	accounts '.nss.members >= 2 and .nss.groups == 3 and .map.members == .nss.members'
	[ "$(stat -c %a "$V/n1/credd/accounts.map")" = 644 ]
	setpriv --reuid 65534 --clear-groups cat "$V/n1/credd/accounts.map" >/dev/null
	run -0 --separate-stderr submit --wait -- id -u
	uid=$output
	run -0 xos-node whois --dir "$V/n1" --uid "$uid"
	[[ $output == *"alice of VO demo, active"*"demo.alice"* ]]
	id=$(waiting_job)
	run -0 xos-node whois --dir "$V/n1" --uid "$uid" --json
	jq -e --arg id "$id" '.member == "alice" and .account == "demo.alice" and
		(.jobs[] | select(.job == $id) | .running and .source == "127.0.0.1" and
		(.groups | contains("/demo/physics")) and (.deciders | contains("lab@jobs")))' <<<"$output"
	end "$id"
	# Long ago nothing ran; another uid is nobody's; what is no uid is no question.
	run -0 xos-node whois --dir "$V/n1" --uid "$uid" --at 2020-01-01T00:00:00Z --json
	jq -e '.jobs == []' <<<"$output"
	run -1 xos-node whois --dir "$V/n1" --uid 1900999998
	run -1 xos-node whois --dir "$V/n1" --uid 0
	run -2 xos-node whois --dir "$V/n1" --uid -5
	run -2 xos-node whois --dir "$V/n1"
}

@test "where the site says so each job has a uid to itself, and writes nowhere but in what ends with it" {
	local a b
	apart
	# shellcheck disable=SC2016
	run -0 --separate-stderr submit --wait -- sh -c 'id -u; id -G; touch "$HOME/w" /tmp/w /dev/shm/w "$X509_USER_PROXY" && echo own
		touch /run/lock/w /var/lock/w 2>&1 | grep -c "Read-only"; xos-token show --json | jq -r .member; pwd; echo "$HOME"
		curl -s --unix-socket "$XOS_CREDD_SOCKET" http://x/ >/dev/null; echo "$?"'
	[ "${lines[0]}" = 1950000000 ]
	[ "${lines[1]}" = "1950000000 1960000001 1960000003" ]
	[[ ${lines[2]} = own && ${lines[3]} = 2 && ${lines[5]} = "${lines[6]}" ]]
	# xos-credd is reached (7: it was not), though it makes nothing of HTTP.
	[ "${lines[7]}" -ne 7 ]
	a=$(waiting_job)
	b=$(waiting_job)
	[ "$(uid_of "$a")" != "$(uid_of "$b")" ]
	# No third one: nothing is shared for want of numbers.
	run ! submit --wait -- true
	[[ $output == *"none of this node's 2 uids for jobs is free"* ]]
	run -0 xos-node accounts --dir "$V/n1"
	[[ $output == *"1950000000-1950000001: 2 leased, of these 0 held"*"job $a of alice"* ]]
	end "$b"
	retry no_lease "$b"
	run -0 --separate-stderr submit --wait -- sh -c 'id -u'
	[ "$output" != "$(uid_of "$a")" ]
	end "$a"
	retry no_lease "$a"
	# The record says which.
	jq -se --arg id "$a" '.[] | select(.job == $id) | .isolation | startswith("job-account,") and contains("read-only")' "$V/n1/jobd/past.jsonl"
}

@test "no uid goes to another job while a file or process of it is left, also after both daemons were killed" {
	local a b uid pid
	apart
	a=$(waiting_job)
	b=$(waiting_job)
	uid=$(uid_of "$a")
	touch "/dev/shm/xos-left-$uid"
	chown "$uid" "/dev/shm/xos-left-$uid"
	# A process that got away from its job: it is ended with the job, before the uid is anybody's.
	setpriv --reuid "$uid" --regid "$uid" --clear-groups sleep 300 3>&- &
	pid=$!
	end "$a"
	retry held "$a" "files remain in /dev/shm"
	run ! kill -0 "$pid"
	run -0 xos-node accounts --dir "$V/n1"
	[[ $output == *"uid $uid is held: files remain in /dev/shm"* ]]
	run ! submit --wait -- true
	[[ $output == *"of 1 something is left"* ]]
	xos-node stop --dir "$V/n1"
	xos-node start --dir "$V/n1"
	[ "$(uid_of "$a")" = "$uid" ]
	state_is "$b" running
	[ "$(uid_of "$b")" != "$uid" ]
	run ! submit --wait -- true
	run -0 xos-node whois --dir "$V/n1" --uid "$uid"
	[[ $output == *"$a"*"held: files remain"* ]]
	rm "/dev/shm/xos-left-$uid"
	retry no_lease "$a"
	run -0 --separate-stderr submit --wait -- sh -c 'id -u'
	[ "$output" = "$uid" ]
	end "$b"
	retry no_lease "$b"
}

@test "a uid that several jobs had is the one's of that time" {
	local first second at
	apart
	first=$(submit -- true)
	retry state_is "$first" "done"
	retry no_lease "$first"
	uid=$(jq -s --arg id "$first" '.[] | select(.job == $id) | .uid' "$V/n1/jobd/past.jsonl")
	at=$(jq -sr --arg id "$first" '.[] | select(.job == $id) | .started' "$V/n1/jobd/past.jsonl")
	# Past that second, and until the other uid went by.
	later() { [ "$(date -u +%FT%TZ)" != "$at" ]; }
	retry later
	while second=$(submit -- sleep 300) && retry state_is "$second" running && [ "$(uid_of "$second")" != "$uid" ]; do end "$second"; done
	run -0 xos-node whois --dir "$V/n1" --uid "$uid" --at "$at" --json
	jq -e --arg id "$first" '.lease.job == $id and (.jobs | map(.job) | index($id))' <<<"$output"
	run -0 xos-node whois --dir "$V/n1" --uid "$uid" --json
	jq -e --arg id "$second" '.lease.job == $id and (.jobs | map(select(.running) | .job) == [$id])' <<<"$output"
	end "$second"
}

@test "a node that does not run cannot say" {
	xos-node stop --dir "$V/n1"
	run -3 xos-node whois --dir "$V/n1" --uid 1900000001
	run -3 xos-node accounts --dir "$V/n1"
	xos-node start --dir "$V/n1"
}
