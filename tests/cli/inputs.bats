#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Inputs that are missing, broken, too large, in each other's way, or that change: what is refused and what fails.
# ctest labels: plain

load machine

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    main=
}

# The failure of PATH in .out has this KIND, and a reason that holds TEXT: failed PATH KIND TEXT
failed() {
    "$FORKMILL_PYTHON" - "$@" <<'END'
import json, sys
path, kind, text = sys.argv[1:]
failures = [f for f in json.load(open(".out"))["failures"] if f["path"] == path]
assert len(failures) == 1, (path, failures)
assert failures[0]["kind"] == kind and text in failures[0]["reason"], failures
END
}

# Refused with this exit code, and nothing made.
refused() {
    local before
    before=$(find . -mindepth 1 ! -name .err ! -name .out | sort)
    mill "$@"
    silent .out
    [ "$before" = "$(find . -mindepth 1 ! -name .err ! -name .out | sort)" ]
}

teardown() {
    # A test that failed may leave a run behind.
    if [ -n "$main" ]; then kill -9 "$main" 2>/dev/null || true; fi
}

@test "two inputs that would make one output are refused up front" {
    mkdir one two
    icon one/a.png; icon one/b.png; icon two/b.png 2
    "$FORKMILL" run -q -i one/a.png -o one --save-format pnm
    refused 2 -i one -o out --save-format png
    grep -q "would both make out/a.png; give each an output directory of its own$" .err
    says one/a.png
    says one/a.p
    refused 2 -i one -i two -o out
    says "one/b.png and two/b.png would both make out/b.png; give each an output directory of its own, or list them"
    find one two -name b.png >both
    mill 0 --files-from both -o apart
    [ "$(files apart)" -eq 2 ]
    refused 2 -i one/b.png -i one/b.png -o out
    says "one/b.png would make out/b.png twice: it is given twice"
    for again in one//b.png ./one/b.png; do
        printf '%s\n' one/b.png one/a.png "$again" >list
        refused 2 --files-from list -o out
        says "one/b.png and $again are the same file, and would make out/one/b.png twice; give it once"
    done
    refused 2 -i one/b.png -i ./one/b.png -o out
    says "one/b.png and ./one/b.png are the same file, and would make out/b.png twice; give it once"
    mill 0 -i one -i two -o out --exclude b.png
}

@test "a collision in a streamed list fails the later item alone" {
    mkdir one
    icon one/a.png; icon one/b.png
    printf 'one/a.png\none/b.png\n./one/a.png\n' | mill 1 --files-from - -o out --json
    is items.done 2
    is items.failed 1
    failed ./one/a.png usage "an earlier input already makes this output, or is the same file"
    [ "$(files out)" -eq 2 ]
}

@test "input and output may not be the same, by whatever name" {
    mkdir -p tree/sub
    icon tree/sub/a.png
    ln -s tree link
    for output in tree ./tree/ link "$PWD/tree" tree/sub/..; do
        refused 2 -i tree -o "$output"
        says "input and output are the same directory"
    done
    refused 2 -i tree/sub -o tree
    says "lies inside the output directory"
    refused 2 -i tree/sub/a.png -o tree/sub
    says "would replace it"
    refused 2 -i 'tree/sub/*.png' -o tree
}

@test "an input is not replaced through a list or a link either" {
    mkdir tree
    icon tree/a.png
    cp tree/a.png before
    echo tree/a.png | mill 1 --files-from - -o . -s invert
    says "the output would replace the input"
    cmp before tree/a.png
    no_temps .
}

@test "inputs that are missing, or hold nothing" {
    refused 3 -i nowhere -o out
    says nowhere
    refused 3 --files-from nolist -o out
    mkdir empty some
    icon some/a.png
    refused 3 -i empty -o out
    says "no input matched"
    refused 3 -i 'some/*.jpg' -o out
    says "no input matched some/*.jpg"
    refused 3 -i 'some/*.jpg' -i 'some/*.gif' -i empty -o out --dry-run
    says "no input matched"
    mill 1 -i 'some/*.jpg' -i some -o one --json
    is items.done 1
    failed 'some/*.jpg' usage "the pattern matches nothing to take"
    mill 3 -i some -o out --include '*.tif'
    says "left out: 1 by include or exclude"
    touch empty/a.tif empty/b.tif empty/.c.png
    mill 3 -i empty -o out
    says "no input matched; left out: 2 with another extension, 1 hidden"
    mill 3 --files-from - -o out </dev/null
    [ "$(files out)" -eq 0 ]
    # a list that is empty, whether that is known before the run or not
    : >none
    refused 3 -i 'some/*.jpg' --files-from none -o otherwise
    mill 3 -i 'some/*.jpg' --files-from - -o out </dev/null
    says "no input matched"
    mill 1 -i 'some/*.jpg' --files-from - -o out <<<some/a.png
    mill 0 -i 'some/*.png' --files-from - -o out </dev/null
    for inputs in "--files-from -" "-i some/*.jpg --files-from -"; do
        set -f
        # shellcheck disable=SC2086
        refused 3 $inputs -o otherwise --dry-run </dev/null
        set +f
        says "no input matched"
    done
    refused 3 -i some -i nowhere -o other
}

