#!/usr/bin/env bats
# xos-policy at the command line: what it prints and how it exits. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin"
	policies=examples/policies
	sets=(--set $policies/demo-vo.xos --set $policies/lab-site.xos)
	submit=(--action job.submit --resource node:lab/n1)
}

explain() { run "$bin/xos-policy" explain "${sets[@]}" "$@"; }

@test "the examples check" {
	run "$bin/xos-policy" check $policies/*.xos
	[ "$status" -eq 0 ]
	[[ $output == *"demo-vo.xos: ok: vo demo, serial 1, 7 statements"* ]]
}

@test "errors are told with file, line, column and hint; exit 1" {
	printf 'vo "demo" serial 1 {\n  permit any action job.sumbit;\n  pemrit any;\n}\n' > "$BATS_TEST_TMPDIR/bad.xos"
	run "$bin/xos-policy" check $policies/demo-vo.xos "$BATS_TEST_TMPDIR/bad.xos"
	[ "$status" -eq 1 ]
	[[ $output == *"bad.xos:2:21: error: unknown action 'job.sumbit'"* ]]
	[[ $output == *"hint: did you mean job.submit?"* ]]
	[[ $output == *"bad.xos:3:3: error:"* ]]
	run "$bin/xos-policy" check --json "$BATS_TEST_TMPDIR/bad.xos"
	[ "$status" -eq 1 ]
	[[ $output == *'"line": 2'* && $output == *'"ok": false'* ]]
}

@test "a file that is not there: exit 1, named" {
	run "$bin/xos-policy" check "$BATS_TEST_TMPDIR/none.xos"
	[ "$status" -eq 1 ]
	[[ $output == *"none.xos"* ]]
}

@test "a physicist submits" {
	explain --subject demo:alice --group /demo/physics "${submit[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *"Permitted by the VO demo (statement demo@physics) and the site lab"* ]]
}

@test "a student is refused with the reason and the contact" {
	explain --subject demo:bob --group /demo/students "${submit[@]}"
	[ "$status" -eq 1 ]
	[[ $output == *"Refused by the VO demo (statement demo@no-students"* ]]
	[[ $output == *"Students use the batch queue"* && $output == *"ops@demo.example"* ]]
}

@test "another VO's member, and a physicist of another VO, get nothing" {
	explain --subject biomed:alice --group /biomed/physics "${submit[@]}"
	[ "$status" -ne 0 ]
	explain --subject biomed:alice --group /demo/physics "${submit[@]}"
	[ "$status" -eq 3 ]
}

@test "a restriction takes rights away" {
	explain --subject demo:alice --group /demo/physics "${submit[@]}" --delegation $policies/job-restriction.xos
	[ "$status" -eq 1 ]
	[[ $output == *"the delegation by alice"* ]]
}

@test "owners cancel their jobs, others do not" {
	explain --subject demo:alice --action job.cancel --resource job:42 --at lab/n1 --owner demo:alice
	[ "$status" -eq 0 ]
	explain --subject demo:bob --action job.cancel --resource job:42 --at lab/n1 --owner demo:alice
	[ "$status" -eq 1 ]
}

@test "without the site's set nothing is decided: exit 3" {
	run "$bin/xos-policy" explain --set $policies/demo-vo.xos --subject demo:alice --group /demo/physics "${submit[@]}"
	[ "$status" -eq 3 ]
	[[ $output == *"the site lab has no policy here"* ]]
}

@test "the answer as JSON" {
	explain --json --subject demo:bob --group /demo/students "${submit[@]}"
	[ "$status" -eq 1 ]
	[[ $output == *'"decision": false'* && $output == *"batch queue"* ]]
}

@test "usage errors exit 2" {
	explain --subject demo:alice
	[ "$status" -eq 2 ]
	explain --subject alice "${submit[@]}"
	[ "$status" -eq 2 ]
	run "$bin/xos-policy" nonsense
	[ "$status" -eq 2 ]
}

@test "an attribute that does not exist, or of the wrong type: exit 1, named" {
	explain --subject demo:alice "${submit[@]}" --attr job.wal=2h
	[ "$status" -eq 1 ]
	[[ $output == *"job.wal"* ]]
	explain --subject demo:alice "${submit[@]}" --attr job.wall=2
	[ "$status" -eq 1 ]
	[[ $output == *"not a duration"* ]]
}

@test "help has examples" {
	run "$bin/xos-policy" --help
	[ "$status" -eq 0 ]
	[[ $output == *"Examples:"* ]]
}

@test "explain tells levels, forbids and what would help" {
	run "$bin/xos-policy" explain --set $policies/biomed --subject biomed:alice --group /biomed/research/clinical --home chu.example \
		--action file.read --resource file:/patients/1 --at hospital/data --auth-age 3h --auth-mfa no --auth-method saml --attr ctx.src=131.254.1.1
	[ "$status" -eq 1 ]
	[[ $output == *"vo biomed, serial "*": has no permit for it (refuses)"* ]]
	[[ $output == *"site hospital, serial "*": grants by hospital@patients"* ]]
	[[ $output =~ would\ help:\ +auth.age\ \<\ 2h\ and\ auth.mfa$ ]]
	run "$bin/xos-policy" explain --set $policies/biomed --subject biomed:bob --group /biomed/students --held /biomed/Role=gpu \
		--action job.submit --resource node:rennes/g1 --now 2026-11-28T10:00:00Z
	[ "$status" -eq 1 ]
	[[ $output == *"biomed@gpu, forbid"* && $output == *"biomed@students-at-night, forbid"* ]]
	[[ $output =~ would\ help:\ +role\ /biomed/Role=gpu\ and\ time\ in\ mon-fri ]]
	explain --subject demo:bob --group /demo/students "${submit[@]}"
	[[ $output == *"somebody must change a policy"* ]]
	explain --json --subject demo:bob --group /demo/students "${submit[@]}"
	[[ $output == *'"would_help"'* ]]
	explain --subject demo:alice --group /demo/physics "${submit[@]}"
	[[ $output != *"would help"* ]]
}

@test "push --site of a text that nobody signed says how to sign it, before anything is sent" {
	run "$bin/xos-policy" push --site lab $policies/lab-site.xos
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"lab-site.xos is not signed: sign it first with \`xos-policy sign"* ]]
	printf 'bWFkZQ.dXA.YWxs\n' > "$BATS_TEST_TMPDIR/signed"
	XOS_CONFIG="$BATS_TEST_TMPDIR/none" run "$bin/xos-policy" push --site lab "$BATS_TEST_TMPDIR/signed"
	[ "$status" -ne 0 ]
	[[ $output != *"sign it first"* ]]
}

@test "messages never carry what a terminal would obey, whatever the text or its file is called" {
	for bytes in '\xe2\x80\xae' '\xc2\x9b' '\xd8\x9c' '\x1b' '\xff'; do
		file="$BATS_TEST_TMPDIR/$(printf "a${bytes}b").xos"
		printf "vo \"demo\" serial 1 { permit us${bytes}er }\n" > "$file"
		run "$bin/xos-policy" check "$file"
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *"/a?"*"b.xos:1:"* ]]
		if printf %s "$output" | LC_ALL=C grep -qF "$(printf "$bytes")"; then
			return 1
		fi
	done
}
