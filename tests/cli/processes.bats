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

# Runs, and looks all the while. Sets the most that was ever seen: $threads of the main process, its $children,
# $workers as children of those, and $worker_threads of any of them.
watch() { # FLAG...
  local main child worker count
  threads=0 children=0 workers=0 worker_threads=0
  # LeakSanitizer looks at the process from a child at the end.
  ASAN_OPTIONS=detect_leaks=0 "$FORKMILL" run -q -o out --readahead 0 "$@" &
  main=$!
  while kill -0 $main 2>/dev/null; do
    count=$(tasks $main)
    threads=$((count > threads ? count : threads))
    mapfile -t child < <(pgrep -P $main)
    children=$((${#child[@]} > children ? ${#child[@]} : children))
    if [ ${#child[@]} -gt 0 ]; then
      mapfile -t worker < <(pgrep -P "$(IFS=,; echo "${child[*]}")")
      workers=$((${#worker[@]} > workers ? ${#worker[@]} : workers))
      for one in "${worker[@]}"; do
        count=$(tasks "$one")
        worker_threads=$((count > worker_threads ? count : worker_threads))
      done
    fi
    sleep 0.005
  done
  wait $main
  echo "$*: threads $threads, children $children, workers $workers, threads of a worker $worker_threads"
}

icons() { watch -i "$BATS_FILE_TMPDIR/in" -s sleep:ms=100 --batch 1 "$@"; }

@test "engine openmp has no child, and as many threads as workers were asked for" {
  # Beside the team there are the main thread, the reader and the writer.
  for asked in 1 3 8; do
    icons --engine openmp --split items -w $asked
    [ "$threads $children" = "$((asked + 3)) 0" ]
    watch -i "$BATS_FILE_TMPDIR/large" --engine openmp --split rows -w $asked -s gaussblur:sigma=20 -s sleep:ms=300
    [ "$threads $children" = "$((asked + 3)) 0" ]
  done
}

@test "what the environment says to OpenMP does not change the size of the team" {
  export OMP_NUM_THREADS=7 OMP_DYNAMIC=true
  icons --engine openmp --split items -w 3
  [ "$threads $children" = "6 0" ]
}

@test "engine process has its workers, one thread in each, and no thread of a team" {
  for asked in 1 3; do
    icons --engine process -w $asked
    [ "$threads $children $workers $worker_threads" = "3 1 $asked 1" ]
  done
  OMP_NUM_THREADS=7 icons --engine process -w 2 --split rows
  [ "$threads $children $workers $worker_threads" = "3 1 2 1" ]
}

@test "engines thread and serial have no child either" {
  icons --engine thread -w 3
  [ "$threads $children" = "6 0" ]
  watch -i "$BATS_FILE_TMPDIR/large" --engine serial -w 3 -s sleep:ms=300
  [ "$threads $children" = "2 0" ]
}
