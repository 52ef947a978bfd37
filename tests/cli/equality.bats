#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every engine gives the same outputs; the work is done by tests/equality.sh.
# ctest labels: slow stalls

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  equality=$FORKMILL_ROOT/tests/equality.sh
}

# A forkmill that spoils one output of the runs with a queue of 2; the reference is none of them.
make_spoiler() {
  cat >spoiler <<END
#!/bin/bash
"$FORKMILL" "\$@"
code=\$?
[[ "\$*" == *"--queue 2 "* ]] && printf x >>out/icons/000/icons-000000.png
exit \$code
END
  chmod +x spoiler
}

@test "one tree from every engine, worker count, queue, batch, pools and split, with and without stalls" {
  run -0 "$equality" quick
  echo "$output"
  [[ "${lines[-1]}" == "78 runs, 0 different from serial" ]]
}

@test "one tree though workers are killed all the while" {
  run -0 "$equality" killed
  echo "$output"
  [[ "${lines[-1]}" == "8 runs, "*" workers killed, 0 different from serial" ]]
}

@test "a tree that differs in a byte, a missing file or one too many is found and named" {
  mkdir -p a/x
  echo one >a/x/1
  echo two >a/x/2
  cp -r a b
  "$equality" compare a b
  printf 'twp\n' >b/x/2
  run -1 "$equality" compare a b
  [ "$output" = "Files a/x/2 and b/x/2 differ" ]
  rm b/x/2
  run -1 "$equality" compare a b
  [ "$output" = "Only in a/x: 2" ]
  cp a/x/2 b/x/2
  touch b/x/3
  run -1 "$equality" compare a b
  [ "$output" = "Only in b/x: 3" ]
  run ! "$equality" compare a missing
}

@test "a run that gives another byte fails the comparison, with its settings and the file" {
  make_spoiler
  FORKMILL=$PWD/spoiler run -1 "$equality" quick serial
  [ "${lines[-1]}" = "6 runs, 2 different from serial" ]
  [[ "$output" == *"engine serial, workers 1, queue 2, "* ]]
  [[ "$output" == *"out/icons/000/icons-000000.png differ"* ]]
}

@test "stalls take effect, and a malformed setting of them is refused" {
  "$FORKMILL_GENERATE" icons --count 30 in
  run_ms() {
    local before
    before=$(date +%s%N)
    FORKMILL_STALLS=$1 "$FORKMILL" run -q -i in -o out --engine serial 2>err
    [ ! -s err ]
    echo $((($(date +%s%N) - before) / 1000000))
  }
  # 30 items, at least 10 marked places each, half of them asleep for 5 ms on average.
  [ "$(run_ms 1:1000:10000)" -gt 500 ]
  for wrong in x 1:2:3:4 1:1001 1:1:1000001 "1: 5" 1: -1; do
    FORKMILL_STALLS=$wrong run -2 --separate-stderr "$FORKMILL" run -i in -o never
    # shellcheck disable=SC2154
    [[ "$stderr" == *"FORKMILL_STALLS: wants SEED"* ]]
  done
  [ ! -e never ]
}
