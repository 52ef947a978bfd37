# SPDX-License-Identifier: MIT
# Idle workers share the rows of an image that another has in hand: same bytes, whoever dies.

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  "$FORKMILL_GENERATE" photo --count 1 --width 1500 --height 1000 --seed 5 in >/dev/null
  chain=(-s gaussblur:sigma=6 -s invert -s sobel -s threshold:method=otsu)
}

# NAME ARGUMENTS...: one run into the directory NAME
run_into() {
  local name=$1
  shift
  "$FORKMILL" run -i in -o "$name" -q "${chain[@]}" "$@"
}

@test "rows shared by workers give the bytes of one worker" {
  run_into alone --engine serial
  for engine in process thread; do
    run_into "$engine" --engine "$engine" -w 4
    diff -r alone "$engine"
  done
  run_into openmp --engine openmp --split rows -w 3
  diff -r alone openmp
}

# Alone, one worker would be busy at most all of the time.
busy_together() {
  "$FORKMILL_PYTHON" - <<'PY'
import json
summary = json.load(open("summary.json"))
assert summary["pools"][0]["busy_ns"] > 1.02 * summary["wall_ns"], summary["pools"]
PY
}

# On a machine where others are at work it may come too late, so it has some goes.
@test "an idle worker takes part" {
  "$FORKMILL_GENERATE" photo --count 1 --width 2400 --height 1600 --seed 5 in >/dev/null
  for attempt in 1 2 3 4 5 6; do
    run_into "out-$attempt" -w 2 --json >summary.json
    if busy_together; then return; fi
  done
  false
}

@test "leader and helpers may die: the item comes out the same" {
  run_into alone --engine serial
  "$FORKMILL" run -i in -o out --retries 100 -q -w 4 "${chain[@]}" --json >summary.json &
  local main=$!
  for _ in $(seq 1 10); do
    server=$(pgrep -P "$main" | head -n 1) || true
    workers=$(pgrep -P "${server:-0}" | shuf -n 1) || true
    [ -z "$workers" ] || kill -9 "$workers" 2>/dev/null || true
    sleep 0.05
  done
  wait "$main"
  diff -r alone out
}

@test "a stage that crashes in a helper's hands fails the item by name" {
  run "$FORKMILL" run -i in -o out -w 4 --retries 1 -s gaussblur:sigma=6 -s fail:kind=segv
  [ "$status" -eq 1 ]
  # A sanitizer turns the signal into an exit code.
  [[ "$output" == *"fail: its worker "* ]]
}

# What several need to share the rows of an image is more than one needs.
@test "what is refused for its memory does not depend on the number of workers" {
  "$FORKMILL_GENERATE" photo --count 3 --width 65500 --height 2 --seed 2 wide >/dev/null
  "$FORKMILL" run -i wide -o one -w 1 -q --memory 8MiB -s gaussblur:sigma=3
  for engine in process thread openmp; do
    "$FORKMILL" run -i wide -o "$engine" --engine "$engine" -w 8 -q --memory 8MiB -s gaussblur:sigma=3
    diff -r one "$engine"
  done
  # Of packed files it is known only once they are unpacked.
  mkdir packed
  "$FORKMILL_PYTHON" -c '
import gzip, numpy
with gzip.open("packed/array.npy.gz", "wb") as to:
    numpy.save(to, (numpy.arange(2 * 65500 * 3) % 251).astype("u1").reshape(2, 65500, 3))'
  for workers in 1 8; do
    "$FORKMILL" run -i packed -o "packed-$workers" -w "$workers" -q --memory 9MiB --save-format png -s to_image -s gaussblur:sigma=3
  done
  diff -r packed-1 packed-8
}

@test "where whole images do not fit, OpenMP takes them over bands, too" {
  "$FORKMILL_GENERATE" flat --count 2 --width 2500 --height 1800 drawings >/dev/null
  "$FORKMILL" run -i drawings -o one -w 1 -q --memory 24MiB --save-compression fastest
  "$FORKMILL" run -i drawings -o openmp --engine openmp -w 3 -q --memory 24MiB --save-compression fastest
  diff -r one openmp
}
