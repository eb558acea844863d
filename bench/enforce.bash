# From a lock and from a push to enforcement on three nodes: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
BATS_TEST_DIRNAME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/system" && pwd)
# shellcheck source=tests/system/vo.bash
. "$BATS_TEST_DIRNAME/vo.bash"
rounds=${ROUNDS:-10}

sockets=()
set_up() {
	vo_make
	trap 'vo_remove >/dev/null' EXIT
	for n in n1 n2 n3; do
		start_node "$n"
		sockets+=("lab/$n=$V/$n/run/credd.sock")
	done
}

# The member's token as the nodes' decision points take it, without the key.
watch_for() {
	"$BUILD/bench/enforce-watch" --token "$V/alice" --member demo:alice --for "$1" --seconds 30 "${sockets[@]}"
}

# measure WHAT permit|deny COMMAND...: one line of JSON; the command's answer must be JSON
measure() {
	local what=$1 answer=$2 start end pid
	shift 2
	rm -f "$V/watching"
	mkfifo "$V/watching"
	watch_for "$answer" >"$V/seen" 2>"$V/watching" &
	pid=$!
	exec 4<"$V/watching"
	read -r _ <&4
	start=$(date +%s%N)
	"$@" >"$V/said"
	end=$(date +%s%N)
	wait "$pid"
	exec 4<&-
	jq -nc --arg what "$what" --argjson start "$start" --argjson said_at "$end" --slurpfile seen "$V/seen" \
		--slurpfile said "$V/said" '
		{what: $what, nodes: [$seen[0][] | (. - $start) / 1000000], command: (($said_at - $start) / 1000000),
		receipt: $said[0].receipt}
		| if .receipt and (.receipt.complete and .receipt.enforced == 3 | not) then error("receipt \(.receipt)") else . end
		| .early = (.receipt != null and .command < (.nodes | max))'
}

# push SERIAL ACTIONS
push() {
	echo "vo \"demo\" serial $1 { permit group /demo action $2 on any; }" >"$V/vo.xos"
	as admin xos-policy push --json "$V/vo.xos"
}

set_up >&2
watch_for permit >/dev/null 2>&1
for ((i = 0; i < rounds; i++)); do
	measure lock deny as admin xos-vo lock member alice --json
	measure unlock permit as admin xos-vo unlock member alice --json
	measure push deny push $((2 * i + 2)) job.show
	measure push permit push $((2 * i + 3)) "job.submit, job.show"
done | jq -sc --argjson rounds "$rounds" '
	def med: sort | .[length / 2 | floor];
	def ms: . * 10 | round / 10;
	def row(w): map(select(.what == w)) | {median_ms: (map(.nodes | max) | med | ms), worst_ms: (map(.nodes | max) | max | ms)}
		+ (if .[0].receipt then {receipt_median_ms: (map(.command) | med | ms), receipts_early: map(select(.early)) | length} else {} end);
	{lock: row("lock"), unlock: row("unlock"), push: row("push")} as $all
	| ([$all[].worst_ms] | max) as $worst
	| {name: "enforce", ours: $worst, peer: 10000, peer_name: "the interval promised, 10 s",
	unit: "ms to the last of 3 nodes, worst", ratio: (10000 / $worst * 100 | round / 100), rounds: $rounds} + $all'
