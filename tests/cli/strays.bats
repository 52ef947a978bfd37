#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What fails before it is an item: dangling links, directories that cannot be listed, names that are taken.
# ctest labels: plain

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset FORKMILL_JOURNAL
    "$FORKMILL_GENERATE" icons --count 20 in
}

@test "what never became an item is in the report and the quarantine, until it is mended" {
    ln -s nowhere in/dangling.png
    ln -s "$FORKMILL_PYTHON" in/outside.png
    find in -name 'icons-*.png' | sort | tee first >list
    echo gone/x.png >>list
    mill 1 -i in -o out -s invert --quarantine aside --json
    counts "20 0 2"
    "$FORKMILL" report out --json >.report
    "$FORKMILL_PYTHON" - <<'END'
import json
items = json.load(open(".report"))["failures"]
print(items)
assert sorted(i["path"].rsplit("/", 1)[1] for i in items) == ["dangling.png", "outside.png"], items
END
    grep -q "^kind      io$" aside/dangling.png.error.txt
    grep -q "leads out of the input directory" aside/outside.png.error.txt
    [ "$(files aside)" -eq 2 ]
    # mended, and of a list the next time
    rm in/dangling.png in/outside.png
    cp "$(head -n 1 first)" in/dangling.png
    mill 0 -i in -o out -s invert --json
    counts "1 20 0"
    [ "$(query out "SELECT count(*), sum(status = 2) FROM items")" = "21 0" ]
    [ "$(query out "SELECT path FROM roots")" = "$PWD/in/" ]
    mill 1 --files-from list -o out-list -s invert --quarantine aside-list
    [ "$(query out-list "SELECT path, name FROM items JOIN roots ON id = root WHERE status = 2")" = "$PWD/gone/x.png " ]
    grep -q "^file      gone/x.png$" aside-list/gone/x.png.error.txt
    # the second of two of one name fails beside the first
    cat first first | mill 1 --files-from - -o twice -s invert --json
    counts "20 0 20"
    [ "$(query twice "SELECT sum(status = 1), sum(status = 2) FROM items")" = "20 20" ]
}

@test "a directory that cannot be read is in the report" {
    mkdir in/locked
    chmod 0 in/locked
    if [ "$(id -u)" -eq 0 ]; then # who may read everything
        chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"/.. . && mkdir -m 777 out aside
        as=(setpriv --reuid 65534 --clear-groups)
        "${as[@]}" "$FORKMILL" --version >/dev/null 2>&1 && "${as[@]}" test -r in || skip "only root can run the program here"
    fi
    code=0
    "${as[@]}" "$FORKMILL" run -i in -o out -s invert --quarantine aside 2>.err || code=$?
    [ "$code" -eq 1 ]
    "${as[@]}" "$FORKMILL" report out --failed | grep -q "in/locked"
    grep -q "^reason    opening the directory: Permission denied$" aside/locked.error.txt
    chmod 755 in/locked
    "${as[@]}" "$FORKMILL" run -i in -o out -s invert 2>.err
    "${as[@]}" "$FORKMILL" report out | grep -q "20 done, 0 failed"
}
