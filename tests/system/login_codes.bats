#!/usr/bin/env bats
# One-time codes: from the administrator to the member, once, and what they leave to be done.
load authority.bash

setup_file() {
	authority_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	cp "$XOS_TOKEN" "$AUTH/ada"
	XOS_TOKEN=$AUTH/ada xos-vo member add bob --no-password
}

teardown_file() { authority_remove; }

teardown() {
	# what a test started, its teardown_file does not know
	[ -z "${RESTARTED:-}" ] || authority_stop
}

ada() { XOS_TOKEN=$AUTH/ada "$@"; }

@test "a code logs in once, and the token says how" {
	code=$(ada xos-vo code bob --json | jq -r .code)
	[[ $code =~ ^([0-9a-z]{4}-){4}[0-9a-z]{4}$ ]]
	run xos-login --code bob --password-stdin <<<"${code^^}"
	[ "$status" -eq 0 ]
	[ "$(xos-token show --json | jq -r .auth.method)" = code ]
	run xos-login --code bob --password-stdin <<<"$code"
	[ "$status" -eq 1 ]
	[[ $output == *"one-time code"* ]]
}

@test "a mistyped code is found here, and costs no attempt" {
	code=$(ada xos-vo code bob --json | jq -r .code)
	local c found=0
	# one typing error of 1024 is not found: of these, all but one must be
	for c in 2 3 4; do
		[ "$c" != "${code:0:1}" ] || c=5
		run xos-login --code bob --password-stdin <<<"$c${code:1}"
		[ "$status" -ne 0 ]
		[[ $output != *mistyped* ]] || found=$((found + 1))
	done
	[ "$found" -ge 2 ]
	xos-login --code bob --password-stdin <<<"$code"
}

@test "a code ends, and its life is bounded" {
	run ada xos-vo code bob --for 8d
	[ "$status" -eq 2 ]
	[[ $output == *"8d"* ]]
	run ada xos-vo code bob --for 1h
	[ "$status" -eq 0 ]
	[[ $output == *"xos-login --code bob"* ]]
}

@test "members give no codes" {
	code=$(ada xos-vo code bob --json | jq -r .code)
	xos-login --code bob --password-stdin <<<"$code"
	run xos-vo code bob
	[ "$status" -eq 1 ]
	[[ $output == *Role=admin* ]]
}

@test "neither code nor verifier stands in the record" {
	code=$(ada xos-vo code bob --json | jq -r .code)
	ada xos-vo code bob >/dev/null
	run xos-cad log --config "$CONF"
	[[ $output == *member.code* ]]
	[[ $output != *"$code"* ]]
	[[ $output != *'SCRAM-SHA-256$'* ]]
}

@test "a database of before there were codes is brought up to date at the first start" {
	authority_stop
	sqlite3 "$AUTH/cad/auth/verifiers.db" "CREATE TABLE v (member TEXT PRIMARY KEY, verifier TEXT NOT NULL, changed BIGINT NOT NULL);
		INSERT INTO v SELECT member, verifier, changed FROM verifiers WHERE kind = 'password';
		DROP TABLE verifiers; ALTER TABLE v RENAME TO verifiers; DROP TABLE prepared;
		CREATE TABLE prepared (jti TEXT PRIMARY KEY, member TEXT NOT NULL, verifier TEXT); DROP TABLE applied;
		UPDATE schema_version SET version = 1;"
	RESTARTED=1
	authority_start
	admin
	code=$(xos-vo code bob --json | jq -r .code)
	xos-login --code bob --password-stdin <<<"$code"
}
