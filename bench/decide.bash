# Decisions of the policy engine against their budget: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
reps=${REPS:-3}

# The quietest of some runs: everything else on the machine only ever adds.
run() {
	for ((i = 0; i < reps; i++)); do
		"$BUILD/bench/policy-bench" --json "$@"
	done | jq -sc 'min_by(.ns_per_decision)'
}

for n in 1000 10000 100000; do
	run --statements "$n" --levels 3
	run --statements "$n" --levels 3 --strings
done | jq -sc --slurpfile text <(run --statements 10000 --levels 3 --json-text) '
	def of($n; $from): map(select(.from == $from))[$n];
	{name: "decide", ours: of(1; "interned").ns_per_decision, peer: 1000, peer_name: "budget",
	unit: "ns, interned, 10 000 statements", ratio: (100000 / of(1; "interned").ns_per_decision | round / 100),
	strings_ns: of(1; "strings").ns_per_decision, json_text_ns: $text[0].ns_per_decision,
	growth: (of(2; "interned").ns_per_decision / of(0; "interned").ns_per_decision * 100 | round / 100),
	growth_strings: (of(2; "strings").ns_per_decision / of(0; "strings").ns_per_decision * 100 | round / 100),
	load_ms: of(2; "strings").load_ms, bytes_per_statement: of(2; "strings").bytes_per_statement,
	allocations_per_decision: (map(.allocations_per_decision) | max)}'
