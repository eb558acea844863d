#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031
# What members do for themselves at a running xos-cad: passwords, second factors, renewal, their own tokens.
bats_require_minimum_version 1.5.0
load authority.bash
load totp.bash

setup_file() {
	authority_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	cp "$XOS_TOKEN" "$AUTH/ada"
	export XOS_TOKEN
	for name in bob eve tom; do
		echo "$name-secret-1" | ada xos-vo member add $name --password-stdin >/dev/null
	done
}

teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$AUTH/log" >&2
	fi
	# what a test started, its teardown_file does not know
	[ -z "${RESTARTED:-}" ] || authority_stop
}

ada() { XOS_TOKEN=$AUTH/ada "$@"; }
# The serials of one's tokens that are not ended.
unlocked() { xos-token list --json | jq -r '.tokens[] | select(.locked | not) | .serial'; }
# A terminal for COMMAND; what is typed comes from standard input.
on_terminal() { script -qec "$*" /dev/null; }
# Reads what the terminal shows, into shown, until TEXT is there; fails if it ends before.
until_shown() {
	local c
	while [[ $shown != *"$1"* ]]; do
		IFS= read -r -n 1 -d '' -t 60 -u 8 c || return 1
		shown+=$c
	done
}

@test "a code, and then a password of one's own" {
	ada xos-vo member add cleo --no-password
	code=$(ada xos-vo code cleo --json | jq -r .code)
	run xos-login --code cleo --set-password --password-stdin <<<"$code"$'\n'"cleo-secret-1"
	[ "$status" -eq 0 ]
	[[ $output == *"cleo has a new password"* ]]
	xos-login cleo --password-stdin <<<"cleo-secret-1"
	# the log-in was just now: the old one is not asked for
	run xos-token password --password-stdin <<<"cleo-secret-2"
	[ "$status" -eq 0 ]
	run xos-login cleo --password-stdin <<<"cleo-secret-1"
	[ "$status" -eq 1 ]
	xos-login cleo --password-stdin <<<"cleo-secret-2"
}

@test "a token is renewed by its own key" {
	xos-login bob --lifetime 2m --password-stdin <<<"bob-secret-1"
	old=$(xos-token show --json)
	run xos-login --renew bob
	[ "$status" -eq 0 ]
	[[ $output == *"renewed, valid for"* ]]
	new=$(xos-token show --json)
	[ "$(jq -r .serial <<<"$old")" != "$(jq -r .serial <<<"$new")" ]
	[ "$(jq -r .auth.time <<<"$old")" = "$(jq -r .auth.time <<<"$new")" ]
	# whoever logged in last elsewhere, what is renewed is the token that is there
	XOS_TOKEN=$AUTH/eve.token xos-login eve --password-stdin <<<"eve-secret-1"
	run xos-login --renew --json
	[ "$status" -eq 0 ]
	[ "$(jq -r .member <<<"$output")" = bob ]
	# no password is asked for when there is something to renew, and no role comes with it
	held=$(unlocked)
	run xos-login bob </dev/null
	[ "$status" -ne 0 ] # nothing would be gained: the password is asked for
	# and no token stays behind that nobody holds; the one in the file is as good as before
	[ "$(unlocked)" = "$held" ]
	[[ $held == *"$(xos-token show --json | jq -r .serial)"* ]]
	run xos-login --renew --role /demo/Role=admin bob
	[ "$status" -eq 1 ]
	xos-logout
	run xos-login --renew bob
	[ "$status" -eq 1 ]
	[[ $output == *"xos-login bob"* ]]
}

@test "a plain log-in renews what is about to end" {
	xos-login bob --lifetime 2m --password-stdin <<<"bob-secret-1"
	run xos-login bob </dev/null
	[ "$status" -eq 0 ]
	[[ $output == *renewed* ]]
}

@test "a second factor: enrolled, asked for, each code once, taken away" {
	xos-login tom --password-stdin <<<"tom-secret-1"
	# the secret is shown before the code is asked for
	mkfifo "$AUTH/typed"
	xos-token totp enrol --password-stdin <"$AUTH/typed" >"$AUTH/shown" 2>&1 &
	pid=$!
	exec 7>"$AUTH/typed"
	retry grep -q ^uri "$AUTH/shown"
	secret=$(sed -n 's/^secret: *//p' "$AUTH/shown")
	[[ $(cat "$AUTH/shown") == *"otpauth://totp/demo:tom?secret=$secret&issuer=demo"* ]]
	code=$(totp_code "$secret")
	echo "$code" >&7
	exec 7>&-
	wait $pid
	run xos-login tom --password-stdin <<<"tom-secret-1"
	[ "$status" -eq 1 ]
	[[ $output == *"second factor"* ]]
	run xos-login tom --password-stdin <<<"tom-secret-1"$'\n'"$code"
	[ "$status" -eq 1 ]
	[[ $output == *"used already"* ]]
	next=$(totp_code "$secret" 1)
	xos-login tom --password-stdin <<<"tom-secret-1"$'\n'"${next:0:3} ${next:3}"
	[ "$(xos-token show --json | jq .auth.mfa)" = true ]
	[[ $(xos-token totp status) == *enrolled* ]]
	[[ $(ada xos-vo totp show tom) == *"has a second factor"* ]]
	# of nobody there is nothing to say, and a member learns of nobody else whether there is one
	run ada xos-vo totp show nobody --json
	[ "$status" -eq 1 ]
	[[ $output == *'"no-member"'* ]]
	run xos-vo totp show nobody --json
	[ "$status" -eq 1 ]
	[[ $output != *'"no-member"'* ]]
	# renewed, it still says so
	xos-login --renew tom
	[ "$(xos-token show --json | jq .auth.mfa)" = true ]
	run xos-token totp remove --password-stdin <<<"$next"
	[ "$status" -eq 1 ]
	ada xos-vo totp remove tom
	xos-login tom --password-stdin <<<"tom-secret-1"
	[ "$(xos-token show --json | jq .auth.mfa)" = false ]
}

