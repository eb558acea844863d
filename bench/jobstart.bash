# From the command to the first instruction of its job: xos-job submit against Slurm's srun and fork and exec. See bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
BATS_TEST_DIRNAME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/system" && pwd)
# shellcheck source=tests/system/vo.bash
. "$BATS_TEST_DIRNAME/vo.bash"
reps=${REPS:-21}

[ "$(id -u)" -eq 0 ] || {
	echo "bench jobstart: needs root: jobs get an account and a box of their own" >&2
	exit 3
}
pids=()
finish() {
	for ((p = ${#pids[@]} - 1; p >= 0; p--)); do
		kill "${pids[p]}" 2>/dev/null || true
		wait "${pids[p]}" 2>/dev/null || true
	done
	vo_remove >/dev/null 2>&1 || true
}

free_port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }

start_slurm() { # munged, slurmctld and slurmd of their own, no accounting, no prolog
	local s=$V/slurm
	mkdir -p "$s/spool" "$s/state"
	chmod 755 "$s"
	head -c 32 /dev/urandom >"$s/key"
	chmod 400 "$s/key"
	munged --foreground --force --key-file="$s/key" --socket="$s/munge" --pid-file="$s/munge.pid" --seed-file="$s/seed" \
		--log-file="$s/munge.log" >/dev/null 2>&1 &
	pids+=($!)
	retry munge -n -S "$s/munge" >/dev/null 2>&1
	cat >"$s/slurm.conf" <<-C
		ClusterName=bench
		SlurmctldHost=$(hostname -s)(127.0.0.1)
		SlurmctldPort=$(free_port)
		SlurmdPort=$(free_port)
		SlurmUser=root
		AuthType=auth/munge
		AuthInfo=socket=$s/munge
		CryptoType=crypto/munge
		StateSaveLocation=$s/state
		SlurmdSpoolDir=$s/spool
		SlurmctldPidFile=$s/ctld.pid
		SlurmdPidFile=$s/slurmd.pid
		SlurmctldLogFile=$s/ctld.log
		SlurmdLogFile=$s/slurmd.log
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		MpiDefault=none
		SwitchType=switch/none
		AccountingStorageType=accounting_storage/none
		JobAcctGatherType=jobacct_gather/none
		ReturnToService=2
		NodeName=bench NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
		PartitionName=main Nodes=bench Default=YES MaxTime=60 State=UP OverSubscribe=YES
	C
	export SLURM_CONF=$s/slurm.conf
	slurmctld -D >"$s/ctld.out" 2>&1 &
	pids+=($!)
	slurmd -D -N bench >"$s/slurmd.out" 2>&1 &
	pids+=($!)
	retry timeout 10 srun -N1 -n1 "$first" >/dev/null 2>&1 || {
		tail -n 20 "$s"/*.log >&2
		return 1
	}
}

first=$BUILD/bench/first-instruction
ours() { as alice xos-job submit --wait -- "$first"; }
theirs() { srun -Q -N1 -n1 "$first"; }
plain() { "$first"; }
elapsed() { # COMMAND: microseconds from before it is started to its job's first instruction
	local from said
	from=$(date +%s%N)
	said=$("$1") || return 1
	echo $(((said - from) / 1000))
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) / 1000}'; }

export PATH=$PATH:/usr/sbin
vo_make >&2
trap finish EXIT
start_node n1 >&2
start_slurm >&2
retry ours >/dev/null
for ((i = 0; i < reps; i++)); do
	for what in ours theirs plain; do elapsed "$what" >>"$V/$what"; done
done
jq -cn --argjson ours "$(median "$V/ours")" --argjson peer "$(median "$V/theirs")" --argjson plain "$(median "$V/plain")" \
	'{name: "jobstart", ours: $ours, peer: $peer, peer_name: "srun", unit: "ms to the first instruction",
	ratio: ($peer / $ours * 100 | round / 100), fork_exec: $plain}'
