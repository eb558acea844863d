# An authenticator, of stock tools only: totp_code SECRET [STEPS] prints the code of now, or of some steps
# later or earlier. Sourced by bats files.
# shellcheck shell=bash
totp_code() {
	local key step mac at
	key=$(base32 -d <<<"$1" | od -An -vtx1 | tr -d ' \n')
	step=$(printf %016x $(($(date +%s) / 30 + ${2:-0})))
	# shellcheck disable=SC2001
	mac=$(sed 's/../\\x&/g' <<<"$step" | xargs -0 printf %b | head -c 8 |
		openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= *//')
	at=$((16#${mac:39:1} * 2))
	printf '%06d\n' $(((16#${mac:at:8} & 0x7fffffff) % 1000000))
}
