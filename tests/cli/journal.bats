#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The journal: the same command again does what is left and what has changed, and says so.
# ctest labels: plain long

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset FORKMILL_JOURNAL
    main= # by start
    "$FORKMILL_GENERATE" icons --count 20 in
}

first() {
    find "$1" -name '*.png' | sort | head -n 1
}

@test "what is done is skipped, however its directory is written" {
    mill 0 -i in -o out -s invert --json
    counts "20 0 0"
    cp -a out before
    mill 0 -i in -o out -s invert --json
    counts "0 20 0"
    says "nothing was left to do"
    mill 0 -i "$PWD/./in//" -o out -s invert -w 1 --engine serial --memory 1GiB --json
    counts "0 20 0"
    diff -r -x '.forkmill-journal.db' before out
    # times too: nothing was written again
    [ "$(cd before && find . -name '*.png' -printf '%p %T@\n' | sort)" = "$(cd out && find . -name '*.png' -printf '%p %T@\n' | sort)" ]
    [ "$(find out -name '.forkmill-*')" = out/.forkmill-journal.db ]
}

@test "a wait for more names after items that were skipped is no stall" {
    find in -name '*.png' | sort >list
    mill 0 --files-from list -o out -s invert
    { cat list; sleep 2; } | mill 0 --files-from - -o out -s invert --stall-warning 300ms --json
    counts "0 20 0"
    absent "no item has ended" .err
}

@test "changed inputs, new ones, missing and altered outputs are done again" {
    mill 0 -i in -o out -s invert
    mill 0 -i in -o whole -s invert --no-journal
    "$FORKMILL_GENERATE" palette --count 1 in
    mapfile -t made < <(find out -name '*.png' | sort)
    rm "${made[0]}"
    truncate -s 7 "${made[1]}"
    cp "${made[3]}" "${made[2]}"
    touch "in/${made[4]#out/}"
    touch "${made[5]}"
    touch -d "@$(awk -v was="$(stat -c %.Y "${made[6]}")" 'BEGIN { printf "%.6f", was - 0.05 }')" "${made[6]}"
    mill 0 -i in -o out -s invert --json
    counts "7 14 0"
    mill 0 -i in -o whole -s invert --no-journal
    diff -r -x '.forkmill-journal.db' whole out
}

@test "another config does everything again, and a run under yet another no less" {
    mill 0 -i in -o out -s invert
    for chain in "-s flip" "-s flip:direction=vertical" "-s invert --save-level 9" "-s invert --save-strip" "-s invert --on-corrupt salvage" "-s invert -s invert"; do
        read -ra words <<<"$chain"
        mill 0 -i in -o out "${words[@]}" --json
        counts "20 0 0"
        mill 0 -i in -o out "${words[@]}" --json
        counts "0 20 0"
    done
}

@test "contents of a file that a stage takes are part of the config" {
    cp "$(first in)" mark.png
    mill 0 -i in -o out -s composite:file=mark.png
    mill 0 -i in -o out -s composite:file=mark.png --json
    counts "0 20 0"
    cp "$(find in -name '*.png' | sort | tail -n 1)" mark.png
    mill 0 -i in -o out -s composite:file=mark.png --json
    counts "20 0 0"
}

@test "failures are remembered, reported, and tried again when asked or when something changed" {
    echo junk >in/bad.png
    mill 1 -i in -o out -s fail:kind=error,rate=0 --json
    counts "20 0 1"
    mill 1 -i in -o out -s fail:kind=error,rate=0 --json
    counts "0 20 1"
    [ "$(number items.remembered)" -eq 1 ]
    says "in/bad.png: is not png, as its name says"
    says "--retry-failed"
    mill 1 -i in -o out -s fail:kind=error,rate=0 --retry-failed --json
    counts "0 20 1"
    [ "$(number items.remembered)" -eq 0 ]
    mill 1 -i in -o out -s fail:kind=error,rate=0 --force --json
    counts "20 0 1"
    cp "$(find in -name "icons*.png" | sort | head -n 1)" in/bad.png
    mill 0 -i in -o out -s fail:kind=error,rate=0 --json
    counts "1 20 0"
}

