#!/usr/bin/env bats
# Credentials that xos-credd keeps: two users of one node, the tools and the installed C library.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/vo.bash"

setup_file() {
	vo_make
	start_node n1
	export XOS_CREDD_SOCKET=$V/n1/run/credd.sock
	retry ready
	# What an installation has, and a program that is built with it. Not by `cmake --install`, which writes a list into the
	# build folder.
	local build
	build=$(cd "${BUILD:-$SOURCE/build/release}" && pwd)
	cmake -DCMAKE_INSTALL_PREFIX="$V/usr" -DCMAKE_INSTALL_COMPONENT=library -P "$build/lib/credential/cmake_install.cmake" >"$V/install.log"
	PC=$(dirname "$(find "$V/usr" -name xos.pc)")
	# shellcheck disable=SC2046
	cc -std=c99 -Wall -Werror "$SOURCE/examples/credential/xos-sign.c" -o "$V/xos-sign" \
		$(PKG_CONFIG_PATH=$PC pkg-config --cflags --libs xos) -Wl,-rpath,"${PC%/pkgconfig}"
	mkdir -m 755 "$V/home"
	local who
	for who in alice local; do
		install -d -m 700 "$V/home/$who"
		! root || chown "$(uid_of $who):$(uid_of $who)" "$V/home/$who"
	done
	install -m 644 "$V/alice.pw" "$V/home/password"
	chmod -R a+rX "$V/config"
}
teardown_file() { vo_remove; }

