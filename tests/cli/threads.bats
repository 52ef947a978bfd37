#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whole runs with everything that threads of the main process do at once, for ThreadSanitizer to watch: queues,
# failures, successors, deaths, and stops of every kind, with stalls. Elsewhere the same runs are tests of what
# comes out. Not here: engine openmp, as the OpenMP runtime of gcc synchronises in ways that ThreadSanitizer does
# not see, and reports follow that mean nothing; tests/cli/equality.bats covers it.
# ctest labels: threads stalls plain long

bats_require_minimum_version 1.5.0

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  "$FORKMILL_GENERATE" icons --count 48 in
  "$FORKMILL_GENERATE" alpha --count 4 --width 150 --height 110 in
  "$FORKMILL_GENERATE" deep --count 3 --width 200 --height 150 in
  "$FORKMILL_GENERATE" palette --count 4 --width 150 --height 110 in
  "$FORKMILL_GENERATE" photo --count 1 --width 600 --height 400 in
  "$FORKMILL_GENERATE" broken --count 9 --width 64 --height 48 in
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
}

# Runs over the input, or what $in names, and fails unless the exit code is CODE and no sanitizer spoke, in a worker either.
works() { # CODE SEED FLAG...
  local wanted=$1 seed=$2 code=0
  shift 2
  # ThreadSanitizer leaves less address space than the default memory reserves for many slots.
  FORKMILL_MEMORY=256MiB FORKMILL_STALLS=$seed:300:400 "$FORKMILL" run --json -i "${in:-$BATS_FILE_TMPDIR/in}" -o "out$seed" "$@" \
    >"json$seed" 2>err || code=$?
  if [ $code -ne "$wanted" ] || grep -q Sanitizer err; then
    echo "exit code $code, not $wanted: $*"
    cat err
    return 1
  fi
}

# A number of the report.
number() { # SEED JQ-PATH
  "$FORKMILL_PYTHON" -c 'import functools, json, sys
print(functools.reduce(lambda a, k: a[int(k) if k.isdigit() else k], sys.argv[2].split("."), json.load(open(sys.argv[1]))))' \
    "json$1" "$2"
}

# Small: what is watched is who comes when, and not the arithmetic.
# shellcheck disable=SC2054
cuts=(-s resize:width=60,height=60,fit=inside -s pool:name=b -s gaussblur:sigma=1 -s pool:name=c -s sharpen)

@test "items that fail, in every engine that has threads, workers and queues of several sizes" {
  works 1 1 --engine serial "${cuts[@]}" -s fail:rate=0.2
  seed=2
  for engine in thread process; do
    for shape in "-w 1 --queue 1" "-w 3 --queue 1 --batch 1" "-w 8 --queue 64"; do
      # shellcheck disable=SC2086
      works 1 $seed --engine $engine $shape "${cuts[@]}" -s fail:rate=0.2
      diff -r out1 out$seed
      seed=$((seed + 1))
    done
  done
  [ "$(number 1 items.found)" -eq 69 ]
  [ "$(number 1 items.done)" -eq "$(find out1 -type f | wc -l)" ]
  [ "$(number 1 items.failed)" -gt 9 ]
}

@test "large files that are read while they are decoded, some of them damaged" {
  "$FORKMILL_GENERATE" photo --count 3 --width 1500 --height 1100 large
  local file=large/photo/000/photo-000001.png
  [ "$(stat -c %s $file)" -gt 2200000 ]
  printf x | dd of=$file bs=1 seek=1500000 conv=notrunc status=none
  in=large works 1 1 --engine serial -s resize:scale=0.1
  in=large works 1 2 --engine thread -w 2 -s resize:scale=0.1
  in=large works 1 3 --engine process -w 2 -s fail:kind=kill,rate=0.5,attempts=1 -s resize:scale=0.1
  diff -r out1 out2
  diff -r out1 out3
}

@test "successors of workers that retire after a few items" {
  works 1 1 --engine serial "${cuts[@]}"
  works 1 2 --engine thread -w 3 --recycle 3 --queue 2 "${cuts[@]}"
  works 1 3 --engine process -w 3 --recycle 3 --queue 2 "${cuts[@]}"
  diff -r out1 out2
  diff -r out1 out3
  [ "$(number 2 recycled)" -gt 20 ]
  [ "$(number 3 recycled)" -gt 20 ]
}

@test "little memory: the reader waits for room" {
  works 1 1 --engine thread -w 3 --memory 3MiB "${cuts[@]}"
  works 1 2 --engine process -w 3 --memory 3MiB "${cuts[@]}"
  diff -r out1 out2
}

@test "workers that die or hang, and items that are tried again" {
  works 1 1 --engine process -w 3 --queue 2 -s fail:kind=kill,rate=0.3,attempts=1 "${cuts[@]}"
  [ "$(number 1 items.failed)" -eq 9 ]
  [ "$(number 1 deaths)" -ge 10 ]
  works 1 2 --engine process -w 3 --timeout 300ms --retries 0 -s fail:kind=hang,rate=0.04 "${cuts[@]}"
  [ "$(number 2 deaths)" -ge 1 ]
}

@test "a run that stops because of its failures" {
  for engine in thread process; do
    works 4 1 --engine $engine -w 3 --max-failures 5 "${cuts[@]}" -s fail:rate=0.5
  done
}

@test "a run that is interrupted, at several moments" {
  seed=1
  for engine in thread process serial; do
    for delay in 0.15 0.4; do
      works 130 $seed --engine $engine -w 3 --queue 2 -s sleep:ms=60 "${cuts[@]}" &
      job=$!
      main=
      while [ -z "$main" ]; do main=$(pgrep -P $job -f -- "-o out$seed" | head -1) || true; done
      while [ ! -d out$seed ]; do sleep 0.01; done
      sleep $delay
      kill -INT "$main"
      wait $job
      # What is there is whole.
      find out$seed -name '*.png' -exec pngcheck -q {} +
      seed=$((seed + 1))
    done
  done
}
