#!/usr/bin/env bats
# The documents name what is there, and all of it. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	bin=$(cd "${BUILD:-build/release}/bin" && pwd)
}

@test "every test that the threat model names is there" {
	local t last=
	while read -r t; do
		case $t in */*) last=${t%/*} ;; *) t=$last/$t ;; esac
		[ -e "$t" ] || { echo "$t" && return 1; }
	done < <(awk -F' *\\| *' '!/^\|/ { on = 0 } $4 == "seen by" { on = 1; next } on && /^\| / && $4 != "" { print $4 }' SECURITY.md |
		sed 's/ *([^)]*)//g' | tr ',' '\n' | sed 's/^ *//; s/ *$//')
	[ -n "$last" ]
}

@test "every decision is listed" {
	local f
	for f in docs/decisions/*.md; do
		[ "${f##*/}" = README.md ] || grep -qF "(${f##*/})" docs/decisions/README.md || { echo "$f" && return 1; }
	done
}

@test "every command and route of the services is described" {
	local x n=0
	for x in $(grep -hoE '^    \{"[a-z-]+\.[a-z-]+", ' ca/auth/command*.c rca/commands.c vops/commands.c | tr -d '{", '); do
		grep -qF "\`$x\`" docs/protocols/README.md || { echo "$x" && return 1; }
		n=$((n + 1))
	done
	[ "$n" -gt 60 ]
	while read -r x; do
		# what follows the VO's name: /locks stands beside /roster
		grep -qF "${x#/v1/vo/\{vo\}}" docs/protocols/README.md || { echo "$x" && return 1; }
	done < <(grep -hoE '^    \{"(GET|POST|PUT)", "/v1[^"]*"' ca/network/*.c rca/*.c vops/*.c accounting/*.c | sed 's/.*"\(.*\)"/\1/' | sort -u)
}

@test "links between the pages lead somewhere" {
	local f l
	for f in *.md docs/*.md docs/*/*.md; do
		while read -r l; do
			case $l in http*) continue ;; esac
			[ -e "$(dirname "$f")/$l" ] || { echo "$f: $l" && return 1; }
		done < <(grep -oE '\]\([^)# ]+' "$f" | cut -c3-)
	done
}

@test "the manual page of a tool has each of its verbs" {
	local p verb
	for p in xos-vo xos-token xos-server xos-node xos-job; do
		for verb in $("$bin/$p" --help | awk -v p="$p" '/^Options/ { exit } $1 == p { print $2 }' | sort -u); do
			grep -qE "\*([a-z -]* )?$verb( [a-z -]*)?\*" "docs/man/$p.1.scd" || { echo "$p $verb" && return 1; }
		done
	done
}

@test "what the C library exports is declared, described, and all there is" {
	local f n=0
	for f in $(grep -oE '^[[:space:]]+xos_[a-z_]+' lib/credential/libxos.map); do
		grep -qE "\b$f\(" include/xos/credential.h || { echo "$f: not declared" && return 1; }
		grep -qE "(^|, )$f(,| - )" docs/man/xos_credential.3.scd || { echo "$f: not described" && return 1; }
		n=$((n + 1))
	done
	[ "$n" -gt 10 ]
	[ "$n" -eq "$(nm -D --defined-only "$bin/../lib/libxos.so.0" | grep -c ' T ')" ]
	[ "$n" -eq "$(grep -cE '^XOS_API' include/xos/credential.h)" ]
}
