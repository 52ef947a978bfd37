#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header compiles alone.  headers.sh ROOT COMPILER
set -euo pipefail
root=$1 compiler=$2
cd "$root"
status=0 count=0
while IFS= read -r -d '' header; do
  count=$((count + 1))
  echo "#include \"$header\"" |
    "$compiler" -x c -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I . - || {
    echo "$header does not compile alone"
    status=1
  }
done < <(find stages pipeline datasets -name '*.h' -print0 | sort -z)
echo "$count headers"
[ "$count" -gt 0 ] && exit $status
