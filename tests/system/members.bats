#!/usr/bin/env bats
# The life of a VO and of its members, with the real programs. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority

setup_file() {
	authority_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	xos-vo group add /demo/physics >/dev/null
	xos-vo group add /demo/chemistry >/dev/null
	local name
	for name in alice bob; do
		echo "$name-secret" | xos-vo member add "$name" --password-stdin >/dev/null
	done
}

# A test that starts it anew cannot hand the pid on: the file has it.
teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$AUTH/log" >&2
	fi
}

# as NAME [--role ROLE] -- COMMAND...: with a token of that member's own.
login() { echo "$1-secret" | xos-login "$1" --password-stdin --out "$AUTH/$1.token" "${@:2}"; }
by() { XOS_TOKEN=$AUTH/$1.token "${@:2}"; }

@test "a group's administrator changes that group and below, nothing beside or above" {
	xos-vo member join alice /demo/physics
	xos-vo role grant alice /demo/physics/Role=admin
	login alice --role /demo/physics/Role=admin
	by alice xos-vo group add /demo/physics/hep
	by alice xos-vo group describe /demo/physics/hep "high energy"
	by alice xos-vo member join bob /demo/physics/hep
	by alice xos-vo role grant bob /demo/physics/hep/Role=editor
	run by alice xos-vo group show /demo/physics/hep --json
	[ "$status" -eq 0 ]
	[[ $output == *'"bob"'* ]]
	run by alice xos-vo role list /demo/physics
	[ "$status" -eq 0 ]
	[[ $output == *"/demo/physics/hep/Role=editor"*bob* ]]
	# beside and above
	local refused=("group add /demo/chemistry/x" "group add /demo/x" "group remove /demo/physics"
		"member join bob /demo/chemistry" "role grant alice /demo/Role=admin" "role grant bob /demo/Role=x"
		"group show /demo/chemistry" "group describe /demo bad" "role list" "member list" "member suspend bob"
		"group add /demo/physics2" "member add mallory --no-password" "end --at 2099-01-01" "role list /demo")
	local c
	for c in "${refused[@]}"; do
		# shellcheck disable=SC2086
		run by alice xos-vo $c --json
		echo "$c: $output"
		[ "$status" -eq 1 ]
		[[ $output == *'"not-administrator"'* ]]
	done
	# without the role in the token, the role alone does not help
	login alice
	run by alice xos-vo group add /demo/physics/other --json
	[ "$status" -eq 1 ]
	[[ $output == *'"not-administrator"'* ]]
	# and the token alone does not help once the role is gone
	login alice --role /demo/physics/Role=admin
	xos-vo role revoke alice /demo/physics/Role=admin
	run by alice xos-vo group add /demo/physics/other --json
	[ "$status" -eq 1 ]
	[[ $output == *'"not-administrator"'* ]]
}

@test "a group goes only when nothing depends on it" {
	run xos-vo group remove /demo/physics --json
	[ "$status" -eq 1 ]
	[[ $output == *'"group-used"'* ]]
	run xos-vo group remove /demo --json
	[ "$status" -eq 1 ]
	xos-vo group add /demo/gone
	xos-vo group remove /demo/gone
	run xos-vo group remove /demo/gone --json
	[ "$status" -eq 1 ]
	[[ $output == *'"no-group"'* ]]
}

@test "a suspended member gets no token, is told why, and comes back" {
	login bob
	xos-vo member suspend bob "stolen laptop"
	run login bob
	[ "$status" -eq 1 ]
	[[ $output == *suspended* && $output == *"stolen laptop"* ]]
	run by bob xos-vo describe --json
	[ "$status" -eq 1 ]
	[[ $output == *'"member-suspended"'* ]]
	# after a wrong password nobody learns it
	run xos-login bob --password-stdin <<<"wrong-secret"
	[[ $output != *suspended* ]]
	run xos-vo member suspend bob --json
	[ "$status" -eq 1 ]
	[[ $output == *'"member-state"'* ]]
	xos-vo member resume bob
	login bob
	run xos-vo member suspend ada --json
	[ "$status" -eq 1 ]
	[[ $output == *'"last-administrator"'* ]]
}