@test "a listed file that is gone fails alone" {
    icon a.png; icon c.png
    printf 'a.png\nb.png\nc.png\n' | mill 1 --files-from - -o out --json
    is items.done 2
    failed b.png io "No such file or directory"
}

@test "outputs of another run among the inputs are pointed out, once, and can be left out" {
    mkdir photos
    icon photos/a.png; icon photos/b.png 2
    mill 0 -i photos -o photos/thumbs --journal
    silent .out
    absent warning .err
    mill 0 -i photos -o again
    says "warning: photos/thumbs is the output directory of another run; --exclude thumbs leaves it out"
    [ "$(grep -c warning .err)" -eq 1 ]
    [ "$(files again)" -eq 4 ]
    says "4 done, 0 failed, 0 skipped, of 4"
    absent "left out" .err
    mill 0 -i photos -o dry --dry-run
    says "warning: photos/thumbs is the output directory of another run; --exclude thumbs leaves it out"
    mill 0 -i photos -o without --exclude thumbs
    absent warning .err
    [ "$(files without)" -eq 2 ]
    mill 0 -i photos/thumbs -o smaller
    absent warning .err
}

@test "what is no regular file is passed over with a note, and never waited for" {
    mkdir tree
    icon tree/a.png
    mkfifo tree/fifo.png
    "$FORKMILL_PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/socket.png")'
    ln -s nowhere tree/dangling.png
    ln -s /dev/zero tree/device.png
    code=0
    "$FORKMILL" run -i tree -o out --json >.out 2>.err || code=$?
    [ "$code" -le 1 ]
    is items.done 1
    says "left out: tree/fifo.png: a fifo"
    says "left out: tree/socket.png: a socket"
    absent "left out.*left out" .err
    printf 'tree/fifo.png\ntree\na.png\n' >list
    mv tree/a.png .
    mill 0 --files-from list -o listed --json
    is items.done 1
    says "left out: tree: a directory"
    mkdir -p roots/a elsewhere
    ln -s ../a roots/a/inside
    ln -s "$PWD/elsewhere" roots/a/outside
    cp a.png roots/a
    mill 0 -i roots -o linked
    says "left out: roots/a/inside: a symbolic link to a directory"
    says "left out: roots/a/outside: a symbolic link to a directory"
    says "left out  2 not regular files"
}

@test "numbers beside pictures fail in stages for images, and are left out when told so" {
    mkdir mixed
    icon mixed/a.png
    echo 1,2 >mixed/a.csv
    mill 1 -i mixed -o out -s flip --json
    failed mixed/a.csv unsupported "put to_image before it, or leave such files out with exclude"
    mill 0 -i mixed -o left -s flip --exclude '*.csv'
}

@test "broken files of every kind fail by name with a reason; the rest is done" {
    "$FORKMILL_GENERATE" broken --count 18 --width 70 --height 50 tree
    "$FORKMILL_GENERATE" photo --count 5 --width 70 --height 50 tree
    "$FORKMILL" run -q -i tree/photo -o reference
    mill 1 -i tree -o out -w 3 --json
    diff -r reference out/photo
    "$FORKMILL_PYTHON" - <<'END'
import glob, json, os, PIL.Image
s = json.load(open(".out"))
broken = glob.glob("tree/broken/**/*.png", recursive=True)
failed = {f["path"]: f for f in s["failures"]}
assert len(broken) == 18 and s["items"]["done"] + s["items"]["failed"] == 23 and s["deaths"] == 0
for way, kind in (("truncated", "corrupt"), ("zero-bytes", "corrupt"), ("text", "corrupt"), ("bad-data", "corrupt"),
                  ("signature-only", "corrupt"), ("huge-area", "limit"), ("huge-sides", "limit")):
    paths = [path for path in broken if f"-{way}." in path]
    assert len(paths) == 2, way
    for path in paths:
        assert failed[path]["kind"] == kind and failed[path]["attempts"] == 1, failed.get(path)
        assert not os.path.exists(path.replace("tree/", "out/", 1)), path
for path in glob.glob("out/broken/**/*.png", recursive=True):
    PIL.Image.open(path).load()
for path in failed:
    assert path in open(".err", errors="replace").read()
END
}

@test "a file of another format than its name says fails" {
    "$FORKMILL_GENERATE" flat --width 20 --height 20 --format pnm tree
    mv tree/flat/000/flat-000000.pnm named.png
    icon good.png
    printf '\377\330\377\340 a JPEG, not known' >photo.png
    mill 1 -i named.png -i good.png -i photo.png -o out --json
    is items.done 1
    failed named.png corrupt "as its name says"
    failed photo.png corrupt "as its name says"
}

