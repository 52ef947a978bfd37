#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ctest labels: slow
# The bench scripts: that each runs and its table has all rows; what the figures are is not a test's business.

setup() {
  export FORKMILL_BENCH FORKMILL_BENCH_WORK=$BATS_TEST_TMPDIR/work
  FORKMILL_BENCH=$(dirname "$FORKMILL")/bench
}

rows() { # PATTERN; how many rows of the table in ./table match
  grep -cE "^\| $1 " table
}

@test "run.sh has a row for each workload, engine and number of workers" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/run.sh" --quick >table
  for job in "primes below 2000" "sumsq below 20000"; do
    [ "$(rows "$job: plain C loop, one core \|")" -eq 1 ]
    [ "$(rows "$job: serial, 1 worker \|")" -eq 1 ]
    for engine in thread process; do
      [ "$(rows "$job: $engine, [0-9]+ workers? \|")" -eq 2 ]
    done
  done
  [ "$(rows "slow files: forkmill (serial|process, (1|2|8) workers?) \|")" -eq 4 ]
  [ "$(rows "slow files: (2|8) forkmill side by side,[^|]* \|")" -eq 2 ]
  [ "$(rows "slow files: Python, (one thread|8 threads|8 processes), reading only \|")" -eq 3 ]
  [ "$(rows "a stage that waits 1 ms: (1|2|8|32) workers? \|")" -eq 4 ]
  for job in re-encode grayscale blur thumbnail; do
    for kind in icons art; do
      [ "$(rows "$job, [0-9]+ $kind: (serial|thread|process), [0-9]+ \|")" -eq 3 ]
    done
  done
  [ "$(rows "primes below 2000: (1|2|4|8|32) workers? \|")" -eq 5 ]
  [ "$(rows "thumbnails of 8 icons: (1|2|4|8|32) workers? \|")" -eq 5 ]
  [ "$(rows "(process|thread), batch (1|8|64) \|")" -eq 6 ]
  [ "$(rows "Python, (a loop|[0-9]+ threads|Pool of [0-9]+|Pool of [0-9]+, chunks of 8) \|")" -eq 4 ]
  [ "$(rows "forkmill (serial|thread, [0-9]+ workers|process, [0-9]+ workers) \|")" -eq 3 ]
  # Every row of every table ends in figures, and every table has its own reference.
  [ "$(grep -cE '^\| [^|]+ \| [0-9.]+ \| [0-9.]+ \.\. [0-9.]+ \| [0-9.]+ \|( [0-9.]+)? +\|$' table)" -eq \
    "$(($(grep -c '^| ' table) - $(grep -c '^| what ' table)))" ]
}

@test "ipc.sh has a row for each transport, with rate and latencies" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/ipc.sh" --quick >table
  for transport in "forkmill queue" 'mutex \+ condvar'; do
    for way in "1 \| 1" "16 \| 1" "16 \| 8" "64 \| 1" "64 \| 8"; do
      [ "$(rows "$transport \| $way \| [0-9,.]+ \|")" -eq 1 ]
    done
  done
  [ "$(rows '(pipe|socket pair) \| system \| [18] \| [0-9,.]+ \|')" -eq 4 ]
  [ "$(rows 'Python Queue \| (1|16|64) \| 1 \| [0-9,.]+ \|')" -eq 3 ]
  [ "$(rows 'Python SimpleQueue \| system \| 1 \| [0-9,.]+ \|')" -eq 1 ]
  [ "$(rows 'Python Pool.imap \| system \| (1|64) \| [0-9,.]+ \|')" -eq 2 ]
  [ "$(grep -cE '^\| (forkmill queue|pipe) .* \| [0-9,.]+ / [0-9,.]+ \| [0-9,.]+ / [0-9,.]+ \|$' table)" -eq 4 ]
}

@test "recovery.sh has a row for few and for many workers" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/recovery.sh" --quick >table # more kills than 8 workers take for its items
  [ "$(rows '[28] \| [1-9][0-9.]* ms \| [1-9][0-9.]* ms \| [1-9][0-9.]* ms')" -eq 2 ]
}

