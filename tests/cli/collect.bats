#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is made of all items together: tables and combinations, in the order of the inputs whatever happens.

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "$FORKMILL_GENERATE" photo --count 12 --width 60 --height 40 in
    "$FORKMILL_GENERATE" grey --count 3 --width 20 --height 10 odd
    "$FORKMILL_PYTHON" - <<'END'
import numpy, os
os.mkdir("arrays")
random = numpy.random.default_rng(7)
for i in range(20):
    numpy.save(f"arrays/{i:02}.npy", random.standard_normal((30, 7)).astype("f4"))
END
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR"/{in,odd,arrays} .
    in=in/
}

@test "a table has a row for each item, in input order, the same for every engine and number of workers" {
    only=(-s "stats:percentiles=10,percentiles=90" --save-format none)
    mill 0 -i arrays/ -o out "${only[@]}" --collect-file first.csv -w 1
    [ "$(wc -l <first.csv)" -eq 21 ]
    for how in "-w 4 --batch 1" "-w 2 --batch 8" "--engine thread -w 3" "--engine openmp -w 2" "--engine serial"; do
        # shellcheck disable=SC2086 # several words
        mill 0 -i arrays/ -o out "${only[@]}" --collect-file other.csv $how
        cmp first.csv other.csv
    done
    mill 0 -i arrays/ -o out "${only[@]}" --collect-file slow.csv -w 3 -s "sleep:ms=30,when.glob=0[0-4]*" -s fail:kind=kill,rate=0.3,attempts=1
    cmp first.csv slow.csv
    "$FORKMILL_PYTHON" - <<'END'
import csv, numpy
rows = list(csv.DictReader(open("first.csv")))
assert [row["path"] for row in rows] == [f"arrays/{i:02}.npy" for i in range(20)]
for row in rows:
    data = numpy.load(row["path"]).astype("f8")
    assert int(row["count"]) == data.size
    for name, value in (("min", data.min()), ("max", data.max()), ("mean", data.mean()), ("std", data.std()),
                        ("p10", numpy.percentile(data, 10)), ("p90", numpy.percentile(data, 90))):
        assert abs(float(row[name]) - value) <= 1e-6 * abs(value) + 1e-12, (row["path"], name, row[name], value)
END
}

@test "a table as JSON lines and as a database says the same" {
    mill 0 -i arrays/ -o out -s stats --save-format none --collect-file t.csv
    mill 0 -i arrays/ -o out -s stats --save-format none --collect-file t.jsonl
    mill 0 -i arrays/ -o out -s stats --save-format none --collect-file t.db
    "$FORKMILL_PYTHON" - <<'END'
import csv, json, sqlite3
rows = list(csv.DictReader(open("t.csv")))
lines = [json.loads(line) for line in open("t.jsonl")]
database = sqlite3.connect("t.db")
database.row_factory = sqlite3.Row
stored = [dict(row) for row in database.execute("SELECT * FROM items ORDER BY rowid")]
assert len(rows) == len(lines) == len(stored) == 20
for row, line, other in zip(rows, lines, stored):
    assert line == other
    assert row["path"] == line["path"] and float(row["mean"]) == line["mean"] and int(row["count"]) == line["count"]
END
}

@test "failed items have no row, and several stages tell fields of their own" {
    mkdir mixed
    cp arrays/0[0-3].npy mixed
    head -c 100 arrays/04.npy >mixed/broken.npy
    mill 1 -i mixed -o out -s stats -s linear:a=2 -s stats --collect-file t.csv
    [ "$(wc -l <t.csv)" -eq 5 ]
    head -1 t.csv | grep -q 'stats.mean.*stats2.mean'
    [ "$(find out -name '*.npy' | wc -l)" -eq 4 ]
    absent broken t.csv
}

@test "combinations are numpy's, the same for every engine and number of workers" {
    mill 0 -i "$in" -o out --save-format none --aggregate-ops mean --aggregate-ops max --aggregate-ops min \
        --aggregate-file 'first-{op}.png' -w 1
    ops=(--aggregate-ops sum --aggregate-ops var --aggregate-ops std --aggregate-ops count --aggregate-ops mean)
    mill 0 -i arrays/ -o out --save-format none "${ops[@]}" --aggregate-file 'first-{op}.npy' -w 1
    for how in "-w 4 --batch 1" "--engine thread -w 3" "--engine openmp -w 2" "--engine serial"; do
        # shellcheck disable=SC2086 # several words
        mill 0 -i arrays/ -o out --save-format none "${ops[@]}" --aggregate-file 'other-{op}.npy' $how \
            -s "sleep:ms=20,when.glob=0[0-4]*"
        for op in sum var std count mean; do cmp "first-$op.npy" "other-$op.npy"; done
    done
    "$FORKMILL_PYTHON" - <<'END'
import glob, numpy
from PIL import Image
images = numpy.stack([numpy.array(Image.open(path)) for path in sorted(glob.glob("in/**/*.png", recursive=True))]).astype("f8")
for name, value in (("mean", numpy.rint(images.mean(0))), ("max", images.max(0)), ("min", images.min(0))):
    assert (numpy.array(Image.open(f"first-{name}.png")) == value).all(), name
arrays = numpy.stack([numpy.load(path) for path in sorted(glob.glob("arrays/*.npy"))]).astype("f8")
for name, value in (("sum", arrays.sum(0)), ("var", arrays.var(0)), ("std", arrays.std(0)), ("mean", arrays.mean(0))):
    assert numpy.allclose(numpy.load(f"first-{name}.npy"), value, rtol=1e-12, atol=1e-14), name
assert numpy.load("first-count.npy") == 20
END
}

