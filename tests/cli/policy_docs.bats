#!/usr/bin/env bats
# What docs/policy-language.md shows loads: every set, and every statement put into a set of VO demo or site lab.

bats_require_minimum_version 1.5.0

setup() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd):$PATH
	# Before the grammar: paragraphs indented by four blanks, one file each.
	sed '/^## Grammar/,$d' "$SOURCE/docs/policy-language.md" |
		awk -v dir="$BATS_TEST_TMPDIR" '
			/^    / { if (!open) { open = 1; n++ } print substr($0, 5) > (dir "/" n ".text"); next }
			/^$/ && open { print "" > (dir "/" n ".text"); next }
			{ open = 0 }'
}

@test "the sets in the tutorial load" {
	local f n=0
	for f in "$BATS_TEST_TMPDIR"/*.text; do
		head -n 1 "$f" | grep -qE '^(vo|site|node|group|owner|delegation) ' || continue
		echo "$f: $(head -n 1 "$f")"
		xos-policy check "$f"
		n=$((n + 1))
	done
	[ "$n" -ge 8 ]
}

@test "the statements in the tutorial load" {
	local f n=0
	for f in "$BATS_TEST_TMPDIR"/*.text; do
		head -n 1 "$f" | grep -qE '^(permit|forbid|limit|duty|define|template|delegate|shadow) ' || continue
		{ echo 'vo "demo" serial 1 schema 2 {' && cat "$f" && echo '}'; } >"$f.vo.xos"
		sed '1s/.*/site "lab" serial 1 schema 2 {/' "$f.vo.xos" >"$f.site.xos"
		cat "$f"
		xos-policy check "$f.vo.xos" || xos-policy check "$f.site.xos"
		n=$((n + 1))
	done
	[ "$n" -ge 2 ]
}
