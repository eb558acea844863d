# What waiting nodes cost one policy service, and from that 10 000 and 100 000 of them: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
BATS_TEST_DIRNAME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/system" && pwd)
# shellcheck source=tests/system/vo.bash
. "$BATS_TEST_DIRNAME/vo.bash"
waiting=${WAITING:-4000} # connections that wait at once

# world MEMBERS: a VO with so many, but for one who is added later, and a node that runs
world() {
	vo_make
	trap 'vo_remove >/dev/null' EXIT
	xos-server stop --dir "$V/vo"
	echo load-secret | xos-populate "$V/vo/cad" demo $(($1 - 3)) 10 4096
	printf '[limits]\nconnections = 20000\n' >>"$V/vo/vopsd/vopsd.conf"
	xos-server start --dir "$V/vo"
	start_node n1
	retry serial
	OURS=$(sed -n 's/^listen *= *//p' "$V/vo/vopsd/vopsd.conf")
	PID=$(pgrep -P "$(cut -d' ' -f1 "$V/vo/run/xos-vopsd.pid")" -f -- '--role network')
	CREDD=$(cut -d' ' -f1 "$V/n1/run/xos-credd.pid")
}

serial() { xos-credd status --config "$V/n1/credd.conf" | jq -e .bundle.serial; }
# after SERIAL: the node decides by a higher one, and no other has come for two seconds: a command may change several things
after() {
	local now
	now=$(serial)
	[ "$now" -gt "$1" ] && sleep 2 && [ "$(serial)" = "$now" ]
}

load() { # MODE OPTION...
	"$BUILD/bench/refresh-load" "$1" --to "$OURS" --path "/v1/vo/demo/bundle?site=lab" --cert "$V/n1/credd/node.pem" \
		--key "$V/n1/credd/node.key" --pid "$PID" "${@:2}"
}

cpu_of() { # PID: nanoseconds of all threads, its own and those of its children
	local p
	for p in "$1" $(pgrep -P "$1"); do cat /proc/"$p"/task/*/schedstat; done | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# change CONNECTIONS COMMAND...: all wait, the command changes something, all are told
change() {
	local n=$1 start pid cpu was
	shift
	rm -f "$V/ready"
	mkfifo "$V/ready"
	was=$(serial)
	load change --connections "$n" --have "$was" >"$V/change" 2>"$V/ready" &
	pid=$!
	exec 4<"$V/ready"
	read -r _ <&4
	cpu=$(cpu_of "$CREDD")
	start=$(date +%s%N)
	"$@" >/dev/null
	cat <&4 >&2
	exec 4<&-
	wait "$pid"
	retry after "$was"
	jq -c --argjson start "$start" --argjson node "$(($(cpu_of "$CREDD") - cpu))" '
		.node_cpu_ms = $node / 1000000 | .first_ms = (.first - $start) / 1000000
		| .spread_ms = (.last - .first) / 1000000 | del(.first, .median, .last)' "$V/change"
}

# rows MEMBERS ANSWERS: what depends on the roster
rows() {
	local old
	old=$(serial)
	as admin xos-vo lock member alice --wait 0 >&2
	retry after "$old" >&2
	jq -nc --argjson members "$1" --argjson delta "$(load answers --connections 200 --have "$old")" \
		--argjson full "$(load answers --connections "$2")" \
		--argjson lock "$(change "$((waiting / 4))" as admin xos-vo unlock member alice --wait 0)" \
		--argjson roster "$(change 200 add_member)" \
		'{members: $members, delta: $delta, full: $full, lock: $lock, roster: $roster}'
}
add_member() { as admin xos-vo member add bob --password-stdin <"$V/alice.pw"; }

# flat: what does not
flat() {
	jq -nc --argjson handshake "$(load handshakes --connections 500)" \
		--argjson poll "$(load polls --connections "$waiting" --have "$(serial)" --wait 5)" \
		--argjson lock "$(change "$waiting" as admin xos-vo lock member alice --wait 0)" \
		'{handshake: $handshake, poll: $poll, lock: $lock}'
}

members=${MEMBERS:-100000}
world 100 >&2
small=$(rows 100 200)
flat=$(flat)
vo_remove >&2
world "$members" >&2
large=$(rows "$members" 20)
jq -nc --argjson small "$small" --argjson large "$large" --argjson flat "$flat" --argjson wait 30 '
	def r(n): . * n | round / n;
	def nodes(n): {nodes: n, polls_per_s: (n / $wait | r(10)),
		bytes_per_s: (n / $wait * $flat.poll.bytes | r(1)), cores: (n / $wait * $flat.poll.cpu_us / 1000000 | r(1000)),
		memory_mib: (n * ($flat.poll.with_kib - $flat.poll.before_kib) / $flat.poll.n / 1024 | r(1)),
		all_connect_s: (n * $flat.handshake.cpu_us / 1000000 | r(10)),
		lock_spread_s: (n * $flat.lock.spread_ms / $flat.lock.n / 1000 | r(100)),
		lock_bytes: (n * $small.delta.bytes | r(1)),
		member_added_bytes: {small: (n * $small.roster.bytes | r(1)), large: (n * $large.roster.bytes | r(1))}};
	{name: "refresh", ours: (10000 / $wait * $flat.poll.cpu_us / 1000000 | r(10000)), peer: 1, peer_name: "one core",
	unit: "cores for 10 000 nodes", computed: [nodes(10000), nodes(100000)],
	measured: {flat: $flat, small: $small, large: $large}} | .ratio = (1 / .ours | r(10))'
