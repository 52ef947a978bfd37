#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills a worker at every instruction of every operation on queues, slots and boards, and on at random ones until SECONDS
# are over; then sees to it that operations which are wrong on purpose are found out.
#   kill.sh SECONDS [BUILD]
# BUILD is a build directory, build/dev by default. Prints a row for each operation; exit 1 where an item was stuck,
# lost or done twice.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,7s/^# //p' "$0"; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${2:-$root/build/dev}/tests/kill_everywhere
[ -x "$program" ] || { echo "kill.sh: $program is not built" >&2; exit 2; }

"$program" --seconds "$1"
echo
"$program" --self-test
