#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two workers against one, on photographs of 1 MP and jobs from light to heavy. Reading and writing is done beside the
# workers: on two processors what one of three needs, two of four share. What the machine has to give is told, too: the
# same decoding, stage and encoding and nothing else, in two processes against one.
#
#   bench/scaling.sh [--save] [--quick] [--pairs N] [STAGE...]     one job of these stages, as after -s
#
# FORKMILL_BENCH_OUT names the directory that outputs go to, build/bench where it is not set.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pairs=5 count=100
flags "[--save] [--quick] [--pairs N] [STAGE...]" "$@"
jobs=("resize:scale=0.5" "resize:width=800,height=800,fit=inside sharpen:sigma=0.6" "gaussblur:sigma=2" "median:size=9"
  "spin:ms=20")
[ ${#rest[@]} -eq 0 ] || jobs=("${rest[*]}")
if [ "$quick" = yes ]; then
  pairs=1 count=4
fi

once() { # WORKERS STAGE...; prints seconds
  local workers=$1 out chain=()
  shift
  for stage in "$@"; do chain+=(-s "$stage"); done
  out=$(mktemp -d "$outs/XXXXXX")
  seconds "$forkmill" run -q -i "$work/photos-1mp-$count" -o "$out" -w "$workers" "${chain[@]}"
}

bare() { # STAGE PART OF: this part of the files in a process of its own
  awk -v part="$2" -v of="$3" 'NR % of == part' "$lines.list" | "$bench/forkmill-bench-bare" "$1" >/dev/null
}

bare_once() { # STAGE; prints what two processes are against one
  local one two start=$EPOCHREALTIME
  bare "$1" 0 1
  one=$EPOCHREALTIME
  bare "$1" 0 2 &
  bare "$1" 1 2
  wait
  two=$EPOCHREALTIME
  awk -v start="$start" -v one="$one" -v two="$two" 'BEGIN {print (one - start) / (two - one)}'
}

# A row of the table.
compare() { # STAGE...
  local pair one two machine=-
  once 1 "$@" >/dev/null # the files are in the page cache from here on
  once 2 "$@" >/dev/null
  rm -f "$lines" "$lines.bare"
  for ((pair = 0; pair < pairs; pair++)); do
    # The order alternates, so that a machine that grows slower favours neither.
    if ((pair % 2 == 0)); then
      one=$(once 1 "$@")
      two=$(once 2 "$@")
    else
      two=$(once 2 "$@")
      one=$(once 1 "$@")
    fi
    echo "$one $two" >>"$lines"
    [ $# -gt 1 ] || bare_once "$1" >>"$lines.bare"
  done
  [ $# -gt 1 ] || machine=$(median <"$lines.bare")
  for column in "\$1" "\$2" "\$1 / \$2"; do
    awk "{print $column}" "$lines" | median
  done | paste -sd ' ' | awk -v job="$*" -v n=$count -v machine="$machine" \
    '{printf "| `%s` | %.3f | %.3f | %.1f | %.3f | %.4s |\n", job, $1, $2, n / $2, $3, machine}'
  rm -rf "${outs:?}"/*
}

prepare
pictures "photos-1mp-$count" photo --count "$count" --width 1200 --height 833
outs=$(mktemp -d "${FORKMILL_BENCH_OUT:-$work}/scaling-out-XXXXXX")
lines=$outs.lines
trap 'rm -rf "$outs" "$lines" "$lines".*' EXIT
find "$work/photos-1mp-$count" -type f | sort >"$lines.list"
{
  echo "# Two workers against one"
  echo
  environment
  echo "- data: $count generated photographs of 1200 x 833, RGB, 8 bits"
  echo "- command: \`forkmill run -q -i IN -o OUT -w N -s STAGE...\`, outputs to $(stat -f -c %T "$outs")"
  echo "- $pairs interleaved pairs after one warm-up each; medians"
  echo
  echo "| stages | one worker, s | two workers, s | images/s | two, times as fast | kernels alone in two processes |"
  echo "|---|---|---|---|---|---|"
  for job in "${jobs[@]}"; do
    read -ra stages <<<"$job"
    compare "${stages[@]}"
  done
} | report scaling
