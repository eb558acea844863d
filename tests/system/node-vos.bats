#!/usr/bin/env bats
# A node that belongs to several VOs: demo and other of one server, far of another one. They never mix. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

root() { [ "$(id -u)" -eq 0 ]; }

# further_vo NAME UID-BASE [ARGUMENT...]: a VO with an administrator and the member alice, the site lab and its set
further_vo() {
	local vo=$1 uid=()
	root && [ -n "$2" ] && uid=(--uid-base "$2")
	xos-server init --dir "$V/$vo" --vo "$vo" --admin admin --password-stdin "${uid[@]}" "${@:3}" <"$V/admin.pw"
	xos-server start --dir "$V/$vo"
	xos-server join-arguments --dir "$V/$vo" >"$V/$vo.join"
	# shellcheck disable=SC2046
	xos-login --join $(cat "$V/$vo.join")
	in_vo "$vo" admin xos-login --vo "$vo" admin --role "/$vo/Role=admin" --password-stdin <"$V/admin.pw"
	# A member between, so that the numbers of the two alices differ.
	in_vo "$vo" admin xos-vo --vo "$vo" member add bob --password-stdin <"$V/alice.pw"
	in_vo "$vo" admin xos-vo --vo "$vo" member add alice --password-stdin <"$V/alice.pw"
	in_vo "$vo" alice xos-login --vo "$vo" alice --password-stdin <"$V/alice.pw"
	in_vo "$vo" admin xos-policy --vo "$vo" site add lab --key "$V/lab.pub"
	echo "vo \"$vo\" serial 1 { permit group /$vo action job.submit, job.show on any; }" >"$V/$vo.xos"
	in_vo "$vo" admin xos-policy --vo "$vo" push "$V/$vo.xos"
}

in_vo() { # VO MEMBER COMMAND...
	XOS_TOKEN=$V/$1.$2 "${@:3}"
}

# push_lab VO...: each keeps a copy
push_lab() {
	local vo
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab.jws" "$V/lab.xos"
	for vo in "$@"; do xos-policy --vo "$vo" push --site lab "$V/lab.jws"; done
}

# lab_set SERIAL: one set of the site for all of its VOs
lab_set() {
	local vo
	{
		echo "site \"lab\" serial $1 {"
		echo "accounts vo demo uid 1900000000-1900000999; accounts vo other uid 1900001000-1900001999;"
		echo "accounts vo far uid 1900002000-1900002999;"
		for vo in demo other far; do echo "permit vo $vo action job.submit, job.show on site:lab;"; done
		echo "}"
	} >"$V/lab.xos"
}

setup_file() {
	vo_make
	cp "$V/admin" "$V/demo.admin"
	cp "$V/alice" "$V/demo.alice"
	further_vo other "" --with "$V/vo"
	further_vo far 1899999032
	lab_set 2
	push_lab demo other far
	echo "$JOIN" >"$V/demo.join"
	make_node n1
	join_vo n1 demo
	# As a version without further VOs wrote them.
	sed -i '/^vos = /d; /^slices = /d' "$V/n1/credd.conf" "$V/n1/jobd.conf"
	xos-node start --dir "$V/n1"
}

