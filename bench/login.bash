# Wall time of one log-in: xos-login (new process, new key, TLS, SCRAM, certificate) against
# `myproxy-logon -Q` with a ready request. See bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
reps=${REPS:-21}

if [ "$(id -u)" -ne 0 ]; then
	echo "bench login: needs root: MyProxy's PAM set-up is replaced in a private mount namespace" >&2
	exit 3
fi
[ -n "${XOS_BENCH_NS:-}" ] || XOS_BENCH_NS=1 exec unshare --mount --propagation private bash "$0"

work=$(mktemp -d /tmp/xos-bench.XXXXXX)
chmod 755 "$work"
export PATH="$BUILD/bin:$PATH:/usr/sbin"
myproxy_pid=
finish() {
	[ -z "$myproxy_pid" ] || kill "$myproxy_pid" 2>/dev/null || true
	xos-server stop --dir "$work/server" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap finish EXIT

start_myproxy() { # RSA-2048 authority of its own, PAM that permits, a free loopback port
	local m=$work/myproxy hash
	mkdir -p "$m/certs" "$m/pam.d" "$m/home"
	mkdir -m 700 "$m/store"
	cp -a /etc/pam.d/. "$m/pam.d/"
	printf '%s required pam_permit.so\n' auth account session >"$m/pam.d/myproxy"
	mount --bind "$m/pam.d" /etc/pam.d
	(
		cd "$m"
		openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj "/O=Bench/CN=Bench CA" -days 30 -out ca.pem
		for hash in $(openssl x509 -in ca.pem -noout -subject_hash) $(openssl x509 -in ca.pem -noout -subject_hash_old); do
			cp ca.pem "certs/$hash.0"
			printf "access_id_CA X509 '/O=Bench/CN=Bench CA'\npos_rights globus CA:sign\ncond_subjects globus '\"/O=Bench/*\"'\n" \
				>"certs/$hash.signing_policy"
		done
		openssl req -new -newkey rsa:2048 -nodes -keyout host.key -subj "/O=Bench/CN=localhost" -out host.csr
		openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -out host.pem
		openssl req -new -newkey rsa:2048 -nodes -keyout user.key -subj /O=Bench/CN=alice -out user.csr
		chmod 600 ./*.key
		printf '"/O=Bench/CN=alice" alice\n' >map
		echo 0100 >serial
	) >/dev/null 2>&1
	cat >"$m/conf" <<-C
		authorized_retrievers "*"
		default_retrievers "*"
		pam "sufficient"
		pam_id "myproxy"
		certificate_issuer_cert $m/ca.pem
		certificate_issuer_key $m/ca.key
		certificate_serialfile $m/serial
		certificate_mapfile $m/map
		cert_dir $m/certs
	C
	chmod 600 "$m/conf"
	MYPROXY_SERVER_PORT=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null ||
		shuf -i 20000-29999 -n 1)
	export X509_CERT_DIR=$m/certs MYPROXY_SERVER_DN=/O=Bench/CN=localhost MYPROXY_SERVER=localhost MYPROXY_SERVER_PORT
	X509_USER_CERT=$m/host.pem X509_USER_KEY=$m/host.key HOME=$m/home myproxy-server -c "$m/conf" \
		-p "$MYPROXY_SERVER_PORT" -l 127.0.0.1 -s "$m/store" -P "$m/pid" </dev/null >"$m/log" 2>&1
	until [ -s "$m/pid" ]; do :; done
	myproxy_pid=$(cat "$m/pid")
	M=$m
}

start_xos() {
	echo bench-admin-password >"$work/admin"
	echo bench-alice-password >"$work/alice"
	export XOS_CONFIG=$work/config
	{
		xos-server init --dir "$work/server" --vo bench --admin admin --password-stdin <"$work/admin"
		xos-server start --dir "$work/server"
		# shellcheck disable=SC2046
		xos-login --join $(xos-server join-arguments --dir "$work/server")
		XOS_TOKEN=$work/admin.pem xos-login admin --role /bench/Role=admin --password-stdin <"$work/admin"
		XOS_TOKEN=$work/admin.pem xos-vo member add alice --password-stdin <"$work/alice"
	} >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		return 1
	}
}

theirs() { echo secret | HOME=$M/home myproxy-logon -q -S -l alice -t 1 -o "$M/out" -Q "$M/user.csr"; }
ours() { XOS_TOKEN=$work/alice.pem xos-login alice --password-stdin <"$work/alice"; }

elapsed() { # COMMAND: its wall time in microseconds
	local from=${EPOCHREALTIME/[.,]/} rc=0
	"$1" >"$work/out" 2>&1 || rc=$?
	echo $((${EPOCHREALTIME/[.,]/} - from))
	[ $rc -eq 0 ] || {
		cat "$work/out" >&2
		return 1
	}
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) / 1000}'; }

start_myproxy
start_xos
elapsed theirs >/dev/null
elapsed ours >/dev/null
for ((i = 0; i < reps; i++)); do
	elapsed ours >>"$work/ours"
	elapsed theirs >>"$work/theirs"
done
jq -cn --argjson ours "$(median "$work/ours")" --argjson peer "$(median "$work/theirs")" \
	'{name: "login", ours: $ours, peer: $peer, peer_name: "myproxy-logon -Q", unit: "ms", ratio: ($peer / $ours * 100 | round / 100)}'
