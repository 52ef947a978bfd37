#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# forkmill report: what a journal tells, of finished, running and killed runs, and of hostile ones.

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset FORKMILL_JOURNAL
    main= # by start
    "$FORKMILL_GENERATE" icons --count 12 in
}

report() {
    "$FORKMILL" report "$@" >.report 2>.err
}

# value EXPRESSION: of the report's JSON, called j.
value() {
    "$FORKMILL_PYTHON" -c 'import json, sys; j = json.load(open(".report")); print(eval(sys.argv[1]))' "$1"
}

@test "counts, runs, steps, and failures with class, stage, reason and attempts" {
    echo junk >in/bad.png
    mill 1 -i in -o out -s invert -s fail:kind=kill,rate=0.3 --retries 1
    failed=$("$FORKMILL_PYTHON" -c 'import re; print(re.search(r"done, (\d+) failed", open(".err").read()).group(1))')
    [ "$failed" -gt 1 ]
    mill 1 -i in -o out -s invert -s fail:kind=kill,rate=0.3 --retries 1
    report out --json
    [ "$(value 'j["items"]["failed"]')" -eq "$failed" ]
    [ "$(value 'j["items"]["done"]')" -eq $((13 - failed)) ]
    [ "$(value 'j["items"]["failed_by_kind"]["corrupt"]')" -eq 1 ]
    [ "$(value 'j["items"]["failed_by_kind"]["crash"]')" -eq $((failed - 1)) ]
    [ "$(value '[r["end"] for r in j["runs"]]')" = "['finished', 'finished']" ]
    [ "$(value 'j["runs"][1]["skipped"]')" -eq $((13 - failed)) ]
    [ "$(value '[s["name"] for s in j["steps"]]')" = "['decode', 'invert', 'fail', 'encode']" ]
    [ "$(value 'min(s["ns"] for s in j["slowest"]) > 0 and j["slowest"][0]["ns"] >= j["slowest"][-1]["ns"]')" = True ]
    [ "$(value '{(f["stage"], f["attempts"]) for f in j["failures"] if f["kind"] == "crash"}')" = "{('fail', 2)}" ]
    [ "$(value 'j["items"]["outputs"]')" -eq "$(files out)" ]
    [ "$(value 'j["items"]["bytes_out"]')" -eq "$(find out -name '*.png' -printf '%s\n' | awk '{s += $1} END {print s}')" ]
    report out --failed
    [ "$(wc -l <.report)" -eq "$failed" ]
    grep -qF "$PWD/in/bad.png: corrupt: is not png, as its name says" .report
    report out
    grep -q "^items     $((13 - failed)) done, $failed failed" .report
    report out --failed --json
    [ "$(value 'sorted(j)')" = "['failures', 'output']" ]
}

@test "while a run is at work, and after it was killed" {
    start -i in -o out -w 1 --batch 1 --queue 1 -s sleep:ms=300
    some_rows() { report out --json && [ "$(value 'j["items"]["done"]')" -ge 1 ]; }
    wait_until has_files out 1
    wait_until some_rows
    [ "$(value 'j["runs"][-1]["end"]')" = running ]
    kill -9 "$main"
    wait "$main" || true
    report out --json
    [ "$(value 'j["runs"][-1]["end"]')" = killed ]
    mill 0 -i in -o out -s sleep:ms=1
    report out --json
    [ "$(value '[r["end"] for r in j["runs"]]')" = "['killed', 'finished']" ]
}

@test "the page holds no script, and nothing in a journal gets into it or onto a terminal unescaped" {
    mkdir evil
    cp "$(find in -name '*.png' | head -n 1)" 'evil/<script>alert(1)<.png'
    echo junk >$'evil/<img src=x>\e[31m"&.png'
    mill 1 -i evil -o out -s invert
    "$FORKMILL_PYTHON" - out/.forkmill-journal.db <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE items SET reason = '<b onclick=x>\x1b]0;x\x07', stage = '</td><script>', class = 'corrupt' WHERE status = 2")
db.execute("UPDATE runs SET how = '<i>\x1b[2J', steps = '<u>' || char(10) || '\x1b[1m'")
db.execute("UPDATE items SET times = '9 9 9 9 9 9 9'")
db.commit()
END
    report out --html page.html
    [ -s page.html ]
    for text in '<script' '<img' '<b ' '<i>' '<u>' $'\e'; do absent -F -- "$text" page.html; done
    grep -qF '&lt;img src=x&gt;\x1b[31m&quot;&amp;.png' page.html
    grep -qF "default-src 'none'" page.html
    report out
    absent -F $'\e' .report
    report out --failed
    absent -F $'\e' .report
    report out --json
    [ "$(value 'j["failures"][0]["stage"]')" = '</td><script>' ]
}

@test "a page replaces a page, neither an output nor the journal" {
    mill 0 -i in -o out -s invert
    output=$(find out -name '*.png' | head -1)
    for path in "$output" out/.forkmill-journal.db; do
        cp "$path" before
        code=0
        report out --html "$path" || code=$?
        [ "$code" -eq 2 ]
        says "$path: it holds something else, which is not replaced"
        cmp before "$path"
    done
    report out --html page.html
    report out --html page.html
    grep -q '</html>' page.html
}

@test "where there is no journal, or none of ours, it says so" {
    code=0
    report in || code=$?
    [ "$code" -eq 3 ]
    says "in has no journal"
    mill 0 -i in -o out -s invert
    head -c 3000 /dev/urandom >out/.forkmill-journal.db
    code=0
    report out || code=$?
    [ "$code" -eq 5 ]
    says "damaged"
    code=0
    report || code=$?
    [ "$code" -eq 2 ]
    code=0
    report nowhere || code=$?
    [ "$code" -eq 3 ]
    says "nowhere: No such file or directory; the output directory of a run is wanted"
    echo text >file
    code=0
    report file || code=$?
    [ "$code" -eq 3 ]
    says "file: Not a directory; the output directory of a run is wanted"
}

@test "the journal itself stands for its directory" {
    mill 0 -i in -o out -s invert
    report out
    cp .out whole
    report out/.forkmill-journal.db
    diff whole .out
    cd out
    report .forkmill-journal.db
    grep -v forkmill-journal .out | diff <(sed 's/^out/./' ../whole) -
}

@test "a read-only directory's journal can be read" {
    mill 0 -i in -o out -s invert
    chmod 555 out
    chmod 444 out/.forkmill-journal.db
    before=$(find out -printf '%p %s\n' | sort)
    report out
    [ "$before" = "$(find out -printf '%p %s\n' | sort)" ]
    chmod 755 out
}
