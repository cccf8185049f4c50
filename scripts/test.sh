#!/usr/bin/env bash
# All tests, in two halves for two cores: those of the night mostly wait. Arguments: pytest.
set -uo pipefail
log=$(mktemp)
"$1" tests/unit tests/integration tests/acceptance --ignore-glob='*/acceptance/test_night_*' > "$log" 2>&1 &
others=$!
trap 'kill "$others" 2> /dev/null; rm -f "$log"' EXIT
"$1" tests/acceptance/test_night_*.py
night=$?
wait "$others"
others_failed=$?
cat "$log"
exit $((night || others_failed))
