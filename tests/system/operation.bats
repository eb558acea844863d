#!/usr/bin/env bats
# Running an authority: reading the configuration again, copies of its state and taking them back.
# BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority
load failure

setup_file() {
	authority_make
	mkdir "$AUTH/load-trust" "$AUTH/cad/tls"
	cp "$AUTH"/cad/trust/*.pem "$AUTH/load-trust/"
	# Few iterations for the load; a folder of its own for what may be renewed without a restart.
	printf '%s\n' "[password]" "iterations = 4096" "[token]" "lifetime = 12h" >>"$CONF"
	mv "$AUTH"/cad/tls.* "$AUTH/cad/tls/"
	sed -i 's#= tls\.#= tls/tls.#' "$CONF"
	[ "$(id -u)" -ne 0 ] || chown 1899999090 "$AUTH/cad/tls/tls.key"
	echo load-secret | xos-populate "$AUTH/cad" demo 100 10 4096
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
}

# shellcheck disable=SC2034 # authority.bash reads it
setup() { AUTHORITY_PID=$(cut -d' ' -f1 "$AUTH/pid" 2>/dev/null) || true; }

teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 12 "$AUTH/log" >&2
	fi
}

login() { echo load-secret | xos-login "$@" --password-stdin --out "$AUTH/t"; }
life() { openssl x509 -in "$AUTH/t" -noout -checkend "$1" >/dev/null; }

# ---- SIGHUP ----

@test "a lifetime, a limit and the trust folder are read again; the rest says that it waits for a restart" {
	local key
	key=$(authority_part key)
	sed -i 's/^lifetime = 12h/lifetime = 1h/; s/^iterations = 4096/iterations = 5000/' "$CONF"
	cp "$AUTH/rcad/rca.pem" "$AUTH/cad/trust/more.pem"
	run reload
	[[ $output == *"event=config.reloaded changed=token.lifetime needs-restart=password.iterations"* ]]
	retry grep -q "event=config.applied lifetime=1h00m" "$AUTH/log"
	retry eval '[ "$(grep -c "event=trust.loaded" "$AUTH/log")" -ge 2 ]'
	login m1
	run ! life 3700
	life 3400
	# nothing was started anew
	[ "$(authority_part key)" = "$key" ]
	sed -i 's/^lifetime = 1h/lifetime = 12h/; s/^iterations = 5000/iterations = 4096/' "$CONF"
	run reload
	[[ $output == *"changed=token.lifetime"* && $output != *"needs-restart"* ]]
}

@test "a file that is not good changes nothing, and its line is named" {
	cp "$CONF" "$AUTH/good.conf"
	printf '%s\n' "lifetim = 1h" >>"$CONF"
	run reload
	[[ $output == *"event=config.kept"* && $output == *"lifetim"* && $output == *"cad.conf:"* ]]
	login m1
	life 43000
	# good by its grammar, and yet not to be had: found by the same checks as --check makes
	cp "$AUTH/good.conf" "$CONF"
	sed -i 's/^lifetime = 12h/lifetime = 200h/' "$CONF"
	run reload
	[[ $output == *"event=config.kept"* && $output == *"lifetime must not exceed lifetime_max"* ]]
	# a part that dies now comes back with what was good
	kill -9 "$(authority_part key)"
	retry login m1
	life 43000
	cp "$AUTH/good.conf" "$CONF"
	run reload
	[[ $output == *"event=config.reloaded changed=nothing"* ]]
}

@test "another root in the trust folder is not taken" {
	xos-cad root-init --dir "$AUTH/root2" --vo demo >/dev/null
	cp -a "$AUTH/cad/trust" "$AUTH/cad/trust.good"
	rm "$AUTH"/cad/trust/*
	cp "$AUTH/root2/root.pem" "$AUTH/cad/trust/"
	reload
	retry grep -q 'event=trust.kept .*another root' "$AUTH/log"
	login m1
	cp "$AUTH"/cad/trust.good/* "$AUTH/cad/trust/"
}

@test "a new TLS certificate takes the place of the old one without a restart" {
	local before key
	before=$(serial_shown)
	key=$(authority_part key)
	xos-rcad issue --config "$AUTH/rcad/rcad.conf" --service ca --name localhost --host localhost \
		--host 127.0.0.1 --csr "$AUTH/cad/tls/tls.csr" --out "$AUTH/cad/tls/new.pem" >/dev/null
	mv "$AUTH/cad/tls/new.pem" "$AUTH/cad/tls/tls.pem"
	reload
	retry eval '[ "$(serial_shown)" != '"'$before'"' ]'
	[ "$(authority_part key)" = "$key" ]
	login m1
}
serial_shown() {
	openssl s_client -connect "${URL#https://}" </dev/null 2>/dev/null | openssl x509 -noout -serial
}

# ---- copies ----

@test "backup under load: the copy is good, with exactly the acts of its log" {
	load_begin "$AUTH/load" --members 100 --clients 4 --seconds 120 --keep-going
	retry eval '[ "$(wc -l <"$AUTH/load" 2>/dev/null)" -gt 5 ]'
	(for i in {1..30}; do xos-vo group add "/demo/during-$i" >/dev/null 2>&1; done) 3>&- &
	local adding=$!
	for i in 1 2 3; do
		run xos-cad backup --config "$CONF" --out "$AUTH/copy$i"
		[ "$status" -eq 0 ]
		[[ $output == *"VO demo at "*" acts, "*" records"* ]]
	done
	wait "$adding" || true
	load_end
	for i in 1 2 3; do
		run xos-cad restore --check --config "$CONF" --from "$AUTH/copy$i" --accept-loss
		[ "$status" -eq 0 ]
	done
	[ "$(stat -c %a "$AUTH/copy1")" = 700 ]
	for f in "$AUTH"/copy1/*; do [ "$(stat -c %a "$f")" = 600 ]; done
	[ ! -e "$AUTH/copy1/ca.key" ]
	# a copy goes into a folder of its own
	run xos-cad backup --config "$CONF" --out "$AUTH/copy1"
	[ "$status" -eq 1 ]
	[[ $output == *"exists"* ]]
}

spoiled() { # NAME: a copy of the copy, to be changed
	rm -rf "$AUTH/spoiled"
	cp -a "$AUTH/copy3" "$AUTH/spoiled"
}
check() { xos-cad restore --check --config "$CONF" --from "$AUTH/spoiled" --accept-loss "$@"; }

@test "copies that were touched are refused, with what is wrong" {
	local f
	for f in membership.db verifiers.db issuance.log issuance.log.head; do
		spoiled
		truncate -s -1 "$AUTH/spoiled/$f"
		run check
		[ "$status" -eq 1 ]
		[[ $output == *"$f has "*" bytes"* ]]
		spoiled
		printf 'x' | dd of="$AUTH/spoiled/$f" bs=1 seek=100 conv=notrunc 2>/dev/null
		run check
		[ "$status" -eq 1 ]
		[[ $output == *"$f is not what it was"* ]]
		spoiled
		rm "$AUTH/spoiled/$f"
		run check
		[ "$status" -eq 1 ]
	done
	spoiled
	sqlite3 "$AUTH/spoiled/membership.db" "INSERT INTO roles VALUES (2, '/demo/Role=admin', 0)"
	run check
	[ "$status" -eq 1 ]
	spoiled
	sed -i 's/./A/40' "$AUTH/spoiled/manifest.jws"
	run check
	[ "$status" -eq 1 ]
	rm "$AUTH/spoiled/manifest.jws"
	run check
	[ "$status" -eq 1 ]
}

# What somebody with the key would sign, too: the log and the membership must tell the same.
@test "membership and log of different moments, and the copy of another VO" {
	spoiled
	cp "$AUTH"/copy1/issuance.log* "$AUTH/spoiled/"
	run check
	[ "$status" -eq 1 ]
	# signed by a key that is not this authority's
	xos-cad root-init --dir "$AUTH/other-root" --vo other >/dev/null
	echo admin-secret | xos-cad init --dir "$AUTH/other" --vo other --admin ada --password-stdin >/dev/null
	xos-cad root-sign --dir "$AUTH/other-root" --kind ca --csr "$AUTH/other/ca.csr" --out "$AUTH/other/ca.pem"
	spoiled
	run check --certificate "$AUTH/other/ca.pem"
	[ "$status" -eq 1 ]
}

# An error of --json: one object with this code on standard output, nothing on standard error, this status.
json_error() { # STATUS CODE COMMAND...
	local status=0
	"${@:3}" >"$AUTH/json.out" 2>"$AUTH/json.err" || status=$?
	[ "$status" -eq "$1" ]
	[ "$(jq -r .error.code "$AUTH/json.out")" = "$2" ]
	jq -e '.error.text and .error.status' "$AUTH/json.out" >/dev/null
	[ ! -s "$AUTH/json.err" ]
}

@test "--json: errors are JSON as well, and a verb without it says so" {
	json_error 1 copy-exists xos-cad backup --json --config "$CONF" --out "$AUTH/copy3"
	json_error 1 running xos-cad restore --config "$CONF" --from "$AUTH/copy3" --accept-loss --json
	json_error 2 usage xos-cad backup --json --config "$CONF"
	json_error 2 usage xos-cad backup --json --config "$CONF" --out "$AUTH/x" --odd
	json_error 2 usage xos-cad backup --json --out "$AUTH/x"
	json_error 2 usage xos-cad break-glass --json --config "$CONF" more
	sed 's/^vo = .*/&\nodd = 1/' "$CONF" >"$AUTH/odd.conf"
	json_error 2 config-unknown xos-cad backup --json --config "$AUTH/odd.conf" --out "$AUTH/x"
	run xos-cad log --json --config "$CONF"
	[ "$status" -eq 2 ]
	[[ $output == *"no --json"* ]]
}

