#!/usr/bin/env bats
# Grants of jobs at a running xos-cad: given, renewed by the job's and the node's keys, and ended. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority

setup_file() {
	authority_make
	printf '\n[token]\nlifetime = 1h\n' >>"$CONF"
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	xos-vo group add /demo/physics >/dev/null
	local m
	for m in alice bob carol; do
		echo "$m-secret" | xos-vo member add "$m" --group /demo/physics --password-stdin >/dev/null
		as "$m" xos-login "$m" --password-stdin >/dev/null <<<"$m-secret"
	done
	xos-vo role grant alice /demo/Role=editor >/dev/null
	local n
	for n in n1 n2; do
		openssl ecparam -name prime256v1 -genkey -noout -out "$AUTH/$n.key"
		chmod 600 "$AUTH/$n.key"
		xos-forge host "$AUTH/$n.key" demo "$n" - "$AUTH/rcad" "$AUTH/$n.pem"
	done
}

teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$AUTH/log" >&2
	fi
}

as() { # as MEMBER COMMAND...
	local who=$1
	shift
	XOS_TOKEN=$AUTH/$who "$@"
}

# Grants have names of their own in each case: give NAME MEMBER [SECONDS]
grant_of() { printf '%032x' "0x$(printf %s "$1" | cksum | cut -d' ' -f1)"; }
give() { xos-try-grant give "$AUTH/cad/trust" "$URL" demo "$AUTH/$2" "$(grant_of "$1")" n1 "$AUTH/$1.key" "${3:-86400}"; }
renew() { # renew NAME [NODE [KEY]]
	xos-try-grant renew "$AUTH/cad/trust" "$URL" demo "$(grant_of "$1")" "${3:-$AUTH/$1.key}" "$AUTH/${2:-n1}.pem" \
		"$AUTH/${2:-n1}.key" "$AUTH/$1.out"
}
refused() { # refused CODE COMMAND...
	local code=$1
	shift
	run "$@"
	if [ "$status" -ne 1 ] || [[ ${lines[*]} != *"$code"* ]]; then
		echo "$status: $output"
		return 1
	fi
}

@test "a job's credential is renewed, and is the member's as delegated" {
	as alice xos-login alice --role /demo/Role=editor --password-stdin >/dev/null <<<alice-secret
	give a alice
	renew a
	run env XOS_TOKEN="$AUTH/a.out" xos-token verify
	[ "$status" -eq 0 ]
	run env XOS_TOKEN="$AUTH/a.out" xos-token show --json
	[ "$(jq -r .member <<<"$output")" = alice ]
	[ "$(jq -r .uri <<<"$output")" = "spiffe://demo/delegation/$(grant_of a)" ]
	[ "$(jq -r '.roles[0]' <<<"$output")" = /demo/Role=editor ]
	[ "$(jq -r '.delegation[0].node' <<<"$output")" = n1 ]
	[ "$(jq -r '.delegation[0].id' <<<"$output")" = "$(grant_of a)" ]
	# twice, and the serials differ
	cp "$AUTH/a.out" "$AUTH/first"
	renew a
	run ! cmp -s "$AUTH/first" "$AUTH/a.out"
	# a role that was taken away drops out
	xos-vo role revoke alice /demo/Role=editor >/dev/null
	renew a
	[ "$(XOS_TOKEN=$AUTH/a.out xos-token show --json | jq '.roles | length')" = 0 ]
	# stock verifiers refuse what they do not know
	run openssl verify -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/cad/delegation.pem" "$AUTH/a.out"
	[ "$status" -ne 0 ]
	[[ $output == *"critical extension"* ]]
	# and what it is for does not reach further: no log-in, no command, no grant
	refused "" env XOS_TOKEN="$AUTH/a.out" xos-grant list
	cp "$AUTH/a.out" "$AUTH/delegated"
	refused grant-signer give again delegated
}

@test "the log has it: who granted, what was issued" {
	give log bob
	renew log
	run as bob xos-vo log show bob
	[ "$status" -eq 0 ]
	[[ $output == *grant.register* && $output == *delegation* ]]
	xos-cad log --config "$CONF" >"$AUTH/dump"
	grep -q "\"grant\":\"$(grant_of log)\"" "$AUTH/dump"
	grep -q '"type":"delegation"' "$AUTH/dump"
}

@test "only this job's key and this node's key together renew it" {
	give k bob
	renew k
	openssl ecparam -name prime256v1 -genkey -noout -out "$AUTH/other.key"
	chmod 600 "$AUTH/other.key"
	refused grant-key renew k n1 "$AUTH/other.key"
	refused grant-node renew k n2
	# the job's key was stolen: the thief signs as the node with a key of its own, or with the job's
	cp "$AUTH/n1.pem" "$AUTH/n3.pem"
	cp "$AUTH/other.key" "$AUTH/n3.key"
	refused "" renew k n3
	cp "$AUTH/k.key" "$AUTH/n3.key"
	refused "" renew k n3
	refused grant-unknown renew nobody
	# the same proof again
	renew k
	refused replayed xos-try-grant send "$AUTH/cad/trust" "$URL" demo "$(grant_of k)" "$AUTH/k.key" "$AUTH/k.out.body"
}

