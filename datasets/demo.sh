#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds forkmill and lets it work on real pictures. Starts on a bare Debian 12 or Ubuntu 24.04; leaves its outputs in
# build/demo/. The second start skips what the first one fetched and built.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=build/demo
forkmill=build/release/forkmill

say() { printf '\n== %s\n' "$*"; }

count_png() { find "$1" -type f -name '*.png' | wc -l; }

# Every input has its output, or the demo stops here.
compare_counts() { # INPUT OUTPUT
  local in_count out_count
  in_count=$(count_png "$1")
  out_count=$(count_png "$2")
  echo "$2: $out_count pictures out of $in_count"
  [ "$in_count" -eq "$out_count" ]
}

pictures() { # NAME KIND GENERATOR-ARGUMENTS...; sets $found
  local name=$1
  shift
  if datasets/fetch.sh "$name" >/dev/null; then
    found=datasets/cache/$name
  else
    echo "No $name could be fetched (is there a network?): generating pictures in their place."
    found=$out/generated-$name
    if [ ! -d "$found" ]; then
      rm -rf "$found.part"
      build/release/datasets/forkmill-generate "$@" "$found.part"
      mv "$found.part" "$found"
    fi
  fi
}

show_and_run() {
  printf '$'
  printf ' %s' "$@"
  printf '\n'
  "$@"
}

say "Packages to build with and to fetch pictures"
datasets/setup.sh build data
echo "All there."

say "Building for release"
cmake --preset release >/dev/null
cmake --build --preset release -j2
mkdir -p "$out"

say "Pictures"
pictures icons icons --count 3000
icons=$found
pictures photos photo --count 8 --width 6000 --height 4000
photos=$found
rm -rf "$out"/icons "$out"/photos "$out"/thumbs

say "Icons, to at most 256 x 256"
show_and_run $forkmill run -i "$icons" -o $out/icons -w 2 -s resize:width=256,height=256,fit=inside,upscale=false
compare_counts "$icons" $out/icons

say "Photographs, the same"
show_and_run $forkmill run -i "$photos" -o $out/photos -w 2 -s resize:width=256,height=256,fit=inside
compare_counts "$photos" $out/photos

say "Photographs, as datasets/thumbs.yaml says"
cat datasets/thumbs.yaml
show_and_run $forkmill run datasets/thumbs.yaml -i "$photos" -o $out/thumbs
compare_counts "$photos" $out/thumbs

say "Where to look"
echo "$out/icons    $(count_png $out/icons) icons"
echo "$out/photos   $(count_png $out/photos) pictures of at most 256 x 256"
echo "$out/thumbs   $(count_png $out/thumbs) pictures of at most 800 x 600, sharpened"
echo "Try your own:  $forkmill run -i DIRECTORY -o DIRECTORY -w 2 -s resize:width=800,height=600,fit=inside"