@test "restore: not while it runs, nothing older without a word, then everything is as it was" {
	run xos-cad restore --config "$CONF" --from "$AUTH/copy3" --accept-loss
	[ "$status" -eq 1 ]
	[[ $output == *"stop it first"* ]]
	xos-cad backup --config "$CONF" --out "$AUTH/last" >/dev/null
	xos-vo member list --json >"$AUTH/members.before"
	login m2
	authority_stop
	run xos-cad restore --config "$CONF" --from "$AUTH/last"
	[ "$status" -eq 1 ]
	[[ $output == *"--accept-loss"* ]]
	run xos-cad restore --check --config "$CONF" --from "$AUTH/last"
	[ "$status" -eq 1 ]
	# the disk was lost; a head that was kept elsewhere tells that a copy is not the last one
	mkdir "$AUTH/kept"
	cp "$AUTH/cad/key/issuance.log.head" "$AUTH/kept/"
	rm -rf "$AUTH/cad/auth" "$AUTH/cad/key"
	run xos-cad restore --config "$CONF" --from "$AUTH/last" --known "$AUTH/kept"
	[ "$status" -eq 1 ]
	[[ $output == *"the log $AUTH/kept has "* ]]
	run xos-cad restore --config "$CONF" --from "$AUTH/last" --known "$AUTH"
	[ "$status" -ne 0 ]
	[ ! -e "$AUTH/cad/auth" ]
	cp "$AUTH/last/issuance.log.head" "$AUTH/kept/"
	xos-cad restore --check --config "$CONF" --from "$AUTH/last" --known "$AUTH/kept"
	run xos-cad restore --json --config "$CONF" --from "$AUTH/last"
	[ "$status" -eq 0 ]
	[[ $output == *'"vo":"demo"'* ]]
	[ "$(stat -c %a "$AUTH/cad/auth")" = 700 ]
	[ "$(stat -c %a "$AUTH/cad/auth/verifiers.db")" = 600 ]
	[ -e "$AUTH/cad/auth/membership.db-wal" ]
	authority_start
	admin >/dev/null
	xos-vo member list --json >"$AUTH/members.after"
	cmp "$AUTH/members.before" "$AUTH/members.after"
	login m3
	xos-vo group add /demo/after-restore
	acts_agree
	# and what was there before is kept beside it when there was something
	authority_stop
	xos-cad restore --config "$CONF" --from "$AUTH/last" --accept-loss
	ls -d "$AUTH"/cad/auth.before-* "$AUTH"/cad/key.before-*
	# under a name that nothing has: as if every second of the next minutes had seen a restore
	now=$(date +%s)
	for ((i = 0; i < 300; i++)); do
		mkdir "$AUTH/cad/auth.before-$((now + i))" 2>/dev/null || continue
		echo kept >"$AUTH/cad/auth.before-$((now + i))/kept"
	done
	xos-cad restore --config "$CONF" --from "$AUTH/last" --accept-loss
	[ "$(cat "$AUTH/cad/auth.before-$((now + 299))/kept")" = kept ]
	ls "$AUTH"/cad/auth.before-*-2/membership.db "$AUTH"/cad/key.before-*-2/issuance.log
	# one that fails leaves nothing half of it behind
	touch "$AUTH/cad/key.restored"
	run xos-cad restore --config "$CONF" --from "$AUTH/last" --accept-loss
	[ "$status" -ne 0 ]
	rm "$AUTH/cad/key.restored"
	[ -z "$(find "$AUTH/cad" -name '*.restored*')" ]
	authority_start
	login m3
}

