# Around the failures that failure.bats makes. Sourced after authority.bash.
# shellcheck shell=bash

# Asks without a client certificate; the body.
ask() { curl -sS --max-time 20 --cacert "$AUTH/root/root.pem" "$URL$1" "${@:2}"; }
ready() { ask /health/ready; }
ready_says() { [[ $(ready) == *"$1"* ]]; }
metric() { ask /metrics | sed -n "s/^$1 //p"; }

# load_begin FILE OPTION...: many log-ins at once, the serials of what they got in FILE; load_end stops it. bench/login-load
load_begin() {
	"${BUILD:-$SOURCE/build/release}/bench/login-load" --url "$URL" --trust "$AUTH/load-trust" --vo demo \
		--serials "$1" "${@:2}" <<<load-secret >"$AUTH/load.out" 2>&1 3>&- &
	LOAD_PID=$!
}
load_end() {
	kill "$LOAD_PID" 2>/dev/null || true
	wait "$LOAD_PID" 2>/dev/null || true
}

# The configuration is read again; what the supervisor says about it.
reload() {
	local before
	before=$(grep -c 'event=config\.\(reloaded\|kept\)' "$AUTH/log" || true)
	kill -HUP "$AUTHORITY_PID"
	retry reloaded_since "$before"
	grep 'event=config\.\(reloaded\|kept\)' "$AUTH/log" | tail -n 1
}
reloaded_since() { [ "$(grep -c 'event=config\.\(reloaded\|kept\)' "$AUTH/log")" -gt "$1" ]; }

# What the log says was issued, one serial a line.
issued() { xos-cad log --config "$CONF" | sed -n 's/.*"serial":"\([0-9a-f]*\)".*"type":"issued".*/\1/p'; }

# Is every serial in FILE... in the log, and does the log check?
all_in_log() {
	issued >"$AUTH/issued" || return 1
	local lost
	lost=$(sort -u "$@" | comm -23 - <(sort -u "$AUTH/issued") | wc -l)
	[ "$lost" -eq 0 ] || { echo "$lost acknowledged tokens are not in the log"; return 1; } >&2
}

# Membership and log tell of the same acts.
acts_agree() {
	local db log
	db=$(sqlite3 "$AUTH/cad/auth/membership.db" 'SELECT id, verb FROM acts ORDER BY id')
	log=$(xos-cad log --config "$CONF" | sed -n 's/.*"act":\([0-9]*\),.*"verb":"\([a-z.]*\)".*"type":"act".*/\1|\2/p')
	[ "$db" = "$log" ]
}

# Lines that Prometheus would not take; nothing if all is well. Format 0.0.4.
metrics_lint() {
	awk '
	function bad(why) { print NR ": " why ": " $0 }
	/^# HELP / { if ($3 in help) bad("second HELP"); help[$3] = 1; next }
	/^# TYPE / {
		if ($3 in type) bad("second TYPE")
		if ($4 !~ /^(counter|gauge|summary)$/) bad("type")
		if (!($3 in help)) bad("TYPE before HELP")
		if ($4 == "counter" && $3 !~ /_total$/) bad("a counter ends in _total")
		if ($4 != "counter" && $3 ~ /_total$/) bad("only a counter ends in _total")
		type[$3] = $4; current = $3; next
	}
	/^#/ || /^$/ { bad("comment or empty line"); next }
	{
		if ($0 !~ /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="[^"\\]*"(,[a-zA-Z_][a-zA-Z0-9_]*="[^"\\]*")*\})? -?[0-9]+(\.[0-9]+)?$/) bad("syntax")
		name = $0; sub(/[{ ].*/, "", name)
		base = name; if (type[current] == "summary") sub(/_(sum|count)$/, "", base)
		if (base != current) bad("outside of its family")
		series = $0; sub(/ [^ ]*$/, "", series)
		if (series in seen) bad("second sample"); seen[series] = 1
		n++
	}
	END { if (n < 10) print "too few samples" }'
}
