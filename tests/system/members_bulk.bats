#!/usr/bin/env bats
# Import and export: 10 000 members and 1 000 groups from one VO into another. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority

fresh() {
	authority_make
	echo "$AUTH" >"$W/auth"
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
}

setup_file() {
	export W
	W=$(mktemp -d "${TMPDIR:-/tmp}/xos-bulk.XXXXXX")
	fresh
	# 1 000 groups, ten times ten times ten; 10 000 members in three of them each
	awk 'BEGIN {
		print "kind,name,state,until,contact,groups,roles,about"
		for (i = 0; i < 10; i++) {
			print "group,/demo/g" i ",,,,,,\"group, " i "\""
			for (j = 0; j < 9; j++) {
				print "group,/demo/g" i "/s" j ",,,,,,"
				for (k = 0; k < 10; k++) print "group,/demo/g" i "/s" j "/t" k ",,,,,,"
			}
		}
		for (n = 0; n < 10000; n++) {
			state = n % 100 == 7 ? "suspended" : (n % 1000 == 13 ? "removed" : "active")
			g = "/demo/g" n % 10 "/s" n % 9 "/t" int(n / 10) % 10
			groups = state == "removed" ? "" : g " /demo/g" (n + 3) % 10
			roles = n % 50 == 0 && state == "active" ? g "/Role=editor" : ""
			until = n % 20 == 1 && state == "active" ? "2099-01-01T00:00:00Z" : (n % 500 == 2 ? "2001-01-01T00:00:00Z" : "")
			if (state == "removed") until = ""
			printf "member,m%05d,%s,%s,m%d@site.example,%s,%s,\n", n, state, until, n, groups, roles
		}
	}' >"$W/big.csv"
}

# The last test has a second authority, whose folder and pid it cannot hand on: files have them.
teardown_file() {
	AUTH=$(cat "$W/auth")
	read -r AUTHORITY_PID _ <"$AUTH/pid"
	export AUTHORITY_PID
	authority_remove
	rm -rf "$W"
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$AUTH/log" >&2
	fi
}

@test "a dry run says what would change, and changes nothing" {
	cat >"$W/small.csv" <<'X'
kind,name,groups,roles,until
group,/demo/physics,,,
group,/demo/physics/hep,,,
member,alice,/demo/physics/hep,/demo/physics/Role=editor,2099-01-01T00:00:00Z
member,ada,/demo/physics,,
X
	local before
	before=$(xos-vo export)
	run xos-vo import "$W/small.csv" --dry-run
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "line 2: group.add /demo/physics" ]
	[ "${lines[2]}" = "line 5: group.join ada /demo/physics" ]
	[[ $output == *"line 4: member.add alice"*"line 4: member.until alice 2099"*"line 4: group.join alice /demo/physics/hep"*"role.grant alice /demo/physics/Role=editor"* ]]
	[[ ${lines[-1]} == "7 changes would be made, and none was" ]]
	[ "$(xos-vo export)" = "$before" ]
	run xos-vo import "$W/small.csv"
	[ "$output" = "7 changes made" ]
	run xos-vo import "$W/small.csv"
	[ "$output" = "0 changes made" ]
}

@test "an error names line and column, and nothing of its batch is done" {
	local before
	before=$(xos-vo export)
	try() { # TEXT WHAT: refused with WHAT, nothing changed
		printf "$1" >"$W/bad.csv"
		run xos-vo import "$W/bad.csv"
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *"$2"* ]]
		[ "$(xos-vo export)" = "$before" ]
	}
	try 'kind,name,groups\nmember,zoe,\nmember,yan,/demo/none\n' "line 3, groups: "
	try 'kind,name\nmember,zoe\nmember,Yan\n' "line 3, name: "
	try 'kind,name,state\nmember,zoe,happy\n' "line 2, state: "
	try 'kind,name,until\nmember,zoe,tomorrow\n' "line 2, until: "
	try 'kind,name,roles\nmember,zoe,/demo/physics/Role=x\n' "line 2, roles: "
	try 'kind,name\nmember,zoe\nmember,zoe\n' "line 2 and line 3 are both about zoe"
	try 'kind,name\nmember,"zoe\n' "within quotes"
	try 'kind,name\nmember\n' "line 2, column 1: another number of fields"
	try 'kind,nom\nmember,zoe\n' "line 1, column 6"
	try 'kind,name\nrobot,zoe\n' "line 2, column 1"
	try 'kind,name,state\nmember,ada,suspended\n' "nobody would be left"
	try 'kind,name,state\nmember,alice,removed\n' "takes nothing away"
	try '' "the file is empty"
	printf '{"members": [{"name": "zoe"}, {"name": "yan", "groups": ["/demo/none"]}]}' >"$W/bad.json"
	run xos-vo import "$W/bad.json"
	[ "$status" -eq 1 ]
	[[ $output == *"members[1], groups: "* ]]
	[ "$(xos-vo export)" = "$before" ]
}

@test "members do neither" {
	echo bob-secret | xos-vo member add bob --password-stdin
	echo bob-secret | xos-login bob --password-stdin --out "$W/bob"
	local c
	for c in "import $W/small.csv" "import $W/small.csv --dry-run" "export"; do
		# shellcheck disable=SC2086
		XOS_TOKEN=$W/bob run xos-vo $c --json
		[ "$status" -eq 1 ]
		[[ $output == *'"not-administrator"'* ]]
	done
}

@test "10 000 members and 1 000 groups go from one VO into another and come out the same" {
	xos-vo import "$W/big.csv"
	run xos-vo import "$W/big.csv"
	[ "$output" = "0 changes made" ]
	run xos-vo describe
	[[ $output == *suspended*100* ]]
	xos-vo export --out "$W/1.csv"
	run xos-vo export --format csv --out "$W/again.csv" --json
	[ "$status" -eq 0 ]
	[ "$(jq .groups <<<"$output")" = "$(grep -c '^group,' "$W/1.csv")" ]
	cmp "$W/1.csv" "$W/again.csv"
	xos-vo export --format json --out "$W/1.json"
	# each batch is one act; the record has no line that is too long for it
	xos-cad log --config "$CONF" >"$W/log"
	[ "$(grep -c import.apply "$W/log")" -lt 200 ]
	authority_remove
	fresh
	xos-vo import "$W/1.csv" --dry-run >"$W/dry"
	[ "$(wc -l <"$W/dry")" -gt 30000 ]
	xos-vo import "$W/1.csv"
	xos-vo export --out "$W/2.csv"
	cmp "$W/1.csv" "$W/2.csv"
	xos-vo export --format json --out "$W/2.json"
	cmp "$W/1.json" "$W/2.json"
	run xos-vo import "$W/1.json"
	[ "$output" = "0 changes made" ]
}
