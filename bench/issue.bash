# Tokens issued a second inside the key process, against a plain OpenSSL loop: see bench/README.md.
# shellcheck shell=bash
set -euo pipefail
: "${BUILD:?the build folder}"
"$BUILD/bench/bench-issue" --json | jq -c '{name: "issue", ours, peer, peer_name: "plain OpenSSL loop",
	unit: "certificates per CPU second", ratio: (.ours / .peer * 100 | round / 100)}'
