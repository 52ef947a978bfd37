#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What io: uring gains or costs in place of plain calls and threads: the same runs with both, in turns, on icons of half a
# kilobyte and on 1 MP photographs, once with all inputs in memory and once with none. The figures are medians over the
# rounds of the ratio of two runs of one round: one is no difference, less is a gain of io_uring.
#
#   bench/io.sh [--save] [--quick] [--rounds N]
#
# FORKMILL_BENCH_OUT names the directory that outputs go to, build/bench where it is not set; in memory (/dev/shm) they
# are not in the way of what is measured. What ext4 is asked to make just after it deleted much takes several times as
# long: outputs stay to the end of a row, but where they take up memory. Inputs are forgotten by
# /proc/sys/vm/drop_caches where that may be written, names and all; else file by file, which leaves names in memory.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=15
flags "[--save] [--quick] [--rounds N]" "$@"
icons=20000 photos=200
if [ "$quick" = yes ]; then rounds=1 icons=40 photos=2; fi

# Nothing of these files is in memory afterwards.
forget() { # DIRECTORY
  sync
  if [ -w /proc/sys/vm/drop_caches ] && { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null; then
    # The program itself is not what is measured.
    "$forkmill" --version >/dev/null
  else
    "$(system_python)" - "$1" <<'END'
import os, sys
for where, _, names in os.walk(sys.argv[1]):
    for name in names:
        descriptor = os.open(os.path.join(where, name), os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
END
  fi
}

# "WALL CPU" in seconds. What io_uring's kernel threads take counts as the process's own.
timed() { # OUT IO FORKMILL-ARGUMENTS...
  local TIMEFORMAT='%R %U %S' to=$1 io=$2
  shift 2
  { time "$forkmill" run -q --no-journal -o "$outputs/$to" -w 2 --io "$io" "$@" 2>"$work/log"; } 2>"$work/time" || {
    cat "$work/log" >&2
    return 1
  }
  if grep "io_uring" "$work/log" >&2; then return 1; fi
  awk '{print $1, $2 + $3}' "$work/time"
}

# A file WHAT.IO for each way, with a line "WALL CPU" for each round.
measure() { # WHAT warm|cold DIRECTORY FORKMILL-ARGUMENTS...
  local what=$1 cache=$2 from=$3 round io order=(threads uring)
  shift 3
  rm -f "$work/$what.threads" "$work/$what.uring"
  for ((round = 0; round <= rounds; round++)); do
    for io in "${order[@]}"; do
      if [ "$cache" = cold ]; then forget "$from"; fi
      timed "$round-$io" "$io" -i "$from" "$@" >"$work/line"
      # The first round only warms up.
      [ "$round" -eq 0 ] || cat "$work/line" >>"$work/$what.$io"
      if [ "$in_memory" = yes ]; then rm -rf "${outputs:?}/$round-$io"; fi
    done
    order=("${order[1]}" "${order[0]}")
  done
  rm -rf "${outputs:?}"
}

row() { # WHAT TITLE
  local column
  paste -d ' ' "$work/$1.threads" "$work/$1.uring" >"$work/pairs"
  for column in "\$1" "\$3" "\$3 / \$1" "\$2" "\$4" "\$4 / \$2"; do
    awk "{print $column}" "$work/pairs" | median
  done | paste -sd ' ' | awk -v title="$2" '{printf "| %s | %.3f | %.3f | **%.3f** | %.3f | %.3f | **%.3f** |\n", title, $1, $2, $3, $4, $5, $6}'
  awk '{print $3 / $1}' "$work/pairs" | sort -g | paste -sd ' ' | awk -v title="$2" '{printf "%s:", title; for (i = 1; i <= NF; i++) printf " %.2f", $i; print ""}' >>"$work/spread"
}

prepare
"$forkmill" doctor | grep -q '^  io_uring  *yes' || die "no io_uring here: $("$forkmill" doctor | sed -n 's/^  io_uring *//p')"
outputs=${FORKMILL_BENCH_OUT:-$work}/io-out
mkdir -p "$outputs"
in_memory=no
[ "$(stat -f -c %T "$outputs")" != tmpfs ] || in_memory=yes
pictures "icons-$icons" icons --count "$icons"
pictures "photos-1mp-$photos" photo --count "$photos" --width 1200 --height 833
: >"$work/spread"

{
  echo "# Reading by io_uring and by plain calls"
  echo
  environment
  echo "- liburing $(pkg-config --modversion liburing), inputs on $(stat -f -c %T "$work"), outputs on $(stat -f -c %T "$outputs")"
  echo "- $rounds rounds of two runs in turns, two workers, no journal; medians, ratios those of the runs of one round"
  echo
  echo "| inputs | threads, s | uring, s | ratio | threads, CPU s | uring, CPU s | ratio |"
  echo "|---|---|---|---|---|---|---|"
  for cache in warm cold; do
    measure io-icons $cache "$work/icons-$icons" -s resize:width=32,height=32,fit=inside
    row io-icons "$icons icons to 32 x 32, $cache"
    measure io-photos $cache "$work/photos-1mp-$photos" -s resize:scale=0.5
    row io-photos "$photos photographs of 1 MP to half, $cache"
  done
  echo
  echo "The ratios by the clock:"
  echo
  sed 's/^/- /' "$work/spread"
} | report io
