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
