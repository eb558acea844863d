#!/usr/bin/env bats
# Unit files, users and folders for systemd: read by systemd's own programs, started by nobody.

bats_require_minimum_version 1.5.0

setup_file() {
	export UNITS=$BATS_FILE_TMPDIR/units
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export SOURCE
	bin=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd)
	mkdir "$UNITS"
	for unit in "$SOURCE"/packaging/systemd/*.service.in; do
		sed "s#@sbindir@#$bin#; s#@sysconfdir@#/etc#" "$unit" >"$UNITS/$(basename "$unit" .in)"
	done
}

@test "every daemon has a unit, and every unit is good" {
	for daemon in xos-cad xos-rcad xos-vopsd xos-acctd xos-credd xos-credd@ xos-jobd; do
		[ -e "$UNITS/$daemon.service" ]
	done
	run systemd-analyze verify --man=no "$UNITS"/*.service
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a unit that is not good is found out" {
	mkdir "$BATS_TEST_TMPDIR/bad"
	sed 's#^ProtectSystem=strict#ProtectSystem=mostly#; s#^Type=notify#Typ=notify#' "$UNITS/xos-cad.service" >"$BATS_TEST_TMPDIR/bad/xos-cad.service"
	run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/bad/xos-cad.service"
	[ -n "$output" ]
}

@test "the units tell the manager when they are ready, and confine what they can" {
	for unit in "$UNITS"/*.service; do
		grep -qx 'Type=notify' "$unit"
		grep -qx 'LimitCORE=0' "$unit"
		grep -q '^ExecReload=' "$unit"
	done
	for daemon in xos-cad xos-rcad xos-vopsd xos-acctd xos-credd; do
		grep -qx 'ProtectSystem=strict' "$UNITS/$daemon.service"
		grep -qx 'NoNewPrivileges=yes' "$UNITS/$daemon.service"
		run grep 'CAP_SYS_ADMIN' "$UNITS/$daemon.service"
		[ "$status" -eq 1 ]
	done
}

@test "users and folders: as systemd's programs read them, into a folder" {
	root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root/etc"
	run systemd-sysusers --root="$root" "$SOURCE/packaging/systemd/sysusers.conf"
	[ "$status" -eq 0 ]
	for user in xos-cad-net xos-cad-auth xos-cad-key xos-rcad-key xos-vopsd-auth xos-acctd-key xos-credd xos-jobd-net; do
		grep -q "^$user:" "$root/etc/passwd"
	done
	# a user each
	[ "$(cut -d: -f3 "$root/etc/passwd" | sort | uniq -d | wc -l)" -eq 0 ]
	run systemd-tmpfiles --root="$root" --create "$SOURCE/packaging/systemd/tmpfiles.conf"
	[ "$status" -eq 0 ]
	[ -d "$root/var/lib/xos" ]
}
