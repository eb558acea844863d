#!/usr/bin/env bats
# xos-policy fmt: one way to write a set. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	t="$BATS_TEST_TMPDIR"
	printf '# about\nvo   "demo"  serial 1 schema 2 {\n\n\n\n permit @a any   action job.show on job:* ; # why\n}\n' > "$t/a.xos"
}

@test "the examples are formatted" {
	run "$bin" fmt --check examples/policies
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "printed: comments stay, the meaning stays, once more changes nothing" {
	"$bin" fmt "$t/a.xos" > "$t/b.xos"
	cat "$t/b.xos"
	grep -q '^# about$' "$t/b.xos"
	grep -q '  permit @a any action job.show on job:\*;  # why' "$t/b.xos"
	"$bin" fmt "$t/b.xos" | cmp - "$t/b.xos"
	run "$bin" diff "$t/a.xos" "$t/b.xos"
	[ "$status" -eq 0 ]
}

@test "--check names what would change, exits 1 and writes nothing" {
	cp "$t/a.xos" "$t/before"
	run "$bin" fmt --check "$t/a.xos"
	[ "$status" -eq 1 ]
	[ "$output" = "$t/a.xos is not formatted" ]
	cmp "$t/a.xos" "$t/before"
	run "$bin" fmt --check --json "$t/a.xos"
	[ "$status" -eq 1 ]
	[[ $output == *'"changes": true'* ]]
}

@test "--write replaces the file, keeps its mode, follows a link to it" {
	chmod 640 "$t/a.xos"
	ln -s a.xos "$t/link.xos"
	run "$bin" fmt --write "$t/link.xos"
	[ "$status" -eq 0 ]
	[ -L "$t/link.xos" ]
	[ "$(stat -c %a "$t/a.xos")" = 640 ]
	run "$bin" fmt --check "$t"
	[ "$status" -eq 0 ]
	run "$bin" fmt --write "$t/a.xos"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "what has errors is not touched" {
	printf 'vo "demo" serial 1 { permit any action job.sumbit; }' > "$t/bad.xos"
	cp "$t/bad.xos" "$t/before"
	run "$bin" fmt --write "$t/bad.xos" "$t/a.xos"
	[ "$status" -eq 1 ]
	[[ $output == *"bad.xos:1:"*"unknown action"* ]]
	cmp "$t/bad.xos" "$t/before"
	# The other one is done all the same.
	run "$bin" fmt --check "$t/a.xos"
	[ "$status" -eq 0 ]
}

@test "usage, and hostile files" {
	run "$bin" fmt --check --write "$t/a.xos"
	[ "$status" -eq 2 ]
	run "$bin" fmt
	[ "$status" -eq 2 ]
	head -c 4000 /dev/urandom > "$t/noise.xos"
	mkfifo "$t/fifo.xos"
	for f in noise fifo none; do
		run timeout 10 "$bin" fmt "$t/$f.xos"
		[ "$status" -ge 1 ]
		[ "$status" -le 3 ]
		[[ $output == *"$f.xos"* ]]
	done
}