@test "members see and revoke their own, administrators all" {
	give mine bob
	give hers carol
	run as bob xos-grant list --json
	[[ $output == *"$(grant_of mine)"* && $output != *"$(grant_of hers)"* ]]
	refused grant-unknown as bob xos-grant revoke --json "$(grant_of hers)"
	refused not-administrator as bob xos-grant list --member carol --json
	refused grant-unknown as bob xos-grant show --json "$(grant_of hers)"
	run xos-grant list --member all --json
	[[ $output == *"$(grant_of mine)"* && $output == *"$(grant_of hers)"* ]]
	renew mine
	run as bob xos-grant revoke --reason "wrong data" "$(grant_of mine)"
	[ "$status" -eq 0 ]
	[[ $output == *"lasts until"* ]]
	refused grant-revoked renew mine
	run as bob xos-grant show "$(grant_of mine)"
	[[ $output == *"revoked by bob: wrong data"* ]]
	xos-grant revoke "$(grant_of hers)"
	refused grant-revoked renew hers
	refused grant-revoked give mine bob
	# all of a node, once it was banned
	give theirs carol
	refused not-administrator as bob xos-grant revoke --json --node n1
	run xos-grant revoke --node n9
	[ "$status" -eq 0 ]
	[[ $output == *"no grant is active"* ]]
	xos-grant revoke --json --node n1 --reason "node banned" | jq -e '.grants | length >= 1'
	refused grant-revoked renew theirs
	run xos-grant revoke
	[ "$status" -eq 2 ]
}

@test "an end that was reached can be extended; one too far is refused" {
	give e bob 2
	refused grant-too-long give far bob 700000
	sleep_until_ended() { [ "$(as bob xos-grant show --json "$(grant_of e)" | jq -r .state)" = ended ]; }
	retry sleep_until_ended
	refused grant-ended renew e
	give e bob 3600
	renew e
	refused grant-shorter give e bob 60
	refused grant-other give e carol 7200
}

@test "locks, suspension and leaving end it for good" {
	local k
	for k in member job grant token; do
		give "by-$k" carol
		renew "by-$k"
	done
	xos-vo lock job "$(grant_of by-job)" --wait 0 >/dev/null
	refused grant-revoked renew by-job
	xos-vo lock grant "$(grant_of by-grant)" --wait 0 >/dev/null
	refused grant-revoked renew by-grant
	xos-vo lock token "$(as carol xos-token show --json | jq -r .serial)" --wait 0 >/dev/null
	refused grant-revoked renew by-token
	as carol xos-login carol --password-stdin >/dev/null <<<carol-secret
	give again carol
	xos-vo lock member carol --wait 0 >/dev/null
	refused grant-revoked renew again
	refused locked give more carol
	xos-vo unlock member carol --wait 0 >/dev/null
	refused grant-revoked renew again
	give more carol
	xos-vo member suspend carol "gone for a while" >/dev/null
	refused grant-revoked renew more
	xos-vo member resume carol >/dev/null
	give last carol
	xos-vo member remove carol >/dev/null
	refused grant-revoked renew last
}

@test "grants survive a restart and a backup; a VO without the key says what to do" {
	give b bob
	renew b
	authority_stop
	authority_start
	renew b
	xos-cad backup --config "$CONF" --out "$AUTH/backup" >/dev/null
	authority_stop
	rm -rf "$AUTH/cad/auth" "$AUTH/cad/key"
	xos-cad restore --config "$CONF" --from "$AUTH/backup" >/dev/null
	mv "$AUTH/cad/delegation.pem" "$AUTH/delegation.kept"
	authority_start
	refused no-delegation-authority give new bob
	refused no-delegation-authority renew b
	run as bob xos-login bob --password-stdin <<<bob-secret
	[ "$status" -eq 0 ]
	authority_stop
	mv "$AUTH/delegation.kept" "$AUTH/cad/delegation.pem"
	authority_start
	renew b
	run as bob xos-grant show --json "$(grant_of b)"
	[ "$(jq -r .renewals <<<"$output")" -ge 2 ]
}

@test "an authority of an older version gets the key like any next one" {
	local d=$BATS_TEST_TMPDIR
	mkdir "$d/cad"
	cp -a "$AUTH/cad/ca.key" "$AUTH/cad/ca.pem" "$d/cad/"
	xos-cad rollover prepare --dir "$d/cad" --kind delegation
	xos-cad rollover prepare --dir "$d/cad" --kind delegation # killed, and again
	run xos-cad rollover activate --dir "$d/cad" --kind delegation
	[ "$status" -eq 1 ]
	[[ $output == *"--kind delegation"* ]]
	xos-cad root-sign --dir "$AUTH/root" --kind delegation --csr "$d/cad/delegation.next.csr" --out "$d/cad/delegation.next.pem"
	xos-cad rollover activate --dir "$d/cad" --kind delegation
	[ -f "$d/cad/delegation.key" ] && [ -f "$d/cad/delegation.pem" ]
	# and from then on a second one
	xos-cad rollover prepare --dir "$d/cad" --kind delegation
	xos-cad root-sign --dir "$AUTH/root" --kind delegation --csr "$d/cad/delegation.next.csr" --out "$d/cad/delegation.next.pem"
	xos-cad rollover activate --dir "$d/cad" --kind delegation
	[ -f "$d/cad/delegation.old.pem" ]
	run xos-cad rollover prepare --dir "$d/cad" --kind user
	[ "$status" -eq 2 ]
}
