#!/usr/bin/env bats
# Jobs that want more than they may have of the machine: each try fails, each with an answer, and the node goes on.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/demo.bash"

setup_file() {
	demo_start
	# shellcheck disable=SC1091
	. "$DEMO/env.sh"
	# The owner of the site closes what lies inside: here addresses of the loopback device, where "refused" is an answer and nobody is
	# reached. By the wall time that they ask for the jobs below choose what else binds them.
	{
		sed 's/serial 1 {/serial 2 {/; /^}$/d' "$SOURCE/examples/policies/lab-site.xos"
		limit inside 'closed_networks in {127.66.0.0/16, fd66::/16};'
		limit small 'files_open <= 64; file_size <= 1MiB; processes <= 20;' 61s
		limit one 'networks in {127.77.0.0/16, 127.66.0.0/16};' 62s
		limit two 'networks in {127.88.0.0/16};' 63s
		limit alone 'networks closed;' 64s
		limit never 'networks in {192.0.2.0/24};' 65s
		limit meets 'networks in {127.0.0.0/8};' 65s
		echo "}"
	} >"$DEMO/inside.xos"
	# Without root no network can be closed, and all jobs would be refused.
	[ "$(id -u)" -eq 0 ] || sed -i '/@inside/d' "$DEMO/inside.xos"
	xos-policy sign --site-key "$DEMO/site/lab.key" --out "$DEMO/inside.jws" "$DEMO/inside.xos"
	XOS_TOKEN=$DEMO/tokens/admin.pem xos-policy push --site lab "$DEMO/inside.jws"
	retry bash -c "xos-node status --dir '$DEMO/nodes/n1' --json | grep -Eq '\"site_set\": ?2'"
}
limit() { # NAME CAPS [WALL]
	echo "limit @$1 vo demo action job.submit on site:lab ${3:+when has job.wall and job.wall == $3} { $2 }"
}
teardown_file() { demo_stop; }
setup() {
	demo_load
	export XOS_TOKEN=$BATS_TEST_TMPDIR/token.pem
	NODE=$DEMO/nodes/n1
	login alice
}

root() { [ "$(id -u)" -eq 0 ]; }
job() { xos-job submit --wait "$@"; }
# try CALL[,ARGUMENT...]...: what the kernel answers to a job. Numbers of system calls: x86-64, and those that all newer machines share.
try() {
	# shellcheck disable=SC2016
	job -- perl -e '
		my %n = (unshare => [272, 97], keyctl => [250, 219], bpf => [321, 280], userfaultfd => [323, 282], mount => [165, 40],
			clone3 => [435, 435], ptrace => [101, 117], io_uring_setup => [425, 425], setns => [308, 268],
			perf_event_open => [298, 241], add_key => [248, 217]);
		my $new = `uname -m` =~ /x86_64/ ? 0 : 1;
		for (@ARGV) {
			my ($name, @args) = split /,/; @args = map { $_ + 0 } @args; push @args, 0 while @args < 5;
			print "$name ", syscall($n{$name}[$new], @args) < 0 ? $! + 0 : "done", "\n";
		}' "$@"
}
# What a shell can: the word that the kernel answers with.
# shellcheck disable=SC2016
knock='knock() { for a; do (exec 3<>/dev/tcp/$a/9) 2>&1 | grep -o -e "not permitted" -e refused -e unreachable | tail -n 1 | sed "s,^,$a ,"; done; }'
reports() { xos-job logs "$1" | grep -qx "$2"; }

@test "mounts, namespaces, keyrings, bpf and the like: EPERM, and for clone3 ENOSYS" {
	run -0 --separate-stderr try mount unshare,268435456 unshare,131072 unshare,1073741824 setns,0 keyctl add_key \
		bpf userfaultfd io_uring_setup,8 perf_event_open clone3
	[ "$output" = "$(printf '%s 1\n' mount unshare unshare unshare setns keyctl add_key bpf userfaultfd io_uring_setup perf_event_open; echo clone3 38)" ]
	run -0 --separate-stderr job -- sh -c 'unshare -U true 2>/dev/null || echo no; unshare -r mount -t tmpfs x /tmp 2>/dev/null || echo no; grep -c "^Seccomp:.2" /proc/self/status'
	[ "$output" = $'no\nno\n1' ]
}

@test "a debugger sees the job's own processes as root, and nobody without" {
	run -0 --separate-stderr try ptrace,0
	if root; then [ "$output" = "ptrace done" ]; else [ "$output" = "ptrace 1" ]; fi
	# the reaper, process 1 of the job as root, is not its
	run -0 --separate-stderr try ptrace,16,1
	[ "$output" = "ptrace 1" ]
}

@test "limits cannot be raised, neither by setrlimit nor through another control group" {
	root || skip "without root processes are counted for the account, the daemons' own too"
	# shellcheck disable=SC2016 # the job's shell expands it
	run -0 --separate-stderr job --wall 61s -- bash -c 'for l in n f c l q; do ulimit -H$l 9999999 2>/dev/null && [ "$(id -u)" -ne 0 ] && echo "raised $l"; done
		ulimit -n; find /sys/fs/cgroup -name cgroup.procs -writable 2>/dev/null | wc -l
		find /sys/fs/cgroup -path "*xos-jobs*" -writable 2>/dev/null | wc -l; head -c 2000000 /dev/zero 2>/dev/null >big; stat -c %s big'
	[ "$output" = $'64\n0\n0\n1048576' ]
}

