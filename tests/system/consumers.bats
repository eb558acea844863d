#!/usr/bin/env bats
# What stock programs do with each kind of credential: the table in SECURITY.md. BUILD is the build folder.

bats_require_minimum_version 1.5.0
load vo

kinds=(token delegated stock renewed robot)

setup_file() {
	vo_make
	echo 'vo "demo" serial 2 schema 3 { permit group /demo action token.stock on any; limit any action token.stock on any { lifetime <= 20m; } }' >"$V/vo2.xos"
	as admin xos-policy push "$V/vo2.xos"
	echo 'delegation by user "nightly" { check action in {job.show}; }' >"$V/may.xos"
	as admin xos-vo member add nightly --robot --owner alice --restriction "$V/may.xos" --password-stdin <"$V/alice.pw"
	as nightly xos-login nightly --password-stdin <"$V/alice.pw"
	run -1 as alice xos-token delegate --stock --node lab/n1 --out "$V/stock"
	[[ $output == *"the site lab has no statement that permits it"* ]]
	sed 's/serial 1 {/serial 2 schema 3 {/; s/job.show on/job.show, token.stock on/' "$V/lab.xos" >"$V/lab2.xos"
	xos-policy sign --site-key "$V/lab.key" --out "$V/lab2.jws" "$V/lab2.xos"
	xos-policy push --site lab "$V/lab2.jws"
	retry as alice xos-token delegate --stock --node lab/n1 --lifetime 2h --out "$V/stock"
	cp "$V/alice" "$V/token"
	cp "$V/nightly" "$V/robot"
	as alice xos-token delegate --node n1 --out "$V/delegated"
	xos-forge renewed "$V/alice" "$V/vo/root" "$V/renewed"
	chmod 600 "$V"/{token,robot,renewed}
	ROOT=$V/vo/trust/root.pem
	export ROOT
	servers
}

