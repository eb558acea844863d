# A man in the middle for bats files: see tests/meddle. Sourced after what sets AUTH-like folders up.
# shellcheck shell=bash
#
#   middle_start DIR OPTION... [RULE FILE]...   starts xos-meddle; MIDDLE_URL is where it listens
#   middle_stop                                 stops exactly that one
#   middle_changed MEMBER                       did it change that member of a body?

middle_start() {
	MIDDLE=$1
	shift
	mkdir -p "$MIDDLE"
	rm -f "$MIDDLE/ready"
	local port i
	for ((i = 0; i < 20; i++)); do
		port=$((20000 + RANDOM))
		xos-meddle --listen "127.0.0.1:$port" --ready "$MIDDLE/ready" "$@" \
			>"$MIDDLE/changes" 2>"$MIDDLE/log" </dev/null 3>&- &
		MIDDLE_PID=$!
		disown "$MIDDLE_PID"
		MIDDLE_URL=https://127.0.0.1:$port
		while kill -0 "$MIDDLE_PID" 2>/dev/null; do
			[ -e "$MIDDLE/ready" ] && return 0
			sleep 0.05
		done
	done
	cat "$MIDDLE/log" >&2
	return 1
}

middle_stop() {
	[ -n "${MIDDLE_PID:-}" ] || return 0
	kill "$MIDDLE_PID" 2>/dev/null
	MIDDLE_PID=
}

middle_changed() { grep -q "^changed $1 " "$MIDDLE/changes"; }
