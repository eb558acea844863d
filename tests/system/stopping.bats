#!/usr/bin/env bats
# Stopping somebody, as stock verifiers see it: openssl and curl against a running xos-cad, by revocation list and by
# OCSP. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority

setup_file() {
	authority_make
	HTTP=http://127.0.0.1:$(authority_port)
	export HTTP
	printf 'listen_http = %s\nhttp_url = %s\n' "${HTTP#http://}" "$HTTP" |
		cat - "$CONF" >"$AUTH/new.conf"
	cat "$AUTH/new.conf" >"$CONF"
	xos-cad root-crl --dir "$AUTH/root" --out "$AUTH/cad/trust/root.crl"
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	xos-vo group add /demo/physics >/dev/null
	xos-vo group add /demo/physics/hep >/dev/null
	local m
	for m in alice bob carol; do
		echo "$m-secret" | xos-vo member add "$m" --group /demo/physics/hep --password-stdin >/dev/null
	done
	xos-vo member leave bob /demo/physics/hep >/dev/null
	token alice
	token bob
}

teardown_file() { authority_remove; }

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 30 "$AUTH/log" >&2
	fi
}

token() { echo "$1-secret" | XOS_TOKEN=$AUTH/$1.token xos-login "$1" --password-stdin >/dev/null; }
serial() { openssl x509 -in "$AUTH/$1.token" -noout -serial | sed 's/serial=//' | tr A-Z a-z; }

# ocsp TOKEN [OPTION...]: what a stock client makes of it
ocsp() {
	local t=$1
	shift
	openssl ocsp -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/$t.token" -url "$HTTP/ocsp/demo" \
		-CAfile "$AUTH/root/root.pem" -verify_other "$AUTH/cad/ca.pem" "$@" 2>&1
}

# The documented line: every certificate of the chain against the lists of who issued it.
verify() {
	local t=$1
	shift
	curl -sf -o "$BATS_TEST_TMPDIR/all.crl" "$HTTP/crl/demo/all.crl" || return 3
	curl -sf -o "$BATS_TEST_TMPDIR/root.crl" "$HTTP/crl/demo/root.crl" || return 3
	openssl verify -crl_check -crl_check_all -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/cad/ca.pem" \
		-CRLfile "$BATS_TEST_TMPDIR/all.crl" -CRLfile "$BATS_TEST_TMPDIR/root.crl" "$@" "$t" 2>&1
}

@test "a token says where its status stands, and the issuer's certificate is there" {
	run openssl x509 -in "$AUTH/alice.token" -noout -ext authorityInfoAccess,crlDistributionPoints
	[ "$status" -eq 0 ]
	[[ $output == *"OCSP - URI:$HTTP/ocsp/demo"* && $output == *"CA Issuers - URI:$HTTP/ca/demo/issuer.cer"* ]]
	[[ $output == *"URI:$HTTP/crl/demo/"*".crl"* ]]
	curl -sf "$HTTP/ca/demo/issuer.cer" | openssl x509 -inform DER -out "$BATS_TEST_TMPDIR/issuer.pem"
	cmp <(openssl x509 -in "$AUTH/cad/ca.pem") "$BATS_TEST_TMPDIR/issuer.pem"
	run -0 xos-token verify "$AUTH/alice.token"
}

@test "openssl ocsp: good, locked, unlocked; with a nonce and without, SHA-1 and SHA-256" {
	run -0 ocsp alice
	[[ $output == *"Response verify OK"* && $output == *"alice.token: good"* && $output != *nonce* ]]
	run -0 ocsp alice -no_nonce
	[[ $output == *"Response verify OK"* && $output == *"alice.token: good"* ]]
	run -0 openssl ocsp -sha256 -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/alice.token" -url "$HTTP/ocsp/demo" \
		-CAfile "$AUTH/root/root.pem" -verify_other "$AUTH/cad/ca.pem"
	[[ $output == *"alice.token: good"* ]]
	run -0 xos-vo lock member alice --for 1d --message "lost the laptop"
	[[ ${lines[0]} == "member alice is locked for 1d; 1 unexpired token is held" ]]
	run -0 ocsp alice
	[[ $output == *"Response verify OK"* && $output == *"alice.token: revoked"*"Reason: certificateHold"* ]]
	run -0 ocsp alice -no_nonce
	[[ $output == *"alice.token: revoked"* ]]
	run -0 ocsp bob -no_nonce
	[[ $output == *"bob.token: good"* ]]
	run -0 xos-vo unlock member alice
	run -0 ocsp alice
	[[ $output == *"alice.token: good"* ]]
	run -0 ocsp alice -no_nonce
	[[ $output == *"alice.token: good"* ]]
}

