#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What it costs to hand a value to another process: forkmill's queue beside pipes, sockets, message queues, a
# mutex with condition variables, and Python's multiprocessing.
#
#   bench/ipc.sh [--save] [--quick] [--rounds N]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=7 ms=200
flags "[--save] [--quick] [--rounds N]" "$@"
if [ "$quick" = yes ]; then
  rounds=1 ms=10
fi

ours=$bench/forkmill-bench-ipc
python=$(system_python)

one_round() { # [--backwards]; prints the lines of both
  if [ $# -eq 0 ]; then
    "$ours" --ms "$ms"
    "$python" bench/ipc/peers.py --ms "$ms"
  else
    "$python" bench/ipc/peers.py --ms "$ms" "$1"
    "$ours" --ms "$ms" "$1"
  fi
}

prepare
if [ "$rounds" -gt 1 ]; then
  one_round >/dev/null
fi
results=()
for ((round = 0; round < rounds; round++)); do
  results+=("$work/ipc-$round.tsv")
  if ((round % 2 == 0)); then
    one_round >"$work/ipc-$round.tsv"
  else
    one_round --backwards >"$work/ipc-$round.tsv"
  fi
done

{
  echo "# Handing a value to another process"
  echo
  environment
  echo "- Python: $("$python" --version | cut -d ' ' -f 2), start method fork"
  echo "- values of 8 bytes, one sender and one receiver, each on a core of its own where there are two"
  echo "- $rounds rounds of $ms ms for each figure, every other one backwards; medians of the rounds"
  echo "- every value carries a number, and order and number are checked"
  echo
  "$python" bench/ipc/table.py "${results[@]}"
  cat <<'END'

A value through forkmill's queue is an item's whole passage: a slot from free to filled, queued, claimed and free
again, safe against a process that is killed at any point; the others only carry bytes, and of them the mutex does
not survive a killed process. Batch: how many the receiver takes at most at a time (Pool.imap: its chunk size).
Compared are queues of the same capacity and batch, and with what has no capacity of its own, the one of 64.
There and back: the partner answers at once, so that both are awake where the transport lets them. One way: a value
each half millisecond, so that the receiver sleeps and a core has to be woken; that time is the system's.
END
} | report "ipc-$(nproc)-cores"