teardown_file() {
	local f
	for f in "$V"/*.pid; do [ ! -s "$f" ] || kill "$(cat "$f")" || true; done
	vo_remove
}

root() { [ "$(id -u)" -eq 0 ]; }

# A server's certificate of no VO, by an authority of its own.
host_certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$V/hca.key" -out "$V/hca.pem" -days 2 -subj "/O=host/CN=CA" 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout "$V/host.key" -out "$V/host.csr" -subj "/O=host/CN=localhost" 2>/dev/null
	openssl x509 -req -in "$V/host.csr" -CA "$V/hca.pem" -CAkey "$V/hca.key" -set_serial 2 -days 2 -out "$V/host.pem" \
		-extfile <(printf 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost') 2>/dev/null
}

# A folder of authorities as grid programs want it, by hashes of subjects.
authorities() {
	mkdir "$V/ca"
	local f
	csplit -sz -f "$V/ca/i" -b '%d.pem' "$V/vo/trust/issuers.pem" '/BEGIN/' '{*}'
	cp "$ROOT" "$V/hca.pem" "$V/ca"
	sed -n '/BEGIN CERT/,/END CERT/p' "$V/renewed" | sed '1,/END CERT/d' >"$V/ca/renewals.pem"
	for f in "$V"/ca/*.pem; do mv "$f" "$V/ca/$(openssl x509 -noout -hash -in "$f").0"; done
}

servers() {
	host_certificate
	authorities
	cat >"$V/nginx.conf" <<-END
		daemon off; pid $V/nginx.own; error_log $V/nginx.log; events {}
		$(root && echo "user root;")
		http {
			access_log off; client_body_temp_path $V/nginx.tmp; proxy_temp_path $V/nginx.tmp;
			fastcgi_temp_path $V/nginx.tmp; uwsgi_temp_path $V/nginx.tmp; scgi_temp_path $V/nginx.tmp;
			server {
				listen unix:$V/nginx.sock ssl; ssl_certificate $V/host.pem; ssl_certificate_key $V/host.key;
				ssl_client_certificate $ROOT; ssl_verify_client on; ssl_verify_depth 6;
				location / { return 200 "\$ssl_client_s_dn\n"; }
			}
		}
	END
	nginx -c "$V/nginx.conf" 2>/dev/null 3>&- &
	echo $! >"$V/nginx.pid"
	mkdir "$V/data" "$V/xrd" "$V/xrd/log"
	echo hello >"$V/data/f"
	local as=()
	if root; then
		chown -R nobody "$V/host.key" "$V/data" "$V/xrd"
		as=(-R nobody)
	fi
	chmod 400 "$V/host.key"
	cat >"$V/xrd.cf" <<-END
		all.export /
		oss.localroot $V/data
		xrd.port any
		xrd.protocol http:any libXrdHttp.so
		xrd.tls $V/host.pem $V/host.key
		xrd.tlsca certdir $V/ca
		http.listingdeny no
		xrootd.seclib libXrdSec.so
		sec.protocol gsi -certdir:$V/ca -cert:$V/host.pem -key:$V/host.key -crl:0 -gmapopt:10
		sec.protbind * only gsi
		all.adminpath $V/xrd
		all.pidpath $V/xrd
	END
	xrootd "${as[@]}" -c "$V/xrd.cf" -n t -l "$V/xrd/log/log" >/dev/null 2>&1 3>&- &
	echo $! >"$V/xrd.pid"
	retry grep -rqs "initialization completed" "$V/xrd/log"
	retry test -S "$V/nginx.sock"
}

xrd_port() { grep -rhs "initialization completed" "$V/xrd/log" | sed -n 's/.*@[^:]*:\([0-9]*\) .*/\1/p' | tail -n 1; }

# by_nginx FILE, by_xrdhttp FILE: curl shows that certificate; the status, 0 or none
by_nginx() { curl -s --insecure --unix-socket "$V/nginx.sock" --cert "$V/$1" -w '%{http_code}' https://localhost/ | tail -n 1; }
by_xrdhttp() { curl -s --insecure --cert "$V/$1" -w '%{http_code}' "https://localhost:$(xrd_port)/f" | tail -n 1; }
by_gsi() { # FILE
	XrdSecPROTOCOL=gsi X509_USER_PROXY=$V/$1 X509_CERT_DIR=$V/ca XrdSecGSICRLCHECK=0 XrdSecGSISRVNAMES=localhost \
		timeout 20 xrdfs "root://localhost:$(xrd_port)" stat /f
}
verify() { openssl verify "${@:2}" -CAfile "$ROOT" -untrusted "$V/$1" "$V/$1"; }

# below FILE: what its holder can sign with any X.509 program, an inherit-all proxy for an RSA key, in FILE.rsa
below() {
	local f=$V/$1 subject
	openssl x509 -in "$f" -out "$f.leaf"
	openssl pkey -in "$f" -out "$f.key"
	subject=$(openssl x509 -noout -subject -nameopt compat -in "$f.leaf" | sed 's/^subject= *//')
	openssl req -new -key "$V/hca.key" -subj "$subject/CN=77" -out "$f.csr" 2>/dev/null
	openssl x509 -req -in "$f.csr" -CA "$f.leaf" -CAkey "$f.key" -set_serial 77 -days 1 -out "$f.sub" \
		-extfile <(printf 'proxyCertInfo=critical,language:id-ppl-inheritAll\nkeyUsage=critical,digitalSignature,keyEncipherment\n') 2>/dev/null
	(umask 077 && cat "$f.sub" <(openssl rsa -in "$V/hca.key" -traditional 2>/dev/null) "$f.leaf" \
		<(sed -n '/BEGIN CERT/,/END CERT/p' "$f" | sed '1,/END CERT/d') >"$f.rsa")
}

# table PROGRAM WORD...: what it does with each kind, in the order of `kinds`
table() {
	local kind got=()
	for kind in "${kinds[@]}"; do
		case $1 in
		openssl) verify "$kind" >/dev/null 2>&1 && got+=(yes) || got+=(no) ;;
		openssl-proxies) verify "$kind" -allow_proxy_certs >/dev/null 2>&1 && got+=(yes) || got+=(no) ;;
		nginx) [ "$(by_nginx "$kind")" = 200 ] && got+=(yes) || got+=(no) ;;
		xrdhttp) [ "$(by_xrdhttp "$kind")" = 200 ] && got+=(yes) || got+=(no) ;;
		esac
	done
	echo "$1: ${kinds[*]}: ${got[*]}"
	[ "${got[*]}" = "${*:2}" ]
}

@test "openssl verify: what carries a restriction never passes, the stock proxy where proxies are allowed" {
	table openssl yes no no no no
	table openssl-proxies yes no yes no no
	local kind
	for kind in delegated renewed robot; do
		run ! verify $kind -allow_proxy_certs
		[[ $output == *"unhandled critical extension"* ]]
	done
}

@test "nginx, with curl: the member's token alone" {
	table nginx yes no no no no
	run curl -s --insecure --unix-socket "$V/nginx.sock" --cert "$V/token" https://localhost/
	[ "$output" = "CN=alice,OU=user,O=demo" ]
}