root() { [ "$(id -u)" -eq 0 ]; }
ready() { xos-credd status --config "$V/n1/credd.conf" | jq -e '.state == "ready"' >/dev/null; }
# alice's account as this node computes it, and a local user's: no account of the VO.
uid_of() { case $1 in alice) echo 1900000001 ;; *) echo 1899999777 ;; esac; }
# user WHO COMMAND...: as that user; without root there is one.
user() {
	local uid
	uid=$(uid_of "$1")
	local how=(env HOME="$V/home/$1" XOS_TOKEN="$V/home/$1/token" XOS_CONFIG="$V/config")
	! root || how=(setpriv --reuid "$uid" --regid "$uid" --clear-groups "${how[@]}")
	shift
	"${how[@]}" "$@"
}
# keep WHO OPTION...: logs alice in with the key in xos-credd; prints the credential's id
keep() { user "$1" xos-login alice --credd --lasting "${@:2}" --json --password-stdin <"$V/home/password" | jq -r '.path | ltrimstr("xos-credd:")'; }
credd_process() {
	local p
	for p in /proc/[0-9]*; do
		{ tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null | grep -q "xos-credd run --config $V/n1/.*--role credd" && echo "${p#/proc/}" && return 0
	done
	return 1
}

@test "a key that never leaves xos-credd signs, and openssl verifies" {
	local id
	id=$(keep alice --no-export)
	run -0 user alice xos-token list --credd --json
	jq -e --arg id "$id" '.credentials[] | select(.id == $id) | .state == "ready" and .subject == "demo:alice" and .export == false and .default' <<<"$output"
	user alice xos-token choose "$id" 2>/dev/null || true # not every container has keyrings
	echo "what is signed" >"$BATS_TEST_TMPDIR/text"
	openssl dgst -sha256 -binary "$BATS_TEST_TMPDIR/text" | user alice "$V/xos-sign" >"$BATS_TEST_TMPDIR/sig"
	user alice "$V/xos-sign" --chain >"$BATS_TEST_TMPDIR/me.pem"
	openssl x509 -in "$BATS_TEST_TMPDIR/me.pem" -noout -pubkey >"$BATS_TEST_TMPDIR/me.pub"
	run -0 openssl dgst -sha256 -verify "$BATS_TEST_TMPDIR/me.pub" -signature "$BATS_TEST_TMPDIR/sig" "$BATS_TEST_TMPDIR/text"
	echo >>"$BATS_TEST_TMPDIR/text"
	run ! openssl dgst -sha256 -verify "$BATS_TEST_TMPDIR/me.pub" -signature "$BATS_TEST_TMPDIR/sig" "$BATS_TEST_TMPDIR/text"
	# A digest of another length is none.
	run -1 user alice "$V/xos-sign" <"$BATS_TEST_TMPDIR/text"
	run -1 user alice xos-token get "$id" --out "$V/home/alice/token"
	[[ "$output" == *"stay in xos-credd"* ]]
	[ ! -e "$V/home/alice/token" ]
	run -0 user alice xos-token show --credd "$id" --json
	[ "$(jq -r .member <<<"$output")" = alice ]
	run -0 user alice xos-token destroy "$id"
	run -1 user alice xos-token show --credd "$id"
}

@test "it delegates to the key of somebody else, and the chain says who for whom" {
	local id
	id=$(keep alice --no-export)
	cd "$BATS_TEST_TMPDIR"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout key.pem -outform DER -out request.der
	user alice "$V/xos-sign" --delegate n1 <request.der >chain.pem
	{ openssl x509 -in chain.pem && cat key.pem && awk '/BEGIN/ { n++ } n > 1' chain.pem; } >token.pem
	chmod 600 token.pem
	run -0 xos-token verify token.pem
	run -0 xos-token show token.pem --json
	jq -e '.member == "alice" and (.delegation | length == 1) and .delegation[0].actor == "example" and .delegation[0].node == "n1"' <<<"$output"
	run ! user alice "$V/xos-sign" --delegate n1 <key.pem
	user alice xos-token destroy "$id"
}

@test "another user gets nothing by its name, and has a token of his own" {
	root || skip "needs another user"
	local hers his
	hers=$(keep alice)
	run -1 user local xos-token show --credd "$hers"
	[[ "$output" == *"no credential $hers"* ]]
	run -1 user local xos-token get "$hers" --out "$V/home/local/token"
	run -1 user local xos-token destroy "$hers"
	run -1 user local "$V/xos-sign" </dev/null
	run -0 user local xos-token list --credd --json
	jq -e '.credentials == []' <<<"$output"
	# root, too, has what is root's.
	run -1 xos-token show --credd "$hers"
	his=$(keep local)
	run -0 user local xos-token get "$his" --out "$V/home/local/token"
	run -0 user local xos-token verify
	[ "$(stat -c %a "$V/home/local/token")" = 600 ]
	run -0 user alice xos-token list --credd --json
	jq -e --arg id "$his" 'all(.credentials[]; .id != $id)' <<<"$output"
	user alice xos-token destroy "$hers"
	user local xos-token destroy "$his"
}

@test "killed between two steps xos-credd loses nothing" {
	local id
	id=$(keep alice)
	kill -9 "$(credd_process)"
	run -0 user alice xos-token get "$id" --out "$V/home/alice/token"
	run -0 user alice xos-token verify
	user alice xos-token destroy "$id"
	kill -9 "$(credd_process)"
	run -1 user alice xos-token get "$id" --out "$V/home/alice/token"
}

@test "it ends with its session" {
	local id
	# shellcheck disable=SC2016
	id=$(export -f user uid_of root && setsid --wait bash -c 'user alice xos-login alice --credd --json --password-stdin <"$V/home/password"; user alice xos-token list --credd >&2' |
		jq -r '.path | ltrimstr("xos-credd:")')
	run -1 user alice xos-token get "$id" --out "$V/home/alice/token"
	[[ "$output" == *"has ended"* ]]
	run -0 user alice xos-token list --credd --json
	jq -e --arg id "$id" 'all(.credentials[]; .id != $id)' <<<"$output"
}

@test "a file for other tools goes to memory of the session, and nowhere else" {
	local id run
	id=$(keep alice)
	XDG_RUNTIME_DIR=/etc run -3 user alice xos-token get "$id"
	[[ "$output" == *"no place for a private key"* ]]
	run=$(mktemp -d /dev/shm/xos-run.XXXXXX) || skip "no tmpfs here"
	! root || chown "$(uid_of alice)" "$run"
	XDG_RUNTIME_DIR=$run run -0 --separate-stderr user alice xos-token get "$id"
	[ "$output" = "$run/xos-$id.pem" ]
	[ "$(stat -c %a "$output")" = 600 ]
	run -0 openssl pkey -in "$run/xos-$id.pem" -noout
	XDG_RUNTIME_DIR=$run user alice xos-token destroy "$id"
	[ -z "$(ls "$run")" ]
	rmdir "$run"
}

@test "a failed log-in leaves no key behind, and options that do not go together are told" {
	run -1 user alice xos-login alice --credd --lasting --password-stdin <<<wrong
	run -0 user alice xos-token list --credd --json
	jq -e 'all(.credentials[]; .state != "awaiting")' <<<"$output"
	run -2 user alice xos-login alice --no-export
	run -2 user alice xos-login alice --credd --renew
	XOS_CREDD_SOCKET=$V/none run -3 user alice xos-token list --credd
	[[ "$output" == *"cannot talk to xos-credd"* ]]
}

@test "logging out ends what is kept for sessions, and nothing else" {
	local id
	id=$(keep alice)
	keep alice --no-export
	run -0 user alice xos-logout --credd --json
	[ "$(jq .destroyed <<<"$output")" -ge 2 ]
	run -0 user alice xos-token list --credd --json
	jq -e 'all(.credentials[]; .kind == "job")' <<<"$output"
	run -1 user alice xos-token show --credd "$id"
}

@test "a job has its own credential by default, also beside a newer one" {
	local first second own
	# shellcheck disable=SC2016
	own='echo "$XOS_JOB_ID"; xos-token list --credd --json | jq -r ".credentials[] | select(.default).id"'
	run -0 --separate-stderr as alice xos-job submit --wait -- sh -c "$own"
	[ "${lines[0]}" = "${lines[1]}" ]
	# The first asks once the second is there; which group it is in is what tells them apart.
	# shellcheck disable=SC2016
	first=$(as alice xos-job submit -- sh -c 'until [ "$(xos-token list --credd --json | jq "[.credentials[] | select(.state == \"ready\" and .kind == \"job\")] | length")" -ge 2 ]; do sleep 0.1; done; '"$own")
	second=$(as alice xos-job submit -- sleep 60)
	run -0 as alice xos-job wait "$first"
	run -0 as alice xos-job logs "$first"
	[ "${lines[0]}" = "$first" ]
	if xos-node doctor --json | jq -e 'any(.findings[]; .what == "freeze" and .can)' >/dev/null; then
		[ "${lines[1]}" = "$first" ]
	else
		[ "${lines[1]}" = "$second" ]
	fi
	as alice xos-job cancel "$second"
}
