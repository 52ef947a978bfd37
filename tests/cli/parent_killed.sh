#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Kills the main process of runs at random moments by SIGKILL, again and again on one output, until a last run
# ends by itself. After each kill: nobody of the run lives on, /dev/shm holds nothing of it, the
# journal is sound, each row that says done has its file, and no output differs from that of an undisturbed run.
# At the end: the same tree and the same table, and no temporary file.
#   parent_killed.sh SECONDS [SEED]
# FORKMILL and FORKMILL_GENERATE name the programs, FORKMILL_PYTHON a Python. On a difference everything is kept.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,8s/^# //p' "$0"; exit 2; }
duration_s=$1
RANDOM=${2:-$$}
: "${FORKMILL:?}" "${FORKMILL_GENERATE:?}" "${FORKMILL_PYTHON:?}"
export FORKMILL_JOURNAL=true

here=$(mktemp -d)
cd "$here"
run=0 rounds=0 kills=0 skipped=0

give_up() {
    echo "parent_killed: round $rounds, kill $kills: $1; see $here" >&2
    tail -20 err >&2
    [ "$run" -eq 0 ] || kill -9 "$run" 2>/dev/null || true
    exit 1
}

chains=("-s invert" "-s invert -s pool -s stats" "-s invert -s tee:name={dir}{stem}-a.{ext} -s flip -s tee:name={dir}{stem}-b.{ext} -s stats")
"$FORKMILL_GENERATE" icons --count 300 in
"$FORKMILL_GENERATE" photo --count 4 --width 300 --height 200 in
for i in 0 1 2; do
    read -ra chain <<<"${chains[i]}"
    table=() && [ "$i" -eq 0 ] || table=(--collect-file "table-$i.csv")
    "$FORKMILL" run -q -i in -o "reference-$i" "${chain[@]}" "${table[@]}"
done

# The files that rows of the journal speak of, where they say done.
rows_and_files() { # OUTPUT
    "$FORKMILL_PYTHON" - "$1" <<'END'
import os, sqlite3, sys
path = os.path.join(sys.argv[1], ".forkmill-journal.db")
if not os.path.exists(path):
    sys.exit(0)
db = sqlite3.connect(path)
assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'items'").fetchone():
    sys.exit(0)
for own, outputs in db.execute("SELECT name, outputs FROM items WHERE status = 1"):
    for entry in outputs.split(b"\0")[:-1]:
        size, mtime, name = entry.split(b" ", 2)
        st = os.stat(os.path.join(os.fsencode(sys.argv[1]), name or os.fsencode(own)))
        assert st.st_size == int(size), name
        early = int(mtime.rstrip(b"~")) - st.st_mtime_ns
        assert 0 <= early <= (15_000_000 if mtime.endswith(b"~") else 0), name
END
}

# The dead who wait to be buried by init do not count.
nobody_left() {
    local end=$((${EPOCHREALTIME/./} + 4000000))
    while ps -o stat= -s "$run" | awk '!/^Z/ {alive = 1} END {exit !alive}'; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.01
    done
}

# A run has a name there for an instant only; others may be at work beside us.
shared_names_pass() {
    local end=$((SECONDS + 3))
    find /dev/shm -maxdepth 1 -name 'forkmill-*' | sort >names
    while [ -s names ]; do
        find /dev/shm -maxdepth 1 -name 'forkmill-*' | sort | comm -12 names - >still
        mv still names
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.01
    done
}

# Outputs may be missing, never different.
part_of() { # REFERENCE OUTPUT
    diff -rq -x '.forkmill-*' "$1" "$2" | grep -v "^Only in $1" >differences || return 0
    return 1
}

strike() { # CHAIN-NUMBER FLAGS...
    local which=$1
    shift
    setsid "$FORKMILL" run -q "$@" >out.json 2>err &
    run=$!
    sleep "0.$(printf %03d $((RANDOM % 400)))"
    kill -9 "$run" 2>/dev/null || true
    wait "$run" 2>/dev/null || true
    kills=$((kills + 1))
    nobody_left || give_up "somebody of it still lives: $(ps -o pid,stat,args -s "$run")"
    shared_names_pass || give_up "left in /dev/shm: $(cat names)"
    [ ! -d out ] || part_of "reference-$which" out || give_up "an output is not what it should be"
    [ ! -d out ] || rows_and_files out >checked 2>&1 || give_up "the journal is wrong: $(tail -1 checked)"
}

end=$((SECONDS + duration_s))
while [ "$SECONDS" -lt "$end" ] || [ "$rounds" -eq 0 ]; do
    rounds=$((rounds + 1))
    i=$((RANDOM % 3))
    read -ra flags <<<"-i in -o out -w $((RANDOM % 3 + 1)) --queue $((RANDOM % 8 + 1)) --batch $((RANDOM % 8 + 1)) ${chains[i]}"
    [ "$i" -eq 0 ] || flags+=(--collect-file out.csv)
    [ $((RANDOM % 4)) -gt 0 ] || flags+=(--fsync)
    for ((strikes = RANDOM % 5 + 1; strikes > 0; strikes--)); do
        strike "$i" "${flags[@]}"
    done
    "$FORKMILL" run -q "${flags[@]}" --json >out.json 2>err || give_up "exit code $?"
    skipped=$((skipped + $("$FORKMILL_PYTHON" -c 'import json; print(json.load(open("out.json"))["items"]["skipped"])')))
    diff -r -x '.forkmill-journal.db' "reference-$i" out >differences || give_up "the trees differ"
    [ "$i" -eq 0 ] || cmp out.csv "table-$i.csv" || give_up "the tables differ"
    left=$(find . -name '.forkmill-*' ! -name '.forkmill-journal.db')
    [ -z "$left" ] || give_up "left: $left"
    rm -rf out out.csv
done
echo "parent_killed: $rounds rounds, $kills kills, $skipped items kept, every tree the same"
rm -rf "$here"
