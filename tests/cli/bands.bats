#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Large images over bands of rows: the outputs, the failures and the names in them are those of whole images, in a
# part of the memory.
# ctest labels: plain long

load machine

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  "$FORKMILL_GENERATE" photo --count 2 --width 1500 --height 1100 --seed 7 in >/dev/null
  "$FORKMILL_GENERATE" deep --count 1 --width 900 --height 700 in >/dev/null
  "$FORKMILL_GENERATE" palette --count 2 --width 1300 --height 1200 in >/dev/null
  "$FORKMILL_GENERATE" photo --count 2 --width 3000 --height 2400 --seed 3 large >/dev/null
}

# Inputs of its own, as some tests damage them.
setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  cp -r "$BATS_FILE_TMPDIR/in" .
  ln -s "$BATS_FILE_TMPDIR/large" .
}

# What failed and why, of runs whose summaries are in RUN.json, a line each in RUN.failed.
failed() { # RUN...
  "$FORKMILL_PYTHON" - "$@" <<'PY'
import json, sys
for run in sys.argv[1:]:
    with open(run + ".json") as summary, open(run + ".failed", "w") as failed:
        failed.writelines(sorted(f"{failure}\n" for failure in json.load(summary)["failures"]))
PY
}

# Both ways, which must agree. EXIT-CODE ARGUMENTS...
both() {
  local code=$1
  shift
  rm -rf whole banded
  mill "$code" -i in -o whole -q --json --set bands=false "$@"
  mv .out whole.json
  mill "$code" -i in -o banded -q --json "$@"
  mv .out banded.json
  failed whole banded
  diff -r whole banded
  diff whole.failed banded.failed
}

@test "every engine gives the bytes of whole images" {
  for engine in serial process thread; do
    both 0 --engine "$engine" -w 2 -s orient -s gaussblur:sigma=2 -s resize:scale=0.4 -s sharpen:sigma=1
  done
  both 0 --engine openmp --split items -w 2 -s resize:scale=0.4
}

@test "stages that need all of an image come after those that do not" {
  both 0 -s sobel -s levels:auto=true -s resize:scale=0.3
  both 0 -s invert -s pool:name=second -s flip:direction=vertical
  both 0 -s crop:width=700,height=300,top=390,left=3 -s "tee:name={stem}-a.{ext}" -s invert -s "tee:name={stem}-b.{ext}" -s median:size=3
}

