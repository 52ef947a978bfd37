#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files of forkmill's own: its lock, and temporary files, which a living run keeps and the next one after a kill sweeps.
# ctest labels: plain

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset FORKMILL_JOURNAL
    main= # by start
    "$FORKMILL_GENERATE" icons --count 20 in
}

@test "forkmill's own files are no inputs, and a run keeps its lock whoever opens the file" {
    ln -s "$PWD/out/.forkmill-journal.lock" own.png
    { printf 'out/.forkmill-journal.%s\n' lock db; echo own.png; find in -name '*.png'; } >list
    start --files-from list -o out -w 1 --batch 1 -s sleep:ms=200
    wait_until has_files out 2
    code=0
    "$FORKMILL" run -q -i in -o out 2>.second || code=$?
    [ "$code" -eq 75 ]
    grep -q "another run is at work on out" .second
    finish 1
    says "out/.forkmill-journal.lock: names that begin with .forkmill- are for forkmill's own files"
    cp "$(find in -name '*.png' | head -n 1)" .forkmill-mine.png
    mill 1 -i .forkmill-mine.png -o mine
    says ".forkmill-mine.png: names that begin with .forkmill-"
}

@test "temporary files of a killed run are swept, strangers and links stay" {
    mill 0 -i in -o out -s invert
    mkdir out/deep
    echo x >victim
    echo x >out/deep/.forkmill-123-0a1b2c3d-7.tmp
    # a clean end: nobody looks
    mill 0 -i in -o out -s invert
    [ -e out/deep/.forkmill-123-0a1b2c3d-7.tmp ]
    start -i in -o out -w 1 --batch 1 -s stats -s sleep:ms=300 --collect-file out/all.csv
    wait_until compgen -G 'out/.forkmill-????????????????-*-????????-??????.tmp'
    kill -9 "$main"
    wait "$main" || true
    table=$(find out -maxdepth 1 -name '.forkmill-????????????????-*-????????-??????.tmp')
    [ -f "$table" ]
    echo x >out/.forkmill-9-spool.tmp
    for name in .forkmill-.tmp .forkmill-x-0a1b2c3d-7.tmp .forkmill-123-0a1b2c3d-7.tmp.png .forkmill-123-0A1B2C3D-7.tmp; do echo x >"out/deep/$name"; done
    ln -s "$PWD/victim" out/deep/.forkmill-1-00000000-1.tmp
    mkdir out/deep/.forkmill-2-00000000-1.tmp elsewhere
    echo x >elsewhere/.forkmill-123-0a1b2c3d-7.tmp
    ln -s "$PWD/elsewhere" out/deep/link
    mill 0 -i in -o out -s invert
    says "temporary file"
    [ ! -e "$table" ]
    [ ! -e out/.forkmill-9-spool.tmp ]
    [ ! -e out/deep/.forkmill-123-0a1b2c3d-7.tmp ]
    [ "$(find out/deep | wc -l)" -eq 8 ]
    [ -e elsewhere/.forkmill-123-0a1b2c3d-7.tmp ]
    [ -e victim ]
    mill 0 -i in -o out -s invert
    absent "temporary file" .err
}

@test "what a run that lives is writing is not swept" {
    start -i in -o out/sub -w 1 --batch 1 -s stats -s sleep:ms=200 --collect-file out/table.csv
    wait_until compgen -G 'out/.forkmill-????????????????-*.tmp'
    # of a dead process with the number of a living one
    echo x >"out/.forkmill-$main-00000001-0.tmp"
    "$FORKMILL" run -q -i in -o out -s invert
    [ ! -e "out/.forkmill-$main-00000001-0.tmp" ]
    finish 0
    [ "$(wc -l <out/table.csv)" -eq 21 ]
}

@test "the table of a killed run beside which it was to be is swept, another's is not" {
    mkdir tables
    start -i in -o out -w 1 --batch 1 -s stats -s sleep:ms=300 --collect-file tables/mine.csv
    wait_until has_files out 1
    kill -9 "$main"
    wait "$main" || true
    [ "$(find tables -name '.forkmill-*' | wc -l)" -eq 1 ]
    echo x >tables/.forkmill-0123456789abcdef-1-00000000-abcdef.tmp
    mill 0 -i in -o out -s stats --collect-file tables/mine.csv
    [ "$(find tables -name '.forkmill-*')" = tables/.forkmill-0123456789abcdef-1-00000000-abcdef.tmp ]
}

@test "what a killed run without a journal left is swept by the first with one, not by another without" {
    start -i in -o out -w 1 --batch 1 --no-journal -s stats -s sleep:ms=300 --collect-file out/all.csv
    wait_until has_files out 1
    kill -9 "$main"
    wait "$main" || true
    table=$(find out -maxdepth 1 -name '.forkmill-????????????????-*.tmp')
    [ -f "$table" ]
    mkdir -p out/deep
    echo x >out/deep/.forkmill-123-0a1b2c3d-7.tmp
    mill 0 -i in -o out --no-journal -s stats --collect-file out/all.csv
    [ -f "$table" ]
    [ -e out/deep/.forkmill-123-0a1b2c3d-7.tmp ]
    mill 0 -i in -o out -s stats --collect-file out/all.csv
    says "2 temporary files"
    [ "$(find out -name '.forkmill-*')" = out/.forkmill-journal.db ]
}

@test "nothing stays in /dev/shm, whoever begins an OpenMP team, and however that ends" {
    if "$FORKMILL" doctor | grep -q '^  runtime .*not in this build'; then skip "built without OpenMP"; fi
    in_mounts '
        mount -t tmpfs none /dev/shm
        empty() { [ -z "$(ls -A /dev/shm)" ] || { echo "after $1:"; ls -A /dev/shm; exit 1; }; }
        "$FORKMILL" doctor >doctor
        empty doctor
        for split in items rows; do
            "$FORKMILL" run -q -i in -o out-$split --engine openmp --split $split --force -s invert
            empty $split
        done
        diff -r -x ".forkmill*" out-items out-rows
        "$FORKMILL" run -q -i in -o piped --engine openmp -s invert -s exec:command=cat
        empty exec
        diff -r -x ".forkmill*" out-items piped
        "$FORKMILL" bench -q -i in --engines openmp,process --repeat 1 --warmup 0 >bench
        empty bench
        for signal in KILL TERM; do
            "$FORKMILL" run -q -i in -o held --engine openmp -w 2 -s sleep:ms=60000 & main=$!
            until [ "$(ls /proc/$main/task | wc -l)" -ge 5 ]; do sleep 0.05; done
            kill -$signal $main
            sleep 0.3
            kill -$signal $main 2>/dev/null || true # the second signal does not wait for the items
            wait $main && exit 1
            empty $signal
        done'
}
