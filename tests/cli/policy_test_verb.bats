#!/usr/bin/env bats
# xos-policy test: cases beside policies, and what they miss. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	policies=examples/policies
	t="$BATS_TEST_TMPDIR"
	cp $policies/demo-vo.xos $policies/lab-site.xos "$t"
}

# A file of cases with a good head and what the test adds.
cases() {
	printf 'policies demo-vo.xos lab-site.xos\nsubject alice\n  is demo:alice\n  groups /demo/physics\n%s\n' "$1" > "$t/a.test"
	run "$bin" test "$t/a.test"
}

@test "the demo's cases pass and reach every statement" {
	run "$bin" test --require-coverage $policies/demo.test
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"13 of 13 statements reached"* ]]
}

@test "a case that fails shows what was expected and what came; exit 1" {
	cases $'case bob may\n  subject demo:bob\n  groups /demo/students\n  action job.submit\n  on node:lab/n1\n  expect permit\n  because wrong words'
	[ "$status" -eq 1 ]
	[[ $output == *"FAIL $t/a.test:5: bob may"* ]]
	[[ $output == *"- expect permit  (line 10)"* && $output == *"- because wrong words  (line 11)"* ]]
	[[ $output == *"+ deny: Refused by the VO demo (statement demo@no-students"* ]]
	[[ $output == *"1 cases: 0 passed, 1 failed"* ]]
}

@test "each kind of expectation can fail" {
	local head=$'case x\n  subject alice\n  action job.submit\n  on node:lab/n1\n  expect permit\n'
	for line in "by demo@log-in" "not-by demo@physics" "lacks vo demo" "because purple" "limit wall 23h" \
		"limit none" "limit memory 1GiB" "duty record" "unknown ctx.src" "way-out /demo/Role=x" "shadow demo@physics"; do
		cases "$head  $line"
		echo "$line: $output"
		[ "$status" -eq 1 ]
		[[ $output == *"- $line  (line 10)"* ]]
	done
	for line in "by demo@physics" "not-by demo@no-students" "limit wall 24h" "limit memory none" "duty none" "unknown none" \
		"way-out none" "because Permitted"; do
		cases "$head  $line"
		echo "$line: $output"
		[ "$status" -eq 0 ]
	done
}

@test "statements that no case reached are listed; --require-coverage exits 1" {
	cases $'case x\n  subject alice\n  action job.submit\n  on node:lab/n1\n  expect permit'
	[ "$status" -eq 0 ]
	run "$bin" test --coverage "$t/a.test"
	[ "$status" -eq 0 ]
	[[ $output == *"not reached: $t/demo-vo.xos:16: demo@no-students, forbid group /demo/students"* ]]
	run "$bin" test --require-coverage "$t/a.test"
	[ "$status" -eq 1 ]
	run "$bin" test --json --require-coverage "$t/a.test"
	[ "$status" -eq 1 ]
	[[ $output == *'"not_reached"'* && $output == *'"statement": "demo@no-students"'* ]]
}

@test "what a file adds, another file need not reach again" {
	cp $policies/demo.test $policies/job-restriction.xos "$t"
	cases $'case x\n  subject alice\n  action job.submit\n  on node:lab/n1\n  expect permit'
	run "$bin" test --require-coverage "$t"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"15 cases: 15 passed"* ]]
}

@test "a malformed file of cases: exit 2, with file, line and column" {
	local ok=$'  subject alice\n  action job.submit\n  on node:lab/n1\n'
	try() {
		cases "$1"
		echo "$1 -> $output"
		[ "$status" -eq 2 ]
		[[ $output == *"$t/a.test:$2:"* ]]
		[[ $output == *"$3"* ]]
	}
	try $'case x\n'"$ok" 5 "expects nothing"
	try $'case x\n'"$ok"$'  expect perhaps' 9:10 "permit, deny or undecided"
	try $'case x\n'"$ok"$'  exepct permit' 9:3 "nothing that a case says"
	try $'case x\n'"$ok"$'  expect permit\n  job.wal 2h' 5 "job.wal"
	try $'case x\n'"$ok"$'  expect permit\n  limit wal 2h' 5 "no limit"
	try $'case x\n'"$ok"$'  expect permit\n  now tomorrow' 10:7 "time in UTC"
	try $'case x\n  subject nobody' 6:11 "no subject 'nobody'"
	try $'case' 5 "a case has a name"
	try $'case x\n'"$ok"$'  expect permit\n  table\n    a | b\n    1 | 2 | 3' 12 "3 cells"
	try $'case x\n'"$ok"$'  expect permit\n  table' 10 "no rows"
	try $'frobnicate everything' 5:1 "frobnicate"
}

@test "hostile files of cases end soon with an error" {
	head -c 2000000 /dev/zero > "$t/zero.test"
	head -c 5000 /dev/urandom > "$t/noise.test"
	printf 'case x\n  subject %s\n' "$(head -c 100000 /dev/zero | tr '\0' a)" > "$t/long.test"
	: > "$t/empty.test"
	ln -s nowhere.test "$t/gone.test"
	mkfifo "$t/fifo.test"
	for f in zero noise long empty gone fifo; do
		run timeout 10 "$bin" test "$t/$f.test"
		echo "$f: $output"
		[ "$status" -ge 1 ]
		[ "$status" -le 3 ]
		[[ $output == *"$f.test"* ]]
	done
}

@test "a policy that is not good, not there, or a delegation that is none" {
	local body=$'case x\n  subject demo:a\n  action job.submit\n  on node:lab/n1\n  expect deny'
	printf 'policies none.xos\n%s\n' "$body" > "$t/b.test"
	run "$bin" test "$t/b.test"
	[ "$status" -eq 1 ]
	[[ $output == *"none.xos"* ]]
	printf 'vo "demo" serial 1 { permit }' > "$t/bad.xos"
	printf 'policies bad.xos\n%s\n' "$body" > "$t/b.test"
	run "$bin" test "$t/b.test"
	[ "$status" -eq 1 ]
	[[ $output == *"bad.xos:1:"* ]]
	printf 'policies demo-vo.xos\n%s\n  delegation lab-site.xos\n' "$body" > "$t/b.test"
	run "$bin" test "$t/b.test"
	[ "$status" -eq 2 ]
	[[ $output == *"is no delegation"* ]]
}

@test "folders are walked, loops are not followed" {
	mkdir -p "$t/d/e"
	ln -s ../.. "$t/d/e/loop"
	printf 'policies ../../demo-vo.xos\ncase x\n  subject demo:a\n  action token.issue\n  on vo:demo\n  expect permit\n' > "$t/d/e/x.test"
	run timeout 10 "$bin" test "$t/d"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"1 cases: 1 passed"* ]]
	mkdir "$t/nothing"
	run "$bin" test "$t/nothing"
	[ "$status" -eq 1 ]
	[[ $output == *"no file *.test"* ]]
}
