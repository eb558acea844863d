#!/usr/bin/env bats
# Certificates of a node that renew themselves while the daemons run. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

setup_file() {
	vo_make
	# Certificates begin some minutes before they are made, so half of this life is over at once.
	echo "node_life = 60s" >>"$V/vo/rcad/rcad.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	start_node n1
}

teardown_file() { vo_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		ls -ln "$V/n1/tls" "$V/n1/credd" >&2
		tail -n 20 "$V"/n1/log/*.log "$V/vo/log/xos-rcad.log" >&2
	fi
}

serial() { openssl x509 -in "$1" -noout -serial; }
other_serial() { [ "$(serial "$1")" != "$2" ]; }
# What a client sees on the port of the job service.
served() {
	openssl s_client -connect "127.0.0.1:$(sed -n 's/^jobs_port = //p' "$V/n1/node.conf")" -tls1_3 </dev/null 2>/dev/null |
		openssl x509 -noout -serial
}
serves() { [ "$(served)" = "$(serial "$V/n1/tls/jobs.pem")" ]; }
belong_together() {
	cmp <(openssl x509 -in "$V/n1/tls/jobs.pem" -noout -pubkey) <(openssl pkey -in "$V/n1/tls/jobs.key" -pubout)
}
submits() { as alice xos-job submit --wait -- true; }

long_retry() { # what happens within a minute
	local i
	for ((i = 0; i < 3; i++)); do retry "$@" && return 0; done
	return 1
}

@test "the running daemon renews the job service's certificate, for a new key, and serves it" {
	retry submits
	local jobs pid
	jobs=$(serial "$V/n1/tls/jobs.pem")
	pid=$(cat "$V/n1/run/xos-jobd.pid")
	cp "$V/n1/tls/jobs.pem" "$V/first.pem"
	cp "$V/n1/tls/jobs.key" "$V/first.key"
	long_retry other_serial "$V/n1/tls/jobs.pem" "$jobs"
	retry serves
	retry submits
	[ "$(cat "$V/n1/run/xos-jobd.pid")" = "$pid" ]
	retry belong_together
	run ! cmp "$V/first.key" "$V/n1/tls/jobs.key"
	openssl x509 -in "$V/n1/tls/jobs.pem" -noout -ext subjectAltName | grep -q spiffe://demo/service/jobs/n1
	[ "$(stat -c %a "$V/n1/tls/jobs.key")" = 600 ]
}

@test "renewed at once by its owner: served without a restart" {
	local before pid
	before=$(serial "$V/n1/tls/jobs.pem")
	pid=$(cat "$V/n1/run/xos-jobd.pid")
	run -0 xos-node renew --dir "$V/n1" --force
	[[ $output == *"are renewed"* ]]
	other_serial "$V/n1/tls/jobs.pem" "$before"
	retry serves
	[ "$(cat "$V/n1/run/xos-jobd.pid")" = "$pid" ]
	retry submits
}

gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }

@test "processes that read their key as its owner end with their supervisor" {
	local pid child children
	pid=$(cut -d' ' -f1 "$V/n1/run/xos-jobd.pid")
	children=$(pgrep -P "$pid")
	[ "$(wc -w <<<"$children")" -eq 3 ]
	kill -9 "$pid"
	for child in $children; do retry gone "$child"; done
	xos-node start --dir "$V/n1"
	retry submits
}

@test "a renewal that was cut off between key and certificate is finished at the next start" {
	xos-node stop --dir "$V/n1"
	mv "$V/n1/tls/jobs.pem" "$V/n1/tls/jobs.pem.next"
	cp "$V/first.pem" "$V/n1/tls/jobs.pem"
	run ! belong_together
	xos-node start --dir "$V/n1"
	retry belong_together
	[ ! -e "$V/n1/tls/jobs.pem.next" ]
	# and one that was cut off before: the new key was never announced
	xos-node stop --dir "$V/n1"
	cp "$V/first.key" "$V/n1/tls/jobs.key.next"
	chmod 600 "$V/n1/tls/jobs.key.next"
	xos-node start --dir "$V/n1"
	retry belong_together
	[ ! -e "$V/n1/tls/jobs.key.next" ]
	retry serves
	retry submits
}
