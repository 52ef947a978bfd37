#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# forkmill run is interrupted, killed, or finds the disk full: outputs are whole or absent, and nothing is left.
# ctest labels: plain

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    generate in 60
    "$FORKMILL" run -q -i in -o reference -s invert
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/in" .
    reference=$BATS_FILE_TMPDIR/reference
}

teardown() {
    # A test that failed may leave a run behind.
    if [ -n "${main-}" ]; then kill -9 "$main" 2>/dev/null || true; fi
}

# What an interrupted run has to leave: whole outputs, all of them counted, no temporary file, no process.
left_in_order() {
    WAIT_S=5 wait_until session_gone
    no_temps "$1"
    part_of "$1" "$reference"
    is items.done "$(files "$1")"
    [ "$(files "$1")" -lt 60 ]
}

@test "Ctrl-C, to the main process or to all: the items in hand are finished, exit code 130" {
    for whom in "" -; do
        start -i in -o "out$whom" -w 2 -s sleep:ms=200 -s invert --json
        wait_until has_files "out$whom" 1
        before=$(files "out$whom")
        kill -INT -- "$whom$main"
        finish 130
        says "stopping: finishing the items in hand"
        says "left undone: "
        left_in_order "out$whom"
        # Both workers had one in hand.
        [ "$(files "out$whom")" -gt "$before" ]
        is deaths 0
        is exit_code 130
    done
}

@test "what is left undone is said, with what was not listed, and how to go on" {
    start -i in -o out -w 1 --queue 1 --batch 1 -s sleep:ms=100 --journal
    wait_until has_files out 1
    kill -INT "$main"
    finish 130
    grep -q "left undone: [0-9]* of the items found, and what was not listed yet; the same command goes on" .err
    mill 4 -i in -o no-journal -w 1 --queue 1 --batch 1 -s fail:kind=error --max-failures 1 --no-journal
    grep -q "left undone: [0-9]* of the items found, and what was not listed yet$" .err
    mill 0 -i in -o out --journal -w 2 --json
    absent "left undone" .err
}

@test "SIGTERM and SIGHUP end a run the same way" {
    start -i in -o term -w 2 -s sleep:ms=100 -s invert --json
    wait_until has_files term 1
    kill -TERM "$main"
    finish 143
    left_in_order term
    start -i in -o hup -w 2 -s sleep:ms=100 -s invert --json
    wait_until has_files hup 1
    kill -HUP -- "-$main"
    finish 129
    left_in_order hup
}

@test "SIGTERM to the whole group, as timeout sends it" {
    start -i in -o out -w 2 -s sleep:ms=100 -s invert --json
    wait_until has_files out 1
    kill -TERM -- "-$main"
    finish 143
    left_in_order out
    is deaths 0
}

@test "under nohup a run is deaf to SIGHUP" {
    (trap '' HUP && exec setsid "$FORKMILL" run -i in -o out -s sleep:ms=20 -s invert >.out 2>.err 3>&-) &
    main=$!
    wait_until has_files out 1
    kill -HUP -- "-$main"
    finish 0
    diff -r "$reference" out
}

@test "the second Ctrl-C does not wait for the items in hand" {
    start -i in -o out -w 2 -s sleep:ms=600000 --json
    wait_until has_workers 2
    wait_until asleep 2
    kill -INT "$main"
    wait_until says "again stops now" >/dev/null
    began=$SECONDS
    kill -INT "$main"
    finish 130
    [ $((SECONDS - began)) -le 8 ] # grace alone is 10 s
    left_in_order out
    is items.done 0
}

@test "grace is how long the first waits" {
    start -i in -o out -w 2 --grace 300ms -s sleep:ms=600000 --json
    wait_until has_workers 2
    wait_until asleep 2
    kill -INT "$main"
    finish 130
    left_in_order out
}

@test "a wait for names on standard input ends too" {
    mkfifo names
    start --files-from names -o out -s invert --json
    exec 9>names
    find in/ -name 'icons-00000[0-4].png' >&9
    wait_until has_files out 5
    kill -INT "$main"
    finish 130
    exec 9>&-
    is items.done 5
}

@test "the main process is killed at any moment: nothing is left and every output is whole" {
    RANDOM=7
    for round in {1..30}; do
        start -i in -o out-$round -w $((round % 3 + 1)) -s sleep:ms=$((round % 2 * 10)) -s invert
        # Half of them while they start or end, half at work.
        if [ $((round % 2)) -eq 0 ]; then
            sleep "0.$(printf %03d $((RANDOM % 120)))"
        else
            wait_until has_files out-$round $((RANDOM % 25 + 1))
        fi
        kill -9 "$main" 2>/dev/null || true
        wait "$main" 2>/dev/null || true
        # A second, and what a busy machine adds to it.
        WAIT_S=4 wait_until session_gone
        compgen -G '/dev/shm/forkmill-*' >names || true
        WAIT_S=4 wait_until all_gone names
        [ ! -d out-$round ] || part_of out-$round "$reference"
    done
    # Some were caught at work.
    find . -maxdepth 1 -name 'out-*' | while read -r out; do files "$out"; done >counts
    awk '$1 > 0 && $1 < 60 { partly++ } END { exit partly < 3 }' counts
    # The next run is not disturbed by what such a one leaves.
    last=$(find . -maxdepth 1 -name 'out-*' | tail -1)
    mill 0 -i in -o "$last" -s invert
    part_of "$last" "$reference"
    [ "$(files "$last")" -eq 60 ]
}

@test "a full disk: exit code 5, no partial file, no temporary file" {
    in_mounts '
        mkdir out
        mount -t tmpfs -o size=96k none out
        code=0
        "$FORKMILL" run -i in/ -o out -w 2 -s invert --json >.out 2>.err || code=$?
        echo $code >code
        cp -r out kept'
    [ "$(cat code)" -eq 5 ]
    says "No space left on device"
    no_temps kept
    part_of kept "$reference"
    is items.done "$(files kept)"
    is items.failed 0
    [ "$(files kept)" -ge 1 ]
}

@test "a limit on the size of files is an error, not a death" {
    code=0
    (ulimit -f 100 && exec "$FORKMILL" run -i in -o out >.out 2>.err) || code=$?
    [ "$code" -eq 75 ]
    says "File too large"
    no_temps out
}

@test "a disk with no room at all" {
    in_mounts '
        mkdir out
        mount -t tmpfs -o nr_inodes=2 none out
        touch out/full
        code=0
        "$FORKMILL" run -i in/ -o out >.out 2>.err || code=$?
        echo $code >code'
    [ "$(cat code)" -eq 5 ]
    says "cannot write to out"
}

@test "an output that cannot be written is refused before any work" {
    icon a.png
    touch file
    mill 5 -i a.png -o file
    says "cannot write to file"
    mill 5 -i a.png -o file/below
    in_mounts '
        mkdir sealed
        mount -t tmpfs -o ro none sealed
        code=0
        "$FORKMILL" run -i in/ -o sealed -s sleep:ms=600000 2>.err || code=$?
        echo $code >code
        "$FORKMILL" run -i in/ -o sealed/below 2>>.err || echo $? >>code'
    says "cannot write to sealed: Read-only file system"
    [ "$(paste -sd, code)" = 5,5 ]
}
