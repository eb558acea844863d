#!/usr/bin/env bats
# Stock clients enrol by EST: curl with openssl, and strongSwan's pki; and what must be refused. BUILD is the build folder.

bats_require_minimum_version 1.5.0

setup_file() {
	SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-$SOURCE/build/release}/bin" && pwd):$PATH
	V=$(mktemp -d "${TMPDIR:-/tmp}/xos-est.XXXXXX")
	chmod 755 "$V"
	export PATH V XOS_CONFIG=$V/config
	head -c 15 /dev/urandom | base64 >"$V/admin.pw"
	xos-server init --dir "$V/vo" --vo demo --admin admin --password-stdin <"$V/admin.pw"
	printf 'est_site = lab\nest_retry = 1s\n' >>"$V/vo/rcad/rcad.conf"
	xos-server start --dir "$V/vo"
	# shellcheck disable=SC2046
	xos-login --join $(xos-server join-arguments --dir "$V/vo")
	as_admin xos-login admin --role /demo/Role=admin --password-stdin <"$V/admin.pw"
	as_admin xos-vo member add bob --password-stdin <"$V/admin.pw"
	# The authority takes codes once it heard who administers the VO; the tools wait for that.
	as_admin xos-node applications || true
	EST=$(xos-server status --dir "$V/vo" --json | jq -r .est)
	ROOT=$V/vo/trust/root.pem
	export EST ROOT
	awk -v out="$V/issuer" '/BEGIN/ { n++ } { print > (out n ".pem") }' "$V/vo/trust/issuers.pem"
	printf 'pki {\n  tls {\n    version_max = 1.3\n  }\n}\n' >"$V/tls13.conf"
}

teardown_file() {
	xos-server stop --dir "$V/vo"
	rm -rf "$V"
}