@test "recovery.sh has no row where a run fails" {
  cd "$BATS_TEST_TMPDIR"
  printf '#!/bin/sh\nexit 7\n' >broken
  chmod +x broken
  FORKMILL=$PWD/broken run "$FORKMILL_ROOT/bench/recovery.sh" --quick
  [ "$status" -eq 1 ]
  [[ $output == *"a run ended with exit code 7 after 0 kills"* ]]
  [[ $output != *"| 2 |"* ]]
}

@test "codec.sh has a row for each way to decode and encode, with rate and size" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_GENERATE" photo --width 200 --height 100 pets
  "$FORKMILL_ROOT/bench/codec.sh" --quick "$PWD/pets/photo/000/photo-000000.png" >table
  [ "$(rows 'decode, (libpng|fast path) \| [0-9.]+ \| [0-9.]+ \|')" -eq 2 ]
  [ "$(rows "encode, libpng's default \| [0-9.]+ \| 1.0 \| 1.000")" -eq 1 ]
  [ "$(rows 'encode, (fastest|fast|balanced|small|smallest) \| [0-9.]+ \| [0-9.]+ \| [0-9.]+')" -eq 5 ]
  grep -q '^- libpng .*, zlib .*libdeflate.*ISA-L' table
}

@test "peers.sh has a row for each contender of each job, and the same files from all" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_PYTHON" -c 'import PIL'
  "$FORKMILL_GENERATE" icons --count 12 pets
  "$FORKMILL_ROOT/bench/peers.sh" --quick --corpora "$PWD/pets" --jobs half,gray --peers pillow >table
  [ "$(rows 'pets \| (50 %, lanczos|grayscale) \| pillow \| \*\*[0-9.]+\*\* \| [0-9.]+ \| [0-9.]+ \|')" -eq 2 ]
  [ "$(grep -c '^## pets, .*: 12 files$' table)" -eq 2 ]
  [ "$(rows '(forkmill|forkmill-fastest|pillow) \| [0-9.]+ \| [0-9.]+ \| [0-9]+ \| [0-9.]+ \|')" -eq 6 ]
}

@test "peers.sh takes JPEG, of one quality" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_PYTHON" -c 'import PIL'
  "$FORKMILL_GENERATE" photo --count 3 --width 400 --height 300 shots
  mkdir flat cards
  "$FORKMILL_PYTHON" "$FORKMILL_ROOT/bench/peers/pictures.py" gather shots flat
  "$FORKMILL_PYTHON" "$FORKMILL_ROOT/bench/peers/pictures.py" jpeg flat cards
  "$FORKMILL_ROOT/bench/peers.sh" --quick --corpora "$PWD/cards" --jobs encode,gray --peers pillow >table
  [ "$(rows 'cards \| (re-encode|grayscale) \| pillow \| \*\*[0-9.]+\*\* \| [0-9.]+ \| (0.9[0-9]+|1.0[0-9]+) \|')" -eq 2 ]
  [ "$(grep -c '^## cards, .*: 3 files$' table)" -eq 2 ]
  [ "$(rows '(forkmill|pillow) \| [0-9.]+ \| [0-9.]+ \| [0-9]+ \| [0-9.]+ \|')" -eq 4 ]
}

@test "kernels.sh has a row for each kernel, and one figure at least to compare with" {
  "$FORKMILL_PYTHON" -c 'import numpy'
  [ -x "$FORKMILL_BENCH/forkmill-bench-vips-kernels" ] || "$FORKMILL_PYTHON" -c 'import cv2' || skip "neither OpenCV nor libvips"
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/kernels.sh" --quick >table
  [ "$(grep -cE '^\| [a-z][^|]* \| [0-9]+ \| ([0-9]+|-) \| ([0-9]+|-) \| (\*\*[0-9.]+\*\*|-) \| [0-9.]+ \|$' table)" -eq 13 ]
  [ "$(grep -cE '^\| [^|]* \| [0-9]+ \| .* \| \*\*[0-9.]+\*\* \| [0-9.]+ \|$' table)" -ge 12 ]
  grep -q '^memcpy: [0-9]* MP/s.$' table
}

