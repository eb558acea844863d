#!/usr/bin/env bats
# xos-policy who-can, what-can, stats: the policies asked about everybody and everything. BUILD is the build folder.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	bin="${BUILD:-build/release}/bin/xos-policy"
	demo=(--set examples/policies/demo-vo.xos --set examples/policies/lab-site.xos)
	biomed=(--set examples/policies/biomed)
	t="$BATS_TEST_TMPDIR"
}

@test "the cases of the biomedical VO pass and reach every statement" {
	run "$bin" test --require-coverage examples/policies/biomed
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ ([0-9]+)\ of\ ([0-9]+)\ statements\ reached ]]
	[ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]
	[ "${BASH_REMATCH[2]}" -ge 50 ]
}

@test "a statement that no case reaches is found in the biomedical VO, too" {
	cp examples/policies/biomed/* "$t"
	sed -i 's/^vo "biomed".*/&\n  permit @forgotten group \/biomed\/auditors action node.drain on any;/' "$t/biomed-vo.xos"
	run "$bin" test --require-coverage "$t"
	[ "$status" -eq 1 ]
	[[ $output == *"not reached: $t/biomed-vo.xos:"*"biomed@forgotten"* ]]
}

@test "who-can: yes, on conditions, or not listed" {
	run "$bin" who-can job.submit node:lab/n1 "${demo[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *"members of /demo/physics  yes"* ]]
	[[ $output != *"/demo/students"* ]]
	run "$bin" who-can job.submit node:lab/n1 --all "${demo[@]}"
	[[ $output =~ members\ of\ /demo/students\ +no ]]
	run "$bin" who-can file.read file:/patients/1 --at hospital/data "${biomed[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *'if      auth.age < 2h and auth.method in {"krb5", "saml"} and auth.mfa and home "chu.example" and ip(ctx.src) in {131.254.0.0/16, 2001:660:7301::/48}'* ]]
	[ "${#lines[@]}" -eq 2 ]
}

@test "who-can: at a time that is named, times are no conditions" {
	run "$bin" who-can job.submit node:rennes/n1 "${biomed[@]}" --now 2026-11-24T10:00:00Z
	[ "$status" -eq 0 ]
	[[ $output != *" in mon-fri"* && $output != *"date in"* ]]
	[[ $output =~ members\ of\ /biomed/students\ +yes ]]
	run "$bin" who-can job.submit node:rennes/n1 "${biomed[@]}" --now 2026-12-25T10:00:00Z
	[ "$status" -eq 1 ]
	[ "$output" = nobody ]
}

@test "who-can: owners, and another VO's group" {
	run "$bin" who-can file.read file:/scratch/alice/figures/1 --owner biomed:alice --at rennes/n1 "${biomed[@]}"
	[ "$status" -eq 0 ]
	[[ $output =~ members\ of\ /neuro/imaging\ +if\ +now\ \>=\ 2027-01-15 ]]
	[[ $output =~ members\ of\ /biomed/research\ +yes ]]
	[[ $output != *"students"* ]]
	run "$bin" who-can job.cancel job:9 --owner own --at lab/n1 "${demo[@]}"
	[[ $output =~ members\ of\ /demo/students\ +yes ]]
	run "$bin" who-can job.cancel job:9 --owner demo:zoe --at lab/n1 "${demo[@]}"
	[ "$status" -eq 1 ]
}

@test "who-can: people of a file, with the roles that they hold" {
	printf 'subject anna\n  is biomed:anna\n  groups /biomed/research\n  held /biomed/Role=gpu\nsubject otto\n  is biomed:otto\n  groups /biomed/research\n' > "$t/people"
	run "$bin" who-can job.submit node:rennes/g1 "${biomed[@]}" --principals "$t/people" --now 2026-11-24T10:00:00Z
	[ "$status" -eq 0 ]
	[[ $output =~ anna\ +if\ +role\ /biomed/Role=gpu ]]
	[[ $output != *otto* ]]
	printf 'subject anna\n  groups /biomed/research\n' > "$t/people"
	run "$bin" who-can job.submit node:rennes/g1 "${biomed[@]}" --principals "$t/people"
	[ "$status" -eq 1 ]
	[[ $output == *"$t/people:2:"* ]]
}

@test "what-can: a group, a member with groups and roles, nothing" {
	run "$bin" what-can /demo/physics "${demo[@]}"
	[ "$status" -eq 0 ]
	[[ $output =~ job.submit\ +node\ +lab/n1\ +yes ]]
	run "$bin" what-can demo:zoe "${demo[@]}"
	[ "$status" -eq 0 ]
	[[ $output != *job.submit* && $output == *token.issue* ]]
	run "$bin" what-can demo:zoe --group /demo/physics "${demo[@]}"
	[[ $output == *job.submit* ]]
	run "$bin" what-can other:zoe "${demo[@]}"
	[ "$status" -eq 1 ]
	[ "$output" = nothing ]
	run "$bin" what-can /biomed/students "${biomed[@]}"
	[[ $output =~ job.submit\ +node\ +rennes/g1\ +if\ +not\ date\ in ]]
}

