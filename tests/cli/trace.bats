#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where time goes: --trace, SIGUSR1, and the word about an item near its timeout.
# ctest labels: plain long

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

generate() { "$FORKMILL_GENERATE" "$@" >/dev/null; }

check() { "$FORKMILL_PYTHON" -B "$FORKMILL_ROOT/tests/cli/check_trace.py" "$@"; }

forkmill() { "$FORKMILL" "$@"; }

# Waits until a run in the background has made a file in the directory.
begun() { # DIRECTORY
  until compgen -G "$1/*" >/dev/null; do sleep 0.05; done
}

# A name as this build has OpenMP or not.
engines() {
  echo process thread serial
  if ! "$FORKMILL" doctor | grep -q '^  runtime .*not in this build'; then echo openmp; fi
}

@test "every item has its slices on every engine, and the outputs are those of a run without a trace" {
  generate photo --count 8 --width 160 --height 120 in
  generate icons --count 40 in
  forkmill run -q -i in -o plain -s gaussblur:sigma=1
  for engine in $(engines); do
    forkmill run -q -i in -o "out-$engine" --engine "$engine" -w 3 -s gaussblur:sigma=1 --trace "$engine.json"
    diff -r plain "out-$engine"
    workers=3
    if [ "$engine" = serial ]; then workers=1; fi
    check "$engine.json" --steps decode,gaussblur,encode --done 48 --died 0 --workers $workers \
      --counters "queue main,queue writer,memory in flight,items in flight"
  done
}

@test "the tracks have the names of workers, pools and threads" {
  generate photo --count 2 --width 40 --height 30 in
  forkmill run -q -i in -o out -w 1 -s invert -s pool:name=second,workers=2 -s flip --trace t.json
  check t.json --steps decode,invert,flip,encode --done 2 --workers 3 --counters "queue second"
  for name in supervisor reader writer "worker 0 (pool main)" "worker 1 (pool second)" "worker 2 (pool second)"; do
    grep -qF "\"args\":{\"name\":\"$name\"}" t.json
  done
  for slice in list open admit-wait read queue-wait write; do
    grep -qF "{\"name\":\"$slice\",\"ph\":\"X\"" t.json
  done
}

@test "a team that shares rows shows who did which" {
  if [[ "$(engines)" != *openmp* ]]; then skip "built without OpenMP"; fi
  generate photo --count 3 --width 400 --height 400 in
  forkmill run -q -i in -o out --engine openmp --split rows -w 2 -s gaussblur:sigma=2 --trace t.json
  run -0 check t.json --steps decode,gaussblur,encode --done 3
  [[ "$output" =~ rows=[1-9] ]]
}

@test "a killed worker's slice ends with the moment of its death, and the item comes again" {
  generate photo --count 20 --width 40 --height 30 in
  run -0 forkmill run -i in -o out -w 2 -s fail:kind=kill,rate=0.3,attempts=1 --trace t.json --json
  deaths=$(grep -c '"name":"died"' t.json)
  [ "$deaths" -ge 1 ]
  check t.json --steps decode,fail,encode --done 20 --died "$deaths"
  # Those that the dead had claimed or finished come again as well.
  [ "$(grep -c '"name":"retry","ph":"i"' t.json)" -ge "$deaths" ]
  [ "$(grep '"name":"died"' t.json | grep -c 'its worker was killed by SIGKILL')" -eq "$deaths" ]
}

@test "an item that failed has its slices up to the stage that failed" {
  generate photo --count 2 --width 40 --height 30 in
  run -1 forkmill run -i in -o out -w 1 -s fail --trace t.json
  check t.json --steps decode,fail,encode --done 0
  [ "$(grep -c '"name":"fail","ph":"X"' t.json)" -eq 2 ]
  [ "$(grep -c '"name":"failed","ph":"X"' t.json)" -eq 2 ]
  run -1 grep -c '"name":"encode"' t.json
}

