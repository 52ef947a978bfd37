#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long is a worker missing that was killed?
#
#   bench/recovery.sh [--save] [--quick] [--kills N]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kills=500 count=20000
flags "[--save] [--quick] [--kills N]" "$@"
[ "$quick" = no ] || count=2000

prepare
pictures icons-$count icons --count $count
rm -rf "$work/recovery-out"
trap 'rm -rf "$work/recovery-out"' EXIT

{
  echo "# Recovery from a worker's death"
  echo
  environment
  echo "- data: generated icons; the run is ended when all kills are done"
  echo "- command: \`forkmill run -q -i IN -o OUT -w N --retries 100 -s sleep:ms=5\`; $kills times SIGKILL to a worker at random"
  echo "- time from the kill to the successor at work, with its name; watched without a pause, on a core of its own if there is one"
  echo
  echo "| workers | median | p99 | longest |"
  echo "|---|---|---|---|"
  for workers in 2 8; do
    "$(system_python)" bench/recovery.py "$kills" "$forkmill" -i "$work/icons-$count" -o "$work/recovery-out" -w "$workers" \
      --retries 100 -s sleep:ms=5 | sort -g |
      awk -v w="$workers" '{v[NR] = $1} END {printf "| %d | %.2f ms | %.2f ms | %.2f ms |\n", w, v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.5)], v[NR]}'
    rm -rf "$work/recovery-out"
  done
} | report recovery
