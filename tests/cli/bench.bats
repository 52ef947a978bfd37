#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The comparison of engines, seen from outside. Times are not looked at: any machine may be busy.
# ctest labels: plain

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    "$FORKMILL_GENERATE" icons --count 6 photos
    mkdir tmp
    export TMPDIR=$PWD/tmp
}

# Runs, and fails unless it is refused with exit code 2 before anything ran.
refused() {
    local code=0
    "$FORKMILL" bench "$@" >.out 2>.err || code=$?
    [ "$code" -eq 2 ] || { echo "exit code $code"; cat .err; return 1; }
    [ ! -s .out ] && [ -z "$(ls -A tmp)" ]
}

says() {
    grep -qF -- "$1" .err || { echo "not said: $1"; cat .err; return 1; }
}

has_openmp() {
    ! "$FORKMILL" bench -i photos --engines openmp --repeat 1 --warmup 0 2>&1 | grep -q "not in this build"
}

@test "the table has every engine and number of workers, and ends with a verdict" {
    "$FORKMILL" bench -i photos -w 1,3 --repeat 2 -s flip >out
    for engine in process thread; do
        for workers in 1 3; do
            grep -Eq "^$engine +$workers +[0-9.]+ " out
        done
    done
    grep -Eq "^serial +1 +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9]+ % +1.00 +1.00 " out
    [ "$(grep -cE '^serial +[0-9]+ ' out)" -eq 1 ]
    ! has_openmp || grep -Eq "^openmp +3 " out
    grep -Eq "^(decode|flip|encode) +[0-9.]+ +[0-9.]+ " out
    grep -q "^Outputs are equal in all runs: 6 files" out
    grep -q "^cache     warm" out
    tail -n 2 out | grep -q "^Take engine"
    tail -n 1 out | grep -Eq "^(Give it|One thread alone)"
    # Nothing of the outputs is left, and no line is out of line.
    [ -z "$(ls -A tmp)" ]
    [ "$(grep -E '^(engine|serial|process|thread|openmp) ' out | awk '{print length}' | sort -u | wc -l)" -eq 1 ]
}

@test "colour is for terminals, and not with NO_COLOR" {
    script -qec "'$FORKMILL' bench -i photos --repeat 1 -q" /dev/null >seen
    grep -q $'\e\\[1m' seen
    NO_COLOR=1 script -qec "'$FORKMILL' bench -i photos --repeat 1 -q" /dev/null >seen
    [ "$(grep -c $'\e\\[1m' seen)" -eq 0 ]
}

@test "the JSON has the figures of each run" {
    "$FORKMILL" bench -i photos --engines serial,process -w 2 --repeat 3 -s flip --json r.json >out
    "$FORKMILL_PYTHON" - <<'END'
import json
r = json.load(open("r.json"))
assert [(x["engine"], x["workers"]) for x in r["results"]] == [("serial", 1), ("process", 2)]
for x in r["results"]:
    walls = sorted(run["wall_ns"] for run in x["runs"])
    assert len(walls) == 3
    assert abs(x["wall_ns"]["median"] - walls[1]) <= 1 and abs(x["wall_ns"]["max"] - walls[2]) <= 1
    assert abs(x["spread"] - (walls[2] - walls[0]) / walls[1]) < 1e-6
    assert [s["name"] for s in x["median_run"]["steps"]] == ["decode", "flip", "encode"]
    assert sum(s["ns"] for s in x["median_run"]["steps"]) > 0
    assert len(x["median_run"]["series"]) >= 2 and len(x["median_run"]["series"][0]) == 4
    assert x["median_run"]["items"]["done"] == 6
    assert x["voluntary_switches"] >= 0 and "sampled_peak_bytes" in x
serial, process = r["results"]
assert serial["speedup"] == 1.0
ratio = serial["wall_ns"]["median"] / process["wall_ns"]["median"]
assert abs(process["speedup"] - ratio) < 1e-6 and abs(process["efficiency"] - ratio / 2) < 1e-6
assert r["outputs"]["equal"] and r["outputs"]["files"] == 6 and len(r["outputs"]["hash"]) == 16
assert r["repeat"] == 3 and r["warmup"] == 1 and r["cache"]["cold"] is False
assert r["machine"]["cores_allowed"] >= 1 and r["machine"]["compiler"] and r["command"][1] == "bench"
assert set(r["verdict"]) >= {"bound", "engine", "workers", "ties", "limit", "choice", "how_many"}
END
    "$FORKMILL" bench -i photos --engines serial --repeat 1 -q --json - | "$FORKMILL_PYTHON" -m json.tool >/dev/null
}

