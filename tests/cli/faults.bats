#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Workers and the fork server die, hang and are stopped: no item is lost, none is done otherwise.
# ctest labels: plain long

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    generate in 24
    "$FORKMILL" run -q -i in -o reference -s invert
    generate many 500
    "$FORKMILL" run -q -i many -o many-reference -s invert
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/"* .
    in=in/ reference=reference/
}

teardown() {
    # A test that failed may leave a run behind.
    if [ -n "${main-}" ]; then kill -9 "$main" 2>/dev/null || true; fi
}

# One of the two workers computes, the other sleeps: $idle.
idle_and_busy() {
    local states
    states=$(ps -o pid=,stat= -p "$(workers | paste -sd,)") || return 1
    idle=$(awk '$2 ~ /^S/ { print $1 }' <<<"$states")
    [ "$(awk '$2 ~ /^R/' <<<"$states" | wc -l)" -eq 1 ] && [ "$(wc -w <<<"$idle")" -eq 1 ]
}

@test "a worker killed from outside costs no item, whatever the signal" {
    for signal in KILL SEGV BUS ALRM; do
        start -i $in -o out-$signal -w 2 --batch 1 -s sleep:ms=250 -s invert --json
        wait_until has_files out-$signal 1
        kill -$signal "$(workers | head -1)"
        finish 0
        is deaths 1
        is items.done 24
        diff -r $reference out-$signal
    done
}

@test "a stopped worker is replaced after timeout, even though it never ends by itself" {
    start -i $in -o out -w 2 --batch 1 --timeout 2s -s sleep:ms=100 -s invert --json
    wait_until has_files out 1
    stopped=$(workers | head -1)
    kill -STOP "$stopped"
    finish 0
    is deaths 1
    diff -r $reference out
    wait_until session_gone
}

@test "a worker stopped with nothing to do cannot hold up the end" {
    icon one.png
    start -i one.png -o out -s spin:ms=4000 -w 2 --json
    wait_until has_workers 2
    wait_until idle_and_busy
    kill -STOP "$idle"
    finish 0
    is items.done 1
    session_gone
}

@test "all workers killed at once, again and again" {
    start -i $in -o out -w 3 --batch 1 --retries 50 -s sleep:ms=160 -s invert --json
    wait_until has_files out 1
    while kill -0 "$main" 2>/dev/null; do
        workers | xargs -r kill -9 2>/dev/null || true
        sleep 0.3
    done
    finish 0
    is items.failed 0
    [ "$(number deaths)" -ge 3 ]
    diff -r $reference out
}

@test "workers of every pool may die" {
    start -i $in -o out -w 2 --batch 1 --retries 20 -s sleep:ms=60 -s pool -s invert -s sleep:ms=40 -s pool -s sleep:ms=40 --json
    wait_until has_files out 1
    killed=0
    for worker in $(workers); do
        if kill -9 "$worker"; then killed=$((killed + 1)); fi
    done
    finish 0
    [ "$killed" -eq 6 ]
    is deaths 6
    is items.done 24
    diff -r $reference out
}

@test "a storm of kills over hundreds of items" {
    TMPDIR=$PWD "$FORKMILL_ROOT/tests/cli/storm.sh" 6 1
}

@test "a death on the first attempt only: the second succeeds" {
    for kind in kill segv; do
        mill 0 -i $in -o out-$kind -s invert -s fail:kind=$kind,attempts=1 --json
        is deaths 24
        is items.failed 0
        diff -r $reference out-$kind
    done
    rm -r out-*
    mkdir two
    icon two/a.png; icon two/b.png 2
    # a hang would only hang again
    mill 1 -i two -o out -s fail:kind=hang,attempts=1 --timeout 200ms --json
    is deaths 2
    is retries 0
    is items.failed 2
}

@test "what fails with an error fails at once, by name, stage and reason" {
    mkdir two
    icon two/a.png; icon two/b.png 2
    for kind in error oom; do
        mill 1 -i two -o out -s invert -s fail:kind=$kind,limit=4MiB --json
        is deaths 0
        is retries 0
        "$FORKMILL_PYTHON" - $kind <<'END'
import json, sys
failures = sorted(json.load(open(".out"))["failures"], key=lambda f: f["path"])
assert [f["path"] for f in failures] == ["two/a.png", "two/b.png"]
reason = {"error": "failed on purpose, attempt 1", "oom": "out of memory on purpose, after 4 MiB"}[sys.argv[1]]
for f in failures:
    assert (f["stage"], f["reason"], f["attempts"]) == ("fail", reason, 1), f
END
        [ ! -e out/a.png ]
    done
}