@test "names of any bytes are in it, long ones by their end" {
  mkdir in
  generate icons --count 1 made
  cp made/icons/000/*.png $'in/quote" \xff back\\slash.png'
  long=$(printf 'x%.0s' $(seq 200))
  cp made/icons/000/*.png "in/$long-end.png"
  forkmill run -q -i in -o out --trace t.json
  check t.json --steps decode,encode --done 2
  grep -qF '"item":"in/quote\" \\xff back\\slash.png"' t.json
  grep -q '"item":"\.\.\.x*-end.png"' t.json
}

@test "a place that cannot be written is said before the run" {
  generate photo --count 1 --width 40 --height 30 in
  run -5 forkmill run -i in -o out --trace missing/t.json
  [ "$output" = "forkmill: trace: missing/t.json: No such file or directory" ]
  [ -z "$(find out -type f)" ]
  mkdir directory
  run -5 forkmill run -i in -o out --trace directory
  run -2 forkmill run -i in -o out --trace in
}

@test "a file that is no trace is not replaced" {
  generate photo --count 1 --width 40 --height 30 in
  before=$(sha256sum in/photo/000/*.png)
  run -2 forkmill run -i in -o out --trace in/photo/000/photo-000000.png
  [ "$output" = "forkmill: in/photo/000/photo-000000.png is an input, and would be replaced" ]
  echo in/photo/000/photo-000000.png >list
  run -2 forkmill run --files-from list -o out --trace in/photo/000/photo-000000.png
  [ "$output" = "forkmill: in/photo/000/photo-000000.png is an input, and would be replaced" ]
  run -2 forkmill run --files-from - -o out --trace in/photo/000/photo-000000.png <list
  grep -qF "holds something else, which is not replaced" <<<"$output"
  [ "$before" = "$(sha256sum in/photo/000/*.png)" ]
  forkmill run -q -i in -o out --trace t.json
  forkmill run -q -i in -o out --trace t.json
  check t.json --steps decode,encode --done 1
}

@test "a trace that is called like an output is refused before work, unless the inputs cannot be listed" {
  generate photo --count 1 --width 40 --height 30 in
  one=photo/000/photo-000000.png
  for trace in "out/$one" "out/new/../$one"; do
    run -2 forkmill run -i in -o out --trace "$trace"
    [ "$output" = "forkmill: in/$one would make out/$one, which is the file that trace writes" ]
    [ ! -e out ]
  done
  run -2 forkmill run -i "in/$one" -o . --save-name t.json.png --trace t.json.png
  [ ! -e t.json.png ]
  mkdir -p out/in/photo/000
  run -1 forkmill run --files-from - -o out --trace "out/in/$one" --json <<<"in/$one"
  grep -qF "in/$one: its output would be the file that trace writes" <<<"$output"
  grep -q process_name "out/in/$one"
  run -2 forkmill run -i in -o out -s hash --collect-file t.csv --trace ./t.csv
  [ "$output" = "forkmill: t.csv would be written twice" ]
}

@test "a full disk costs the trace and nothing else" {
  generate photo --count 3 --width 40 --height 30 in
  run -0 forkmill run -q -i in -o out --trace /dev/full
  [ "$output" = "trace: /dev/full is not complete: No space left on device" ]
  [ "$(find out -name '*.png' | wc -l)" -eq 3 ]
}

@test "a dry run makes no trace" {
  generate photo --count 1 --width 40 --height 30 in
  forkmill run --dry-run -i in -o out --trace t.json
  [ ! -e t.json ]
}

@test "an interrupted run leaves a whole trace, a killed one all but its end" {
  generate photo --count 40 --width 40 --height 30 in
  "$FORKMILL" run -q -i in -o out -w 1 -s sleep:ms=100 --trace t.json &
  begun out
  sleep 0.3
  kill -TERM $!
  code=0
  wait $! || code=$?
  [ "$code" -eq 143 ]
  check t.json --steps decode,sleep,encode
  grep -q '"name":"stop"' t.json
  "$FORKMILL" run -q -i in -o again -w 1 -s sleep:ms=100 --trace t.json 2>/dev/null &
  begun again
  sleep 1.5
  kill -KILL $!
  wait $! || true
  # The array form may lack its end; up to the last line that is whole it is as before.
  sed '$d' t.json | sed '$s/,$/]/' >mended.json
  check mended.json --steps decode,sleep,encode
  grep -q '"name":"sleep"' mended.json
}

@test "SIGUSR1 is answered with what every worker is doing, on every engine" {
  generate photo --count 4 --width 40 --height 30 in
  for engine in $(engines); do
    : >err
    "$FORKMILL" run -q -i in -o "out-$engine" --engine "$engine" --split items -w 2 -s sleep:ms=800 2>err &
    # Asked until both are at work: how long it takes to begin is the machine's affair.
    until grep -qE "^worker 0 \(pool main, (pid|thread) [0-9]+\): sleep of in/photo/000/photo-00000[0-3].png for [0-9.]+ m?s" err &&
      { [ "$engine" = serial ] || grep -q "^worker 1 .*: sleep of " err; }; do
      sleep 0.2
      if [ -d "out-$engine" ]; then kill -USR1 $!; fi
    done
    grep -qE "^queue main [0-9]+ of 16, queue writer 0 of 16$" err
    grep -qE "^in flight: [1-4] items?, [0-9.]+ .iB of 2 GiB$" err
    wait $!
  done
}

@test "the process that SIGUSR1 names for a worker is that worker" {
  generate photo --count 1 --width 40 --height 30 in
  "$FORKMILL" run -q -i in -o out -w 1 --retries 1 -s sleep:ms=1500 2>err &
  until grep -q "^worker 0 .*: sleep of " err; do
    sleep 0.1
    if [ -d out ]; then kill -USR1 $!; fi
  done
  # It may have answered more than once.
  pid=$(sed -n 's/^worker 0 (pool main, pid \([0-9]*\)): sleep of .*/\1/p' err | head -n 1)
  kill -KILL "$pid"
  until grep -q "attempt 2" err; do
    sleep 0.1
    kill -USR1 $!
  done
  wait $!
  [ -e out/photo/000/photo-000000.png ]
}