@test "memory and CPU time are those of all processes" {
    "$FORKMILL" bench -i photos --engines process -w 2 --repeat 1 -s spin:ms=150 -q --json r.json >out
    "$FORKMILL_PYTHON" - <<'END'
import json
row = json.load(open("r.json"))["results"][0]
# Six items of 0.15 s of pure computing, in workers two processes away from the one that is waited for, which by
# itself takes some milliseconds. How much of the 0.15 s a worker gets is the machine's to say.
assert row["user_ns"] + row["system_ns"] >= max(0.1e9, 0.95 * row["median_run"]["cpu_ns"]), row
assert row["sampled_peak_bytes"] > 1 << 20, row["sampled_peak_bytes"]
assert row["speedup"] is None
END
}

@test "stages that wait are called waiting where the cores are idle" {
    # The six go into three workers without a rest: nobody is short of items.
    "$FORKMILL" bench -i photos --engines serial,process -w 3 -s sleep:ms=200 --repeat 2 -q --json r.json >out
    "$FORKMILL_PYTHON" - <<'END'
import json
r = json.load(open("r.json"))
process = r["results"][1]
run = min(process["runs"], key=lambda run: run["wall_ns"])
cores = min(3, r["machine"]["cores_allowed"])
unused = cores * run["wall_ns"] - run["user_ns"] - run["system_ns"]
# On a machine that others keep busy nobody can say; on an idle one it has to be seen.
if all(run["idle_ns"] > 0.8 * unused for run in process["runs"]):
    assert r["verdict"]["bound"] == "io", r["verdict"]
assert r["verdict"]["workers"] == 3 and process["speedup"] > 1.3, r["verdict"]
END
}

@test "a config, its pools and the environment are taken as run takes them" {
    printf 'input: photos\nworkers: 3\nstages:\n  - pool: {name: a, workers: 2}\n  - flip\n  - pool: {name: b}\n' >c.yaml
    "$FORKMILL" bench c.yaml --engines process --repeat 1 -q --json r.json >out
    "$FORKMILL_PYTHON" - <<'END'
import json
rows = json.load(open("r.json"))["results"]
pools = [[p["workers"] for p in r["median_run"]["pools"]] for r in rows]
# 1 and the configured 3; the pool that says its own number keeps it.
assert pools == [[2, 1], [2, 3]], pools
END
    FORKMILL_WORKERS=2 "$FORKMILL" bench -i photos --engines thread --repeat 1 -q >out
    grep -Eq "^thread +2 " out
}

@test "cold says what was done about the page cache" {
    "$FORKMILL" bench -i photos --engines serial --repeat 1 --cache cold >out
    grep -Eq "^cache     cold: posix_fadvise over 6 inputs before each run; [0-9]+ % of their pages stayed" out
}

@test "failed items are told, and are the same in every run" {
    "$FORKMILL_GENERATE" broken --count 3 photos
    "$FORKMILL" bench -i photos --engines serial,process --repeat 1 >out 2>err
    grep -Eq "^failed    [1-9] of the items, the same number in every run" out
}

@test "bad input is refused before any run" {
    refused -i photos --engines proces,serial
    says "--engines: unknown engine 'proces'; did you mean 'process'?"
    says "= engines: process, thread, openmp, serial"
    refused -i photos -w 1,x,0
    says "'x' is not a whole number"
    says "0 is out of range"
    refused -i photos --repeat 0 --warmup x --cache hot
    says "--repeat: 0 is out of range"
    says "--warmup: 'x' is not a whole number"
    says "--cache: 'hot' is not one of warm|cold"
    refused -i photos --engine thread
    says "say which ones by --engines"
    refused
    says "no input is given"
    refused --files-from -
    says "standard input has it once"
    refused -i photos --dry-run
    says "unknown flag '--dry-run'"
    refused -i photos -o nowhere/out
    says "nowhere: cannot make a directory for the outputs there"
    refused -i photos -s nosuch
    says "unknown stage"
}