@test "who demands a second factor must have one" {
	run ada xos-vo totp require vo
	[ "$status" -eq 1 ]
	[[ $output == *"xos-token totp enrol"* ]]
	ada xos-vo group add /demo/lab
	ada xos-vo member join eve /demo/lab
	ada xos-vo totp require /demo/lab --in 1d
	xos-login eve --password-stdin <<<"eve-secret-1"
	[[ $(xos-token totp status) == *none*"/demo/lab, from 2"* ]]
	ada xos-vo totp release /demo/lab
	ada xos-vo totp require /demo/lab
	run xos-login eve --password-stdin <<<"eve-secret-1"
	[ "$status" -eq 1 ]
	[[ $output == *"/demo/lab"*"one-time code"* ]]
	ada xos-vo totp release /demo/lab
	xos-login eve --password-stdin <<<"eve-secret-1"
}

@test "own tokens are listed and ended, here and everywhere" {
	xos-login eve --password-stdin <<<"eve-secret-1"
	here=$(xos-token show --json | jq -r .serial)
	XOS_TOKEN=$AUTH/other xos-login eve --password-stdin <<<"eve-secret-1"
	other=$(XOS_TOKEN=$AUTH/other xos-token show --json | jq -r .serial)
	run xos-token list
	[[ $output == *"$here"*"this one"* && $output == *"$other"* ]]
	xos-token end "$other"
	run env XOS_TOKEN="$AUTH/other" xos-token list
	[ "$status" -eq 1 ]
	[[ $output == *"ended by its holder"* ]]
	run env XOS_TOKEN="$AUTH/other" xos-login --renew eve
	[ "$status" -eq 1 ]
	run xos-token end 0123
	[ "$status" -eq 1 ]
	cp "$XOS_TOKEN" "$AUTH/copy"
	run xos-logout --everywhere
	[ "$status" -eq 0 ]
	[[ $output == *"token $here is ended"* && $output != *"$other"* ]]
	[ ! -e "$XOS_TOKEN" ]
	run env XOS_TOKEN="$AUTH/copy" xos-token list
	[ "$status" -eq 1 ]
}

@test "a wrong clock is told, in minutes" {
	run --separate-stderr faketime -f -180s xos-login bob --password-stdin <<<"bob-secret-1"
	[ "$status" -eq 0 ]
	# shellcheck disable=SC2154
	[[ $stderr == *"your clock is 3 min behind the authority's"* ]]
	run faketime -f -3000s xos-login bob --password-stdin <<<"bob-secret-1"
	[ "$status" -ne 0 ]
	[[ $output == *"this clock says"*"clocks is wrong"* ]]
	xos-login bob --password-stdin <<<"bob-secret-1"
	run faketime -f +20m xos-token list
	[ "$status" -ne 0 ]
	[[ $output == *"in the future"*clock* || $output == *"20 min ahead"* ]]
}

@test "check says nothing, and says it by its exit status" {
	xos-login bob --password-stdin <<<"bob-secret-1"
	run xos-token check
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(xos-token check --json | jq .valid)" = true ]
	run xos-token needs-renewal --json
	[ "$status" -eq 1 ]
	[ "$(jq .needs_renewal <<<"$output")" = false ]
	run faketime -f +13h xos-token check
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	xos-logout
	run xos-token check
	[ "$status" -eq 1 ]
	[ -z "$output" ]
}

@test "without a token every tool says the same, and on a terminal offers to log in" {
	xos-login bob --password-stdin <<<"bob-secret-1" # who is offered
	xos-logout
	printf '%s = https://127.0.0.1:9\n' rca accounting vops >>"$XOS_CONFIG/demo/vo.conf"
	for tool in "xos-vo describe" "xos-token list" "xos-job submit -- true" "xos-acct list"; do
		# shellcheck disable=SC2086
		run $tool </dev/null
		[ "$status" -eq 1 ]
		[[ $output == *"You have no valid token for VO demo"*"xos-login"* ]]
	done
	run on_terminal xos-token list --no-input </dev/null
	[[ $output != *"Log in now"* ]]
	# typed when it is asked for, and not before
	coproc TERMINAL { on_terminal xos-token list 2>&1; }
	local pid=$TERMINAL_PID
	exec 8<&"${TERMINAL[0]}" 9>&"${TERMINAL[1]}"
	shown=
	until_shown "Log in now as bob?"
	echo y >&9
	until_shown "Password of bob in VO demo: "
	echo bob-secret-1 >&9
	until_shown "this one"
	exec 8<&- 9>&-
	wait "$pid"
}

@test "an old log-in changes no password, unless the old one is given" {
	xos-login bob --password-stdin <<<"bob-secret-1"
	# eleven minutes later, here and there
	authority_stop
	AHEAD=+660s authority_start
	RESTARTED=1
	run faketime -f +660s xos-token password --password-stdin <<<"not-bobs-secret"$'\n'"bob-secret-3"
	[ "$status" -eq 1 ]
	run faketime -f +660s xos-token password --password-stdin <<<"bob-secret-1"$'\n'"bob-secret-2"
	[ "$status" -eq 0 ]
	faketime -f +660s xos-login bob --password-stdin <<<"bob-secret-2"
}