@test "SIGUSR1 never ends a run that has begun, however late it comes" {
  generate photo --count 30 --width 80 --height 60 in
  "$FORKMILL" run -q -i in -o out 2>err &
  until [ -d out ]; do :; done
  while kill -USR1 $! 2>/dev/null; do :; done
  wait $!
  [ "$(find out -name '*.png' | wc -l)" -eq 30 ]
}

@test "an item near its timeout is told once, before its worker is killed" {
  generate photo --count 1 --width 40 --height 30 in
  run -1 forkmill run -i in -o out -w 2 --retries 0 --timeout 1s -s fail:kind=hang --trace t.json
  [ "$(grep -cE '^worker [01] \(pool main, pid [0-9]+\): fail of in/photo/000/photo-000000.png for (0\.[89]|1\.0)[0-9]* s.*; timeout is 1.00? s$' <<<"$output")" -eq 1 ]
  check t.json --died 1
  grep '"name":"died"' t.json | grep -q 'held its worker longer than timeout 1 s'
}

@test "where nothing ends it is said what each worker holds, ever more rarely" {
  generate photo --count 3 --width 40 --height 30 in
  for engine in process thread; do
    run -0 forkmill run -i in -o out-$engine -w 2 --engine $engine --stall-warning 500ms -s sleep:ms=2400
    # After 0.5, 1 and 2 seconds, while the first two are at work, and again with the third.
    [ "$(grep -cE '^no item has ended for (0\.5|1|2)[0-9.]* s$' <<<"$output")" -ge 3 ]
    [ "$(grep -cE '^worker [01] \(pool main, (pid|thread) [0-9]+\): sleep of in/photo/000/photo-00000[012].png for [0-9.]+ s' <<<"$output")" -ge 6 ]
  done
  run -0 forkmill run -i in -o quiet -w 2 --stall-warning 0 -s sleep:ms=700
  [[ $output != *"no item has ended"* ]]
}
