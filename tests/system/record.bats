#!/usr/bin/env bats
# The record of an authority: heads and proofs that a client verifies without believing anybody, and what somebody with
# the authority's disk, or its network process, can do about it. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority

setup_file() {
	authority_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT"
	admin
	local name
	for name in alice bob; do
		echo "$name-secret" | xos-vo member add "$name" --password-stdin
		login "$name"
	done
	xos-vo group add /demo/physics
	xos-vo member join alice /demo/physics
}

teardown_file() { authority_remove; }

setup() {
	read -r AUTHORITY_PID _ <"$AUTH/pid" # another one since a test before
	export AUTHORITY_PID
	LOG=$AUTH/cad/key/issuance.log
	T=$BATS_TEST_TMPDIR
}

teardown() {
	[ "$BATS_TEST_COMPLETED" = 1 ] || tail -n 20 "$AUTH/log" >&2
}

as() { XOS_TOKEN=$AUTH/$1 "${@:2}"; }
login() { as "$1" xos-login "$1" --password-stdin <<<"$1-secret"; }
last() { xos-vo log verify --json | jq .records; }
get() { curl -s --insecure "$URL/v1/vo/demo/log/$1"; }

# The files of the stopped authority, kept and put back.
keep() { mkdir -p "$1" && cp -p "$LOG"* "$1/"; }
restore() { rm -f "$LOG"* && cp -p "$1"/issuance.log* "${LOG%/*}/"; }
# A client that has seen nothing yet.
fresh() {
	cp -r "$AUTH/config" "$T/fresh"
	rm -f "$T"/fresh/demo/ca-log.*
}

flip() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "the log is verified, and what was seen is remembered" {
	local n
	n=$(last)
	login bob
	run -0 xos-vo log verify
	[[ $output == *"demo/ca: $((n + 1)) records"*"the first $n, which this machine saw"*"are unchanged"* ]]
	[ "$(xos-vo log verify --json | jq .seen_before)" -eq $((n + 1)) ]
	fresh
	run -0 env XOS_CONFIG="$T/fresh" XOS_TOKEN=/nonexistent xos-vo log verify
	[[ $output == *"seen for the first time"* ]]
	# What two were shown is compared.
	XOS_CONFIG=$T/fresh xos-vo log verify --json >"$T/theirs"
	login bob
	run -0 xos-vo log verify --head "$T/theirs"
	[[ $output == *"is one of this log"* ]]
	jq '.head = "AAAA"' "$T/theirs" >"$T/forged"
	run -1 xos-vo log verify --head "$T/forged"
	run -1 xos-vo log verify --head /nonexistent
	run -2 xos-vo log verify --head "$T/theirs" --proof "$T/theirs"
}

@test "a member proves the own token, an administrator any token and act; a third party verifies it off line" {
	run -0 as alice xos-vo log prove
	[[ $output == *'"member":"alice"'*"proven by"* ]]
	local serial
	serial=$(as alice xos-token show --json | jq -r .serial)
	run -0 xos-vo log prove "${serial^^}"
	run -0 xos-vo log prove --act 1
	[[ $output == *vo.init* ]]
	as alice xos-vo log prove --json >"$T/proof"
	[ "$(jq -r .record.serial "$T/proof")" = "$serial" ]
	run -0 env XOS_CONFIG=/nonexistent xos-vo log verify --proof "$T/proof" --root "$AUTH/root/root.pem"
	[[ $output == *'"member":"alice"'* ]]
	# The same by the public route alone, with nothing that names anybody.
	local sequence
	sequence=$(jq .sequence "$T/proof")
	run -0 get "proof?sequence=$sequence&size=$(jq .records <<<"$(xos-vo log verify --json)")"
	[ "$(jq -r 'keys | join(",")' <<<"$output")" = "path,sequence,size" ]
}

@test "others' records are not shown to a member, and what does not exist is not found" {
	local serial
	serial=$(as bob xos-token show --json | jq -r .serial)
	run -1 as alice xos-vo log prove "$serial"
	[[ $output == *"that you may see"* ]]
	run -1 as alice xos-vo log prove --act 1
	run -1 as alice xos-vo log show bob
	[[ $output == *"/demo/Role=admin"* ]]
	run -1 as alice xos-vo log export
	[[ $output == *"/demo/Role=admin"* ]]
	run -1 xos-vo log prove 00ff
	[[ $output == *"never recorded"* ]]
	run -1 xos-vo log prove --act 100000
	run -2 xos-vo log prove xyz
	run -2 xos-vo log prove --act 0
	run -2 xos-vo log verify --since 1d
	run -2 xos-vo log show alice --since yesterday
}

