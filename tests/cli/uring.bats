#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# io: uring reads inputs in another way, and nothing else is different: outputs, failures and their texts, the journal,
# what runs that are stopped leave, and who has which descriptor.
# ctest labels: threads long

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    generate in 150
    "$FORKMILL_GENERATE" photo --count 3 --width 500 --height 400 in
    "$FORKMILL_GENERATE" broken --count 9 --width 64 --height 48 in
    mkdir in/odd
    : >in/odd/empty.png
    echo text >in/odd/text.png
    head -c 100000 /dev/zero >in/odd/zeros.png
    cp in/photo/000/photo-000000.png in/odd/jpeg.jpg
    ln -s ../photo/000/photo-000000.png in/odd/link-in.png
    ln -s "$PWD/in/photo/000/photo-000000.png" in/odd/link-absolute.png
    ln -s ../../outside.png in/odd/link-out.png
    ln -s nowhere.png in/odd/link-nowhere.png
    ln -s circle.png in/odd/circle.png
    cp in/photo/000/photo-000000.png outside.png
    cp in/photo/000/photo-000000.png in/odd/locked.png
    chmod 0 in/odd/locked.png
    mkfifo in/odd/fifo.png
    mkdir in/odd/directory.png
    touch in/odd/name.unknown in/odd/.hidden.png
    chmod -R a+rX . 2>/dev/null || true
    chmod 0 in/odd/locked.png
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/"* .
    in=in/
}

teardown() {
    if [ -n "${main-}" ]; then kill -9 "$main" 2>/dev/null || true; fi
}

need_uring() {
    "$FORKMILL" doctor | grep -q '^  io_uring  *yes' || skip "no io_uring: $("$FORKMILL" doctor | sed -n 's/^  io_uring *//p')"
}

# The OpenMP runtime of gcc synchronises in ways that ThreadSanitizer does not see.
engines() {
    grep -q __tsan_init "$FORKMILL" || echo openmp
    echo process thread serial
}

# What .out tells of items, without times and what depends on them.
told() {
    "$FORKMILL_PYTHON" - <<'END'
import json
report = json.load(open(".out"))
wanted = ["exit_code", "items", "warnings", "bytes_in", "bytes_out", "pixels", "deaths", "failures_omitted"]
wanted = {key: report[key] for key in wanted}
print(json.dumps(wanted, indent=1, sort_keys=True))
for failure in sorted(report["failures"], key=lambda f: f["path"]):
    print(json.dumps(failure, sort_keys=True))
END
}

# Runs with both and compares: same WANTED-EXIT-CODE FLAG...
same() {
    local want=$1 io
    shift
    for io in threads uring; do
        rm -rf "out-$io"
        mill "$want" -o "out-$io" --json --io $io "$@"
        told >"told-$io"
        sed -n 's/^warning: //p; s/^failed //p' .err | sort >"warned-$io"
        absent "no io_uring here" .err
    done
    diff -r out-threads out-uring
    diff told-threads told-uring
    diff warned-threads warned-uring
}

@test "every engine makes the same of good, broken, empty, large and unreadable files, links and what is no file" {
    need_uring
    for engine in $(engines); do
        same 1 -i $in --engine $engine -s invert
        is items.failed 17
        [ "$(files out-uring)" -ge 150 ]
    done
    grep -q "odd/link-out.png.*leads out of the input directory" told-uring
    grep -q "odd/empty.png.*the file is empty" told-uring
}

@test "what may not be read is refused with the same words" {
    need_uring
    as=()
    if [ "$(id -u)" -eq 0 ]; then # who may read everything
        as=(setpriv --reuid 65534 --clear-groups)
        mkdir made; chmod 777 made
        (umask 0; cp "$FORKMILL" made/forkmill)
    fi
    mkdir -p few made
    cp $in/photo/000/photo-000000.png few/a.png
    cp $in/photo/000/photo-000000.png few/b.png
    chmod -R a+rX few; chmod 0 few/b.png
    for io in threads uring; do
        code=0
        "${as[@]}" "$([ -x made/forkmill ] && echo made/forkmill || echo "$FORKMILL")" \
            run -i few -o made/out-$io -s invert --io $io --json >.out 2>.err || code=$?
        [ "$code" -eq 1 ] || { cat .err; return 1; }
        told >told-$io
    done
    grep -q "few/b.png.*Permission denied" told-uring
    diff told-threads told-uring
}

