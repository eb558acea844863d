#!/usr/bin/env bats
# How nodes keep their certificates: a stolen key shows, a lost answer does not look like one, what has ended is
# rescued where the owner allows it, and stock ssh believes the nodes. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	terms 1 90d
	start_node n1
	# Three more whose certificates end before they start.
	life 10s
	local n
	for n in n2 n3 n4; do
		make_node $n
		join $n
		as admin xos-node approve $n
		join $n
	done
	life 7d
}

teardown_file() {
	[ ! -s "$V/ssh/sshd.pid" ] || kill "$(cat "$V/ssh/sshd.pid")"
	vo_remove
}

teardown() {
	[ "$BATS_TEST_COMPLETED" = 1 ] || tail -n 20 "$V"/n[0-9]/log/*.log "$V/vo/log/xos-rcad.log" >&2
}

# The owner lets nodes in through admin, and rescues for that long.
terms() { as admin xos-node admission --site lab --site-key "$V/lab.key" --serial "$1" --approver admin --rescue "$2"; }

life() {
	sed -i '/^node_life/d' "$V/vo/rcad/rcad.conf"
	echo "node_life = $1" >>"$V/vo/rcad/rcad.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
}

part() { pgrep -P "$(cut -d' ' -f1 "$V/vo/run/xos-rcad.pid")" -f -- "--role $1"; }
state() { as alice xos-node list --json | jq -r --arg n "$1" '.nodes[] | select(.node == $n) | .state'; }
note() { as alice xos-node list | grep "^$1 "; }
credd() { xos-credd status --config "$V/n1/credd.conf"; }
serial() { openssl x509 -in "$1" -noout -serial; }
over() { ! openssl x509 -in "$1" -noout -checkend 0; }

@test "answers that are lost, because the asker or the authority is killed, are no theft" {
	local key asker
	key=$(part key)
	kill -STOP "$key"
	xos-node renew --force --dir "$V/n1" 3>&- &
	asker=$!
	waiting() { ss -tnp state established 2>/dev/null | grep -q "pid=$asker,"; }
	retry waiting
	kill -9 "$asker"
	wait "$asker" || true
	kill -CONT "$key"
	# and once more, with the authority's own half of the work lost
	kill -STOP "$key"
	xos-node renew --force --dir "$V/n1" 3>&- &
	asker=$!
	retry waiting
	kill -9 "$(part auth)"
	kill -CONT "$key"
	wait "$asker" || true
	retry as alice xos-node list
	retry xos-node renew --force --dir "$V/n1"
	xos-node renew --force --dir "$V/n1"
	[ "$(state n1)" = active ]
	confirmed() { credd | jq -e '.certificate.confirmed and (.certificate.refused | not)'; }
	retry confirmed
}

@test "a renewal by hand is read anew by the running daemons" {
	local before pid
	before=$(credd | jq -r .certificate.key)
	pid=$(cat "$V/n1/run/xos-credd.pid")
	xos-node renew --force --dir "$V/n1"
	other() { [ "$(credd | jq -r .certificate.key)" != "$before" ]; }
	retry other
	[ "$(cat "$V/n1/run/xos-credd.pid")" = "$pid" ]
}

# --- ssh ---

sshd_start() { # HOSTKEY [HOSTCERTIFICATE]
	[ ! -s "$V/ssh/sshd.pid" ] || { kill "$(cat "$V/ssh/sshd.pid")" && rm -f "$V/ssh/sshd.pid"; }
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	local port=$((20000 + RANDOM % 12000))
	{
		printf '%s\n' "ListenAddress 127.0.0.1:$port" "PidFile $V/ssh/sshd.pid" "HostKey $1" "StrictModes no" \
			"AuthorizedKeysFile $V/ssh/me.pub" "UsePAM no" "PermitRootLogin yes"
		[ -z "${2:-}" ] || echo "HostCertificate $2"
	} >"$V/ssh/sshd_config"
	/usr/sbin/sshd -f "$V/ssh/sshd_config" -E "$V/ssh/log"
	PORT=$port
}
into() { # HOST: by the line of known-hosts alone
	ssh ${VERBOSE:+"$VERBOSE"} -F none -p "$PORT" -i "$V/ssh/me" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
		-o UserKnownHostsFile="$V/ssh/known" -o GlobalKnownHostsFile=/dev/null -o HostKeyAlias="$1" 127.0.0.1 true
}

@test "stock ssh believes a node by one line, under its own names only" {
	mkdir -p "$V/ssh/keys"
	chmod 755 "$V/ssh" "$V/ssh/keys"
	ssh-keygen -q -t ed25519 -N '' -f "$V/ssh/me"
	ssh-keygen -q -t ed25519 -N '' -f "$V/ssh/keys/ssh_host_ed25519_key"
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$V/ssh/keys/ssh_host_rsa_key"
	ssh-keygen -q -t ed25519 -N '' -f "$V/ssh/stranger"
	run -0 xos-node ssh-host --dir "$V/n1" --keys "$V/ssh/keys" --out "$V/ssh/out"
	[[ $output == *"HostCertificate $V/ssh/out/ssh_host_ed25519_key-cert.pub"* ]]
	as alice xos-node known-hosts >"$V/ssh/known"
	[ "$(wc -l <"$V/ssh/known")" = 1 ]
	sshd_start "$V/ssh/keys/ssh_host_ed25519_key" "$V/ssh/out/ssh_host_ed25519_key-cert.pub"
	retry into n1
	# a name that is another node's; the same name from a key that is not certified; the certificate with another key
	run ! into n2
	sshd_start "$V/ssh/stranger"
	run ! into n1
	sshd_start "$V/ssh/stranger" "$V/ssh/out/ssh_host_ed25519_key-cert.pub"
	run ! into n1
	# another authority's word for it
	ssh-keygen -q -t ecdsa -N '' -f "$V/ssh/ca"
	ssh-keygen -q -s "$V/ssh/ca" -h -I demo/node/n1 -n n1 "$V/ssh/stranger.pub"
	sshd_start "$V/ssh/stranger" "$V/ssh/stranger-cert.pub"
	run ! into n1
	run -0 ssh-keygen -L -f "$V/ssh/out/ssh_host_rsa_key-cert.pub"
	[[ $output == *"host certificate"*'Key ID: "demo/node/n1"'* ]]
	# nobody gets them without a node's key, and the key that signs them is no other
	mkdir "$V/ssh/empty"
	run -1 xos-node ssh-host --dir "$V/n1" --keys "$V/ssh/empty" --out "$V/ssh/none"
	[[ $output == *"no host keys"* ]]
	[ ! -e "$V/ssh/none" ]
	[ -s "$V/vo/rcad/ssh_host_ca.key" ]
	run ! cmp "$V/vo/rcad/ssh_host_ca.key" "$V/vo/rcad/rca.key"
}

@test "an ended host certificate is refused, and the daemon has a new one in time" {
	local key="$V/ssh/keys/ssh_host_ed25519_key" out="$V/n1/credd/ssh/ssh_host_ed25519_key-cert.pub"
	sshd_start "$key" "$V/ssh/out/ssh_host_ed25519_key-cert.pub"
	retry into n1
	now() { faketime -f "$1" "${@:2}"; }
	run ! now +8d into n1
	# a running sshd shows a new one without a restart
	ssh_v() { VERBOSE=-v into n1 2>&1; }
	xos-node ssh-host --dir "$V/n1" --keys "$V/ssh/keys" --out "$V/ssh/out"
	new() { ssh_v | grep -q "serial $(ssh-keygen -L -f "$V/ssh/out/ssh_host_ed25519_key-cert.pub" | sed -n 's/.*Serial: //p')"; }
	retry new
	echo "ssh_host_keys = $V/ssh/keys" >>"$V/n1/credd.conf"
	xos-node stop --dir "$V/n1"
	mkdir "$V/n1/credd/ssh" # as ssh-host leaves it before a first start
	xos-node start --dir "$V/n1"
	there() { [ -s "$out" ]; }
	retry there
	sshd_start "$key" "$out"
	retry into n1
	# a new host key is certified without a person
	rm "$key" "$key.pub" "$out"
	ssh-keygen -q -t ed25519 -N '' -f "$key"
	kill -HUP "$(cut -d' ' -f1 "$V/n1/run/xos-credd.pid")"
	xos-node ssh-host --dir "$V/n1" --keys "$V/ssh/keys" # at once; otherwise within a minute
	there
	sshd_start "$key" "$out"
	retry into n1
}

# --- after the end ---

@test "a certificate that has ended is renewed by the old key within the owner's time, and it shows" {
	retry over "$V/n2/credd/node.pem"
	retry over "$V/n4/tls/jobs.pem"
	run -0 as alice xos-node list
	[[ $output != *rescued* ]]
	run -0 xos-node renew --dir "$V/n2"
	[[ $output == *"are renewed"* ]]
	run ! over "$V/n2/credd/node.pem"
	run -0 note n2
	[[ $output == *"rescued at "* ]]
	grep -q "event=node.rescued" "$V/vo/log/xos-rcad.log"
}

@test "the daemons do it by themselves when they come back" {
	over "$V/n3/credd/node.pem"
	xos-node start --dir "$V/n3"
	back() { ! over "$V/n3/credd/node.pem" && ! over "$V/n3/tls/jobs.pem"; }
	retry back
	note n3 | grep -q "rescued at "
	xos-node stop --dir "$V/n3"
}

@test "where the owner allows none, it says to join again" {
	terms 2 0s
	run -1 xos-node renew --dir "$V/n4"
	[[ $output == *"allows no renewal after the end"*"xos-node join"* ]]
	over "$V/n4/credd/node.pem"
	terms 3 90d
	as admin xos-node ban n4 --message "not yours"
	run -1 xos-node renew --dir "$V/n4"
	[[ $output == *"not yours"* ]]
}

# --- theft ---

@test "a key that was copied shows when both renew: the node is locked, everybody is told" {
	local key
	cp -r "$V/n1" "$V/thief"
	rm -r "$V/thief/run"
	xos-node renew --force --dir "$V/n1"
	# signed within the same second as what came before, it is only refused: it might have been held up
	seen() { run -1 xos-node renew --force --dir "$V/thief"; [[ $output == *"used twice: at "*"from 127.0.0.1"* ]]; }
	retry seen
	[ "$(state n1)" = banned ]
	run -0 note n1
	[[ $output == *"its key of generation "*" was used twice"* ]]
	grep -q "event=node.key-used-twice" "$V/vo/log/xos-rcad.log"
	told() { xos-node status --dir "$V/n1" | grep -q "Renewal refused: this node is locked since .*used twice.*ask the administrators of the VO demo"; }
	retry told
	run -1 xos-node renew --force --dir "$V/n1"
	[[ $output == *"renewal refused: "*"locked since "*"ask the administrators of the VO demo"* ]]
	run -1 xos-node ssh-host --dir "$V/n1" --keys "$V/ssh/keys"
	# not simply taken back
	run -1 as admin xos-node unban n1
	[[ $output == *"--accept"* ]]
	run -1 as alice xos-node unban n1 --accept "sha256:$(printf '%064d' 0)"
	key=sha256:$(openssl x509 -in "$V/n1/tls/jobs.pem" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
	as admin xos-node unban n1 --accept "$key"
	[ "$(state n1)" = active ]
	retry xos-node renew --force --dir "$V/n1"
	again() { ! xos-node renew --force --dir "$V/thief" && [ "$(state n1)" = banned ]; }
	retry again
}