@test "who-can: a VO grants by the home of its own members only" {
	printf 'vo "bio" serial 1 { permit any action any; }\n' > "$t/bio.xos"
	printf 'vo "demo" serial 1 { permit home "uni.example" action file.read; }\n' > "$t/demo.xos"
	printf 'site "lab" serial 1 { node n1 { class compute; } permit any action any; }\n' > "$t/lab.xos"
	run "$bin" who-can file.read file:/data/x --of demo --at lab/n1 --set "$t"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ members\ of\ /demo\ +if\ +home\ \"uni.example\" ]]
	[[ $output != *"/bio"* ]]
}

@test "what-can: a VO, as resources are written and by its name" {
	printf 'vo "bio" serial 1 { permit any action any; }\n' > "$t/bio.xos"
	printf 'site "lab" serial 1 { node n1 { class compute; } permit any action any; }\n' > "$t/lab.xos"
	"$bin" what-can /bio --set "$t" > "$t/group"
	for word in vo:bio bio; do
		run "$bin" what-can "$word" --set "$t"
		echo "$word: $output"
		[ "$status" -eq 0 ]
		[ "$output" = "$(cat "$t/group")" ]
		[[ $output =~ job.submit\ +node\ +lab/n1\ +yes ]]
	done
	# A VO that no set speaks of has no short name; the member bio of a VO that is called vo is no VO.
	run "$bin" what-can unheard --set "$t"
	[ "$status" -eq 2 ]
	printf 'vo "vo" serial 1 { permit user bio action token.issue; }\n' > "$t/vo.xos"
	run "$bin" what-can vo:bio --set "$t"
	[ "${#lines[@]}" -eq 2 ]
}

@test "answers as JSON" {
	"$bin" who-can job.submit node:rennes/g1 "${biomed[@]}" --json > "$t/who"
	"$bin" what-can /demo/physics "${demo[@]}" --json > "$t/what"
	"$bin" stats examples/policies/biomed --json > "$t/stats"
	run python3 - "$t" <<-'PY'
		import json, sys
		who, what, stats = (json.load(open(sys.argv[1] + "/" + n)) for n in ("who", "what", "stats"))
		assert any(a["principal"] == "members of /biomed/students/ml-course" and a["answer"] == "if" and "role" not in a["if"] for a in who["answers"])
		assert any(a["action"] == "job.submit" and a["at"] == "lab/n1" and a["answer"] == "yes" for a in what["answers"])
		assert stats["statements"] >= 50 and stats["worst_statements"] >= 1 and stats["bytes"] > 1000
		assert {s["level"] for s in stats["sets"]} == {"vo", "group", "site", "node", "owner", "delegation"}
	PY
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "stats: statements, bytes, the worst decision" {
	run "$bin" stats examples/policies/demo-vo.xos examples/policies/lab-site.xos
	[ "$status" -eq 0 ]
	[[ $output =~ vo\ demo\ +7\ +4\ +1\ +2 ]]
	[[ $output == *"worst decision:"*"statements"*"looked at"* ]]
}

@test "questions that are none: exit 2; files that are none: exit 1" {
	for words in "job.sumbit node:lab/n1" "job.submit n1" "job.submit" "job.show job:1 --owner alice"; do
		run "$bin" who-can $words "${demo[@]}"
		echo "$words: $output"
		[ "$status" -eq 2 ]
	done
	run "$bin" who-can job.submit node:lab/n1
	[ "$status" -eq 2 ]
	run "$bin" what-can 'b!d' "${demo[@]}"
	[ "$status" -eq 2 ]
	run "$bin" what-can /demo/physics --set "$t/none"
	[ "$status" -eq 1 ]
	run "$bin" stats "$t"
	[ "$status" -eq 1 ]
}

@test "explain takes an attribute that a set adds to the schema" {
	cat >"$t/vo.xos" <<-'X'
		vo "demo" serial 1 schema 2 {
		  permit any action job.submit;
		}
	X
	cat >"$t/site.xos" <<-'X'
		site "lab" serial 1 schema 2 {
		  schema { attribute demo.licences number optional for job.submit; }
		  permit vo demo action job.submit when has demo.licences and demo.licences <= 3;
		}
	X
	ask=("$bin" explain --set "$t/vo.xos" --set "$t/site.xos" --subject demo:bob --action job.submit
		--resource node:lab/n1)
	run "${ask[@]}" --attr demo.licences=3
	[ "$status" -eq 0 ]
	run "${ask[@]}" --attr demo.licences=4
	[ "$status" -eq 1 ]
	run "${ask[@]}" --attr demo.licences=4h
	[ "$status" -eq 1 ]
	[[ $output == *"not a number"* ]]
	run "${ask[@]}" --attr demo.licence=4
	[ "$status" -eq 1 ]
	[[ $output == *"not an attribute"* ]]
}
