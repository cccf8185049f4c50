#!/usr/bin/env bash
# All tests, for two cores: those of units next to those on real servers, then those of whole processes, which need quiet.
# Arguments: pytest.
set -uo pipefail
units_log=$(mktemp)
"$1" tests/unit > "$units_log" 2>&1 &
units=$!
trap 'kill "$units" 2> /dev/null; rm -f "$units_log"' EXIT
"$1" tests/integration
servers=$?
wait "$units"
units_failed=$?
cat "$units_log"
"$1" tests/acceptance
processes=$?
exit $((units_failed || servers || processes))
