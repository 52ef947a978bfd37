#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stages that look at an item: what trim, composite, hash and compare make of files, in every engine.
# ctest labels: plain

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "$FORKMILL_PYTHON" - <<'END'
import os
import numpy
from PIL import Image
random = numpy.random.default_rng(5)
for folder in "in", "in/deep", "there", "there/deep", "arrays", "arrays-there":
    os.mkdir(folder)
for i in range(8):
    page = numpy.full((90, 120, 3), 255, numpy.uint8)
    # Boxes of very different forms, so that what comes after trim cannot keep to what was planned.
    height, width = (70, 6) if i % 2 else (5 + i, 100)
    page[8 : 8 + height, 9 + i : 9 + i + width] = random.integers(0, 200, (height, width, 3))
    name = f"{'deep/' if i > 5 else ''}{i}.png"
    Image.fromarray(page).save("in/" + name)
    if i < 7:
        noise = random.integers(-5, 6, page.shape) if i else 0
        Image.fromarray(numpy.clip(page + noise, 0, 255).astype(numpy.uint8)).save("there/" + name)
for i in range(3):
    data = random.standard_normal((20, 30))
    numpy.save(f"arrays/{i}.npy", data)
    numpy.save(f"arrays-there/{i}.npy", data + i / 100)
logo = random.integers(0, 256, (12, 20, 4)).astype(numpy.uint8)
Image.fromarray(logo).save("logo.png")
END
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR"/{in,there,arrays,arrays-there,logo.png} .
    in=in/
}

engines=("--engine process -w 3 --batch 1" "--engine thread -w 2" "--engine openmp -w 2" "--engine serial")

