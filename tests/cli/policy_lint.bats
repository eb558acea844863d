#!/usr/bin/env bats
# xos-policy lint: what is suspicious. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	t="$BATS_TEST_TMPDIR"
}

@test "the biomedical VO has nothing suspicious: exit 0" {
	run "$bin" lint examples/policies/biomed
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"9 files, 0 warnings"* ]]
}

@test "warnings have a place, a name and a hint; exit 1" {
	printf 'vo "demo" serial 1 schema 2 {\n  define $unused { 1h }\n  permit any action job.show on job:*;\n  forbid any action job.submit on any when auth.age > 1h;\n}\n' > "$t/a.xos"
	run "$bin" lint "$t/a.xos"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"$t/a.xos:2:"*"warning:"*"[unused-name]"* ]]
	[[ $output == *"$t/a.xos:4:"*"[no-reason]"*"hint:"* ]]
	run "$bin" lint --json "$t/a.xos"
	[ "$status" -eq 1 ]
	[[ $output == *'"severity": "warning"'* && $output == *'"line": 2'* ]]
}

@test "sets together: a permit of a node that its site does not delegate" {
	printf 'site "lab" serial 1 schema 2 {\n  node n1;\n  permit vo demo action job.submit;\n}\n' > "$t/site.xos"
	printf 'node "lab/n1" serial 1 schema 2 {\n  permit vo demo action job.submit;\n}\n' > "$t/node.xos"
	run "$bin" lint "$t/node.xos"
	[[ $output != *not-delegated* ]]
	run "$bin" lint "$t"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"[not-delegated]"* ]]
	sed -i 's/^  permit/  delegate node n1 action job.submit;\n&/' "$t/site.xos"
	run "$bin" lint "$t"
	[[ $output != *not-delegated* ]]
}

@test "errors are told as check tells them; what cannot be read, too" {
	printf 'vo "demo" serial 1 {\n  permit any action job.sumbit;\n}\n' > "$t/a.xos"
	run "$bin" lint "$t/a.xos"
	[ "$status" -eq 1 ]
	[[ $output == *"a.xos:2:21: error: unknown action"* ]]
	run "$bin" lint "$t/none.xos"
	[ "$status" -eq 1 ]
	[[ $output == *none.xos* ]]
	head -c 3000 /dev/urandom > "$t/noise.xos"
	run timeout 10 "$bin" lint "$t/noise.xos"
	[ "$status" -ge 1 ]
	[ "$status" -le 3 ]
	run "$bin" lint
	[ "$status" -eq 2 ]
	run "$bin" lint --list
	[ "$status" -eq 0 ]
	[[ $output == *no-reason* ]]
}