@test "a fork bomb, a full /tmp and a full /dev/shm stay the job's own" {
	root || skip "without root there is no private /tmp, and processes are counted for the account"
	# shellcheck disable=SC2016
	run -0 --separate-stderr job --wall 61s -- sh -c '(b() { b | b & }; b) 2>/dev/null; sleep 1; echo over'
	[ "$output" = over ]
	# shellcheck disable=SC2016
	run -0 --separate-stderr job -- sh -c 'for d in /tmp /var/tmp /dev/shm; do head -c 400000000 /dev/zero >$d/x 2>/dev/null && echo "took $d"; stat -c "%n %s" $d/x; rm $d/x; done'
	[ "$output" = $'/tmp/x 268435456\n/var/tmp/x 268435456\n/dev/shm/x 268435456' ]
	run -0 --separate-stderr job -- echo "and the node goes on"
}

@test "networks that the site closed are closed, by connect and by packet; others are open" {
	root || skip "needs root"
	run -0 --separate-stderr job -- bash -c "$knock; knock 127.66.0.1 127.65.0.1; (echo x >/dev/udp/127.66.0.1/9) 2>&1 | grep -o 'not permitted' | tail -n 1"
	[ "$output" = $'127.66.0.1 not permitted\n127.65.0.1 refused\nnot permitted' ]
	# not by the address in another dress, nor by a socket that was not connected
	# shellcheck disable=SC2016
	run -0 --separate-stderr job -- perl -MSocket -e 'socket(my $s, AF_INET6, SOCK_DGRAM, 0); my $a = pack("S n N a16 N", AF_INET6, 9, 0, "\0" x 10 . "\xff\xff" . inet_aton("127.66.0.1"), 0);
		print send($s, "x", 0, $a) ? "sent" : $!{EPERM} ? "closed" : "$!", "\n"; socket(my $r, AF_INET, SOCK_RAW, 1) or print "no raw socket\n"; socket($r, 17, SOCK_RAW, 3) or print "no packet socket\n"'
	[ "$output" = $'closed\nno raw socket\nno packet socket' ]
}

@test "two jobs of one member at a time, each within its own networks, also while xos-jobd is killed and comes back" {
	root || skip "needs root"
	local one two pid
	one=$(xos-job submit --wall 62s -- bash -c "$knock; echo up; until [ -e \$HOME/go ]; do sleep 0.1; done; knock 127.77.0.1 127.88.0.1 127.66.0.1")
	two=$(xos-job submit --wall 63s -- bash -c "$knock; echo up; until [ -e \$HOME/go ]; do sleep 0.1; done; knock 127.77.0.1 127.88.0.1 127.66.0.1")
	retry reports "$one" up
	retry reports "$two" up
	pid=$(awk '{print $1}' "$NODE/run/xos-jobd.pid")
	kill -9 "$pid"
	xos-node start --dir "$NODE"
	touch "$NODE/jobd/work/$one/go" "$NODE/jobd/work/$two/go"
	run -0 xos-job wait "$one"
	run -0 xos-job wait "$two"
	[ "$(xos-job logs "$one")" = $'up\n127.77.0.1 refused\n127.88.0.1 not permitted\n127.66.0.1 not permitted' ]
	[ "$(xos-job logs "$two")" = $'up\n127.77.0.1 not permitted\n127.88.0.1 refused\n127.66.0.1 not permitted' ]
	# nothing of it is left, and the record knows
	[ -z "$(find /sys/fs/cgroup -name "xos-$one" -o -name "xos-$two")" ]
	retry bash -c "xos-acct list --json | jq -e '.records[] | select(.id == \"$one\") | .isolation == \"account,pid,mount,ipc,tmp,calls,networks\"'"
}

@test "no network at all, because policy says so or leaves nothing" {
	if ! root; then
		run -1 --separate-stderr job --wall 64s -- true
		# shellcheck disable=SC2154
		[[ "$stderr" == *"cannot enforce"* ]]
		return
	fi
	run -0 --separate-stderr job --wall 64s -- bash -c "$knock; knock 127.0.0.1 192.0.2.1; sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' /proc/net/dev"
	[ "$output" = $'127.0.0.1 refused\n192.0.2.1 unreachable\nlo' ]
	run -0 --separate-stderr job --wall 65s -- bash -c "$knock; knock 192.0.2.1 127.66.0.1"
	[ "$output" = $'192.0.2.1 unreachable\n127.66.0.1 refused' ] # its own 127.66.0.1
}

@test "the owner takes the rules off: the record, the log and doctor say so" {
	local conf=$NODE/jobd.conf id
	xos-node doctor --dir "$NODE" --json | jq -e '.findings[] | select(.what == "job-calls") | .can'
	echo 'seccomp = some' >>"$conf"
	run -2 xos-jobd --check --config "$conf"
	sed -i 's/^seccomp = some/seccomp = none/' "$conf"
	xos-node stop --dir "$NODE" && xos-node start --dir "$NODE"
	id=$(xos-job submit -- sh -c 'grep -c "^Seccomp:.0" /proc/self/status')
	run -0 xos-job wait "$id"
	[ "$(xos-job logs "$id")" = 1 ]
	retry bash -c "xos-acct list --json | jq -e '.records[] | select(.id == \"$id\") | .isolation | contains(\"calls\") | not'"
	grep -q 'event=jobs.no-call-rules' "$NODE/log/xos-jobd.log"
	run -1 xos-node doctor --dir "$NODE" --json
	jq -e '.findings[] | select(.what == "job-calls") | (.can | not) and (.why | contains("seccomp = none"))' <<<"$output"
	sed -i '/^seccomp/d' "$conf"
	xos-node stop --dir "$NODE" && xos-node start --dir "$NODE"
}
