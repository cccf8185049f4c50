#!/usr/bin/env bash
# All tests, in groups of files of which three run at a time: on two cores, as those of the night mostly wait. Each
# group has a broker of its own and prints what it has to say when it ends. Arguments: pytest.
set -uo pipefail
unset MAKEFLAGS MAKELEVEL # tests call make
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null; rm -rf "$logs"' EXIT

deal() { # GROUPS FILE...: the files in so many lines, in turn
  local count=$1 lines=() i=0
  shift
  for file in "$@"; do
    lines[i % count]+="$file "
    ((++i))
  done
  printf '%s\n' "${lines[@]}"
}

run() { # NUMBER FILE...
  local log=$logs/$1 code
  shift
  echo "tests: $1$( (($# > 1)) && echo " and $(($# - 1)) files more") ..."
  "$pytest" "$@" > "$log" 2>&1
  code=$?
  cat "$log"
  return $code
}

others=()
for file in tests/integration/test_*.py tests/acceptance/test_*.py; do
  [[ $file == */test_night_* ]] || others+=("$file")
done
export pytest=$1 logs
export -f run
{ # the longest first
  echo 'tests/unit/[n-z]*/ tests/unit/test_*.py'
  deal 3 "${others[@]}"
  deal 3 tests/acceptance/test_night_*.py
  echo 'tests/unit/[a-m]*/'
} | cat -n | tr '\t' ' ' | xargs -P 3 -I{} bash -c 'run {}'
