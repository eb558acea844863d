# One authority, xos-cad, in a temporary folder, without the rest of a VO. Sourced by bats files.
# shellcheck shell=bash
#
#   authority_make     root, state folders, certificates, configuration
#   authority_start    starts it and waits until it is ready
#   authority_stop     stops exactly what was started
#   AUTH URL FINGERPRINT CONF   the folder, the address, the root's fingerprint, cad.conf
#
# BUILD is the build folder. As root the three processes get a user each.

authority_port() { # a port that is free now
	local port
	while :; do
		port=$((20000 + RANDOM % 12000)) # below those that the kernel gives to clients
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

authority_make() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	bin=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd)
	PATH=$bin:$PATH
	AUTH=$(mktemp -d "${TMPDIR:-/tmp}/xos-authority.XXXXXX")
	chmod 755 "$AUTH"
	CONF=$AUTH/cad/cad.conf
	URL=https://127.0.0.1:$(authority_port)
	export AUTH CONF URL PATH FINGERPRINT XOS_CONFIG=$AUTH/config XOS_TOKEN=$AUTH/token
	FINGERPRINT=$(xos-cad root-init --dir "$AUTH/root" --vo demo)
	echo "admin-secret" | xos-cad init --dir "$AUTH/cad" --vo demo --admin ada --password-stdin >/dev/null
	xos-cad root-sign --dir "$AUTH/root" --kind ca --csr "$AUTH/cad/ca.csr" --out "$AUTH/cad/ca.pem"
	xos-cad root-sign --dir "$AUTH/root" --kind delegation --csr "$AUTH/cad/delegation.csr" --out "$AUTH/cad/delegation.pem"
	xos-rcad init --dir "$AUTH/rcad" --vo demo >/dev/null
	xos-cad root-sign --dir "$AUTH/root" --kind rca --csr "$AUTH/rcad/rca.csr" --out "$AUTH/rcad/rca.pem"
	local d
	for d in cad rcad; do
		mkdir -p "$AUTH/$d/trust"
		cp "$AUTH/root/root.pem" "$AUTH/$d/trust/"
		cat "$AUTH/cad/ca.pem" "$AUTH/cad/delegation.pem" "$AUTH/rcad/rca.pem" >"$AUTH/$d/trust/issuers.pem"
		printf '%s\n' "vo = demo" "listen = ${URL#https://}" "state = ." "trust = trust" \
			"tls_certificate = tls.pem" "tls_key = tls.key" >"$AUTH/$d/$d.conf"
		(umask 077 && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / \
			-keyout "$AUTH/$d/tls.key" -out "$AUTH/$d/tls.csr" 2>/dev/null)
	done
	echo "ca_url = $URL" >>"$CONF"
	if [ "$(id -u)" -eq 0 ]; then
		printf 'user_network = 1899999090\nuser_auth = 1899999091\nuser_key = 1899999092\n' >>"$CONF"
	fi
	xos-rcad issue --config "$AUTH/rcad/rcad.conf" --service ca --name localhost --host localhost \
		--host 127.0.0.1 --csr "$AUTH/cad/tls.csr" --out "$AUTH/cad/tls.pem" >/dev/null
}

authority_start() {
	rm -f "$AUTH/ready"
	mkfifo "$AUTH/ready"
	# AHEAD, such as +660s, is how far its clock is ahead.
	# (faketime itself would stand between us and the pid.)
	env ${AHEAD:+FAKETIME="$AHEAD" LD_PRELOAD="$(faketime -f +0s printenv LD_PRELOAD)"} xos-cad run --config "$CONF" --ready-fd 4 --pid-file "$AUTH/pid" \
		4>"$AUTH/ready" </dev/null >>"$AUTH/log" 2>&1 3>&- &
	AUTHORITY_PID=$!
	disown "$AUTHORITY_PID"
	export AUTHORITY_PID
	local word
	read -r word <"$AUTH/ready"
	[ "$word" = ready ] || { echo "not ready: $word"; cat "$AUTH/log"; return 1; } >&2
}

authority_stop() {
	[ -n "${AUTHORITY_PID:-}" ] || return 0
	kill "$AUTHORITY_PID" 2>/dev/null
	local i
	for ((i = 0; i < 200; i++)); do
		kill -0 "$AUTHORITY_PID" 2>/dev/null || break
		sleep 0.05
	done
	AUTHORITY_PID=
}

# Whichever was started last: what a case sets is not seen in teardown_file.
authority_remove() {
	AUTHORITY_PID=$(cut -d' ' -f1 "$AUTH/pid" 2>/dev/null || true)
	authority_stop
	rm -rf "$AUTH"
}

# The pid of one process of it: network, auth or key.
authority_part() {
	local p
	for p in $(cat "/proc/$AUTHORITY_PID/task/$AUTHORITY_PID/children"); do
		if tr '\0' ' ' <"/proc/$p/cmdline" | grep -q -- "--role $1 "; then
			echo "$p"
			return 0
		fi
	done
	return 1
}

# retry COMMAND...: until it succeeds; the time-out of bats ends what never does.
retry() {
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

admin() { echo admin-secret | xos-login ada --role /demo/Role=admin --password-stdin "$@"; }
