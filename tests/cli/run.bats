#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# forkmill run on sound inputs: the same bytes however the work is shared out, and what it reports.

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    generate in 24
    "$FORKMILL_GENERATE" photo --count 2 --width 160 --height 120 in
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/in" all
    in=all/
}

@test "workers, queues, batches and pools change no byte" {
    whole=(-s gaussblur:sigma=1 -s "resize:width=40,height=30,fit=inside" -s invert)
    # shellcheck disable=SC2034 # by name, below
    cut=("${whole[@]:0:2}" -s pool "${whole[@]:2:2}" -s pool "${whole[@]:4}")
    mill 0 -i $in -o reference -w 1 --queue 1 --batch 1 "${whole[@]}"
    [ "$(files reference)" -eq 26 ]
    # Half of all: every combination of any three. tests/equality.sh has them all.
    runs=0
    for workers in 1 2 3 8; do
        for queue in 1 2 64; do
            for batch in 1 8; do
                for chain in whole cut; do
                    runs=$((runs + 1))
                    [ $(((workers / 2 + queue / 2 + batch / 8 + runs) % 2)) -eq 0 ] || continue
                    declare -n stages=$chain
                    mill 0 -i $in -o out -w $workers --queue $queue --batch $batch "${stages[@]}"
                    diff -r reference out
                    rm -r out
                done
            done
        done
    done
}

@test "the pixels are what the stages say, by another program's reading" {
    mill 0 -i $in --include 'photo*' -o out -s invert -s flip:direction=horizontal
    "$FORKMILL_PYTHON" - <<'END'
import glob, PIL.Image, PIL.ImageChops, PIL.ImageOps
outputs = glob.glob("out/**/*.png", recursive=True)
assert len(outputs) == 2
for path in outputs:
    made = PIL.Image.open(path)
    source = PIL.Image.open(path.replace("out/", "all/", 1))
    assert made.mode == "RGB" and made.size == (160, 120)
    assert PIL.ImageChops.difference(PIL.ImageOps.mirror(PIL.ImageOps.invert(source)), made).getbbox() is None
END
}

@test "without stages the picture is saved again, its pixels unchanged" {
    mill 0 -i $in -o out
    "$FORKMILL_PYTHON" - <<'END'
import glob, PIL.Image
outputs = glob.glob("out/**/*.png", recursive=True)
assert len(outputs) == 26
for path in outputs:
    source, made = PIL.Image.open(path.replace("out/", "all/", 1)), PIL.Image.open(path)
    if source.mode == "P":  # colours are looked up, and stay what they were
        source = source.convert("RGBA")
    assert (source.mode, source.size, source.tobytes()) == (made.mode, made.size, made.tobytes()), path
END
}

@test "the tree is mirrored, to any depth" {
    mkdir -p tree/a/b/c tree/empty
    icon tree/top.png; icon tree/a/one.png; icon tree/a/b/c/deep.png
    echo text >tree/a/notes.txt
    mill 0 -i tree -o out
    (cd out && find . -type f | sort) >found
    printf './a/b/c/deep.png\n./a/one.png\n./top.png\n' | diff - found
    [ ! -e out/empty ]
    mill 0 -i tree -o flat --no-recursive
    [ "$(find flat -type f)" = flat/top.png ]
}

@test "include and exclude choose files and prune directories" {
    mkdir -p tree/keep tree/drop
    icon tree/keep/a.png; icon tree/keep/b.png; icon tree/drop/a.png; icon tree/keep/skip.png
    mill 0 -i tree -o out --include 'a.*' --include 'skip.*' --exclude drop --exclude 'skip*'
    [ "$(cd out && find . -type f)" = ./keep/a.png ]
}

