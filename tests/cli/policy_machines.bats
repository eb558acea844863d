#!/usr/bin/env bats
# xos-policy about nodes and services that act themselves. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	demo=(--set examples/policies/demo-vo.xos --set examples/policies/lab-site.xos)
	biomed=(--set examples/policies/biomed)
	t="$BATS_TEST_TMPDIR"
}

# The biomedical VO without any statement about machines.
people_only() {
	cp examples/policies/biomed/*.xos "$t"
	python3 - "$t/biomed-vo.xos" "$t/rennes-site.xos" <<-'X'
		import re, sys
		for path in sys.argv[1:]:
		    text = open(path).read()
		    less = re.sub(r"  (permit|forbid) @(replicas|programs|no-machines|lost-disk)\b[^;]*;\n", "", text)
		    assert less != text
		    open(path, "w").write(less)
	X
}

@test "sets that name no machine permit none, whatever they permit people" {
	people_only
	for who in node:demo:n1 service:demo:data/n1 node:demo:alice; do
		run "$bin" what-can "$who" "${demo[@]}"
		[ "$status" -eq 1 ]
		[ "$output" = nothing ]
	done
	for who in node:biomed:n1 service:biomed:data/n1 service:neuro:data/n1; do
		run "$bin" what-can "$who" --set "$t"
		[ "$status" -eq 1 ]
		[ "$output" = nothing ]
	done
	run "$bin" who-can file.read file:/atlas/1 --at rennes/front --set "$t" --all
	[[ $output != *nodes* && $output != *service* ]]
}

@test "naming machines changes nothing for people" {
	people_only
	run "$bin" diff --json "$t" examples/policies/biomed
	[ "$status" -eq 1 ]
	python3 - "$output" <<-'X'
		import json, sys
		changes = json.loads(sys.argv[1])["changes"]
		assert changes
		for c in changes:
		    assert c["change"].startswith("deny -> permit"), c
		    assert c["example"].startswith(("node:biomed:", "service:biomed:")), c
	X
}

@test "who-can and what-can: those that are named, and those that are not" {
	run "$bin" who-can file.read file:/atlas/1 --at rennes/front --all "${biomed[@]}" --now 2026-11-24T10:00:00Z
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ "services data of biomed"\ +if\ +"ip(ctx.src) in {131.254.0.0/16}" ]]
	[[ $output =~ "service:biomed:data/s2.lyon.example"\ +no ]]
	[[ $output =~ "services of biomed"\ +no ]]
	[[ $output =~ "nodes of biomed"\ +no ]]
	run "$bin" what-can "nodes of biomed" "${biomed[@]}"
	[ "$status" -eq 0 ]
	[[ $output =~ file.read\ +file:/shared/programs ]]
	[[ $output != *file.write* && $output != *patients* ]]
	run "$bin" what-can service:biomed:data/anything.example "${biomed[@]}"
	[[ $output =~ file.write\ +file:/atlas ]]
	run "$bin" who-can job.cancel job:1 --owner own --at rennes/n1 --all "${biomed[@]}"
	[[ $output != *nodes* && $output != *services* ]]
}

@test "explain and eval: in their own words, and only as well-formed names" {
	ask=("$bin" explain "${biomed[@]}" --action file.write --resource file:/atlas/1 --at rennes/front --attr ctx.src=131.254.1.1)
	run "${ask[@]}" --subject service:biomed:data/s1.example
	[ "$status" -eq 0 ]
	[[ $output == *"VO biomed (statement biomed@replicas) and the site rennes (statement rennes@replicas)"* ]]
	run "${ask[@]}" --subject service:biomed:data/s2.lyon.example
	[ "$status" -eq 1 ]
	[[ $output == *"The copy in Lyon was damaged"* ]]
	for who in service:biomed:data node:biomed: node:biomed:N1 service:Biomed:data/n1 service:biomed:data/n1/x; do
		run "${ask[@]}" --subject "$who"
		echo "$who: $output"
		[ "$status" -eq 2 ]
		[[ $output == *"service:VO:KIND/HOST"* ]]
	done
	# What a person may have makes the request malformed.
	run "${ask[@]}" --subject service:biomed:data/s1.example --group /biomed/research
	[ "$status" -eq 3 ]
	[[ $output == *"a node or service with groups"* ]]
	run "${ask[@]}" --subject node:biomed:n1 --auth-mfa yes
	[ "$status" -eq 3 ]
	cat >"$t/requests" <<-'X'
		{"subject":{"type":"service","id":"biomed:data/s1.example"},"action":{"name":"file.write"},"resource":{"type":"file","id":"/atlas/1","properties":{"site":"rennes","node":"front"}},"context":{"ctx.src":"131.254.1.1"}}
		{"subject":{"type":"node","id":"biomed:s1.example"},"action":{"name":"file.write"},"resource":{"type":"file","id":"/atlas/1","properties":{"site":"rennes","node":"front"}},"context":{"ctx.src":"131.254.1.1"}}
		{"subject":{"type":"user","id":"biomed:data/s1.example"},"action":{"name":"file.write"},"resource":{"type":"file","id":"/atlas/1"}}
	X
	run "$bin" eval --requests "$t/requests" "${biomed[@]}"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ ${lines[0]} == *'"decision":true'* ]]
	[[ ${lines[1]} == *'"decision":false'* ]]
	[[ ${lines[2]} == *"a user's id is <vo>:<member>"* ]]
}

@test "who-can: what people could say of their log-in or home is no condition for machines" {
	cat >"$t/vo.xos" <<-'X'
		vo "demo" serial 1 schema 2 {
		  permit home "uni.example", any action file.read on file:/a;
		  permit node *, service * action file.read on file:/a when home "uni.example" or auth.age < 1h;
		}
	X
	printf 'site "lab" serial 1 schema 2 {\n  permit vo demo, node demo:*, service demo:* action file.read;\n}\n' >"$t/site.xos"
	run "$bin" who-can file.read file:/a/b --at lab/n1 --all --set "$t/vo.xos" --set "$t/site.xos"
	echo "$output"
	[[ $output =~ "nodes of demo"\ +no ]]
	[[ $output =~ "services of demo"\ +no ]]
	[[ $output =~ "members of /demo"\ +yes ]]
	run "$bin" explain --set "$t/vo.xos" --set "$t/site.xos" --subject node:demo:n1 --action file.read --resource file:/a/b --at lab/n1
	[ "$status" -eq 3 ]
	[[ $output == *"nothing that this subject could say or wait for"* ]]
}
