# Counting what passed and failed, whoever ran it. Sourced by scripts/test.
# shellcheck shell=bash

PASSED=0
FAILED=0
FAILURES=()

results_open() { # FOLDER: where outputs are kept until the end
	RESULTS=$(mktemp -d "$1/xos-test.XXXXXX")
	export RESULTS
}

passed() { PASSED=$((PASSED + ${1:-1})); }

failed() { # NAME
	FAILED=$((FAILED + 1))
	FAILURES+=("$1")
	printf 'FAILED  %s\n' "$1"
}

result() { # NAME COMMAND...: one test that is a command; its output shows when it fails
	local name=$1 log="$RESULTS/${1//\//_}.log"
	shift
	if "$@" >"$log" 2>&1; then
		passed
		printf 'ok      %s\n' "$name"
	else
		failed "$name"
		sed 's/^/        /' "$log" | tail -n 80
		return 1
	fi
}

results_ctest() { # LABEL FILE: what ctest printed
	local line name
	local total=0
	while read -r line; do
		case "$line" in
		*Test*\#*Passed*) passed && total=$((total + 1)) ;;
		*Test*\#*'***'*)
			name=$(sed -E 's/.*Test +#[0-9]+: ([^ ]+).*/\1/' <<<"$line")
			failed "$1/$name"
			total=$((total + 1))
			;;
		esac
	done < <(grep -E 'Test +#' "$2")
	if [ "$total" -eq 0 ]; then
		failed "$1/ctest ran nothing"
		tail -n 20 "$2"
	fi
	grep -q '\*\*\*' "$2" && grep -v -E '^ +Start |Passed' "$2" | tail -n 120
	printf 'ok      %s: %d tests run\n' "$1" "$total"
}

results_tap() { # LABEL FILE: what bats printed
	local total=0 line
	while read -r line; do
		total=$((total + 1))
		case "$line" in
		'ok '*) passed ;;
		*) failed "$1: ${line#not ok }" ;;
		esac
	done < <(grep -E '^(not )?ok ' "$2")
	if [ "$total" -eq 0 ] || grep -q '^not ok' "$2"; then
		cat "$2"
		[ "$total" -gt 0 ] || failed "$1 ran nothing"
	else
		printf 'ok      %s: %d tests run\n' "$1" "$total"
	fi
}

results_close() { # prints the line that counts; exit status 0 only if nothing failed and something ran
	[ ${#FAILURES[@]} -eq 0 ] || printf 'failed: %s\n' "${FAILURES[@]}"
	[ "$FAILED" -gt 0 ] || rm -rf "$RESULTS"
	printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}
