#!/usr/bin/env bats
# xos-policy diff: which requests two policies answer differently. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	old=examples/policies/demo-vo.xos
	site=examples/policies/lab-site.xos
	t="$BATS_TEST_TMPDIR"
}

# The demo's set, changed by sed.
changed() {
	sed "$@" "$old" > "$t/new.xos"
	run "$bin" diff "$old" "$t/new.xos" --with "$site"
	echo "$output"
}

@test "nothing changed, nothing but order, names and comments: exit 0" {
	run "$bin" diff "$old" "$old" --with "$site"
	[ "$status" -eq 0 ]
	[[ $output == *"0 kinds of change"* ]]
	changed -e 's/serial 1/serial 2/' -e 's/^  #.*//'
	[ "$status" -eq 0 ]
	run "$bin" diff examples/policies/biomed examples/policies/biomed
	[ "$status" -eq 0 ]
}

@test "a forbid that goes: deny becomes permit, with an example and both reasons; exit 1" {
	changed '/@no-students/,/contact/d'
	[ "$status" -eq 1 ]
	[[ $output == *"- demo@no-students: forbid"* ]]
	[[ $output == *"job.submit: deny -> permit"* ]]
	[[ $output == *"example: demo:somebody (groups /demo/students) job.submit on node:lab/n1"* ]]
	[[ $output == *"before:  Refused by the VO demo (statement demo@no-students"* ]]
	[[ $output == *"after:   Permitted by the VO demo (statement demo@group-work)"* ]]
	[[ $output == *"1 kinds of change"* ]]
}

@test "a condition: an example just at its boundary" {
	changed 's/when subject.is_owner/when subject.is_owner and auth.age < 2h/'
	[ "$status" -eq 1 ]
	[[ $output == *"job.cancel: permit -> deny"* ]]
	[[ $output == *"auth.age 2h"* || $output == *"auth.age 7201s"* ]]
	changed 's/when subject.is_owner/when subject.is_owner and has auth.mfa and auth.mfa/'
	[[ $output == *"job.cancel: permit -> "* && $output != *"auth.mfa yes"* ]]
	[ "$status" -eq 1 ]
}

@test "limits: which, from what to what" {
	changed 's/wall <= 24h/wall <= 12h/'
	[ "$status" -eq 1 ]
	[[ $output == *"job.submit: limit wall 1d -> 12h"* ]]
	[[ $output == *"1 kinds of change"* ]]
	# What the site's limit hides is no change.
	changed 's/wall <= 24h/wall <= 24h; file_size <= 20GiB/'
	[ "$status" -eq 0 ]
}

@test "windows and dates of the biomedical VO" {
	cp -r examples/policies/biomed "$t/b"
	sed -i 's/mon-fri 08:00-20:00 Europe/mon-fri 08:00-18:00 Europe/' "$t/b/biomed-vo.xos"
	run "$bin" diff examples/policies/biomed "$t/b" --now 2026-11-24T10:00:00Z
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"job.submit: permit -> deny"*"/biomed/students"*"now 2026-11-"* ]]
	[[ $output != *"file.read:"* ]]
}

@test "another node, another tag: what hangs on it changes" {
	cp "$site" "$t/site.xos"
	sed -i 's/node n1 { class compute; }/node n1 { class login; }/' "$t/site.xos"
	run "$bin" diff "$site" "$t/site.xos" --with "$old"
	[ "$status" -eq 1 ]
	[[ $output == *"job.submit: permit -> deny"* ]]
}

@test "requests of a log are replayed; lines that are none are told; exit 3" {
	alice='{"subject":{"type":"user","id":"demo:alice","properties":{"groups":["/demo/physics"]}},"action":{"name":"job.submit"},"resource":{"type":"node","id":"lab/n1"}}'
	sed 's/wall <= 24h/wall <= 12h/' "$old" > "$t/new.xos"
	printf '%s\n%s\n' "$alice" "$alice" > "$t/r"
	run "$bin" diff "$old" "$t/new.xos" --with "$site" --requests "$t/r" --only-requests
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"example: $t/r:1"*"2 requests of those asked change so"*"in 2 requests asked"* ]]
	printf 'nonsense\n' >> "$t/r"
	run "$bin" diff "$old" "$t/new.xos" --with "$site" --requests "$t/r" --only-requests
	[ "$status" -eq 3 ]
	[[ $output == *"$t/r:3"* ]]
}

@test "the same as JSON, and usage" {
	sed '/@no-students/,/contact/d' "$old" > "$t/new.xos"
	"$bin" diff "$old" "$t/new.xos" --with "$site" --json > "$t/out" || [ $? -eq 1 ]
	python3 - "$t/out" <<-'PY'
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert d["complete"] and d["changes"][0]["change"] == "deny -> permit" and d["statements"][0]["change"] == "removed"
	PY
	run "$bin" diff "$old"
	[ "$status" -eq 2 ]
	run "$bin" diff "$old" "$old" --only-requests
	[ "$status" -eq 2 ]
	run "$bin" diff "$old" "$t/none"
	[ "$status" -eq 1 ]
	run "$bin" diff "$old" "$old" --requests "$t/none"
	[ "$status" -eq 1 ]
}

