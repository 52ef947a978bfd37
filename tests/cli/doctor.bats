#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# forkmill doctor: what it says is compared with what the machine's own tools say.
# ctest labels: plain

bats_require_minimum_version 1.5.0

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
}

# The value, or with "text" or "verdict" that, of a fact.
fact() { # GROUP NAME [KEY]
  "$FORKMILL" doctor --json | "$FORKMILL_PYTHON" -c '
import json, sys
fact = json.load(sys.stdin)["facts"][sys.argv[1]][sys.argv[2]]
print(fact[sys.argv[3] if len(sys.argv) > 3 else "value"])' "$@"
}

@test "a machine that runs this suite is found fit, in words and in JSON" {
  run -0 "$FORKMILL" doctor
  grep -qx "A run with default settings works here." <<<"$output"
  grep -q "^  default run .*2 workers forked and ended in " <<<"$output"
  "$FORKMILL" doctor --json | "$FORKMILL_PYTHON" -c '
import json, sys
report = json.load(sys.stdin)
assert report["works"] is True and report["problems"] == 0
facts = report["facts"]
assert set(facts) == {"program", "OpenMP", "cpu", "memory", "limits", "kernel", "trial"}, facts.keys()
for group in facts.values():
    for fact in group.values():
        assert fact["verdict"] in ("fact", "warning") and fact["text"]
        assert fact["value"] is None or isinstance(fact["value"], int)
warnings = sum(fact["verdict"] == "warning" for group in facts.values() for fact in group.values())
assert warnings == report["warnings"]'
}

@test "the instructions are the best that the processor has and the compiler can choose" {
  local expected="x86-64 baseline (SSE2)" flags
  [ "$(uname -m)" = x86_64 ] || skip "not x86-64"
  flags=" $(sed -n 's/^flags[[:space:]]*: //p' /proc/cpuinfo | head -n 1) "
  [[ $flags != *" avx2 "* ]] || expected="AVX2"
  if [[ $flags == *" avx512f "* && $flags == *" avx512bw "* && $flags == *" avx512cd "* &&
    $flags == *" avx512dq "* && $flags == *" avx512vl "* && $(fact program compiler text) == gcc* ]]; then
    expected="AVX2 and AVX-512"
  fi
  [ "$(fact program instructions text)" = "$expected" ]
}

@test "every fact in words is in the JSON as well" {
  "$FORKMILL" doctor | sed -n 's/^  \(.\{16\}\) .*/\1/p' | sed 's/ *$//' | sort >words
  "$FORKMILL" doctor --json | "$FORKMILL_PYTHON" -c '
import json, sys
for group in json.load(sys.stdin)["facts"].values():
    for name in group:
        print(name)' | sort >json
  diff words json
  [ "$(wc -l <words)" -ge 20 ]
}

@test "processors and memory are what other tools count" {
  [ "$(fact cpu online)" -eq "$(getconf _NPROCESSORS_ONLN)" ]
  [ "$(fact cpu affinity)" -eq "$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)" ]
  [ "$(taskset -c 0 "$FORKMILL" doctor --json | grep -A1 '"affinity"' | grep -c '"value": 1,')" -eq 1 ]
  [ "$(fact memory '/dev/shm size')" -eq "$(df --output=size -B1 /dev/shm | tail -1)" ]
  [ "$(fact kernel release text)" = "$(uname -srm)" ]
}

@test "more workers than processors are told" {
  taskset -c 0 "$FORKMILL" doctor | grep -qE '^  default workers +warning: 2 processes x 1 thread, for 1 CPU: they take turns'
}

@test "limits are those of the shell that started it" {
  (
    ulimit -n 50
    ulimit -u 54321 2>/dev/null || true
    [ "$(fact limits descriptors)" -eq 50 ]
    [ "$(fact limits descriptors verdict)" = warning ]
    [ "$(fact limits processes text)" = "$(ulimit -u)" ]
  )
}

