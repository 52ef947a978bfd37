#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Workers die at every instruction of every operation on queues, slots and boards, and at every step of a model in which
# four of them share a queue; and on at random, until about SECONDS are over. Then the same with operations that are
# wrong on purpose, which have to be found out.
#   deaths.sh SECONDS [BUILD]
# BUILD is a build directory, build/dev by default. Exit 1 where an item was stuck, lost or done twice.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,7s/^# //p' "$0"; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=${2:-$root/build/dev}/tests
[ -x "$programs/kill_everywhere" ] || { echo "deaths.sh: $programs/kill_everywhere is not built" >&2; exit 2; }

"$programs/kill_everywhere" --seconds $(($1 / 2))
echo
"$programs/model_queue" --seconds $(($1 / 2))
echo
"$programs/kill_everywhere" --self-test
"$programs/model_queue" --self-test
