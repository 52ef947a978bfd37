#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How long is a worker missing that was killed?
#
#   bench/recovery.sh [--save] [--quick] [--kills N]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kills='' count=20000
flags "[--save] [--quick] [--kills N]" "$@"
[ "$quick" = no ] || count=2000
[ -n "$kills" ] || kills=$((count / 40))

prepare
pictures icons-$count icons --count $count
rm -rf "$work/recovery-out"
trap 'rm -rf "$work/recovery-out"' EXIT

about=$(environment) rows=''
for workers in 2 8; do
  times=$("$(system_python)" bench/recovery.py "$kills" "$forkmill" -i "$work/icons-$count" -o "$work/recovery-out" \
    -w "$workers" --retries 100 -s sleep:ms=5)
  rows+=$(sort -g <<<"$times" | awk -v w="$workers" '{v[NR] = $1}
    END {printf "| %d | %.2f ms | %.2f ms | %.2f ms |", w, v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.5)], v[NR]}')$'\n'
  rm -rf "$work/recovery-out"
done

{
  echo "# Recovery from a worker's death"
  echo
  echo "$about"
  echo "- data: $count generated icons; a run is ended when all kills are done, and followed by another where it was over before"
  echo "- command: \`forkmill run -q -i IN -o OUT -w N --retries 100 -s sleep:ms=5\`; $kills times SIGKILL to a worker at random"
  echo "- time from the kill to the successor at work, with its name; watched without a pause, on a core of its own if there is one"
  echo
  echo "| workers | median | p99 | longest |"
  echo "|---|---|---|---|"
  printf %s "$rows"
} | report recovery
