#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The textbook's claims about threads, processes, oversubscription and chunks, run again with forkmill's engines,
# a table for each. About five minutes.
#
#   bench/run.sh [--save] [--quick] [--rounds N] [--only cpu|io|images|workers|chunks|python]...
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

save=no rounds=3 quick=no options=()
while [ $# -gt 0 ]; do
  case $1 in
    --save) save=yes ;;
    --quick)
      quick=yes
      options+=(--quick)
      ;;
    --rounds)
      rounds=${2:?--rounds takes a number}
      shift
      ;;
    --only)
      options+=(--only "${2:?--only takes a name}")
      shift
      ;;
    *) die "Usage: bench/run.sh [--save] [--quick] [--rounds N] [--only NAME]..." ;;
  esac
  shift
done

# Real pictures where datasets/fetch.sh has fetched them, and else generated ones.
source_of() { # NAME KIND GENERATOR-ARGUMENTS...
  if [ $quick = no ] && [ -d "datasets/cache/$1" ]; then
    echo "datasets/cache/$1"
  else
    pictures "run-$1-$quick" "${@:2}"
    echo "$work/run-$1-$quick"
  fi
}

prepare
python=$(system_python)
many=3000 some=64 slow=100
if [ $quick = yes ]; then
  many=16 some=8 slow=8
fi
pictures "run-tiny-$quick" photo --count $some --width 8 --height 8
pictures "run-slow-$quick" photo --count $slow --width 8 --height 8
pictures "run-many-$quick" icons --count $many
icons=$(source_of icons icons --count $((many / 2)))
art=$(source_of art alpha --count $((some / 2)) --width 1200 --height 900)

{
  echo "# The textbook's claims, run again"
  echo
  environment
  echo "- Python: $("$python" --version | cut -d ' ' -f 2), start method fork"
  echo "- icons: \`$icons\`, art: \`$art\`; the others generated"
  if [ $quick = yes ]; then
    echo "- a quick run: it shows that everything works, and its figures mean nothing"
  else
    echo "- $rounds interleaved rounds after one warm-up; medians; speed-up: of the group's first row over this one"
  fi
  echo
  "$python" bench/workloads.py "${options[@]}" --rounds "$rounds" --forkmill "$forkmill" --bench "$bench" \
    --work "$work" --data "tiny=$work/run-tiny-$quick" --data "slow=$work/run-slow-$quick" \
    --data "many=$work/run-many-$quick" --data "icons=$icons" --data "art=$art"
} | report "run-$(nproc)-cores"
