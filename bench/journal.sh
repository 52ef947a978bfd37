#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the journal costs: the same runs with and without, in turns, on 3,000 icons and on 1 MP photographs. The figures
# are medians of the ratios of neighbours: one is no cost. Ends with what skipping a done item takes.
#
#   bench/journal.sh [--rounds N] [--save]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=15
flags "[--rounds N] [--save]" "$@"

# "WALL CPU" in seconds of a run into a fresh directory; it ends when the journal is closed.
timed() { # FORKMILL-ARGUMENTS...
  echo $(($(<"$work/journal-run") + 1)) >"$work/journal-run"
  again "$@"
}

again() { # FORKMILL-ARGUMENTS...
  local TIMEFORMAT='%R %U %S'
  { time "$forkmill" run -q -o "$work/journal-out/$(<"$work/journal-run")" -w 2 "$@" 2>"$work/log"; } 2>"$work/time" || {
    cat "$work/log" >&2
    return 1
  }
  awk '{print $1, $2 + $3}' "$work/time"
}

compare() { # NAME ITEMS FORKMILL-ARGUMENTS...
  local name=$1 items=$2 round off on
  shift 2
  : >"$work/journal-pairs"
  echo 0 >"$work/journal-run"
  for ((round = 0; round <= rounds; round++)); do
    # Each comes first half of the time; the first round only warms up.
    if [ $((round % 2)) -eq 0 ]; then
      off=$(timed --no-journal "$@")
      on=$(timed --journal "$@")
    else
      on=$(timed --journal "$@")
      off=$(timed --no-journal "$@")
    fi
    [ "$round" -eq 0 ] || echo "$off $on" >>"$work/journal-pairs"
  done
  awk '{print $3 / $1}' "$work/journal-pairs" | median >"$work/journal-wall"
  awk '{print $4 / $2}' "$work/journal-pairs" | median >"$work/journal-cpu"
  awk -v items="$items" '{print 1e6 * ($4 - $2) / items}' "$work/journal-pairs" | median >"$work/journal-each"
  timed --journal "$@" >"$work/time-done"
  again --journal "$@" >"$work/time-skipped"
  rm -rf "$work/journal-out"
  awk -v name="$name" -v items="$items" -v wall="$(<"$work/journal-wall")" -v cpu="$(<"$work/journal-cpu")" \
    -v each="$(<"$work/journal-each")" -v done_s="$(cut -d ' ' -f 1 "$work/time-done")" \
    '{printf "| %s | %.3f | %.3f | %.1f | %.2f | %.2f |\n", name, wall, cpu, each, done_s, $1}' "$work/time-skipped"
}

prepare
rm -rf "$work/journal-out"
pictures icons-3000 icons --count 3000
pictures photos-1mp photo --count 60 --width 1200 --height 833

{
  echo "# The journal: on against off"
  echo
  environment
  echo "- $rounds pairs of runs in turns, two workers; medians of the ratios of neighbours"
  echo
  echo "| inputs | wall, on / off | CPU, on / off | CPU, us per item | all done, s | all skipped, s |"
  echo "|---|---|---|---|---|---|"
  compare "3,000 icons to 32 x 32" 3000 -i "$work/icons-3000" -s resize:width=32,height=32,fit=inside
  compare "60 photographs of 1 MP to half" 60 -i "$work/photos-1mp" -s resize:scale=0.5
} | report journal
