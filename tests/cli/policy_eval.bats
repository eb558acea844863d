#!/usr/bin/env bats
# xos-policy eval and check on many files: streams of requests. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	sets=(--set examples/policies/demo-vo.xos --set examples/policies/lab-site.xos)
	t="$BATS_TEST_TMPDIR"
	alice='{"subject":{"type":"user","id":"demo:alice","properties":{"groups":["/demo/physics"]}},"action":{"name":"job.submit"},"resource":{"type":"node","id":"lab/n1"}}'
	bob='{"subject":{"type":"user","id":"demo:bob","properties":{"groups":["/demo/students"]}},"action":{"name":"job.submit"},"resource":{"type":"node","id":"lab/n1"}}'
}

evaluate() { run "$bin" eval "${sets[@]}" --requests "$1"; }

@test "one answer a line, in order; exit 1 when one is refused" {
	printf '%s\n%s\n%s\n' "$alice" "$bob" "$alice" > "$t/r"
	evaluate "$t/r"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == *'"decision":true'* ]]
	[[ ${lines[1]} == *'"decision":false'* && ${lines[1]} == *"batch queue"* ]]
	[[ ${lines[2]} == *'"decision":true'* ]]
	printf '%s\n' "$alice" > "$t/r"
	evaluate "$t/r"
	[ "$status" -eq 0 ]
}

@test "each answer is one JSON document" {
	printf '%s\n%s\n{\n' "$alice" "$bob" > "$t/r"
	"$bin" eval "${sets[@]}" --requests "$t/r" > "$t/out" || true
	python3 -c 'import json,sys; [json.loads(l) for l in open(sys.argv[1])]' "$t/out"
}

@test "malformed lines are answered with their number, the others still decided; exit 3" {
	printf '%s\n\n{"subject":\n%s\n' "$alice" "$alice" > "$t/r"
	printf '{"subject":{"type":"user","id":"demo:bob","properties":{"gruops":[]}},"action":{"name":"job.submit"},"resource":{"type":"node","id":"lab/n1"}}\n' >> "$t/r"
	printf '[1]\n"text"\n{"subject":"x"}\n' >> "$t/r"
	evaluate "$t/r"
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 7 ]
	[[ ${lines[1]} == *'"line":3'* && ${lines[1]} == *'"error"'* ]]
	[[ ${lines[2]} == *'"decision":true'* ]]
	[[ ${lines[3]} == *'"line":5'* && ${lines[3]} == *"gruops"* ]]
	[[ ${lines[4]} == *'"line":6'* ]]
	[[ ${lines[5]} == *'"line":7'* ]]
	[[ ${lines[6]} == *'"line":8'* ]]
}

@test "properties and the time are taken; those of wrong types are not" {
	local set="$t/vo.xos"
	printf 'vo "demo" serial 1 {\n permit any action token.issue on any when auth.mfa and auth.age < 2h and now < 2026-12-01T00:00Z;\n}\n' > "$set"
	sets=(--set "$set")
	local head='{"subject":{"type":"user","id":"demo:a","properties":{"auth_mfa":true,"auth_age":' tail='},"action":{"name":"token.issue"},"resource":{"type":"vo","id":"demo"}'
	printf '%s\n' "${head}60}$tail,\"context\":{\"now\":\"2026-11-30T00:00:00Z\"}}" "${head}7200}$tail,\"context\":{\"now\":\"2026-11-30T00:00:00Z\"}}" \
		"${head}60}$tail,\"context\":{\"now\":\"2026-12-01T00:00:00Z\"}}" "${head}-1}$tail}" "${head}\"1h\"}$tail}" \
		"${head}60}$tail,\"context\":{\"now\":7}}" > "$t/r"
	evaluate "$t/r"
	[[ ${lines[0]} == *'"decision":true'* ]]
	[[ ${lines[1]} == *'"decision":false'* && ${lines[1]} == *'"undecided":false'* ]]
	[[ ${lines[2]} == *'"decision":false'* ]]
	for i in 3 4 5; do
		[[ ${lines[i]} == *'"error"'* ]]
	done
}

@test "what a VO added to the schema is asked about by its own names" {
	sets=(--set examples/policies/biomed)
	local head='{"subject":{"type":"user","id":"biomed:alice","properties":{"groups":["/biomed/research"]}},"action":{"name":"biomed.annotate"},'
	local set='"resource":{"type":"biomed.dataset","id":"brains","properties":{"vo":"biomed"}},"context":{"biomed.consent":'
	printf '%s%s%s}}\n' "$head" "$set" true "$head" "$set" false "$head" "$set" '"yes"' "$head" "$set" 'true,"biomed.other":1' > "$t/r"
	printf '%s"resource":{"type":"biomed.nothing","id":"x"}}\n' "$head" >> "$t/r"
	evaluate "$t/r"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ ${lines[0]} == *'"decision":true'* ]]
	[[ ${lines[1]} == *'"decision":false'* ]]
	[[ ${lines[2]} == *'"line":3'*'"error"'* || ${lines[2]} == *'"error"'*'"line":3'* ]]
	[[ ${lines[3]} == *'"error"'* ]]
	[[ ${lines[4]} != *'"decision":true'* ]]
}