@test "a limit that is raised lets in what it kept out; what no longer stands in the way is tried" {
    mill 1 -i in -o out --max-pixels 3 -s invert --json
    counts "0 0 20"
    mill 1 -i in -o out --max-pixels 3 -s invert --json
    [ "$(number items.remembered)" -eq 20 ]
    mill 0 -i in -o out -s invert --json
    counts "20 0 0"
    # a stop after so many failures counts only those of this run
    mill 4 -i in -o limits --max-pixels 3 --max-failures 5 -w 1 -s invert --json
    mill 4 -i in -o limits --max-pixels 3 --max-failures 5 -w 1 -s invert --json
    [ "$(number items.remembered)" -ge 5 ]
}

@test "what stood in an output's way is not remembered against its item" {
    mapfile -t names < <(cd in && find . -name '*.png' | sort)
    mkdir -p "out/${names[0]}" elsewhere in/deep
    mv "in/${names[1]}" in/deep/x.png
    ln -s ../elsewhere out/deep
    mill 1 -i in -o out -s invert --json
    counts "18 0 2"
    says "a directory is in the place of the output"
    says "a link leads out of the output directory"
    rmdir "out/${names[0]}"
    rm out/deep
    mill 0 -i in -o out -s invert --json
    counts "2 18 0"
    [ -z "$(ls elsewhere)" ]
}

@test "a quarantine gets what failed in earlier runs, too" {
    echo junk >in/bad.png
    mill 1 -i in -o out -s invert
    mill 1 -i in -o out -s invert --quarantine aside --json
    [ "$(number items.remembered)" -eq 1 ]
    cmp in/bad.png aside/bad.png
    grep -q "^reason    is not png, as its name says$" aside/bad.png.error.txt
    [ "$(files aside)" -eq 2 ]
}

@test "a file that could not be read is tried again" {
    # it says 4096 bytes and has fewer
    ln -s /sys/devices/system/cpu/online online.png
    [ "$(stat -L -c %s online.png)" -eq 4096 ]
    for turn in 1 2; do
        stat -L -c '%s %y' online.png >then-$turn
        mill 1 -i online.png -i in -o out -s invert --retries 0 --json
        says "online.png: the file shrank while it was read"
        [ "$(number items.remembered)" -eq 0 ]
    done
    counts "0 20 1"
    cmp then-1 then-2
}

@test "vanished inputs leave their outputs alone" {
    mill 0 -i in -o out -s invert
    rm "$(first in)"
    mill 0 -i in -o out -s invert --json
    counts "0 19 0"
    [ "$(files out)" -eq 20 ]
}

@test "a table has the rows of skipped items too" {
    mill 0 -i in -o out -s stats --collect-file all.csv
    cp all.csv once.csv
    rm "$(first out)"
    mill 0 -i in -o out -s stats --collect-file all.csv --json
    counts "1 19 0"
    cmp all.csv once.csv
    # what was done without a table says nothing for one
    mill 0 -i in -o plain -s stats
    mill 0 -i in -o plain -s stats --collect-file all.csv --json
    counts "20 0 0"
    cmp all.csv once.csv
}

@test "what is made of all items, or compared with others, is made of all again" {
    "$FORKMILL_GENERATE" photo --count 3 --width 40 --height 30 same
    for turn in 1 2; do
        mill 0 -i same -o out --aggregate-ops mean --aggregate-file "mean-$turn.npy" --json
        counts "3 0 0"
    done
    cmp mean-1.npy mean-2.npy
    for turn in 1 2; do
        mill 0 -i same -o compared -s compare:reference=same --collect-file psnr.csv --json
        counts "3 0 0"
    done
}

@test "tiles and several outputs stand together or are made again" {
    "$FORKMILL_GENERATE" photo --count 2 --width 64 --height 64 pictures
    chain=(-i pictures -o out -s tee:name="{dir}{stem}-{row}-{col}.{ext}" -s "tile:width=32,height=32" -s tee:name="{dir}{stem}-grey.{ext}" -s grayscale)
    mill 0 "${chain[@]}" --json
    [ "$(files out)" -eq 10 ]
    mill 0 "${chain[@]}" --json
    counts "0 2 0"
    rm "$(first out)"
    mill 0 "${chain[@]}" --json
    counts "1 1 0"
    [ "$(files out)" -eq 10 ]
}