@test "no token outlives the membership, and who expired is told whom to ask" {
	xos-vo set --contact help@demo.example --title "A demonstration"
	xos-vo member until bob 90s
	run login bob --json
	[ "$status" -eq 0 ]
	[ "$(sed -n 's/.*"seconds_left": \([0-9]*\).*/\1/p' <<<"$output")" -le 90 ]
	xos-vo member until bob 30s
	run login bob
	[ "$status" -eq 1 ]
	[[ $output == *"ends within a minute"* ]]
	run xos-vo member until bob 1999-01-01 --json
	[ "$status" -eq 1 ]
	run xos-vo member until ada 90d --json
	[ "$status" -eq 1 ]
	[[ $output == *'"last-administrator"'* ]]
	run xos-vo member until bob tomorrow
	[ "$status" -eq 2 ]
	xos-vo member until bob never
	login bob
}

@test "the VO is described, set, closed and opened again" {
	# a word that --model does not know is wrong use, whatever the authority would say
	for model in federated foo; do
		run xos-vo set --model $model --json
		[ "$status" -eq 2 ]
		[[ $output == *'"usage"'* && $output == *gateway* ]]
	done
	xos-vo set --model open --invited-life 90d
	run by bob xos-vo describe
	[ "$status" -eq 0 ]
	[[ $output == *" 90d"* && $output != *90d0h* ]]
	[[ $output == *"A demonstration"* && $output == *help@demo.example* && $output == *open* ]]
	run xos-vo close
	[ "$status" -eq 2 ]
	run xos-vo close --confirm other --json
	[ "$status" -eq 1 ]
	xos-vo close --confirm demo
	run login bob --json
	[ "$status" -eq 1 ]
	[[ $output == *'"vo-closed"'* && $output == *help@demo.example* ]]
	run by bob xos-vo describe --json
	[[ $output == *'"vo-closed"'* ]]
	run admin --json
	[ "$status" -eq 0 ]
	[ "$(sed -n 's/.*"seconds_left": \([0-9]*\).*/\1/p' <<<"$output")" -le 3600 ]
	run xos-vo describe
	[[ $output == *CLOSED* ]]
	xos-vo reopen
	login bob
	admin
}

@test "no token outlives the VO" {
	run xos-vo end --at 2001-01-01 --json
	[ "$status" -eq 1 ]
	xos-vo end --at 2h
	run login bob --json
	[ "$status" -eq 0 ]
	[ "$(sed -n 's/.*"seconds_left": \([0-9]*\).*/\1/p' <<<"$output")" -le 7200 ]
	xos-vo end --at never
	run login bob --json
	[ "$(sed -n 's/.*"seconds_left": \([0-9]*\).*/\1/p' <<<"$output")" -gt 7200 ]
}

field() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p"; }

# apply NAME: from a folder of the applicant's own
apply() {
	mkdir -p "$AUTH/$1.config"
	cp -r "$XOS_CONFIG/." "$AUTH/$1.config/"
	echo "$1-secret" | xos-vo apply "$1" --config "$AUTH/$1.config" --contact "$1@site.example" \
		--text "group of Prof. A" --password-stdin "${@:2}"
}

@test "a stranger applies, is approved, and logs in with the wished password" {
	run --separate-stderr apply carol --json
	[ "$status" -eq 0 ]
	local id
	id=$(field id <<<"$output")
	[ "$(stat -c %a "$AUTH/carol.config/demo/application")" = 600 ]
	run xos-vo application --config "$AUTH/carol.config"
	[ "$status" -eq 1 ]
	[[ $output == *pending* ]]
	run xos-vo applications
	[[ $output == *"$id"*carol*"carol@site.example"*"Prof. A"* ]]
	run login carol
	[ "$status" -eq 1 ]
	xos-vo approve "$id" --group /demo/physics
	run xos-vo application --config "$AUTH/carol.config"
	[ "$status" -eq 0 ]
	login carol
	run xos-vo member show carol
	[[ $output == *"carol@site.example"* && $output == */demo/physics* ]]
	# decided once
	run xos-vo approve "$id" --json
	[ "$status" -eq 1 ]
	[[ $output == *'"application-decided"'* ]]
	# neither password nor verifier are in the record
	run xos-cad log --config "$CONF"
	[[ $output == *application.approve* && $output != *SCRAM-SHA-256* && $output != *carol-secret* ]]
}

