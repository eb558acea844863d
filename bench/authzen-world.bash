# A VO whose policy service decides by 10 000 statements and 10 000 nodes, and an nginx beside it. Sourced.
# shellcheck shell=bash
#
#   world_start         in the folder $W; removed at the end of the script
#   ask_ours PATH BODY [ARGUMENT...], ask_peer [ARGUMENT...]   authzen-load against each; prints its JSON
#
# STATEMENTS and NODES say how many.

world_stop() {
	set +e
	[ -z "${NGINX:-}" ] || { kill "$NGINX" && wait "$NGINX"; } 2>/dev/null
	[ ! -d "$W/vo" ] || xos-server stop --dir "$W/vo" >/dev/null
	rm -rf "$W"
}

# Half of the statements are the VO's, half the site's; each names a group and a class of its own, but those that decide.
world_sets() {
	awk -v n="$((${STATEMENTS:-10000} / 2))" 'BEGIN {
		print "vo \"demo\" serial 1 {"
		print "permit group /demo action job.submit, job.show on any;"
		print "limit group /demo action job.submit on any { wall <= 24h; }"
		for (i = 3; i <= n; i++)
			printf "%s group /demo/g%d action job.submit on class:c%d;\n", i % 3 ? "permit" : "forbid", i % 997, i % 89
		print "}" }' >"$W/vo.xos"
	awk -v n="$((${STATEMENTS:-10000} / 2))" -v nodes="${NODES:-10000}" 'BEGIN {
		print "site \"lab\" serial 1 {"
		for (i = 1; i <= nodes; i++) printf "node n%d { class %s; }\n", i, i % 4 ? "compute" : "test"
		print "permit vo demo action job.submit, job.show on class:compute;"
		for (i = 2; i <= n; i++)
			printf "%s group /demo/g%d action job.submit on node:lab/n%d;\n", i % 3 ? "permit" : "forbid", i % 997, i
		print "}" }' >"$W/lab.xos"
}

world_vo() {
	local join
	export XOS_CONFIG=$W/config
	for name in admin alice; do head -c 15 /dev/urandom | base64 >"$W/$name.pw"; done
	xos-server init --dir "$W/vo" --vo demo --admin admin --password-stdin <"$W/admin.pw"
	xos-server start --dir "$W/vo"
	join=$(xos-server join-arguments --dir "$W/vo")
	# shellcheck disable=SC2086
	xos-login --join $join
	export XOS_TOKEN=$W/admin
	xos-login admin --role /demo/Role=admin --password-stdin <"$W/admin.pw"
	xos-vo member add alice --password-stdin <"$W/alice.pw"
	xos-policy site-key --out "$W/lab"
	xos-policy site add lab --key "$W/lab.pub"
	world_sets
	xos-policy push "$W/vo.xos"
	xos-policy sign --site-key "$W/lab.key" --out "$W/lab.jws" "$W/lab.xos"
	xos-policy push --site lab "$W/lab.jws"
	OURS=$(sed -n 's/^listen *= *//p' "$W/vo/vopsd/vopsd.conf")
}

# The peer serves from memory a body as long as one of our answers.
world_nginx() {
	local port=28443 body
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
	PEER=127.0.0.1:$port
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 \
		-keyout "$W/nginx.key" -out "$W/nginx.pem" 2>/dev/null
	body=$(head -c "$1" /dev/zero | tr '\0' x)
	mkdir -p "$W/tmp"
	cat >"$W/nginx.conf" <<EOF
daemon off; worker_processes ${WORKERS:-1}; pid $W/nginx.pid; error_log $W/nginx.log crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; default_type application/json;
 client_body_temp_path $W/tmp; proxy_temp_path $W/tmp; fastcgi_temp_path $W/tmp; uwsgi_temp_path $W/tmp; scgi_temp_path $W/tmp;
 server { listen $PEER ssl; ssl_protocols TLSv1.3; ssl_certificate $W/nginx.pem; ssl_certificate_key $W/nginx.key;
  location / { return 200 '$body'; } } }
EOF
	PATH=$PATH:/usr/sbin nginx -p "$W" -c "$W/nginx.conf" >/dev/null 2>&1 &
	NGINX=$!
	for ((i = 0; i < 100; i++)); do curl -sk "https://$PEER/" >/dev/null && return; sleep 0.1; done
	echo "bench: nginx does not answer" >&2 && return 1
}

ask_ours() {
	"$BUILD/bench/authzen-load" --to "$OURS" --path "$1" --body "$2" --cert "$W/vo/acctd/tls.pem" \
		--key "$W/vo/acctd/tls.key" "${@:3}"
}
ask_peer() { "$BUILD/bench/authzen-load" --to "$PEER" "$@"; }

# A question that is permitted, when the service has everything to decide by.
world_ready() {
	for ((i = 0; i < 300; i++)); do
		curl -sk --cert "$W/vo/acctd/tls.pem" --key "$W/vo/acctd/tls.key" -H 'Content-Type: application/json' \
			-d @"$W/one.json" "https://$OURS/access/v1/evaluation" | grep -q '"decision":true' && return
		sleep 0.1
	done
	echo "bench: the policy service does not permit what it should" >&2 && return 1
}

world_start() {
	W=$(mktemp -d "${TMPDIR:-/tmp}/xos-bench.XXXXXX")
	chmod 755 "$W"
	trap world_stop EXIT
	PATH=$BUILD/bin:$PATH
	world_vo >&2
	jq -nc '{subject: {type: "user", id: "demo:alice"}, action: {name: "job.submit"},
		resource: {type: "node", id: "lab/n1"}, context: {"job.wall": 3600}}' >"$W/one.json"
	world_ready
	# shellcheck disable=SC2046
	world_nginx "$(ask_ours /access/v1/evaluation "$W/one.json" --seconds 1 | jq .bytes)"
}
# questions N BODY: N items about different nodes in one request.
questions() {
	jq -nc --argjson n "$1" '{subject: {type: "user", id: "demo:alice"}, action: {name: "job.submit"},
		context: {"job.wall": 3600}, options: {detail: "brief"},
		evaluations: [range(1; $n + 1) | {resource: {type: "node", id: "lab/n\(.)"}}]}' >"$2"
}
