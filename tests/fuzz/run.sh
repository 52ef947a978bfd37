#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Looks for inputs that a parser does not survive, with libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   tests/fuzz/run.sh [SECONDS [TARGET...]]        default: 60 seconds for each target
#
# What is found stays in build/fuzz/found/TARGET, the inputs that reach new code in build/fuzz/corpus/TARGET, from where
# the next run goes on. Exit 1 when anything was found.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
[[ $seconds =~ ^[0-9]+$ ]] || {
  echo "Usage: tests/fuzz/run.sh [SECONDS [TARGET...]]" >&2
  exit 2
}

datasets/setup.sh build tests
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "${FORKMILL_BUILD_JOBS:-2}" >/dev/null
build=$PWD/build/fuzz
[ -d "$build/seeds" ] || tests/fuzz/seeds.sh "$build/forkmill" "$build/datasets/forkmill-generate" "$build/seeds"
[ $# -gt 0 ] || set -- png pnm jpeg webp arrays csv gzip config names

failed=()
for target in "$@"; do
  mkdir -p "$build/corpus/$target" "$build/found/$target"
  dictionary=tests/fuzz/$target.dict
  words=()
  [ ! -f "$dictionary" ] || words=("-dict=$dictionary")
  echo "== $target"
  # Leaks are looked for by the unit tests; here they would stop a run for what libraries keep.
  if ! ASAN_OPTIONS=detect_leaks=0 "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 \
    -max_len=65536 -print_final_stats=1 -artifact_prefix="$build/found/$target/" "${words[@]}" \
    "$build/corpus/$target" "$build/seeds/$target" 2>&1 | tail -n 400 >"$build/$target.log"; then
    failed+=("$target")
    grep -E 'ERROR|not so|SUMMARY|Test unit written' "$build/$target.log" || tail -n 20 "$build/$target.log"
  fi
  grep -E 'number_of_executed_units|new_units_added' "$build/$target.log" || true
done
[ ${#failed[@]} -eq 0 ] || {
  echo "found something: ${failed[*]}; see build/fuzz/found"
  exit 1
}
