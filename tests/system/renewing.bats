#!/usr/bin/env bats
# Credentials of jobs that outlive what they began with: renewed by the authority under the member's grant.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/vo.bash"

setup_file() {
	vo_make
	start_node n1
	export NODE=$V/n1
	# From here on a certificate that the authority makes lives for a minute, the shortest that it makes.
	sed -i '/^lifetime/d; /^\[token\]/d' "$V/vo/cad/cad.conf"
	printf '[token]\nlifetime = 60s\n' >>"$V/vo/cad/cad.conf"
	kill -HUP "$(pid_of cad)"
	JOBS=https://$(sed -n 's/^listen = //p' "$NODE/jobd.conf")/v1/vo/demo/jobs
	export JOBS
}

teardown_file() {
	xos-jobd end --config "$NODE/jobd.conf" # what a case that failed left running
	vo_remove
}

pid_of() { awk '{print $1}' "$V/vo/run/xos-$1.pid"; }

job() { as alice xos-job "$@"; }
show() { job show "$1" --json; }
# says JOB EXPRESSION: of what show says
says() { show "$1" | jq -e "$2" >/dev/null; }
logs_have() { job logs "$1" | grep -q "$2"; }

# A job that looks at its credential all the time: says each new one, "bad" when one has ended, and "outlived" once the first
# one's end is past; ends when told.
# shellcheck disable=SC2016
watcher='
end_of() { date -d "$(openssl x509 -in "$X509_USER_PROXY" -noout -enddate | cut -d= -f2)" +%s; }
first=$(end_of) last= told=
while [ ! -e "$HOME/go" ]; do
	now=$(date +%s) this=$(openssl x509 -in "$X509_USER_PROXY" -noout -serial) end=$(end_of)
	[ "$this" = "$last" ] || echo "has $this"
	last=$this
	[ "$end" -gt "$now" ] || echo bad
	[ -n "$told" ] || [ "$now" -le "$first" ] || { echo outlived; told=1; }
	sleep 0.2
done
openssl verify -ignore_critical -CAfile "$XOS_CONFIG/demo/root.pem" -untrusted "$X509_USER_PROXY" "$X509_USER_PROXY" >/dev/null && echo verified
xos-token show --json; stat -c "%a" "$X509_USER_PROXY"'

go() { # ends a watcher
	touch "$NODE/jobd/work/$1/go"
	job wait "$1"
}

# api METHOD PATH [DATA]: body and, last, the HTTP status
# shellcheck disable=SC2016
api() {
	as "${WHO:-alice}" bash -c 'curl -sS --cert "$XOS_TOKEN" --cacert "$V/vo/root/root.pem" -X "$1" -w "\n%{http_code}" \
		${3+-H "Content-Type: application/json" --data-binary "$3"} "$JOBS$2"' - "$@"
}

answers() { # STATUS CODE METHOD PATH [DATA]
	run api "${@:3}"
	echo "$output"
	[ "${lines[-1]}" = "$1" ]
	[ "$(jq -r .code <<<"${lines[-2]}")" = "$2" ]
}

restart_node() { # as after a crash: nothing had time to tidy up
	local name pid
	for name in credd jobd; do
		pid=$(awk '{print $1}' "$NODE/run/xos-$name.pid")
		kill -9 "$pid"
		retry bash -c "! kill -0 $pid 2>/dev/null"
	done
	xos-node start --dir "$NODE"
}

@test "a job outlives its delegation, another is told that its grant was revoked; kill -9 of credd and jobd meanwhile" {
	local id revoked
	id=$(job submit --lifetime 15s --renew 1h -- sh -c "$watcher")
	revoked=$(job submit --lifetime 15s --renew 1h -- sleep 600)
	retry says "$id" '.renew_state == "renewing" and .renews_until'
	[[ "$(as alice xps)" == *"renews until "* ]]
	retry as alice xos-grant revoke "$revoked"
	restart_node
	# Told before the credential ends.
	retry says "$revoked" '.renew_state == "refused" and .renew_failing_since'
	says "$revoked" '(.credential_until | fromdate) > now and (.renew_text | contains("revoked"))'
	retry logs_have "$id" outlived
	says "$id" '.renew_state == "renewing" and (.credential_until | fromdate) > (.started | fromdate) + 30'
	run -0 go "$id"
	run -0 job logs "$id"
	echo "$output"
	[[ "$output" != *bad* && "$output" == *verified* ]]
	[ "$(grep -c '^has ' <<<"$output")" -ge 2 ]
	[ "$(tail -n 1 <<<"$output")" = 600 ]
	# The member, as it was delegated: job, node, restriction.
	sed -n '/^{/,/^}/p' <<<"$output" | jq -e '.delegation | length == 1 and .[0].actor == "job" and .[0].node == "n1" and (.[0].restriction | contains("file.read"))'
	# It runs on without; nothing but a new submission changes that.
	says "$revoked" '.renew_state == "refused" and .state == "running"'
	[[ "$(as alice xps)" =~ "not renewed any more since "|"ended " ]]
	[[ "$(job show "$revoked")" == *renewal*revoked* ]]
	run -1 job extend "$revoked" --for 2h
	job cancel "$revoked"
}