# A VO's set of one statement, before and after; nothing beside it but what is named.
differs() { # BEFORE AFTER [ARGUMENT...]
	printf 'vo "demo" serial 1 schema 2 { permit any action %s; }\n' "$1" > "$t/a.xos"
	printf 'vo "demo" serial 1 schema 2 { permit any action %s; }\n' "$2" > "$t/b.xos"
	shift 2
	run "$bin" diff "$t/a.xos" "$t/b.xos" "$@"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "a window that is a minute longer or shorter, in its zone, summer and winter" {
	differs 'token.issue when time in 08:00-20:00 Europe/Paris' \
		'token.issue when time in 08:00-20:01 Europe/Paris' --now 2026-11-24T10:00:00Z
	[[ $output == *"deny -> permit"*"now 2026-11-24T19:00:00Z"* ]]
	differs 'token.issue when time in 08:00-20:00 Europe/Paris' \
		'token.issue when time in 08:01-20:00 Europe/Paris' --now 2026-07-01T10:00:00Z
	[[ $output == *"permit -> deny"*"now 2026-07-01T06:00:00Z"* ]]
	differs 'token.issue when time in 22:00-06:00 UTC' 'token.issue when time in 22:00-05:59 UTC'
	differs 'token.issue when time in mon-fri 08:00-20:00 UTC' \
		'token.issue when time in mon-sat 08:00-20:00 UTC' --now 2026-11-24T10:00:00Z
	# The same in winter.
	differs 'token.issue when time in 08:00-20:00 Europe/Paris' \
		'token.issue when time in 08:00-20:00 +01:00' --now 2026-11-24T10:00:00Z
	# Only the old set names the zone.
	differs 'token.issue when time in 08:00-20:00 America/New_York' 'token.show' --now 2026-11-24T10:00:00Z
	[[ $output == *"token.issue: permit -> deny"* ]]
}

@test "a date a day later, in its zone; a window that counts on certain dates only" {
	differs 'token.issue when date in 2026-12-24..2026-12-31 Europe/Paris' \
		'token.issue when date in 2026-12-25..2026-12-31 Europe/Paris'
	[[ $output == *"permit -> deny"* ]]
	differs 'token.issue when date in 2026-12-24..2026-12-31 Europe/Paris' \
		'token.issue when date in 2026-12-24..2026-12-31 UTC'
	differs 'token.issue when date in 2027-03-01..2027-03-02 UTC and time in 08:00-20:00 UTC' \
		'token.issue when date in 2027-03-01..2027-03-02 UTC and time in 08:00-20:01 UTC'
}

@test "patterns of ids: files, jobs; without a site's set sites are made up, and told" {
	differs 'file.* when resource.id like "/data/run-??"' 'file.* when resource.id like "/data/run-?*"'
	[[ $output == *"file.read: deny -> permit"*"file:/data/run-x,"*"no site's set was given"* ]]
	differs 'file.read when resource.id like "/data/a*"' 'file.read when resource.id like "/data/a?*"'
	differs 'file.read when resource.id like "*.log"' 'file.read when resource.id like "*.log?"'
	differs 'file.read when resource.id == "/data/a"' 'file.read when resource.id in {"/data/a", "/data/b"}'
	differs 'job.show when resource.id like "run-??"' 'job.show when resource.id like "run-?"'
	[[ $output == *"job:run-x"* ]]
	differs 'job.submit when has job.name and job.name like "a??"' \
		'job.submit when has job.name and job.name like "a?*"'
}

@test "made-up sites have the nodes, classes and tags that the sets name" {
	differs 'job.submit on node:far/n7' 'job.submit on node:far/n8'
	[[ $output == *"node:far/n7"* ]]
	differs 'job.submit on class:big & tag:gpu' 'job.submit on class:big & tag:fast'
	differs 'job.submit on site:far' 'job.submit on site:near'
	differs 'job.submit on node:anywhere/n1' 'job.submit on site:anywhere'
}

@test "a site that declares no node has files, jobs and nodes all the same" {
	printf 'site "lab" serial 1 schema 2 { permit any action any; }\n' > "$t/lab.xos"
	differs 'file.read' 'file.write' --with "$t/lab.xos"
	[[ $output == *"file.read: permit -> deny"*"at lab,"* ]]
	[[ $output != *"no site's set"* ]]
	differs 'job.cancel' 'job.show' --with "$t/lab.xos"
	differs 'job.submit' 'session.open' --with "$t/lab.xos"
	printf 'site "lab" serial 1 { permit any action any; }\n' > "$t/a.xos"
	printf 'site "lab" serial 1 { permit any action job.*; }\n' > "$t/b.xos"
	printf 'vo "demo" serial 1 { permit any action any; }\n' > "$t/vo.xos"
	run "$bin" diff "$t/a.xos" "$t/b.xos" --with "$t/vo.xos"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"file.read: permit -> deny"* && $output != *"job.show:"* ]]
}

@test "more than could be asked, and nothing found: not known, exit 3" {
	cat >"$t/old.xos" <<-'X'
		vo "demo" serial 1 {
		  permit any action job.submit;
		}
	X
	sed 's/^}/  forbid any action job.submit when has job.cpu and has job.memory and has job.wall and job.cpu in {1,2,3,4,5,6,7,8} and job.memory in {1GiB,2GiB,3GiB,4GiB,5GiB,6GiB} and job.wall in {1h,2h,3h,4h,5h,6h} and not job.cpu <= 99;\n}/' \
		"$t/old.xos" >"$t/new.xos"
	run "$bin" diff "$t/old.xos" "$t/new.xos" --with "$site"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ $output == *"0 kinds of change in"*"there may be changes all the same"* ]]
	run "$bin" diff --json "$t/old.xos" "$t/new.xos" --with "$site"
	[ "$status" -eq 3 ]
	[[ $output == *'"complete":false'* || $output == *'"complete": false'* ]]
}
