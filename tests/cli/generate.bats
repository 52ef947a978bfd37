#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The generator of samples: the same arguments give the same pictures and arrays, and each kind is what it says.
# ctest labels: plain

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

generate() { "$FORKMILL_GENERATE" "$@"; }

read_png() { "$FORKMILL_PYTHON" "$FORKMILL_ROOT/tests/cli/read_png.py" "$@"; }

# Depth, colour type and so on, in the words of pngcheck.
describe() { pngcheck "$1" | sed -n 's/.*(\(.*\), [-0-9.]*%).*/\1/p'; }

@test "the same arguments give the same bytes, another seed gives others" {
  for kind in photo deep grey flat alpha palette icons broken arrays broken-arrays; do
    generate $kind --count 3 --width 90 --height 70 --seed 5 once
    generate $kind --count 3 --width 90 --height 70 --seed 5 twice
    generate $kind --count 3 --width 90 --height 70 --seed 6 other
    diff -r once/$kind twice/$kind
    run ! diff -rq once/$kind other/$kind
  done
}

@test "a larger count adds pictures and changes none" {
  generate alpha --count 2 --width 50 --height 40 few
  generate alpha --count 4 --width 50 --height 40 many
  cmp few/alpha/000/alpha-000001.png many/alpha/000/alpha-000001.png
  [ "$(find many -type f | wc -l)" -eq 4 ]
  [ -z "$(find many -type f -exec sha256sum {} + | cut -c 1-64 | sort | uniq -d)" ]
}

@test "samples are the same on every machine" {
  for kind in photo deep flat alpha; do
    generate $kind --width 100 --height 80 --seed 7 out
  done
  run -0 read_png out/photo/000/photo-000000.png out/flat/000/flat-000000.png out/alpha/000/alpha-000000.png
  [ "${lines[0]}" = "RGB 100 80 e3a0cfe2688c2115" ]
  [ "${lines[1]}" = "RGB 100 80 f4a84713d6a961aa" ]
  [ "${lines[2]}" = "RGBA 100 80 06c18b8e3f0d81f6" ]
}

@test "each kind has its colour type, depth and size" {
  for kind in photo deep flat alpha; do
    generate $kind --width 61 --height 43 out
  done
  generate grey --count 4 --width 61 --height 43 out
  generate palette --count 4 --width 61 --height 43 out
  [ "$(describe out/photo/000/photo-000000.png)" = "61x43, 24-bit RGB, non-interlaced" ]
  [ "$(describe out/deep/000/deep-000000.png)" = "61x43, 48-bit RGB, non-interlaced" ]
  [ "$(describe out/flat/000/flat-000000.png)" = "61x43, 24-bit RGB, non-interlaced" ]
  [ "$(describe out/alpha/000/alpha-000000.png)" = "61x43, 32-bit RGB+alpha, non-interlaced" ]
  depths=(8 4 2 1)
  for i in 0 1 2 3; do
    [ "$(describe out/grey/000/grey-00000$i.png)" = "61x43, ${depths[i]}-bit grayscale, non-interlaced" ]
    [ "$(describe out/palette/000/palette-00000$i.png)" = "61x43, ${depths[i]}-bit palette+trns, non-interlaced" ]
  done
}