@test "a line of 10 MB and binary lines cost one error each" {
	{
		head -c 10000000 /dev/zero | tr '\0' x
		echo
		head -c 1000 /dev/urandom | tr '\n' x
		echo
		printf 'a\0b\n'
		printf '%s' "$alice"
	} > "$t/r"
	evaluate "$t/r"
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[0]} == *"longer than 524288 bytes"* ]]
	[[ ${lines[3]} == *'"decision":true'* ]]
}

@test "memory does not grow with the number of requests" {
	[[ ${BUILD:-} != *san ]] || skip "a sanitizer keeps what was freed"
	for i in 1 2 3 4 5 6 7 8; do printf '%s\n%s\n' "$alice" "$bob"; done > "$t/few"
	for i in $(seq 500); do cat "$t/few"; done > "$t/many"
	cat > "$t/peak" <<'PEAK'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PEAK
	few=$(python3 "$t/peak" "$bin" eval "${sets[@]}" --requests "$t/few")
	many=$(python3 "$t/peak" "$bin" eval "${sets[@]}" --requests "$t/many")
	echo "$few $many kB"
	[ "$many" -le $((few + 1024)) ]
}

@test "files that cannot be read, and usage" {
	evaluate "$t/none"
	[ "$status" -eq 1 ]
	[[ $output == *"$t/none"* ]]
	evaluate "$t"
	[ "$status" -eq 3 ]
	run "$bin" eval "${sets[@]}"
	[ "$status" -eq 2 ]
	run "$bin" eval --requests "$t/r"
	[ "$status" -eq 2 ]
	printf '%s\n' "$alice" > "$t/r"
	run "$bin" eval "${sets[@]}" --requests "$t/r" --now yesterday
	[ "$status" -eq 2 ]
	run bash -c "'$bin' eval ${sets[*]} --requests - < '$t/r'"
	[ "$status" -eq 0 ]
}

@test "check takes folders, and tells two sets of one name" {
	mkdir -p "$t/p/q"
	cp examples/policies/*.xos "$t/p/q"
	ln -s .. "$t/p/q/loop"
	run timeout 10 "$bin" check "$t/p"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	cp examples/policies/demo-vo.xos "$t/p/again.xos"
	run "$bin" check "$t/p"
	[ "$status" -eq 1 ]
	[[ $output == *"$t/p/again.xos and $t/p/q/demo-vo.xos are both the set of the vo demo"* ]]
	run "$bin" check --json "$t/p"
	[ "$status" -eq 1 ]
	[[ $output == *'"together"'* ]]
}

@test "check warns of what only shows together; that is no error" {
	printf 'site "lab" serial 1 schema 2 {\n  node n1;\n  permit vo demo action job.submit;\n}\n' > "$t/site.xos"
	printf 'node "lab/n2" serial 1 schema 2 {\n  permit vo demo action job.submit;\n}\n' > "$t/node.xos"
	run "$bin" check "$t/site.xos" "$t/node.xos"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"warning: $t/node.xos: the site lab does not declare the node n2"* ]]
	[[ $output == *"warning:"*"[not-delegated]"* ]]
	run "$bin" check --json "$t/site.xos" "$t/node.xos"
	[ "$status" -eq 0 ]
	[[ $output == *'"warnings": ['*not-delegated* ]]
	run "$bin" check "$t/node.xos"
	[[ $output != *warning* ]]
}

@test "hostile policies: binary, huge, deep, a folder without any, a device" {
	head -c 3000 /dev/urandom > "$t/noise.xos"
	head -c 1500000 /dev/zero | tr '\0' ' ' > "$t/large.xos"
	{ printf 'vo "demo" serial 1 { permit any action job.submit on any when '; head -c 20000 /dev/zero | tr '\0' '('; } > "$t/deep.xos"
	printf 'vo "demo\0" serial 1 {}' > "$t/nul.xos"
	for f in noise large deep nul; do
		run timeout 10 "$bin" check "$t/$f.xos"
		echo "$f $status: ${output:0:300}"
		[ "$status" -ge 1 ]
		[ "$status" -le 3 ]
		[[ $output == *"$f.xos"* ]]
	done
	mkdir "$t/empty"
	run "$bin" check "$t/empty"
	[ "$status" -eq 1 ]
	run "$bin" check /dev/null
	[ "$status" -eq 1 ]
}
