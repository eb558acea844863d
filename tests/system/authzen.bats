#!/usr/bin/env bats
# The policy service asked by stock clients: the AuthZEN Authorization API over curl, and xos-job where.

bats_require_minimum_version 1.5.0
load vo.bash

setup_file() {
	vo_make >"$BATS_FILE_TMPDIR/make.out" 2>&1 || { cat "$BATS_FILE_TMPDIR/make.out" >&2; return 1; }
	head -c 15 /dev/urandom | base64 >"$V/bob.pw"
	as admin xos-vo group add /demo/physics
	as admin xos-vo member join alice /demo/physics
	as alice xos-login alice --password-stdin <"$V/alice.pw"
	as admin xos-vo member add bob --password-stdin <"$V/bob.pw"
	cat >"$V/vo2.xos" <<-X
		vo "demo" serial 2 { permit group /demo/physics action job.submit, job.show on any;
		  limit group /demo/physics action job.submit on any { wall <= 24h; }
		  forbid group /demo action job.submit on any when has job.cpu and job.cpu > 64
		    because "No more than 64 processors." contact "ops@demo.example"; }
	X
	as admin xos-policy push "$V/vo2.xos"
	cat >"$V/lab2.xos" <<-X
		site "lab" serial 2 { accounts vo demo uid 1900000000-1900999999;
		  node n1 { class compute; } node n2 { class compute; } node n3 { class test; }
		  permit vo demo action job.submit, job.show on class:compute; }
	X
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab2.jws" "$V/lab2.xos"
	xos-policy push --site lab "$V/lab2.jws"
	PDP=https://$(sed -n 's/^listen *= *//p' "$V/vo/vopsd/vopsd.conf")
	export PDP
	retry permits alice n1 || { cat "$V"/vo/log/*vopsd* >&2; return 1; }
}

teardown_file() { vo_remove; }

# pdp WHO PATH [CURL ARGUMENT...]: the body, then the status on a line of its own. WHO: a member with a token, service or nobody.
pdp() {
	local cert=()
	case $1 in
	nobody) ;;
	service) cert=(--cert "$V/vo/acctd/tls.pem" --key "$V/vo/acctd/tls.key") ;;
	*) cert=(--cert "$V/$1" --key "$V/$1") ;;
	esac
	curl -s --cacert "$V/vo/trust/root.pem" "${cert[@]}" -w '\n%{http_code}\n' \
		-H "Content-Type: ${CT:-application/json}" "$PDP$2" "${@:3}"
}
question() { # MEMBER NODE [ACTION]
	jq -nc --arg m "demo:$1" --arg n "lab/$2" --arg a "${3:-job.submit}" \
		'{subject: {type: "user", id: $m}, action: {name: $a}, resource: {type: "node", id: $n}}'
}
permits() { pdp service /access/v1/evaluation -d "$(question "$1" "$2")" | head -1 | jq -e .decision >/dev/null; }
denies() { ! permits "$@"; }
# status CODE WHO PATH [ARGUMENT...]
status() {
	local want=$1
	run pdp "${@:2}"
	[ "${lines[-1]}" = "$want" ] || { echo "$output" >&2; return 1; }
}

# The first, because it restarts the service.
@test "what is decided for services is recorded, a stated sample of it, and other policies can be asked the same" {
	echo "decision_sample = 1" >>"$V/vo/vopsd/vopsd.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	retry permits alice n1
	denies alice n3
	local log=$V/vo/vopsd/network/decisions
	[ "$(stat -c %a "$log/decisions.jsonl")" = 600 ]
	tail -n 2 "$log/decisions.jsonl" | jq -se '.[0].decision == "permit" and .[1].decision == "deny" and .[1].sample == 1 and
		(.[0].subject.groups | index("/demo/physics") != null)'
	mkdir "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/new"
	cp "$V/vo2.xos" "$V/lab2.xos" "$BATS_TEST_TMPDIR/old"
	cp "$V/lab2.xos" "$BATS_TEST_TMPDIR/new"
	echo 'vo "demo" serial 3 { permit group /demo/physics action job.show on any; }' >"$BATS_TEST_TMPDIR/new/vo.xos"
	run -0 xos-policy diff --json "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/old" --log "$log"
	jq -e '.records >= 2 and .decided_otherwise == 0' <<<"$output"
	run -1 xos-policy diff "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/new" --log "$log"
	[[ $output == *"job.submit: permit -> deny"* ]]
}

@test "the metadata is open and names each endpoint below the address that was asked" {
	status 200 nobody /.well-known/authzen-configuration
	head -1 <<<"$output" | jq -e --arg u "$PDP" '.policy_decision_point == $u and
		.access_evaluation_endpoint == $u + "/access/v1/evaluation" and
		.access_evaluations_endpoint == $u + "/access/v1/evaluations" and
		.search_subject_endpoint == $u + "/access/v1/search/subject" and
		.search_resource_endpoint == $u + "/access/v1/search/resource" and
		.search_action_endpoint == $u + "/access/v1/search/action"'
}

@test "who has no certificate gets 401, a member asks about itself, a service about anybody" {
	status 401 nobody /access/v1/evaluation -d "$(question alice n1)"
	status 200 alice /access/v1/evaluation -d "$(question alice n1)"
	head -1 <<<"$output" | jq -e '.decision and .context.basis == "token" and .context.limits.wall.value == 86400'
	status 403 alice /access/v1/evaluation -d "$(question bob n1)"
	status 200 service /access/v1/evaluation -d "$(question alice n1)"
	head -1 <<<"$output" | jq -e '.decision and .context.basis == "membership"'
	status 200 service /access/v1/evaluation -d "$(question bob n1)"
	head -1 <<<"$output" | jq -e '.decision == false and (.context.reason_user.en | length > 0)'
}

@test "a service hands over a member's certificates" {
	openssl crl2pkcs7 -nocrl -certfile "$V/alice" | openssl pkcs7 -print_certs | awk -v d="$V/chain." \
		'/BEGIN/ {n++} /BEGIN/, /END/ {print > (d n)}'
	for f in "$V"/chain.*; do openssl x509 -in "$f" -outform DER | base64 -w0; echo; done |
		jq -nRc '[inputs]' >"$V/chain.json"
	question alice n1 | jq -c --slurpfile c "$V/chain.json" '.subject.properties.chain = $c[0]' >"$V/q.json"
	status 200 service /access/v1/evaluation -d @"$V/q.json"
	head -1 <<<"$output" | jq -e '.decision and .context.basis == "token"'
	jq -c '.subject.id = "demo:bob"' "$V/q.json" >"$V/q2.json"
	status 400 service /access/v1/evaluation -d @"$V/q2.json"
	jq -c '.subject.properties.groups = ["/demo/physics"]' "$V/q.json" >"$V/q3.json"
	status 400 service /access/v1/evaluation -d @"$V/q3.json"
}

@test "batches: defaults, and the three semantics" {
	local b
	b=$(question alice n1 | jq -c '. + {evaluations: [{resource: {type: "node", id: "lab/n1"}},
		{resource: {type: "node", id: "lab/n3"}}, {resource: {type: "node", id: "lab/n2"}}]}')
	status 200 service /access/v1/evaluations -d "$b"
	head -1 <<<"$output" | jq -e '[.evaluations[].decision] == [true, false, true] and (has("decision") | not)'
	status 200 service /access/v1/evaluations -d "$(jq -c '.options.evaluations_semantic = "deny_on_first_deny"' <<<"$b")"
	head -1 <<<"$output" | jq -e '[.evaluations[].decision] == [true, false]'
	status 200 service /access/v1/evaluations -d "$(jq -c '.options.evaluations_semantic = "permit_on_first_permit"' <<<"$b")"
	head -1 <<<"$output" | jq -e '[.evaluations[].decision] == [true]'
	status 400 service /access/v1/evaluations -d "$(jq -c '.options.evaluations_semantic = "any"' <<<"$b")"
	status 403 alice /access/v1/evaluations -d "$(jq -c '.evaluations[1].subject = {type: "user", id: "demo:bob"}' <<<"$b")"
}

@test "searches page through what is permitted, with tokens that nobody else can use" {
	local s next
	s=$(question alice n1 | jq -c 'del(.resource.id) | .page.limit = 1')
	status 200 service /access/v1/search/resource -d "$s"
	head -1 <<<"$output" | jq -e '.results == [{id: "lab/n1", type: "node"}]'
	next=$(head -1 <<<"$output" | jq -r .page.next_token)
	status 200 service /access/v1/search/resource -d "$(jq -c --arg t "$next" '.page.token = $t' <<<"$s")"
	head -1 <<<"$output" | jq -e '.results == [{id: "lab/n2", type: "node"}]'
	status 400 alice /access/v1/search/resource -d "$(jq -c --arg t "$next" '.page.token = $t' <<<"$s")"
	status 200 service /access/v1/search/subject -d "$(question alice n1 | jq -c 'del(.subject.id)')"
	head -1 <<<"$output" | jq -e '[.results[].id] == ["demo:alice"]'
	status 200 alice /access/v1/search/action -d "$(question alice n1 | jq -c 'del(.action)')"
	head -1 <<<"$output" | jq -e '[.results[].name] | index("job.submit") and index("job.show")'
	status 403 alice /access/v1/search/subject -d "$(question alice n1 | jq -c 'del(.subject.id)')"
}

@test "what is malformed gets 400 and never an answer; identifiers come back" {
	local q
	q=$(question alice n1)
	status 400 service /access/v1/evaluation -d '{"subject":{"type":"user","id":"demo:alice"},"subject":{"type":"user","id":"demo:bob"}}'
	status 400 service /access/v1/evaluation -d "$(printf '[%.0s' {1..5000})"
	status 400 service /access/v1/evaluation -d "$(jq -c '.action.name = 7' <<<"$q")"
	status 400 service /access/v1/evaluation -d "$(jq -c '.context = {"job.wal": 1}' <<<"$q")"
	CT=text/plain status 400 service /access/v1/evaluation -d "$q"
	head -c 5000000 /dev/zero | tr '\0' ' ' >"$V/big"
	status 413 service /access/v1/evaluations -d @"$V/big"
	status 404 service /access/v1/search/nothing -d "$q"
	status 200 service /access/v1/evaluation -d "$(jq -c '.vendor = {"a": 1}' <<<"$q")"
	head -1 <<<"$output" | jq -e '.decision and .context.ignored == ["vendor"]'
	run pdp service /access/v1/evaluation -D "$V/head" -H 'X-Request-ID: bfe9eb29-ab87-4ca3' -d "$q"
	grep -qi '^x-request-id: bfe9eb29-ab87-4ca3' "$V/head"
	status 400 service /access/v1/evaluation -H 'X-Request-ID: a b' -d "$q"
}

@test "a lock and a change of groups reach the policy service" {
	as admin xos-vo lock member alice --message "lost laptop"
	retry denies alice n1
	status 200 service /access/v1/evaluation -d "$(question alice n1)"
	head -1 <<<"$output" | jq -e '.context.reason_user.en | contains("lost laptop")'
	as admin xos-vo unlock member alice
	retry permits alice n1
	as admin xos-vo member join bob /demo/physics
	retry permits bob n1
	as admin xos-vo member leave bob /demo/physics
	retry denies bob n1
}

@test "the membership is for the policy service alone" {
	PDP=$CA status 403 service /v1/vo/demo/membership
	PDP=$CA status 403 alice /v1/vo/demo/membership
	PDP=$CA status 401 nobody /v1/vo/demo/membership
}

@test "xos-job where says where and why not, with exit status 0, 1 and 3" {
	start_node n1
	start_node n3
	run -0 as alice xos-job where --nodes --json --cpu 4 --memory 8GiB --wall 2h
	jq -e '.sites[0] | .answer == "yes" and .limits == "wall <= 1d" and [.nodes[].answer] == ["yes", "no"]' <<<"$output" ||
		{ echo "$output" >&2; return 1; }
	run -1 as alice xos-job where --cpu 65
	[[ $output == *"No more than 64 processors."* ]]
	run -3 as alice xos-job where --gpu 2
	run -2 as alice xos-job where --cpu many
	xos-server stop --dir "$V/vo"
	run -3 as alice xos-job where
	xos-server start --dir "$V/vo"
}
