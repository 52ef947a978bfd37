#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Large files that are read while they are decoded: outputs, failures and what is said of them are those of files read
# whole, whoever dies meanwhile, and their size does not matter to memory.
# ctest labels: plain long

load machine

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  "$FORKMILL_GENERATE" photo --count 3 --width 2000 --height 1500 --seed 5 in >/dev/null
  mv in/photo/000/*.png in && rm -r in/photo
  for name in in/*.png; do
    [ "$(stat -c %s "$name")" -gt 4000000 ] || { echo "$name is no large file"; return 1; }
  done
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  cp -r "$BATS_FILE_TMPDIR/in" .
}

teardown() {
  if [ -n "${main-}" ]; then kill -9 "$main" 2>/dev/null || true; fi
}

# What failed and why, a line each.
failed() {
  "$FORKMILL_PYTHON" -c '
import json, sys
print(*sorted(map(str, json.load(open(sys.argv[1]))["failures"])), sep="\n")' "$1"
}

# Read whole and fed, which must agree, also in what is warned of. EXIT-CODE ARGUMENTS...
both() {
  local code=$1
  shift
  rm -rf whole fed
  mill "$code" -i in -o whole --json --set bands=false "$@"
  failed .out >whole.failed
  grep '^warning' .err | sort >whole.warned || true
  mill "$code" -i in -o fed --json "$@"
  failed .out >fed.failed
  grep '^warning' .err | sort >fed.warned || true
  diff -r whole fed
  diff whole.failed fed.failed
  diff whole.warned fed.warned
}

@test "every engine and number of workers gives the bytes of files read whole" {
  for engine in serial process thread openmp; do
    both 0 --engine "$engine" --set split=items -w 2 -s resize:scale=0.3
  done
  both 0 -w 1 -s gaussblur:sigma=2
  both 0 -w 3 --batch 1 --queue 1
  both 0 -w 2 -s invert -s flip:direction=vertical -s "tee:name={stem}-a.{ext}" -s grayscale
}

@test "a damaged file is what it is, wherever the damage is" {
  "$FORKMILL_PYTHON" - <<'PY'
import pathlib, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
good = sorted(pathlib.Path("in").glob("*.png"))[0].read_bytes()
for part in (10, 50, 99):
    bad = bytearray(good)
    bad[len(bad) * part // 100] ^= 0x10
    pathlib.Path(f"in/flipped-{part}.png").write_bytes(bad)
    pathlib.Path(f"in/short-{part}.png").write_bytes(good[:len(good) * part // 100])
end = good[-12:]
body = good[:-12]
header = good[:33]
text = chunk(b"tEXt", b"Comment\0before"), chunk(b"tEXt", b"Author\0after")
pathlib.Path("in/no-end.png").write_bytes(body)
pathlib.Path("in/more.png").write_bytes(good + b"some more bytes")
pathlib.Path("in/texts.png").write_bytes(header + text[0] + body[33:] + text[1] + end)
pathlib.Path("in/much-text.png").write_bytes(header + chunk(b"tEXt", b"Comment\0" + b"x" * 150000) + body[33:]
                                             + chunk(b"tEXt", b"a\0") * 5000 + end)
pathlib.Path("in/long-text.png").write_bytes(header + chunk(b"tEXt", b"Comment\0" + bytes(400000).replace(b"\0", b"x")) + body[33:] + end)
pathlib.Path("in/bad-text.png").write_bytes(body + text[1][:-1] + b"?" + end)
pathlib.Path("in/two-runs.png").write_bytes(body + text[1] + chunk(b"IDAT", b"") + end)
PY
  both 1 -w 2 -s resize:scale=0.5
  both 1 -w 2 --engine thread -s "tee:name={stem}-a.{ext}" -s invert
}

@test "a file may be larger than memory" {
  "$FORKMILL_GENERATE" photo --count 2 --width 4800 --height 3600 large >/dev/null
  [ "$(find large -name '*.png' -size +20M | wc -l)" -eq 2 ]
  mill 1 -i large -o whole -q -w 1 --memory 20M --set bands=false -s resize:width=300
  says "over memory"
  mill 0 -i large -o none -q -w 1 --memory 20M --dry-run -s resize:width=300
  mill 1 -i large -o none -q -w 1 --memory 20M --dry-run --engine serial -s resize:width=300
  mill 0 -i large -o fed -q -w 1 --memory 20M -s resize:width=300
  mill 0 -i large -o roomy -q -w 1 --engine serial -s resize:width=300
  diff -r roomy fed
}

@test "what does not fit as a whole waits until it can be fed" {
  "$FORKMILL_GENERATE" photo --count 1 --width 4800 --height 3600 one >/dev/null
  mkdir large
  for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ln one/photo/000/*.png large/$i.png; done
  # Four may be open at once, and memory has room for those and not for a whole one beside them.
  (ulimit -n 32 && mill 0 -i large -o fed -q -w 8 --memory 24M --max-metadata 64K -s crop:width=64,height=64)
  [ "$(find fed -name '*.png' | wc -l)" -eq 12 ]
}

@test "workers that are killed while their file is read cost no item" {
  mill 0 -i in -o reference -q -s gaussblur:sigma=3
  for round in 1 2 3; do
    start -i in -o out-$round -w 2 --retries 100 --json -s gaussblur:sigma=3
    # Fewer than the deaths at birth, in a row, that end a run: on a busy machine all may be.
    kills=0
    while [ $kills -lt 8 ] && kill -0 $main 2>/dev/null; do
      for worker in $(workers); do kill -9 "$worker" 2>/dev/null && kills=$((kills + 1)); done
      sleep 0.0$((RANDOM % 9 + 1))
    done
    finish 0
    is items.done 3
    [ "$(number deaths)" -gt 0 ]
    diff -r reference out-$round
    no_temps out-$round
  done
}

@test "a file that cannot be read to its end fails, and no other" {
  if [ ! -e "${FORKMILL_FAILING-}" ]; then skip "FORKMILL_FAILING names no library"; fi
  mill 0 -i in -o reference -q -s resize:scale=0.3
  for nth in 6 20 40; do
    head -c 16 /dev/zero >state
    LD_PRELOAD=$FORKMILL_FAILING FAILING_FILE=$PWD/state FAILING_CALL=pread FAILING_CODE=5 FAILING_NTH=$nth \
      mill 1 -i in -o out-$nth --json --retries 0 --io threads -w 2 -s resize:scale=0.3
    is items.failed 1
    is items.done 2
    grep -qF "cannot be read: Input/output error" .out
    part_of out-$nth reference
    head -c 16 /dev/zero >state # once more, with another attempt
    LD_PRELOAD=$FORKMILL_FAILING FAILING_FILE=$PWD/state FAILING_CALL=pread FAILING_CODE=5 FAILING_NTH=$nth \
      mill 0 -i in -o again-$nth --json --retries 1 --io threads -w 2 -s resize:scale=0.3
    diff -r reference again-$nth
  done
}

@test "a run that is stopped while files are read leaves whole outputs" {
  mill 0 -i in -o reference -q -s gaussblur:sigma=3
  for engine in process thread; do
    start -i in -o out-$engine -w 2 --engine $engine -s gaussblur:sigma=3 -s sleep:ms=100 --json
    wait_until [ -d out-$engine ]
    kill -INT "$main"
    code=0
    wait "$main" || code=$?
    [ "$code" -eq 130 ] || [ "$code" -eq 0 ] || { echo "exit code $code"; cat .err; return 1; }
    part_of out-$engine reference
    wait_until session_gone
  done
}
