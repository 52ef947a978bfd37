#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Large images over bands of rows: the outputs, the failures and the names in them are those of whole images, in a
# part of the memory.
# ctest labels: plain

load machine

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  "$FORKMILL_GENERATE" photo --count 3 --width 1500 --height 1100 --seed 7 in >/dev/null
  "$FORKMILL_GENERATE" deep --count 1 --width 900 --height 700 in >/dev/null
  "$FORKMILL_GENERATE" palette --count 4 --width 1300 --height 1200 in >/dev/null
}

# What failed in the last run, and why.
failed() {
  "$FORKMILL_PYTHON" - <<'PY' | sort
import json
for failure in json.load(open(".out"))["failures"]:
    print(failure)
PY
}

# Both ways, which must agree. EXIT-CODE ARGUMENTS...
both() {
  local code=$1
  shift
  rm -rf whole banded
  mill "$code" -i in -o whole -q --json --set bands=false "$@"
  failed >whole.failed
  mill "$code" -i in -o banded -q --json "$@"
  failed >banded.failed
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
  [ "$(wc -l <banded.failed)" -ge 20 ]
  both 1 -s invert -s fail:rate=0.4,kind=error
  absent -q "fail: .*CRC" banded.failed
}

@test "a stage that crashes is named, not the decoder" {
  mill 1 -i in -o out -q --retries 0 -s resize:scale=0.5 -s fail:rate=1,kind=segv
  says "fail: its worker "
  absent -q "resize: its worker\|decode: its worker" .err
}

@test "an image that is larger than memory comes through" {
  "$FORKMILL_GENERATE" photo --count 2 --width 3000 --height 2400 --seed 3 large >/dev/null
  mill 1 -i large -o out -q --set bands=false --memory 20MiB -s resize:scale=0.1
  says "over memory"
  mill 0 -i large -o out -q --memory 20MiB -s resize:scale=0.1
  mill 0 -i large -o reference -q -s resize:scale=0.1
  diff -r reference out
}

@test "times of steps are booked to the steps" {
  "$FORKMILL" run -i in -o out -q --engine serial -s gaussblur:sigma=6 -s resize:scale=0.5 --json >summary.json
  "$FORKMILL_PYTHON" - <<'PY'
import json
steps = {step["name"]: step["ns"] for step in json.load(open("summary.json"))["steps"]}
assert steps["gaussblur"] > steps["decode"] > 0 and steps["resize"] > 0 and steps["encode"] > 0, steps
PY
}
