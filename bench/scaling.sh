#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two workers against one, on 200 photographs of 1 MP.
#
#   bench/scaling.sh [--save] [--pairs N] [STAGE...]     stages as after -s; default: a resize and a sharpen
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pairs=7 count=200
flags "[--save] [--pairs N] [STAGE...]" "$@"
stages=("${rest[@]}")
[ ${#stages[@]} -gt 0 ] || stages=("resize:width=800,height=800,fit=inside" "sharpen:sigma=0.6")

chain=()
for stage in "${stages[@]}"; do
  chain+=(-s "$stage")
done

once() { # WORKERS; prints seconds
  runs=$(find "$work/scaling-out" -mindepth 1 -maxdepth 1 | wc -l)
  seconds "$forkmill" run -q -i "$work/photos-1mp" -o "$work/scaling-out/$runs" -w "$1" "${chain[@]}"
}

prepare
pictures photos-1mp photo --count $count --width 1200 --height 850
rm -rf "$work/scaling-out"
mkdir -p "$work/scaling-out"
trap 'rm -rf "$work/scaling-out"' EXIT
once 1 >/dev/null # the files are in the page cache from here on
once 2 >/dev/null

ones=() twos=() ratios=()
for ((pair = 0; pair < pairs; pair++)); do
  # The order alternates, so that a machine that grows slower favours neither.
  if ((pair % 2 == 0)); then
    one=$(once 1)
    two=$(once 2)
  else
    two=$(once 2)
    one=$(once 1)
  fi
  ones+=("$one")
  twos+=("$two")
  ratios+=("$(awk -v a="$one" -v b="$two" 'BEGIN {printf "%.3f", a / b}')")
done

one=$(printf '%s\n' "${ones[@]}" | median)
two=$(printf '%s\n' "${twos[@]}" | median)
{
  echo "# Two workers against one"
  echo
  environment
  echo "- data: $count generated photographs of 1200 x 850, RGB, 8 bits"
  echo "- command: \`forkmill run -q -i IN -o OUT -w N ${chain[*]}\`"
  echo "- $pairs interleaved pairs after one warm-up each; medians"
  echo
  echo "| workers | seconds | images/s |"
  echo "|---|---|---|"
  awk -v t="$one" -v n=$count 'BEGIN {printf "| 1 | %.3f | %.1f |\n", t, n / t}'
  awk -v t="$two" -v n=$count 'BEGIN {printf "| 2 | %.3f | %.1f |\n", t, n / t}'
  echo
  echo "Throughput of two workers over one: $(printf '%s\n' "${ratios[@]}" | median)" \
    "(median of the pairs' ratios; all: $(printf '%s\n' "${ratios[@]}" | sort -g | tr '\n' ' ' | sed 's/ $//'))."
} | report scaling
