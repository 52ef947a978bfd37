#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header compiles alone.  headers.sh ROOT COMPILER
set -euo pipefail
root=$1 compiler=$2
cd "$root"
alone=$(mktemp -d)
trap 'rm -rf "$alone"' EXIT
while IFS= read -r -d '' header; do
  echo "#include \"$header\"" >"$alone/${header//\//-}.c"
done < <(find stages pipeline datasets -name '*.h' -print0)
# One driver for all: what a compiler says begins with the file that includes the header.
"$compiler" -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I . "$alone"/*.c
echo "$(find "$alone" -name '*.c' | wc -l) headers"