@test "a stranger who is denied reads why; nobody learns who is a member" {
	local id
	id=$(apply alice --json | field id)
	run xos-vo applications --json
	[[ $output == *'"taken": true'* ]]
	run xos-vo approve "$id" --json
	[ "$status" -eq 1 ]
	[[ $output == *'"member-exists"'* ]]
	xos-vo deny "$id" "the name is taken"
	run xos-vo application --config "$AUTH/alice.config"
	[ "$status" -eq 1 ]
	[[ $output == *denied*"the name is taken"* ]]
	# without the secret the application does not exist
	sed -i 's/"secret":"./"secret":"z/' "$AUTH/alice.config/demo/application"
	run xos-vo application --config "$AUTH/alice.config" --json
	[ "$status" -eq 1 ]
	[[ $output == *'"no-application"'* ]]
	# alice still has her own password, not the applicant's
	login alice
}

@test "one address cannot fill the queue, and members do not decide" {
	local i id
	for i in 1 2 3 4 5; do apply "dora$i" --json >/dev/null; done
	run apply dora6 --json
	[ "$status" -eq 3 ]
	[[ $output == *'"applications-address"'* ]]
	id=$(xos-vo applications --json | field id | head -n 1)
	login alice
	local c
	for c in "applications" "approve $id" "deny $id no"; do
		# shellcheck disable=SC2086
		run by alice xos-vo $c --json
		[ "$status" -eq 1 ]
		[[ $output == *'"not-administrator"'* ]]
	done
	for id in $(xos-vo applications --json | field id); do xos-vo deny "$id" "a test"; done
	run apply 'Dora!'
	[ "$status" -eq 2 ]
}

accept() { xos-login --code "$1" --password-stdin --out "$AUTH/$1.token" <<<"$2"; }

@test "whoever is invited becomes a member at the first log-in with the code, once" {
	local code
	admin
	code=$(xos-vo invite erin --group /demo/physics --ends 2099-01-01 --contact erin@site.example --json | field code)
	run xos-vo member show erin --json
	[ "$status" -eq 1 ]
	[[ $output == *'"no-member"'* ]]
	run xos-vo invitations
	[[ $output == *erin*ada*/demo/physics* ]]
	# nobody else gets the name meanwhile: the code would open that membership
	run xos-vo member add erin --no-password --json
	[ "$status" -eq 1 ]
	[[ $output == *'"member-invited"'* ]]
	run xos-vo invite erin --json
	[ "$status" -eq 1 ]
	accept erin "$code"
	run accept erin "$code"
	[ "$status" -eq 1 ]
	run xos-vo member show erin
	[[ $output == *2099-01-01* && $output == *ada* && $output == */demo/physics* && $output == *erin@site.example* ]]
	run xos-vo invitations --json
	[[ $output != *erin* ]]
	# the record says who asked and who came
	run xos-cad log --config "$CONF"
	[[ $output == *'"invitation.accept"'* && $output != *"$code"* ]]
}

@test "a withdrawn invitation opens nothing, and its name is free" {
	local old new
	old=$(xos-vo invite fred --json | field code)
	xos-vo withdraw fred
	run accept fred "$old"
	[ "$status" -eq 1 ]
	new=$(xos-vo invite fred --json | field code)
	run accept fred "$old"
	[ "$status" -eq 1 ]
	run xos-vo member show fred
	[ "$status" -eq 1 ]
	accept fred "$new"
	run xos-vo withdraw fred --json
	[ "$status" -eq 1 ]
	[[ $output == *'"no-invitation"'* ]]
}

