#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who is there while an engine works: threads of the main process, its children, their children and threads.

bats_require_minimum_version 1.5.0

setup_file() {
  cd "$BATS_FILE_TMPDIR" || return 1
  "$FORKMILL_GENERATE" icons --count 24 in
  "$FORKMILL_GENERATE" photo --count 2 --width 600 --height 400 large
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

tasks() { find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

# Runs until "THREADS CHILDREN WORKERS WORKER-THREADS" were seen three times one after the other: threads of the main
# process, its children, children of those, and most threads of one of them. At no time may any be more.
watch() { # WANTED FLAG...
  local wanted=$1 main child worker one count turn seen=0 now
  local -a most
  read -ra most <<<"$1"
  shift
  "$FORKMILL" run -q -o out --readahead 0 "$@" &
  main=$!
  for ((turn = 0; turn < 400 && seen < 3; turn++)); do
    now=("$(tasks $main)" 0 0 0)
    mapfile -t child < <(pgrep -P $main)
    now[1]=${#child[@]}
    if [ ${#child[@]} -gt 0 ]; then
      mapfile -t worker < <(pgrep -P "$(IFS=,; echo "${child[*]}")")
      now[2]=${#worker[@]}
      for one in "${worker[@]}"; do
        count=$(tasks "$one")
        now[3]=$((count > now[3] ? count : now[3]))
      done
    fi
    for one in 0 1 2 3; do
      [ "${now[one]}" -le "${most[one]}" ] || seen=-1000000
    done
    if [ "${now[*]}" = "$wanted" ]; then
      seen=$((seen + 1))
    elif [ "$seen" -gt 0 ]; then
      seen=0
    fi
    sleep 0.02
  done
  kill -KILL $main
  wait $main || true
  [ "$seen" -eq 3 ] || {
    echo "$*: ${now[*]} in place of $wanted, or more before"
    return 1
  }
}

# The kill ends what would sleep for long.
icons() { # WANTED FLAG...
  watch "$1" -i "$BATS_FILE_TMPDIR/in" -s sleep:ms=20000 --batch 1 "${@:2}"
}

@test "engine openmp has no child, and as many threads as workers were asked for" {
  # Beside the team there are the main thread, the reader and the writer.
  for asked in 1 3 8; do
    icons "$((asked + 3)) 0 0 0" --engine openmp --split items -w $asked
    watch "$((asked + 3)) 0 0 0" -i "$BATS_FILE_TMPDIR/large" --engine openmp --split rows -w $asked \
      -s gaussblur:sigma=20 -s sleep:ms=20000
  done
}

@test "what the environment says to OpenMP does not change the size of the team" {
  export OMP_NUM_THREADS=7 OMP_DYNAMIC=true
  icons "6 0 0 0" --engine openmp --split items -w 3
}

@test "engine process has its workers, one thread in each, and no thread of a team" {
  for asked in 1 3; do
    icons "3 1 $asked 1" --engine process -w $asked
  done
  OMP_NUM_THREADS=7 icons "3 1 2 1" --engine process -w 2 --split rows
}

@test "engines thread and serial have no child either" {
  icons "6 0 0 0" --engine thread -w 3
  watch "2 0 0 0" -i "$BATS_FILE_TMPDIR/large" --engine serial -w 3 -s sleep:ms=20000
}
