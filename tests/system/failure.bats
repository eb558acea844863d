#!/usr/bin/env bats
# An authority when things go wrong around it: it serves, or says why not, and loses nothing that it acknowledged.
# BUILD is the build folder. As root some cases mount a small file system or limit a process; otherwise they say that they skip.

bats_require_minimum_version 1.5.0
load authority
load failure

MEMBERS=10000

setup_file() {
	authority_make
	mkdir "$AUTH/load-trust"
	cp "$AUTH"/cad/trust/*.pem "$AUTH/load-trust/"
	# Few iterations: here it is the server that is looked at, not the client's arithmetic.
	printf '%s\n' "[password]" "iterations = 4096" "[limits]" "connections = 6000" \
		"connections_per_address = 5000" "request = 2s" "idle = 1h" >>"$CONF"
	echo load-secret | xos-populate "$AUTH/cad" demo "$MEMBERS" 1000 4096
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
}

teardown_file() {
	AUTHORITY_PID=$(cut -d' ' -f1 "$AUTH/pid" 2>/dev/null) || true
	authority_stop # the disk is in use
	small_disk_end
	authority_remove
}

# Some cases start it anew, and each case is a process of its own.
# shellcheck disable=SC2034 # authority.bash reads it
setup() { AUTHORITY_PID=$(cut -d' ' -f1 "$AUTH/pid"); }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 12 "$AUTH/log" >&2
	fi
}

login() { echo load-secret | xos-login "$@" --password-stdin --out "$AUTH/t"; }

# ---- what is seen while all is well ----

@test "ready, and every line of /metrics is one that Prometheus takes" {
	run ready
	[ "$output" = '{"status":"ready"}' ]
	login m1
	run login m1 --role /demo/Role=admin
	[ "$status" -eq 1 ]
	retry has_counted
	run metrics_lint < <(ask /metrics)
	[ -z "$output" ]
}
has_counted() {
	local text
	text=$(ask /metrics)
	[[ $text == *'xos_cad_logins_total{result="token"}'* && $text == *'xos_cad_logins_total{result="role-not-held"} 1'* ]] &&
		[[ $text == *'xos_http_refused_total{code="role-not-held"} 1'* && $text == *"xos_cad_tokens_issued_total "[1-9]* ]] &&
		[[ $text == *"xos_cad_log_syncs_total "[1-9]* && $text == *"xos_cad_auth_database_calls_total "[1-9]* ]]
}

@test "the id of a request stands in the events of all three processes" {
	login m2
	local id
	id=$(sed -n 's/.*event=token.issued request=\([^ ]*\) member=m2 .*/\1/p' "$AUTH/log" | tail -n 1)
	[ -n "$id" ]
	for proc in network auth key; do
		grep "request=$id" "$AUTH/log" | grep -q "proc=cad/$proc "
	done
	# the caller's own id, where it is one; never more of a line than that
	ask / -H 'X-Request-Id: mine-1' >/dev/null
	retry grep -q 'request=mine-1 .*code=no-such-path' "$AUTH/log"
	ask / -H 'X-Request-Id: a event=forged' >/dev/null
	run grep 'event=forged' "$AUTH/log"
	[ "$status" -eq 1 ]
}

@test "10 000 members in 1 000 groups: log-in, lists and looking one up" {
	login "m$MEMBERS"
	[ "$(xos-vo member list --json | jq '.members | length')" -ge "$MEMBERS" ]
	[ "$(xos-vo group list --json | jq '.groups | length')" -ge 1001 ]
	run xos-vo member show "m$MEMBERS"
	[ "$status" -eq 0 ]
	# and a list of all of them, signed, for the policy service
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout "$AUTH/vops.key" -out "$AUTH/vops.csr" 2>/dev/null
	xos-rcad issue --config "$AUTH/rcad/rcad.conf" --service vops --name localhost --host localhost --csr "$AUTH/vops.csr" --out "$AUTH/vops.pem" >/dev/null
	ask /v1/vo/demo/roster --cert "$AUTH/vops.pem" --key "$AUTH/vops.key" >"$AUTH/roster"
	[ "$(cut -d. -f2 "$AUTH/roster" | tr -- '-_' '+/' | sed 's/$/==/' | base64 -di 2>/dev/null | jq '.members | length')" -gt "$MEMBERS" ]
}

@test "auth and key hold the locks that keep others from cutting the databases' shared memory" {
	local shm=$AUTH/cad/auth/membership.db-shm part
	for part in auth key; do
		grep -q "POSIX .* READ $(authority_part $part) .*:$(stat -c %i "$shm") " /proc/locks
	done
}

# ---- clients that take their time ----

