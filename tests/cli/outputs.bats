#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What an item makes: several outputs from one decode, tiles, names, and stages that not every item goes through.
# ctest labels: plain

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "$FORKMILL_GENERATE" photo --count 4 --width 120 --height 80 in
    "$FORKMILL_GENERATE" alpha --count 2 --width 33 --height 50 in
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/in" all
    in=all/
}

@test "tee makes of one decode what runs of their own would make, in every engine" {
    cat >tee.yaml <<'END'
stages:
  - flip
  - tee: {name: "large/{dir}{stem}.{ext}"}
  - resize: {width: 60}
  - tee: {name: "thumb/{dir}{stem}.ppm"}
  - flatten
  - resize: {width: 16, height: 16, fit: cover}
  - tee: {name: "as-it-is/{name}", compression: smallest}
END
    mill 0 tee.yaml -i "$in" -o out
    [ "$(files out)" -eq 18 ]
    mill 0 -i "$in" -o large -s flip -s resize:width=60
    mill 0 -i "$in" -o thumb -s flip -s flatten -s resize:width=16,height=16,fit=cover --save-format pnm
    diff -r large out/large
    mill 0 -i "$in" -o plain -s flip --save-compression smallest
    for path in $(cd plain && find . -name '*.png'); do cmp "plain/$path" "out/as-it-is/${path##*/}"; done
    for path in $(cd thumb && find . -name '*.pnm'); do cmp "thumb/$path" "out/thumb/${path%.pnm}.ppm"; done
    for engine in thread openmp serial; do
        mill 0 tee.yaml -i "$in" -o "out-$engine" --engine $engine -w 3
        diff -r out "out-$engine"
    done
    mill 0 -i "$in" -o flags -s flip -s 'tee:name=large/{dir}{stem}.{ext}' -s resize:width=60
    diff -r large flags/large
    cut=(-s flip -s "pool:name=second,workers=2" -s 'tee:name=large/{dir}{stem}.{ext}' -s resize:width=60)
    mill 0 -i "$in" -o pools "${cut[@]}"
    diff -r large pools/large
}

@test "what tee cannot do is refused, and where it is wrong" {
    mill 2 -i "$in" -o out -s 'tee:name=a/{stem}.{ext}' -s pool
    says "a pool cannot begin behind tee"
    mill 2 -i "$in" -o out -s 'tee:name=a.png'
    says "has neither {stem} nor {name}"
    mill 2 -i "$in" -o out -s 'tee:name=../{stem}.png'
    says "leads out of the output directory"
    mill 2 -i "$in" -o out -s 'tee:name={stem}.png,format=pnm'
    says "is the name of a png, but format is pnm"
    mill 2 -i "$in" -o out -s 'tee:nam=x'
    says "tee has no parameter 'nam'; did you mean 'name'?"
    mill 2 -i "$in" -o out -s 'tee:name={stem}.png' -s 'tee:name={stem}.png'
    says "its files would be called like those of an earlier tee"
    mill 2 -i "$in" -o out -s tee -s 'tee:name=small/{name}' -s flip -s tee -s invert
    says "its files would be called like those of an earlier tee"
    mill 2 -i "$in" -o out -s 'tee:name={stem}.png' -s 'tee:name={name},format=png'
    says "its files would be called like those of an earlier tee"
    # Alike for some inputs only.
    mkdir png
    icon png/a.png
    mill 2 -i png -o out -s 'tee:name={stem}.png' -s 'tee:name={name}'
    says "twice: it is given twice, or two outputs have one name"
    [ ! -e out ]
}

