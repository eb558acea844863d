#!/usr/bin/env bats
# Servers that lie: what a node that joins, and a member who submits a job, must not take from them. Clocks that are
# wrong. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo
load middle

setup_file() {
	vo_make
	export H=$V
	start_node n1
	make_node n4
	join n4
	openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$H/thief.key"
	chmod 600 "$H/thief.key"
}

teardown_file() { vo_remove; }

setup() { rm -rf "$H"/middle.*; }

teardown() {
	middle_stop
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$H"/vo/log/*.log "$H"/n1/log/*.log "$H"/middle.*/* >&2
	fi
}

# between KIND CERTIFICATE KEY URL [OPTION] [RULE FILE]...
between() {
	middle_start "$H/middle.$1" --service "$1" --certificate "$2" --key "$3" --to "$4" --vo demo --trust "$H/vo/trust" \
		"${@:5}"
}

server_url() { sed -n "s/^$1 = //p" "$H/config/demo/vo.conf"; }

# join_between RULE FILE: n4 joins, and somebody stands between it and the resource authority
join_between() {
	local directory=$BATS_TEST_TMPDIR/directory.json
	middle_stop
	between rca "$H/vo/rcad/tls.pem" "$H/vo/rcad/tls.key" "$(server_url rca)" "$@"
	jq -n --arg ca "$CA" --arg rca "$MIDDLE_URL" --arg vops "$(server_url vops)" \
		'{services: {ca: $ca, rca: $rca, vops: $vops}}' >"$directory"
	between ca "$H/vo/cad/tls.pem" "$H/vo/cad/tls.key" "$CA" answer "$directory"
	xos-node join --dir "$H/n4" "$MIDDLE_URL" --fingerprint "$(grep -o 'sha256:[0-9a-f]*' <<<"$JOIN")" --vo demo
}

changed() { grep -q "^changed $1 " "$H"/middle.*/changes; }

nothing_taken() {
	[ ! -e "$H/n4/credd/node.pem" ]
	[ ! -e "$H/n4/tls/jobs.pem" ]
	[ ! -e "$H/n4/trust/root.pem" ]
}

certificate() { # KEY VO NAME SERVICE RCA-FOLDER: prints a chain as answers have it
	local pem=$BATS_TEST_TMPDIR/forged.pem
	xos-forge host "$1" "$2" "$3" "$4" "$5" "$pem"
	chain "$pem"
}

chain() { # PEM
	rm -f "$BATS_TEST_TMPDIR"/part.*
	csplit -s -z -f "$BATS_TEST_TMPDIR/part." "$1" '/-----BEGIN/' '{*}'
	local part
	for part in "$BATS_TEST_TMPDIR"/part.*; do
		grep -q 'BEGIN CERTIFICATE' "$part" && openssl x509 -in "$part" -outform DER | base64 -w0 && echo
	done | jq -R . | jq -sc .
}

approval() { # CHAIN-OF-NODE CHAIN-OF-JOBS [KIND]
	jq -n --argjson node "$1" --argjson jobs "$2" --arg kind "${3:-jobs}" \
		'{status: "approved", chain: $node, services: [{kind: $kind, chain: $jobs}]}' >"$BATS_TEST_TMPDIR/answer.json"
}

refused() { # PATTERN: by a node that joins while the answer of the resource authority is approval's
	run -1 join_between add "$BATS_TEST_TMPDIR/answer.json"
	grep -q "^changed chain " "$H/middle.rca/changes"
	# shellcheck disable=SC2053
	[[ $output == $1 ]]
	nothing_taken
}

@test "joining: the certificate of another node, another name, another key" {
	local rca=$H/vo/rcad key=$H/n4/credd/node.key jobs=$H/n4/tls/jobs.key
	local good
	good=$(certificate "$jobs" demo n4 jobs "$rca")
	approval "$(chain "$H/n1/credd/node.pem")" "$good"
	refused "*certificate that the resource authority sent*n1*"
	approval "$(certificate "$key" demo n9 - "$rca")" "$good"
	refused "*certificate that the resource authority sent*n9*"
	approval "$(certificate "$H/thief.key" demo n4 - "$rca")" "$good"
	refused "*certificate for another key than*node.key*"
	good=$(certificate "$key" demo n4 - "$rca")
	approval "$good" "$(chain "$H/n1/tls/jobs.pem")"
	refused "*certificate that the resource authority sent*n1*"
	approval "$good" "$(certificate "$H/thief.key" demo n4 jobs "$rca")"
	refused "*certificate for another key than*jobs.key*"
}

