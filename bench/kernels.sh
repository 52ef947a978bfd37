#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How fast the stages for images are on one core, beside OpenCV, libvips and memcpy: on a picture of 3 MP, from memory
# to memory.
#
#   bench/kernels.sh [--save] [--quick] [--rounds N]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Each kernel is repeated for so many seconds at least.
rounds=5 least_s=0.25
flags "[--save] [--quick] [--rounds N]" "$@"
size=(--width 2000 --height 1500)
if [ "$quick" = yes ]; then
  rounds=1 least_s=0 size=(--width 200 --height 150)
fi
python=$(system_python)

# What each is called, and the stage; the peers' programs have the same names.
# shellcheck disable=SC2054 # commas of a list
kernels=(
  "resize, 50 % lanczos3" resize:scale=0.5
  "resize, 25 % box" resize:scale=0.25,kernel=box
  "resize, 150 % cubic" resize:scale=1.5,kernel=cubic
  "blur, sigma 2" gaussblur:sigma=2
  "blur, sigma 2, RGBA" gaussblur:sigma=2
  "median 3" median:size=3
  "median 5" median:size=5
  sharpen sharpen:sigma=1
  sobel sobel
  "convolve 3 x 3" "convolve:mask=1 2 3,mask=4 5 6,mask=7 8 9,scale=45"
  "convolve 5 x 5" "convolve:mask=1 2 3 4 5,mask=6 7 8 9 10,mask=11 12 13 14 15,mask=16 17 18 19 20,mask=21 22 23 24 25,scale=325"
  grayscale grayscale
  gamma gamma:exponent=0.4545
)

ours() { "$bench/forkmill-bench-kernels" $least_s "$picture" "${kernels[@]}" >"$lines/$1.ours"; }
opencv() { "$python" bench/peers/kernels.py opencv $least_s "$picture" >"$lines/$1.opencv"; }
vips() { "$bench/forkmill-bench-vips-kernels" $least_s "$picture" >"$lines/$1.vips"; }

prepare
peers=()
if [ -x "$bench/forkmill-bench-vips-kernels" ]; then peers+=(vips); fi
if "$python" -c 'import cv2' 2>/dev/null; then peers+=(opencv); fi
[ ${#peers[@]} -gt 0 ] || die "kernels.sh: neither OpenCV nor libvips is there: datasets/setup.sh bench"
pictures "kernels-$quick" photo --count 1 --format pnm "${size[@]}"
picture=$(find "$work/kernels-$quick" -type f)
lines=$(mktemp -d "$work/kernels-XXXXXX")
trap 'rm -rf "$lines"' EXIT
for ((round = 0; round < rounds; round++)); do
  turn=(ours "${peers[@]}")
  for ((i = 0; i < ${#turn[@]}; i++)); do "${turn[(i + round) % ${#turn[@]}]}" "$round"; done
done
{
  echo "# Kernels on one core"
  echo
  environment
  echo "- $("$python" bench/peers/pictures.py versions), $(dpkg-query -W -f '${Package} ${Version}' libvips42 2>/dev/null)"
  echo "- one picture of ${size[1]} x ${size[3]}, RGB of 8 bits (RGBA: its green as alpha), from memory to memory; MP/s that go in, by CPU time"
  echo "- $rounds interleaved rounds, each the best of some repetitions; medians"
  echo
  "$python" bench/peers/kernels.py table "$lines"/*
  cat <<'END'

Not all do the same. OpenCV's Lanczos takes 8 x 8 pixels whatever the factor, where forkmill and libvips stretch it over
all that an output pixel stands for; its sobel is the mean of both directions' amounts. Both blur 8 bits in fixed point of 16.
libvips sharpens lightness only, in LabS; its gaussblur cuts the Gaussian at 20 %, forkmill's where it changes no
sample by half a level. Colours under alpha are weighed by it, which OpenCV has no call for.
END
} | report kernels
