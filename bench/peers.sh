#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# forkmill beside libvips, OpenCV, Pillow, ImageMagick and GraphicsMagick: five jobs on four corpora, PNG in and PNG
# out or JPEG in and JPEG out, two processes each. The whole takes half an hour; OpenCV alone, a few minutes.
#
#   bench/peers.sh [--save] [--quick] [--rounds N] [--corpora LIST] [--jobs LIST] [--peers LIST]
#
# Lists have commas: --corpora icons,art,photos,jpeg --jobs thumbnail,half,blur,gray,encode
# --peers opencv,libvips,vipsthumbnail,pillow,imagemagick,graphicsmagick. A corpus may also be a directory;
# jpeg is made of the photographs.
#
# FORKMILL_BENCH_OUT names the directory that outputs go to, build/bench where it is not set. For icons it had better be
# a tmpfs: ext4 makes thousands of files at half the speed for some seconds after as many were removed.
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=5 corpora=icons,art,photos,jpeg jobs=thumbnail,half,blur,gray,encode
peers=opencv,libvips,vipsthumbnail,pillow,imagemagick,graphicsmagick
flags "[--save] [--quick] [--rounds N] [--corpora LIST] [--jobs LIST] [--peers LIST]" "$@"
# A peer that takes so many times as long as forkmill in the first run is not run again: a second more or less
# changes nothing.
hopeless=5
PYTHON=$(system_python)
# With all that a user has: journal, sandbox and supervision.
export FORKMILL_JOURNAL=true
export FORKMILL=$forkmill FORKMILL_BENCH=$bench PYTHON

# A corpus in one flat directory, as mogrify wants it; those for gray without alpha, which OpenCV would drop.
corpus() { # NAME-OR-DIRECTORY JOB; prints the directory
  local flat=$work/peers-${1##*/} source=$1
  if [ ! -d "$flat" ]; then
    if [ "$1" = jpeg ]; then
      convert jpeg "$(corpus photos encode)" "$flat"
    else
      [[ $1 == */* ]] || source=$(datasets/fetch.sh "$1")
      convert gather "$source" "$flat"
    fi
  fi
  if [ "$2" = gray ]; then
    [ -d "$flat-opaque" ] || convert flatten "$flat" "$flat-opaque"
    flat+=-opaque
  fi
  echo "$flat"
}

convert() { # gather|flatten|jpeg IN OUT
  rm -rf "$3.part"
  mkdir "$3.part"
  "$PYTHON" bench/peers/pictures.py "$1" "$2" "$3.part"
  mv "$3.part" "$3"
}

# Runs one job; prints "WALL_S CPU_S". Each writes to a directory of its own, and none is removed before the end.
once() { # WHO JOB IN
  local out TIMEFORMAT='%R %U %S'
  out=$(mktemp -d "$outs/$1-XXXXXX")
  { time bench/peers/one.sh "$1" "$2" "$3" "$out" >"$outs.log" 2>&1 || die "$1, $2: $(tail -n 3 "$outs.log")"; } 2>&1 |
    awk 'NF == 3 {print $1, $2 + $3; next} {print > "/dev/stderr"}'
}

# The first run, which warms the files up; prints "PEAK_BYTES OUT_BYTES FILES WALL_S CPU_S".
first() { # WHO JOB IN
  local out line peak wall cpu
  out=$(mktemp -d "$outs/$1-XXXXXX")
  line=$("$PYTHON" bench/peak.py -- bench/peers/one.sh "$1" "$2" "$3" "$out" 2>"$outs.log") ||
    die "$1, $2: $(tail -n 3 "$outs.log")"
  read -r peak _ _ wall cpu <<<"$line"
  echo "$peak $(find "$out" -type f \( -name '*.png' -o -name '*.jpg' \) -printf '%s\n' |
    awk '{s += $1} END {print s, NR}') $wall $cpu"
}

cell() { # CORPUS JOB; appends lines to $figures
  local in who peak out files wall cpu reference slow=" " contenders=(forkmill)
  in=$(corpus "$1" "$2")
  [ -z "$(find "$in" -name '*.png' -print -quit)" ] || contenders+=(forkmill-fastest) # of JPEG the same
  for who in ${peers//,/ }; do
    [ "$who" = vipsthumbnail ] && [ "$2" != thumbnail ] || contenders+=("$who")
  done
  for who in "${contenders[@]}"; do
    read -r peak out files wall cpu < <(first "$who" "$2" "$in")
    echo "${1##*/} $2 $who size $peak $out $files" >>"$figures"
    reference=${reference:-$wall}
    if awk -v a="$wall" -v b="$reference" -v n=$hopeless 'BEGIN {exit !(a > b * n)}'; then
      slow+="$who "
      echo "${1##*/} $2 $who time $wall $cpu" >>"$figures"
    fi
  done
  for ((round = 0; round < rounds; round++)); do
    for ((i = 0; i < ${#contenders[@]}; i++)); do
      # Each begins in turn, so that a machine that grows slower favours nobody.
      who=${contenders[(i + round) % ${#contenders[@]}]}
      [[ $slow != *" $who "* ]] || continue
      read -r wall cpu < <(once "$who" "$2" "$in")
      echo "${1##*/} $2 $who time $wall $cpu" >>"$figures"
    done
  done
  # Between cells, not runs: making files is slow for some seconds after others were removed.
  rm -rf "$outs"
  mkdir "$outs"
}

# Of the Debian packages that the others come from.
versions() {
  dpkg-query -W -f '${Package} ${Version}, ' libvips42 python3-opencv python3-pil imagemagick graphicsmagick 2>/dev/null |
    sed 's/, $//'
}

prepare
if [ "$quick" = yes ]; then
  rounds=1
fi
[[ ,$peers, != *,libvips,* || -x $bench/forkmill-bench-vips ]] || die "peers.sh: built without libvips-dev"
outs=$(mktemp -d "${FORKMILL_BENCH_OUT:-$work}/peers-out-XXXXXX")
figures=$work/peers.txt # left there, for a look at a run that was stopped
rm -f "$figures"
trap 'rm -rf "$outs" "$outs.log"' EXIT
for corpus in ${corpora//,/ }; do
  for job in ${jobs//,/ }; do cell "$corpus" "$job"; done
done
{
  echo "# forkmill and its peers"
  echo
  environment
  echo "- $("$PYTHON" bench/peers/pictures.py versions)"
  echo "- $(versions)"
  echo "- outputs go to $(stat -f -c %T "$outs")"
  echo "- \`bench/peers/one.sh\` has each command; two processes each; PNG to PNG with each tool's default compression, JPEG"
  echo "  to JPEG of quality 85"
  echo "- $rounds interleaved rounds after a first run of each; what takes more than $hopeless times as long as forkmill there"
  echo "  is not run again"
  echo "- grayscale: files without alpha; thumbnails of OpenCV are means of areas, softer than the others' and so smaller"
  echo
  "$PYTHON" bench/peers/table.py "$figures"
} | report peers
