#!/usr/bin/env bats
# Nodes and policy: joining, approval, bundles, bans, and what must be refused. BUILD is the build folder.

bats_require_minimum_version 1.5.0

setup_file() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd):$PATH
	N=$(mktemp -d "${TMPDIR:-/tmp}/xos-nodes.XXXXXX")
	chmod 755 "$N"
	export SOURCE PATH N XOS_CONFIG=$N/config
	local name
	for name in admin alice; do head -c 15 /dev/urandom | base64 >"$N/$name.pw"; done
	xos-server init --dir "$N/vo" --vo demo --admin admin --password-stdin <"$N/admin.pw"
	echo "refresh = 1s" >>"$N/vo/vopsd/vopsd.conf"
	xos-server start --dir "$N/vo"
	JOIN=$(xos-server join-arguments --dir "$N/vo")
	export JOIN
	# shellcheck disable=SC2086
	xos-login --join $JOIN
	XOS_TOKEN=$N/admin xos-login admin --role /demo/Role=admin --password-stdin <"$N/admin.pw"
	XOS_TOKEN=$N/admin xos-vo member add alice --password-stdin <"$N/alice.pw"
	XOS_TOKEN=$N/alice xos-login alice --password-stdin <"$N/alice.pw"
	xos-policy site-key --out "$N/lab"
	xos-policy site-key --out "$N/thief"
	as admin xos-policy site add lab --key "$N/lab.pub"
	vo_set 10 && as admin xos-policy push "$N/vo.xos"
	site_set 10 && xos-policy sign --site-key "$N/lab.key" --out "$N/lab.jws" "$N/lab.xos"
	xos-policy push --site lab "$N/lab.jws"
	make_node n1
	join n1
	as admin xos-node approve n1
	join n1
	echo "refresh = 1s" >>"$N/n1/credd.conf"
	xos-node start --dir "$N/n1"
}

teardown_file() {
	local d
	for d in "$N"/n[0-9]*; do xos-node stop --dir "$d"; done
	xos-server stop --dir "$N/vo"
	rm -rf "$N"
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$N"/vo/log/*.log "$N"/n1/log/*.log >&2
	fi
}

as() { # MEMBER COMMAND...
	local token=$N/$1
	shift
	XOS_TOKEN=$token "$@"
}

vo_set() { # SERIAL
	printf 'vo "demo" serial %s { permit group /demo action job.submit on any; }\n# \330\234t\302\233x\n' \
		"$1" >"$N/vo.xos"
}

site_set() { # SERIAL
	cat >"$N/lab.xos" <<-SET
		site "lab" serial $1 {
		  accounts vo demo uid 1900000000-1900999999;
		  node n1 { class compute; }
		  permit vo demo action job.submit on site:lab;
		}
	SET
}

make_node() { # NAME
	local member=()
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-node init --dir "$N/$1" --name "$1" --site lab --site-key "$N/lab.pub" "${member[@]}"
}

# shellcheck disable=SC2086
join() { xos-node join --dir "$N/$1" $JOIN "${@:2}"; }

