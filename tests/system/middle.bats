#!/usr/bin/env bats
# A man in the middle of a log-in: the request or the answer is changed on the way, over real TLS and HTTP, by
# somebody whose certificate the client believes. Nothing is issued for what the member did not ask for, and
# nothing is taken that the member did not ask for. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load authority
load middle

setup_file() {
	authority_make
	authority_start
	xos-login --join "$URL" --fingerprint "$FINGERPRINT" >/dev/null
	admin >/dev/null
	xos-vo group add /demo/physics >/dev/null
	echo alice-secret | xos-vo member add alice --group /demo/physics --password-stdin >/dev/null
	xos-vo role grant alice /demo/Role=admin >/dev/null
	echo mallory-secret | xos-vo member add mallory --password-stdin >/dev/null
	# What somebody in the middle has: a key and a request of his own.
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout "$AUTH/thief.key" \
		-outform DER -out "$AUTH/thief.csr" 2>/dev/null
	printf '{"csr": "%s"}' "$(base64 -w0 "$AUTH/thief.csr")" >"$AUTH/thief.json"
	printf '{"roles": ["/demo/Role=admin"]}' >"$AUTH/roles.json"
	printf '{"lifetime": 86400}' >"$AUTH/lifetime.json"
}

teardown_file() { authority_remove; }

teardown() {
	middle_stop
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 20 "$AUTH/log" "$AUTH"/middle/* >&2
	fi
}

# between RULE FILE...: from here on $AUTH/between is a configuration that leads to the middle.
between() {
	middle_start "$AUTH/middle" --certificate "$AUTH/cad/tls.pem" --key "$AUTH/cad/tls.key" --to "$URL" \
		--vo demo --service ca --trust "$AUTH/cad/trust" "$@"
	rm -rf "$AUTH/between"
	cp -r "$XOS_CONFIG" "$AUTH/between"
	sed -i "s#^ca = .*#ca = $MIDDLE_URL#" "$AUTH/between/demo/vo.conf"
	rm -f "$AUTH/caught"
}

login() { # MEMBER [OPTION...]: through the middle
	local member=$1
	shift
	echo "$member-secret" | xos-login "$member" --config "$AUTH/between" --password-stdin --out "$AUTH/caught" "$@"
}

issued() { xos-cad log --config "$CONF" | grep -c '"serial"' || true; }

# chain MEMBER: the chain of a token of MEMBER that was got honestly, as answers have it
chain() {
	echo "$1-secret" | xos-login "$1" --password-stdin --out "$AUTH/honest.$1" >/dev/null
	jq -n --arg leaf "$(openssl x509 -in "$AUTH/honest.$1" -outform DER | base64 -w0)" \
		--arg issuer "$(openssl x509 -in "$AUTH/cad/ca.pem" -outform DER | base64 -w0)" \
		'{chain: [$leaf, $issuer]}' >"$AUTH/chain.$1.json"
}

@test "a middle that changes nothing is not noticed: the rig works" {
	between
	before=$(issued)
	run -0 login alice --role /demo/Role=admin --lifetime 1h
	[ "$(issued)" -eq $((before + 1)) ]
	run -0 xos-token verify "$AUTH/caught"
}

@test "another key in both messages: the proof is not for it" {
	between request "$AUTH/thief.json"
	before=$(issued)
	run -1 login alice
	middle_changed csr
	[[ $output == *"not the one that the member made: key, roles or lifetime were changed on the way"* ]]
	[ "$(issued)" -eq "$before" ]
	[ ! -e "$AUTH/caught" ]
}

@test "another key in the second message only, after the proof was begun for the member's" {
	between later "$AUTH/thief.json"
	before=$(issued)
	run -1 login alice
	middle_changed csr
	[[ $output == *"not the one that was logged in for: key, roles or lifetime were changed on the way"* ]]
	[ "$(issued)" -eq "$before" ]
	[ ! -e "$AUTH/caught" ]
}

@test "roles that the member did not ask for" {
	local when
	for when in request later; do
		between "$when" "$AUTH/roles.json"
		before=$(issued)
		run -1 login alice --role /demo/physics/Role=x
		middle_changed roles
		[[ $output == *"key, roles or lifetime were changed on the way"* ]]
		[ "$(issued)" -eq "$before" ]
		middle_stop
	done
}

@test "a longer life than the member asked for" {
	local when
	for when in request later; do
		between "$when" "$AUTH/lifetime.json"
		before=$(issued)
		run -1 login alice --lifetime 10m
		middle_changed lifetime
		[[ $output == *"key, roles or lifetime were changed on the way"* ]]
		[ "$(issued)" -eq "$before" ]
		middle_stop
	done
}

@test "the authority answers with a certificate for another key: not taken" {
	chain alice
	between answer "$AUTH/chain.alice.json"
	run -1 login alice
	middle_changed chain
	[[ $output == *"a token for another key than the one asked for"* ]]
	[ ! -e "$AUTH/caught" ]
}

@test "the authority answers with another member's certificate: not taken" {
	chain mallory
	between answer "$AUTH/chain.mallory.json"
	run -1 login alice
	middle_changed chain
	[[ $output == *"the token that the server sent"* && $output == *mallory* ]]
	[ ! -e "$AUTH/caught" ]
}

@test "the authority answers with a token of another VO, a server's certificate, or nonsense: not taken" {
	xos-forge foreign "$AUTH/foreign"
	openssl x509 -in "$AUTH/foreign" -outform DER | base64 -w0 >"$AUTH/leaf"
	printf '{"chain": ["%s"]}' "$(cat "$AUTH/leaf")" >"$AUTH/foreign.json"
	openssl x509 -in "$AUTH/cad/tls.pem" -outform DER | base64 -w0 >"$AUTH/leaf"
	printf '{"chain": ["%s", "%s"]}' "$(cat "$AUTH/leaf")" \
		"$(openssl x509 -in "$AUTH/rcad/rca.pem" -outform DER | base64 -w0)" >"$AUTH/server.json"
	printf '{"chain": ["AAAA"]}' >"$AUTH/nonsense.json"
	printf '{"chain": []}' >"$AUTH/nothing.json"
	local what
	for what in foreign server nonsense nothing; do
		between answer "$AUTH/$what.json"
		run -1 login alice
		middle_changed chain
		[[ $output == xos-login:* ]]
		[ ! -e "$AUTH/caught" ]
		middle_stop
	done
}
