#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The most memory that all processes and the shared memory take together: on photographs of 24 MP, PNG and JPEG, which the
# budget bounds, also where that is too small for one of them as a whole; and from 100 to 10,000 icons, over which it must not grow.
#
#   bench/memory.sh [--save]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

flags "[--save]" "$@"

budget_mib=512
small_mib=128
jpeg_mib=64
slack_mib=64

peak() { # FORKMILL-ARGUMENTS...; prints "TOTAL_MIB SHARED_MIB SAMPLES SECONDS"
  rm -rf "$work/memory-out"
  python3 bench/peak.py -- "$forkmill" run -q -o "$work/memory-out" -w 2 "$@" 2>"$work/log" |
    awk '{printf "%.1f %.1f %d %s\n", $1 / 1048576, $2 / 1048576, $3, $4}' || {
    cat "$work/log" >&2
    return 1
  }
}

row() { # NAME "TOTAL SHARED SAMPLES SECONDS"
  local total shared samples elapsed
  read -r total shared samples elapsed <<<"$2"
  echo "| $1 | $total | $shared | $samples | $elapsed |"
}

within() { # PEAK_MIB LIMIT_MIB
  awk -v peak="$1" -v limit="$2" 'BEGIN {exit !(peak <= limit)}' ||
    die "The photographs took more than the budget and $slack_mib MiB."
}

prepare
pictures photos-24mp photo --count 12 --width 6000 --height 4000
pictures icons-100 icons --count 100
pictures icons-10000 icons --count 10000

budget=(--set "memory=${budget_mib}MiB")
photos=$(peak -i "$work/photos-24mp" "${budget[@]}" -s resize:width=2000,height=2000,fit=inside)
streamed=$(peak -i "$work/photos-24mp" --set "memory=${small_mib}MiB" --save-compression fastest -s gaussblur:sigma=2)
# As a camera would have them: made once from the same pictures.
[ -d "$work/photos-24mp-jpeg" ] || {
  "$forkmill" run -q -i "$work/photos-24mp" -o "$work/photos-24mp-jpeg.part" --save-format jpeg --save-quality 92
  mv "$work/photos-24mp-jpeg.part" "$work/photos-24mp-jpeg"
}
jpeg=(-i "$work/photos-24mp-jpeg" --set "memory=${jpeg_mib}MiB")
jpeg_small=$(peak "${jpeg[@]}" -s resize:width=2000,height=2000,fit=inside)
jpeg_blurred=$(peak "${jpeg[@]}" -s gaussblur:sigma=2)
# The sleep makes a hundred icons last for some samples.
icons=(-s "resize:width=32,height=32,fit=inside" -s sleep:ms=4)
few=$(peak -i "$work/icons-100" "${budget[@]}" "${icons[@]}")
many=$(peak -i "$work/icons-10000" "${budget[@]}" "${icons[@]}")
limit_mib=$((budget_mib + slack_mib))
small_limit_mib=$((small_mib + slack_mib))
jpeg_limit_mib=$((jpeg_mib + slack_mib))

{
  echo "# Memory of all processes and the shared memory together"
  echo
  environment
  echo "- \`memory: ${budget_mib}MiB\`, two workers, unless a row says otherwise; sampled every 20 ms by bench/peak.py, which says what is counted"
  echo
  echo "| run | peak MiB | of it shared MiB | samples | seconds |"
  echo "|---|---|---|---|---|"
  row "12 photographs of 24 MP, resized to 2000" "$photos"
  row "the same, blurred, \`compression: fastest\`, \`memory: ${small_mib}MiB\`" "$streamed"
  row "12 JPEG of 24 MP, resized to 2000, \`memory: ${jpeg_mib}MiB\`" "$jpeg_small"
  row "the same, blurred" "$jpeg_blurred"
  row "100 icons, resized to 32, 4 ms of sleep each" "$few"
  row "10,000 icons, the same" "$many"
  echo
  echo "Photographs: ${photos%% *} MiB, allowed are $limit_mib; ${streamed%% *} MiB, allowed are $small_limit_mib;" \
    "JPEG: ${jpeg_small%% *} and ${jpeg_blurred%% *} MiB, allowed are $jpeg_limit_mib." \
    "Growth from 100 to 10,000 inputs:" \
    "$(awk -v a="${few%% *}" -v b="${many%% *}" 'BEGIN {printf "%.1f MiB, ratio %.2f", b - a, b / a}')."
} | report memory
within "${photos%% *}" $limit_mib
within "${streamed%% *}" $small_limit_mib
within "${jpeg_small%% *}" $jpeg_limit_mib
within "${jpeg_blurred%% *}" $jpeg_limit_mib