@test "what keeps a run from working is a problem, exit 1, and the run says the same" {
  mkdir in
  "$FORKMILL_GENERATE" icons --count 1 in >/dev/null
  # Too few descriptors for the shared memory and the fork server.
  code=0
  prlimit --nofile=5 "$FORKMILL" doctor >out 3>&- 4>&- 5>&- || code=$?
  [ "$code" -eq 1 ]
  grep -qE '^  default run +problem: .*Too many open files$' out
  grep -qx "A run with default settings would not work here." out
  prlimit --nofile=5 "$FORKMILL" doctor --json >json 3>&- 4>&- 5>&- || true
  grep -q '"works": false' json
  # A sanitizer reserves terabytes itself.
  if (ulimit -v 300000 && "$FORKMILL" --version) >/dev/null 2>&1; then
    code=0
    (
      ulimit -v 300000
      "$FORKMILL" doctor >out
    ) || code=$?
    [ "$code" -eq 1 ]
    grep -qE '^  default run +problem: cannot reserve .* of address space' out
    grep -qE '^  address space +warning: ' out
    code=0
    (
      ulimit -v 300000
      "$FORKMILL" run -q -i in -o made
    ) || code=$?
    [ "$code" -eq 75 ]
    # With more it lowers what it reserves, and says so.
    (
      ulimit -v 4000000
      "$FORKMILL" doctor >out
      "$FORKMILL" run -q -i in -o made
    )
    grep -qE '^  default memory +warning: .*: lowered, as address space is limited$' out
  fi
}

@test "a limit of file size is a problem that is told, not a signal that kills" {
  mkdir in
  "$FORKMILL_GENERATE" icons --count 1 in >/dev/null
  code=0
  (
    ulimit -f 1000
    "$FORKMILL" doctor >out
  ) || code=$?
  [ "$code" -eq 1 ]
  grep -qE '^  default run +problem: .*File too large \(ulimit -f\)$' out
  code=0
  (
    ulimit -f 1000
    "$FORKMILL" run -q -i in -o made 2>err
  ) || code=$?
  [ "$code" -eq 75 ]
  grep -q "File too large" err
}

@test "OpenMP variables that matter are shown with what they do" {
  if "$FORKMILL" doctor | grep -q '^  runtime .*not in this build'; then skip "built without OpenMP"; fi
  export OMP_NUM_THREADS=7 OMP_THREAD_LIMIT=3 OMP_PROC_BIND=true
  run -0 "$FORKMILL" doctor
  grep -qE '^  OMP_NUM_THREADS +7 \(without effect: workers says how many\)$' <<<"$output"
  grep -qE '^  OMP_THREAD_LIMIT +warning: 3: engine openmp gets no more threads' <<<"$output"
  grep -qE '^  OMP_PROC_BIND +true$' <<<"$output"
  grep -qE '^  runtime .*never more than 3$' <<<"$output"
}

@test "words and flags it does not know are refused" {
  run -2 "$FORKMILL" doctor now
  run -2 "$FORKMILL" doctor --jsno
  grep -qF "did you mean '--json'?" <<<"$output"
  run -0 "$FORKMILL" doctor --help
  run -0 "$FORKMILL" help
  grep -q "forkmill doctor \[--json\]" <<<"$output"
}

@test "-v of a run says processes x threads and the processors allotted" {
  mkdir in
  "$FORKMILL_GENERATE" icons --count 1 in >/dev/null
  cpus=$(fact cpu allotted)
  run -0 "$FORKMILL" run -v -i in -o out -w 3
  grep -qE "^3 processes x 1 thread, $cpus CPUs? allotted" <<<"$output"
  [[ $output == *"pool main: 3 workers (-w)"* ]]
  run -0 "$FORKMILL" run -v -i in -o own -w 9 -s pool:workers=2 -s pool
  [[ $output == *"pool main: 2 workers (its own)"* && $output == *"pool pool2: 9 workers (-w)"* ]]
  run -0 "$FORKMILL" run -v -i in -o out -w 2 --engine thread
  grep -qE "^1 process x 2 threads, $cpus CPUs? allotted" <<<"$output"
  run -0 taskset -c 0 "$FORKMILL" run -v -i in -o out -w 2
  grep -qx "2 processes x 1 thread, 1 CPU allotted: they take turns" <<<"$output"
}
