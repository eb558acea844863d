#!/usr/bin/env bats
# Who may command the authorities that do not hold the membership: an administrator who was removed, was locked or lost
# the role still has a token that says otherwise. And how long a lock takes to reach a node. BUILD is the build folder.

bats_require_minimum_version 1.5.0

setup_file() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd):$PATH
	V=$(mktemp -d "${TMPDIR:-/tmp}/xos-administrators.XXXXXX")
	chmod 755 "$V"
	export SOURCE PATH V XOS_CONFIG=$V/config
	local name
	for name in ada bob carol dave alice; do head -c 15 /dev/urandom | base64 >"$V/$name.pw"; done
	xos-server init --dir "$V/vo" --vo demo --admin ada --password-stdin <"$V/ada.pw"
	xos-server start --dir "$V/vo"
	JOIN=$(xos-server join-arguments --dir "$V/vo")
	export JOIN
	# shellcheck disable=SC2086
	xos-login --join $JOIN
	login ada
	for name in bob carol dave; do
		as ada xos-vo member add "$name" --password-stdin <"$V/$name.pw"
		as ada xos-vo role grant "$name" /demo/Role=admin
		login "$name"
	done
	as ada xos-vo member add alice --password-stdin <"$V/alice.pw"
	XOS_TOKEN=$V/alice xos-login alice --password-stdin <"$V/alice.pw"
	xos-policy site-key --out "$V/lab"
	retry as ada xos-policy site add lab --key "$V/lab.pub"
}

teardown_file() {
	[ ! -d "$V/n1" ] || xos-node stop --dir "$V/n1"
	xos-server stop --dir "$V/vo"
	rm -rf "$V"
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$V"/vo/log/*.log >&2
	fi
}

login() { XOS_TOKEN=$V/$1 xos-login "$1" --role /demo/Role=admin --password-stdin <"$V/$1.pw"; }

as() { # MEMBER COMMAND...
	local token=$V/$1
	shift
	XOS_TOKEN=$token "$@"
}

retry() { # until it succeeds; the time-out of bats ends what never does
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

# Both authorities, by a command that changes nothing.
accepted() { as "$1" xos-node applications && as "$1" xos-policy sites; } >/dev/null 2>&1
refused() { # MEMBER TEXT: by both
	as "$1" xos-node applications 2>&1 | grep -q "$2" && as "$1" xos-policy sites 2>&1 | grep -q "$2"
}

# within SECONDS COMMAND...: no later than that
within() {
	local started=$SECONDS
	retry "${@:2}"
	[ $((SECONDS - started)) -le "$1" ]
}

@test "an administrator who lost the role commands nobody within the refresh interval" {
	retry accepted bob
	as ada xos-vo role revoke bob /demo/Role=admin
	within 10 refused bob "does not administer VO demo now"
	run -1 as bob xos-node applications
	run -1 as bob xos-policy site add other --key "$V/lab.pub"
	run -1 as bob xos-node ban n1 --message x
	as ada xos-vo role grant bob /demo/Role=admin
	retry accepted bob
}

@test "an administrator who is locked commands nobody, learns why, and may again afterwards" {
	retry accepted carol
	as ada xos-vo lock member carol --for 1d --message "lost the laptop"
	within 10 refused carol "lost the laptop"
	as ada xos-vo unlock member carol
	retry accepted carol
	# What would leave nobody to take it away is refused.
	run -1 as ada xos-vo lock role /demo/Role=admin --for 1d
	[[ $output == *"would leave no administrator"* ]]
	run -1 as ada xos-vo lock group /demo --for 1d
	[[ $output == *"would leave no administrator"* ]]
}

@test "an administrator who was removed commands nobody" {
	retry accepted dave
	as ada xos-vo member remove dave
	within 10 refused dave "does not administer VO demo now"
	run -1 as dave xos-policy site remove lab
	run -0 as ada xos-policy sites
	[[ $output == *lab* ]]
}

@test "servers that have just been started take commands once they know who may give them" {
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	# No retry here: the tool waits by itself.
	run -0 as ada xos-node applications
	run -0 as ada xos-policy sites
}

@test "an authority that knows no administrators takes no commands, says why, and exit 3" {
	cp "$V/vo/rcad/rcad.conf" "$V/rcad.conf"
	sed -i '/^ca_url/d' "$V/vo/rcad/rcad.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -3 as ada xos-node applications
	[[ $output == *"not heard yet from xos-cad who administers VO demo"* ]]
	run curl -s --insecure "https://$(sed -n 's/^listen = //p' "$V/vo/rcad/rcad.conf")/health/ready"
	[[ $output == *"no ca_url"* ]]
	cp "$V/rcad.conf" "$V/vo/rcad/rcad.conf"
	xos-server stop --dir "$V/vo"
	xos-server start --dir "$V/vo"
	run -0 as ada xos-node applications
}

@test "the list of administrators is for the authorities, not for members" {
	local url
	url=$(sed -n 's/^ca = //p' "$V/config/demo/vo.conf")/v1/vo/demo/administrators
	run curl -s --insecure -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 401 ]
	run curl -s --insecure --cert "$V/ada" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 403 ]
	run curl -s --insecure --cert "$V/vo/acctd/tls.pem" --key "$V/vo/acctd/tls.key" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 403 ]
	run curl -s --insecure --cert "$V/vo/rcad/tls.pem" --key "$V/vo/rcad/tls.key" -o /dev/null -w '%{http_code}' "$url"
	[ "$output" = 200 ]
}

@test "with every setting as it comes a lock reaches a node within ten seconds" {
	local member=() url
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	echo 'vo "demo" serial 1 { permit group /demo action job.submit, job.show on any; }' >"$V/vo.xos"
	as ada xos-policy push "$V/vo.xos"
	echo 'site "lab" serial 1 { accounts vo demo uid 1900000000-1900999999;
	  permit vo demo action job.submit, job.show on site:lab; }' >"$V/lab.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab.jws" "$V/lab.xos"
	xos-policy push --site lab "$V/lab.jws"
	xos-node init --dir "$V/n1" --name n1 --site lab --site-key "$V/lab.pub" "${member[@]}"
	# shellcheck disable=SC2086
	xos-node join --dir "$V/n1" $JOIN
	as ada xos-node approve n1
	# shellcheck disable=SC2086
	xos-node join --dir "$V/n1" $JOIN
	xos-node start --dir "$V/n1"
	submit() { as alice xos-job submit --wait -- true; }
	stopped() { submit 2>&1 | grep -q "call the help desk"; }
	retry submit
	as ada xos-vo lock member alice --for 1d --message "call the help desk"
	# A margin for a busy machine: what counts is that two intervals of ten seconds fail here.
	within 13 stopped
	as ada xos-vo unlock member alice
	within 13 submit
}