@test "lists name files that are gone, are no files, or lie anywhere" {
    need_uring
    find in/ -name '*.png' | sort | head -n 60 >list
    printf '%s\n' in/gone.png in/odd/fifo.png in/odd/directory.png "$PWD/outside.png" in/odd/link-nowhere.png >>list
    same 1 --files-from list -s invert
    grep -q "gone.png.*No such file or directory" told-uring
    # One at a time: the next name comes when the output of the one before is there.
    mkfifo names
    start --files-from names -o out-slow -s invert --io uring
    exec 4>names
    for name in $(grep /deep/ list | head -n 5); do
        echo "$name" >&4
        wait_until [ -e "out-slow/$name" ]
    done
    exec 4>&-
    finish 0
}

@test "attempts, limits and counterparts are the same" {
    need_uring
    for engine in process thread; do
        same 1 -i $in --engine $engine --max-file 60000 --max-pixels 30000 -s invert
    done
    same 1 -i $in -w 3 --retries 1 -s fail:kind=kill,attempts=1,rate=0.3 -s invert
    [ "$(number deaths)" -gt 10 ]
    # The counterparts are the inputs themselves, but for one that is missing and one that is no picture.
    cp -rL "$BATS_FILE_TMPDIR/in/icons" a; cp -r a b
    first=$(cd a && find . -name '*.png' | sort | head -n 1) second=$(cd a && find . -name '*.png' | sort | sed -n 2p)
    rm "b/$first"; echo text >"b/$second"
    same 1 -i a -s compare:reference=b --collect-file table.csv
    is items.failed 2
}

@test "the same command again does what is left, with either" {
    need_uring
    export FORKMILL_JOURNAL=true
    for io in threads uring; do
        start -i $in -o out-$io -w 2 --batch 1 -s sleep:ms=30 -s invert --io $io --json
        wait_until has_files out-$io 20
        kill -INT "$main"
        finish 130
        "$FORKMILL_PYTHON" - <<'END'
import json
items = json.load(open(".out"))["items"]
assert items["done"] >= 20 and items["done"] + items["skipped"] + items["failed"] <= items["found"] < 170, items
END
        # Neither what was done nor what was opened ahead is lost or done twice.
        done=$(number items.done)
        mill 1 -i $in -o out-$io -s sleep:ms=30 -s invert --io $io --json
        is items.skipped "$done"
        is items.failed 17
        mill 1 -i $in -o out-$io -s sleep:ms=30 -s invert --io $io --json
        is items.done 0
        told >told-$io
    done
    diff -r -x '.forkmill-journal.*' out-threads out-uring
    diff told-threads told-uring
    # What changed is done again.
    mkdir few; icon few/a.png 1; icon few/b.png 2; icon few/c.png 3
    mill 0 -i few -o out -s invert --io uring --json
    icon few/b.png 4
    mill 0 -i few -o out -s invert --io uring --json
    counts "1 2 0"
}

@test "a run that is stopped tells of what it took, and of nothing that was opened ahead" {
    need_uring
    mkdir many
    for i in $(seq 100 199); do echo broken >many/$i.png; touch many/$i.unknown; done
    for engine in serial process; do
        for io in threads uring; do
            mill 4 -i many -o out --max-failures 3 --engine $engine -w 1 -s copy --io $io --json
            told >told-$io
        done
        # The reader fails them itself, so it stops at the third.
        is items.failed 3
        diff told-threads told-uring
    done
}

@test "few descriptors are no reason for an item to fail" {
    need_uring
    mkdir few deep
    icon one.png
    for i in $(seq 1 90); do ln one.png few/$i.png; done
    mill 0 -i few -o expected -s copy
    for most in 24 40 64 100 1000; do
        rm -rf out
        (ulimit -n $most && mill 0 -i few -o out -s copy --io uring)
        diff -r expected out
    done
    (ulimit -n 24 && rm -rf out && mill 0 -i few -o out -s copy --io uring)
    says "no io_uring here (too few descriptors (ulimit -n)): inputs are read without it"
    # A soft limit that may be raised stays what it was for all others: directories are open on the way down.
    path=deep
    for i in $(seq 1 40); do path=$path/d; mkdir $path; icon $path/a.png; done
    for io in threads uring; do
        rm -rf out-$io
        (ulimit -Sn 70 && mill 0 -i deep -o out-$io -s copy --io $io)
    done
    diff -r out-threads out-uring
}