@test "a dry run says what is up to date, and creates nothing" {
    mill 0 -i in -o out -s invert --dry-run
    says "20 would be done, 0 would fail, 0 up to date"
    [ ! -e out ]
    mill 0 -i in -o out -s invert
    rm "$(first out)"
    before=$(find out -printf '%p %T@ %s\n' | sort)
    mill 0 -i in -o out -s invert --dry-run
    says "1 would be done, 0 would fail, 19 up to date"
    [ "$(wc -l <.out)" -eq 1 ]
    [ "$before" = "$(find out -printf '%p %T@ %s\n' | sort)" ]
    mill 0 -i in -o out -s invert --dry-run --force
    says "20 would be done"
}

@test "a second run on the same output is refused, and one that was killed holds nothing" {
    start -i in -o out -w 1 --batch 1 --queue 1 -s sleep:ms=200
    wait_until has_files out 1
    mill 75 -i in -o out -s invert
    says "another run (process $main) is at work on out"
    mill 0 -i in -o elsewhere -s invert
    mill 0 -i in -o out --dry-run -s sleep:ms=200
    kill -9 "$main"
    wait "$main" || true
    mill 0 -i in -o out -s sleep:ms=0 --json
    counts "20 0 0"
    [ "$(find out -name '.forkmill-*')" = out/.forkmill-journal.db ]
}

@test "what was done before a kill -9 is not done again" {
    start -i in -o out -w 1 --batch 1 --queue 1 -s sleep:ms=100
    rows() { [ "$(query out 'SELECT count(*) FROM items' 2>/dev/null)" -ge 5 ]; }
    wait_until has_files out 1
    wait_until rows
    kill -9 "$main"
    wait "$main" || true
    mill 0 -i in -o out -w 1 --batch 1 --queue 1 -s sleep:ms=100 --json
    [ "$(number items.skipped)" -ge 5 ]
    [ $(($(number items.skipped) + $(number items.done))) -eq 20 ]
    mill 0 -i in -o reference -s sleep:ms=1
    diff -r -x '.forkmill-journal.db' reference out
}

@test "a journal that is none, damaged, newer, or a link is refused, and nothing is lost" {
    journal=out/.forkmill-journal.db
    mill 0 -i in -o out -s invert
    cp -a out kept
    refused() {
        local before
        before=$(sha256sum <"$journal")
        mill 5 -i in -o out -s flip
        says "$1"
        says "--no-journal"
        says "out/.forkmill-journal.db"
        [ "$before" = "$(sha256sum <"$journal")" ]
        diff -r -x '.forkmill-journal.db' kept out
        mv "$journal" away
    }
    head -c 5000 /dev/urandom >$journal
    refused "the journal $PWD/out/.forkmill-journal.db is damaged: file is not a database; once it is moved away, all is done again"
    "$FORKMILL_PYTHON" -c "import sqlite3; sqlite3.connect('$journal').execute('CREATE TABLE items (x)')"
    refused "no journal of forkmill's"
    cp kept/.forkmill-journal.db $journal
    "$FORKMILL_PYTHON" -c "import sqlite3; sqlite3.connect('$journal').execute('PRAGMA user_version=99')"
    refused "made by a newer forkmill"
    cp kept/.forkmill-journal.db $journal
    "$FORKMILL_PYTHON" -c "import sqlite3; sqlite3.connect('$journal').execute('PRAGMA user_version=1')"
    refused "made by an older forkmill"
    cp kept/.forkmill-journal.db $journal
    "$FORKMILL_PYTHON" - $journal <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TRIGGER bad AFTER INSERT ON items BEGIN DELETE FROM items; END")
db.commit()
END
    refused "no journal of forkmill's"
    cp kept/.forkmill-journal.db target
    ln -s ../target $journal
    refused "no regular file"
    # as is said: everything is done again
    mill 0 -i in -o out -s flip --json
    counts "20 0 0"
    mill 0 -i in -o out -s flip --no-journal
    # an empty file is what a kill in the first instant leaves
    : >$journal
    mill 0 -i in -o out -s flip
}

