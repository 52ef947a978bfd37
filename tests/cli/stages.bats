#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# forkmill stages.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
}

@test "every stage of the registry is listed and can be shown" {
    "$FORKMILL" stages >list
    count=0
    for name in $(sed -n 's/^STAGE(\(.*\))$/\1/p' "$FORKMILL_ROOT/stages/stages.def"); do
        grep -q "^  $name " list
        "$FORKMILL" stages "$name" | grep -q "^$name: "
        count=$((count + 1))
    done
    [ "$count" -ge 1 ]
    [ "$(grep -c '^  [a-z]' list)" -eq "$count" ]
}

@test "one stage shows type, range, default and unit of its parameters" {
    run "$FORKMILL" stages template
    [ "$status" -eq 0 ]
    grep -qF "factor  (real, 0 to 1000, default 1)" <<<"$output"
    grep -qF "What every colour sample is multiplied by" <<<"$output"
}

@test "what a chain has besides stages can be shown" {
    for name in pool tee when; do
        "$FORKMILL" stages "$name" >list 2>advice
        grep -q "^$name: " list
        [ ! -s advice ]
    done
}

@test "--json is JSON and says the same" {
    "$FORKMILL" stages --json >all.json
    "$FORKMILL" stages template --json >one.json
    "$FORKMILL_PYTHON" - <<'END'
import json
stages = json.load(open("all.json"))
one = json.load(open("one.json"))
assert one in stages
factor = one["parameters"][0]
assert factor["name"] == "factor" and factor["type"] == "real" and factor["default"] == "1"
assert factor["min"] == 0 and factor["max"] == 1000 and factor["required"] is False
assert one["images"] == ["u8", "u16"]
assert all(s["summary"] and all(p["help"] for p in s["parameters"]) for s in stages)
END
}

@test "an unknown stage gets the nearest match and the list" {
    code=0
    "$FORKMILL" stages tempalte >out 2>err || code=$?
    [ "$code" -eq 2 ]
    [ ! -s out ]
    grep -qF "unknown stage 'tempalte'; did you mean 'template'?" err
    grep -q "= stages: resize, crop" err
}
