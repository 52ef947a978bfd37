# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Shared by the bench scripts: sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
# shellcheck disable=SC2034 # used by the scripts that source this
forkmill=${FORKMILL:-build/release/forkmill}
generate=${FORKMILL_GENERATE:-build/release/datasets/forkmill-generate}
# shellcheck disable=SC2034
bench=${FORKMILL_BENCH:-build/release/bench}
work=${FORKMILL_BENCH_WORK:-build/bench}

die() {
  echo "$*" >&2
  exit 1
}

# What is measured again must be done again.
export FORKMILL_JOURNAL=${FORKMILL_JOURNAL-false}

# Sets a variable for each flag: quick=yes for --quick, rounds=N for --rounds N, most_mp=N for --most-mp N. The words of
# USAGE say which there are; what is no flag goes to the array `rest` where USAGE ends in "...]".
# shellcheck disable=SC2034
flags() { # USAGE ARGUMENT...
  local usage=$1 name
  shift
  save=no quick=no rest=()
  while [ $# -gt 0 ]; do
    name=${1#--}
    name=${name//-/_}
    if [[ $1 == --* && $usage == *"[$1]"* ]]; then
      printf -v "$name" yes
    elif [[ $1 == --* && $usage == *"[$1 "* ]]; then
      [ $# -gt 1 ] || die "$1 takes a value"
      printf -v "$name" %s "$2"
      shift
    elif [[ $1 != -* && $usage == *"...]" ]]; then
      rest+=("$1")
    else
      die "Usage: bench/$(basename "$0") $usage"
    fi
    shift
  done
}

# Builds, unless all that would be built was given.
prepare() {
  mkdir -p "$work"
  if [ -n "${FORKMILL-}" ] && [ -n "${FORKMILL_GENERATE-}" ] && [ -n "${FORKMILL_BENCH-}" ]; then
    return
  fi
  datasets/setup.sh build bench
  cmake --preset release >/dev/null
  cmake --build --preset release -j2 >/dev/null
}

# Generates once; a name says what is inside.
pictures() { # NAME KIND GENERATOR-ARGUMENTS...
  local name=$1
  shift
  if [ ! -d "$work/$name" ]; then
    rm -rf "$work/$name.part"
    "$generate" "$@" "$work/$name.part"
    mv "$work/$name.part" "$work/$name"
  fi
}

# Debian's or Ubuntu's own where there is one: a version manager's may be any.
system_python() {
  if [ -x /usr/bin/python3 ]; then
    echo /usr/bin/python3
  else
    command -v python3
  fi
}

# One line each: what a figure means nothing without.
environment() {
  echo "- machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores allowed," \
    "$(awk '/MemTotal/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo), Linux $(uname -r)"
  echo "- load before: $(cut -d ' ' -f 1-3 /proc/loadavg)"
  echo "- compiler: $(cc --version | head -n 1), release preset"
  echo "- libpng $(pkg-config --modversion libpng), zlib $(pkg-config --modversion zlib)"
  echo "- forkmill: $(git describe --always --dirty 2>/dev/null || echo "no git")"
}

# Of the numbers on stdin, a line each.
median() {
  sort -g | awk '{v[NR] = $1} END {if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'
}

# Seconds that a command takes; its output goes to a log that is shown when it fails.
seconds() { # COMMAND...
  local started ended
  started=$(date +%s%N)
  "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    return 1
  }
  ended=$(date +%s%N)
  awk -v ns=$((ended - started)) 'BEGIN {printf "%.3f\n", ns / 1e9}'
}

# Prints stdin, and keeps it as bench/results/NAME.md when the script was started with --save.
report() { # NAME
  if [ "${save-no}" = yes ]; then
    # Under its name when it is whole: a result that is being written makes the revision look changed.
    tee "bench/results/$1.md.part"
    mv "bench/results/$1.md.part" "bench/results/$1.md"
  else
    cat
  fi
}