@test "openssl verify -crl_check_all: with all lists, and with the part that the token names" {
	run -0 verify "$AUTH/alice.token"
	[[ $output == *"alice.token: OK"* ]]
	run -0 openssl verify -crl_check -crl_download -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/cad/ca.pem" "$AUTH/alice.token"
	xos-vo lock member alice
	run -2 verify "$AUTH/alice.token"
	[[ $output == *"certificate revoked"* ]]
	run -2 openssl verify -crl_check -crl_download -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/cad/ca.pem" "$AUTH/alice.token"
	[[ $output == *"certificate revoked"* ]]
	run -0 verify "$AUTH/bob.token"
	# A part belongs to the tokens that name it, and the list of everything to all.
	run -0 openssl crl -inform DER -in "$BATS_TEST_TMPDIR/all.crl" -noout -text -CAfile "$AUTH/cad/ca.pem" -verify
	[[ $output == *"verify OK"* && $output == *"$(serial alice | tr a-z A-Z)"* && $output == *"Certificate Hold"* ]]
	[[ $output == *"X509v3 CRL Number"* && $output == *"X509v3 Authority Key Identifier"* ]]
	part=$(openssl x509 -in "$AUTH/alice.token" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p')
	run -0 openssl crl -in <(curl -sf "$part") -inform DER -noout -text -CAfile "$AUTH/cad/ca.pem" -verify
	[[ $output == *"verify OK"* && $output == *"Issuing Distribution Point: critical"* && $output == *"URI:$part"* ]]
	[[ $output == *"Only User Certificates"* && $output == *"$(serial alice | tr a-z A-Z)"* ]]
	xos-vo unlock member alice
	run -0 verify "$AUTH/alice.token"
}

@test "a group's lock holds the tokens that carry the group, below it too, and no others" {
	run -0 xos-vo lock group /demo/physics --for 1d
	[[ ${lines[0]} == *"1 unexpired token is held" ]]
	run -0 ocsp alice
	[[ $output == *"alice.token: revoked"* ]]
	run -0 ocsp bob
	[[ $output == *"bob.token: good"* ]]
	run -1 token alice
	xos-vo unlock group /demo/physics
	run -0 ocsp alice
	[[ $output == *"alice.token: good"* ]]
}

@test "a single token is locked, the member logs in again, and its serial stays stopped" {
	token carol
	cp "$AUTH/carol.token" "$AUTH/stolen.token"
	run -0 xos-vo lock token "$(serial stolen)" --message "stolen"
	[[ ${lines[0]} == "token $(serial stolen) is locked until it ends" ]]
	run -0 xos-vo locks
	[[ $output == *"token"*"$(serial stolen)"*"stolen"* ]]
	run -0 xos-vo member show carol
	[[ $output == *"$(serial stolen) until "*", locked"* ]]
	run -0 xos-vo member show carol --json
	[[ $(tr -d ' \n' <<<"$output") == *'"held":true'* ]]
	token carol
	run -0 ocsp stolen
	[[ $output == *"stolen.token: revoked"* ]]
	run -0 ocsp carol
	[[ $output == *"carol.token: good"* ]]
	# as a member the thief commands nothing either
	run -1 env XOS_TOKEN="$AUTH/stolen.token" xos-vo member show carol
	[[ $output == *"locked"* ]]
	run -0 env XOS_TOKEN="$AUTH/carol.token" xos-vo member show carol
	run -1 xos-vo lock token "$(serial stolen)"
	[[ $output == *"locked already"* ]]
	run -1 xos-vo lock token 4f00
	[[ $output == *"no unexpired token"* ]]
	run -1 xos-vo lock token 4F00
	[[ $output == *"lower case"* ]]
	run -2 xos-vo lock token 4f00 --for 1d
	# the lock outlives the processes
	authority_stop
	authority_start
	run -0 ocsp stolen -no_nonce
	[[ $output == *"stolen.token: revoked"* ]]
	run -0 xos-vo unlock token "$(serial stolen)"
	run -0 ocsp stolen
	[[ $output == *"stolen.token: good"* ]]
}

@test "a member who is removed leaves no good token behind" {
	echo dave-secret | xos-vo member add dave --password-stdin
	token dave
	run -0 ocsp dave
	[[ $output == *"dave.token: good"* ]]
	xos-vo member remove dave
	run -0 ocsp dave
	[[ $output == *"dave.token: revoked"*"Reason: affiliationChanged"* ]]
	run -2 verify "$AUTH/dave.token"
	[[ $output == *"certificate revoked"* ]]
}

@test "a delegation below a locked token is refused by stock programs with it" {
	key=$BATS_TEST_TMPDIR/proxy.key
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout "$key" -out "$BATS_TEST_TMPDIR/p.csr" 2>/dev/null
	subject=$(openssl x509 -in "$AUTH/bob.token" -noout -subject -nameopt compat | sed 's/subject=//')
	openssl req -new -key "$key" -subj "$subject/CN=4711" -out "$BATS_TEST_TMPDIR/p.csr"
	printf '%s\n' 'keyUsage=critical,digitalSignature' 'proxyCertInfo=critical,language:id-ppl-inheritAll,pathlen:0' \
		'authorityKeyIdentifier=keyid' >"$BATS_TEST_TMPDIR/p.ext"
	openssl x509 -req -in "$BATS_TEST_TMPDIR/p.csr" -CA "$AUTH/bob.token" -CAkey "$AUTH/bob.token" -days 1 -set_serial 4711 \
		-extfile "$BATS_TEST_TMPDIR/p.ext" -out "$BATS_TEST_TMPDIR/proxy.pem" 2>/dev/null
	run -0 verify "$BATS_TEST_TMPDIR/proxy.pem" -allow_proxy_certs -untrusted "$AUTH/bob.token"
	xos-vo lock member bob
	run -2 verify "$BATS_TEST_TMPDIR/proxy.pem" -allow_proxy_certs -untrusted "$AUTH/bob.token"
	[[ $output == *"certificate revoked"* ]]
	xos-vo unlock member bob
}

@test "caches: dates, ETag, 304, and the form of an OCSP request in a URL" {
	run -0 curl -sf -D - -o "$BATS_TEST_TMPDIR/all.crl" "$HTTP/crl/demo/all.crl"
	[[ $output == *"Content-Type: application/pkix-crl"* && $output == *"Last-Modified: "*" GMT"* ]]
	[[ $output == *"Expires: "*" GMT"* && $output == *"Cache-Control: max-age=10, public"* ]]
	etag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' <<<"$output")
	[ -n "$etag" ]
	run -0 curl -s -o /dev/null -w '%{http_code} %{size_download}' -H "If-None-Match: $etag" "$HTTP/crl/demo/all.crl"
	[ "$output" = "304 0" ]
	# the same list, not one signed again
	curl -sf -o "$BATS_TEST_TMPDIR/again.crl" "$HTTP/crl/demo/all.crl"
	cmp "$BATS_TEST_TMPDIR/all.crl" "$BATS_TEST_TMPDIR/again.crl"
	openssl ocsp -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/alice.token" -no_nonce -reqout "$BATS_TEST_TMPDIR/req"
	escaped=$(base64 -w0 "$BATS_TEST_TMPDIR/req" | sed 's,+,%2B,g; s,/,%2F,g; s,=,%3D,g')
	run -0 curl -sf -D - -o "$BATS_TEST_TMPDIR/res" "$HTTP/ocsp/demo/$escaped"
	[[ $output == *"Content-Type: application/ocsp-response"* && $output == *"ETag: "* && $output == *"Cache-Control: max-age="* ]]
	run -0 openssl ocsp -respin "$BATS_TEST_TMPDIR/res" -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/alice.token" -no_nonce \
		-CAfile "$AUTH/root/root.pem" -verify_other "$AUTH/cad/ca.pem"
	[[ $output == *"alice.token: good"* ]]
	# pre-signed: the same bytes again; an answer to a nonce is for one
	curl -sf -o "$BATS_TEST_TMPDIR/res2" "$HTTP/ocsp/demo/$escaped"
	cmp "$BATS_TEST_TMPDIR/res" "$BATS_TEST_TMPDIR/res2"
	openssl ocsp -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/alice.token" -nonce -reqout "$BATS_TEST_TMPDIR/req"
	run -0 curl -sf -D - -o /dev/null -H "Content-Type: application/ocsp-request" --data-binary @"$BATS_TEST_TMPDIR/req" "$HTTP/ocsp/demo"
	[[ $output == *"Cache-Control: no-store"* ]]
	# shown for another token it proves nothing
	run openssl ocsp -respin "$BATS_TEST_TMPDIR/res" -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/bob.token" -no_nonce \
		-CAfile "$AUTH/root/root.pem" -verify_other "$AUTH/cad/ca.pem"
	[[ $output == *"No Status found"* ]]
}

@test "an answer that a captured network process could make is refused: by its TLS key, by a member's token" {
	index=$BATS_TEST_TMPDIR/index.txt
	printf 'V\t301231235959Z\t\t%s\tunknown\t/CN=x\n' "$(serial bob | tr a-z A-Z)" >"$index"
	touch "$index.attr"
	openssl ocsp -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/bob.token" -no_nonce -reqout "$BATS_TEST_TMPDIR/req"
	xos-vo lock member bob
	forged() { # CERTIFICATE KEY
		openssl ocsp -index "$index" -CA "$AUTH/cad/ca.pem" -rsigner "$1" -rkey "$2" -reqin "$BATS_TEST_TMPDIR/req" \
			-respout "$BATS_TEST_TMPDIR/res" -ndays 1 >/dev/null 2>&1
		openssl ocsp -respin "$BATS_TEST_TMPDIR/res" -issuer "$AUTH/cad/ca.pem" -cert "$AUTH/bob.token" -no_nonce \
			-CAfile "$AUTH/root/root.pem" -verify_other "$AUTH/cad/ca.pem" 2>&1
	}
	run forged "$AUTH/cad/tls.pem" "$AUTH/cad/tls.key"
	[[ $output == *"Response Verify Failure"* ]]
	run forged "$AUTH/bob.token" "$AUTH/bob.token"
	[[ $output == *"Response Verify Failure"* ]]
	# the issuer itself, whose key it does not have, is believed: the twin of the above
	run forged "$AUTH/cad/ca.pem" "$AUTH/cad/ca.key"
	[[ $output == *"Response verify OK"* && $output == *"bob.token: good"* ]]
	xos-vo unlock member bob
}

@test "a list of before counts for an hour, not for two" {
	curl -sf -o "$BATS_TEST_TMPDIR/all.crl" "$HTTP/crl/demo/all.crl"
	later() {
		openssl verify -crl_check -attime $(($(date +%s) + $1)) -CAfile "$AUTH/root/root.pem" \
			-untrusted "$AUTH/cad/ca.pem" -CRLfile "$BATS_TEST_TMPDIR/all.crl" "$AUTH/bob.token"
	}
	run -0 later 60
	run -2 later 7200
	[[ $output == *"CRL has expired"* ]]
	# nor does the list of another authority, or one that was changed
	openssl crl -inform DER -in "$BATS_TEST_TMPDIR/all.crl" -out "$BATS_TEST_TMPDIR/all.pem"
	at=$(($(stat -c %s "$BATS_TEST_TMPDIR/all.crl") - 5))
	byte=$(od -An -tu1 -j "$at" -N 1 "$BATS_TEST_TMPDIR/all.crl" | tr -d ' ')
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$BATS_TEST_TMPDIR/all.crl" bs=1 seek="$at" conv=notrunc status=none
	run -2 later 60
	[[ $output == *"CRL signature failure"* || $output == *"signature"* ]]
	run -2 openssl verify -crl_check -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/rcad/rca.pem" \
		-CRLfile "$BATS_TEST_TMPDIR/all.pem" "$AUTH/cad/tls.pem"
	[[ $output == *"unable to get certificate CRL"* ]]
}

@test "what is not answered: other issuers, serials that nobody has, bytes that are no request" {
	run -0 openssl ocsp -issuer "$AUTH/cad/ca.pem" -serial 0x4f010203 -url "$HTTP/ocsp/demo" \
		-CAfile "$AUTH/root/root.pem" -verify_other "$AUTH/cad/ca.pem"
	[[ $output == *"4f010203: unknown"* || $output == *"unknown"* ]]
	run openssl ocsp -issuer "$AUTH/root/root.pem" -cert "$AUTH/cad/ca.pem" -url "$HTTP/ocsp/demo" -CAfile "$AUTH/root/root.pem"
	[[ $output == *"unauthorized (6)"* ]]
	post() { curl -s -o "$BATS_TEST_TMPDIR/res" -w '%{http_code}' -H "Content-Type: application/ocsp-request" --data-binary "$1" "$HTTP/ocsp/${2:-demo}"; }
	run -0 post "not a request"
	[ "$output" = 200 ]
	[ "$(od -An -tx1 "$BATS_TEST_TMPDIR/res" | tr -d ' \n')" = 30030a0101 ]
	run -0 post "not a request" elsewhere
	[ "$output" = 404 ]
	head -c 100000 /dev/zero >"$BATS_TEST_TMPDIR/giant"
	run -0 post @"$BATS_TEST_TMPDIR/giant"
	[ "$output" = 413 ]
	run -0 curl -s -o /dev/null -w '%{http_code}' "$HTTP/ocsp/demo/%21%21"
	[ "$output" = 200 ]
	for path in crl/demo/40.crl crl/demo/all crl/demo/..%2Fca.key crl/elsewhere/all.crl ca/demo/ca.key v1/vo health/live metrics; do
		run -0 curl -s -o /dev/null -w '%{http_code}' "$HTTP/$path"
		[ "$output" = 404 ]
	done
}

@test "the root's own list: what it revokes stays revoked, and a foreign one is not given out" {
	cp -a "$AUTH/root" "$BATS_TEST_TMPDIR/root"
	before=$(curl -sf "$HTTP/crl/demo/root.crl" | openssl crl -inform DER -noout -crlnumber)
	run -0 xos-cad root-crl --dir "$BATS_TEST_TMPDIR/root" --out "$BATS_TEST_TMPDIR/new.crl" --revoke "$AUTH/cad/ca.pem" --life 30d
	[[ $output == *"list 2, 1 revoked, good until "* ]]
	run -1 xos-cad root-crl --dir "$BATS_TEST_TMPDIR/root" --out "$BATS_TEST_TMPDIR/new.crl" --revoke "$AUTH/cad/ca.pem"
	[[ $output == *"revoked already"* ]]
	run -1 xos-cad root-crl --dir "$BATS_TEST_TMPDIR/root" --out "$BATS_TEST_TMPDIR/new.crl" --revoke "$AUTH/alice.crt"
	run -2 xos-cad root-crl --dir "$BATS_TEST_TMPDIR/root" --out "$BATS_TEST_TMPDIR/new.crl" --life 1
	run -0 xos-cad root-crl --dir "$BATS_TEST_TMPDIR/root" --out "$BATS_TEST_TMPDIR/newer.crl"
	[[ $output == *"list 3, 1 revoked"* ]]
	curl -sf -o "$BATS_TEST_TMPDIR/all.crl" "$HTTP/crl/demo/all.crl"
	run -2 openssl verify -crl_check -crl_check_all -CAfile "$AUTH/root/root.pem" -untrusted "$AUTH/cad/ca.pem" \
		-CRLfile "$BATS_TEST_TMPDIR/all.crl" -CRLfile "$BATS_TEST_TMPDIR/newer.crl" "$AUTH/bob.token"
	[[ $output == *"certificate revoked"* ]]
	# the running authority gives a new one out, without a restart
	cp "$BATS_TEST_TMPDIR/newer.crl" "$AUTH/cad/trust/root.crl.next"
	cp "$AUTH/cad/trust/root.crl" "$BATS_TEST_TMPDIR/old.crl"
	mv "$AUTH/cad/trust/root.crl.next" "$AUTH/cad/trust/root.crl"
	after=$(curl -sf "$HTTP/crl/demo/root.crl" | openssl crl -inform DER -noout -crlnumber)
	[ "$before" != "$after" ]
	metrics() { curl -sf --cacert "$AUTH/root/root.pem" "$URL/metrics"; }
	left() { metrics | grep -Eq '^xos_root_crl_seconds_left [1-9]'; }
	none_left() { metrics | grep -q '^xos_root_crl_seconds_left 0$'; }
	retry left
	# one of another root is none
	xos-cad root-init --dir "$BATS_TEST_TMPDIR/other" --vo demo
	xos-cad root-crl --dir "$BATS_TEST_TMPDIR/other" --out "$AUTH/cad/trust/root.crl"
	run -22 curl -sf -o /dev/null "$HTTP/crl/demo/root.crl"
	retry none_left
	cp "$BATS_TEST_TMPDIR/old.crl" "$AUTH/cad/trust/root.crl"
	run -0 verify "$AUTH/bob.token"
}