teardown_file() {
	xos-server stop --dir "$V/other"
	xos-server stop --dir "$V/far"
	vo_remove
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 12 "$V"/n1/log/*.log "$V"/n1/vos/*/log/*.log >&2
	fi
}

# join_vo NODE VO [ARGUMENT-OF-APPROVE]: all of it
# shellcheck disable=SC2046
join_vo() {
	xos-node join --dir "$V/$1" $(cat "$V/$2.join")
	in_vo "$2" admin xos-node --vo "$2" approve "$1" "${@:3}"
	xos-node join --dir "$V/$1" $(cat "$V/$2.join")
}

listen() { echo "127.0.0.1:$(sed -n 's/^jobs_port = //p' "$V/n1/node.conf")"; }
job() { in_vo "$1" alice xos-job --vo "$1" "${@:2}"; } # VO VERB...
state() { job "$1" show "$2" --json | jq -r .state; }
is() { [ "$(state "$1" "$2")" = "$3" ]; }
of_vo() { xos-node status --dir "$V/n1" --json | jq -e --arg vo "$1" ".vos[] | select(.vo == \$vo) | $2"; }

# api VO-OF-THE-TOKEN METHOD PATH [DATA]: prints body and status
api() {
	curl -sS --insecure ${1:+--cert "$V/$1.alice"} -X "$2" -w '\n%{http_code}' \
		${4+-H 'Content-Type: application/json' --data-binary "$4"} "https://$(listen)/v1/vo$3"
}

answers() { # STATUS CODE VO-OF-THE-TOKEN METHOD PATH [DATA]
	run api "${@:3}"
	echo "$output"
	[ "${lines[-1]}" = "$1" ] && [ "$(jq -r .code <<<"${lines[-2]}")" = "$2" ]
}

begin() { # VO: the id of a job that runs
	local id
	id=$(job "$1" submit --json -- sleep 300 | jq -r .id)
	retry is "$1" "$id" running
	echo "$id"
}

@test "joining further VOs, of the same server and of another one, while the node runs: jobs go on" {
	retry job demo submit --wait -- true
	local id
	id=$(begin demo)
	join_vo n1 other
	join_vo n1 far
	xos-node start --dir "$V/n1"
	is demo "$id" running
	for vo in other far; do retry job "$vo" submit --wait -- true; done
	is demo "$id" running
	job demo cancel "$id"
	run -0 xos-node status --dir "$V/n1"
	[[ $output == *demo*other*running* || $output == *demo*far*other*running* ]]
	xos-node status --dir "$V/n1" --json | jq -e '[.vos[].vo] | sort == ["demo", "far", "other"]'
	xos-node status --dir "$V/n1" --json | jq -e 'all(.vos[]; .state == "ready")'
	xos-jobd --check --config "$V/n1/jobd.conf"
}

@test "each client sees the identity under the root that it believes" {
	local root
	for root in "$V"/n1/trust/root.pem "$V"/n1/vos/{other,far}/trust/root.pem; do
		openssl s_client -connect "$(listen)" -requestCAfile "$root" -CAfile "$root" -verify_return_error </dev/null 2>/dev/null |
			grep -q 'Verify return code: 0 (ok)'
	done
}

@test "a job sees xos-credd, credential and VO of its own VO" {
	run -0 --separate-stderr job other submit --wait -- sh -c 'echo $XOS_CREDD_SOCKET; xos-token show "$X509_USER_PROXY" --json | jq -r .vo; cat $XOS_CONFIG/default; ls $XOS_CONFIG; id -u'
	[ "${lines[0]}" = "$V/n1/vos/other/run/credd.sock" ]
	[ "${lines[1]} ${lines[2]} ${lines[3]}" = "other other default" ]
	[ "${lines[4]}" = other ]
	! root || [ "${lines[5]}" -gt 1900001000 ]
	run -0 --separate-stderr job demo submit --wait -- sh -c 'echo $XOS_CREDD_SOCKET; id -u'
	[ "${lines[0]}" = "$V/n1/run/credd.sock" ]
	! root || [ "${lines[1]}" -lt 1900001000 ]
}

@test "a job reaches nothing that the node has of another VO" {
	root || skip "without root all is this user's"
	local id
	id=$(begin other)
	run -0 --separate-stderr job demo submit --wait --env "OTHER=$V/n1/vos/other" --env "ID=$id" -- sh -c \
		'for f in credd/node.key tls/jobs.key credd/jobs jobd/run/$ID jobd/work/$ID jobd/front jobd/spool; do
			cat "$OTHER/$f" 2>&1 >/dev/null; done; ls "$OTHER/jobd/credential" | wc -l'
	job other cancel "$id"
	echo "$output"
	# Not there at all where its own /tmp hides them.
	[ "$(grep -cE "ermission denied|No such file" <<<"$output")" -eq 7 ]
	[ "${lines[7]}" = 0 ]
}

@test "members of one VO see no job of another, not even its administrators" {
	local id
	id=$(begin other)
	run -0 in_vo demo admin xos-job --vo demo list
	[[ $output != *"$id"* ]]
	run -0 job demo list
	[[ $output != *"$id"* ]]
	answers 404 job-unknown demo GET "/demo/jobs/$id"
	answers 404 job-unknown demo GET "/demo/jobs/$id/output?stream=stdout"
	answers 404 job-unknown demo POST "/demo/jobs/$id/cancel" '{}'
	answers 403 other-vo demo GET "/other/jobs/$id"
	answers 403 other-vo demo POST "/other/jobs/$id/cancel" '{}'
	is other "$id" running
	job other cancel "$id"
	retry is other "$id" cancelled
	# Each VO's accounting has its own, and nothing else.
	retry eval 'in_vo other alice xos-acct --vo other list --json | jq -e --arg id '"$id"' "any(.records[]; .id == \$id)"'
	run -0 in_vo demo admin xos-acct --vo demo list --json
	[[ $output != *"$id"* ]]
}

@test "a token of one VO on another's path, a VO that is not here, no token" {
	answers 403 other-vo demo GET /other/jobs
	answers 403 other-vo other GET /demo/jobs
	answers 403 other-vo far POST /demo/jobs '{}'
	answers 404 no-vo demo GET /third/jobs
	answers 404 no-vo other POST /third/jobs '{}'
	run api "" GET /other/jobs
	[ "${lines[-1]}" = 401 ]
}

@test "a delegation of one VO starts nothing that another VO's member prepared" {
	local answer id
	answer=$(api other POST /other/jobs '{"nonce":"AAAAAAAAAAAAAAAAAAAAAA==","argv":["true"]}' | head -n 1)
	id=$(jq -r .id <<<"$answer")
	jq -r .csr <<<"$answer" | base64 -d >"$BATS_TEST_TMPDIR/csr"
	xos-forge delegate "$V/demo.alice" "$BATS_TEST_TMPDIR/csr" n1 "$id" "$BATS_TEST_TMPDIR/pem"
	run api other PUT "/other/jobs/$id/credential" "$(chain "$BATS_TEST_TMPDIR/pem")"
	[ "${lines[-1]}" = 403 ]
	is other "$id" waiting
	# Its own member's does.
	xos-forge delegate "$V/other.alice" "$BATS_TEST_TMPDIR/csr" n1 "$id" "$BATS_TEST_TMPDIR/pem"
	run api other PUT "/other/jobs/$id/credential" "$(chain "$BATS_TEST_TMPDIR/pem")"
	[ "${lines[-1]}" = 200 ]
	retry is other "$id" "done"
}

chain() { # PEM: as the protocol has it
	csplit -s -z -f "$BATS_TEST_TMPDIR/part." "$1" '/-----BEGIN/' '{*}'
	local part
	for part in "$BATS_TEST_TMPDIR"/part.*; do
		openssl x509 -in "$part" -outform DER | base64 -w0 && echo
	done | jq -R . | jq -sc '{chain: .}'
	rm -f "$BATS_TEST_TMPDIR"/part.*
}

@test "every key of one VO stolen: nothing of the other VO is in reach" {
	xos-forge stolen "$V/demo.alice" other "$V/vo/root" "$V/thief.alice"
	for path in /other/jobs /demo/jobs /far/jobs; do
		run api thief GET "$path"
		[ "${lines[-1]}" = 403 ]
		[[ ${lines[-2]} != *'"jobs"'* ]]
	done
	run api thief POST /other/jobs '{"nonce":"AAAAAAAAAAAAAAAAAAAAAB==","argv":["true"]}'
	[ "${lines[-1]}" = 403 ]
}

@test "one VO's xos-credd is away: it starts nothing, the others go on" {
	xos-node stop --dir "$V/n1" --vo demo
	run -3 job demo submit --wait -- true
	job other submit --wait -- true
	run -3 xos-node status --dir "$V/n1" --json
	jq -e '.vos[] | select(.vo == "demo") | .state == "stopped"' <<<"$output"
	run -3 xos-node status --dir "$V/n1"
	xos-node start --dir "$V/n1" --vo demo
	job demo submit --wait -- true
}

@test "one VO's xos-credd hangs: its requests wait, and have not all threads of the front" {
	local credd pids=() i
	credd=$(pgrep -f "xos-credd run --config $V/n1/credd.conf --role credd")
	kill -STOP "$credd"
	for i in {1..12}; do
		job demo submit -- true >"$BATS_TEST_TMPDIR/$i" 2>&1 &
		pids+=($!)
	done
	retry grep -qs "as many requests of VO demo" "$BATS_TEST_TMPDIR"/*
	job other submit --wait -- true || { kill -CONT "$credd" && false; }
	kill -CONT "$credd"
	wait "${pids[@]}" || true
	job demo submit --wait -- true
}

@test "slices that overlap: who came first stays, the other VO has no accounts and says whose they are" {
	root || skip "without root there are no slices"
	# One set cannot say so; a set for one VO that the owner forgot when writing that for the other can.
	echo 'site "lab" serial 3 { accounts vo other uid 1900000500-1900001499; permit vo other action job.submit, job.show on site:lab; }' >"$V/lab.xos"
	push_lab other
	retry of_vo other '.accounts.refused | strings | contains("VO demo has 1900000000-1900000999")'
	run -0 xos-node status --dir "$V/n1"
	[[ $output == *"accounts"*"VO demo has"* ]]
	run -1 job other submit --wait -- true
	[[ $output == *"gives other:alice no account"* ]]
	job demo submit --wait -- true
	lab_set 4
	push_lab other
	retry of_vo other '.accounts.refused == null'
	job other submit --wait -- true
}

@test "a renewed certificate of a further VO is shown without a restart" {
	local root=$V/n1/vos/other/trust/root.pem before
	serial() { openssl s_client -connect "$(listen)" -requestCAfile "$root" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
	before=$(serial)
	xos-node renew --dir "$V/n1" --vo other --force
	retry eval '[ "$(serial)" != "$before" ]'
	job other submit --wait -- true
}

@test "a VO with the name of one that the node belongs to, and another root, is refused" {
	xos-server init --dir "$V/twin" --vo other --admin admin --password-stdin $(root && echo --uid-base 1899999070) <"$V/admin.pw"
	xos-server start --dir "$V/twin"
	# shellcheck disable=SC2046
	run -1 xos-node join --dir "$V/n1" $(xos-server join-arguments --dir "$V/twin")
	xos-server stop --dir "$V/twin"
	[[ $output == *"another root"* ]]
	job other submit --wait -- true
}

# another_node NAME SITE UID-BASE
another_node() {
	local more=(--member alice)
	root && more=(--uid-base "$3")
	xos-node init --dir "$V/$1" --name "$1" --site "$2" --site-key "$V/$2.pub" "${more[@]}"
	join_vo "$1" demo
	xos-node start --dir "$V/$1"
}

@test "three nodes of two sites on one machine: each obeys its own owner" {
	xos-policy site-key --out "$V/farm"
	in_vo demo admin xos-policy --vo demo site add farm --key "$V/farm.pub"
	echo 'site "farm" serial 1 { accounts vo demo uid 1900004000-1900004999; permit vo demo action job.show on site:farm; }' >"$V/farm.xos"
	xos-policy sign --site-key "$V/farm.key" --out "$V/farm.jws" "$V/farm.xos"
	xos-policy --vo demo push --site farm "$V/farm.jws"
	another_node n2 lab 1899999060
	another_node n3 farm 1899999064
	job demo submit --node n1 --wait -- true
	retry job demo submit --node n2 --wait -- true
	retry eval 'xos-node status --dir "$V/n3" --json | jq -e ".bundle.site_set == 1"'
	run -1 job demo submit --node n3 --wait -- true
	[[ $output == *"site farm"* ]]
	# The other site's owner has no say here.
	sed 's/serial 1/serial 2/; s/job.show/job.submit, job.show/' "$V/farm.xos" >"$V/farm2.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/farm2.jws" "$V/farm2.xos"
	run -1 xos-policy --vo demo push --site farm "$V/farm2.jws"
	xos-policy sign --site-key "$V/farm.key" --out "$V/farm2.jws" "$V/farm2.xos"
	xos-policy --vo demo push --site farm "$V/farm2.jws"
	retry job demo submit --node n3 --wait -- true
	for n in n2 n3; do xos-node leave --dir "$V/$n" --yes; done
	job demo submit --node n1 --wait -- true
}

@test "leaving one VO ends its jobs and tells, the others' go on; the first can be left too" {
	local there stays
	there=$(begin other)
	stays=$(begin far)
	run -2 xos-node leave --dir "$V/n1" --vo other
	run -1 xos-node leave --dir "$V/n1" --vo third --yes
	run -0 xos-node leave --dir "$V/n1" --vo other --yes
	[[ $output == *"has left VO other"* && $output == *"1 running jobs of VO other were ended"* && $output != *lost* ]]
	in_vo other alice xos-acct --vo other list --json | jq -e --arg id "$there" 'any(.records[]; .id == $id)'
	answers 404 no-vo demo GET /other/jobs
	[ ! -e "$V/n1/vos/other" ]
	is far "$stays" running
	in_vo other admin xos-node --vo other list --json | jq -e '.nodes[] | .state == "left"'
	xos-node leave --dir "$V/n1" --vo demo --yes
	is far "$stays" running
	job far submit --wait -- true
	xos-node stop --dir "$V/n1" && xos-node start --dir "$V/n1"
	is far "$stays" running
	answers 404 no-vo far GET /demo/jobs
	# And joined again, where there is room now.
	join_vo n1 other --again
	xos-node start --dir "$V/n1"
	retry job other submit --wait -- true
	is far "$stays" running
	run -0 xos-node leave --dir "$V/n1" --yes
	[[ $output == *"1 running jobs of VO far were ended"* ]]
	[ ! -e "$V/n1" ]
}
