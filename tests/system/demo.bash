# A demo VO in a temporary folder, shared by the cases of one file. Sourced by bats files.
# shellcheck shell=bash
#
#   demo_start   runs scripts/quickstart in a fresh folder DEMO; its output is in DEMO_OUT
#   demo_stop    ends it and removes the folder
#
# Each case then works with the tools as a person would: DEMO/env.sh is loaded.

demo_start() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	DEMO_BASE=$(mktemp -d "${TMPDIR:-/tmp}/xos-system.XXXXXX")
	chmod 755 "$DEMO_BASE"
	DEMO=$DEMO_BASE/demo DEMO_OUT=$DEMO_BASE/quickstart.out
	export SOURCE DEMO DEMO_BASE DEMO_OUT
	"$SOURCE/scripts/quickstart" --dir "$DEMO" >"$DEMO_OUT" 2>&1 || {
		cat "$DEMO_OUT" >&2
		return 1
	}
}

demo_load() {
	# shellcheck disable=SC1091
	. "$DEMO/env.sh"
	FORGE=$SOURCE/build/release/bin/xos-forge
	export FORGE
}

demo_stop() {
	if [ -d "$DEMO" ] && ! "$SOURCE/scripts/quickstart" --dir "$DEMO" --stop >"$DEMO_BASE/stop.out" 2>&1; then
		cat "$DEMO_BASE/stop.out" >&2
		find "$DEMO" -name '*.log' -exec tail -n 20 {} + >&2
		return 1
	fi
	rm -rf "$DEMO_BASE"
}

login() { xos-login "$1" --password-stdin <"$DEMO/secrets/$1" >/dev/null; }

# Processes that were started from this demo's programs.
demo_processes() {
	local exe
	for exe in /proc/[0-9]*/exe; do
		case "$(readlink "$exe" 2>/dev/null)" in
		"$DEMO"/*) exe=${exe#/proc/} && echo "${exe%/exe}" ;;
		esac
	done
}

# retry COMMAND...: until it succeeds; the bats time-out ends what never does.
retry() {
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}