@test "a glob and single files are inputs too" {
    mkdir some
    icon some/a.png; icon some/b.png; icon some/c.PNG
    mill 0 -i 'some/[ab].png' -o globbed
    [ "$(ls globbed)" = "a.png
b.png" ]
    mill 0 -i some/c.PNG -i some/a.png -o single
    [ "$(LC_ALL=C ls single)" = "a.png
c.PNG" ]
}

@test "--files-from takes a file, standard input, and NUL between names" {
    icon a.png; icon "b
c.png" 2; icon d.png 3
    printf 'a.png\n\n./d.png' >list
    mill 0 --files-from list -o one
    [ "$(ls one)" = "a.png
d.png" ]
    mill 0 --files-from - -o two <list
    diff -r one two
    printf 'a.png\0b\nc.png\0d.png\0' >list0
    mill 0 --files-from list0 -0 -o three
    mill 0 --files-from - -0 -o four <list0
    [ "$(files three)" -eq 3 ] && [ -e "three/b
c.png" ]
    diff -r three four
}

@test "work starts before the listing ends" {
    icon a.png; icon b.png 2
    {
        echo a.png
        wait_until test -e out/a.png || touch late
        echo b.png
    } | mill 0 --files-from - -o out
    [ ! -e late ]
    [ -e out/b.png ]
}

# The bars that a terminal gets, a line each.
bars() {
    TERM=xterm "$FORKMILL_PYTHON" -c 'import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$FORKMILL" "$@" </dev/null >.terminal
    tr '\r' '\n' <.terminal >seen
}

@test "a percentage is shown from the start where inputs can be listed twice" {
    "$FORKMILL_GENERATE" icons --count 60 many
    slowly=(-w 1 --queue 1 --batch 1 -s sleep:ms=20)
    for format in png none; do # none: no name to compare
        bars run -i many -o "out-$format" --save-format $format --collect-file $format.csv "${slowly[@]}" -s stats
        grep -q '[0-9]/~60  [0-9]* %.*ETA 0:0' seen
        absent '/[0-9]*+' seen
    done
    find many -name '*.png' >list
    bars run --files-from list -o listed "${slowly[@]}"
    grep -q '[0-9]/~60  [0-9]* %' seen
    mkfifo pipe
    cat list >pipe &
    bars run --files-from pipe -o piped "${slowly[@]}"
    grep -q '[0-9]/[0-9]*+' seen
    absent '~' seen
}

@test "an attempt repeated does not wait for the listing" {
    icon a.png; icon b.png 2
    {
        echo a.png
        WAIT_S=20 wait_until test -e out/a.png || touch late
        echo b.png
    } | mill 0 --files-from - -o out -s fail:kind=kill,attempts=1
    [ ! -e late ]
    [ -e out/b.png ]
}

@test "odd names survive" {
    mkdir -p "tree/with space" tree/--dashes
    long=$(printf 'x%.0s' $(seq 251)).png
    names=($'new\nline.png' -o.png "with space/ a  b .png" --dashes/--help.png $'latin\xe9\xff.png' "$long"
        'star*?[].png' '"quotes".png' '$HOME.png' $'esc\e[31m.png')
    icon plain.png
    for name in "${names[@]}"; do cp plain.png "tree/$name"; done
    mill 0 -i tree -o out
    mill 0 -i plain.png -o reference
    [ "$(find out -type f -printf x)" = xxxxxxxxxx ]
    for name in "${names[@]}"; do cmp reference/plain.png "out/$name"; done
    # A failure shows such a name so that it can do no harm.
    : >$'tree/esc\e[31m.png'
    mill 1 -i tree -o again
    absent $'\e' .err
}

@test "save.format changes the format and the extension" {
    mkdir tree
    cp all/photo/000/photo-000000.png tree/a.png
    mill 0 -i tree -o out --save-format pnm
    name=$(ls out)
    [[ $name == a.p?m ]]
    "$FORKMILL_PYTHON" -c 'import PIL.Image, sys
a, b = map(PIL.Image.open, sys.argv[1:])
assert b.format == "PPM" and a.convert("RGB").tobytes() == b.convert("RGB").tobytes()' tree/a.png "out/$name"
}

@test "save.strip drops metadata, and nothing else drops it" {
    "$FORKMILL_PYTHON" - <<'END'
import PIL.Image, PIL.PngImagePlugin
text = PIL.PngImagePlugin.PngInfo()
text.add_text("Comment", "kept")
PIL.Image.new("RGB", (9, 7), (10, 200, 30)).save("a.png", pnginfo=text, dpi=(300, 300))
END
    mill 0 -i a.png -o kept
    mill 0 -i a.png -o bare --set save.strip=true
    "$FORKMILL_PYTHON" - <<'END'
import PIL.Image
kept, bare = PIL.Image.open("kept/a.png"), PIL.Image.open("bare/a.png")
assert kept.text == {"Comment": "kept"} and round(kept.info["dpi"][0]) == 300
assert not bare.text and "dpi" not in bare.info
assert kept.tobytes() == bare.tobytes()
END
}

@test "save.reduce writes what Pillow reads as the same pixels, in fewer bytes" {
    mkdir in
    "$FORKMILL_PYTHON" - <<'END'
import PIL.Image, PIL.ImageDraw
for mode, name in ("RGB", "drawing"), ("RGBA", "clear"), ("LA", "grey"):
    image = PIL.Image.new(mode, (120, 90))
    draw = PIL.ImageDraw.Draw(image)
    for i in range(6):
        draw.ellipse((i * 9, i * 7, 115 - i * 8, 88 - i * 5), fill=tuple([i * 40] * len(mode)))
    image.save(f"in/{name}.png")
gradient = PIL.Image.radial_gradient("L")
gradient.convert("RGBA").save("in/opaque.png")
PIL.Image.merge("RGB", [gradient, gradient.rotate(90), gradient.transpose(0)]).save("in/colours.png")
END
    mill 0 -i in -o plain
    for engine in serial process thread; do
        mill 0 -i in -o "reduced-$engine" --save-reduce --engine $engine
    done
    diff -r reduced-serial reduced-process -x '.forkmill*'
    diff -r reduced-serial reduced-thread -x '.forkmill*'
    "$FORKMILL_PYTHON" - <<'END'
import os, PIL.Image
modes = {"drawing": "P", "clear": "P", "grey": "LA", "opaque": "L", "colours": "RGB"}
for name, mode in modes.items():
    plain, reduced = (PIL.Image.open(f"{tree}/{name}.png") for tree in ("plain", "reduced-serial"))
    assert plain.convert("RGBA").tobytes() == reduced.convert("RGBA").tobytes(), name
    assert reduced.mode == mode, (name, reduced.mode)
    smaller = os.path.getsize(f"reduced-serial/{name}.png") < os.path.getsize(f"plain/{name}.png")
    assert smaller or mode == plain.mode, name
END
}

@test "a config, from one end to the other" {
    cat >job.yaml <<END
input: [all/icons, all/photo]
output: out
memory: 64MiB
queue: 3
stages:
  - pool: {name: shrink, workers: 3, queue: 2}
  - resize: {width: 12, height: 12, fit: fill}
  - pool: {name: finish, workers: 1, recycle: 2}
  - invert
save: {format: png, strip: true}
END
    mill 0 job.yaml --json
    is items.done 8
    "$FORKMILL_PYTHON" - <<'END'
import json
pools = json.load(open(".out"))["pools"]
assert [(p["name"], p["workers"], p["items"]) for p in pools] == [("shrink", 3, 8), ("finish", 1, 8)], pools
assert pools[0]["recycled"] == 0 and pools[1]["recycled"] in (3, 4), pools
END
    mill 0 -i all/icons -i all/photo -o flags -s resize:width=12,height=12,fit=fill -s invert --set save.strip=true
    diff -r flags out
}

@test "recycle replaces a worker after so many items" {
    mill 0 -i $in -o reference
    mill 0 -i $in -o out -w 1 --recycle 5 --json
    # 26 items: five full shares, and a worker that leaves with one.
    is recycled 5
    is deaths 0
    diff -r reference out
    mill 0 -i $in -o ones -w 2 --recycle 1 --queue 1 --json
    number recycled | grep -qx '2[456]'
    diff -r reference ones
}

@test "--json agrees with what happened, and stdout holds nothing else" {
    mkdir tree
    for i in 1 2 3 4 5; do icon tree/$i.png $i; done
    head -c 40 tree/1.png >tree/torn.png
    mkfifo tree/pipe.png
    echo x >tree/a.txt
    mill 1 -i tree -o out --json
    "$FORKMILL_PYTHON" - <<'END'
import json, os
s = json.load(open(".out"))
assert s["exit_code"] == 1 and s["engine"] == "process" and s["output"] == "out"
assert (s["items"]["found"], s["items"]["done"], s["items"]["failed"]) == (6, 5, 1), s["items"]
assert s["items"]["left_out"]["not_regular"] == 1 and s["items"]["left_out"]["extension"] == 1
assert s["bytes_in"] == sum(os.path.getsize(f"tree/{i}.png") for i in range(1, 6))
assert s["bytes_out"] == sum(os.path.getsize(f"out/{i}.png") for i in range(1, 6))
assert s["deaths"] == 0 and s["retries"] == 0 and sum(p["items"] for p in s["pools"]) in (5, 6)
failure, = s["failures"]
assert failure["path"] == "tree/torn.png" and failure["attempts"] == 1 and failure["reason"]
END
    mill 1 -i tree -o out
    silent .out
    says "5 done, 1 failed"
}

# How often a failure of in/NAME is told.
told() {
    grep -cF "in/$1: " .err || true
}

@test "a failure is told once, and listed in the end where it is out of sight or nothing was told" {
    mkdir in
    icon in/a.png; : >in/00.png; : >in/01.png
    mill 1 -i in -o out
    says "failed: in/00.png: the file is empty"
    [ "$(told 00.png)" -eq 1 ]
    [ "$(told 01.png)" -eq 1 ]
    says "1 done, 2 failed"
    mill 1 -i in -o out -q
    diff .err - <<<$'failed:\n  in/00.png: the file is empty\n  in/01.png: the file is empty'
    mill 1 -i in -o out --json
    "$FORKMILL_PYTHON" -c 'import json; assert len(json.load(open(".out"))["failures"]) == 2'
    for i in $(seq 10 32); do : >"in/$i.png"; done
    mill 1 -i in -o out
    [ "$(told 00.png)" -eq 2 ]
    [ "$(told 32.png)" -eq 1 ]
    says "  and 5 more"
}

@test "--dry-run says what would be done and makes nothing" {
    mkdir tree
    icon tree/a.png; : >tree/zero.png
    mill 1 -i tree -o out --dry-run --save-format pnm
    grep -qF 'tree/a.png -> out/a.p' .out
    says "would fail: tree/zero.png"
    [ ! -e out ]
    rm tree/zero.png
    mill 0 -i tree -o out --dry-run
    [ ! -e out ]
}

@test "-q is silent when all goes well and names only what does not" {
    icon a.png
    mill 0 -i a.png -o out -q
    silent .out
    silent .err
    : >zero.png
    mill 1 -i a.png -i zero.png -o out -q
    silent .out
    says zero.png
    absent items .err
}

@test "workers are not told to starve before the run begins" {
    mkdir many
    "$FORKMILL_GENERATE" photo many --count 1
    (cd many && seq 40000 | xargs touch) # whose names are compared before
    mill 0 -i many -o out -w 2 --json
    "$FORKMILL_PYTHON" - <<'END'
import json
s = json.load(open(".out"))
pool = s["pools"][0]
whole = pool["busy_ns"] + pool["starved_ns"] + pool["blocked_ns"]
assert whole <= 1.2 * pool["workers"] * s["wall_ns"], (whole, s["wall_ns"])
END
}

@test "a second run replaces the outputs, whatever was there" {
    icon a.png
    mill 0 -i a.png -o out
    cp out/a.png first
    echo rubbish >out/a.png
    mill 0 -i a.png -o out
    cmp first out/a.png
    mkdir -p other/a.png
    mill 1 -i a.png -o other
    says "a directory is in the place of the output"
    [ -z "$(ls -A other/a.png)" ]
    [ "$(ls -A other)" = a.png ]
}

@test "an output inside the input is left out of the walk" {
    mkdir tree
    icon tree/a.png; icon tree/b.png 2
    mill 0 -i tree -o tree/out --json
    is items.found 2
    mill 0 -i tree -o tree/out --json
    is items.found 2
    [ "$(files tree/out)" -eq 2 ]
}

@test "a /dev/shm too small gives way to a memfd, aloud, with the same bytes" {
    mill 0 -i $in -o reference -s invert
    in_mounts '
        mount -t tmpfs -o size=64k none /dev/shm
        "$FORKMILL" run -i all/ -o out -s invert 2>.err'
    says "using a memfd for shared memory: /dev/shm has 0 MiB free"
    diff -r reference out
    in_mounts '
        mount -t tmpfs -o ro none /dev/shm
        "$FORKMILL" run -i all/ -o without --memory 16MiB -s invert 2>.err'
    says "using a memfd for shared memory: shm_open: "
    diff -r reference without
}

@test "all closed standard files do not get into the way" {
    icon a.png
    mill 0 -i a.png -o reference
    "$FORKMILL" run -i a.png -o out 0<&- 1>&- 2>&-
    diff -r reference out
    echo a.png >list
    "$FORKMILL" run --files-from list -o listed 0<&- 1>&- 2>&-
    diff -r reference listed
    code=0
    "$FORKMILL" run --files-from list -o listed --json 0<&- 1>&- 2>&- || code=$?
    [ "$code" -eq 5 ]
    diff -r reference listed
}

@test "a summary that cannot be written is an error" {
    icon a.png
    code=0
    "$FORKMILL" run -i a.png -o out --json >/dev/full 2>.err || code=$?
    [ "$code" -eq 5 ]
    says "standard output"
}