@test "retries says how often, and a death names stage and signal" {
    icon one.png
    for retries in 0 1 2; do
        mill 1 -i one.png -o out -s invert -s fail:kind=segv --retries $retries --json
        is deaths $((retries + 1))
        is retries $retries
        "$FORKMILL_PYTHON" - $retries <<'END'
import json, sys
failure, = json.load(open(".out"))["failures"]
retries = int(sys.argv[1])
assert failure["attempts"] == retries + 1 and failure["stage"] == "fail", failure
assert failure["reason"].startswith("its worker was killed by SIGSEGV"), failure
END
    done
    mill 1 -i one.png -o out -s fail:kind=hang --retries 0 --timeout 200ms
    says "one.png: fail: held its worker longer than timeout 0.2 s"
}

@test "poison among good items: exactly the poison fails" {
    for kind in kill segv; do
        mill 1 -i $in -o out-$kind -w 3 -s invert -s fail:kind=$kind,rate=0.2 --json
        "$FORKMILL_PYTHON" - >poison <<'END'
import json
for failure in json.load(open(".out"))["failures"]:
    assert failure["attempts"] == 3 and failure["stage"] == "fail", failure
    print(failure["path"].removeprefix("in/").lstrip("/"))
END
        [ "$(wc -l <poison)" -ge 1 ] && [ "$(wc -l <poison)" -lt 24 ]
        is deaths $((3 * $(wc -l <poison)))
        cp -r reference/ expected-$kind
        (cd expected-$kind && xargs rm <../poison)
        diff -r expected-$kind out-$kind
    done
    diff -r out-kill out-segv
}

@test "the last attempt is alone" {
    # All fail their first attempt and have one more: one by one, so no two outputs come within the wait.
    mkdir tree
    for i in 1 2 3 4 5; do icon tree/$i.png $i; done
    mill 0 -i tree -o out -w 3 --retries 1 -s sleep:ms=200 -s fail:kind=kill,attempts=1
    find out -type f -printf '%T@\n' | sort -n | awk '
        NR > 1 && $1 - before < 0.15 { print "two at a time: " before " and " $1; bad = 1 }
        { before = $1 }
        END { exit bad || NR != 5 }'
}

@test "--max-failures stops the run with exit code 4" {
    start -i $in -o out -w 1 --max-failures 3 -s sleep:ms=50 -s fail --json
    finish 4
    "$FORKMILL_PYTHON" - <<'END'
import json
items = json.load(open(".out"))["items"]
assert 3 <= items["failed"] <= 3 + 16 and items["done"] == 0 and items["failed"] < 24, items
END
    says "stopped: max_failures 3 reached"
    mill 1 -i $in -o out --max-failures 25 -s fail
}

@test "the fork server dies: exit code 5, a message, no orphan and no partial file" {
    start -i $in -o out -w 2 -s sleep:ms=100 -s invert --json
    wait_until has_files out 1
    kill -9 "$(server)"
    finish 5
    says "the fork server died"
    WAIT_S=5 wait_until session_gone
    no_temps out
    part_of out "$BATS_FILE_TMPDIR/reference"
    is items.done "$(files out)"
}

@test "a stopped fork server cannot hold up an interrupted run" {
    start -i $in -o out -w 2 --grace 1s -s sleep:ms=100 -s invert
    wait_until has_files out 1
    kill -STOP "$(server)"
    kill -INT "$main"
    finish 130
    WAIT_S=5 wait_until session_gone
    no_temps out
}

@test "a stopped fork server cannot hold up a run whose workers are dead" {
    start -i $in -o out -w 2 --batch 1 --timeout 1s -s sleep:ms=200 -s invert --json
    wait_until has_files out 1
    dead=$(workers)
    kill -STOP "$(server)"
    xargs kill -9 <<<"$dead"
    finish 5
    says "the fork server did not end a worker when it should; was it stopped?"
    WAIT_S=5 wait_until session_gone
    no_temps out
    part_of out "$BATS_FILE_TMPDIR/reference"
    is items.done "$(files out)"
    is items.failed 0
}

@test "a run that is stopped and continued as a whole takes that for no hang" {
    start -i $in -o out -w 2 --timeout 1500ms -s sleep:ms=100 -s invert --json
    wait_until has_files out 1
    kill -STOP -- "-$main"
    sleep 1.8
    kill -CONT -- "-$main"
    finish 0
    is deaths 0
    diff -r $reference out
}

@test "where workers cannot live at all the run gives up, with exit code 75" {
    # Address space for the slots, and not for a worker's scratch beside them.
    limit_kib=$(((10 << 20) + (640 << 10)))
    (ulimit -v $limit_kib && "$FORKMILL" --version >.out 2>&1) || skip "a sanitizer needs more than may be had here"
    (ulimit -v $limit_kib && mill 75 -i $in -o out -w 1 --queue 1 --batch 1 --memory 1GiB)
    says "no address space for a worker's scratch"
    [ "$(files out)" -eq 0 ]
}