@test "what does not go with the others fails by name, and the rest is combined" {
    mkdir mixed
    cp arrays/0[0-3].npy mixed
    "$FORKMILL_PYTHON" -c 'import numpy; numpy.save("mixed/02-odd.npy", numpy.zeros((3, 3), "f4"))'
    mill 1 -i mixed -o out --save-format none --aggregate-ops sum --aggregate-file sum.npy
    says "mixed/02-odd.npy: is f32 array (3, 3), the first item is f32 array (30, 7)"
    "$FORKMILL_PYTHON" - <<'END'
import numpy
want = sum(numpy.load(f"arrays/0{i}.npy").astype("f8") for i in range(4))
assert numpy.allclose(numpy.load("sum.npy"), want, rtol=1e-12)
END
    "$FORKMILL_PYTHON" -c 'import numpy; numpy.save("mixed/00-first.npy", numpy.zeros((3, 3), "f4"))'
    mill 1 -i mixed -o out --save-format none --aggregate-ops count --aggregate-file count.npy -w 4 --batch 1 \
        -s "sleep:ms=200,when.glob=00-first*"
    grep -q "failed: mixed/03.npy" .err
}

# Its turn comes when others have been combined, or put aside, already.
@test "what is too large to begin with fails by itself, whenever it comes" {
    mkdir sizes
    "$FORKMILL_PYTHON" -c '
import numpy
numpy.save("sizes/00.npy", numpy.zeros((200, 200)))
for i in range(1, 6): numpy.save(f"sizes/{i:02}.npy", numpy.full((10, 10), float(i)))'
    for workers in 1 4; do
        mill 1 -i sizes -o "out-$workers" --save-format none --aggregate-ops mean --aggregate-ops var --memory 1MiB \
            --aggregate-file "{op}-$workers.npy" -w "$workers" --batch 1 -s "sleep:ms=200,when.glob=00*"
        says "sizes/00.npy: aggregate takes"
        says "5 done, 1 failed"
    done
    cmp mean-1.npy mean-4.npy
    cmp var-1.npy var-4.npy
}

@test "what its file could not hold is refused with the first item, or before where the chain says so" {
    mill 1 -i arrays -o out --save-format none --aggregate-ops max --aggregate-file max.png
    says "failed: arrays/00.npy: aggregate.file: png holds images and not arrays"
    says "0 done, 20 failed"
    [ ! -e max.png ]
    mkdir both
    cp arrays/00.npy both
    "$FORKMILL_GENERATE" icons --count 1 icons >/dev/null
    cp "$(find icons -name '*.png')" both/01.png
    cp both/01.png both/02.png
    for workers in 1 4; do
        mill 1 -i both -o out --save-format none --aggregate-ops min --aggregate-ops max \
            --aggregate-file "{op}-$workers.png" -w "$workers" --batch 1 -s "sleep:ms=200,when.glob=00*"
        says "both/00.npy: aggregate.file: "
        says "2 done, 1 failed"
        "$FORKMILL_PYTHON" - "min-$workers.png" "max-$workers.png" <<'END'
import sys
import numpy
from PIL import Image
want = numpy.asarray(Image.open("both/01.png"))
assert all(numpy.array_equal(numpy.asarray(Image.open(name)), want) for name in sys.argv[1:])
END
    done
    mill 2 -i both -o out2 -s to_array --save-format none --aggregate-ops max --aggregate-file m.png
    says "aggregate.file: what is combined are arrays, which png does not hold; take .npy"
    mill 0 -i icons -o out2 -s to_array --save-format none --aggregate-ops max --aggregate-file m.npy
}

@test "a run says when what its stages tell goes nowhere" {
    mill 0 -i odd/ -o out -s stats
    says "what stats tells goes nowhere: collect.file"
    mill 0 -i odd/ -o out -s stats --collect-file t.csv --force
    [ "$(grep -c nowhere .err)" -eq 0 ]
}

