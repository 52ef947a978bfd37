#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How fast PNG is decoded and encoded on one core, and how large it becomes, for each word of save.compression, beside
# libpng with its own settings and with those of OpenCV and vips.
#
#   bench/codec.sh [--save] [--quick] [--rounds N] [--most-mp N] [FILE...]
#
# Without files: the photographs that datasets/fetch.sh brings, every fifth of its drawings, and every twentieth of its
# icons.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=5 most_mp=2
flags "[--save] [--quick] [--rounds N] [--most-mp N] [FILE...]" "$@"
files=("${rest[@]}")
if [ "$quick" = yes ]; then
  rounds=1 most_mp=0.05
fi

prepare

# Every Nth of a corpus, one name a line. The mosaics among the photographs show middles of the others once more.
every() { # N CORPUS
  find "$(datasets/fetch.sh "$2")" -name '*.png' ! -name 'mosaic-*' | LC_ALL=C sort | awk -v n="$1" 'NR % n == 0'
}

measure() { # reads names
  local names
  mapfile -t names
  "$bench/forkmill-bench-codec" --rounds "$rounds" --most-mp "$most_mp" "${names[@]}"
}

{
  echo "# PNG on one core"
  echo
  environment
  "$bench/forkmill-bench-codec" --libraries
  echo "- up to $most_mp MP of each file from its middle, in memory; $rounds rounds of all rows, every other one backwards;"
  echo "  medians of each file's CPU time, summed"
  echo "- size: of the parts of libpng's default, the mean over the files"
  echo
  if [ ${#files[@]} -gt 0 ]; then
    printf '%s\n' "${files[@]}" | measure
  else
    printf '## Photographs\n\n'
    every 1 photos | measure
    printf '\n## Drawings\n\n'
    every 5 art | measure
    printf '\n## Icons\n\n'
    every 20 icons | measure
  fi
} | report codec