@test "where address space is limited a run reserves less, and what was given stays" {
    (ulimit -v 8000000 && "$FORKMILL" --version >.out 2>&1) || skip "a sanitizer needs more than may be had here"
    for engine in process thread openmp serial; do
        rm -rf out
        (ulimit -v 8000000 && mill 0 -i $in -o out -s invert --engine $engine)
        grep -qE '^lowered: memory [0-9]+ MiB, queue 1, batch 1, to fit 7\.63 GiB of address space' .err
        diff -r $reference out
    done
    rm -rf out
    (ulimit -v 8000000 && mill 0 -i $in -o out -s invert --memory 300MiB)
    says "lowered: memory 300 MiB, "
    rm -rf out
    (ulimit -v 8000000 && mill 75 -i $in -o out -s invert --memory 2GiB)
    says "of address space"
    [ "$(files out)" -eq 0 ]
    mill 0 -i $in -o out -s invert
    absent lowered .err
}

@test "with too few descriptors the run does not start, or does all; no item fails for it" {
    for most in $(seq 6 24); do
        rm -rf out
        code=0
        (ulimit -n "$most" && exec "$FORKMILL" run -i $in -o out -s copy) >.out 2>.err 3>&- || code=$?
        case $code in
            0) ;;
            75) says "Too many open files" && [ "$(files out)" -eq 0 ] ;;
            *) echo "ulimit -n $most: exit code $code"; cat .err; return 1 ;;
        esac
    done
    [ "$code" -eq 0 ]
}

@test "where no thread can be started the run gives up, with exit code 75" {
    # Stacks larger than any address space.
    code=0
    (ulimit -s 200000000000 && exec "$FORKMILL" run -i $in -o out --engine serial >.out 2>.err) || code=$?
    [ "$code" -eq 75 ]
    says "a thread could not be started"
}

@test "with too few threads for an OpenMP team the run does not start, or does all" {
    if [ "$(id -u)" -ne 0 ]; then skip "needs root, to become a user with a limit of its own"; fi
    mill 0 -i $in -o out --engine openmp || { says "this build has no OpenMP" && skip "built without OpenMP"; }
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR" .
    cp "$FORKMILL" ./forkmill-copy && chmod 755 ./forkmill-copy || return 1
    for most in 2 4 5 7 9 12 20; do
        rm -rf out && mkdir -m 777 out
        code=0
        setpriv --reuid 64322 --clear-groups prlimit --nproc="$most" \
            ./forkmill-copy run -i $in -o out --engine openmp -w 6 -s invert >.out 2>.err 3>&- || code=$?
        case $code in
            0) diff -r $reference out ;;
            75) says "Resource temporarily unavailable"; [ "$(files out)" -eq 0 ] ;;
            *) echo "$most processes: exit code $code"; cat .err; return 1 ;;
        esac
    done
    [ "$code" -eq 0 ]
}

@test "no process outlives a run, and none is left to be reaped by others" {
    "$FORKMILL_PYTHON" - <<'END'
import ctypes, errno, os, subprocess
PR_SET_CHILD_SUBREAPER = 36  # orphans become ours, so that none can hide
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
for extra in ([], ["--recycle", "1"], ["-s", "fail:kind=kill,attempts=1"]):
    run = subprocess.run([os.environ["FORKMILL"], "run", "-q", "-i", "in/", "-o", "out", "-w", "3"] + extra)
    assert run.returncode == 0
    try:
        left = os.waitpid(-1, os.WNOHANG)
        raise SystemExit(f"left behind: {left}")
    except ChildProcessError:
        pass
END
}

@test "no zombies gather while workers are replaced" {
    start -i $in -o out -w 2 --recycle 1 -s sleep:ms=50
    most=0
    while kill -0 "$main" 2>/dev/null; do
        now=$(ps -o stat= -s "$main" | grep -c '^Z' || true)
        # The main process itself is one at the very end.
        [ "$now" -le "$most" ] || most=$now
        sleep 0.05
    done
    finish 0
    [ "$most" -le 3 ]
}

@test "a parent that ignores SIGCHLD or blocks signals does no harm" {
    "$FORKMILL_PYTHON" - <<'END'
import os, signal, subprocess
def ignore():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def block():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for name, prepare in (("ignored", ignore), ("blocked", block)):
    command = [os.environ["FORKMILL"], "run", "-q", "-i", "in/", "-o", name, "-s", "invert", "-s", "fail:kind=kill,attempts=1"]
    assert subprocess.run(command, preexec_fn=prepare, timeout=120).returncode == 0
END
    diff -r $reference ignored
    diff -r $reference blocked
}

@test "a worker that cannot be forked does not end a run that others carry on" {
    if [ "$(id -u)" -ne 0 ]; then skip "needs root, to become a user with a limit of its own"; fi
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR" .
    mkdir -m 777 out
    cp "$FORKMILL" ./forkmill-copy && chmod 755 ./forkmill-copy || return 1
    setpriv --reuid 64321 --clear-groups ./forkmill-copy run -i $in -o out -w 3 -s sleep:ms=300 -s invert --json >.out 2>.err 3>&- &
    main=$!
    wait_until has_files out 1
    setpriv --reuid 64321 --clear-groups prlimit --pid "$(server)" --nproc=1
    kill -9 "$(workers | head -1)"
    finish 0
    is items.done 24
    diff -r $reference out
}
