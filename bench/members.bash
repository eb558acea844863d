# What a log-in costs with 100, 10 000 and 100 000 members; flat is what is wanted: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/crowd.bash"
reps=${REPS:-7}

for n in 100 10000 100000; do
	crowd_start "$n" >&2
	crowd_load "$n" --clients 1 --count 50 >/dev/null
done
for ((i = 0; i < reps; i++)); do
	for n in 100 10000 100000; do
		crowd_load "$n" --clients 1 --count 100 --seed "$i" | jq -c --argjson n "$n" '{n: $n, ms: .p50_ms}'
	done
done | jq -sc '
	def of($n): map(select(.n == $n).ms) | sort | .[length / 2 | floor];
	{name: "members", ours: of(100000), peer: of(100), peer_name: "100 members", unit: "ms a log-in, 100 000 members",
	ratio: (of(100) / ([of(10000), of(100000)] | max) * 100 | round / 100), ms_10000: of(10000)}'