@test "a forged or damaged proof is refused" {
	run -1 xos-vo log verify --proof nothing.json
	[ "$output" = "xos-vo: cannot open nothing.json: No such file or directory" ]
	as alice xos-vo log prove --json >"$T/proof"
	local verify=(xos-vo log verify --proof)
	for change in '.record.member = "mallory"' '.sequence += 1' '.time = "2020-01-01T00:00:00Z"' '.type = "act"' \
		'.path = .path[0:-44]' '.path = "AAAA"' '.path += .path' '.entry = .path' 'del(.chain)' 'del(.entry)' \
		'.head = .entry' '.entry |= (@base64d | sub("alice"; "alicf") | @base64)'; do
		jq "$change" "$T/proof" >"$T/forged"
		run -1 "${verify[@]}" "$T/forged"
	done
	# By another VO's root, and by a key that issues something else.
	xos-cad root-init --dir "$T/root2" --vo demo >/dev/null
	run -1 xos-vo log verify --proof "$T/proof" --root "$T/root2/root.pem"
	jq --arg c "$(openssl x509 -in "$AUTH/rcad/rca.pem" -outform DER | base64 -w0)" '.chain = [$c]' "$T/proof" >"$T/forged"
	run -1 xos-vo log verify --proof "$T/forged" --root "$AUTH/root/root.pem"
	head -c 100 "$T/proof" >"$T/forged"
	run -1 "${verify[@]}" "$T/forged"
	: >"$T/forged"
	run -1 "${verify[@]}" "$T/forged"
	run -1 "${verify[@]}" "$T/missing"
}

@test "show: about a member, since when, for administrators and for oneself" {
	run -0 xos-vo log show alice
	[[ $output == *member.add*token*group.join* ]]
	run -0 as alice xos-vo log show alice --since 1h --json
	[ "$(jq '[.records[].record | select(.member == "alice" or .by == "alice" or .args.name == "alice" | not)] | length' <<<"$output")" -eq 0 ]
	[ "$(jq '.records | length' <<<"$output")" -ge 3 ]
	echo "$output" >"$T/shown"
	run -0 xos-vo log verify --proof "$T/shown"
	run -0 xos-vo log show alice --until 2020-01-01T00:00:00Z
	[[ $output == *"nothing about alice"* ]]
	run -0 xos-vo log show alice --since 2099-01-01T00:00:00Z
	[[ $output == *"nothing about alice"* ]]
}

@test "export: whole, in part, verified again; a record taken out or changed shows" {
	xos-vo log export --out "$T/all"
	run -0 xos-vo log verify --proof "$T/all"
	[[ $output == *"without a gap"* ]]
	[ "$(jq -s '[.[].sequence // empty] | . == [range(1; length + 1)]' "$T/all")" = true ]
	xos-vo log export --from 2 --to 4 >"$T/part"
	run -0 xos-vo log verify --proof "$T/part" --json
	[ "$(jq -c '[.records, .first, .last, .complete]' <<<"$output")" = '[3,2,4,true]' ]
	sed 3d "$T/part" >"$T/forged"
	run -1 xos-vo log verify --proof "$T/forged"
	[[ $output == *"record 3 is missing"* ]]
	sed '$d' "$T/part" >"$T/forged"
	run -1 xos-vo log verify --proof "$T/forged"
	[[ $output == *"records 4 to 4 are missing"* ]]
	sed 's/member.add/member.bad/' "$T/all" >"$T/forged"
	run -1 xos-vo log verify --proof "$T/forged"
	run -1 xos-vo log export --from 3 --to 2
	run -1 xos-vo log export --to 100000
	run -1 xos-vo log export --out /nonexistent/x
}

