# Decisions a second in batches of 100 against as many single requests to the same service: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
# shellcheck source=bench/authzen-world.bash
. "$(dirname "${BASH_SOURCE[0]}")/authzen-world.bash"
reps=${REPS:-5} secs=${SECS:-2}

world_start
questions 100 "$W/batch.json"
for ((i = 0; i < reps; i++)); do
	batch=$(ask_ours /access/v1/evaluations "$W/batch.json" --clients 4 --seconds "$secs")
	one=$(ask_ours /access/v1/evaluation "$W/one.json" --clients 4 --seconds "$secs")
	jq -nc --argjson b "$batch" --argjson o "$one" \
		'if $b.failed + $o.failed > 0 then error("requests failed") else {ours: ($b.rps * 100), peer: $o.rps} end'
done | jq -sc '
	def med: sort | .[length / 2 | floor];
	{name: "authzen-batch", ours: (map(.ours) | med), peer: (map(.peer) | med), peer_name: "one decision a request",
	unit: "decisions/s in batches", ratio: ((map(.ours) | med) / (map(.peer) | med) * 100 | round / 100)}'