@test "icons are small squares, and folders hold a hundred" {
  generate icons --count 101 out
  [ "$(find out/icons/000 -name '*.png' | wc -l)" -eq 100 ]
  [ "$(find out/icons/001 -name '*.png' | wc -l)" -eq 1 ]
  sides=$(read_png out/icons/000/*.png | cut -d ' ' -f 1-3 | sort -u)
  [ "$sides" = "$(printf 'RGBA %s %s\n' 16 16 22 22 24 24 32 32 48 48 64 64)" ]
}

@test "every broken file is refused by pngcheck, or claims a size it has not, and no sound one is" {
  generate broken --count 9 --width 64 --height 48 out
  generate photo --count 3 --width 64 --height 48 out
  [ "$(find out/broken -type f | wc -l)" -eq 9 ]
  for file in out/broken/000/*; do
    case $file in
      *huge-area.png) [[ "$(describe "$file")" == "1000000x1000000, "* ]] ;;
      *huge-sides.png) [[ "$(describe "$file")" == "2147483647x2147483647, "* ]] ;;
      *) run ! pngcheck -q "$file" ;;
    esac
  done
  pngcheck -q out/photo/000/*.png
}

@test "PAM and PNM hold the samples of the PNG" {
  for kind in photo deep grey flat; do
    generate $kind --width 61 --height 43 out
    generate $kind --width 61 --height 43 --format pnm out
    generate $kind --width 61 --height 43 --format pam out
    base=out/$kind/000/$kind-000000
    [ "$(compare -metric AE $base.png $base.pnm null: 2>&1)" = 0 ]
    [ "$(compare -metric AE $base.png $base.pam null: 2>&1)" = 0 ]
  done
  for kind in alpha palette; do
    generate $kind --width 61 --height 43 out
    generate $kind --width 61 --height 43 --format pam out
    base=out/$kind/000/$kind-000000
    [ "$(compare -metric AE $base.png $base.pam null: 2>&1)" = 0 ]
  done
}

@test "arrays take turns at dtype, byte order, order and version, and numpy reads them all" {
  generate arrays --count 144 --width 7 --height 5 out
  "$FORKMILL_PYTHON" - out/arrays/*/*.npy <<'EOF'
import re, sys
import numpy as np
kinds, versions = set(), set()
for path in sys.argv[1:]:
    array = np.load(path)
    big, fortran, version = re.search(r"(-big)?(-fortran)?-v(\d)\.npy$", path).groups()
    assert array.shape == (5, 7), path
    assert array.flags.f_contiguous == bool(fortran), path
    assert array.dtype.itemsize == 1 or (array.dtype.str[0] == ">") == bool(big), path
    assert open(path, "rb").read()[6] == int(version), path
    kinds.add((array.dtype.str, bool(fortran)))
    versions.add(version)
assert len(kinds) == 2 * (3 + 9 * 2) and versions == {"1", "2", "3"}, kinds
EOF
}

@test "arrays have the same values in every format" {
  for format in npy npy.gz raw raw.gz csv csv.gz; do
    generate arrays --count 2 --width 70 --height 50 --dtype f64 --format $format out
  done
  "$FORKMILL_PYTHON" - out/arrays/000/arrays <<'EOF'
import gzip, sys
import numpy as np
base = sys.argv[1]
for number, table, skip in (("-000000", "bare", 0), ("-000001", "named", 1)):
    array = np.load(f"{base}{number}-f64-v1.npy")
    assert len(np.unique(array)) > 300
    assert (np.load(gzip.open(f"{base}{number}-f64-v1.npy.gz")) == array).all()
    assert (np.fromfile(f"{base}{number}-f64.raw", "<f8").reshape(50, 70) == array).all()
    assert gzip.open(f"{base}{number}-f64.raw.gz").read() == array.tobytes()
    assert (np.loadtxt(f"{base}{number}-{table}.csv", delimiter=",", skiprows=skip) == array).all()
    assert gzip.open(f"{base}{number}-{table}.csv.gz").read() == open(f"{base}{number}-{table}.csv", "rb").read()
EOF
}

@test "broken arrays are refused by numpy or by gzip, or hold what is not numbers" {
  generate broken-arrays --count 18 out
  [ "$(find out -type f | wc -l)" -eq 18 ]
  run ! gzip -t out/broken-arrays/000/*truncated.npy.gz
  run ! gzip -t out/broken-arrays/000/*bad-crc.npy.gz
  [ "$(gzip -dc out/broken-arrays/000/*bomb.npy.gz | wc -c)" -gt $((8 << 20)) ]
  [ "$(stat -c %s out/broken-arrays/000/*bomb.npy.gz)" -lt 20000 ]
  "$FORKMILL_PYTHON" - out/broken-arrays/000/*.npy <<'EOF'
import sys
import numpy as np
for path in sys.argv[1:]:
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, MemoryError, EOFError):
        continue
    assert "structured" in path or "complex" in path, path
    assert array.dtype.kind in "Vc", path
EOF
}

@test "a photo takes as many bytes as a photograph does" {
  generate photo --width 1200 --height 850 out
  bytes=$(stat -c %s out/photo/000/photo-000000.png)
  [ "$bytes" -gt $((1200 * 850)) ]
  [ "$bytes" -lt $((1200 * 850 * 2)) ]
}

@test "sizes down to one pixel work" {
  for kind in photo deep grey flat alpha palette; do
    generate $kind --width 1 --height 1 out
    generate $kind --width 1 --height 300 --seed 2 out
    generate $kind --width 300 --height 1 --seed 3 out
    pngcheck -q out/$kind/000/$kind-000000.png
  done
}

@test "wrong arguments are refused with exit 2, and nothing is made" {
  run -2 generate
  run -2 generate phto out
  [[ "$output" == *"no kind 'phto'"* ]]
  run -2 generate photo --count 0 out
  run -2 generate photo --width 65501 out
  run -2 generate photo --height -1 out
  run -2 generate photo --format gif out
  run -2 generate broken --format pam out
  run -2 generate photo --format npy out
  [[ "$output" == *"pictures do not come as npy"* ]]
  run -2 generate arrays --format png out
  run -2 generate arrays --dtype f128 out
  run -2 generate broken-arrays --format npy out
  [ ! -e out ]
  run -1 generate alpha --format pnm out
  [[ "$output" == *"PAM can"* ]]
}

@test "a folder that cannot be made is an error with its name" {
  touch file
  run -1 generate photo file
  [[ "$output" == *"file/photo/000: Not a directory"* ]]
}