@test "in an administered VO members invite nobody; a group's administrator invites into it" {
	xos-vo set --model administered
	login alice
	run by alice xos-vo invite gina --json
	[ "$status" -eq 1 ]
	[[ $output == *'"not-administrator"'* ]]
	xos-vo role grant alice /demo/physics/Role=admin
	login alice --role /demo/physics/Role=admin
	run by alice xos-vo invite gina --group /demo/chemistry --json
	[ "$status" -eq 1 ]
	run by alice xos-vo invite gina --group /demo/physics --group /demo/chemistry --json
	[ "$status" -eq 1 ]
	local code
	code=$(by alice xos-vo invite gina --group /demo/physics/hep --json | field code)
	run by alice xos-vo invitations
	[[ $output == *gina* ]]
	accept gina "$code"
	# not for ever, whatever was asked for
	run xos-vo member show gina --json
	[[ $output == *'"until"'*  && $output == *'"sponsor": "alice"'* ]]
}

@test "in an open VO members invite, answer for whom they invited, and may renew them" {
	xos-vo set --model open --invited-life 90d
	login alice
	local code
	code=$(by alice xos-vo invite hugo --json | field code)
	run by alice xos-vo invite hans --ends 2099-01-01 --json
	[ "$status" -eq 1 ]
	[[ $output == *'"invited-life"'* ]]
	# the sponsor is suspended before it is taken up
	xos-vo member suspend alice
	run xos-login --code hugo --password-stdin --out "$AUTH/hugo.token" --json <<<"$code"
	[ "$status" -eq 1 ]
	[[ $output == *'"sponsor-left"'* ]]
	xos-vo member resume alice
	accept hugo "$code"
	xos-vo member until hugo 2d
	# who may invite nobody any more renews nobody either
	xos-vo set --model administered
	run by alice xos-vo member renew hugo --json
	[ "$status" -eq 1 ]
	[[ $output == *'"not-administrator"'* ]]
	xos-vo set --model open
	by alice xos-vo member renew hugo
	run by gina xos-vo member renew hugo --json
	[ "$status" -eq 1 ]
	xos-vo member suspend alice
	run xos-vo member show hugo --json
	[[ $output == *'"sponsor_left": true'* ]]
	run xos-vo describe
	[[ $output == *"sponsor left"* ]]
	xos-vo member resume alice
}

@test "who has not accepted the rules in force gets no token, and nothing is accepted silently" {
	printf 'Be kind.\nDo not mine coins.\n' >"$AUTH/rules1"
	echo 'Be kind, and brief.' >"$AUTH/rules2"
	run xos-vo rules show
	[ "$status" -eq 1 ]
	xos-vo rules set "$AUTH/rules1"
	run xos-vo rules show --config "$AUTH/carol.config"
	[ "$status" -eq 0 ]
	[[ $output == *"version 1"*"Be kind."*"Do not mine coins."* && $output != *"?"* ]]
	run login bob --json
	[ "$status" -eq 1 ]
	[[ $output == *'"rules-not-accepted"'* ]]
	run login bob --accept-rules 2 --json
	[ "$status" -eq 1 ]
	[[ $output == *'"rules-changed"'* ]]
	run login bob --accept-rules yes
	[ "$status" -eq 2 ]
	# a wrong password accepts nothing
	run xos-login bob --password-stdin --accept-rules 1 <<<"wrong-secret"
	[ "$status" -eq 1 ]
	login bob --accept-rules 1
	login bob
	run xos-vo member show bob --json
	[[ $output == *'"rules": 1'* ]]
	# a new version is asked for anew; an old acceptance is none
	xos-vo rules set "$AUTH/rules2"
	run login bob --json
	[ "$status" -eq 1 ]
	run login bob --accept-rules 1 --json
	[ "$status" -eq 1 ]
	login bob --accept-rules 2
	admin --accept-rules 2
	# an invitation's code is not used up by the question
	local code
	code=$(xos-vo invite ivan --json | field code)
	run accept ivan "$code"
	[ "$status" -eq 1 ]
	xos-login --code ivan --password-stdin --accept-rules 2 --out "$AUTH/ivan.token" <<<"$code"
	# the record has who accepted which text
	run xos-cad log --config "$CONF"
	local digest
	digest=$(sha256sum <"$AUTH/rules1")
	[[ $output == *"${digest%% *}"* && $output == *'"rules.accept"'* ]]
}

