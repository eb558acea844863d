# Authorities with many members for the measurements of log-ins: sourced. Uses the starter of the system tests.
# shellcheck shell=bash
: "${BUILD:?the build folder}"
BATS_TEST_DIRNAME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/system" && pwd)
. "$BATS_TEST_DIRNAME/authority.bash"

declare -A crowd_folder crowd_url crowd_pid

crowd_start() { # MEMBERS: an authority with so many, under this number
	authority_make
	printf '[password]\niterations = 4096\n' >>"$CONF"
	mkdir "$AUTH/load-trust"
	cp "$AUTH"/cad/trust/*.pem "$AUTH/load-trust/"
	# the administrator is one of them
	echo load-secret | xos-populate "$AUTH/cad" demo $(($1 - 1)) $(($1 < 10000 ? 10 : 1000)) 4096
	crowd_folder[$1]=$AUTH crowd_url[$1]=$URL
	authority_start
	crowd_pid[$1]=$AUTHORITY_PID
}

crowd_stop() {
	local n
	for n in "${!crowd_folder[@]}"; do
		AUTH=${crowd_folder[$n]} AUTHORITY_PID=${crowd_pid[$n]:-}
		authority_remove
	done
}
trap crowd_stop EXIT

crowd_load() { # MEMBERS OPTION...: one line of JSON
	"$BUILD/bench/login-load" --url "${crowd_url[$1]}" --trust "${crowd_folder[$1]}/load-trust" --vo demo \
		--members $(($1 - 1)) "${@:2}" <<<load-secret
}
