# 10 000 candidate nodes filtered in one request against 10 000 single ones: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=bench/authzen-world.bash
. "$(dirname "${BASH_SOURCE[0]}")/authzen-world.bash"
reps=${REPS:-5} secs=${SECS:-2}

world_start
questions 10000 "$W/filter.json"
for ((i = 0; i < reps; i++)); do
	all=$(ask_ours /access/v1/evaluations "$W/filter.json" --clients 1 --seconds "$secs")
	one=$(ask_ours /access/v1/evaluation "$W/one.json" --clients 1 --seconds "$secs")
	jq -nc --argjson a "$all" --argjson o "$one" \
		'if $a.failed + $o.failed > 0 then error("requests failed") else {ours: ($a.p50_us / 1000), peer: ($o.p50_us * 10)} end'
done | jq -sc '
	def med: sort | .[length / 2 | floor];
	{name: "authzen-filter", ours: (map(.ours) | med), peer: (map(.peer) | med), peer_name: "10 000 single requests",
	unit: "ms, 10 000 nodes", ratio: ((map(.peer) | med) / (map(.ours) | med) * 100 | round / 100)}'
