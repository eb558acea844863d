# Single decisions over HTTPS keep-alive against nginx serving a body of that size: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=bench/authzen-world.bash
. "$(dirname "${BASH_SOURCE[0]}")/authzen-world.bash"
reps=${REPS:-5} secs=${SECS:-2}

world_start
for n in 1 4 16; do
	for ((i = 0; i < reps; i++)); do
		ours=$(ask_ours /access/v1/evaluation "$W/one.json" --clients "$n" --seconds "$secs")
		peer=$(ask_peer --clients "$n" --seconds "$secs")
		jq -nc --argjson n "$n" --argjson o "$ours" --argjson p "$peer" \
			'if $o.failed + $p.failed > 0 then error("requests failed") else {n: $n, ours: $o.rps, peer: $p.rps} end'
	done
done | jq -sc '
	def med: sort | .[length / 2 | floor];
	group_by(.n) | map({n: .[0].n, ours: (map(.ours) | med), peer: (map(.peer) | med)} | . + {ratio: (.ours / .peer)})
	| {all: ., least: min_by(.ratio)}
	| {name: "authzen", ours: .least.ours, peer: .least.peer, peer_name: "nginx, static body, \(.least.n) clients",
	unit: "decisions/s over HTTPS", ratio: (.least.ratio * 100 | round / 100),
	by_clients: (.all | map({key: "\(.n)", value: (.ratio * 100 | round / 100)}) | from_entries)}'
