#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How fast PNG is decoded and encoded on one core, and how large it becomes, for each word of save.compression, beside
# libpng with its own settings and with those of OpenCV and vips.
#
#   bench/codec.sh [--save] [--quick] [--rounds N] [--most-mp N] [FILE...]
#
# Without files: the photographs that datasets/fetch.sh brings.
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
if [ ${#files[@]} -eq 0 ]; then
  photos=$(datasets/fetch.sh photos)
  # The mosaics show middles of the others once more.
  while IFS= read -r file; do
    files+=("$file")
  done < <(find "$photos" -name '*.png' ! -name 'mosaic-*' | sort)
fi

{
  echo "# PNG on one core"
  echo
  environment
  "$bench/forkmill-bench-codec" --libraries
  echo "- ${#files[@]} files, up to $most_mp MP of each from its middle, in memory; $rounds rounds of all rows, every other"
  echo "  one backwards; medians of each file's CPU time, summed"
  echo "- size: of the parts of libpng's default, the mean over the files"
  echo
  "$bench/forkmill-bench-codec" --rounds "$rounds" --most-mp "$most_mp" "${files[@]}"
} | report codec