@test "clients that send a byte a second are ended, and nobody else waits for them" {
	local pids=() i
	for i in 1 2 3 4 5 6 7 8; do
		(
			# One byte, and another, and another: the head of a request never ends.
			( printf 'GET / HTTP/1.1\r\nX: '; while printf x; do sleep 1; done ) |
				timeout 60 openssl s_client -quiet -connect "${URL#https://}" -CAfile "$AUTH/root/root.pem" 2>/dev/null >"$AUTH/slow.$i"
		) 3>&- &
		pids+=($!)
	done
	for i in 1 2 3; do login "m$i"; done
	for i in "${pids[@]}"; do wait "$i" || true; done
	# told why
	for i in 1 2 3 4 5 6 7 8; do grep -q 'request-timeout' "$AUTH/slow.$i"; done
}

@test "5 000 idle connections: log-ins go on, and the stated limit holds" {
	ulimit -n 6500 2>/dev/null || skip "this shell may not open 6500 files"
	# Time enough for all of them to be open at once.
	sed -i 's/^request = 2s/request = 1m/' "$CONF"
	[[ $(reload) == *"event=config.reloaded changed=limits.request"* ]]
	local fd i host=${URL#https://} opened=0
	for ((i = 0; i < 5200; i++)); do
		# shellcheck disable=SC2034 # held open, that is all
		exec {fd}<>"/dev/tcp/${host%:*}/${host#*:}" || break
		opened=$((opened + 1))
	done 2>/dev/null
	[ "$opened" -eq 5200 ]
	login m7 3>&-
	run ready
	[[ $output == *'"ready"'* ]]
	[ "$(metric xos_http_connections)" -le 5000 ]
	[ "$(($(metric xos_http_connections_ended_total) + $(metric xos_http_connections_refused_total)))" -ge 200 ]
	sed -i 's/^request = 1m/request = 2s/' "$CONF"
	[[ $(reload 3>&-) == *"event=config.reloaded changed=limits.request"* ]]
}

# ---- the database ----

@test "database locked by another process: log-ins go on, commands say why not, ready says so" {
	coproc LOCKER { sqlite3 -batch "$AUTH/cad/auth/membership.db"; }
	local to=${LOCKER[1]} from=${LOCKER[0]} pid=$LOCKER_PID word
	echo "BEGIN EXCLUSIVE; SELECT 'locked';" >&"$to"
	read -r word <&"$from"
	[ "$word" = locked ]
	login m3 3>&-
	run xos-vo group add /demo/while-locked
	[ "$status" -eq 3 ]
	[[ $output == *"another process keeps the database busy"* ]]
	retry ready_says "database: "
	echo "ROLLBACK; SELECT 'open';" >&"$to"
	read -r word <&"$from"
	retry ready_says '"ready"'
	xos-vo group add /demo/while-locked
	exec {to}>&-
	wait "$pid" || true
	acts_agree
}

# ---- the disk ----

# The state moves to a file system of so many megabytes. small_disk_end undoes it.
small_disk() {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount a small file system"
	authority_stop
	mkdir -p "$AUTH/cad.disk"
	mount -t tmpfs -o "size=$1m,mode=755" tmpfs "$AUTH/cad.disk" || skip "this machine does not let us mount"
	cp -a "$AUTH/cad/." "$AUTH/cad.disk/"
	mount --move "$AUTH/cad.disk" "$AUTH/cad" 2>/dev/null || mount --bind "$AUTH/cad.disk" "$AUTH/cad"
	touch "$AUTH/cad.mounted"
	authority_start
}
small_disk_end() {
	[ -e "$AUTH/cad.mounted" ] || return 0
	authority_stop
	cp -a "$AUTH/cad" "$AUTH/cad.copy"
	umount "$AUTH/cad"
	! mountpoint -q "$AUTH/cad.disk" || umount "$AUTH/cad.disk"
	rm -rf "$AUTH/cad"
	mv "$AUTH/cad.copy" "$AUTH/cad"
	rm "$AUTH/cad.mounted"
}
refused_for_the_disk() {
	local n
	for ((n = 0; n < 400; n++)); do
		echo load-secret | xos-login "m$((n + 1))" --password-stdin --out "$AUTH/full.$n" >"$AUTH/said" 2>&1 || return 0
	done
	return 1
}
serials_of() {
	local f
	for f; do xos-token show --json "$f" | sed -n 's/.*"serial": "\([0-9a-f]*\)".*/\1/p'; done
}

@test "disk full: refused with the reason, and served again without a restart when there is room" {
	small_disk 24
	local pid=$AUTHORITY_PID key
	key=$(authority_part key)
	rm -f "$AUTH"/full.*
	cat /dev/zero >"$AUTH/cad/fill" 2>/dev/null || true
	refused_for_the_disk
	grep -q "No space left on device" "$AUTH/said"
	retry ready_says "disk is full"
	run xos-vo group add /demo/no-room
	[ "$status" -eq 3 ]
	[[ $output == *"disk is full"* || $output == *"No space left"* ]]
	rm "$AUTH/cad/fill"
	retry login m1
	retry ready_says '"ready"'
	grep -q "event=log.reopened" "$AUTH/log"
	[ "$AUTHORITY_PID" = "$pid" ] && [ "$(authority_part key)" = "$key" ]
	retry xos-vo group add /demo/room-again
	serials_of "$AUTH"/full.* "$AUTH/t" >"$AUTH/serials"
	all_in_log "$AUTH/serials"
	acts_agree
	small_disk_end
	authority_start
}

# ---- time ----

faked_now() { faketime -m -f "$(cat "$AUTH/cad/auth/trust/offset")" "$@"; }

@test "clock stepped by an hour, forward and back: served, and said" {
	# The time stands in a file that the path rules let all three processes read.
	local lib offset=$AUTH/cad/auth/trust/offset
	cp -r "$AUTH/cad/trust" "$AUTH/cad/auth/trust"
	chmod 755 "$AUTH/cad/auth"
	sed -i 's#^trust = trust#trust = auth/trust#' "$CONF"
	lib=$(find /usr/lib -name libfaketimeMT.so.1 | head -n 1)
	[ -n "$lib" ]
	authority_stop
	# Two hours ahead at first: so that nothing here was made after the earliest time.
	echo "+7200" >"$offset"
	chmod 644 "$offset"
	LD_PRELOAD=$lib FAKETIME_TIMESTAMP_FILE=$offset FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 \
		FAKETIME_DISABLE_SHM=1 authority_start
	echo load-secret | faked_now xos-login m1 --password-stdin --out "$AUTH/t1"
	echo "+10800" >"$offset"
	retry grep -q "event=clock.stepped .*by=\(1h00m\|59m5\)" "$AUTH/log"
	echo load-secret | faked_now xos-login m1 --password-stdin --out "$AUTH/t2"
	run ready
	[ "$output" = '{"status":"ready"}' ]
	echo "+7200" >"$offset"
	retry ready_says 'clock: the clock is'
	echo load-secret | faked_now xos-login m1 --password-stdin --out "$AUTH/t3"
	# so far back that the authority's own certificates have not begun: it says so, and not that all is well
	echo "-7200" >"$offset"
	retry ready_says "is the clock right?"
	authority_stop
	rm -r "$AUTH/cad/auth/trust"
	sed -i 's#^trust = auth/trust#trust = trust#' "$CONF"
	chmod 700 "$AUTH/cad/auth"
	authority_start
	serials_of "$AUTH/t1" "$AUTH/t2" "$AUTH/t3" >"$AUTH/serials"
	[ "$(wc -l <"$AUTH/serials")" -eq 3 ]
	all_in_log "$AUTH/serials"
}

# ---- death ----

# The next number below $1, of a sequence that is the same every time.
drawn() { DRAW=$(((DRAW * 1103515245 + 12345) % 2147483648)); echo $((DRAW / 65536 % $1)); }

@test "kill -9 of any process at any moment under load: what was acknowledged is in the log, and acts agree" {
	local parts=(network auth key) round part want
	DRAW=20261130
	admin >/dev/null
	: >"$AUTH/added"
	for round in 1 2 3 4; do
		load_begin "$AUTH/load.$round" --members "$MEMBERS" --clients 4 --seconds 120 --keep-going --seed "$round"
		for ((want = 0; want < 3; want++)); do
			xos-vo group add "/demo/kill-$round-$want" >/dev/null 2>&1 3>&- && echo "/demo/kill-$round-$want" >>"$AUTH/added"
		done
		# "Any moment": after so many log-ins, not after so long.
		want=$((20 + $(drawn 60)))
		retry have_lines "$AUTH/load.$round" "$want"
		drawn 3 >"$AUTH/drawn"
		part=${parts[$(cat "$AUTH/drawn")]}
		kill -9 "$(authority_part "$part")"
		xos-vo group add "/demo/kill-$round-after" >/dev/null 2>&1 3>&- && echo "/demo/kill-$round-after" >>"$AUTH/added"
		want=$(($(wc -l <"$AUTH/load.$round") + 10))
		retry have_lines "$AUTH/load.$round" "$want"
		load_end
	done
	retry login m5
	all_in_log "$AUTH"/load.[1-4]
	acts_agree
	retry admin >/dev/null
	xos-vo group list --json >"$AUTH/groups"
	while read -r group; do grep -q "\"$group\"" "$AUTH/groups"; done <"$AUTH/added"
	[ "$(grep -c 'event=child.died' "$AUTH/log")" -ge 4 ]
}
have_lines() { [ "$(wc -l <"$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
