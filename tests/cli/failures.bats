#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is tried again and what is not, when a run stops for its failures, and where failed inputs go.
# ctest labels: plain

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    "$FORKMILL_GENERATE" icons --count 40 in
}

# kind and attempts of the failure of a path, of the JSON of the run before.
failure() {
    "$FORKMILL_PYTHON" - "$1" <<'END'
import json, sys
failure, = [f for f in json.load(open(".out"))["failures"] if f["path"] == sys.argv[1]]
print(failure["kind"], failure["attempts"])
END
}

@test "damage, and a file that is not what it says, cost one attempt" {
    ln -s /sys/devices/system/cpu/online online.png # it says 4096 bytes and has fewer
    head -c 60 "$(find in -name '*.png' | head -n 1)" >cut.png
    mill 1 -i online.png -i cut.png -i in -o out -s invert --retries 3 --json
    [ "$(failure online.png)" = "io 1" ]
    [ "$(failure cut.png)" = "corrupt 1" ]
    is items.done 40
    is retries 0
}

@test "a hang costs one attempt, a crash as many as retries says" {
    mkdir two
    cp "$(find in -name '*.png' | head -n 1)" two/a.png
    mill 1 -i two -o out -s fail:kind=hang --timeout 300ms --json
    [ "$(failure two/a.png)" = "timeout 1" ]
    is deaths 1
    is retries 0
    mill 1 -i two -o out -s fail:kind=segv --json
    [ "$(failure two/a.png)" = "crash 3" ]
}

@test "a part of all items stops a run, once enough have ended" {
    mill 4 -i in -o out -w 1 --queue 1 --batch 1 -s fail:kind=error,rate=0.5 --max-failures 20% --json
    says "stopped: max_failures 20% reached"
    [ $(($(number items.done) + $(number items.failed))) -ge 20 ]
    [ $(($(number items.done) + $(number items.failed))) -lt 40 ]
    mill 1 -i in -o out -w 1 -s fail:kind=error,rate=0.5 --max-failures 99.5%
    mill 1 -i in -o out -w 1 -s fail:kind=error,rate=0.5 --max-failures 0
    # too few to judge
    mkdir few
    find in -name '*.png' | head -n 19 | xargs -I{} cp {} few
    mill 1 -i few -o few-out -w 1 -s fail --max-failures 0%
    for wrong in 101% 100.5% -1 5%% % x 1e3 "" 1e1% 0x1% 5.5.5% %5; do
        mill 2 -i in -o out "--max-failures=$wrong"
        says "max_failures"
    done
}

@test "the inputs of failed items are set aside, whole, with the reason beside them" {
    mkdir -p in/deep/er
    echo junk >in/deep/er/bad.png
    mill 1 -i in -o out -s fail:kind=kill,rate=0.1 --retries 1 --quarantine aside --json
    "$FORKMILL_PYTHON" - >failed <<'END'
import json
for f in json.load(open(".out"))["failures"]:
    print(f["path"].removeprefix("in/"))
END
    [ "$(wc -l <failed)" -gt 1 ]
    while read -r name; do
        cmp "in/$name" "aside/$name"
        grep -qF "file      in/$name" "aside/$name.error.txt"
    done <failed
    [ "$(find aside -type f | wc -l)" -eq $((2 * $(wc -l <failed))) ]
    grep -q "^kind      corrupt$" aside/deep/er/bad.png.error.txt
    grep -q "^reason    is not png, as its name says$" aside/deep/er/bad.png.error.txt
    grep -q "^stage     fail$" "aside/$(grep -v bad.png failed | head -n 1).error.txt"
    grep -q "^attempts  2$" "aside/$(grep -v bad.png failed | head -n 1).error.txt"
    # a copy of its own: mending it does not touch the input
    echo mended >aside/deep/er/bad.png
    [ "$(cat in/deep/er/bad.png)" = junk ]
    for engine in serial thread openmp; do
        mill 1 -i in/deep -o "out-$engine" -s invert --engine $engine --quarantine "aside-$engine"
        cmp in/deep/er/bad.png "aside-$engine/er/bad.png"
    done
}

