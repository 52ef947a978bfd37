#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Workers are locked in: what a stage tries and must not costs its own item and nothing else.
# ctest labels: plain

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    generate in 24
    "$FORKMILL" run -q -i in -o reference -s invert
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/"* .
    in=in/ reference=reference/
}

teardown() {
    if [ -n "${main-}" ]; then kill -9 "$main" 2>/dev/null || true; fi
}

# Where this build or machine has no sandbox, there is nothing to see.
need_sandbox() {
    "$FORKMILL" doctor | grep -q '^  sandbox .*workers make no system calls' ||
        skip "$("$FORKMILL" doctor | sed -n 's/^  sandbox *//p')"
}

@test "every trespass is the end of its item, and of no other" {
    need_sandbox
    for kind in open socket fork exec ptrace kill; do
        mill 1 -i $in -o out-$kind -s invert -s trespass:kind=$kind,rate=0.2 --json
        "$FORKMILL_PYTHON" - >guilty <<'END'
import json
for failure in json.load(open(".out"))["failures"]:
    assert (failure["stage"], failure["kind"], failure["attempts"]) == ("trespass", "sandbox", 1), failure
    assert failure["reason"] == "its worker was killed for a forbidden system call", failure
    print(failure["path"].removeprefix("in/").lstrip("/"))
END
        [ "$(wc -l <guilty)" -ge 1 ] && [ "$(wc -l <guilty)" -lt 24 ]
        is deaths "$(wc -l <guilty)"
        cp -r reference/ expected-$kind
        (cd expected-$kind && xargs rm <../guilty)
        diff -r expected-$kind out-$kind
    done
}

@test "without a sandbox a trespass is told as what it was" {
    icon one.png
    for kind in open socket fork kill; do
        mill 1 -i one.png -o out -s trespass:kind=$kind --sandbox off
        says "one.png: trespass: trespassed, and was let through"
    done
    for kind in exec ptrace; do
        mill 1 -i one.png -o out -s trespass:kind=$kind --sandbox off
        says "one.png: trespass: trespassed, and the system refused"
    done
}

@test "a worker has no descriptor but standard error, no new privileges and narrow limits" {
    need_sandbox
    mkdir two
    icon two/a.png; icon two/b.png 2
    start -i two -o out -w 2 -s sleep:ms=6000
    wait_until has_workers 2
    for worker in $(workers); do
        wait_until grep -qx $'Seccomp:\t2' "/proc/$worker/status"
    done
    for worker in $(workers); do
        [ "$(ls "/proc/$worker/fd")" = $'0\n1\n2' ]
        [ "$(readlink "/proc/$worker/fd/0")" = /dev/null ]
        [ "$(readlink "/proc/$worker/fd/1")" = /dev/null ]
        grep -qx $'NoNewPrivs:\t1' "/proc/$worker/status"
        grep -qE '^Max core file size +0 +0 ' "/proc/$worker/limits"
        grep -qE '^Max open files +3 +3 ' "/proc/$worker/limits"
        grep -qE '^Max file size +1048576 +1048576 ' "/proc/$worker/limits"
    done
    grep -qx $'Seccomp:\t0' "/proc/$(server)/status"
    kill -INT "$main"
    finish 130
}

@test "the main process opens nothing but inputs and outputs, where the kernel can see to it" {
    "$FORKMILL" doctor | grep -q '^  files .*Landlock' || skip "$("$FORKMILL" doctor | sed -n 's/^  files *//p')"
    mkdir two tables
    icon two/a.png; icon two/b.png 2
    start -i two -o out -w 2 -s sleep:ms=6000
    wait_until has_workers 2
    wait_until grep -qx $'NoNewPrivs:\t1' "/proc/$main/status"
    grep -qx $'NoNewPrivs:\t0' "/proc/$(server)/status"
    kill -INT "$main"
    finish 130
    # Whatever it makes beside outputs is still made, and inputs may be given in any way.
    mill 0 -v -i two -o out2 -s stats --collect-file tables/t.db --trace tables/t.json
    says "files: this process may read nothing but inputs and write nothing but outputs"
    [ -s tables/t.db ]
    [ -s tables/t.json ]
    ls "$PWD"/two/* >list
    mill 0 -i two/a.png -i "$PWD/two/b.png" -o out3 -s invert
    mill 0 --files-from list -o out4 -s invert
    diff -r out3 "out4$PWD/two"
    mill 0 -v -i two -o out5 -s exec:command=cat
    absent -q "^files: " .err
    mill 0 -v -i two -o out6 --sandbox off
    absent -q "^files: " .err
}

@test "the same outputs with and without" {
    mill 0 -i $in -o out-off -s invert --sandbox off
    diff -r $reference out-off
    mill 0 -v -i $in -o out-verbose -s invert
    diff -r $reference out-verbose
    [ "$(grep -c '^sandbox: \|^no sandbox for workers: ' .err)" -eq 1 ]
    mill 0 -v -i $in -o out-verbose -s invert --sandbox off
    says "no sandbox for workers: it is off"
}

@test "a locked-in worker can be stopped and go on, helped, recycled, timed out and killed as ever" {
    need_sandbox
    start -i $in -o out -w 2 --sandbox required --recycle 5 -s sleep:ms=60 -s invert --json
    wait_until has_files out 1
    kill -STOP -- "-$main"
    sleep 0.3
    kill -CONT -- "-$main"
    finish 0
    is deaths 0
    diff -r $reference out
    for kind in kill segv exit; do
        mill 0 -i $in -o out-$kind -s invert -s fail:kind=$kind,attempts=1 --json
        is deaths 24
        diff -r $reference out-$kind
    done
}

@test "an allocation that fails in a locked-in worker is an error and no death" {
    need_sandbox
    icon one.png
    mill 1 -i one.png -o out -s fail:kind=oom,limit=200MiB --sandbox required --json
    is deaths 0
    says "out of memory on purpose, after 200 MiB"
}

@test "required is refused where it cannot be had, before anything is made" {
    for engine in thread openmp serial; do
        mill 2 -i $in -o out --sandbox required --engine $engine
        says "sandbox: required needs engine process, not $engine"
        [ ! -e out ]
    done
    if "$FORKMILL" doctor | grep -q '^  sandbox .*workers make no system calls'; then
        mill 0 -i $in -o out --sandbox required
    else
        mill 5 -i $in -o out --sandbox required
        says "sandbox: required, and "
        [ ! -e out ]
    fi
}

@test "a worker that exits with an item in its hands is a death like any other" {
    icon one.png
    mill 1 -i one.png -o out -s fail:kind=exit --json
    is deaths 3
    says "one.png: fail: its worker exited with status 0, in each of 3 attempts"
}