@test "XRootD over https, with curl: token and stock proxy, nothing restricted, nor what its holder signs below it" {
	table xrdhttp yes no yes no no
	below delegated
	[ "$(by_xrdhttp delegated.rsa)" != 200 ]
}

@test "XRootD's gsi takes no key of ours, but drops restrictions of what is signed below for an RSA key" {
	local kind
	# The kind of key is the reason, whatever the credential; each hand-shake takes a second.
	for kind in token delegated; do run ! by_gsi "$kind"; done
	for kind in delegated stock renewed robot; do
		below "$kind"
		run -0 by_gsi "$kind.rsa"
	done
	grep -rhs "login as" "$V/xrd/log" | grep -o "login as .*" | sort -u >"$BATS_TEST_TMPDIR/as"
	cat "$BATS_TEST_TMPDIR/as"
	grep -qx "login as /O=demo/OU=user/CN=alice" "$BATS_TEST_TMPDIR/as"
	grep -q "login as /O=demo/OU=delegation/CN=alice/CN=forged" "$BATS_TEST_TMPDIR/as"
}

@test "voms-proxy-info tells whose it is and proves nothing" {
	local kind
	export X509_CERT_DIR=$V/ca
	for kind in delegated stock; do
		run -0 voms-proxy-info -file "$V/$kind" -identity
		[ "$output" = /O=demo/OU=user/CN=alice ]
		run -0 voms-proxy-info -file "$V/$kind" -type
		[[ $output == *"RFC compliant proxy"* ]]
	done
	for kind in token renewed robot; do
		run -0 voms-proxy-info -file "$V/$kind" -subject
		[ "$output" = "$(openssl x509 -noout -subject -nameopt compat -in "$V/$kind" | sed 's/^subject= *//')" ]
	done
	# Nobody's, which it takes as well.
	xos-forge foreign "$V/foreign"
	run -0 voms-proxy-info -file "$V/foreign" -subject
	[[ $output == *"O=elsewhere"* ]]
}

@test "sshd sees a bare key, and neither certificate nor restriction" {
	root || skip "sshd runs for its own user only"
	local kind
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$V/ssh_host"
	openssl x509 -noout -pubkey -in "$V/vo/trust/issuers.pem" >"$V/ca.pub"
	ssh-keygen -i -m PKCS8 -f "$V/ca.pub" >"$V/ca.ssh"
	for kind in "${kinds[@]}"; do
		run ! ssh-keygen -L -f "$V/$kind"
		# That the authority is trusted for ssh certificates makes it none.
		run ! log_in "$kind" "TrustedUserCAKeys=$V/ca.ssh" AuthorizedKeysFile=none
	done
	ssh-keygen -y -f "$V/delegated" >"$V/delegated.ssh"
	run -0 log_in delegated "AuthorizedKeysFile=$V/delegated.ssh"
}

log_in() { # FILE OPTION-OF-SSHD...
	local options="" o
	for o in "${@:2}"; do options+=" -o $o"; done
	ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile=/dev/null \
		-o StrictHostKeyChecking=no -o LogLevel=ERROR -i "$V/$1" \
		-o ProxyCommand="/usr/sbin/sshd -i -f /dev/null -h $V/ssh_host -o StrictModes=no -o PermitRootLogin=yes -o UsePAM=no $options" \
		"$(id -un)@localhost" true
}

@test "services of the VO take no stock proxy, and every other" {
	local url code kind
	url=$(sed -n 's/^rca = //p' "$XOS_CONFIG/demo/vo.conf")
	for kind in token delegated robot; do
		[ "$(curl -s --insecure --cert "$V/$kind" -o /dev/null -w '%{http_code}' "$url/v1/vo/demo/nodes")" = 200 ]
	done
	code=$(curl -s --insecure --cert "$V/stock" "$url/v1/vo/demo/nodes" | jq -r .code)
	[ "$code" = delegation-missing ]
	xos-token show --json "$V/renewed" | jq -e '.delegation | length == 1 and .[0].signed_by == "authority" and .[0].by == "alice"
		and .[0].for == "alice" and .[0].actor == "job" and .[0].node == "n1"'
	xos-token show "$V/renewed" | grep -q "^acts for: *alice"
	xos-token show --json "$V/robot" | jq -e '.delegation[0].signed_by == "authority"'
	xos-token show --json "$V/delegated" | jq -e '.delegation[0].signed_by == "holder"'
	run -1 xos-token verify "$V/stock"
	[[ $output == *"stock programs"* ]]
	# Cut to what policy allows.
	[ $(($(date -d "$(openssl x509 -noout -enddate -in "$V/stock" | cut -d= -f2)" +%s) - $(date +%s))) -le 1200 ]
}