@test "trim cuts to the box, and resize after it goes by the size that is left, in every engine" {
    mill 0 -i "$in" -o boxes -s trim -w 1
    mill 0 -i "$in" -o first -s trim:margin=2 -s resize:width=64 -w 1
    for how in "${engines[@]}"; do
        rm -rf other
        # shellcheck disable=SC2086 # several words
        mill 0 -i "$in" -o other -s trim:margin=2 -s resize:width=64 $how
        part_of other first
        part_of first other
    done
    "$FORKMILL_PYTHON" - <<'END'
import glob, numpy
from PIL import Image
seen = 0
for path in glob.glob("in/**/*.png", recursive=True):
    page = numpy.array(Image.open(path))
    rows, columns = numpy.nonzero((page < 245).any(axis=2))
    box = page[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    name = path.removeprefix("in/")
    assert (numpy.array(Image.open("boxes/" + name)) == box).all(), path
    height, width = box.shape[0] + 4, box.shape[1] + 4
    got = Image.open("first/" + name)
    assert got.width == 64 and abs(got.height - height * 64 / width) <= 1, (path, got.size, width, height)
    seen += 1
assert seen == 8
END
}

@test "composite lays a file over each item, in every engine" {
    layer=(-s "composite:file=logo.png,gravity=south-east,margin=3,opacity=0.5" -s "composite:file=logo.png,tile=true,opacity=0.1")
    mill 0 -i "$in" -o first "${layer[@]}" -w 1
    for how in "${engines[@]}"; do
        rm -rf other
        # shellcheck disable=SC2086 # several words
        mill 0 -i "$in" -o other "${layer[@]}" $how
        part_of other first
        part_of first other
    done
    mill 0 -i "$in" -o plain -s composite:file=logo.png,left=4,top=6
    "$FORKMILL_PYTHON" - <<'END'
import glob, numpy
from PIL import Image
logo = Image.open("logo.png")
for path in glob.glob("in/**/*.png", recursive=True):
    page = Image.open(path)
    page.paste(logo, (4, 6), logo)
    off = numpy.array(page).astype(int) - numpy.array(Image.open("plain/" + path.removeprefix("in/")))
    assert abs(off).max() <= 1, path
END
}

@test "what is no image is refused before work" {
    mill 2 -i "$in" -o none -s composite:file=missing.png
    says missing.png
    mill 2 -i "$in" -o none -s composite
    says "give an image"
    mill 2 -i "$in" -o none -s composite:file=arrays/0.npy
    says "arrays/0.npy is no image"
    head -c 20 logo.png >broken.png
    mill 2 -i "$in" -o none -s composite:file=broken.png
    says broken.png
    [ ! -e none ]
}

@test "hashes are told in a table, the same for every engine, and equal items have equal ones" {
    table=(-s hash -s hash:kind=dhash -s hash:kind=phash -s hash:kind=ahash --save-format none)
    mkdir twins
    cp in/*.png twins
    mill 0 -i in/1.png -o copies --save-format pnm
    mv copies/1.pnm twins/1-again.pnm
    mill 0 -i twins/ -o out "${table[@]}" --collect-file first.csv -w 1
    for how in "${engines[@]}"; do
        # shellcheck disable=SC2086 # several words
        mill 0 -i twins/ -o out "${table[@]}" --collect-file other.csv $how
        cmp first.csv other.csv
    done
    "$FORKMILL_PYTHON" - <<'END'
import csv, hashlib, numpy
from PIL import Image
rows = list(csv.DictReader(open("first.csv")))
assert len(rows) == 7
contents = set()
for row in rows:
    field = {name.split(".")[-1]: value for name, value in row.items()}
    pixels = numpy.array(Image.open(row["path"]))
    line = " ".join(["u8", *map(str, pixels.shape)]) + "\n"
    assert field["content"] == hashlib.sha256(line.encode() + pixels.tobytes()).hexdigest(), row
    assert all(len(field[kind]) == 16 for kind in ("ahash", "dhash", "phash")), row
    contents.add(field["content"])
assert len(contents) == 6
END
}

@test "compare tells how far items are from their counterparts, and one without fails by name" {
    for how in "-w 1" "${engines[@]}"; do
        # shellcheck disable=SC2086 # several words
        mill 1 -i "$in" -o out -s compare:reference=there --save-format none --collect-file other.csv $how
        says "in/deep/7.png"
        says "its counterpart in there cannot be opened"
        [ -e first.csv ] || cp other.csv first.csv
        cmp first.csv other.csv
    done
    "$FORKMILL_PYTHON" - <<'END'
import csv, math, numpy
from PIL import Image
rows = list(csv.DictReader(open("first.csv")))
assert [row["path"] for row in rows] == [f"in/{name}.png" for name in (0, 1, 2, 3, 4, 5, "deep/6")], rows
for row in rows:
    one, other = (numpy.array(Image.open(path)).astype(float) for path in (row["path"], row["path"].replace("in/", "there/")))
    mse = ((one - other) ** 2).mean()
    assert math.isclose(float(row["mse"]), mse, rel_tol=1e-12), row
    assert float(row["max_error"]) == abs(one - other).max(), row
    assert int(row["equal"]) == (mse == 0), row
    assert float(row["psnr"]) == math.inf if mse == 0 else abs(float(row["psnr"]) - 10 * math.log10(255 ** 2 / mse)) < 1e-8, row
    assert float(row["ssim"]) == 1 if mse == 0 else 0 < float(row["ssim"]) < 1, row
END
    mill 0 -i arrays/ -o out -s compare:reference=arrays-there --save-format none --collect-file arrays.jsonl
    "$FORKMILL_PYTHON" - <<'END'
import json
rows = [json.loads(line) for line in open("arrays.jsonl")]
assert [row["equal"] for row in rows] == [1, 0, 0] and abs(rows[2]["max_error"] - 0.02) < 1e-15, rows
END
}

@test "compare as a test: what is too far off, of another size or damaged fails, and the rest is kept" {
    cp -r there/ mine
    cp in/deep/7.png mine/deep/7.png
    mill 0 -i "$in" -o out -s compare:reference=mine,fail_below=35
    mill 1 -i "$in" -o strict -s compare:reference=mine,fail_below=60
    says "in/1.png"
    says "and fail_below 60"
    [ "$(files strict)" -eq 2 ]
    cmp strict/0.png out/0.png
    "$FORKMILL_PYTHON" -c 'from PIL import Image; Image.new("RGB", (9, 9), "red").save("mine/2.png")'
    head -c 300 there/3.png >mine/3.png
    mill 1 -i "$in" -o odd -s compare:reference=mine
    says "is 120x90 rgb u8, its counterpart 9x9 rgb u8"
    says "in/3.png"
    [ "$(files odd)" -eq 6 ]
    mill 2 -i "$in" -o none -s compare
    says "give a directory"
    mill 2 -i "$in" -o none -s compare:reference=nowhere
    says nowhere
    mill 2 -i "$in" -o none -s compare:reference=mine -s compare:reference=there
    says "only one stage"
}
