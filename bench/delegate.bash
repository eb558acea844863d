# Delegating to a new key: wall time of xos-token delegate against voms-proxy-init. See bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
BATS_TEST_DIRNAME=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/system" && pwd)
# shellcheck source=tests/system/vo.bash
. "$BATS_TEST_DIRNAME/vo.bash"
reps=${REPS:-31}

make_peer() { # a user certificate of an authority of its own, both RSA-2048
	local p=$V/peer
	mkdir -p "$p/certs" "$p/home"
	(
		cd "$p"
		openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj "/O=Bench/CN=Bench CA" -days 30 -out ca.pem
		for hash in $(openssl x509 -in ca.pem -noout -subject_hash) $(openssl x509 -in ca.pem -noout -subject_hash_old); do
			cp ca.pem "certs/$hash.0"
			printf "access_id_CA X509 '/O=Bench/CN=Bench CA'\npos_rights globus CA:sign\ncond_subjects globus '\"/O=Bench/*\"'\n" \
				>"certs/$hash.signing_policy"
		done
		printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n' >ext
		openssl req -new -newkey rsa:2048 -nodes -keyout user.key -subj /O=Bench/CN=alice -out user.csr
		openssl x509 -req -in user.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile ext -out user.pem
		chmod 600 user.key
	) >/dev/null 2>&1
}

ours() { as alice xos-token delegate --node n1 --lifetime 1h --out "$V/ours.pem"; }
theirs() {
	HOME=$V/peer/home X509_CERT_DIR=$V/peer/certs X509_USER_CERT=$V/peer/user.pem X509_USER_KEY=$V/peer/user.key \
		voms-proxy-init2 -q -rfc -bits 2048 -out "$V/theirs.pem"
}
elapsed() { # COMMAND: microseconds
	local from=${EPOCHREALTIME/[.,]/}
	"$1" >"$V/said" 2>&1 || {
		cat "$V/said" >&2
		return 1
	}
	echo $((${EPOCHREALTIME/[.,]/} - from))
}
median() { sort -n "$1" | awk '{v[NR] = $1} END {print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) / 1000}'; }

vo_make >&2
trap 'vo_remove >/dev/null 2>&1' EXIT
make_peer
for what in ours theirs; do elapsed "$what" >/dev/null; done
for ((i = 0; i < reps; i++)); do
	for what in ours theirs; do elapsed "$what" >>"$V/$what"; done
done
jq -cn --argjson ours "$(median "$V/ours")" --argjson peer "$(median "$V/theirs")" \
	'{name: "delegate", ours: $ours, peer: $peer, peer_name: "voms-proxy-init, RSA-2048", unit: "ms",
	ratio: ($peer / $ours * 100 | round / 100)}'
