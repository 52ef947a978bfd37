#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs forkmill again and again while its workers are killed at random moments, and compares every tree with the
# one of an undisturbed run.
#   storm.sh SECONDS [SEED]
# FORKMILL and FORKMILL_GENERATE name the programs. On a difference the directory with both trees is kept.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,6s/^# //p' "$0"; exit 2; }
duration_s=$1
RANDOM=${2:-$$}
: "${FORKMILL:?}" "${FORKMILL_GENERATE:?}"
export FORKMILL_JOURNAL=true
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_sigbus=0"

here=$(mktemp -d)
cd "$here"
run=0 rounds=0 kills=0

give_up() {
    echo "storm: round $rounds: $1; see $here" >&2
    tail -20 err >&2
    [ "$run" -eq 0 ] || kill -9 "$run" 2>/dev/null || true
    exit 1
}

"$FORKMILL_GENERATE" icons --count 400 in
"$FORKMILL_GENERATE" palette --count 100 --width 40 --height 30 in
"$FORKMILL" run -q -i in -o reference -s invert -s resize:width=20,height=20

# Kills one worker of the run, if it has any; mostly at once, sometimes by stopping it until its timeout.
strike() {
    local server workers signals=(KILL KILL KILL SEGV BUS STOP)
    server=$(pgrep -P "$run") || return 0
    mapfile -t workers < <(pgrep -P "$server" || true)
    [ ${#workers[@]} -gt 0 ] || return 0
    kill -"${signals[RANDOM % ${#signals[@]}]}" "${workers[RANDOM % ${#workers[@]}]}" 2>/dev/null || return 0
    kills=$((kills + 1))
}

chains=("-s invert -s sleep:ms=8 -s resize:width=20,height=20"
    "-s invert -s pool:workers=3 -s sleep:ms=8 -s resize:width=20,height=20"
    "-s pool:workers=1,recycle=9 -s invert -s pool -s sleep:ms=8 -s pool:workers=2,queue=1 -s resize:width=20,height=20")
end=$((SECONDS + duration_s))
while [ "$SECONDS" -lt "$end" ]; do
    rounds=$((rounds + 1))
    read -ra chain <<<"${chains[RANDOM % 3]}"
    "$FORKMILL" run -q -i in -o out -w $((RANDOM % 4 + 1)) --queue $((RANDOM % 8 + 1)) --batch $((RANDOM % 8 + 1)) \
        --retries 50 --timeout 1s "${chain[@]}" >out.json 2>err --json &
    run=$!
    while kill -0 "$run" 2>/dev/null; do
        [ "$SECONDS" -ge "$end" ] || strike
        [ "$SECONDS" -lt $((end + 300)) ] || give_up "hangs"
        sleep "0.0$((RANDOM % 90 + 10))"
    done
    wait "$run" || give_up "exit code $?"
    run=0
    diff -r -x '.forkmill-journal.db' reference out >differences || give_up "the trees differ"
    rm -r out
done
echo "storm: $rounds rounds, $kills kills, every tree the same"
rm -rf "$here"
