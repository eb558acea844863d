#!/usr/bin/env bats
# Who admits nodes: two sites of two owners, their terms, approvers, codes, bans and leaving. BUILD is the build folder.

bats_require_minimum_version 1.5.0

setup_file() {
	load vo.bash
	vo_make
	xos-server stop --dir "$V/vo"
	echo "refresh = 1s" | tee -a "$V/vo/vopsd/vopsd.conf" >>"$V/vo/rcad/rcad.conf"
	xos-server start --dir "$V/vo"
	for name in bob carol; do
		head -c 15 /dev/urandom | base64 >"$V/$name.pw"
		as admin xos-vo member add "$name" --password-stdin <"$V/$name.pw"
		as "$name" xos-login "$name" --password-stdin <"$V/$name.pw"
	done
	xos-policy site-key --out "$V/farm"
	as admin xos-policy site add farm --key "$V/farm.pub"
	terms lab bob --serial 10
	terms farm carol --serial 10
	node n1 lab
	join n1
	retry as bob xos-node approve n1
	join n1
	echo "refresh = 1s" >>"$V/n1/credd.conf"
	xos-node start --dir "$V/n1"
}

teardown_file() { vo_remove; }

setup() { load vo.bash; }

terms() { # SITE APPROVER ARGUMENT...
	xos-node admission --site "$1" --site-key "$V/$1.key" --approver "${@:2}"
}

node() { # NAME SITE ARGUMENT...
	local member=()
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-node init --dir "$V/$1" --name "${1##*/}" --site "$2" --site-key "$V/$2.pub" "${member[@]}" "${@:3}"
}

# shellcheck disable=SC2086
by_code() { xos-node join --dir "$V/other/$1" $JOIN --code-stdin <"$V/code"; }

state() { as alice xos-node list --json | jq -r ".nodes[] | select(.node == \"$1\") | .state"; }
in_state() { [ "$(state "$1")" = "$2" ]; }