@test "TLS files in the state folder: SIGHUP is silent about old ones, and says what new ones need" {
	local before
	authority_stop
	mv "$AUTH"/cad/tls/tls.* "$AUTH/cad/"
	sed -i 's#= tls/tls\.#= tls.#' "$CONF"
	[ "$(id -u)" -ne 0 ] || chown 0 "$AUTH/cad/tls.key"
	authority_start
	before=$(wc -l <"$AUTH/log")
	reload
	# the network process has done its part when what it does after that is in the log
	retry eval 'tail -n +$((before + 1)) "$AUTH/log" | grep -q "proc=cad/network.*event=trust"'
	run ! grep 'event=certificate.reload' <(tail -n "+$((before + 1))" "$AUTH/log")
	[ "$(id -u)" -eq 0 ] || skip "who is not root has one user for all of it"
	before=$(wc -l <"$AUTH/log")
	cp -p "$AUTH/cad/tls.key" "$AUTH/cad/new.key"
	mv "$AUTH/cad/new.key" "$AUTH/cad/tls.key"
	reload
	retry eval 'tail -n +$((before + 1)) "$AUTH/log" | grep -q "level=warn .*event=certificate.reload .*started again"'
	run ! grep 'level=error' <(tail -n "+$((before + 1))" "$AUTH/log")
}