@test "each limit refuses by name and names its flag; others are done" {
    mkdir tree
    icon tree/small.png # 16 x 16
    "$FORKMILL_GENERATE" photo --width 200 --height 100 tree
    mv tree/photo/000/photo-000000.png tree/large.png && rm -r tree/photo
    "$FORKMILL_PYTHON" - <<'END'
import PIL.Image, PIL.PngImagePlugin
text = PIL.PngImagePlugin.PngInfo()
text.add_text("Comment", "x" * 20000)
PIL.Image.new("RGB", (9, 7)).save("tree/talks.png", pnginfo=text)
END
    for limit in max-pixels=19999 max-width=199 max-height=99 max-file=20000; do
        mill 1 -i tree -o out-$limit --exclude talks.png --$limit --json
        failed tree/large.png limit "--${limit%=*}"
        is items.done 1
    done
    mill 0 -i tree -o fits --exclude talks.png --max-pixels 20000 --max-width 200 --max-height 100
    mill 1 -i tree -o talks --max-metadata 10kB --json
    failed tree/talks.png limit --max-metadata
    is items.done 2
    mill 0 -i tree -o all --max-metadata 30kB
}

@test "an item over the whole budget is refused by name; the others are done" {
    mkdir tree
    icon tree/small.png
    "$FORKMILL_GENERATE" flat --width 1500 --height 1000 tree
    mill 1 -i tree -o out --memory 4MiB --json
    failed tree/flat/000/flat-000000.png limit "over memory 4.0 MiB; raise it with --memory"
    is items.done 1
    # What a stage makes counts too: it is known before anything is read.
    mill 1 -i tree/small.png -o big --memory 64MiB -s resize:width=9000,height=9000,fit=fill --json
    failed tree/small.png limit --memory
}

@test "what is in flight stays within memory" {
    "$FORKMILL_GENERATE" flat --count 12 --width 700 --height 500 tree
    "$FORKMILL_GENERATE" icons --count 30 tree
    mill 0 -i tree -o reference -s gaussblur:sigma=2
    mill 0 -i tree -o out -w 4 --queue 64 --memory 32MiB -s gaussblur:sigma=2 --json
    [ "$(number peak_in_flight_bytes)" -le $((32 << 20)) ]
    [ "$(number peak_in_flight_bytes)" -gt $((8 << 20)) ]
    is memory_bytes $((32 << 20))
    diff -r reference out
}

# One item sleeps in a worker and takes most of the memory, so the other waits, opened and looked at, until it
# leaves: time to change the file.
change_while_waiting() { # COMMAND...: with the file's name at its end
    "$FORKMILL_GENERATE" photo --count 2 --width 900 --height 600 tree
    mv tree/photo/000/photo-000000.png a.png
    mv tree/photo/000/photo-000001.png b.png
    start -i a.png -i b.png -o out --memory 6MiB -s sleep:ms=1500 --json
    wait_until holds_open b.png
    "$@" b.png
}

holds_open() {
    find "/proc/$main/fd" -lname "*/$1" 2>/dev/null | grep -q .
}

@test "a file that shrinks while it is read fails alone" {
    change_while_waiting truncate -s -1000
    finish 1
    is items.done 1
    failed b.png io "the file shrank while it was read"
    [ ! -e out/b.png ]
}

@test "a file that grows while it is read fails alone" {
    change_while_waiting truncate -s +1000
    finish 1
    is items.done 1
    failed b.png io "the file grew while it was read"
    [ ! -e out/b.png ]
}

@test "a file that vanishes while it is read is done: it is open" {
    change_while_waiting rm
    finish 0
    is items.done 2
}

@test "a file whose size lies fails alone" {
    [ -r /sys/kernel/uevent_seqnum ] || skip "no /sys here"
    icon a.png
    printf '/sys/kernel/uevent_seqnum\na.png\n/proc/version\n' | mill 1 --files-from - -o out --json
    failed /sys/kernel/uevent_seqnum io shrank
    failed /proc/version corrupt "the file is empty"
    is items.done 1
}

@test "a file that may not be read fails alone" {
    icon a.png; icon b.png
    chmod 0 b.png
    if [ "$(id -u)" -eq 0 ]; then # who may read everything
        chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"/.. . && mkdir -m 777 out
        as=(setpriv --reuid 65534 --clear-groups)
        "${as[@]}" "$FORKMILL" --version >/dev/null 2>&1 && "${as[@]}" test -r a.png || skip "only root can run the program here"
    fi
    code=0
    "${as[@]}" "$FORKMILL" run -i a.png -i b.png -o out --json >.out 2>.err || code=$?
    [ "$code" -eq 1 ]
    failed b.png io "Permission denied"
    is items.done 1
}

@test "originals are never written to" {
    "$FORKMILL_GENERATE" icons --count 20 tree
    mkdir tree/out
    find tree -type f -printf '%p %T@ %i\n' -exec sha256sum {} + | sort >before
    mill 0 -i tree -o tree/out -s invert
    rm -r tree/out && mkdir tree/out
    find tree -type f -printf '%p %T@ %i\n' -exec sha256sum {} + | sort | diff before -
}
