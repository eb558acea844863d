#!/usr/bin/env bats
# What all programs share at the command line, and how the tools meet bad input without any server.
# BUILD is the build folder.

setup() {
	bin=$(cd "${BUILD:-$BATS_TEST_DIRNAME/../../build/release}/bin" && pwd)
	PATH=$bin:$PATH
	dir=$BATS_TEST_TMPDIR
	export XOS_CONFIG=$dir/config XOS_TOKEN=$dir/token.pem
	unset X509_USER_PROXY XDG_CONFIG_HOME
	cd "$dir" || return 1
	tools="xos-login xos-logout xos-token xos-vo xos-node xos-server xos-policy xos-job xps xos-acct xos-grant"
	daemons="xos-cad xos-rcad xos-vopsd xos-acctd xos-credd xos-jobd"
	zeros=sha256:$(printf '0%.0s' {1..64})
}

# refused STATUS TEXT COMMAND...: exits so, and says so, on standard error alone
refused() {
	local want=$1 text=$2 rc=0
	shift 2
	"$@" >out 2>err </dev/null || rc=$?
	if [ "$rc" -ne "$want" ] || [ -s out ] || ! grep -qF -- "$text" err; then
		echo "$*: status $rc, wanted $want and: $text"
		cat out err
		return 1
	fi
}

usage() { # TEXT COMMAND...: a usage error with a pointer to --help
	refused 2 "$@" && grep -q '^Try: .* --help$' err
}

error_json() { # CODE STATUS COMMAND...: one object on standard output, nothing on standard error
	local code=$1 want=$2 rc=0
	shift 2
	"$@" >out 2>err </dev/null || rc=$?
	[ "$rc" -eq "$want" ] && [ ! -s err ] && [ "$(jq -r .error.code out)" = "$code" ] &&
		[ "$(jq -r '.error | has("status") and has("text")' out)" = true ]
}

@test "every program is covered here" {
	local p
	for p in "$bin"/*; do
		case "${p##*/}" in
		xos | xos-job-monitor | xos-forge | xos-forge-renewal | xos-make-vo | xos-meddle | xos-lying-front | xos-populate | xos-try-grant | xos-credential-load) continue ;; # below; and programs of tests
		esac
		[[ " $tools $daemons " == *" ${p##*/} "* ]] || { echo "${p##*/}" && return 1; }
	done
}

