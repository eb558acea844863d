#!/usr/bin/env bats
# The verbs of xos-cad that need no running server, and its configuration. BUILD is the build folder.

setup() {
	bin=$(cd "${BUILD:-$BATS_TEST_DIRNAME/../../build/release}/bin" && pwd)
	PATH=$bin:$PATH
	dir=$BATS_TEST_TMPDIR
}

make_root() { xos-cad root-init --dir "$dir/root" --vo demo; }
make_state() { echo admin-secret | xos-cad init --dir "$dir/cad" --vo demo --admin ada --password-stdin; }

@test "root-init prints the fingerprint of the root it made, once" {
	run make_root
	[ "$status" -eq 0 ]
	want=$(openssl x509 -in "$dir/root/root.pem" -outform DER | sha256sum | cut -d' ' -f1)
	[ "$output" = "sha256:$want" ]
	[ "$(stat -c %a "$dir/root/root.key")" = 600 ]
	run make_root
	[ "$status" -eq 1 ]
	[[ $output == *"one root"* ]]
	[ "$want" = "$(openssl x509 -in "$dir/root/root.pem" -outform DER | sha256sum | cut -d' ' -f1)" ]
}

@test "root-sign signs each kind, and nothing without the key's own request" {
	make_root
	make_state
	for kind in ca rca vops accounting; do
		run xos-cad root-sign --dir "$dir/root" --kind "$kind" --csr "$dir/cad/ca.csr" --out "$dir/$kind.pem"
		[ "$status" -eq 0 ]
		run openssl verify -CAfile "$dir/root/root.pem" "$dir/$kind.pem"
		[ "$status" -eq 0 ]
	done
	openssl x509 -in "$dir/ca.pem" -noout -text | grep -q "CA:TRUE, pathlen:0"
	! openssl x509 -in "$dir/vops.pem" -noout -text | grep -q "CA:TRUE"
	run xos-cad root-sign --dir "$dir/root" --kind user --csr "$dir/cad/ca.csr" --out "$dir/x.pem"
	[ "$status" -eq 2 ]
	# a request whose signature is broken
	openssl req -in "$dir/cad/ca.csr" -outform DER -out "$dir/bad.der"
	size=$(stat -c %s "$dir/bad.der")
	printf '\x00' | dd of="$dir/bad.der" bs=1 seek=$((size - 3)) conv=notrunc 2>/dev/null
	openssl req -inform DER -in "$dir/bad.der" -out "$dir/bad.csr"
	run xos-cad root-sign --dir "$dir/root" --kind ca --csr "$dir/bad.csr" --out "$dir/x.pem"
	[ "$status" -eq 1 ]
	[ ! -e "$dir/x.pem" ]
}

@test "a root with a pass phrase signs only with it" {
	xos-cad root-init --dir "$dir/root" --vo demo --passphrase-fd 5 5<<<"a long phrase"
	grep -q "ENCRYPTED PRIVATE KEY" "$dir/root/root.key"
	make_state
	run xos-cad root-sign --dir "$dir/root" --kind ca --csr "$dir/cad/ca.csr" --out "$dir/ca.pem"
	[ "$status" -eq 1 ]
	run xos-cad root-sign --dir "$dir/root" --kind ca --csr "$dir/cad/ca.csr" --out "$dir/ca.pem" --passphrase-fd 5 5<<<"wrong"
	[ "$status" -eq 1 ]
	run xos-cad root-sign --dir "$dir/root" --kind ca --csr "$dir/cad/ca.csr" --out "$dir/ca.pem" --passphrase-fd 5 5<<<"a long phrase"
	[ "$status" -eq 0 ]
}

@test "init refuses what exists, short passwords and bad names" {
	run make_state
	[ "$status" -eq 0 ]
	run make_state
	[ "$status" -eq 1 ]
	[[ $output == *"nothing was changed"* ]]
	run xos-cad init --dir "$dir/b" --vo demo --admin ada --password-stdin <<<"short"
	[ "$status" -eq 1 ]
	[ ! -e "$dir/b/ca.key" ]
	run xos-cad init --dir "$dir/b" --vo Demo --admin ada --password-stdin <<<"admin-secret"
	[ "$status" -eq 1 ]
	run xos-cad init --dir "$dir/b" --vo demo --admin "../x" --password-stdin <<<"admin-secret"
	[ "$status" -eq 1 ]
	run xos-cad init --dir "$dir/b" --vo demo
	[ "$status" -eq 2 ]
	# Before a password is asked for: without a terminal, that would be the refusal.
	run setsid -w xos-cad init --dir "$dir/cad" --vo demo --admin ada
	[[ $status -eq 1 && $output == *"nothing was changed"* ]]
	run setsid -w xos-cad init --dir "$dir/b" --vo demo --admin "../x"
	[[ $status -eq 1 && $output == *"is no member name"* ]]
	run setsid -w xos-cad init --dir "$dir/b" --vo demo --admin ada
	[[ $status -eq 3 && $output == *"--password-stdin"* ]]
}

@test "--check names what is wrong, with file and line" {
	make_root >/dev/null
	make_state >/dev/null
	printf 'vo = demo\nlisten = 127.0.0.1:0\nstate = .\ntrust = trust\ntls_certificate = tls.pem\ntls_key = tls.key\nlitsen = x\n' >"$dir/cad/cad.conf"
	run xos-cad --check --config "$dir/cad/cad.conf"
	[ "$status" -eq 2 ]
	[[ $output == *"cad.conf:7"* && $output == *"litsen"* ]]
	sed -i '$d' "$dir/cad/cad.conf"
	run xos-cad --check --config "$dir/cad/cad.conf"
	[ "$status" -eq 2 ]
	[[ $output == *"ca.pem does not exist"* && $output == *"root-sign"* ]]
}

@test "the tools explain themselves" {
	for tool in xos-login xos-vo xos-token xos-logout; do
		run "$tool" --help
		[ "$status" -eq 0 ]
		[[ $output == *"xamples"* ]]
	done
	run xos-cad --help
	[ "$status" -eq 0 ]
	[[ $output == *"root-sign"* ]]
}