@test "heads and proofs are for everybody; bad questions are refused" {
	run -0 get head
	jq -e '.head and .chain and .root' <<<"$output"
	run -0 get "consistency?from=1&to=3"
	jq -e .path <<<"$output"
	for q in proof consistency "proof?sequence=0" "proof?sequence=-1" "proof?sequence=1&size=999999" "proof?sequence=5&size=4" \
		"proof?sequence=1&serial=2" "proof?sequence=99999999999999999999" "consistency?from=5&to=4" \
		"consistency?from=1&to=999999" "head?x=1"; do
		run -0 get "$q"
		jq -e '.code and .status >= 400 and .status < 500' <<<"$output"
	done
	run -0 curl -s --insecure "$URL/v1/vo/other/log/head"
	[ "$(jq .status <<<"$output")" -eq 404 ]
}

@test "a byte changed on the disk: the authority does not start, a running one gives the record to nobody" {
	authority_stop
	keep "$T/good"
	flip "$LOG" $(($(stat -c %s "$LOG") / 2))
	run -1 xos-cad log --config "$CONF"
	[[ $output =~ record\ [0-9]+ ]]
	run -1 authority_start
	restore "$T/good"
	authority_start
	local middle
	middle=$(grep -a -b -o '"verb":"group.add"' "$LOG" | cut -d: -f1)
	flip "$LOG" $((middle + 9))
	run -1 xos-vo log export --out "$T/x"
	[[ $output =~ record\ [0-9]+\ at\ byte ]]
	[ ! -e "$T/x" ]
	run -0 xos-vo log verify # the head is as it was
	flip "$LOG" $((middle + 9))
	run -0 xos-vo log export --out "$T/x"
}

@test "key killed under load: every token that somebody got is recorded" {
	local i k
	for i in 1 2 3 4 5 6 7 8; do
		for k in 1 2 3; do
			XOS_TOKEN=$T/token$i.$k xos-login ada --password-stdin <<<"admin-secret" || true
		done &
	done >/dev/null 2>&1
	retry compgen -G "$T/token*" >/dev/null
	kill -9 "$(authority_part key)"
	wait
	retry xos-vo log verify
	for i in "$T"/token*; do
		run -0 env XOS_TOKEN="$i" xos-vo log prove
	done
}

@test "a lost tree is made anew" {
	authority_stop
	rm "$LOG.tree"
	authority_start
	run -0 xos-vo log verify
	run -0 as alice xos-vo log prove
}

@test "the tail cut, an older copy put back, another history: a client that remembers tells" {
	authority_stop
	keep "$T/old"
	authority_start
	login alice
	login bob
	xos-vo log verify
	authority_stop
	keep "$T/new"
	# Cut: the head file beside it says so.
	truncate -s -200 "$LOG"
	run -1 authority_start
	# An older copy of all files agrees with itself.
	restore "$T/old"
	authority_start
	run -1 xos-vo log verify
	[[ $output == *"are missing"*"both signed heads"* ]]
	[ -s "$AUTH/config/demo/ca-log.conflict" ]
	run -1 as alice xos-vo log prove
	fresh
	run -0 env XOS_CONFIG="$T/fresh" xos-vo log verify
	# It goes on from there, past what was seen: another history.
	login bob
	login alice
	login bob
	run -1 xos-vo log verify
	[[ $output == *"not those of the head that was verified before"* ]]
	run -1 xos-vo log verify --json
	[ "$(jq -r .error.code <<<"$output")" = log-rewritten ]
	# Whoever saw only the old copy cannot tell yet, and is not told wrong things.
	run -0 env XOS_CONFIG="$T/fresh" xos-vo log verify
	XOS_CONFIG=$T/fresh xos-vo log verify --json >"$T/theirs"
	authority_stop
	restore "$T/new"
	authority_start
	run -0 xos-vo log verify
	# Two who compare what they were shown find out.
	run -1 xos-vo log verify --head "$T/theirs"
	[[ $output == *"not those of the head"* || $output == *"are missing"* ]]
	# And now that client can alone.
	run -1 env XOS_CONFIG="$T/fresh" xos-vo log verify
}

@test "nobody there: exit 3, and what was seen stays" {
	authority_stop
	run -3 xos-vo log verify
	run -3 xos-vo log prove
	authority_start
	run -0 xos-vo log verify
	[[ $output == *unchanged* ]]
	echo x >"$AUTH/config/demo/ca-log.seen"
	run -1 xos-vo log verify
	[[ $output == *"ca-log.seen"*"remove it"* ]]
	rm "$AUTH/config/demo/ca-log.seen"
	run -0 xos-vo log verify
}