retry() { # until it succeeds; the time-out of bats ends what never does
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

credd() { xos-credd status --config "$N/n1/credd.conf"; }
bundle_serial() { credd | jq -e .bundle.serial; }
bundle_beyond() { [ "$(bundle_serial)" -gt "$1" ]; }
bundle_has() { [ "$(credd | jq ".bundle.$1")" -eq "$2" ]; }

vops_url() { sed -n 's/^vops = //p' "$N/config/demo/vo.conf"; }

# fetch PEM [CURL-ARGUMENT...]: the bundle, with that certificate; prints the HTTP status
fetch() {
	local pem=$1
	shift
	curl -s --cacert "$N/vo/trust/root.pem" --insecure ${pem:+--cert "$pem"} -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' \
		"$@" "$(vops_url)/v1/vo/demo/bundle?site=lab"
}

node_pem() {
	cat "$N/n1/credd/node.pem" "$N/n1/credd/node.key" >"$BATS_TEST_TMPDIR/node.pem"
	echo "$BATS_TEST_TMPDIR/node.pem"
}

@test "an approved node decides by a verified bundle and says until when" {
	retry bundle_has vo_set 10
	run -0 xos-node status --dir "$N/n1"
	[[ $output == *"ready"* && $output == *"also without any server"* ]]
	credd | jq -e '.state == "ready" and .bundle.site_set == 10'
	run -0 as alice xos-node list
	[[ $output == *n1*lab*active*https://* ]]
}

@test "what was decided is recorded, and another policy can be asked the same" {
	retry as alice xos-job submit --wait -- true
	mkdir "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/new"
	cp "$N/vo.xos" "$N/lab.xos" "$BATS_TEST_TMPDIR/old"
	cp "$N/lab.xos" "$BATS_TEST_TMPDIR/new"
	echo 'vo "demo" serial 99 { permit group /demo action job.show on any; }' >"$BATS_TEST_TMPDIR/new/vo.xos"
	run -1 xos-policy diff "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/new" --log "$N/n1/credd/decisions"
	[[ $output == *"job.submit: permit -> deny"*"decisions.jsonl:"* ]]
	run -0 xos-policy diff --json "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/old" --log "$N/n1/credd/decisions/decisions.jsonl"
	jq -e '.records > 0 and .records == .stand_for and .decided_otherwise == 0 and .lines_refused == 0' <<<"$output"
	credd | jq -e '.decision_log.lost == 0 and .decision_log.written > 0'
}

@test "a node waits until an administrator answers, and is told no" {
	make_node n2
	run -0 join n2
	[[ $output == *"xos-node approve n2"* ]]
	run -1 as alice xos-node applications
	run -1 as alice xos-node approve n2
	[[ $output == *Role=admin* ]]
	run -0 as admin xos-node applications
	[[ $output == *n2* && $output == *sha256:* ]]
	as admin xos-node deny n2 --message "not ours"
	run -1 join n2
	[[ $output == *"not ours"* ]]
	run -1 xos-node start --dir "$N/n2"
}

@test "another machine cannot take a node's name" {
	mkdir "$N/other"
	local member=()
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-node init --dir "$N/other/n1" --name n1 --site lab --site-key "$N/lab.pub" "${member[@]}"
	# shellcheck disable=SC2086
	run -1 xos-node join --dir "$N/other/n1" $JOIN
	[[ $output == *"admitted node"* ]]
}

@test "joining with another fingerprint is refused before anything is sent" {
	make_node n3
	local wrong
	wrong=$(sed 's/sha256:[0-9a-f]\{8\}/sha256:00000000/' <<<"$JOIN")
	# shellcheck disable=SC2086
	run -1 xos-node join --dir "$N/n3" $wrong
	[[ $output == *fingerprint* ]]
	run -0 as admin xos-node applications
	[[ $output != *n3* ]]
}

@test "a push reaches the node; a lower or the same serial does not get in" {
	vo_set 11 && as admin xos-policy push "$N/vo.xos"
	retry bundle_has vo_set 11
	run -1 as admin xos-policy push "$N/vo.xos"
	[[ $output == *11* ]]
	vo_set 9
	run -1 as admin xos-policy push "$N/vo.xos"
	site_set 9 && xos-policy sign --site-key "$N/lab.key" --out "$N/old.jws" "$N/lab.xos"
	run -1 xos-policy push --site lab "$N/old.jws"
	bundle_has vo_set 11
	bundle_has site_set 10
}

@test "versions of the VO's set stay to be read" {
	run -0 as admin xos-policy list
	[[ $output == *11*admin* && $output == *10*admin* ]]
	run -0 as admin xos-policy show 10
	[[ $output == 'vo "demo" serial 10 '* ]]
	# What a terminal would obey, or read in another order, is not printed; lines stay lines.
	[[ ${lines[1]} =~ ^#\ \?+t\?+x$ ]]
	run -0 as admin xos-policy show
	[[ $output == 'vo "demo" serial 11 '* ]]
	run -1 as admin xos-policy show 12
	run -1 as alice xos-policy list
	run -0 as admin xos-policy sites
	[[ $output == *lab*10*sha256:* ]]
}

@test "certificates are renewed for the same name and a new key" {
	local before
	before=$(sha256sum "$N/n1/tls/jobs.key" "$N/n1/tls/jobs.pem")
	run -0 xos-node renew --dir "$N/n1"
	[[ $output == *"more than half"* ]]
	[ "$(sha256sum "$N/n1/tls/jobs.key" "$N/n1/tls/jobs.pem")" = "$before" ]
	run -0 xos-node renew --dir "$N/n1" --force
	[[ $output == *"are renewed"* ]]
	[ "$(openssl x509 -in "$N/n1/tls/jobs.pem" -noout -pubkey)" = "$(openssl pkey -in "$N/n1/tls/jobs.key" -pubout)" ]
	[ "$(sha256sum "$N/n1/tls/jobs.key" "$N/n1/tls/jobs.pem")" != "$before" ]
	openssl x509 -in "$N/n1/tls/jobs.pem" -noout -ext subjectAltName | grep -q spiffe://demo/service/jobs/n1
	retry as alice xos-job submit --wait -- true
}

@test "only an administrator pushes" {
	vo_set 50
	run -1 as alice xos-policy push "$N/vo.xos"
	[[ $output == *Role=admin* ]]
	run -1 as alice xos-policy site add other --key "$N/lab.pub"
}

@test "a site set signed by another key is refused by the service" {
	site_set 20 && xos-policy sign --site-key "$N/thief.key" --out "$N/thief.jws" "$N/lab.xos"
	run -1 xos-policy push --site lab "$N/thief.jws"
	[[ $output == *"not signed by the key"* ]]
	# Not even an administrator changes a site's key under it.
	run -1 as admin xos-policy site add lab --key "$N/thief.pub"
}

@test "every VO key stolen: the node refuses a site set that its owner did not sign" {
	retry bundle_has site_set 10
	as admin xos-policy site remove lab
	as admin xos-policy site add lab --key "$N/thief.pub"
	site_set 30 && xos-policy sign --site-key "$N/thief.key" --out "$N/thief.jws" "$N/lab.xos"
	xos-policy push --site lab "$N/thief.jws"
	refused() { credd | jq -e '.vops.last_error | test("not signed by the key")'; }
	retry refused
	# Between the removal and the push the node may have fetched a bundle that has no set of the site: 10 or none.
	[ "$(credd | jq '.bundle.site_set // 10')" -eq 10 ]
	as admin xos-policy site remove lab
	as admin xos-policy site add lab --key "$N/lab.pub"
	site_set 31 && xos-policy sign --site-key "$N/lab.key" --out "$N/lab.jws" "$N/lab.xos"
	xos-policy push --site lab "$N/lab.jws"
	retry bundle_has site_set 31
}

@test "bundles are for nodes alone; an unchanged one is not sent again" {
	local etag
	[ "$(fetch "$(node_pem)" -D "$BATS_TEST_TMPDIR/head")" = 200 ]
	etag=$(sed -n 's/^[Ee][Tt]ag: *\(.*\)\r$/\1/p' "$BATS_TEST_TMPDIR/head")
	[ -n "$etag" ]
	[ "$(fetch "$(node_pem)" -H "If-None-Match: $etag")" = 304 ]
	[ "$(fetch "$(node_pem)" -H 'If-None-Match: "0"')" = 200 ]
	[ "$(fetch "$N/alice")" = 403 ]
	[ "$(fetch "")" = 401 ]
}

@test "kill -9 of each process of the policy service: serials only grow" {
	local role pid before
	for role in network auth key; do
		before=$(bundle_serial)
		pid=$(pgrep -P "$(cut -d' ' -f1 "$N/vo/run/xos-vopsd.pid")" -f -- "--role $role")
		kill -9 "$pid"
		retry bundle_beyond "$before"
	done
	vo_set 11
	run -1 as admin xos-policy push "$N/vo.xos"
	[[ $output == *"in force"* ]]
}

@test "kill -9 of each process of the resource authority: it comes back, and knows its nodes" {
	local role pid
	for role in network auth key; do
		pid=$(pgrep -P "$(cut -d' ' -f1 "$N/vo/run/xos-rcad.pid")" -f -- "--role $role")
		kill -9 "$pid"
		retry as alice xos-node list
	done
	run -0 as alice xos-node list
	[[ $output == *n1* ]]
}

@test "a ban reaches the node, which then refuses, and ends with unban" {
	local url
	run -0 as alice xos-job submit --wait -- true
	# A client that does not ask which nodes are in order, but goes straight to this one.
	url=$(as alice xos-node list --json | jq -r '.nodes[] | select(.node == "n1") | .services[0].url // .jobs')
	cp -r "$N/config" "$BATS_TEST_TMPDIR/config"
	echo "jobs = $url" >>"$BATS_TEST_TMPDIR/config/demo/vo.conf"
	straight() { XOS_CONFIG=$BATS_TEST_TMPDIR/config XOS_NODE=n1 as alice xos-job submit --wait -- true; }
	straight
	as admin xos-node ban n1 --message "under repair"
	run -0 as alice xos-node list
	[[ $output == *banned* ]]
	run -1 as alice xos-job submit --wait -- true
	refused() { straight 2>&1 | grep -q "under repair"; }
	retry refused
	run -1 straight
	run -1 as alice xos-node unban n1
	as admin xos-node unban n1
	run -0 as alice xos-node list
	[[ $output == *active* ]]
	retry straight
	as admin xos-node ban n1 # a reason is not needed
	as admin xos-node unban n1
	retry straight
}

@test "what cron and the boot start finds its daemons without their folder in PATH" {
	local server node
	server=$(command -v xos-server) node=$(command -v xos-node)
	xos-node stop --dir "$N/n1"
	xos-server stop --dir "$N/vo"
	env -i PATH=/usr/bin:/bin "$server" start --dir "$N/vo"
	env -i "$node" start --dir "$N/n1"
	xos-server status --dir "$N/vo"
	xos-node status --dir "$N/n1"
}

@test "without the servers the node decides as before, and recovers by itself" {
	xos-server stop --dir "$N/vo"
	away() { credd | jq -e '.vops.last_error != null'; }
	retry away
	credd | jq -e '.state == "ready" and .decides_until != null'
	local before
	before=$(bundle_serial)
	xos-server start --dir "$N/vo"
	vo_set 60 && retry as admin xos-policy push "$N/vo.xos"
	retry bundle_has vo_set 60
	bundle_beyond "$before"
}

@test "configurations that do not check: exit 2, with file and line" {
	local d
	for d in rcad vopsd; do
		cp "$N/vo/$d/$d.conf" "$N/vo/$d/bad.conf"
		echo "colour = blue" >>"$N/vo/$d/bad.conf"
		run -2 xos-$d --check --config "$N/vo/$d/bad.conf"
		[[ $output == *bad.conf*colour* ]]
		rm "$N/vo/$d/bad.conf"
	done
}

@test "the resource authority certifies servers while it rests, and no node offline" {
	run -1 xos-rcad issue --config "$N/vo/rcad/rcad.conf" --service vops --name localhost --host localhost \
		--csr "$N/vo/vopsd/vops.csr" --out "$BATS_TEST_TMPDIR/out.pem"
	[ ! -e "$BATS_TEST_TMPDIR/out.pem" ]
	run -2 xos-rcad issue --config "$N/vo/rcad/rcad.conf" --service jobs --name n9 --host n9 \
		--csr "$N/vo/vopsd/vops.csr" --out "$BATS_TEST_TMPDIR/out.pem"
}