@test "only the approvers that a site's owner names admit its nodes" {
	node n2 farm --data-url https://127.0.0.1:9443
	run -0 join n2
	[[ $output == *"key of this node"*sha256:* ]]
	local key
	key=$(join n2 --json | jq -r .fingerprint)
	run -1 as admin xos-node approve n2
	[[ $output == *"owner of the site farm"* ]]
	run -1 as bob xos-node approve n2
	run -1 as alice xos-node approve n2
	[[ $output == *Role=admin* ]]
	run -1 as alice xos-node describe n2
	run -1 as bob xos-node describe n2
	run -0 as carol xos-node describe n2
	[[ $output == *"$key"* && $output == *"waits for approval"* && $output == *"kernel"*"says the node"* ]]
	run -1 as carol xos-node approve n2 --fingerprint "sha256:$(printf '0%.0s' {1..64})"
	[[ $output == *"not the machine"* ]]
	as carol xos-node approve n2 --fingerprint "$key"
	join n2
	cmp -s "$V/n2/tls/data.key" "$V/n2/tls/jobs.key" && return 1
	openssl x509 -in "$V/n2/tls/data.pem" -noout -ext subjectAltName | grep -q "service/data/n2"
	cp "$V/n2/tls/data.pem" "$V/before.pem"
	xos-node renew --dir "$V/n2" --force
	run -1 cmp -s "$V/before.pem" "$V/n2/tls/data.pem"
	run -0 as admin xos-node list --site farm
	[[ $output == *n2*https://127.0.0.1:9443* && $output != *n1* ]]
}

@test "terms count if the site's own key signed them for this VO and site, and never an older one" {
	run -1 terms lab carol --serial 9
	[[ $output == *"above that"* ]]
	run -1 xos-node admission --site lab --site-key "$V/farm.key" --approver carol
	[[ $output == *"not signed by the key"* ]]
	xos-node admission --site farm --site-key "$V/lab.key" --approver carol --out "$V/other.jws"
	run -1 xos-node admission --site lab "$V/other.jws"
	[[ $output == *"terms of the site farm"* ]]
	run -0 xos-node admission --vo twin --site lab --site-key "$V/lab.key" --approver carol --out "$V/twin.jws" --serial 7 --json
	jq -e '.vo == "twin" and .serial == 7 and .expires != null' <<<"$output"
	run -1 xos-node admission --site lab "$V/twin.jws"
	[[ $output == *"for the VO twin"* ]]
	run -1 xos-node admission --site nowhere --site-key "$V/lab.key" --approver carol
	[[ $output == *"not registered"* ]]
	as admin xos-node sites --json | jq -e '.sites[] | select(.site == "lab") | .terms.approvers == ["bob"] and .terms.serial == 10'
}

@test "a code admits the node it is for, once, and whose it was is on record" {
	run -1 as admin xos-node code --site lab
	[[ $output == *"owner of the site lab"* ]]
	run -1 as carol xos-node code --site lab
	as bob xos-node code --site lab --node n3 --for 1h >"$V/code" 2>/dev/null
	node other/n4 lab && mkdir -p "$V/other"
	run -1 by_code n4
	[[ $output == *"does not admit this node"* ]]
	local refusal=$output
	node n3 lab
	run -0 join n3 --code-stdin <"$V/code"
	[[ $output == *"is a node of VO demo"* ]]
	run -0 as bob xos-node describe n3 --json
	jq -e '.node | .approved_by == "bob" and .code != null and .state == "active" and .serial != null' <<<"$output"
	grep -aq "bob by code" "$V"/vo/rcad/key/issued.log
	# The same keys again get the same certificates; another machine gets nothing, in the same words.
	rm "$V/n3/application"
	run -0 join n3 --code-stdin <"$V/code"
	run -1 by_code n4
	[ "$output" = "$refusal" ]
	as bob xos-node code --site lab >"$V/code" 2>/dev/null
	run -0 as bob xos-node codes --json
	as bob xos-node revoke "$(jq -r '.codes[0].id' <<<"$output")"
	run -1 by_code n4
	[ "$output" = "$refusal" ]
	run ! grep -aq "$(tr -d '-' <"$V/code")" -r "$V/vo"
}

@test "of two that race for the last use of a code one is admitted" {
	as carol xos-node code --site farm >"$V/code" 2>/dev/null
	mkdir -p "$V/other"
	local name won=0
	for name in n5 n6; do node "other/$name" farm; done
	by_code n5 &
	local first=$!
	by_code n6 && won=$((won + 1))
	wait "$first" && won=$((won + 1))
	[ "$won" -eq 1 ]
	[ "$(as alice xos-node list --json | jq '[.nodes[] | select(.node == "n5" or .node == "n6")] | length')" -eq 1 ]
}

@test "an owner's ban is the owner's to lift, the VO's the VO's" {
	as bob xos-node ban n3 --for 1h --message "memory errors"
	run -1 as admin xos-node unban n3
	[[ $output == *"approver of the site"* ]]
	as admin xos-node ban n3 --until 2999-01-01T00:00:00Z
	run -0 as bob xos-node unban n3
	[[ $output == *"the VO still bans it"* ]]
	run -1 as bob xos-node unban n3
	[[ $output == *"administrator of the VO"* ]]
	run -0 as alice xos-node list --state banned
	[[ $output == *n3* && $output != *n1* ]]
	run -0 as bob xos-node describe n3
	[[ $output == *"by the VO (admin)"*"2999-01-01"* ]]
	run -1 as carol xos-node ban n3
	as admin xos-node unban n3
	in_state n3 active
}

@test "a node that left is refused, and its name comes back only by approval" {
	cp -r "$V/n3" "$V/stolen"
	run -0 xos-node leave --dir "$V/n3" --yes
	[[ $output == *"has left VO demo"* ]]
	[ ! -e "$V/n3" ]
	in_state n3 left
	run -1 xos-node renew --dir "$V/stolen" --force
	[[ $output == *"has left the VO"* ]]
	as bob xos-node code --site lab --node n3 >"$V/code" 2>/dev/null
	node n3 lab
	run -1 join n3 --code-stdin <"$V/code"
	[[ $output == *"left"* ]]
	run -0 join n3
	run -1 as bob xos-node approve n3
	[[ $output == *"--again"* ]]
	as bob xos-node approve n3 --again
	join n3
	in_state n3 active
	as bob xos-node remove n3
	in_state n3 left
	run -1 as bob xos-node remove n3
	rm -r "$V/stolen"
}

@test "what is said of a machine cannot write on the approver's terminal" {
	local d=$BATS_TEST_TMPDIR
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$d/key" -subj /CN=x -outform DER -out "$d/csr"
	jq -n --arg csr "$(base64 -w0 "$d/csr")" '{node: "evil", site: "lab", hosts: ["evil"], csr: $csr, services: [],
		about: {"kernel": "6.1\u001b[2J\u202e", "x\u001b]0;t\u0007y": "\u009b1m"}}' >"$d/application"
	curl -sf --insecure -H 'Content-Type: application/json' --data-binary @"$d/application" \
		"$(sed -n 's/^rca = //p' "$V/config/demo/vo.conf")/v1/vo/demo/applications" >"$d/answer"
	as bob xos-node describe evil >"$d/shown"
	as bob xos-node applications >>"$d/shown"
	grep -q "6.1?\[2J" "$d/shown"
	run ! env LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$d/shown"
	as bob xos-node describe evil --json | LC_ALL=C grep -Pqv '[^\x20-\x7e]'
	as admin xos-node deny evil --message "no such machine"
}

@test "a site is known to both authorities, or the command says to which" {
	as admin xos-policy site add barn --key "$V/farm.pub"
	run -0 as admin xos-policy site add barn --key "$V/farm.pub"
	run -1 as admin xos-policy site add barn --key "$V/lab.pub"
	[[ $output == *"another key"* ]]
	local rca
	rca=$(sed -n 's/^rca = //p' "$V/config/demo/vo.conf")
	sed -i 's/^rca = .*/rca = https:\/\/127.0.0.1:1/' "$V/config/demo/vo.conf"
	run -3 as admin xos-policy site remove barn
	[[ $output == *"removed at the policy service, but not at the resource authority"* ]]
	sed -i "s|^rca = .*|rca = $rca|" "$V/config/demo/vo.conf"
	run -0 as admin xos-policy site remove barn
	run -1 as admin xos-policy site remove barn
	[[ $output == *"not registered"* ]]
}

@test "a node that was removed while it runs is refused within the refresh interval" {
	local url
	url=$(as alice xos-node list --json | jq -r '.nodes[] | select(.node == "n1") | .services[0].url')
	cp -r "$V/config" "$BATS_TEST_TMPDIR/config"
	echo "jobs = $url" >>"$BATS_TEST_TMPDIR/config/demo/vo.conf"
	straight() { XOS_CONFIG=$BATS_TEST_TMPDIR/config XOS_NODE=n1 as alice xos-job submit --wait -- true; }
	straight
	as bob xos-node remove n1
	gone() { straight 2>&1 | grep -q "this node left the VO"; }
	retry gone
	run -1 straight
}

@test "an approver who is locked, and a code of one, admit nobody" {
	as carol xos-node code --site farm >"$V/code" 2>/dev/null
	as admin xos-vo lock member carol --message "lost laptop"
	carol_is_locked() { as carol xos-node codes 2>&1 | grep -q "lost laptop"; }
	retry carol_is_locked
	node other/n7 farm
	run -1 by_code n7
	[[ $output == *"does not admit this node"* ]]
	as admin xos-vo unlock member carol
	retry by_code n7
}

@test "when terms end nobody approves until the owner renews them" {
	node n8 lab
	join n8
	retry terms lab bob --serial 11 --valid 2s # on a slow machine they may be over when they come
	over() { as bob xos-node code --site lab 2>&1 >/dev/null | grep -q "nobody approves its nodes until"; }
	retry over
	run -1 as bob xos-node approve n8
	[[ $output == *"until its owner renews them"* ]]
	run -1 as admin xos-node approve n8
	[[ $output == *"nobody approves"* ]]
	as admin xos-policy site remove lab
	run -1 as admin xos-node approve n8
	[[ $output == *"was removed"* ]]
	as admin xos-policy site add lab --key "$V/lab.pub"
	as admin xos-policy site add lab --key "$V/lab.pub"
	run -1 terms lab carol --serial 11
	terms lab bob --serial 12
	as bob xos-node approve n8
	xos-policy push --site lab "$V/lab.jws"
}

@test "without the servers a node stays, unless it is told to go all the same" {
	join n8
	xos-server stop --dir "$V/vo"
	run -3 xos-node leave --dir "$V/n8" --yes
	[[ $output == *"nothing was removed"* && $output == *"xos-node remove n8"* ]]
	[ -e "$V/n8/node.conf" ]
	run -0 xos-node leave --dir "$V/n8" --yes --offline
	[[ $output == *"xos-node remove n8"* ]]
	xos-server start --dir "$V/vo"
	as bob xos-node remove n8
	in_state n8 left
}
