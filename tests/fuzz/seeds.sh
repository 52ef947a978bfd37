#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The inputs that fuzzing begins with: small files of every kind, made by the generator and forkmill itself, sound and
# broken ones.
#
#   tests/fuzz/seeds.sh FORKMILL FORKMILL-GENERATE DIRECTORY     makes DIRECTORY/png, DIRECTORY/csv, ...
set -euo pipefail

forkmill=$(realpath "$1") generate=$(realpath "$2") root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
rm -rf "$3"
mkdir -p "$3"/{png,pnm,jpeg,webp,arrays,csv,gzip,config,names}
cd "$3"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

mill() { # FROM ARGUMENTS...; a format that this build lacks makes no seeds
  rm -rf "$made/out"
  mkdir "$made/out"
  "$forkmill" run -q --engine serial -i "$1" -o "$made/out" "${@:2}" >/dev/null 2>&1 || true
}

count=0
gather() { # KIND DIRECTORY EXTENSION...
  local extension
  for extension in "${@:3}"; do
    while IFS= read -r file; do
      cp "$file" "$1/$((count += 1)).$extension"
    done < <(find "$2" -name "*.$extension" -size -64k | sort)
  done
}

pictures=$made/pictures
"$generate" icons --count 4 "$pictures"
for kind in grey palette alpha deep; do "$generate" $kind --count 4 --width 19 --height 13 "$pictures"; done
"$generate" broken --count 12 --width 15 --height 11 "$pictures"
gather png "$pictures" png
mill "$pictures/palette" --save-interlace --save-compression balanced
gather png "$made/out" png
for format in pnm pam; do "$generate" photo --count 3 --width 9 --height 7 --format $format "$made/pnm"; done
"$generate" grey --count 4 --width 9 --height 7 --format pnm "$made/pnm"
gather pnm "$made/pnm" pnm pgm ppm pbm pam
for quality in 30 95; do
  mill "$pictures/icons" -s flatten --save-format jpeg --save-quality $quality
  gather jpeg "$made/out" jpg
  mill "$pictures/alpha" --save-format webp --save-quality $quality
  gather webp "$made/out" webp
done
mill "$pictures/grey" --save-format jpeg
gather jpeg "$made/out" jpg
mill "$pictures/icons" --save-format webp --save-lossless
gather webp "$made/out" webp
"$generate" arrays --count 24 --width 5 --height 3 --format npy "$made/arrays"
"$generate" broken-arrays --count 24 "$made/arrays"
"$generate" arrays --count 4 --width 5 --height 3 --format raw "$made/arrays"
gather arrays "$made/arrays" npy npz raw
"$generate" arrays --count 8 --width 5 --height 3 --format csv "$made/csv"
gather csv "$made/csv" csv
"$generate" arrays --count 3 --width 40 --height 30 --format csv.gz "$made/gzip"
gather gzip "$made/gzip" gz
cat gzip/* >gzip/several
printf 'text' | gzip -9n >gzip/text
printf 'a,"b ""c""",\r\n1,-2.5e-3,\r\n,nan,inf\r\n' >csv/quoted
printf '1;2\n3;4' >csv/semicolons
printf '1\t2\n3\t\n' >csv/tabs
printf '\xef\xbb\xbf0x10,1_000\n' >csv/mark
find "$root" -name build -prune -o -name '*.yaml' -exec cp {} config/ \;
"$forkmill" run --print-config -i in -o out -s resize:width=10 >config/printed 2>/dev/null
printf 'input: a\noutput: b\nstages:\n  - tee:\n      - {stages: [blur: {radius: 2}], save: {name: "{dir}{stem}-s.{ext}"}}\n' >config/tee
printf '{"input": ["a", "b"], "output": "o", "stages": ["invert"], "memory": "64MiB"}' >config/json
printf '{dir}{stem}-{row}-{col}.png\0some/deep/picture.png' >names/tiles
printf '{name}\0picture.tar.gz' >names/name
printf '**/[a-z]*?.\\*\0a/b/c.png' >names/glob
printf 'a/[!x-z]**/\0a/.hidden/b' >names/dots
for kind in *; do [ -n "$(ls "$kind")" ] || printf 'none' >"$kind/none"; done
