#!/usr/bin/env bats
# New keys for ca, rca, vops and accounting while a node and its jobs go on: prepare, activate, taint, revoke. BUILD is
# the build folder.

bats_require_minimum_version 1.5.0

setup_file() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd):$PATH
	N=$(mktemp -d "${TMPDIR:-/tmp}/xos-rollover.XXXXXX")
	chmod 755 "$N"
	export SOURCE PATH N XOS_CONFIG=$N/config
	local name member=()
	for name in admin alice; do head -c 15 /dev/urandom | base64 >"$N/$name.pw"; done
	xos-server init --dir "$N/vo" --vo demo --admin admin --password-stdin <"$N/admin.pw"
	sed -i '/^refresh/d' "$N/vo/vopsd/vopsd.conf"
	echo "refresh = 1s" >>"$N/vo/vopsd/vopsd.conf"
	xos-server start --dir "$N/vo"
	JOIN=$(xos-server join-arguments --dir "$N/vo")
	export JOIN
	# shellcheck disable=SC2086
	xos-login --join $JOIN
	login admin admin --role /demo/Role=admin
	as admin xos-vo member add alice --password-stdin <"$N/alice.pw"
	login alice alice
	xos-policy site-key --out "$N/lab"
	as admin xos-policy site add lab --key "$N/lab.pub"
	printf 'vo "demo" serial 1 { permit group /demo action job.submit on any; }\n' >"$N/vo.xos"
	as admin xos-policy push "$N/vo.xos"
	cat >"$N/lab.xos" <<-SET
		site "lab" serial 1 {
		  accounts vo demo uid 1900000000-1900999999;
		  node n1 { class compute; }
		  permit vo demo action job.submit on site:lab;
		}
	SET
	xos-policy sign --site-key "$N/lab.key" --out "$N/lab.jws" "$N/lab.xos"
	xos-policy push --site lab "$N/lab.jws"
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-node init --dir "$N/n1" --name n1 --site lab --site-key "$N/lab.pub" "${member[@]}"
	# shellcheck disable=SC2086
	xos-node join --dir "$N/n1" $JOIN
	as admin xos-node approve n1
	# shellcheck disable=SC2086
	xos-node join --dir "$N/n1" $JOIN
	echo "refresh = 1s" >>"$N/n1/credd.conf"
	xos-node start --dir "$N/n1"
	retry decides
	cp "$N/n1/credd/node.pem" "$N/first.pem"
	cp "$N/n1/credd/node.key" "$N/first.key"
	cp "$N/vo/root/trust.jws" "$N/list.1"
}

teardown_file() {
	xos-node stop --dir "$N/n1"
	xos-server stop --dir "$N/vo"
	rm -rf "$N"
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$N"/vo/log/*.log "$N"/n1/log/*.log >&2
	fi
}

as() { # TOKEN COMMAND...
	local token=$N/$1
	shift
	XOS_TOKEN=$token "$@"
}

login() { # TOKEN MEMBER [ARGUMENT...]
	XOS_TOKEN=$N/$1 xos-login "$2" --password-stdin "${@:3}" <"$N/$2.pw"
}

