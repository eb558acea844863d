# A VO with its four servers and a site, and nodes, in a temporary folder; without quickstart, from the programs in BUILD.
# Sourced by bats files.
# shellcheck shell=bash
#
#   vo_make             the VO demo in $V: administrator admin, member alice (tokens $V/admin, $V/alice), policy that lets
#                       members run jobs, site lab (key $V/lab.key)
#   vo_remove           stops and removes all of it
#   make_node NAME      a node that has not applied yet
#   join NAME           applies, or takes the certificates
#   start_node NAME     all of it: a node that runs
#   as MEMBER COMMAND...   with that member's token
#   retry COMMAND...    until it succeeds; the time-out of bats ends what never does
#
# VOPSD_CONF: more lines for vopsd.conf. JOIN: the arguments for joining; CA: the address of the authority.

vo_make() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd):$PATH
	V=$(mktemp -d "${TMPDIR:-/tmp}/xos-vo.XXXXXX")
	chmod 755 "$V"
	export SOURCE PATH V XOS_CONFIG=$V/config
	local name
	for name in admin alice; do head -c 15 /dev/urandom | base64 >"$V/$name.pw"; done
	xos-server init --dir "$V/vo" --vo demo --admin admin --password-stdin <"$V/admin.pw"
	[ -z "${VOPSD_CONF:-}" ] || echo "$VOPSD_CONF" >>"$V/vo/vopsd/vopsd.conf"
	xos-server start --dir "$V/vo"
	JOIN=$(xos-server join-arguments --dir "$V/vo")
	CA=${JOIN%% *}
	export JOIN CA
	# shellcheck disable=SC2086
	xos-login --join $JOIN
	as admin xos-login admin --role /demo/Role=admin --password-stdin <"$V/admin.pw"
	as admin xos-vo member add alice --password-stdin <"$V/alice.pw"
	as alice xos-login alice --password-stdin <"$V/alice.pw"
	xos-policy site-key --out "$V/lab"
	as admin xos-policy site add lab --key "$V/lab.pub"
	echo 'vo "demo" serial 1 { permit group /demo action job.submit, job.show on any; }' >"$V/vo.xos"
	as admin xos-policy push "$V/vo.xos"
	echo 'site "lab" serial 1 { accounts vo demo uid 1900000000-1900999999;
	  permit vo demo action job.submit, job.show on site:lab; }' >"$V/lab.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab.jws" "$V/lab.xos"
	xos-policy push --site lab "$V/lab.jws"
}

vo_remove() {
	local d
	for d in "$V"/n[0-9]*; do [ ! -d "$d" ] || xos-node stop --dir "$d"; done
	xos-server stop --dir "$V/vo"
	rm -rf "$V"
}

as() {
	local token=$V/$1
	shift
	XOS_TOKEN=$token "$@"
}

make_node() {
	local member=()
	[ "$(id -u)" -eq 0 ] || member=(--member alice)
	xos-node init --dir "$V/$1" --name "$1" --site lab --site-key "$V/lab.pub" "${member[@]}"
}

# shellcheck disable=SC2086
join() { xos-node join --dir "$V/$1" $JOIN "${@:2}"; }

start_node() {
	make_node "$1"
	join "$1"
	as admin xos-node approve "$1"
	join "$1"
	xos-node start --dir "$V/$1"
}

retry() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}
