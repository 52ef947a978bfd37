#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole suite, from a fresh machine: installs what it needs, builds with both compilers and under the sanitizers,
# runs every test, and ends with the closing lines of ctest. Exit 1 when anything failed.
#
# FORKMILL_CORPUS=DIR names a directory of conformance files for the tests that can use one.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
cd "$root" || exit 1

failed=()
table=()

phase() { # NAME COMMAND...
  local name=$1 started=$SECONDS verdict=ok
  shift
  echo "== $name"
  if ! "$@"; then
    verdict=FAILED
    failed+=("$name")
  fi
  table+=("$(printf '%-28s %5d s  %s' "$name" $((SECONDS - started)) "$verdict")")
  [ $verdict = ok ]
}

# Where ccache is there, what was compiled before, in this clone or another, is not compiled again. What was not, is
# not preprocessed twice.
if command -v ccache >/dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
fi

build_preset() { # PRESET [TARGET...]
  local preset=$1
  shift
  cmake --preset "$preset" >/dev/null && cmake --build --preset "$preset" -j2 --target "${@:-all}"
}

# Also for what clang says of loops that it could not vectorise.
build_clang() {
  CC=clang cmake -G Ninja -B build/clang -DFORKMILL_WERROR=ON -DCMAKE_BUILD_TYPE=Debug >/dev/null &&
    cmake --build build/clang -j2 --target forkmill forkmill-generate
}

# Only here is the OpenMP runtime that of LLVM and the main process fenced in.
suite_clang() {
  FORKMILL=$root/build/clang/forkmill FORKMILL_GENERATE=$root/build/clang/datasets/forkmill-generate \
    FORKMILL_ROOT=$root FORKMILL_PYTHON=$(command -v python3) bats --filter OpenMP tests/cli/own_files.bats
}

install_release() {
  rm -rf build/installed
  cmake --install build/release --prefix "$root/build/installed" >/dev/null && test -x build/installed/bin/forkmill
}

# Where addresses are spread further than ThreadSanitizer of gcc 12 expects, it stops at once; a container may forbid
# to turn that off.
plain_addresses() {
  if setarch -R true 2>/dev/null; then
    setarch -R "$@"
  else
    "$@"
  fi
}

# Four at a time for two processors, since many tests wait more than they work.
suite() { # PRESET CTEST-ARGUMENTS...
  local preset=$1
  shift
  ctest --test-dir "build/$preset" --output-on-failure --no-label-summary --no-tests=error -j4 "$@"
}

# What gcc 13 and clang 15 look for by themselves has to be asked of those before. Comparisons with other tools are
# about values, and what is labelled plain is about what processes do to each other and what a run says.
suite_asan() {
  ASAN_OPTIONS=detect_stack_use_after_return=1 suite asan -LE 'rules|docs|memcheck|slow|reference|plain'
}

phase "set-up" datasets/setup.sh build tests || exit 1
phase "build with clang" build_clang && phase "OpenMP of clang" suite_clang
phase "build for release" build_preset release forkmill manual && phase "install" install_release
phase "build for asan, with clang" build_preset asan &&
  phase "tests under asan" suite_asan
phase "build for tsan" build_preset tsan threads_tests &&
  phase "tests under tsan" plain_addresses ctest --test-dir build/tsan --output-on-failure --no-label-summary \
    --no-tests=error -j4 -L threads
phase "build for dev" build_preset dev || {
  printf '%s\n' "" "${table[@]}" "FAILED: ${failed[*]}"
  exit 1
}

echo
printf '%s\n' "${table[@]}"
[ -n "${FORKMILL_CORPUS-}" ] || echo "FORKMILL_CORPUS is not set: the tests of conformance files will say skipped."
echo
phase "tests of dev" suite dev
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
