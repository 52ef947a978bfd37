#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a run costs beside its codecs and kernels: the CPU time of all its processes, with journal and sandbox, against that
# of the same decoding, stage and encoding in two processes side by side that do nothing else, in turns. (Side by side,
# since two cores that work share caches, memory and often more: alone, each would be faster.) What reading and writing
# the same files costs these two, by the fewest calls there are, is told apart: no run can do without.
#
#   bench/overhead.sh [--save] [--quick] [--rounds N]
#
# FORKMILL_BENCH_OUT names the directory that outputs go to, build/bench where it is not set.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=5
flags "[--save] [--quick] [--rounds N]" "$@"
jobs=(- grayscale resize:scale=0.5 gaussblur:sigma=2)

# "CPU BYTES": seconds of all processes, and how long the outputs are.
run_whole() { # CORPUS STAGE
  local TIMEFORMAT='%U %S' stage=()
  [ "$2" = - ] || stage=(-s "$2")
  rm -rf "$outputs"
  { time "$forkmill" run -q --journal -o "$outputs" -w 2 -i "$work/$1" "${stage[@]}" 2>"$work/log"; } 2>"$work/time" || {
    cat "$work/log" >&2
    return 1
  }
  echo "$(awk '{print $1 + $2}' "$work/time") $(find "$outputs" -name '*.png' -printf '%s\n' | awk '{n += $1} END {print n}')"
}

run_bare() { # CORPUS STAGE
  local half
  find "$work/$1" -type f | sort >"$work/overhead.list"
  for half in 0 1; do
    awk -v half=$half 'NR % 2 == half' "$work/overhead.list" |
      "$bench/forkmill-bench-bare" "$2" "$outputs.bare/$half" >"$work/overhead.half$half" &
  done
  wait
  cat "$work"/overhead.half? | awk '{cpu += $2; bytes += $3; files += $4; n++} END {if (n == 2) print cpu, bytes, files}'
}

# A line of the table.
compare() { # TITLE CORPUS STAGE
  local round items
  rm -f "$work/overhead.bare" "$work/overhead.whole"
  for ((round = 0; round < rounds; round++)); do
    if ((round % 2)); then
      run_bare "$2" "$3" >>"$work/overhead.bare"
      run_whole "$2" "$3" >>"$work/overhead.whole"
    else
      run_whole "$2" "$3" >>"$work/overhead.whole"
      run_bare "$2" "$3" >>"$work/overhead.bare"
    fi
  done
  cut -d ' ' -f 2 "$work/overhead.bare" "$work/overhead.whole" | sort -u | wc -l | grep -qx 1 ||
    die "overhead.sh: $1, $3: not the same outputs"
  items=$(find "$work/$2" -type f | wc -l)
  paste -d ' ' "$work/overhead.whole" "$work/overhead.bare" >"$work/overhead.pairs"
  for column in "\$3" "\$5" "\$1" "\$1 / \$3" "\$1 / (\$3 + \$5)" "1e6 * (\$1 - \$3) / $items" \
    "1e6 * (\$1 - \$3 - \$5) / $items"; do
    awk "{print $column}" "$work/overhead.pairs" | median
  done | paste -sd ' ' | awk -v title="$1" -v job="${3/#-/encoded anew}" \
    '{printf "| %s | %s | %.2f | %.2f | %.2f | %.3f | %.3f | %.0f | %.0f |\n", title, job, $1, $2, $3, $4, $5, $6, $7}'
}

prepare
outputs=${FORKMILL_BENCH_OUT:-$work}/overhead-out
mkdir -p "$outputs.bare"/{0,1}
trap 'rm -rf "$outputs" "$outputs.bare"' EXIT
icons=3000 photos=200 large=6
if [ "$quick" = yes ]; then
  rounds=1 icons=30 photos=2 large=0
fi
pictures "icons-$icons" icons --count "$icons"
pictures "photos-1mp-$photos" photo --count "$photos" --width 1200 --height 833
[ "$large" = 0 ] || pictures "photos-24mp-$large" photo --count "$large" --width 6000 --height 4000
{
  echo "# A run beside its kernels alone"
  echo
  environment
  echo "- outputs to $(stat -f -c %T "$outputs.bare"); $rounds rounds in turns; medians of CPU time, and of the ratios and"
  echo "  differences within a round"
  echo
  echo "| inputs | job | kernels, s | files, s | whole run, s | to kernels | to both | beside kernels, us an item | beside both |"
  echo "|---|---|---|---|---|---|---|---|---|"
  for job in "${jobs[@]}"; do compare "$icons icons" "icons-$icons" "$job"; done
  for job in "${jobs[@]}"; do compare "$photos photographs of 1 MP" "photos-1mp-$photos" "$job"; done
  [ "$large" = 0 ] || for job in "${jobs[@]}"; do compare "$large photographs of 24 MP" "photos-24mp-$large" "$job"; done
} | report overhead
