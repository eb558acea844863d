# A man in the middle for bats files: see tests/meddle. Sourced after what sets AUTH-like folders up.
# shellcheck shell=bash
#
#   middle_start DIR OPTION... [RULE FILE]...   starts xos-meddle; MIDDLE_URL is where it listens
#   middle_stop                                 stops exactly those that were started
#   middle_changed MEMBER                       did the last one change that member of a body?

# In a file, because a function under bats' `run` is in a shell of its own and its variables end with it.
middle_pids() { echo "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/middle.pids"; }

middle_start() {
	MIDDLE=$1
	shift
	mkdir -p "$MIDDLE"
	rm -f "$MIDDLE/ready"
	local port i
	for ((i = 0; i < 20; i++)); do
		port=$((20000 + RANDOM % 12000))
		xos-meddle --listen "127.0.0.1:$port" --ready "$MIDDLE/ready" "$@" \
			>"$MIDDLE/changes" 2>"$MIDDLE/log" </dev/null 3>&- &
		local pid=$!
		disown "$pid"
		export MIDDLE_URL=https://127.0.0.1:$port
		while kill -0 "$pid" 2>/dev/null; do
			if [ -e "$MIDDLE/ready" ]; then
				echo "$pid" >>"$(middle_pids)"
				return 0
			fi
			sleep 0.05
		done
	done
	cat "$MIDDLE/log" >&2
	return 1
}

middle_stop() {
	local pid
	[ -e "$(middle_pids)" ] || return 0
	while read -r pid; do kill "$pid" 2>/dev/null; done <"$(middle_pids)"
	rm "$(middle_pids)"
}

middle_changed() { grep -q "^changed $1 " "$MIDDLE/changes"; }