@test "a report that cannot be written is known before the runs" {
    refused -i photos --html nowhere/page.html
    says "--html: cannot write nowhere/page.html: No such file or directory"
    refused -i photos --json tmp
    says "--json: cannot write tmp: Is a directory"
    [ "$(find . -name '*.html*' -o -name '*.json*' | wc -l)" -eq 0 ]
    # An older report stays as it was when the bench comes to nothing.
    printf '{\n  "version": "old"}' >r.json
    cp r.json old.json
    code=0
    "$FORKMILL" bench -i nothing-here --json r.json 2>.err || code=$?
    [ "$code" -eq 3 ]
    cmp r.json old.json
    [ -z "$(find . -name 'r.json.*')" ]
}

@test "a report replaces a report or an empty file, and nothing else" {
    echo mine >notes
    for flag in --json --html; do
        for path in notes "$(find photos -name '*.png' | head -1)"; do
            cp "$path" before
            refused -i photos $flag "$path"
            says "$flag: cannot write $path: it holds something else, which is not replaced"
            cmp before "$path"
        done
    done
    refused -i photos --json new/../both --html ./both
    says "--json and --html would both write ./both"
    : >r.json
    for _ in 1 2; do
        "$FORKMILL" bench -i photos --engines serial --repeat 1 --warmup 0 -q --json r.json --html page.html >out
    done
    "$FORKMILL_PYTHON" -m json.tool r.json >/dev/null
    refused -i photos --json page.html
}

@test "a full disk under the report is an error" {
    code=0
    "$FORKMILL" bench -i photos --engines serial --repeat 1 -q --html /dev/full >out 2>.err || code=$?
    [ "$code" -eq 5 ]
    says "/dev/full"
}

@test "outputs go beside -o, which stays untouched" {
    mkdir there
    "$FORKMILL" bench -i photos -o there/out --engines serial -s sleep:ms=50 --repeat 1 -q >out &
    for _ in $(seq 100); do
        if compgen -G "there/.forkmill-bench-*" >seen; then break; fi
        sleep 0.02
    done
    wait $!
    [ -s seen ]
    [ -z "$(ls -A there)" ]
}

@test "outputs that differ are an error that names the file" {
    # An input that changes while the runs go on stands in for an engine that is wrong.
    "$FORKMILL_GENERATE" photo --width 64 --height 64 other
    first=$(find photos -name '*.png' | sort | head -n 1)
    "$FORKMILL" bench -i photos --engines serial,process -s sleep:ms=100 --repeat 20 -q --json r.json >out 2>.err &
    pid=$!
    # The second run has begun: the first one's outputs are what the others must equal.
    for _ in $(seq 200); do
        if compgen -G "tmp/.forkmill-bench-*/1-*" >seen; then break; fi
        sleep 0.02
    done
    mv "$(find other -name '*.png')" "$first"
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 1 ]
    says "outputs differ: ${first#photos/} has another length in the output of "
    says ", compared with serial, 1 worker"
    [ ! -s out ] && [ ! -e r.json ] && [ -z "$(ls -A tmp)" ]
}

@test "an interrupted bench stops the run and leaves nothing" {
    "$FORKMILL" bench -i photos --engines process -s sleep:ms=400 --repeat 50 -q >out 2>err &
    pid=$!
    until compgen -G "tmp/.forkmill-bench-*/0-*" >/dev/null; do sleep 0.05; done
    kill -TERM "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 143 ]
    [ -z "$(ls -A tmp)" ]
    [ ! -s out ]
}

@test "help and the manual page know the flags, and hide the settings they stand for" {
    "$FORKMILL" bench --help >help
    for flag in --engines --workers --repeat --warmup --cache --json --html --stage --input; do
        grep -q -- "$flag" help
    done
    [ "$(grep -c -- '--workers' help)" -eq 1 ]
    "$FORKMILL" --help-man | sed 's/\\-/-/g' | grep -q -- "--engines LIST"
    [ "$(awk '{ if (length > 100) n++ } END { print n + 0 }' help)" -eq 0 ]
}
