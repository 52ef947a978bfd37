#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How fast are tables of numbers read and written, beside numpy and pandas?
#
#   bench/csv.sh [--save] [--quick] [--rounds N]
set -euo pipefail
# shellcheck source=bench/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=7 rows=100000
flags "[--save] [--quick] [--rounds N]" "$@"
if [ "$quick" = yes ]; then
  rounds=1 rows=1000
fi

ours=$bench/forkmill-bench-csv
python=$(system_python)
"$python" -c 'import numpy' 2>/dev/null || die "bench/csv.sh compares with numpy: apt-get install python3-numpy"

one_round() { # ROUND; a line for each table: file, bytes, ours three times, theirs two times
  local file mine theirs
  for file in "$work"/{repr,savetxt,short,whole}-"$rows".csv; do
    if (($1 % 2 == 0)); then
      mine=$("$ours" "$file")
      theirs=$("$python" bench/csv_peers.py read "$file")
    else
      theirs=$("$python" bench/csv_peers.py read "$file")
      mine=$("$ours" "$file")
    fi
    echo "$(basename "$file") $(stat -c %s "$file") $mine $theirs"
  done
}

prepare
"$python" bench/csv_peers.py make "$work" "$rows"
if [ "$rounds" -gt 1 ]; then
  one_round 0 >/dev/null
fi
results=()
for ((round = 0; round < rounds; round++)); do
  results+=("$work/csv-$round.tsv")
  one_round "$round" >"$work/csv-$round.tsv"
done

{
  echo "# Tables of numbers"
  echo
  environment
  echo "- Python: $("$python" --version | cut -d ' ' -f 2), $("$python" bench/csv_peers.py versions)"
  echo "- $rows rows of 8 columns to f64, from the page cache; time of CPU, one core"
  echo "- $rounds rounds, every other one with numpy first; medians, and the ratios of all rounds"
  echo
  "$python" bench/csv_peers.py table "${results[@]}"
  cat <<'END'

Read: the codec's peek and decode, the file at hand; numpy and pandas (`float_precision="round_trip"`, which rounds
as numpy and forkmill do) open the file themselves. Looked at: peek alone, which finds rows and columns. Written: as
the shortest text that reads back; for the tables `repr` and `savetxt` that is what Python's repr prints.
The tables hold the same normally distributed numbers, of a magnitude for each column, as `repr` writes them, as
numpy.savetxt does (`%.18e`), with three decimals, and rounded to whole numbers.
END
} | report "csv"