teardown() {
	if [ "$BATS_TEST_COMPLETED" != 1 ]; then
		tail -n 10 "$V"/vo/log/*rcad* >&2
	fi
}

as_admin() { XOS_TOKEN=$V/admin "$@"; }

# code NODE [SITE]: a one-time code for that node
code() {
	as_admin xos-node code --site "${2:-lab}" --node "$1" --json | jq -r .code
}

# request NAME [OPENSSL-ARGUMENT...]: NAME.key if it is not there, NAME.csr in PEM for its key, NAME.b64 as EST takes it
request() {
	local name=$1
	shift
	[ -e "$V/$name.key" ] || openssl ecparam -name prime256v1 -genkey -noout -out "$V/$name.key"
	openssl req -new -key "$V/$name.key" -out "$V/$name.csr" "${@:--subj=/CN=$name}" 2>&1
	grep -v -- ----- "$V/$name.csr" >"$V/$name.b64"
}

# post PATH NAME [CURL-ARGUMENT...]: sends NAME.b64; prints the status; the answer is in $V/body, its head in $V/head
post() {
	local path=$1 name=$2
	shift 2
	curl -sS --cacert "$ROOT" -o "$V/body" -D "$V/head" -w '%{http_code}' -H "Content-Type: ${TYPE:-application/pkcs10}" \
		--data-binary "@$V/$name.b64" "$@" "$EST$path"
}

# The certificate that was answered into NAME.pem
store() { base64 -d "$V/body" | openssl pkcs7 -inform der -print_certs | sed -n '/BEGIN/,/END/p' >"$V/$1.pem"; }

serial() { openssl x509 -in "$V/$1.pem" -noout -serial; }

# refused STATUS PART PATH NAME [CURL-ARGUMENT...]: with that status, and with PART in the text
refused() {
	local status=$1 part=$2 got
	shift 2
	got=$(post "$@")
	[ "$got" = "$status" ] && grep -qF -- "$part" "$V/body" && grep -qi '^content-type: text/plain' "$V/head" && return 0
	echo "$got"
	cat "$V/body"
	return 1
}

# enrolled NAME: a node with NAME.key and NAME.pem
enrolled() {
	request "$1"
	[ "$(post /.well-known/est/simpleenroll "$1" -u "$1:$(code "$1")")" = 200 ]
	store "$1"
}

swan() { # VERB ARGUMENT...
	local verb=$1
	shift
	timeout 20 pki "--$verb" --url "$EST" --cacert "$ROOT" --cacert "$V/issuer1.pem" --cacert "$V/issuer2.pem" "$@"
}

@test "what is believed and wished for is given to anybody, under each address" {
	local at
	for at in /.well-known/est /.well-known/est/demo /.well-known/est/demo.lab /demo/.well-known/est; do
		run -0 curl -sS --cacert "$ROOT" -D "$V/head" -o "$V/body" -w '%{http_code}' "$EST$at/cacerts"
		[ "$output" = 200 ]
	done
	grep -qi '^content-type: application/pkcs7-mime; smime-type=certs-only' "$V/head"
	base64 -d "$V/body" | openssl pkcs7 -inform der -print_certs >"$V/ca.pem"
	[ "$(grep -c BEGIN "$V/ca.pem")" = 4 ] # root; authorities of members, delegations and nodes
	openssl x509 -in "$V/ca.pem" -noout -fingerprint -sha256 >"$V/one"
	openssl x509 -in "$ROOT" -noout -fingerprint -sha256 | cmp - "$V/one"
	run -0 curl -sS --cacert "$ROOT" -D "$V/head" -o "$V/body" -w '%{http_code}' "$EST/.well-known/est/csrattrs"
	[ "$output" = 200 ]
	grep -qi '^content-type: application/csrattrs' "$V/head"
	base64 -d "$V/body" | openssl asn1parse -inform der | grep -q prime256v1
	for at in other demo.LAB demo. lab; do
		run -0 curl -sS --cacert "$ROOT" -o "$V/body" -w '%{http_code}' "$EST/.well-known/est/$at/cacerts"
		[ "$output" = 404 ]
	done
	run -0 curl -sS --cacert "$ROOT" -o "$V/body" -w '%{http_code}' "$EST/health/ready"
	[ "$output" = 404 ]
}

@test "with a code a node is in at once; the code is good once" {
	local before one
	request n1 -subj /O=demo/CN=n1 -addext subjectAltName=DNS:n1,IP:127.0.0.1 -addext basicConstraints=critical,CA:TRUE
	one=$(code n1)
	[ "$(post /.well-known/est/simpleenroll n1 -u "n1:$one")" = 200 ]
	grep -qi '^content-type: application/pkcs7-mime; smime-type=certs-only' "$V/head"
	run -1 grep -qi '^content-transfer-encoding' "$V/head"
	store n1
	openssl verify -CAfile "$ROOT" -untrusted "$V/vo/trust/issuers.pem" -purpose sslclient "$V/n1.pem"
	run -0 openssl x509 -in "$V/n1.pem" -noout -subject -ext subjectAltName,basicConstraints
	[[ $output == *"O = demo, OU = node, CN = n1"* && $output == *spiffe://demo/node/n1* && $output == *CA:FALSE* ]]
	run -0 as_admin xos-node list
	[[ $output == *n1*lab*active* ]]
	# The reply was lost: the same key has it again. Another key has nothing.
	before=$(serial n1)
	[ "$(post /.well-known/est/simpleenroll n1 -u "n1:$one")" = 200 ]
	store n1
	[ "$(serial n1)" = "$before" ]
	request thief -subj /CN=n1
	refused 401 "does not admit" /.well-known/est/simpleenroll thief -u "n1:$one"
	grep -qi '^www-authenticate: Basic' "$V/head"
	refused 409 "belongs to an admitted node" /.well-known/est/simpleenroll thief -u "n1:$(code n1)"
}

@test "without a code it waits until a person says so" {
	request n2 -subj /CN=n2 -addext subjectAltName=DNS:n2.example.org
	[ "$(post /.well-known/est/simpleenroll n2)" = 202 ]
	grep -qi '^retry-after: 1' "$V/head"
	run -0 as_admin xos-node applications
	[[ $output == *n2*"EST (RFC 7030)"* ]]
	as_admin xos-node approve n2
	# A new request for the same key; base64 with other line ends, and the header that nobody should send.
	request n2 -subj /CN=n2 -addext subjectAltName=DNS:n2.example.org
	tr -d '\n' <"$V/n2.b64" | fold -w 60 | sed 's/$/ \r/' >"$V/n2.crlf.b64"
	[ "$(post /.well-known/est/simpleenroll n2.crlf -H 'Content-Transfer-Encoding: base64')" = 200 ]
	store n2
	openssl x509 -in "$V/n2.pem" -noout -ext subjectAltName | grep -q DNS:n2.example.org
	request n3
	[ "$(post /.well-known/est/demo.lab/simpleenroll n3)" = 202 ]
	as_admin xos-node deny n3 --message "not ours"
	refused 403 "not ours" /.well-known/est/simpleenroll n3
}

@test "a node renews with its key over mutual TLS, and only so" {
	local before
	enrolled n4
	before=$(serial n4)
	[ "$(post /.well-known/est/simplereenroll n4 --cert "$V/n4.pem" --key "$V/n4.key")" = 200 ]
	store n4
	[ "$(serial n4)" != "$before" ]
	before=$(serial n4)
	[ "$(post /.well-known/est/demo/simplereenroll n4 --cert "$V/n4.pem" --key "$V/n4.key")" = 200 ]
	store n4
	[ "$(serial n4)" = "$before" ]
	refused 403 "needs the present certificate" /.well-known/est/simplereenroll n4
	request new -subj /CN=n4
	refused 403 "for the same key" /.well-known/est/simplereenroll new --cert "$V/n4.pem" --key "$V/n4.key"
	request n4 -subj /CN=n1
	refused 403 "names somebody else" /.well-known/est/simplereenroll n4 --cert "$V/n4.pem" --key "$V/n4.key"
	request n4 -subj /CN=n4 -addext subjectAltName=DNS:bank.example
	refused 403 "not admitted as bank.example" /.well-known/est/simplereenroll n4 --cert "$V/n4.pem" --key "$V/n4.key"
}

@test "strongSwan enrols and renews as it comes, by TLS 1.2" {
	swan estca --caout "$V/swan.pem" --outform pem --force 2>"$V/swan.err"
	grep -q "negotiated TLS 1.2" "$V/swan.err"
	cmp <(openssl x509 -in "$V/swan.pem") <(openssl x509 -in "$ROOT")
	openssl ecparam -name prime256v1 -genkey -noout -out "$V/n5.key"
	pki --req --type priv --in "$V/n5.key" --dn CN=n5 --san n5 >"$V/n5.der"
	swan est --in "$V/n5.der" --userpass "n5:$(code n5)" >"$V/n5.crt"
	openssl verify -CAfile "$ROOT" -untrusted "$V/vo/trust/issuers.pem" "$V/n5.crt"
	swan est --in "$V/n5.der" --cert "$V/n5.crt" --key "$V/n5.key" --outform pem >"$V/n5.pem"
	[ "$(serial n5)" != "$(openssl x509 -in "$V/n5.crt" -noout -serial)" ]
}

@test "strongSwan waits to be approved, by TLS 1.3" {
	pki --gen --type rsa --size 2048 --outform pem >"$V/n6.key"
	pki --req --type priv --in "$V/n6.key" --dn "O=demo, OU=node, CN=n6" >"$V/n6.der"
	export STRONGSWAN_CONF=$V/tls13.conf
	swan est --in "$V/n6.der" --interval 1 >"$V/n6.crt" 2>"$V/n6.err" 3>&- &
	local pid=$! i
	for ((i = 0; i < 100; i++)); do as_admin xos-node approve n6 2>/dev/null && break || sleep 0.1; done
	wait "$pid"
	grep -q "negotiated TLS 1.3" "$V/n6.err"
	grep -q "request pending" "$V/n6.err"
	grep -q "Issued certificate is trusted" "$V/n6.err"
	# A wrong code is told apart, and its holder is not let in to wait.
	openssl ecparam -name prime256v1 -genkey -noout -out "$V/n7.key"
	pki --req --type priv --in "$V/n7.key" --dn CN=n7 >"$V/n7.der"
	run -1 swan est --in "$V/n7.der" --userpass n7:4h7k-zq2m-9d3f-x8vt-rw6p
	[[ $output == *"HTTP 401"* ]]
}

@test "the commands of docs/operations.md do what it says" {
	local line n=0
	mkdir "$V/docs"
	cp "$ROOT" "$V/docs/root.pem"
	cd "$V/docs"
	while read -r line; do
		line=${line//\/srv\/demo/$V/vo}
		[[ ! $line =~ (web[0-9]):CODE ]] || line=${line//CODE/$(code "${BASH_REMATCH[1]}")}
		eval "$line" || { echo "$line" && return 1; }
		n=$((n + 1))
	done < <(sed -n '/^### Stock clients/,/^## /s/^    //p' "$BATS_TEST_DIRNAME/../../docs/operations.md")
	[ "$n" -gt 12 ]
	openssl verify -CAfile ca.pem web1.pem web2.crt web2.new
}

@test "who pins another authority sends nothing" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$V/else.key" -out "$V/else.pem" \
		-subj "/O=demo/CN=demo root" 2>&1
	request n8
	run -60 curl -sS --cacert "$V/else.pem" -H 'Content-Type: application/pkcs10' --data-binary "@$V/n8.b64" \
		"$EST/.well-known/est/simpleenroll"
	run -1 timeout 20 pki --est --url "$EST" --cacert "$V/else.pem" --in <(openssl req -in "$V/n8.csr" -outform der)
	run -1 as_admin xos-node approve n8
}

@test "requests that are not what they should be" {
	local url=/.well-known/est/simpleenroll
	request n9 -subj /CN=n1
	refused 403 "names somebody else" "$url" n9 -u "n9:$(code n9)"
	request n9 -subj /CN=n9 -addext subjectAltName=URI:spiffe://demo/service/ca/n9
	refused 403 "names somebody else" "$url" n9
	request n9 -subj /CN=n9 -addext subjectAltName=DNS:bank.example
	refused 403 "not as bank.example" "$url" n9 -u "n9:$(code n9)"
	request n9
	openssl req -in "$V/n9.csr" -outform der -out "$V/n9.der"
	# One bit of the signature; one byte too many; half of it; not in base64; not even that.
	{ head -c -1 "$V/n9.der" && tail -c 1 "$V/n9.der" | tr '\000-\377' '\001-\377\000'; } | base64 >"$V/flip.b64"
	refused 403 "signature is wrong" "$url" flip
	{ cat "$V/n9.der" && printf x; } | base64 >"$V/long.b64"
	refused 400 "malformed certification request" "$url" long
	head -c 100 "$V/n9.der" | base64 >"$V/short.b64"
	refused 400 "malformed certification request" "$url" short
	cp "$V/n9.der" "$V/raw.b64"
	refused 400 "must be base64" "$url" raw
	cp "$V/n9.csr" "$V/pem.b64"
	refused 400 "without the BEGIN" "$url" pem
	TYPE=text/plain refused 415 "application/pkcs10" "$url" n9
	refused 400 "must be Basic" "$url" n9 -H 'Authorization: Bearer x'
	head -c 100000 /dev/zero | base64 >"$V/huge.b64"
	refused 413 "at most" "$url" huge
	refused 413 "at most" /.well-known/est/cacerts n9 -X GET
	refused 405 "takes GET" /.well-known/est/cacerts n9
	refused 404 "nothing at this address" /.well-known/est/fullcmc n9
	run -1 as_admin xos-node approve n9
}

# Past its end, signed by the real authority.
make_late() {
	mkdir "$V/late.d"
	touch "$V/late.d/index"
	printf '[ca]\ndefault_ca=a\n[a]\nnew_certs_dir=%s\ndatabase=%s/index\nrand_serial=yes\ndefault_md=sha256\npolicy=p\ncopy_extensions=copyall\n[p]\nO=supplied\nOU=supplied\nCN=supplied\n' \
		"$V/late.d" "$V/late.d" >"$V/late.conf"
	openssl x509 -x509toreq -copy_extensions copyall -in "$V/n4.pem" -key "$V/n4.key" -out "$V/late.csr" 2>&1
	openssl ca -batch -notext -config "$V/late.conf" -cert "$V/vo/rcad/rca.pem" -keyfile "$V/vo/rcad/rca.key" -preserveDN \
		-in "$V/late.csr" -startdate 20250101000000Z -enddate 20260101000000Z -out "$V/late.pem" 2>&1
}

@test "certificates that renew nothing" {
	local url=/.well-known/est/simplereenroll
	request n4
	# Of a VO of the same name that somebody made up; of another.
	xos-forge host "$V/n4.key" demo n4 - - "$V/fake.pem"
	refused 403 "no trusted root" "$url" n4 --cert "$V/fake.pem" --key "$V/n4.key"
	xos-forge host "$V/n4.key" other n4 - - "$V/other.pem"
	refused 403 "refused" "$url" n4 --cert "$V/other.pem" --key "$V/n4.key"
	make_late
	refused 401 "expired" "$url" n4 --cert "$V/late.pem" --key "$V/n4.key"
	# A member's; a node's that joined in another way.
	refused 403 "not accepted here" "$url" n4 --cert "$V/admin"
	request n10
	xos-forge host "$V/n10.key" demo n10 - "$V/vo/rcad" "$V/n10.pem"
	refused 403 "was not enrolled here" "$url" n10 --cert "$V/n10.pem" --key "$V/n10.key"
	as_admin xos-node ban n4 --message "under repair"
	refused 403 "under repair" "$url" n4 --cert "$V/n4.pem" --key "$V/n4.key"
	as_admin xos-node unban n4
	[ "$(post "$url" n4 --cert "$V/n4.pem" --key "$V/n4.key")" = 200 ]
}

@test "the owner says who lets stock clients in, and a code is no more than its maker's word" {
	local one
	xos-policy site-key --out "$V/mine"
	as_admin xos-policy site add mine --key "$V/mine.pub"
	one=$(code n12 mine)
	xos-node admission --site mine --site-key "$V/mine.key" --approver bob
	request n12
	refused 401 "does not admit" /.well-known/est/simpleenroll n12 -u "n12:$one"
	[ "$(post /.well-known/est/demo.mine/simpleenroll n12)" = 202 ]
	run -1 as_admin xos-node approve n12
	XOS_TOKEN=$V/bob xos-login bob --password-stdin <"$V/admin.pw"
	XOS_TOKEN=$V/bob xos-node approve n12
	[ "$(post /.well-known/est/demo.mine/simpleenroll n12)" = 200 ]
	# bob approves at mine and nowhere else.
	request n13
	[ "$(post /.well-known/est/simpleenroll n13)" = 202 ]
	XOS_TOKEN=$V/bob run -1 xos-node approve n13
}

@test "a node that was removed is out, and applies anew" {
	enrolled n14
	as_admin xos-node remove n14
	refused 403 "has left the VO" /.well-known/est/simplereenroll n14 --cert "$V/n14.pem" --key "$V/n14.key"
	[ "$(post /.well-known/est/simpleenroll n14)" = 202 ]
}

@test "a challenge password is good on the connection that it names" {
	local material line host=${EST#https://} secret
	secret=$(code n11)
	coproc TLS { openssl s_client -connect "$host" -CAfile "$ROOT" -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32 -ign_eof 2>&1; }
	local pid=$TLS_PID
	while read -r line <&"${TLS[0]}"; do
		case $line in *"Keying material: "*) material=${line##* } && break ;; esac
	done
	printf '[req]\ndistinguished_name=d\nattributes=a\nprompt=no\n[d]\nCN=n11\n[a]\nchallengePassword=%s\n' \
		"$(basenc --base16 -d <<<"$material" | base64)" >"$V/n11.conf"
	request n11 -config "$V/n11.conf"
	refused 403 "does not name this TLS connection" /.well-known/est/simpleenroll n11 -u "n11:$secret"
	{
		printf '%s\r\n' "POST /.well-known/est/simpleenroll HTTP/1.1" "Host: x" "Connection: close" \
			"Authorization: Basic $(printf '%s' "n11:$secret" | base64 -w0)" "Content-Type: application/pkcs10" \
			"Content-Length: $(wc -c <"$V/n11.b64")" ""
		cat "$V/n11.b64"
	} >&"${TLS[1]}"
	while read -r line <&"${TLS[0]}"; do
		case $line in "HTTP/1.1 "*) break ;; esac
	done
	[[ $line == "HTTP/1.1 200"* ]]
	wait "$pid" || true
}

@test "TLS 1.2 is for this listener alone, and nothing older for any" {
	local old=(-brief -cipher ALL:@SECLEVEL=0)
	run -0 openssl s_client -connect "${EST#https://}" -tls1_2 -brief </dev/null
	[[ $output == *"Protocol version: TLSv1.2"* && $output == *ECDHE*GCM* ]]
	run -1 openssl s_client -connect "${EST#https://}" -tls1_1 "${old[@]}" </dev/null
	run -1 openssl s_client -connect "${EST#https://}" -tls1_2 -brief -cipher AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256 </dev/null
	run -1 openssl s_client -connect "$(sed -n 's/^listen = //p' "$V/vo/rcad/rcad.conf")" -tls1_2 "${old[@]}" </dev/null
}

@test "configurations that do not check" {
	cp "$V/vo/rcad/rcad.conf" "$V/vo/rcad/bad.conf"
	sed -i 's/^est_site.*/est_site = Lab/' "$V/vo/rcad/bad.conf"
	run -2 xos-rcad --check --config "$V/vo/rcad/bad.conf"
	[[ $output == *est_site* ]]
}
