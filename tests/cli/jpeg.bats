#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# JPEG and WebP through a whole run, against Pillow.

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  "$FORKMILL" doctor 2>/dev/null | grep -Eq '^  (jpeg|webp) .*not in this build' && skip "this build lacks libjpeg or libwebp"
  return 0
}

py() { "$FORKMILL_PYTHON" -B - "$@"; }

# A picture of WIDTH x HEIGHT with each of the eight orientations; a profile of PROFILE bytes: photos WIDTH HEIGHT PROFILE
photos() {
  mkdir -p in
  py "$@" <<'END'
import sys
from PIL import Image
width, height, profile = map(int, sys.argv[1:])
image = Image.radial_gradient("L").resize((width, height))
image = Image.merge("RGB", (image, image.transpose(Image.Transpose.ROTATE_180), Image.linear_gradient("L").resize((width, height))))
head = bytearray(profile)
if profile:
    head[0:4], head[16:20], head[36:40] = profile.to_bytes(4, "big"), b"RGB ", b"acsp"
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {"icc_profile": bytes(head)} if profile else {}
    image.save(f"in/{orientation}.jpg", quality=92, exif=exif.tobytes(), **more)
END
}

@test "orient gives what Pillow's exif_transpose gives, and EXIF says so" {
  photos 200 120 0
  "$FORKMILL" run -q -i in -o out -w 2 -s orient --save-format png
  "$FORKMILL" run -q -i in -o web -w 2 -s orient --save-format webp --save-lossless
  py <<'END'
from PIL import Image, ImageOps
for n in range(1, 9):
    want = ImageOps.exif_transpose(Image.open(f"in/{n}.jpg"))
    for path in (f"out/{n}.png", f"web/{n}.webp"):
        got = Image.open(path)
        assert got.size == want.size and got.convert("RGB").tobytes() == want.tobytes(), path
        assert got.getexif()[0x0112] == 1, path
END
}

@test "a header longer than the head is read, with its profile" {
  photos 200 120 300000
  "$FORKMILL" run -q -i in -o out -w 2 -s orient --save-format jpeg
  py <<'END'
from PIL import Image
for n in range(1, 9):
    got = Image.open(f"out/{n}.jpg")
    assert got.size == ((200, 120) if n < 5 else (120, 200))
    assert len(got.info["icc_profile"]) == 300000 and got.getexif()[0x0112] == 1
END
}

@test "decoding a part of the size changes no size and hardly a pixel" {
  photos 1601 1203 0
  for shrink in true false; do
    "$FORKMILL" run -q -i in -o $shrink -w 2 --set load.shrink=$shrink -s orient -s resize:width=150,height=150 --save-format png
  done
  py <<'END'
import math
from PIL import Image, ImageChops, ImageStat
for n in range(1, 9):
    one, other = Image.open(f"true/{n}.png"), Image.open(f"false/{n}.png")
    assert one.size == other.size == ((150, 113) if n < 5 else (113, 150)), one.size
    mean = sum(ImageStat.Stat(ImageChops.difference(one, other)).sum2) / (3 * one.width * one.height)
    assert mean > 0, "nothing was decoded at a part of the size"
    assert 10 * math.log10(255**2 / mean) > 40, (n, mean)
END
}

@test "damage fails its item alone" {
  photos 200 120 0
  head -c 3000 in/3.jpg >in/cut.jpg
  run -1 "$FORKMILL" run -i in -o out -w 2 --json
  [ "$(find out -name '*.jpg' | wc -l)" -eq 8 ]
  grep -q 'file ends early, after 3000 bytes' <<<"$output"
}

# Photoshop's segment with a caption, put behind the first marker.
with_caption() { # FILE...
  py "$@" <<'END'
import struct, sys
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    text = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", 12) + b"\x1c\x02\x78\0\x07Sunset!"
    open(path, "wb").write(data[:2] + b"\xff\xed" + struct.pack(">H", len(text) + 2) + text + data[2:])
END
}

@test "IPTC stays in JPEG, and is missed elsewhere" {
  photos 1400 900 0
  with_caption in/1.jpg in/2.jpg
  "$FORKMILL" run -i in -o out -w 2 >log 2>&1
  "$FORKMILL" run -i in -o whole -w 2 --no-bands >log 2>&1
  diff -r -x '.forkmill-*' out whole
  [ "$(grep -la 'Sunset!' out/*.jpg | wc -l)" -eq 2 ]
  "$FORKMILL" run -i in -o bare -w 2 --save-strip >log 2>&1
  run ! grep -qa 'Sunset!' bare/1.jpg
  run ! grep -q IPTC log
  for format in png webp; do
    "$FORKMILL" run -v -i in -o "$format" -w 2 --save-format $format >log 2>&1
    [ "$(grep -c 'dropped IPTC' log)" -eq 2 ]
  done
}

@test "IPTC in more segments than are kept is missed as a whole" {
  photos 200 120 0
  rm in/[3-8].jpg
  for _ in {1..8}; do with_caption in/1.jpg; done
  for _ in {1..9}; do with_caption in/2.jpg; done
  "$FORKMILL" run -i in -o out >log 2>&1
  [ "$(grep -ao 'Sunset!' out/1.jpg | wc -l)" -eq 8 ]
  run ! grep -qa 'Sunset!' out/2.jpg
  grep -q '2.jpg: dropped IPTC .* in more than 8 segments' log
}

@test "recompressing does not encode with loss what can stay" {
  photos 200 120 0
  "$FORKMILL" run -q -i in -o web --save-format webp --save-quality 95
  for tree in in web; do
    "$FORKMILL" run -q -i "$tree" -o "kept-$tree" --save-recompress --save-quality 20
    diff -r -x '.forkmill-*' "$tree" "kept-$tree"
  done
}

@test "colour is stored as finely as asked for, by each output" {
  photos 64 48 0
  "$FORKMILL" run -q -i in -o out -s tee:name='{stem}-fine.jpg',subsampling=444 \
    -s tee:name='{stem}-across.jpg',quality=95,subsampling=422 -s tee:name='{stem}.jpg' -s flip
  # The frame header: brightness is component 1, and what follows its number is how often it is sampled.
  for pair in 1.jpg:012200 1-fine.jpg:011100 1-across.jpg:012100; do
    od -An -v -tx1 "out/${pair%%:*}" | tr -d ' \n' | grep -q "ffc0001108.*03${pair##*:}"
  done
  run -2 "$FORKMILL" run -i in -o other --save-subsampling 411
  [[ $output == *"'411' is not one of auto|444|422|420"* ]]
}