@test "a slow file is slow by the time asked for, once for each read of data" {
  cd "$BATS_TEST_TMPDIR"
  mkdir slow swift
  echo text >slow/file
  echo text >swift/file
  shim=$FORKMILL_BENCH/libforkmill-slow-read.so
  under=$(realpath slow)
  reading='import os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDONLY)
start = time.monotonic()
assert os.read(descriptor, 100) == b"text\n"
middle = time.monotonic()
assert os.read(descriptor, 100) == b""
print(int(1000 * (middle - start)), int(1000 * (time.monotonic() - middle)))'
  read -r data end < <(SLOW_READ_UNDER=$under SLOW_READ_MS=1500 LD_PRELOAD=$shim "$FORKMILL_PYTHON" -c "$reading" slow/file)
  [ "$data" -ge 1500 ]
  [ "$end" -lt 1500 ]
  read -r data end < <(SLOW_READ_UNDER=$under SLOW_READ_MS=1500 LD_PRELOAD=$shim "$FORKMILL_PYTHON" -c "$reading" swift/file)
  [ "$data" -lt 1500 ]
}

@test "the scripts refuse what they do not know" {
  cd "$BATS_TEST_TMPDIR"
  for script in run ipc csv codec peers kernels; do
    code=0
    "$FORKMILL_ROOT/bench/$script.sh" --slowly 2>err || code=$?
    [ "$code" -eq 1 ]
    grep -q "^Usage: bench/$script.sh" err
  done
}

@test "csv.sh has a row for each way to write a number" {
  "$FORKMILL_PYTHON" -c 'import numpy'
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/csv.sh" --quick >table
  for kind in repr savetxt short whole; do
    [ "$(rows "$kind-1000.csv \|( [0-9.]+ \|){3} ([0-9]+|-) \| \*\*[0-9.]+\*\* \([0-9.]+\)( \| [0-9]+){2}")" -eq 1 ]
  done
}

@test "safety.sh has a row for each thing that can be left out, and for skipping" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/safety.sh" --generated --rounds 1 --icons 40 --photos 2 >table
  for inputs in "40 icons to 32 x 32" "2 photographs of 1 MP to half"; do
    for with in "the journal" "the sandbox" supervision "\*\*all three\*\*" "processes in place of threads"; do
      [ "$(rows "$inputs \| $with \| [0-9.]+ \| [0-9.]+ \| [-0-9.]+")" -eq 1 ]
    done
  done
  [ "$(grep -cE '^\| (40 icons|2 photographs of 1 MP) \| [0-9.]+ \| [0-9.]+ \|$' table)" -eq 2 ]
}

@test "io.sh has a row for each kind of input, in memory and not" {
  "$FORKMILL" doctor | grep -q '^  io_uring  *yes' || skip "no io_uring"
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/io.sh" --quick >table
  for inputs in "40 icons to 32 x 32" "2 photographs of 1 MP to half"; do
    [ "$(rows "$inputs, (warm|cold)( \| [0-9.]+ \| [0-9.]+ \| \*\*[0-9.]+\*\*){2}")" -eq 2 ]
  done
}

@test "scaling.sh has a row for each job" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/scaling.sh" --quick copy "invert sobel" >table
  [ "$(rows '`copy invert sobel` \|( [0-9.]+ \|){4} -')" -eq 1 ]
  "$FORKMILL_ROOT/bench/scaling.sh" --quick copy >table
  [ "$(rows '`copy` \|( [0-9.]+ \|){4} [0-9.]+')" -eq 1 ]
}

@test "overhead.sh has a row for each job on each kind of picture" {
  cd "$BATS_TEST_TMPDIR"
  "$FORKMILL_ROOT/bench/overhead.sh" --quick >table
  for job in "encoded anew" grayscale resize:scale=0.5 gaussblur:sigma=2; do
    [ "$(rows "[0-9]+ (icons|photographs of 1 MP) \| $job( \| [0-9.]+){5} \| -?[0-9]+ \| -?[0-9]+")" -eq 2 ]
  done
}
