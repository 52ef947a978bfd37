#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Arrays against numpy: 64 arrays of 4 M float32, scaled and clipped to .npy, and their statistics to a table.
#
#   bench/arrays.sh [--save] [--rounds N] [--items N]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=5 items=64
flags "[--save] [--rounds N] [--items N]" "$@"

python=$(system_python)
scale=(-s "linear:a=1.5,b=-0.25" -s "clip:min=-1,max=1")
stats=(-s stats --save-format none)
data="$work/arrays-$items"

ours() { # JOB OUT
  case $1 in
    scale) "$forkmill" run -q -i "$data" -o "$2" -w 2 --memory 1GiB "${scale[@]}" ;;
    stats) "$forkmill" run -q -i "$data" -o "$2" -w 2 --memory 1GiB "${stats[@]}" --collect-file "$2.csv" ;;
  esac
}

once() { # WHO JOB; prints seconds
  # Outputs are written over those of the round before. Where the host gives a machine its memory page by page, a new
  # page costs ten times what filling it does; here each contender gives back as many as it takes.
  out="$work/arrays-out/$1-$2"
  mkdir -p "$out"
  case $1 in
    forkmill) seconds ours "$2" "$out" ;;
    *) seconds "$python" bench/arrays_peers.py "$1" "$2" "$data" "$out" 2 ;;
  esac
}

prepare
"$python" -c 'import numpy' || die "this needs Python with numpy: datasets/setup.sh bench"
[ -d "$data" ] || "$python" bench/arrays_peers.py make "$items" "$data"
rm -rf "$work/arrays-out"
mkdir -p "$work/arrays-out"
trap 'rm -rf "$work/arrays-out"' EXIT
who=(forkmill pool shared)
declare -A times
for job in scale stats; do
  for one in "${who[@]}"; do once "$one" $job >/dev/null; done
  "$python" bench/arrays_peers.py same "$work/arrays-out" $job
  for ((round = 0; round < rounds; round++)); do
    # Each begins in turn, so that a machine that grows slower favours nobody.
    for ((i = 0; i < 3; i++)); do
      one=${who[(i + round) % 3]}
      times[$one-$job]+="$(once "$one" $job) "
    done
  done
done

of() { # WHO JOB
  # shellcheck disable=SC2086 # a list
  printf '%s\n' ${times[$1-$2]} | median
}
peak() { # WHO JOB; MiB of all processes
  out="$work/arrays-out/peak"
  mkdir -p "$out"
  if [ "$1" = forkmill ]; then
    command=("$forkmill" run -q -i "$data" -o "$out" -w 2 --memory 1GiB "${scale[@]}")
  else
    command=("$python" bench/arrays_peers.py "$1" "$2" "$data" "$out" 2)
  fi
  "$python" bench/peak.py -- "${command[@]}" 2>&1 | tail -n 1
  rm -rf "$out"
}
{
  echo "# Arrays against numpy"
  echo
  environment
  echo "- numpy $("$python" -c 'import numpy; print(numpy.__version__)'), Python $("$python" -V | cut -d ' ' -f 2)"
  echo "- data: $items arrays of 4 M float32, 16 MiB each, in the page cache"
  echo "- scale: \`forkmill run -i IN -o OUT -w 2 --memory 1GiB ${scale[*]}\`; stats: \`... ${stats[*]} --collect-file T\`"
  echo "- pool: numpy.load, work, numpy.save in multiprocessing.Pool(2); shared: the same, work in place in shared_memory"
  echo "- $rounds interleaved rounds after one warm-up each; medians of wall time; results compared; outputs replaced"
  echo
  echo "| job | forkmill, s | pool, s | shared, s | pool / forkmill | shared / forkmill | all of forkmill's |"
  echo "| --- | --- | --- | --- | --- | --- | --- |"
  for job in scale stats; do
    a=$(of forkmill $job) b=$(of pool $job) c=$(of shared $job)
    echo "| $job | $a | $b | $c | $(awk -v a="$a" -v b="$b" 'BEGIN {printf "%.2f", b / a}') |" \
      "$(awk -v a="$a" -v c="$c" 'BEGIN {printf "%.2f", c / a}') | ${times[forkmill-$job]}|"
  done
  echo
  echo "Peak memory of all processes, scale: forkmill $(peak forkmill scale); pool $(peak pool scale)."
} | report arrays