@test "--help shows usage, options, examples and exit status" {
	local p
	for p in xos $tools $daemons; do
		run "$p" --help
		[ "$status" -eq 0 ]
		[[ $output == *"Usage:"*"Examples:"* ]]
		[[ ${output#*Examples:} == *"  $p"* ]]
		[[ $output == *"Exit status:"* ]]
	done
}

@test "--version names the program and a version" {
	local p
	for p in xos $tools $daemons; do
		run "$p" --version
		[ "$status" -eq 0 ]
		[[ $output =~ ^$p\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	done
}

@test "unknown options and verbs: usage, with a pointer to --help" {
	local p
	for p in xos $tools $daemons; do usage nonsense "$p" --nonsense; done
	for p in xos xos-token xos-vo xos-node xos-server xos-policy xos-job xos-acct xos-grant $daemons; do
		usage nonsense "$p" nonsense
		usage "$p" "$p"
	done
	for p in xos-login xos-logout xps; do usage unexpected "$p" one two; done
}

@test "every verb has a --help, and refuses an unknown option" {
	local p verb
	for p in xos-token xos-vo xos-node xos-server xos-policy xos-job xos-acct xos-grant; do
		for verb in $("$p" --help | awk -v p="$p" '/^Options/ { exit } $1 == p { print $2 }' | sort -u); do
			run "$p" "$verb" --help
			[ "$status" -eq 0 ]
			[[ $output == *"  $p $verb"* ]]
			# every verb of xos-vo has an example of its own
			[ "$p" != xos-vo ] || [[ ${output#*Examples:} != *"xos-login carol"* ]]
			usage "unknown option --nonsense" "$p" "$verb" --nonsense
		done
	done
}

@test "errors as JSON, usage errors too" {
	local p
	for p in $tools; do error_json usage 2 "$p" --json --nonsense; done
	error_json token-none 1 xos-token show --json
	error_json not-joined 1 xos-vo --json describe
	error_json node-missing 1 xos-node status --json --dir none
	error_json server-missing 1 xos-server status --json --dir none
	error_json file-open 1 xos-policy --json push none.xos
	error_json not-joined 1 xos-job --json list
}

@test "xos: a noun never names a path" {
	usage '"../login" is no noun' xos ../login
	usage 'no xos-nothing-of-this-name' xos nothing-of-this-name
	run xos token path
	[ "$output" = "$XOS_TOKEN" ]
	run xos $'a\xe2\x80\xaeb\e[2J'
	[ "$output" = $'xos: "a???b?[2J" is no noun\nTry: xos --help' ]
}

@test "xos: folders of PATH that cannot be searched, or are none, hide nothing" {
	local as=() d=$dir
	if [ "$(id -u)" -eq 0 ]; then # root searches everything
		d=$(mktemp -d "${TMPDIR:-/tmp}/xos-path.XXXXXX")
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	fi
	mkdir "$d/closed" "$d/folder" && touch "$d/file" "$d/folder/xos-unfit" && cp "$bin/xos" "$d"
	chmod 000 "$d/closed" && chmod 755 "$d" "$d/xos"
	for path in "$d/closed" "$d/file" "$d/none" "$d/closed:$d/folder"; do
		PATH=$PATH:$path usage 'no xos-nothing here' "${as[@]}" "$d/xos" nothing
	done
	PATH=$PATH:$d/closed:$d/folder refused 3 'cannot run xos-unfit: Permission denied' "${as[@]}" "$d/xos" unfit
	chmod 700 "$d/closed"
	[ "$d" = "$dir" ] || rm -rf "$d"
}

@test "xos --help names what can be run" {
	run xos --help
	[[ $output == *"  login"* ]]
	[[ $output != *job-monitor* ]]
}

@test "without a joined VO tools say how to join" {
	local c
	for c in "xos-login alice" "xos-vo describe" "xos-node list" "xos-job list" xps "xos-acct list" "xos-grant list"; do
		# shellcheck disable=SC2086 # words
		refused 1 "xos-login --join URL --fingerprint" $c
	done
	refused 1 "no VO other has been joined" xos-vo describe --vo other
}

@test "xos-login: joining needs an address and a fingerprint" {
	usage "joining needs --fingerprint" xos-login --join https://127.0.0.1:1
	usage "64 hexadecimal digits" xos-login --join https://127.0.0.1:1 --fingerprint sha256:abc
	usage "64 hexadecimal digits" xos-login --join https://127.0.0.1:1 --fingerprint "${zeros}0"
	refused 1 "is no address of a server" xos-login --join http://127.0.0.1:1 --fingerprint "$zeros" --vo demo
	refused 3 "cannot reach https://127.0.0.1:1" xos-login --join https://127.0.0.1:1 --fingerprint "$zeros" --vo demo
	[ ! -e "$XOS_CONFIG/demo" ]
}

@test "numbers and durations: a unit, no sign, no rest" {
	local d
	for d in 3 -3h 3x 3hh "" 99999999999999999999h; do
		usage "--lifetime" xos-login alice --lifetime "$d"
		usage "--for" xos-vo lock member alice --for "$d"
		usage "--for" xos-node ban n1 --for "$d"
	done
	usage "--since" xos-acct list --since yesterday
	touch set.xos
	usage "--valid" xos-policy sign --site-key k --out o --valid 0 set.xos
}

@test "xos-token: no token, damaged, open to others, a folder" {
	refused 1 "log in with xos-login" xos-token show
	refused 1 "log in with xos-login" xos-token verify
	refused 2 "there is no token" xos-token needs-renewal
	echo garbage >bad.pem && chmod 600 bad.pem
	refused 1 "bad.pem: no certificate" xos-token show bad.pem
	chmod 640 bad.pem
	refused 1 "run: chmod 600 bad.pem" xos-token show bad.pem
	mkdir folder
	refused 1 "folder is not a regular file" xos-token show folder
	run xos-logout
	[ "$status" -eq 0 ]
	[[ $output == *"there was no token"* ]]
}

@test "xos-vo: operands are checked before anything is asked" {
	usage "'frob' is none of" xos-vo member frob alice
	usage "'door' is none of" xos-vo lock door alice
	usage "'door' is none of" xos-vo unlock door alice
	usage "good for 1m to 7d" xos-vo code alice --for 30d
	usage "takes 1 operand" xos-vo member add
	usage "takes 2 operands" xos-vo role grant alice
}

@test "xos-node: names, keys, folders" {
	local member=()
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-policy site-key --out lab >/dev/null
	usage "init needs" xos-node init
	usage "say which node" xos-node start
	refused 1 "begin with: xos-node init" xos-node start --dir none
	usage "no node name" xos-node init --dir n --name ../n --site lab --site-key lab.pub "${member[@]}"
	usage "no site name" xos-node init --dir n --name n1 --site LAB --site-key lab.pub "${member[@]}"
	refused 1 "cannot open none" xos-node init --dir n --name n1 --site lab --site-key none "${member[@]}"
	refused 1 "PUBLIC KEY" xos-node init --dir n --name n1 --site lab --site-key lab.key "${member[@]}"
	refused 1 "is no IP address" xos-node init --dir n --name n1 --site lab --site-key lab.pub --address 1.2.3.999 "${member[@]}"
	[ ! -e n ] # what was refused left nothing behind
	xos-node init --dir n --name n1 --site lab --site-key lab.pub "${member[@]}"
	refused 1 "holds a node already" xos-node init --dir n --name n1 --site lab --site-key lab.pub "${member[@]}"
	refused 1 "belongs to no VO yet" xos-node start --dir n
	refused 1 "belongs to no VO yet; join one with: xos-node join" xos-node status --dir n
	usage "--fingerprint" xos-node join https://127.0.0.1:1 --vo demo --dir n
	refused 3 "cannot reach" xos-node join https://127.0.0.1:1 --vo demo --dir n --fingerprint "$zeros"
	usage "exclude each other" xos-node join https://127.0.0.1:1 --vo demo --dir n --fingerprint "$zeros" --code-stdin --code-fd 3
	refused 1 "no secret was given" xos-node join https://127.0.0.1:1 --vo demo --dir n --fingerprint "$zeros" --code-stdin
	usage "begins with https" xos-node init --dir m --name n2 --site lab --site-key lab.pub --data-url http://n2 "${member[@]}"
	usage "--site NAME" xos-node code
	usage "number from 1 to 1000" xos-node code --site lab --uses 0
	usage "good for one use" xos-node code --site lab --node n1 --uses 2
	usage "--site NAME and --site-key FILE" xos-node admission
	usage "say who approves" xos-node admission --site lab --site-key lab.key
	usage "say who approves" xos-node admission --site lab --site-key lab.key --approver bob --nobody
	refused 1 "named twice" xos-node admission --vo demo --site lab --site-key lab.key --approver bob --approver bob --out terms
	usage "exclude each other" xos-node ban n1 --for 1d --until 2999-01-01T00:00:00Z
	usage "time in UTC" xos-node ban n1 --until tomorrow
	usage "active, banned or left" xos-node list --state gone
	usage "for ever; if that is" xos-node leave --dir n
	[ -e n/node.conf ]
	run xos-node leave --dir n --yes
	[ "$status" -eq 0 ]
	[ ! -e n ]
}

@test "xos-server: names, numbers and passwords; a refusal leaves nothing behind" {
	usage "say which servers" xos-server start
	refused 1 "set them up with: xos-server init" xos-server start --dir none
	usage "--vo NAME --admin NAME" xos-server init --dir s
	[ "$(xos-server init --help | grep -c -- '^  --vo ')" -eq 1 ]
	# it has to do with no VO that was joined
	run xos-server --help
	[[ $output != *--vo\ NAME\ \ * && $output != *--config* && $output == *--json* ]]
	usage "unknown option --vo" xos-server start --dir s --vo demo
	usage "unknown option --config" xos-server status --dir s --config c
	refused 1 "no secret was given" xos-server init --dir s --vo demo --admin ada --password-stdin
	echo long-enough >password
	run xos-server init --dir s --vo BAD --admin ada --password-stdin <password
	[ "$status" -eq 1 ]
	[[ $output == *"'BAD' is no VO name"* ]]
	run xos-server init --dir s --vo demo --admin ada --address 1.2.3.999 --password-stdin <password
	[ "$status" -eq 1 ]
	[[ $output == *"is no IP address"* ]]
	run xos-server init --dir s --vo demo --admin ada --password-stdin <<<"short"
	[ "$status" -eq 1 ]
	[[ $output == *"at least 8 characters"* ]]
	mkdir full && touch full/something
	run xos-server init --dir full --vo demo --admin ada --password-stdin <password
	[ "$status" -ne 0 ]
	[[ $output == *"is not free"* ]]
	[ -e full/something ]
	[ ! -e s ] && [ ! -e s.setup ] && [ ! -e full.setup ]
}

@test "xos-server init: what cannot be is refused before a password is asked for" {
	mkdir full && touch full/something
	# Without a terminal asking would be the first refusal.
	refused 1 "'BAD' is no VO name" setsid -w xos-server init --dir s --vo BAD --admin ada
	refused 1 "'-x' is no member name" setsid -w xos-server init --dir s --vo demo --admin=-x
	refused 1 "is no IP address" setsid -w xos-server init --dir s --vo demo --admin ada --address 1.2.3.999
	refused 1 "is not free" setsid -w xos-server init --dir full --vo demo --admin ada
	usage "exclude each other" xos-server init --dir s --vo BAD --admin ada --password-stdin --password-fd 3
	refused 3 "--password-stdin or --password-fd N" setsid -w xos-server init --dir s --vo demo --admin ada
	[ ! -e s ] && [ ! -e s.setup ] && [ -e full/something ]
}

# typed TEXT ANSWER...: runs xos-server init on a terminal; when it shows the text, types the answer; and so on.
# What the terminal showed is in the file "out".
typed() {
	local pid rc=0
	rm -f in out && mkfifo in && : >out
	# A shell's background processes ignore ^C.
	env --default-signal=INT script -qefc "xos-server init --dir s --vo demo --admin ada" out <in >/dev/null &
	pid=$!
	exec 7>in
	while [ $# -gt 0 ]; do
		until grep -q -- "$1" out || ! kill -0 "$pid"; do sleep 0.02; done
		printf '%b' "$2" >&7
		shift 2
	done
	wait "$pid" || rc=$?
	exec 7>&-
	return $rc
}

@test "a new password is asked for twice, and not shown" {
	run typed 'administrator: ' 'long-enough\n' 'again: ' 'long-enouhg\n'
	[ "$status" -eq 1 ]
	grep -q "the two are not the same" out
	[ ! -e s ] && [ ! -e s.setup ]
	typed 'administrator: ' 'long-enough\n' 'again: ' 'long-enough\n'
	[ -e s/server.conf ]
	run grep long-enough out
	[ "$status" -eq 1 ]
	echo "foo = bar" >>s/rcad/rcad.conf
	refused 1 "xos-server: xos-rcad: $dir/s/rcad/rcad.conf:" xos-server check --dir s
	grep -q "unknown key 'foo'" err
}

@test "^C at the prompt for a password ends the tool" {
	run typed 'administrator: ' 'abc\003'
	[ "$status" -eq 130 ]
	[ ! -e s ] && [ ! -e s.setup ]
}

@test "xos-server: two user ranges that cannot be" {
	[ "$(id -u)" -eq 0 ] || skip "as root only"
	usage "--uid-base" xos-server init --dir s --vo demo --admin ada --uid-base 5
	usage "--uid-base" xos-server init --dir s --vo demo --admin ada --uid-base 2000x
	usage "--uid-base" xos-node init --dir n --name n1 --site lab --site-key k --uid-base 4294967295
}

@test "configuration: an unknown key, a bad number, a missing file are named with their place" {
	local p
	mkdir s n
	printf 'vo = demo\naddress = 127.0.0.1\nfrob = 1\n' >s/server.conf
	refused 1 "server.conf:3: unknown key 'frob'" xos-server status --dir s
	printf 'vo = demo\naddress = 127.0.0.1\n[ports]\nrca = 70000\n' >s/server.conf
	refused 1 "server.conf:4: 'rca' must be from 1 to 65535" xos-server status --dir s
	printf 'vo = demo\naddress = 127.0.0.1\n[ports]\nrca = 12x\n' >s/server.conf
	refused 1 "server.conf:4: 'rca' must be a whole number" xos-server status --dir s
	printf 'name = n1\nwhat = 1\n' >n/node.conf
	refused 1 "node.conf:2: unknown key 'what'" xos-node status --dir n
	printf '# a comment\nvo = demo\nfrob = 1\n' >f.conf
	for p in $daemons; do
		refused 2 "f.conf:3: unknown key 'frob'" "$p" --check --config f.conf
		refused 2 "f.conf:3: unknown key 'frob'" "$p" run --config f.conf
		refused 2 "cannot open none.conf" "$p" --check --config none.conf
		usage "needs --config FILE" "$p" run
	done
}

@test "an unreadable configuration is said to be that" {
	[ "$(id -u)" -ne 0 ] || skip "root reads everything"
	mkdir s && touch s/server.conf && chmod 0 s/server.conf
	refused 3 "Permission denied" xos-server status --dir s
}

@test "xos-policy: keys and sets" {
	refused 1 "none.xos" xos-policy push none.xos
	printf 'site "lab" serial 1 {\n}\n' >lab.xos
	xos-policy site-key --out lab >/dev/null
	[ "$(stat -c %a lab.key)" = 600 ]
	refused 1 "lab.key" xos-policy site-key --out lab # a key is never written over
	chmod 644 lab.key
	refused 1 "run: chmod 600 lab.key" xos-policy sign --site-key lab.key --out lab.jws lab.xos
	chmod 600 lab.key
	refused 1 "" xos-policy sign --site-key lab.pub --out lab.jws lab.xos
	printf 'vo "demo" serial 1 {\n}\n' >vo.xos
	refused 1 "" xos-policy sign --site-key lab.key --out lab.jws vo.xos
	[ ! -e lab.jws ]
	run xos-policy sign --site-key lab.key --out lab.jws lab.xos
	[ "$status" -eq 0 ]
}

@test "jobs are named by 32 hexadecimal digits" {
	refused 1 "is no job id" xos-job show ../../etc
	refused 1 "is no job id" xos-job cancel 12
	usage "something is missing" xos-job submit
}

@test "xos-job-monitor is nobody's tool and says so" {
	refused 2 "started by xos-jobd" xos-job-monitor
}

@test "an answer that cannot be written is no answer" {
	[ -e /dev/full ] || skip "no /dev/full"
	local rc=0
	xos-token path >/dev/full 2>err || rc=$?
	[ "$rc" -eq 3 ]
	grep -q "standard output" err
}