@test "the authority away: told, tried again, and caught up with; credd restarted meanwhile" {
	local id pid
	pid=$(pid_of cad)
	kill -9 "$pid"
	id=$(job submit --lifetime 6s --renew 1h -- sh -c "$watcher")
	retry says "$id" '.renew_state == "failing" and .renew_text == "authority not reached" and .renew_failing_since'
	[[ "$(job show "$id")" == *"renewal failing since "*" (authority not reached), token ends "* ]]
	xos-credd status --config "$NODE/credd.conf" | jq -e '.renewals.failing >= 1 and (.renewals.last_error | contains("cannot reach"))'
	[[ "$(xos-node status --dir "$NODE")" == *" failing, "*"failing since "*"cannot reach"* ]]
	restart_node
	says "$id" '.state == "running"'
	xos-server start --dir "$V/vo"
	retry says "$id" '.renew_state == "renewing" and .renew_failing_since == null'
	retry logs_have "$id" outlived
	retry bash -c "[ \$(XOS_TOKEN=$V/alice xos-job logs $id | grep -c '^has ') -ge 2 ]"
	run -0 go "$id"
	run -0 job logs "$id"
	[[ "$output" == *verified* ]]
}

@test "without a grant, and who cannot give one" {
	local id
	id=$(job submit --no-renew -- sleep 600)
	says "$id" '.renew_state == "none" and .renews_until == null'
	run -1 job extend "$id" --for 1d
	[[ "$output" == *"without a grant"* ]]
	job cancel "$id"
	run -2 job submit --renew 1h --no-renew -- true
	run -2 job extend "$id"
	run -2 job extend "$id" --until noon
	# A robot's token is restricted: it gives none, and says so before anything is submitted.
	echo 'delegation by user "nightly" { check action in {job.submit, job.show}; }' >"$BATS_TEST_TMPDIR/r.xos"
	head -c 15 /dev/urandom | base64 >"$V/nightly.pw"
	as admin xos-vo member add nightly --robot --owner alice --restriction "$BATS_TEST_TMPDIR/r.xos" --password-stdin <"$V/nightly.pw"
	as nightly xos-login nightly --lifetime 10m --password-stdin <"$V/nightly.pw"
	run -1 as nightly xos-job submit --renew 1h -- true
	[[ "$output" == *"never gives a grant"* ]]
}

@test "a node that renews nothing says so, and runs the job" {
	sed -i '/^ca = /d' "$NODE/credd.conf"
	restart_node
	run -0 --separate-stderr job submit --renew 2d -- sleep 600
	# shellcheck disable=SC2154
	[[ "$stderr" == *"note: node n1 does not renew credentials: "* ]]
	says "$output" '.state == "running" and .renew_state == "none" and (.renew_text | contains("does not renew"))'
	job cancel "$output"
	[ "$(xos-credd status --config "$NODE/credd.conf" | jq .renewals)" = null ]
	echo "ca = $CA" >>"$NODE/credd.conf"
	restart_node
}

@test "extended by the member, and by nobody else" {
	local id other end grant
	id=$(job submit --renew 2d -- sleep 600)
	other=$(job submit --renew 2d -- sleep 600)
	retry says "$id" '.renew_state == "renewing"'
	end=$(show "$id" | jq -r .renews_until)
	run -0 job extend "$id" --for 3d
	[[ "$output" == "credential renews until "* ]]
	retry says "$id" ".renews_until > \"$end\""
	run -1 job extend "$id" --for 1d
	# Another job's grant, a tampered one, none, one under another chain.
	grant=$(api GET "/$other/grant" | head -n 1)
	answers 403 grant-job PUT "/$id/grant" "$grant"
	answers 403 signature PUT "/$id/grant" "$(jq -c '.grant |= (.[0:-8] + "AAAAAAAA")' <<<"$grant")"
	answers 400 json-field PUT "/$id/grant" '{}'
	# Beside a delegation: not what signed that.
	run api POST "" '{"nonce":"AAAAAAAAAAAAAAAAAAAAAA==","argv":["true"]}'
	answers 400 grant-chain PUT "/$(jq -r .id <<<"${lines[0]}")/credential" "$(jq -c '{chain: .chain, grant: .}' <<<"$grant")"
	WHO="admin" answers 403 job-not-yours GET "/$id/grant"
	WHO="admin" answers 403 job-not-yours PUT "/$id/grant" "$grant"
	job cancel "$id"
	job cancel "$other"
}