@test "names too long for a text beside them, in a quarantine, are cut" {
    mkdir long
    long=$(printf 'ä%.0s' {1..125})
    for end in 1 2; do echo junk >"long/$long$end.png"; done
    echo junk >"long/${long:0:120}.png"
    mill 1 -i long -o out -s invert --quarantine aside
    absent "quarantine:" .err
    for end in 1 2; do cmp "long/$long$end.png" "aside/$long$end.png"; done
    [ -s "aside/${long:0:120}.png.error.txt" ]
    [ "$(find aside -name 'ä*~????????????????.error.txt' | wc -l)" -eq 2 ]
    for end in 1 2; do grep -qrF "file      long/$long$end.png" aside; done
    "$FORKMILL_PYTHON" -c 'import os; [name.encode() for name in os.listdir("aside")]'
}

@test "a quarantine may not be where it would be taken for input or output" {
    mill 2 -i in -o out --quarantine in/aside
    says "lies inside the input in"
    mill 2 -i in -o out --quarantine in
    mill 2 -i in -o out --quarantine out
    says "is the output directory"
    mill 0 -i in -o out --quarantine out/aside
    mill 0 -i in -o in/out --quarantine in/out/aside
    mill 2 -i in -o out --quarantine ""
}

@test "a copy in the quarantine replaces no input and no output" {
    mkdir -p tree/tree tree/aside
    "$FORKMILL_GENERATE" palette --count 1 --width 8 --height 8 good
    cp "$(find good -name '*.png')" one.png
    cp one.png tree/x.png
    cp one.png tree/aside/x.png
    echo junk >tree/tree/x.png
    mill 2 -i tree -o out --quarantine .
    says "where copies could replace"
    mill 2 -i tree -o aside/out --quarantine aside
    says "is the output directory or around it"
    mill 2 -i tree/x.png -i 'tree/tree/*.png' -o out -s hash --save-format none --collect-file t.csv --quarantine tree
    says "is the input tree/x.png or around it"
    cmp one.png tree/x.png
    # in the output directory it has a place of its own
    echo junk >tree/x.png
    mill 1 -i tree -o out --quarantine out/aside --json
    is items.done 0
    is items.failed 3
    says "tree/aside/x.png: its output would lie in the quarantine"
    [ "$(cat out/aside/x.png)" = junk ]
    [ "$(cat out/aside/tree/x.png)" = junk ]
}

@test "poison: exactly the bad hundred of a thousand fail, each with its cause, and nobody else suffers" {
    mkdir all
    "$FORKMILL_GENERATE" palette --count 900 --width 24 --height 24 all/good
    for kind in error segv kill hang oom; do
        "$FORKMILL_GENERATE" palette --count 20 --width 24 --height 24 "all/$kind"
    done
    cat >poison.yaml <<'END'
stages:
  - fail: {kind: error, when: {glob: 'error/**'}}
  - fail: {kind: segv, when: {glob: 'segv/**'}}
  - fail: {kind: kill, when: {glob: 'kill/**'}}
  - fail: {kind: hang, when: {glob: 'hang/**'}}
  - fail: {kind: oom, limit: 8MiB, when: {glob: 'oom/**'}}
  - invert
END
    mill 1 poison.yaml -i all -o out -w 4 --retries 1 --timeout 1s --journal --json
    is items.done 900
    is items.failed 100
    # a death for each attempt at those that kill; a worker may be ended at the end, being slow to leave
    [ "$(number deaths)" -ge 100 ]
    [ "$(number deaths)" -le 104 ]
    "$FORKMILL_PYTHON" - <<'END'
import collections, json
kinds = {"error": ("stage", 1), "segv": ("crash", 2), "kill": ("crash", 2), "hang": ("timeout", 1), "oom": ("memory", 1)}
words = {"segv": "SIGSEGV", "kill": "SIGKILL", "hang": "timeout", "oom": "out of memory", "error": "on purpose"}
seen = collections.Counter()
for f in json.load(open(".out"))["failures"]:
    folder = f["path"].split("/")[1]
    seen[folder] += 1
    assert (f["kind"], f["attempts"]) == kinds[folder], f
    assert f["stage"] == "fail" and words[folder] in f["reason"], f
assert seen == {kind: 20 for kind in kinds}, seen
END
    mill 0 -i all/good -o reference -s invert
    diff -r reference out/good
    [ "$(files out)" -eq 900 ]
    # and the same again kills nobody; want of memory is the one thing that may have passed
    mill 1 poison.yaml -i all -o out -w 4 --retries 1 --timeout 1s --journal --json
    is items.skipped 900
    is items.remembered 80
    is items.failed 100
    is retries 0
    [ "$(number deaths)" -le 4 ]
}