@test "wrong wishes are refused before work, and nothing is left behind" {
    mill 2 -i "$in" -o out -s stats --collect-file t.txt
    says "ends in none of .csv, .jsonl, .db"
    mill 2 -i "$in" -o out --collect-file t.csv
    says "no stage has anything to tell"
    mill 2 -i "$in" -o out --aggregate-ops men --aggregate-file a.npy
    says "did you mean 'mean'?"
    mill 2 -i "$in" -o out --aggregate-ops mean --aggregate-ops max --aggregate-file a.npy
    says "must contain {op}"
    mill 2 -i "$in" -o out --aggregate-ops var --aggregate-file a.png
    says "which png does not hold"
    mill 2 -i "$in" -o out --save-format none
    says "nothing would be made"
    mill 5 -i "$in" -o out -s stats --collect-file missing/t.csv
    says "missing/t.csv"
    [ -z "$(find . -name '*.tmp')" ]
}

@test "neither an input nor an output is replaced by a table" {
    cp -r arrays own
    "$FORKMILL_PYTHON" -c 'open("t.csv", "w").write("1,2\n3,4\n")'
    cp own/00.npy before.npy
    mill 2 -i own -o out --aggregate-ops sum --aggregate-file own/00.npy
    says "own/00.npy is an input, and would be replaced"
    cmp before.npy own/00.npy
    mill 2 -i t.csv -o out -s stats --collect-file t.csv
    says "t.csv is an input"
    ln -s "$PWD" here
    for table in out/07.csv ./out//07.csv "$PWD/here/new/../out/07.csv"; do
        mill 2 -i own -o out -s stats --save-name '{stem}.csv' --collect-file "$table"
        says "own/07.npy would make out/07.csv, which is the file that collect writes"
        [ ! -e out ]
    done
    mill 2 -i own -o out -s stats --save-name '{stem}.csv' --collect-file out/07.csv --dry-run
    find own/ -name '*.npy' | mill 1 --files-from - -o out -s stats --save-name '{stem}.csv' --collect-file out/07.csv
    says "own/07.npy: its output would be the file that collect writes"
    head -1 out/07.csv | grep -q '^path,count'
    mill 2 -i own -o out3 -s stats --collect-file here/t.csv --trace t.csv
    says "here/t.csv would be written twice"
    mill 0 -i own -o out2 -s stats --collect-file out2/all.csv
    [ "$(wc -l <out2/all.csv)" -eq 21 ]
}

@test "neither a list, nor a file in it, nor one that a stage reads is replaced by a table" {
    cp -r arrays own
    "$FORKMILL_PYTHON" -c 'import numpy; numpy.save("m.npy", numpy.eye(2)); open("t.csv", "w").write("1,2\n3,4\n")'
    echo "$PWD/t.csv" >list.csv
    ln -s m.npy link.npy
    md5sum t.csv list.csv m.npy >sums
    mill 2 --files-from list.csv -o out -s stats --collect-file list.csv
    says "list.csv is the list of files, and would be replaced"
    mill 2 --files-from list.csv -o out -s stats --collect-file ./t.csv
    says "./t.csv is an input, and would be replaced"
    mill 2 -i t.csv -o out --save-format npy -s matmul:matrix=link.npy --aggregate-ops mean --aggregate-file m.npy
    says "m.npy is what matmul reads, and would be replaced"
    [ ! -e out ]
    md5sum --check --quiet sums
    mill 0 --files-from list.csv -o out -s stats --collect-file new.csv
    mill 0 --files-from list.csv -o out -s stats --collect-file new.csv
    head -1 new.csv | grep -q '^path,count'
}

@test "a table is refused where the next run would take it for input, and nowhere else" {
    cp -r arrays nest
    mill 2 -i nest -o out -s stats --collect-file nest/t.csv
    says "nest/t.csv lies in the input nest, where the next run would find it"
    mill 2 -i 'nest/*' -o out -s stats --collect-file nest/t.csv
    for turn in 1 2; do
        mill 0 -i 'nest/*.npy' -o out -s stats --collect-file nest/t.csv
        mv nest/t.csv "glob-$turn.csv"
        : >nest/t.csv # as the run before has left it
        mill 0 -i 'nest/*.npy' -o out -s stats --collect-file nest/t.csv
        cmp nest/t.csv "glob-$turn.csv"
        rm nest/t.csv
        mill 0 -i nest -o nest/out -s stats --collect-file nest/t.jsonl
        mill 0 -i nest -o nest/out -s stats --collect-file nest/out/t.csv
        cp nest/out/t.csv "in-output-$turn.csv"
    done
    [ "$(wc -l <in-output-1.csv)" -eq 21 ]
    cmp in-output-1.csv in-output-2.csv
}

@test "an array without elements makes a file without any" {
    printf 'a,b\n' >empty.csv
    mill 0 -i empty.csv -o out
    [ -e out/empty.csv ]
    [ ! -s out/empty.csv ]
    mill 0 -i empty.csv -o out --save-format npy
    "$FORKMILL_PYTHON" -c 'import numpy; assert numpy.load("out/empty.npy").shape == (0, 2)'
}