@test "a journal cannot make forkmill look, or write, outside of the output" {
    mill 0 -i in -o out -s invert
    cp "$(first out)" outside.png
    before=$(sha256sum outside.png)
    "$FORKMILL_PYTHON" - out/.forkmill-journal.db <<'END'
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
st = os.stat("outside.png")
own = b"%d %d " % (st.st_size, st.st_mtime_ns)
blobs = [own + name + b"\0" for name in (b"../outside.png", os.path.abspath("outside.png").encode(), b"icons/../../outside.png")]
blobs += [b"no list", b"1 2", b"99999999999999999999999 1 x\0"]
names = [row[0] for row in db.execute("SELECT name FROM items ORDER BY name")]
for name, blob in zip(names, blobs):
    db.execute("UPDATE items SET outputs = ? WHERE name = ?", (blob, name))
db.commit()
END
    mill 0 -i in -o out -s invert --json
    counts "6 14 0"
    [ "$before" = "$(sha256sum outside.png)" ]
}

@test "files beside the journal cannot make SQLite write to, or delete, files that have other names" {
    mill 0 -i in -o out -s invert
    cp "$(first in)" victim
    cp victim kept
    for suffix in -wal -shm; do
        ln victim out/.forkmill-journal.db$suffix
        mill 5 -i in -o out -s invert
        says ".forkmill-journal.db$suffix is no file of forkmill's"
        mill 5 -i in -o out -s invert --dry-run
        "$FORKMILL" report out && false
        mill 0 -i in -o out -s invert --no-journal
        cmp victim kept
        rm out/.forkmill-journal.db$suffix
    done
    # SQLite deletes the file that a rollback journal calls its super-journal, where that names no other
    "$FORKMILL_PYTHON" - out/.forkmill-journal.db victim <<'END'
import os, struct, sys
pages = os.path.getsize(sys.argv[1]) // 4096
magic = bytes.fromhex("d9d505f920a163d7")
header = (magic + struct.pack(">5I", 0, 1, pages, 512, 4096)).ljust(512, b"\0")
name = os.path.abspath(sys.argv[2]).encode()
with open(sys.argv[1] + "-journal", "wb") as journal:
    journal.write(header + struct.pack(">I", 2**30 // 4096 + 1) + name + struct.pack(">2I", len(name), sum(name)) + magic)
END
    mill 5 -i in -o out -s invert
    says ".forkmill-journal.db-journal is no file of forkmill's; move it away"
    cmp victim kept
    rm out/.forkmill-journal.db-journal
    mill 0 -i in -o out -s invert --json
}

@test "where no journal can be made the run says so before it works; without one it works" {
    mkdir out
    mkdir out/.forkmill-journal.db
    mill 5 -i in -o out -s invert
    says "--no-journal"
    mill 0 -i in -o out -s invert --no-journal
    (ulimit -f 20 && mill 75 -i in -o limited -s invert)
    says "of shared memory: File too large (ulimit -f)"
    [ ! -e limited ]
}

@test "without a journal there is none, and everything is done each time" {
    mill 0 -i in -o out -s invert --no-journal --json
    counts "20 0 0"
    mill 0 -i in -o out -s invert --no-journal --json
    counts "20 0 0"
    [ -z "$(find out -name '.forkmill-*')" ]
}

@test "every row that says done has its file, at whatever moment the run is killed" {
    for round in 1 2 3 4; do
        rm -rf out
        start -i in -o out -w 2 --batch 1 -s sleep:ms=20
        sleep "0.$((RANDOM % 25 + 5))"
        kill -9 "$main" 2>/dev/null || true
        wait "$main" || true
        [ -e out/.forkmill-journal.db ] || continue
        query out "PRAGMA integrity_check" >checked
        [ "$(cat checked)" = ok ] || { echo "round $round"; cat checked; false; }
        { query out "SELECT name FROM items WHERE status = 1" || true; } >names
        while read -r name; do [ -f "out/$name" ]; done <names
    done
}

@test "the main process killed over and over: no orphan, no torn file, and in the end the same tree" {
    "$FORKMILL_ROOT/tests/cli/parent_killed.sh" 6
}