@test "tiles cover the image, and put together they are it" {
    mill 0 -i "$in" -o out -s tile:width=50,height=32
    mill 1 -i "$in" -o overlap -s tile:width=50,height=32,overlap=10,partial=drop \
        --save-name '{dir}{stem}/{row}-{col}.{ext}'
    "$FORKMILL_PYTHON" - <<'END'
import glob, os, numpy
from PIL import Image
for path in glob.glob("all/**/*.png", recursive=True):
    source = numpy.array(Image.open(path))
    height, width = source.shape[:2]
    stem = path[len("all/"):-len(".png")]
    rows = -(-height // 32)
    cols = -(-width // 50) if width > 50 else 1
    whole = numpy.concatenate([numpy.concatenate([numpy.array(Image.open(f"out/{stem}_{row}_{col}.png"))
                               for col in range(cols)], axis=1) for row in range(rows)])
    assert (whole == source).all()
    made = sorted(os.listdir(f"overlap/{stem}")) if os.path.isdir(f"overlap/{stem}") else []
    wanted = sorted(f"{row}-{col}.png" for row in range((height - 32) // 22 + 1) for col in range((width - 50) // 40 + 1)
                    if width >= 50)
    assert made == wanted, (stem, made, wanted)
    for name in made:
        row, col = map(int, name[:-4].split("-"))
        tile = numpy.array(Image.open(f"overlap/{stem}/{name}"))
        assert (tile == source[row * 22:row * 22 + 32, col * 40:col * 40 + 50]).all()
END
    says "alpha-000000.png: tile: 33x50 is smaller than a tile"
}

@test "tile is the last of its chain" {
    mill 2 -i "$in" -o out -s tile -s flip
    says "tile must be the last stage of its chain"
    mill 2 -i "$in" -o out -s tile --save-name '{stem}.{ext}'
    says "lacks {row} or {col}"
}

@test "no tile is called like another one, another output or what is combined" {
    for name in '{stem}{row}-{col}.png' '{stem}-{row}{col}.png'; do
        mill 2 -i "$in" -o out -s tile --save-name "$name"
        says "'$name' could call two tiles alike: something other than a digit must stand between"
    done
    mill 2 -i "$in" -o out -s tile --save-name '{stem}-{row}-{dir}{col}.png'
    says "must stand before or behind all other fields"
    mkdir near
    icon near/a.png
    icon near/a-1-1.png 2
    tiles=(-s 'tee:name={stem}.png' -s copy -s 'tee:name={stem}-{row}-{col}.png' -s 'tile:width=8,height=8')
    mill 2 -i near -o out "${tiles[@]}"
    says "near/a-1-1.png and near/a.png would both make out/a-1-1.png"
    [ ! -e out ]
    combined=(-s 'tile:width=8,height=8' --aggregate-ops mean --aggregate-file out/a_1_1.png)
    mill 2 -i near -o out "${combined[@]}"
    says "near/a.png would make out/a_1_1.png, which is the file that aggregate writes"
    [ ! -e out ]
    echo near/a.png | mill 1 --files-from - -o out --save-name '{stem}_{row}_{col}.png' "${combined[@]}"
    says "near/a.png: its output would be the file that aggregate writes"
    [ ! -e out/a_0_0.png ]
    printf 'near/%s.png\n' a a-1-1 | mill 1 --files-from - -o streamed "${tiles[@]}" --json
    is items.done 1
    says "an earlier input already makes this output"
}

@test "a file that appears during the run does not have another's output" {
    mkdir -p late/a late/zz
    "$FORKMILL_GENERATE" icons --count 200 .more
    find .more -name '*.png' -exec mv {} late/a \;
    icon late/zz/x.png
    "$FORKMILL" run -q --no-journal -i late/zz/x.png -o . --save-format pnm --save-name '{stem}.pam'
    # more files than are listed ahead
    start -i late -o out -w 1 --queue 1 --batch 1 -s sleep:ms=20 --save-format pnm --save-name '{dir}{stem}.pam'
    wait_until has_files out 1
    mv x.pam late/zz/x.pam
    finish 1
    says "late/zz/x.png: an earlier input already makes this output"
    [ "$(files out)" -eq 201 ]
}

@test "when leaves items out of a stage, by name, kind and size" {
    mill 0 -i "$in" -o some -s "invert:when.glob=photo-00000[01]*"
    mill 0 -i "$in" -o none
    mill 0 -i "$in" -o every -s invert
    for path in $(cd none && find . -name '*.png'); do
        case $path in
            *photo-00000[01]*) cmp "some/$path" "every/$path" ;;
            *) cmp "some/$path" "none/$path" ;;
        esac
    done
    cat >when.yaml <<'END'
stages:
  - invert: {when: {min_width: 34, max_height: 90}}
  - flip: {when: {kind: array}}
END
    mill 0 when.yaml -i "$in" -o sized
    diff -r every/photo sized/photo
    diff -r none/alpha sized/alpha
    mill 0 -i "$in" -o bytes -s invert:when.max_file=1B
    diff -r none bytes
    mill 2 -i "$in" -o out -s invert:when.widht=3
    says "when has no parameter 'widht'"
}

@test "names choose formats and places" {
    mill 0 -i "$in" -o out -s grayscale -s flatten --save-name 'flat/{stem}-grey.pgm'
    [ "$(files out/flat)" -eq 6 ]
    file=$(find out/flat -name 'photo-000000-grey.pgm')
    [ "$(head -c 2 "$file")" = P5 ]
    mill 2 -i "$in" -i "$in/photo" -o twice --save-name '{stem}.{ext}'
    says "are the same file"
    mill 2 -i "$in" -o out2 --save-name '{stem}.{etx}'
    says "has a brace that is none of"
}

@test "an archive and an array of one name are not made one file" {
    mkdir arrays
    "$FORKMILL_PYTHON" -c 'import numpy as n; n.save("arrays/x.npy", n.ones(3)); n.savez("arrays/x.npz", n.zeros(3))'
    mill 2 -i arrays -o out -s linear:a=2
    says "arrays/x.npy and arrays/x.npz would both make out/x.npy"
    [ ! -e out ]
    printf 'arrays/x.npz\narrays/x.npy\n' | mill 1 --files-from - -o out -s linear:a=2
    says "an earlier input already makes this output"
    rm arrays/x.npy
    mill 0 -i arrays -o out -s linear:a=2
}

@test "a name whose extension is of no format that can be written is refused, unless the format is given" {
    for name in '{stem}.bmp' '{stem}.GIF' '{stem}.tif' '{stem}.npz' '{stem}.png.gz' '{stem}.{ext}.gz' '{name}.bak' '{stem}' \
        '{ext}/{stem}' '{dir}a.png/{stem}'; do
        mill 2 -i "$in" -o out --save-name "$name"
        says "save.name: '$name' does not end in the extension of a format that can be written"
        says "= extensions: png, pnm, "
    done
    mill 2 -i "$in" -o out -s 'tee:name={stem}.webm'
    says "tee: '{stem}.webm' does not end"
    [ ! -e out ]
    mill 0 -i "$in" -o out --save-name '{stem}.icon' --save-format png
    [ "$(head -c 4 out/photo-000001.icon | tail -c 3)" = PNG ]
    mill 0 -i "$in" -o kept --save-name '{dir}{name}'
    [ "$(find kept -name '*.png' | wc -l)" -eq 6 ]
    mill 0 -i "$in" -o ppm -s flatten --save-name '{name}.ppm'
    [ "$(head -c 2 ppm/photo-000000.*)" = P6 ]
}

@test "recompressing keeps what is smaller, to the byte" {
    mill 0 -i "$in" -o small --save-compression smallest
    cp -r small mixed
    mill 0 -i "$in" -o large --save-level 0
    first=$(cd large && find . -name '*.png' | sort | head -1)
    cp "large/$first" "mixed/$first"
    mill 0 -i mixed -o again --save-recompress --save-compression fast
    for path in $(cd small && find . -name '*.png'); do
        [ "$(stat -c %s "again/$path")" -le "$(stat -c %s "mixed/$path")" ]
        [ "$path" = "$first" ] || cmp "small/$path" "again/$path"
    done
    [ "$(stat -c %s "again/$first")" -lt "$(stat -c %s "large/$first")" ]
    mill 2 -i "$in" -o out -s flip --save-recompress
    says "only without stages"
}

@test "a dry run names every output" {
    mill 0 -i "$in" -o out -s 'tee:name=a/{name}' -s 'tee:name=b/{stem}.ppm' -s flatten --dry-run
    [ "$(grep -c -- '-> out/a/' .out)" -eq 6 ]
    [ "$(grep -c -- '-> out/b/' .out)" -eq 6 ]
    says "6 would be done, 0 would fail"
    mill 2 -i "$in" -o out --dry-run --json
    says "--dry-run makes none"
    [ ! -e out ]
}

@test "a printed config with tee and when, fed back, gives the same" {
    cat >c.yaml <<'END'
stages:
  - flip: {when: {glob: ["photo-*", "x/*"], max_width: 200}}
  - pool: {name: second, workers: 1}
  - invert
  - tee: {name: "a/{name}", compression: smallest}
  - tee: {name: "b/{stem}.ppm"}
  - flatten
  - resize: {width: 20}
END
    mill 0 c.yaml -i "$in" -o out --print-config
    cp .out first.yaml
    mill 0 first.yaml --print-config
    diff <(sed 's/ *#.*//' first.yaml) <(sed 's/ *#.*//' .out)
    mill 0 first.yaml
    mv out out-first
    mill 0 c.yaml -i "$in" -o out
    diff -r out out-first
}

@test "no output is called like a file of forkmill's own, and takes its place" {
    unset FORKMILL_JOURNAL
    "$FORKMILL_GENERATE" palette --count 1 --width 8 --height 8 one
    mkdir odd
    for name in journal.db journal.db-wal journal.lock 1-00000000-0.tmp; do
        cp "$(find one -name '*.png')" "odd/.forkmill-$name"
        mill 1 -i "odd/.forkmill-$name" -o out
        says "names that begin with .forkmill- are for forkmill's own files"
    done
    [ "$(find out -type f)" = out/.forkmill-journal.db ]
    mill 2 -i one -o out --save-name '.forkmill-{stem}.png' --dry-run
    icon forkmill-a.png
    mill 1 -i forkmill-a.png -o out --save-name '.{stem}.png' --dry-run
    says "names that begin with .forkmill- are for forkmill's own files"
    for name in out/.forkmill-journal.db ./.forkmill-x.csv; do
        mill 2 -i one -o out -s hash --collect-file "$name"
        says "are for forkmill's own files"
    done
    mill 2 -i one -o out --aggregate-ops mean --aggregate-file '.forkmill-{op}.png'
    mill 2 -i one -o out --trace out/.forkmill-journal.lock
    mill 0 -i one -o out
    "$FORKMILL" report out | grep -q "1 done"
}