retry() { # until it succeeds; the time-out of bats ends what never does
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

credd() { xos-credd status --config "$N/n1/credd.conf"; }
decides() { credd | jq -e '.bundle.serial' >/dev/null; }
job() { as "$1" xos-job submit --wait -- true; }
no_job() { ! job "$1" 2>"$N/refused"; }
roll() { xos-server rollover "$@" --dir "$N/vo"; }
# What stands in a trust list.
payload() { cut -d. -f2 <"$1" | tr '_-' '/+' | base64 -d 2>/dev/null || true; }
serial() { payload "$1" | jq .serial; }
node_serial() { [ "$(serial "$N/n1/trust/trust.jws")" -ge "$(serial "$N/vo/root/trust.jws")" ]; }
daemons() { cat "$N/n1/run/"*.pid; }
urls() { sed -n 's/^\(ca\|rca\|vops\|accounting\) = //p' "$N/config/demo/vo.conf"; }

@test "from the first day there is a list, and every authority gives it out" {
	local url
	[ "$(serial "$N/vo/root/trust.jws")" -eq 1 ]
	payload "$N/vo/root/trust.jws" | jq -e '.vo == "demo" and (.issuers | map(.state) | unique == ["active"]) and (.issuers | length == 5)'
	cmp "$N/vo/root/trust.jws" "$N/config/demo/trust.jws"
	for url in $(urls); do
		curl -s --insecure "$url/v1/vo/demo/trust" | jq -r .list | cmp - "$N/vo/root/trust.jws"
	done
	retry node_serial
}

@test "authorities on other machines fetch a new list from the ca; its end is told" {
	local list=$BATS_TEST_TMPDIR/list
	rm "$N/vo/vopsd/trust/trust.jws" "$N/vo/rcad/trust/trust.jws"
	xos-cad root-trust --dir "$N/vo/root" --life 7d --out "$list"
	cp "$list" "$N/vo/cad/trust/new" && mv "$N/vo/cad/trust/new" "$N/vo/cad/trust/trust.jws"
	retry given_by vops "$list"
	retry given_by rca "$list"
	retry cmp "$list" "$N/vo/vopsd/auth/trust.jws"
	retry node_serial # the bundle brought it
	[ "$(credd | jq .trust_list.serial)" -eq "$(serial "$list")" ]
	cp "$list" "$N/vo/trust/trust.jws"
	cp "$list" "$N/vo/acctd/trust/trust.jws"
	run -0 xos-server status --dir "$N/vo"
	[[ $output == *"warning: the trust list of the VO demo ends in 6d23h"* ]]
	xos-server status --dir "$N/vo" --json | jq -e '(.trust.warnings | length == 1) and (.trust.certificates | length == 5)'
	curl -s --insecure "$(url ca)/health/ready" | grep -q 'ends in 6d23h'
	curl -s --insecure "$(url ca)/metrics" | grep -q "^xos_trust_list_serial{vo=\"demo\"} $(serial "$list")\$"
	xos-cad root-trust --dir "$N/vo/root" --life 700d
	roll vops prepare
	roll vops undo
	run -0 xos-server status --dir "$N/vo"
	[[ $output != *warning* ]]
}
given_by() { curl -s --insecure "$(url "$1")/v1/vo/demo/trust" | jq -r .list | cmp - "$2"; }

@test "ca, rca, vops, accounting and delegation get new keys while the node and its jobs go on" {
	local kind before
	before=$(daemons)
	# The member's machine asked less than an hour ago: it asks again when it meets the new key.
	roll accounting prepare
	roll accounting activate
	as admin xos-acct verify
	roll ca prepare
	roll ca activate
	login fresh alice
	as admin xos-vo log verify
	for kind in rca vops delegation; do
		roll $kind prepare
		roll $kind prepare # again is the same
		retry node_serial
		roll $kind activate
		roll $kind activate
		run -1 roll $kind prepare # the old one first
	done
	[ "$(daemons)" = "$before" ]
	job alice # with the token of the ca's key before
	login new alice
	job new
	login newadmin admin --role /demo/Role=admin
	as newadmin xos-node list
	as admin xos-node list
	# The node takes bundles that the new policy key signed, and the record goes on under the new head's key.
	printf 'vo "demo" serial 2 { permit group /demo action job.submit on any; }\n' >"$N/vo.xos"
	as newadmin xos-policy push "$N/vo.xos"
	retry has_set 2
	as newadmin xos-acct verify
	as newadmin xos-vo log verify
	[ "$(daemons)" = "$before" ]
}
has_set() { [ "$(credd | jq .bundle.vo_set)" -eq "$1" ]; }

@test "tainted: what was signed before stays good, also after the keys go on" {
	local kind
	for kind in ca rca vops accounting; do roll $kind taint; done
	retry node_serial
	job alice
	as admin xos-node list
	payload "$N/n1/trust/trust.jws" | jq -e '.issuers | map(select(.state == "tainted")) | length == 4'
}

url() { sed -n "s/^$1 = //p" "$N/config/demo/vo.conf"; }

@test "revoked: old tokens are refused at every service, without a restart; new ones go on" {
	local before
	before=$(daemons)
	roll ca revoke --reason "the old machine was sold"
	run -1 as admin xos-vo member list
	[[ $output == *"was revoked at"*"the old machine was sold"* ]]
	run -1 as admin xos-node list
	run -1 as admin xos-policy list
	run ! as admin xos-acct list
	retry node_serial
	retry no_job alice
	grep -q "revoked" "$N/refused"
	job new
	as newadmin xos-vo member list
	as newadmin xos-node list
	as newadmin xos-acct list
	[ "$(daemons)" = "$before" ]
	openssl crl -inform DER -in "$N/vo/cad/trust/root.crl" -noout -text |
		grep -qi "$(openssl x509 -in "$N/vo/cad/ca.old.pem" -noout -serial | cut -d= -f2)"
}

@test "a lower serial, another root's list and half of one change nothing" {
	local f trust=$N/vo/rcad/trust
	mkdir "$BATS_TEST_TMPDIR/o"
	xos-cad root-init --dir "$BATS_TEST_TMPDIR/root" --vo demo
	xos-cad init --dir "$BATS_TEST_TMPDIR/cad" --vo demo --admin eve --password-stdin <"$N/admin.pw"
	xos-cad root-sign --dir "$BATS_TEST_TMPDIR/root" --kind ca --csr "$BATS_TEST_TMPDIR/cad/ca.csr" --out "$BATS_TEST_TMPDIR/ca.pem"
	xos-cad root-trust --dir "$BATS_TEST_TMPDIR/root" --certificate "$BATS_TEST_TMPDIR/ca.pem" --state active --out "$BATS_TEST_TMPDIR/o/foreign"
	run -1 xos-cad root-trust --dir "$N/vo/root" --certificate "$BATS_TEST_TMPDIR/ca.pem" --state active
	run -1 xos-cad root-trust --dir "$N/vo/root" --certificate "$N/admin" --state active
	head -c 500 "$N/vo/root/trust.jws" >"$BATS_TEST_TMPDIR/o/half"
	cp "$N/list.1" "$BATS_TEST_TMPDIR/o/lower"
	for f in "$BATS_TEST_TMPDIR"/o/*; do
		cp "$f" "$trust/new" && mv "$trust/new" "$trust/trust.jws"
		run -1 as admin xos-node list
		as newadmin xos-node list
	done
	cp "$N/vo/root/trust.jws" "$trust/trust.jws"
}

@test "a node gets a certificate of the new key by itself; the old one is refused once its issuer is revoked" {
	cat "$N/first.pem" "$N/first.key" >"$BATS_TEST_TMPDIR/old.pem"
	retry renewed
	xos-node renew --dir "$N/n1" --force
	roll rca revoke
	retry node_serial
	[ "$(bundle "$BATS_TEST_TMPDIR/old.pem")" != 200 ]
	cat "$N/n1/credd/node.pem" "$N/n1/credd/node.key" >"$BATS_TEST_TMPDIR/new.pem"
	[ "$(bundle "$BATS_TEST_TMPDIR/new.pem")" = 200 ]
	retry job new
}
renewed() { openssl verify -partial_chain -trusted "$N/vo/rcad/rca.pem" "$N/n1/credd/node.pem" >/dev/null 2>&1; }
bundle() {
	curl -s --insecure --cert "$1" -o /dev/null -w '%{http_code}' "$(url vops)/v1/vo/demo/bundle?site=lab" || true
}

# What a kill leaves behind, made by hand: a key without its request, signed but not listed, listed but not exchanged, a
# key whose certificate has not followed, and a list that has not reached all folders.
@test "killed in any step, a rollover is finished by repeating the step" {
	local d=$N/vo/vopsd
	xos-vopsd rollover prepare --dir "$d"
	rm "$d/vops.next.csr"
	roll vops prepare
	xos-cad root-trust --dir "$N/vo/root" --certificate "$d/vops.next.pem" --state active
	roll vops activate
	roll vops taint
	roll vops prepare
	mv "$d/vops.next.key" "$d/vops.key"
	roll vops activate
	openssl x509 -in "$d/vops.pem" -noout -pubkey | cmp - <(openssl pkey -in "$d/vops.key" -pubout)
	xos-server stop --dir "$N/vo"
	roll vops taint
	roll vops prepare
	mv "$d/vops.next.key" "$d/vops.key"
	xos-server start --dir "$N/vo" # puts right what it finds
	openssl x509 -in "$d/vops.pem" -noout -pubkey | cmp - <(openssl pkey -in "$d/vops.key" -pubout)
	xos-cad root-trust --dir "$N/vo/root" --certificate "$d/vops.pem" --state active
	roll vops activate
	roll vops taint
	retry node_serial
	job new
}

@test "undo takes a prepared key away, and an activated one back" {
	roll vops prepare
	roll vops undo
	[ ! -e "$N/vo/vopsd/vops.next.key" ]
	roll vops prepare
	roll vops activate
	roll vops undo
	retry node_serial
	job new
	run -2 roll ca wrong
	# The root's medium, somewhere else.
	mv "$N/vo/root" "$N/medium"
	run ! roll accounting prepare
	roll accounting prepare --root "$N/medium"
	roll accounting activate --root "$N/medium"
	as newadmin xos-acct verify
	mv "$N/medium" "$N/vo/root"
	run -2 xos-server rollover ca
}

@test "a tainted key signs nothing new that counts" {
	local thief=$BATS_TEST_TMPDIR/rcad
	roll rca prepare
	roll rca activate
	cp -r "$N/vo/rcad" "$thief"
	rm -f "$thief"/key/issued.log*
	cp "$thief/rca.old.key" "$thief/rca.key"
	cp "$thief/rca.old.pem" "$thief/rca.pem"
	sed "s|$N/vo/rcad|$thief|" "$N/vo/rcad/rcad.conf" >"$thief/rcad.conf"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout "$thief/k" -out "$thief/csr" 2>/dev/null
	# Certificates begin five minutes early for clocks that are behind: the taint is set back as far.
	roll rca taint --since "$(date -u -d '-10 minutes' +%FT%TZ)"
	xos-rcad issue --config "$thief/rcad.conf" --service vops --name localhost --host localhost --csr "$thief/csr" --out "$thief/pem"
	cat "$thief/k" >>"$thief/pem"
	run curl -s --insecure --cert "$thief/pem" "$(url rca)/v1/vo/demo/locks"
	[[ $output == *issuer-tainted* ]]
}