@test "on a terminal the rules are shown and asked" {
	login alice --accept-rules 2
	echo 'Third rules.' >"$AUTH/rules3"
	xos-vo rules set "$AUTH/rules3"
	try() { # ANSWER: what a person on a terminal sees
		printf 'exec 3<<<alice-secret; xos-login alice --password-fd 3 --out %q\n' "$AUTH/alice.token" >"$AUTH/try"
		run script -qec "bash $AUTH/try" "$AUTH/typescript" <<<"$1"
		echo "$output"
	}
	try no
	[ "$status" -eq 1 ]
	[[ $output == *"Third rules."*"Type yes"*"not accepted"* ]]
	run login alice --json
	[ "$status" -eq 1 ]
	try yes
	[ "$status" -eq 0 ]
	login alice
}

glass() { xos-login --code break-glass --password-stdin --out "$AUTH/glass.token" "${@:2}" <<<"$1"; }

@test "the sealed administrator comes in once, for short, past locks, and everybody sees it" {
	admin --accept-rules 3
	run xos-vo member add break-glass --no-password --json
	[ "$status" -eq 1 ]
	[[ $output == *'"sealed"'* ]]
	local old code
	old=$(xos-vo break-glass --json | field code)
	code=$(xos-vo break-glass --json | field code)
	run xos-vo describe
	[[ $output == *break-glass:* && $output != *USED* ]]
	# nothing else gives it a secret or takes it away
	local c
	for c in "code break-glass" "member remove break-glass" "member suspend break-glass" "member until break-glass 2d" \
		"role revoke break-glass /demo/Role=admin"; do
		# shellcheck disable=SC2086
		run xos-vo $c --json
		echo "$c: $output"
		[ "$status" -eq 1 ]
		[[ $output == *'"sealed"'* ]]
	done
	run xos-vo password break-glass --password-stdin --json <<<"long-enough-secret"
	[ "$status" -eq 1 ]
	# it is not the last administrator whom a lock may leave
	run xos-vo lock role /demo/Role=admin --json
	[ "$status" -eq 1 ]
	[[ $output == *'"last-administrator"'* ]]
	run glass "$old"
	[ "$status" -eq 1 ]
	run glass "$code" --role /demo/Role=admin --lifetime 12h --json
	[ "$status" -eq 0 ]
	[ "$(sed -n 's/.*"seconds_left": \([0-9]*\).*/\1/p' <<<"$output")" -le 3600 ]
	run glass "$code" --role /demo/Role=admin
	[ "$status" -eq 1 ]
	# it can recover, and cannot seal itself
	by glass xos-vo role grant bob /demo/Role=admin
	run by glass xos-vo break-glass --json
	[ "$status" -eq 1 ]
	[[ $output == *'"sealed"'* ]]
	run xos-vo describe
	[[ $output == *"BREAK-GLASS USED"* ]]
	grep -q 'level=error.*event=break-glass.used' "$AUTH/log"
	run xos-cad log --config "$CONF"
	[[ $output == *'"break-glass.use"'* && $output != *"$code"* ]]
	xos-vo role revoke bob /demo/Role=admin
	# an export leaves it out
	run xos-vo export
	[[ $output != *break-glass* ]]
}

@test "on the authority's own machine it can be sealed when nobody is left to do it" {
	authority_stop
	local code
	xos-cad break-glass --config "$CONF" >"$AUTH/older.code"
	run xos-cad break-glass --config "$CONF" --json
	[ "$status" -eq 0 ]
	[ "$(jq -r '"\(.vo) \(.member)"' <<<"$output")" = "demo break-glass" ]
	code=$(jq -r .code <<<"$output")
	[[ $code =~ ^([0-9a-z]{4}-){4}[0-9a-z]{4}$ ]]
	authority_start
	run xos-vo describe
	[[ $output == *break-glass:* && $output != *USED* ]]
	glass "$code" --role /demo/Role=admin
	by glass xos-vo member list >/dev/null
	run glass "$code"
	[ "$status" -eq 1 ]
}