@test "joining: another VO, another root of the same name, another kind" {
	local rca=$H/vo/rcad key=$H/n4/credd/node.key jobs=$H/n4/tls/jobs.key
	local good
	good=$(certificate "$jobs" demo n4 jobs "$rca")
	approval "$(certificate "$key" elsewhere n4 - -)" "$good"
	refused "*certificate that the resource authority sent*"
	approval "$(certificate "$key" demo n4 - -)" "$good"
	refused "*certificate that the resource authority sent*"
	approval "$(certificate "$key" demo n4 jobs "$rca")" "$good"
	refused "*certificate that the resource authority sent*"
	approval "$(certificate "$key" demo n4 - "$rca")" "$(certificate "$jobs" demo n4 vops "$rca")"
	refused "*certificate that the resource authority sent*"
	approval "$(certificate "$key" demo n4 - "$rca")" "$good" vops
	refused "*other services than were asked for*"
	printf '{"status": "approved", "chain": ["AAAA"], "services": []}' >"$BATS_TEST_TMPDIR/answer.json"
	refused "xos-node:*"
}

@test "joining: a trust document or a directory that somebody changed" {
	local fingerprint
	fingerprint=$(grep -o 'sha256:[0-9a-f]*' <<<"$JOIN")
	contact() { # FILE
		middle_stop
		between ca "$H/vo/cad/tls.pem" "$H/vo/cad/tls.key" "$CA" answer "$1"
		xos-node join --dir "$H/n4" "$MIDDLE_URL" --fingerprint "$fingerprint" --vo demo
	}
	xos-cad root-init --dir "$BATS_TEST_TMPDIR/root" --vo demo >/dev/null
	printf '{"root": "%s"}' "$(openssl x509 -in "$BATS_TEST_TMPDIR/root/root.pem" -outform DER | base64 -w0)" \
		>"$BATS_TEST_TMPDIR/root.json"
	run -1 contact "$BATS_TEST_TMPDIR/root.json"
	changed root
	[[ $output == *"another fingerprint"* ]]
	printf '{"vo": "elsewhere"}' >"$BATS_TEST_TMPDIR/vo.json"
	run -1 contact "$BATS_TEST_TMPDIR/vo.json"
	changed vo
	[[ $output == *elsewhere* ]]
	jq -n --argjson c "$(certificate "$H/thief.key" demo n4 - -)" '{issuers: $c}' >"$BATS_TEST_TMPDIR/issuers.json"
	run -1 contact "$BATS_TEST_TMPDIR/issuers.json"
	changed issuers
	# A server of the VO, but not the one that admits nodes.
	jq -n --arg ca "$CA" '{services: {ca: $ca, rca: $ca, vops: $ca}}' >"$BATS_TEST_TMPDIR/services.json"
	run -1 contact "$BATS_TEST_TMPDIR/services.json"
	changed services
	[[ $output == *rca* ]]
	nothing_taken
}

@test "the same node then joins honestly" {
	as admin xos-node approve n4
	run -0 join n4
	[[ $output == *"is a node of VO demo"* ]]
	cmp <(openssl x509 -in "$H/n4/credd/node.pem" -noout -pubkey) <(openssl pkey -in "$H/n4/credd/node.key" -pubout)
}

# submit_between CERTIFICATE KEY [RULE FILE]: alice submits to n1, and somebody stands between
submit_between() {
	local url
	url=$(as alice xos-node list --json | jq -r '.nodes[] | select(.node == "n1") | .services[0].url // .jobs')
	middle_stop
	between jobs "$1" "$2" "$url" --own "$H/alice" "${@:3}"
	rm -rf "$BATS_TEST_TMPDIR/config"
	cp -r "$H/config" "$BATS_TEST_TMPDIR/config"
	echo "jobs = $MIDDLE_URL" >>"$BATS_TEST_TMPDIR/config/demo/vo.conf"
	XOS_CONFIG=$BATS_TEST_TMPDIR/config XOS_NODE=n1 as alice xos-job submit -- true
}

signed_for_nobody() { # no delegation was made, so none was sent
	middle_stop
	run -1 grep "method=PUT" "$H/middle.jobs/log"
}