@test "a damaged file is what it is, wherever the damage is and whatever the stages do" {
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib
for path in sorted(pathlib.Path("in").rglob("*.png"))[::2]:
    good = path.read_bytes()
    for part in (3, 50, 90, 99):
        bad = bytearray(good)
        bad[len(bad) * part // 100] ^= 0x10
        path.with_name(f"{path.stem}-{part}.png").write_bytes(bad)
    path.with_name(f"{path.stem}-short.png").write_bytes(good[:-5])
    # A CRC that holds over damaged data: seen only when it is inflated.
    import struct, zlib
    at = good.index(b"IDAT") - 4
    length = struct.unpack(">I", good[at:at + 4])[0]
    data = bytearray(good[at + 8:at + 8 + length])
    data[length * 2 // 3] ^= 0x40
    path.with_name(f"{path.stem}-inside.png").write_bytes(
        good[:at + 8] + data + struct.pack(">I", zlib.crc32(b"IDAT" + data)) + good[at + 12 + length:])
PY
  both 1 -s resize:scale=0.5
  [ "$(wc -l <banded.failed)" -ge 15 ]
  both 1 -s invert -s fail:rate=0.4,kind=error
  absent -q "fail: .*CRC" banded.failed
}

@test "a stage that crashes is named, not the decoder" {
  mill 1 -i in -o out -q --retries 0 -s resize:scale=0.5 -s fail:rate=1,kind=segv
  says "fail: its worker "
  absent -q "resize: its worker\|decode: its worker" .err
}

@test "an image that is larger than memory comes through" {
  mill 1 -i large/ -o out -q --set bands=false --memory 20MiB -s resize:scale=0.1
  says "over memory"
  mill 0 -i large/ -o out -q --memory 20MiB -s resize:scale=0.1
  mill 0 -i large/ -o reference -q -s resize:scale=0.1
  diff -r reference out
}

@test "with fastest rows go on to the encoder, in every engine" {
  local fastest=(--save-compression fastest)
  for engine in serial process thread; do
    both 0 --engine "$engine" -w 2 "${fastest[@]}"
    both 0 --engine "$engine" -w 2 "${fastest[@]}" -s orient -s gaussblur:sigma=2 -s resize:scale=0.4
  done
  both 0 --engine openmp --split items -w 2 "${fastest[@]}" -s sobel
  both 0 "${fastest[@]}" --save-strip -s cast:type=u16
  both 0 "${fastest[@]}" -s invert -s levels:auto=true
  both 0 "${fastest[@]}" --save-recompress
  both 0 "${fastest[@]}" -s invert --save-reduce
  both 0 "${fastest[@]}" -s invert --save-interlace
}

# Text behind the image data comes before it in the output. Of files with a transparent colour, which libpng
# reads, it is known only at the end.
@test "metadata is the same wherever it is in the file" {
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for number, path in enumerate(sorted(pathlib.Path("in").rglob("*.png"))):
    good = path.read_bytes()
    text = chunk(b"tEXt", b"Comment\0" + b"a word " * 3000)
    first, end = good.index(b"IDAT") - 4, len(good) - 12
    if number % 2 == 0:
        good = good[:first] + text + good[first:]
    else:
        keyed = chunk(b"tRNS", bytes(6)) if good[25] == 2 else b""
        good = good[:first] + keyed + good[first:end] + text + good[end:]
    path.write_bytes(good)
PY
  both 0 --save-compression fastest -s invert
  [ "$(grep -rlF "a word a word" banded | wc -l)" -ge 5 ]
}

@test "a damaged file leaves no output where its rows have gone to the encoder" {
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib, struct, zlib
for path in sorted(pathlib.Path("in").rglob("*.png"))[::2]:
    good = path.read_bytes()
    for part in (3, 50, 99):
        bad = bytearray(good)
        bad[len(bad) * part // 100] ^= 0x10
        path.with_name(f"{path.stem}-bad-{part}.png").write_bytes(bad)
    path.with_name(f"{path.stem}-bad-short.png").write_bytes(good[:-5])
    # All rows are sound; the checksum of the stream is not, under CRCs that hold.
    last = good.rindex(b"IDAT") - 4
    length = struct.unpack(">I", good[last:last + 4])[0]
    data = bytearray(good[last + 8:last + 8 + length])
    data[-1] ^= 1
    path.with_name(f"{path.stem}-bad-sum.png").write_bytes(
        good[:last + 8] + data + struct.pack(">I", zlib.crc32(b"IDAT" + data)) + good[last + 12 + length:])
PY
  for stages in "" "-s gaussblur:sigma=1" "-s invert -s fail:rate=0.4,kind=error"; do
    # shellcheck disable=SC2086
    both 1 --save-compression fastest $stages
    [ "$(wc -l <banded.failed)" -ge 15 ]
    [ -z "$(find banded -name '*-bad-*')" ]
  done
}

# How often the writer told of a failure or sent an item round again.
sent_back() {
  "$FORKMILL_PYTHON" -c 'import json, sys
print(sum(event.get("name") == "failed" for event in json.load(open(sys.argv[1]))))' "$1"
}

# One byte a pixel in the file, three of noise in the output: more than could be expected.
@test "what turns out larger than expected goes round again" {
  mkdir noise
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib, random, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
random.seed(1)
width, height = 1300, 1200
for number in range(3):
    rows = b"".join(b"\0" + random.randbytes(width) for _ in range(height))
    pathlib.Path(f"noise/{number}.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) +
        chunk(b"PLTE", random.randbytes(768)) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
PY
  local fastest=(-q --save-compression fastest)
  mill 0 -i noise -o whole "${fastest[@]}" --set bands=false --trace whole.json
  [ "$(sent_back whole.json)" -eq 0 ]
  for engine in serial process thread; do
    rm -rf banded
    mill 0 -i noise -o banded "${fastest[@]}" --engine "$engine" -w 2 --trace banded.json
    # A slot that has been large enough once stays so.
    [ "$(sent_back banded.json)" -ge 1 ]
    diff -r whole banded
  done
  # A photograph does not.
  mill 0 -i in -o out "${fastest[@]}" -s gaussblur:sigma=1 --trace photo.json
  [ "$(sent_back photo.json)" -eq 0 ]
}

# One bit a pixel in the file, a byte in what the blur makes of it.
@test "what turns out larger than expected goes round again, though its rows were not sent on" {
  mkdir dots
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib, random, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
size, dice = 1500, random.Random(1)
rows = b"".join(b"\0" + bytes(255 * (bits >> i // 3 & 1) for i in range(3 * size))
                for bits in (dice.getrandbits(size) for _ in range(size)))
png = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)) +
       chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))
for number in range(16):
    pathlib.Path(f"dots/{number:02}.png").write_bytes(png)
PY
  for engine in serial process thread; do
    rm -rf out
    mill 0 -i dots -o out -q --engine $engine -w 2 -s gaussblur:sigma=0.6 --trace dots.json
    [ "$(sent_back dots.json)" -ge 1 ]
    [ "$(sent_back dots.json)" -le 16 ] # each at most once; and a slot that has been large enough stays so
    [ "$(sha256sum out/*.png | cut -d ' ' -f 1 | sort -u | wc -l)" -eq 1 ]
    [ -d reference ] || mv out reference
    [ ! -d out ] || diff -r reference out
  done
  [ "$(find reference -name '*.png' | wc -l)" -eq 16 ]
}

@test "an image comes through that is never there as a whole" {
  local few=(-i large/ -q --save-compression fastest --memory 36MiB)
  mill 1 "${few[@]}" -o out --set bands=false
  says "over memory"
  mill 0 "${few[@]}" -o out -w 1
  mill 0 -i large/ -o reference -q --save-compression fastest
  diff -r reference out
}

# JPEG of several kinds, and PNM.
others() {
  rm -rf in
  mkdir in
  "$FORKMILL_PYTHON" - "$BATS_FILE_TMPDIR/in" <<'PY'
import pathlib, sys
from PIL import Image
for number, path in enumerate(sorted(pathlib.Path(sys.argv[1]).rglob("photo-*.png"))):
    image = Image.open(path).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6 if number else 1
    save = {"exif": exif.tobytes(), "dpi": (200, 200)}
    image.save(f"in/{number}-plain.jpg", quality=85)
    image.save(f"in/{number}-full.jpg", quality=93, subsampling=0, **save)
    image.save(f"in/{number}-progressive.jpg", quality=70, progressive=True, **save)
    image.convert("L").save(f"in/{number}-grey.jpg", quality=80)
    image.convert("CMYK").save(f"in/{number}-cmyk.jpg", quality=80)
    image.save(f"in/{number}-colour.ppm")
    image.convert("L").save(f"in/{number}-light.pgm")
    wide = bytes(byte for sample in image.convert("L").tobytes() for byte in (sample, 255 - sample))
    pathlib.Path(f"in/{number}-wide.pgm").write_bytes(b"P5\n%d %d\n65535\n" % image.size + wide)
    image.convert("1").save(f"in/{number}-bits.pbm")
PY
}

no_jpeg() {
  "$FORKMILL" doctor 2>/dev/null | grep -q 'libjpeg: not in this build'
}

@test "JPEG and PNM give the bytes of whole images, in every engine and format" {
  no_jpeg && skip "this build lacks libjpeg"
  others
  for engine in serial process thread; do
    both 0 --engine "$engine" -w 2 -s gaussblur:sigma=2 -s resize:scale=0.4
    both 0 --engine "$engine" -w 2 -s orient -s sobel -s cast:type=u8 --save-format jpeg
  done
  both 0 --engine openmp --split items -w 2 -s invert -s cast:type=u8 --save-format jpeg
  for format in jpeg pnm png; do
    both 0 --save-format "$format" --save-compression fastest -s cast:type=u8
    both 0 --save-format "$format" --save-compression fastest -s cast:type=u8 -s resize:width=150 -s sharpen:sigma=1
  done
  both 0 --save-format jpeg --save-compression balanced -s cast:type=u8 --save-quality 97
  both 0 --save-format jpeg --save-compression smallest -s cast:type=u8 --save-strip
  both 0 -s flip:direction=vertical -s invert
  both 0 -s resize:width=900 --no-load-shrink
  both 0 -s "tee:name={stem}-a.{ext}" -s invert -s "tee:name={stem}-b.{ext}" -s median:size=3
  cp -r "$BATS_FILE_TMPDIR/in/." in
  both 0 --save-format jpeg -s flatten -s cast:type=u8
  both 0 --save-format pnm -s invert
}

@test "damaged JPEG and PNM are what they are, and leave no output" {
  no_jpeg && skip "this build lacks libjpeg"
  others
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib
for path in sorted(pathlib.Path("in").iterdir()):
    good = path.read_bytes()
    for part in (1, 30, 70, 99):
        path.with_name(f"{path.stem}-bad-{part}{path.suffix}").write_bytes(good[: len(good) * part // 100])
    path.with_name(f"{path.stem}-longer{path.suffix}").write_bytes(good + b"more")
    if path.suffix != ".jpg":
        continue
    path.with_name(f"{path.stem}-bad-end.jpg").write_bytes(good[:-1])
    for part in (40, 80):
        bad = bytearray(good)
        bad[len(bad) * part // 100:len(bad) * part // 100 + 4] = b"\xff\xd9\xff\xd8"
        path.with_name(f"{path.stem}-bad-marker-{part}.jpg").write_bytes(bad)
scaled = bytearray(pathlib.Path("in/0-colour.ppm").read_bytes().replace(b"\n255\n", b"\n254\n", 1))
for at in range(100, len(scaled)):
    scaled[at] = min(scaled[at], 254)
pathlib.Path("in/scaled.ppm").write_bytes(scaled)
scaled[-5] = 255
pathlib.Path("in/0-bad-sample.ppm").write_bytes(scaled)
PY
  for stages in "" "-s cast:type=u8 -s gaussblur:sigma=1 --save-format jpeg" "-s invert -s fail:rate=0.4,kind=error" \
    "-s invert --save-format pnm" "-s resize:width=200"; do
    # shellcheck disable=SC2086
    both 1 $stages
    [ "$(wc -l <banded.failed)" -ge 90 ]
    [ -z "$(find banded -name '*-bad-*')" ]
  done
  both 1 --set on_corrupt=salvage -s cast:type=u8 --save-format jpeg
  [ -n "$(find banded -name '*-bad-*')" ]
}

@test "a JPEG comes through that is never there as a whole" {
  no_jpeg && skip "this build lacks libjpeg"
  mill 0 -i large/ -o jpeg -q --save-format jpeg
  local few
  for format in jpeg png; do
    rm -rf reference out
    few=(-i jpeg -q --save-format "$format" --save-compression fastest -s gaussblur:sigma=1)
    mill 1 "${few[@]}" -o out -w 1 --memory 18MiB --set bands=false
    says "over memory"
    mill 0 "${few[@]}" -o out -w 1 --memory 18MiB
    mill 0 "${few[@]}" -o reference
    diff -r reference out
  done
  rm -rf out
  few=(-i large/ -o out -q -w 1 --memory 60MiB --save-format jpeg)
  mill 1 "${few[@]}" --set bands=false
  says "over memory"
  mill 0 "${few[@]}"
  diff -r jpeg out
}

# Noise: more than could be expected.
@test "a JPEG that turns out larger than expected goes round again" {
  no_jpeg && skip "this build lacks libjpeg"
  mkdir noise
  "$FORKMILL_PYTHON" - <<'PY'
import random
random.seed(1)
for number in range(3):
    with open(f"noise/{number}.pgm", "wb") as file:
        file.write(b"P5\n2600 2400\n255\n" + random.randbytes(2600 * 2400))
PY
  local jpeg=(-q --save-format jpeg --save-quality 89)
  mill 0 -i noise -o whole "${jpeg[@]}" --set bands=false
  for engine in serial process thread; do
    rm -rf banded
    mill 0 -i noise -o banded "${jpeg[@]}" --engine "$engine" -w 2 --trace banded.json
    [ "$(sent_back banded.json)" -ge 1 ]
    diff -r whole banded
  done
  mill 0 -i in -o out "${jpeg[@]}" -s flatten -s cast:type=u8 --trace photo.json
  [ "$(sent_back photo.json)" -eq 0 ]
}

@test "times of steps are booked to the steps" {
  "$FORKMILL" run -i in -o out -q --engine serial -s gaussblur:sigma=12 -s resize:scale=0.5 --json >summary.json
  "$FORKMILL_PYTHON" - <<'PY'
import json
steps = {step["name"]: step["ns"] for step in json.load(open("summary.json"))["steps"]}
assert steps["gaussblur"] > steps["decode"] > 0 and steps["resize"] > 0 and steps["encode"] > 0, steps
PY
}
