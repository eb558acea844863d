# Memory that a credential takes in xos-credd, of 10 000, against a key in ssh-agent: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
n=${CREDENTIALS:-10000} keys=${KEYS:-500}

work=$(mktemp -d "${TMPDIR:-/tmp}/xos-bench.XXXXXX")
agent=
finish() {
	[ -z "$agent" ] || kill "$agent" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

resident() { awk '/^VmRSS/ {print $2 * 1024}' "/proc/$1/status"; }

start_agent() {
	ssh-agent -D -a "$work/agent" >/dev/null 2>&1 &
	agent=$!
	export SSH_AUTH_SOCK=$work/agent
	until [ -S "$SSH_AUTH_SOCK" ]; do :; done
	for ((i = 0; i <= keys; i++)); do ssh-keygen -q -t ecdsa -b 256 -N '' -C "" -f "$work/k$i"; done
	ssh-add -q "$work/k0" # what is allocated once and for all is not counted
}

ulimit -l unlimited 2>/dev/null || true
start_agent >&2
before=$(resident "$agent")
find "$work" -name 'k[1-9]*' ! -name '*.pub' -print0 | xargs -0 ssh-add -q >&2
after=$(resident "$agent")
"$BUILD/bin/xos-credential-load" "$n" | jq -c --argjson peer "$(((after - before) / keys))" '
	{name: "credentials", ours: .bytes_each, peer: $peer, peer_name: "a P-256 key in ssh-agent", unit: "bytes each, resident",
	ratio: ($peer / .bytes_each * 100 | round / 100), credentials, locked, seconds}'
