#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every engine gives the same tree of outputs and the same failures, whatever its workers, queue, batch, pools and
# split, and whatever delays come in between. The reference is engine serial.
#
#   equality.sh quick [ENGINE]...    a quarter of all settings: all combinations of any two of the five factors
#   equality.sh full [ENGINE]...     all of them
#   equality.sh killed               process workers are killed all the while; the tree is still the same
#   equality.sh compare A B          are two trees the same? Names what differs.
#
# Factors: workers 1 2 3 8, queue 1 2 64, batch 1 8, pools 1 3 (openmp: split items rows), stalls off on.
# FORKMILL and FORKMILL_GENERATE name the programs; without them, those of build/dev.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
forkmill=${FORKMILL:-$root/build/dev/forkmill}
generate=${FORKMILL_GENERATE:-$root/build/dev/datasets/forkmill-generate}

# A run that is repeated shall do everything again.
export FORKMILL_JOURNAL=false

# Names and contents of a tree in one number; a journal is none of its outputs.
tree_hash() {
  (cd "$1" && find . -type f ! -name '.forkmill-journal.*' -print0 | LC_ALL=C sort -z | xargs -0r sha256sum) | sha256sum | cut -c 1-16
}

compare() { # A B
  diff -rq -x '.forkmill-journal.*' "$1" "$2"
}

make_input() {
  "$generate" icons --count 40 in
  "$generate" alpha --count 4 --width 150 --height 110 in
  "$generate" palette --count 4 --width 150 --height 110 in
  "$generate" grey --count 4 --width 151 --height 113 in
  "$generate" deep --count 2 --width 300 --height 200 in
  "$generate" photo --count 2 --width 1200 --height 850 in
  "$generate" flat --count 3 --width 90 --height 40 --format pnm in
  "$generate" broken --count 9 --width 64 --height 48 in
}

# Runs the chain into ./out; its failures, sorted, go to ./failed. A run in which items failed ends with 1. Photographs
# become so large that they are worked on in bands; all else may be small.
run_chain() { # POOLS FLAG...
  local pools=$1 cut_a=() cut_b=() code=0
  shift
  if [ "$pools" -eq 3 ]; then
    cut_a=(-s pool:name=blur)
    cut_b=(-s pool:name=edges)
  fi
  rm -rf out
  "$forkmill" run -q -i in -o out "$@" \
    -s 'resize:width=150,height=110,fit=inside,when.glob=[!p]*/**' \
    -s resize:width=400,height=300,fit=inside,upscale=false "${cut_a[@]}" -s gaussblur:sigma=1.5 -s fail:rate=0.1 \
    "${cut_b[@]}" -s sharpen:sigma=0.8 2>log || code=$?
  sed -n 's/^  in/in/p' log | LC_ALL=C sort >failed
  if [ "$code" -ne 1 ] || grep -q Sanitizer log; then
    echo "exit code $code, not 1"
    cat log
    return 1
  fi
}

make_reference() {
  run_chain 1 --engine serial
  mv out reference
  mv failed reference.failed
  echo "serial: $(tree_hash reference), $(find reference -type f | wc -l) outputs, $(wc -l <reference.failed) failures"
}

differing=0 runs=0

# One setting; says what it is only when something is wrong.
try() { # ENGINE WORKERS QUEUE BATCH SHAPE STALLS
  local shape=(--split "$5") pools=1 ok=true
  case $5 in [13]) shape=() pools=$5 ;; esac
  runs=$((runs + 1))
  FORKMILL_STALLS=${6/on/$runs:200:300}
  export FORKMILL_STALLS=${FORKMILL_STALLS/off/}
  run_chain "$pools" --engine "$1" -w "$2" --queue "$3" --batch "$4" "${shape[@]}" >why || ok=false
  diff reference.failed failed >>why || ok=false
  compare reference out >>why || ok=false
  $ok && return
  differing=$((differing + 1))
  echo "engine $1, workers $2, queue $3, batch $4, pools or split $5, stalls '$FORKMILL_STALLS': not as serial"
  sed 's/^/    /' why
}

# Is this one of the settings of a quick run?
chosen() {
  [ $(((w + q + b + s + t) % 2)) -eq 0 ] && { [ "$engine" = serial ] || [ $(((w / 2 + q + b) % 2)) -eq 0 ]; }
}

matrix() { # quick|full ENGINE...
  local part=$1 engine w q b s t shapes workers
  local all_workers=(1 2 3 8) queues=(1 2 64) batches=(1 8) stalls=(off on)
  shift
  for engine in "$@"; do
    workers=("${all_workers[@]}") shapes=(1 3)
    case $engine in
      openmp) shapes=(items rows) ;;
      serial) workers=(1) shapes=(1) ;;
    esac
    for w in "${!workers[@]}"; do for q in "${!queues[@]}"; do for b in "${!batches[@]}"; do
      for s in "${!shapes[@]}"; do for t in "${!stalls[@]}"; do
        [ "$part" = full ] || chosen || continue
        try "$engine" "${workers[w]}" "${queues[q]}" "${batches[b]}" "${shapes[s]}" "${stalls[t]}"
      done; done
    done; done; done
  done
  echo "$runs runs, $differing different from serial"
  [ "$runs" -gt 0 ] && [ $differing -eq 0 ]
}

# Kills a worker of the run with process number $1 every few milliseconds, until the run has ended.
harass() {
  local server workers
  while kill -0 "$1" 2>/dev/null; do
    server='' workers=()
    { read -r server _ <"/proc/$1/task/$1/children"; } 2>/dev/null || true
    { [ -z "$server" ] || read -ra workers <"/proc/$server/task/$server/children"; } 2>/dev/null || true
    if [ ${#workers[@]} -gt 0 ]; then
      kill -9 "${workers[RANDOM % ${#workers[@]}]}" 2>/dev/null && echo killed >>kills
    fi
    sleep 0.0$((RANDOM % 7 + 3))
  done
}

# Long stalls, so that most deaths come at a marked place. The number of attempts shows in the failures of stage
# `fail`, so only the tree is compared.
killed() {
  local workers queue pools run main name
  name=$(basename "$forkmill" | cut -c 1-15)
  RANDOM=1
  for workers in 1 3; do for queue in 1 64; do for pools in 1 3; do
    runs=$((runs + 1))
    : >kills
    FORKMILL_STALLS=$runs:500:3000 run_chain "$pools" --engine process -w $workers --queue $queue --retries 100 &
    run=$!
    while [ -d /proc/$run ] && ! main=$(pgrep -P $run -x "$name"); do sleep 0.01; done
    harass "${main:-$run}"
    if ! wait $run || ! compare reference out; then
      differing=$((differing + 1))
      echo "workers $workers, queue $queue, pools $pools, after $(wc -l <kills) deaths: not as serial"
    fi
    cat kills >>all_kills
  done; done; done
  echo "$runs runs, $(wc -l <all_kills) workers killed, $differing different from serial"
  [ $differing -eq 0 ] && [ -s all_kills ]
}

mode=${1:-}
shift || true
case $mode in
  compare)
    compare "$@"
    exit
    ;;
  quick | full | killed) ;;
  *)
    sed -n '3,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make_input
unset FORKMILL_STALLS
make_reference
if [ "$mode" = killed ]; then
  killed
else
  [ $# -gt 0 ] || set -- serial thread process openmp
  matrix "$mode" "$@"
fi