@test "where io_uring is refused the run says so once, and goes on without" {
    for engine in $(engines); do
        for error in EPERM ENOSYS ENOMEM; do
            rm -rf out-refused
            "$FORKMILL_PYTHON" "$FORKMILL_ROOT/tests/cli/without_call.py" 425 $error \
                "$FORKMILL" run -i in/icons -o out-refused --engine $engine -s invert --io uring 2>.err
            [ "$(grep -c "no io_uring here (.*): inputs are read without it" .err)" -eq 1 ]
            [ -d out-plain ] || mill 0 -i in/icons -o out-plain -s invert
            diff -r out-plain out-refused
        done
    done
    "$FORKMILL_PYTHON" "$FORKMILL_ROOT/tests/cli/without_call.py" 425 ENOSYS "$FORKMILL" run -i in/icons -o out-auto -s invert 2>.err
    absent "io_uring" .err
    diff -r out-plain out-auto
    "$FORKMILL_PYTHON" "$FORKMILL_ROOT/tests/cli/without_call.py" 425 EPERM "$FORKMILL" doctor >doctor
    grep -qE "^  io_uring +no: (Operation not permitted|this build has no liburing)" doctor
}

# Whose descriptors: has_ring PROCESS
has_ring() {
    [ -n "$(find "/proc/$1/fd" -lname '*io_uring*' 2>/dev/null)" ]
}

@test "the main process alone has the ring, and no worker or command" {
    need_uring
    icon one.png
    start -i one.png -o out -w 2 --io uring --sandbox off --retries 3 -s sleep:ms=20000
    wait_until has_ring "$main"
    wait_until has_workers 2
    before=$(workers)
    kill -9 "$(head -n 1 <<<"$before")"
    others() { has_workers 2 && [ "$(workers)" != "$before" ]; }
    wait_until others
    for process in $(server) $(workers); do
        if has_ring "$process"; then ls -l "/proc/$process/fd"; return 1; fi
    done
    has_ring "$main"
    kill -9 "$main"
    wait "$main" || true
    wait_until session_gone
    # Threads run commands from the process that has it.
    cat >look <<'END'
#!/bin/sh
ls -l /proc/self/fd >descriptors
cat
END
    chmod +x look
    mill 0 -i one.png -o out-exec --engine thread --io uring -s exec:command="$PWD/look"
    [ -s descriptors ]
    absent -q io_uring descriptors
}

@test "without a word a ring is made for more than a few inputs, where nothing speaks against it" {
    need_uring
    mkdir few many
    for i in 1 2 3; do icon few/$i.png $i; done
    for i in $(seq 1 9); do icon many/$i.png $i; done
    # Whoever asks for a ring dies of it.
    rings() { # IN FLAG...
        local in=$1 code=0
        shift
        rm -rf out
        "$FORKMILL_PYTHON" "$FORKMILL_ROOT/tests/cli/without_call.py" 425 KILL \
            "$FORKMILL" run -q -i "$in" -o out -w 1 "$@" -s invert 2>err || code=$?
        [ "$code" -eq 0 ] || [ "$code" -eq 159 ] || { cat err; exit 1; }
        [ "$code" -eq 159 ]
    }
    rings many
    for flags in "--io threads" "--readahead 0"; do
        # shellcheck disable=SC2086 # two words
        if rings many $flags; then echo "a ring with $flags"; return 1; fi
    done
    rings many --readahead 0 --io uring
    if rings few; then echo "a ring for three inputs"; return 1; fi
    if grep -q __asan_init "$FORKMILL" || grep -q __tsan_init "$FORKMILL"; then return; fi # they take all addresses
    if (ulimit -v 8000000; rings many); then echo "a ring where addresses are few"; return 1; fi
}

@test "flag, variable and config say which, and what is no word is refused" {
    icon one.png
    printf 'input: one.png\noutput: out\nio: uring\n' >config.yaml
    shown() { "$FORKMILL" run "$@" --print-config | grep -E '^ *io: '; }
    [[ $(shown -i one.png -o out) == *"io: auto"* ]]
    [[ $(shown config.yaml) == *"io: uring"* ]]
    [[ $(shown config.yaml --io threads) == *"io: threads"* ]]
    [[ $(FORKMILL_IO=uring shown -i one.png -o out) == *"io: uring"* ]]
    mill 2 -i one.png -o out --io urign
    says "uring"
}
