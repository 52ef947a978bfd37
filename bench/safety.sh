#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What safety costs: the same runs with all of it and without the journal, the sandbox, supervision, and all three, in
# turns, on icons and on 1 MP photographs. Without supervision the workers are forked processes that nobody watches
# (unsupervised.c). What they cost in place of threads is told, too. The figures are medians over the rounds of the
# ratio of two runs of one round: one is no cost. Ends with what skipping a done item takes. A machine whose speed comes
# and goes needs short runs, so that those which are compared are near each other, and many rounds of them.
#
#   bench/safety.sh [--rounds N] [--icons N] [--photos N] [--generated] [--save]
#
# The icons are those of Debian's packages that peers.sh takes, too, and as many generated ones of 500 bytes, which are
# about the smallest there are. --generated leaves the former out, which have to be fetched.
#
# FORKMILL_BENCH_OUT names the directory that outputs go to, build/bench where it is not set. What ext4 is asked to make
# just after it deleted much takes several times as long: outputs stay to the end, but where they take up memory.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=31 icons=20000 photos=300 generated=no
flags "[--rounds N] [--icons N] [--photos N] [--generated] [--save]" "$@"

# "WALL CPU" in seconds of a run, which ends when the journal is closed.
timed() { # OUT PROGRAM FORKMILL-ARGUMENTS...
  local TIMEFORMAT='%R %U %S' to=$1 program=$2
  shift 2
  { time "$program" run -q -o "$outputs/$to" -w 2 "$@" 2>"$work/log"; } 2>"$work/time" || {
    cat "$work/log" >&2
    return 1
  }
  awk '{print $1, $2 + $3}' "$work/time"
}

# A variant is named after what it lacks.
command_of() { # VARIANT
  case $1 in
    nothing) echo "$forkmill" --journal ;;
    journal) echo "$forkmill" --no-journal ;;
    sandbox) echo "$forkmill" --journal --sandbox off ;;
    supervision) echo "$unsupervised" --journal --sandbox off ;;
    all) echo "$unsupervised" --no-journal --sandbox off ;;
    processes) echo "$forkmill" --no-journal --sandbox off --engine thread ;;
  esac
}

# A file WHAT.VARIANT for each variant, with a line "WALL CPU" for each round.
measure() { # WHAT FORKMILL-ARGUMENTS...
  local what=$1 round variant order=(nothing journal sandbox supervision all processes) own
  shift
  rm -f "$work/$what".*
  for ((round = 0; round <= rounds; round++)); do
    for variant in "${order[@]}"; do
      read -ra own <<<"$(command_of "$variant")"
      timed "$round-$variant" "${own[@]}" "$@" >"$work/line"
      # The first round only warms up.
      [ "$round" -eq 0 ] || cat "$work/line" >>"$work/$what.$variant"
      if [ "$in_memory" = yes ] && [ "$round-$variant" != "$rounds-nothing" ]; then rm -rf "$outputs/$round-$variant"; fi
    done
    # Nobody is always first.
    order=("${order[@]:1}" "${order[0]}")
  done
  timed "$rounds-nothing" "$forkmill" --journal "$@" >"$work/$what.skipped"
  rm -rf "${outputs:?}"
}

line() { # NAME WHAT ITEMS TITLE WITH WITHOUT
  local column
  paste -d ' ' "$work/$2.$5" "$work/$2.$6" >"$work/pairs"
  for column in "\$1 / \$3" "\$2 / \$4" "1e6 * (\$2 - \$4) / $3"; do
    awk "{print $column}" "$work/pairs" | median
  done | paste -sd ' ' | awk -v name="$1" -v title="$4" \
    '{printf "| %s | %s | %.3f | %.3f | %.1f |\n", name, title, $1, $2, $3}'
}

compare() { # NAME WHAT ITEMS
  line "$@" "the journal" nothing journal
  line "$@" "the sandbox" nothing sandbox
  line "$@" "supervision" sandbox supervision
  line "$@" "**all three**" nothing all
  line "$@" "processes in place of threads" all processes
}

skipping() { # NAME WHAT
  awk -v name="$1" -v done_s="$(cut -d ' ' -f 1 "$work/$2.nothing" | median)" \
    '{printf "| %s | %.2f | %.2f |\n", name, done_s, $1}' "$work/$2.skipped"
}

prepare
unsupervised=$bench/forkmill-bench-unsupervised
outputs=${FORKMILL_BENCH_OUT:-$work}/safety-out
rm -rf "$outputs"
mkdir -p "$outputs"
in_memory=no
[ "$(stat -f -c %T "$outputs")" != tmpfs ] || in_memory=yes
pictures "icons-$icons" icons --count "$icons"
pictures "photos-1mp-$photos" photo --count "$photos" --width 1200 --height 833

{
  echo "# What safety costs"
  echo
  environment
  echo "- $rounds rounds of six runs in turns, two workers; medians of the ratios within a round"
  echo
  if [ "$generated" = no ]; then
    real=$(datasets/fetch.sh icons)
    files=$(find "$real" -type f -name '*.png' | wc -l)
    measure real -i "$real" --include '*.png' -s resize:width=32,height=32,fit=inside
  fi
  measure icons -i "$work/icons-$icons" -s resize:width=32,height=32,fit=inside
  measure photos -i "$work/photos-1mp-$photos" -s resize:scale=0.5
  echo "| inputs | a run with, against one without | wall | CPU | CPU, us per item |"
  echo "|---|---|---|---|---|"
  [ "$generated" = yes ] || compare "$files icons of packages to 32 x 32" real "$files"
  compare "$icons icons to 32 x 32" icons "$icons"
  compare "$photos photographs of 1 MP to half" photos "$photos"
  echo
  echo "| inputs | all done, s | all skipped by the same command again, s |"
  echo "|---|---|---|"
  [ "$generated" = yes ] || skipping "$files icons of packages" real
  skipping "$icons icons" icons
  skipping "$photos photographs of 1 MP" photos
} | report safety