@test "submitting: a front end with another node's or another service's certificate gets no delegation" {
	run -1 submit_between "$H/n4/tls/jobs.pem" "$H/n4/tls/jobs.key"
	[[ $output == *"not signing"* && $output == *n4* ]]
	signed_for_nobody
	run -1 submit_between "$H/vo/vopsd/tls.pem" "$H/vo/vopsd/tls.key"
	signed_for_nobody
	xos-forge host "$H/thief.key" demo n1 jobs - "$BATS_TEST_TMPDIR/impostor"
	openssl x509 -in "$BATS_TEST_TMPDIR/impostor" -out "$BATS_TEST_TMPDIR/impostor.pem"
	run -1 submit_between "$BATS_TEST_TMPDIR/impostor.pem" "$H/thief.key"
	signed_for_nobody
}

@test "submitting: a front end that answers with another job, or a request that is none, gets no delegation" {
	printf '{"id": "%032d"}' 7 >"$BATS_TEST_TMPDIR/id.json"
	run -1 submit_between "$H/n1/tls/jobs.pem" "$H/n1/tls/jobs.key" answer "$BATS_TEST_TMPDIR/id.json"
	changed id
	[[ $output == *"not signing"* ]]
	signed_for_nobody
	printf '{"csr": "AAAA"}' >"$BATS_TEST_TMPDIR/csr.json"
	run -1 submit_between "$H/n1/tls/jobs.pem" "$H/n1/tls/jobs.key" answer "$BATS_TEST_TMPDIR/csr.json"
	changed csr
	[[ $output == *"request of node n1"* ]]
	signed_for_nobody
}

@test "submitting: a delegation for the front end's own key starts nothing" {
	openssl req -new -key "$H/thief.key" -subj / -outform DER -out "$BATS_TEST_TMPDIR/thief.csr"
	printf '{"csr": "%s"}' "$(base64 -w0 "$BATS_TEST_TMPDIR/thief.csr")" >"$BATS_TEST_TMPDIR/csr.json"
	run -1 submit_between "$H/n1/tls/jobs.pem" "$H/n1/tls/jobs.key" answer "$BATS_TEST_TMPDIR/csr.json"
	changed csr
	[[ $output == *key* ]]
	# The member signed, for who holds this certificate is the node; but no job runs under what credd did not make.
	grep -q "method=PUT.*status=4" "$H/middle.jobs/log"
}

@test "a front end that was taken over: the starter runs only what a member delegated, as that member, here" {
	local before out=$BATS_TEST_TMPDIR/said id
	before=$(find "$H/n1/jobd/run" -mindepth 1 -maxdepth 1 | wc -l)
	xos-lying-front "$(command -v xos-jobd)" "$H/n1/jobd.conf" "$H/alice" "$H/admin" >"$out"
	id=$(sed -n 's/^id: //p' "$out")
	diff - "$out" <<-SAID
		prepare for an impostor: cert-untrusted
		start what nobody prepared: job-unknown
		prepare: ok
		start by the token: job-undelegated
		start something else: job-unknown
		start for another job's id: job-id
		start for another node: wrong-node
		start with a key of its own: job-key
		start as another member: job-member
		start as an impostor: cert-untrusted
		half an order: order
		an unknown order: channel-type
		cancel a path: order
		start: ok
		id: $id
	SAID
	retry test -e "$H/n1/jobd/run/$id/status"
	[ "$(find "$H/n1/jobd/run" -mindepth 1 -maxdepth 1 | wc -l)" -eq $((before + 1)) ]
	grep -q '"member":"alice"' "$H/n1/jobd/run/$id/record"
}

# clock OFFSET COMMAND...: on a machine whose clock is wrong
clock() { faketime -f "$1" "${@:2}"; }

@test "a clock that is wrong: the person is told by how many minutes, or why nothing is believed" {
	login() { XOS_TOKEN=$BATS_TEST_TMPDIR/token clock "$1" xos-login alice --password-stdin <"$H/alice.pw"; }
	run -0 login +2m
	[[ $output == *"your clock is 2 min"*"ahead of the authority's"* ]]
	run -0 login -4m
	[[ $output == *"your clock is 4 min"*"behind the authority's"* ]]
	run -0 login +90m
	[[ $output == *"your clock is 90 min"*"ahead of the authority's"* ]]
	# So far back that the servers' certificates were not there yet.
	run -1 login -2d
	[[ $output == *"clock"* ]]
	# So far ahead that they have ended.
	run -1 login +200d
	[[ $output == *"expired"* && $output == *"clock"* ]]
}
