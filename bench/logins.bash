# Log-ins a second end to end, client and server on this machine, at 1, 8 and 64 clients: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/crowd.bash"
reps=${REPS:-3}

crowd_start 1000 >&2
crowd_load 1000 --clients 4 --count 200 >/dev/null # warm
for ((i = 0; i < reps; i++)); do
	for clients in 1 8 64; do
		crowd_load 1000 --clients "$clients" --seconds 3 --seed $((100 * i + clients))
	done
done | jq -sc '
	def of($n): map(select(.clients == $n)) | sort_by(.per_second) | .[length / 2 | floor];
	of(1) as $one | of(8) as $eight | of(64) as $most |
	{name: "logins", ours: $most.per_second, peer: $one.per_second, peer_name: "one client", unit: "log-ins a second, 64 clients",
	ratio: ([$eight.per_second, $most.per_second] | min / $one.per_second * 100 | round / 100),
	clients: [$one, $eight, $most | {clients, per_second, p50_ms, p99_ms}]}'
