#!/usr/bin/env bash
# All tests, in two halves for two cores: those of the night mostly wait, so those of OCR are with them. Arguments: pytest.
set -uo pipefail
log=$(mktemp)
night=(tests/acceptance/test_night_*.py) others=(tests/unit)
for file in tests/integration/test_*.py tests/acceptance/test_*.py; do
  case "$file" in
    */test_night_*) ;;
    tests/integration/test_ocr_*) night+=("$file") ;;
    *) others+=("$file") ;;
  esac
done
"$1" "${others[@]}" > "$log" 2>&1 &
running=$!
trap 'kill "$running" 2> /dev/null; rm -f "$log"' EXIT
"$1" "${night[@]}"
night_failed=$?
wait "$running"
others_failed=$?
cat "$log"
exit $((night_failed || others_failed))
