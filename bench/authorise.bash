# Local decisions a second over xos-credd's socket against MUNGE's encode and decode: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
BATS_TEST_DIRNAME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/system" && pwd)
# shellcheck source=tests/system/vo.bash
. "$BATS_TEST_DIRNAME/vo.bash"
reps=${REPS:-5} seconds=${SECONDS_EACH:-2}

munged_pid=
finish() {
	[ -z "$munged_pid" ] || kill "$munged_pid" 2>/dev/null || true
	vo_remove >/dev/null 2>&1 || true
}

start_munged() { # a key, a socket and a seed of its own
	mkdir "$V/munge"
	chmod 755 "$V/munge"
	head -c 32 /dev/urandom >"$V/munge/key"
	chmod 400 "$V/munge/key"
	munged --foreground --force --key-file="$V/munge/key" --socket="$V/munge/s" --pid-file="$V/munge/pid" \
		--seed-file="$V/munge/seed" --log-file="$V/munge/log" --num-threads=2 >/dev/null 2>&1 &
	munged_pid=$!
	retry munge -n -S "$V/munge/s" >/dev/null 2>&1
	munge -n -S "$V/munge/s" | unmunge -S "$V/munge/s" | grep -q 'STATUS.*Success'
}

# One request in flight: on one processor neither side waits for another one to wake up. PIN is "taskset -c 0" or nothing.
pin() { # PROCESSORS
	local pid
	for pid in "$credd_pid" "$munged_pid"; do taskset -acp "$1" "$pid" >/dev/null; done
}
ours() {
	${PIN:-} "$BUILD/bench/authorise-load" --token "$V/alice" --member demo:alice --node lab/n1 \
		--socket "$V/n1/run/credd.sock" --clients "$1" --seconds "$seconds"
}
theirs() { ${PIN:-} remunge -q -d -D "$seconds" -T "$1" -l 200 -S "$V/munge/s"; }
median() { sort -n "$1" | awk '{v[NR] = $1} END {print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }

export PATH=$PATH:/usr/sbin
vo_make >&2
trap finish EXIT
start_node n1 >&2
start_munged
retry ours 1 >/dev/null
credd_pid=$(pgrep -P "$(awk '{print $1}' "$V/n1/run/xos-credd.pid")" -f 'role credd')
all=$(taskset -p "$credd_pid" | sed 's/.*: //')
for ((i = 0; i < reps; i++)); do
	for clients in 1 2 4; do
		ours "$clients" >>"$V/ours.$clients"
		theirs "$clients" >>"$V/theirs.$clients"
	done
	pin 0
	PIN='taskset -c 0' ours 1 >>"$V/ours.pinned"
	PIN='taskset -c 0' theirs 1 >>"$V/theirs.pinned"
	for pid in "$credd_pid" "$munged_pid"; do taskset -ap "$all" "$pid" >/dev/null; done
done
for clients in pinned 1 2 4; do
	jq -nc --arg clients "$clients" --argjson ours "$(median "$V/ours.$clients")" \
		--argjson peer "$(median "$V/theirs.$clients")" \
		'{clients: $clients, ours: $ours, peer: $peer, ratio: ($ours / $peer * 100 | round / 100)}'
done | jq -sc 'min_by(.ratio) as $least | {name: "authorise", ours: $least.ours, peer: $least.peer,
	peer_name: "MUNGE encode and decode (remunge -d), least of 1 (on one processor, and not), 2 and 4 clients", unit: "a second", ratio: $least.ratio, clients: .}'
