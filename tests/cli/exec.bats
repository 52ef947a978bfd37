#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The stage that hands items to commands.
# ctest labels: plain

load machine

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "$FORKMILL_GENERATE" photo --count 6 --width 90 --height 40 in
    mkdir arrays
    "$FORKMILL_PYTHON" -c 'import numpy
for i in range(3): numpy.save(f"arrays/{i}.npy", numpy.arange(24.0).reshape(2, 3, 4) * i)'
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR"/{in,arrays} .
    in=in/
}

@test "what comes back is gone on with: the same, another size, another number of channels" {
    mill 0 -i "$in" -o plain
    mill 0 -i "$in" -o same -s exec:command=cat
    diff -r plain same
    mill 0 -i "$in" -o same-raw -s exec:command=cat,exchange=raw
    diff -r plain same-raw
    "$FORKMILL_PYTHON" - >double.py <<'END'
print('''import sys
from PIL import Image
image = Image.open(sys.stdin.buffer)
image = image.resize((image.width * 4, image.height * 3), Image.NEAREST).convert("L")
image.save(sys.stdout.buffer, "PPM")''')
END
    for engine in process thread openmp serial; do
        # Each item begins a Python with Pillow.
        mill 0 -i "${in}photo/000/photo-00000[0-2].png" -o "larger-$engine" --engine $engine -s "exec:command=$FORKMILL_PYTHON double.py" -s invert
    done
    for engine in thread openmp serial; do diff -r larger-process "larger-$engine"; done
    "$FORKMILL_PYTHON" - <<'END'
import glob
from PIL import Image, ImageOps, ImageChops
made = sorted(glob.glob("larger-process/**/*.png", recursive=True))
assert len(made) == 3, made
for path in made:
    want = Image.open("in/photo/000/" + path.rpartition("/")[2]).resize((360, 120), Image.NEAREST).convert("L")
    image = Image.open(path)
    assert image.mode == "L" and ImageChops.difference(ImageOps.invert(want), image).getbbox() is None
END
}

@test "arrays go out and come back as .npy" {
    mill 0 -i arrays/ -o out -s exec:command=cat -s linear:a=2
    cat >twice.py <<'END'
import io, sys, numpy
data = numpy.load(io.BytesIO(sys.stdin.buffer.read()))
numpy.save(sys.stdout.buffer, numpy.concatenate([data * 2] * 50).astype("f8"))
END
    mill 0 -i arrays/ -o more -s "exec:command=$FORKMILL_PYTHON twice.py"
    "$FORKMILL_PYTHON" - <<'END'
import numpy
for i in range(3):
    source = numpy.load(f"arrays/{i}.npy")
    assert (numpy.load(f"out/{i}.npy") == source * 2).all()
    assert (numpy.load(f"more/{i}.npy") == numpy.concatenate([source * 2] * 50)).all()
END
}

@test "a command that fails says why, and costs its item only" {
    mill 1 -i "$in" -o out -s "exec:command=cat; echo first >&2; echo 'no such luck' >&2; exit 3"
    says "exec: the command ended with status 3: no such luck"
    mill 1 -i "$in" -o out -s "exec:command=kill -9 \$\$"
    says "exec: the command was killed by signal 9"
    mill 1 -i "$in" -o out -s "exec:command=true"
    says "exec: the command gave nothing back"
    mill 1 -i "$in" -o out -s "exec:command=echo hello"
    says "what the command gave back is not pnm"
    mill 1 -i "$in" -o out -s "exec:command=head -c 5,exchange=raw"
    says "the command gave back 5 bytes of samples instead of 10800"
    mill 1 -i "$in" -o out -s "exec:command=no-such-command"
    says "status 127"
    mill 1 -i "$in" -o out --max-file 100kB -s "exec:command=yes"
    says "gives back more than max_file 100000 bytes"
    mill 0 -i "$in" -o half -s "exec:command=cat,when.glob=*-00000[0-2]*"
    [ ! -e out ] || [ "$(files out)" -eq 0 ]
}

@test "a command that takes too long is ended, with all that it has started" {
    mill 1 -i "$in" -o out -s "exec:command=sleep 1234 | sleep 1234,timeout=200ms"
    says "exec: the command took longer than its timeout of 200 ms"
    absent sleep <(pgrep -a sleep | grep 1234)
}

@test "a command is gone when its worker is" {
    start -i "$in" -o out -w 2 -s "exec:command=sleep 4321 | sleep 4321"
    for _ in $(seq 1200); do [ "$(pgrep -fc '^sleep 4321')" -lt 4 ] || break; sleep 0.05; done
    [ "$(pgrep -fc '^sleep 4321')" -eq 4 ]
    # shellcheck disable=SC2154 # set by start
    kill -9 "$main"
    finish 137
    for _ in $(seq 200); do pgrep -f '^sleep 4321' >/dev/null || break; sleep 0.05; done
    absent sleep <(pgrep -a sleep | grep 4321)
}

@test "a stage without a command, or of the wrong kind, is refused" {
    mill 2 -i "$in" -o out -s exec
    says "exec: command must be given"
    mill 1 -i arrays/ -o out -s exec:command=cat,exchange=pam
    says "an array is not exchanged as pam"
}

@test "commands of several threads do not hold each other up" {
    mkdir many
    for i in $(seq 40); do cp arrays/1.npy "many/$i.npy"; done
    for engine in thread openmp process; do
        mill 0 -i many -o "out-$engine" --engine $engine -w 8 --batch 1 -s exec:command=cat,timeout=20s
        [ "$(find "out-$engine" -name '*.npy' | wc -l)" -eq 40 ]
    done
}

@test "what a command leaves running does not hold up its item" {
    start=$SECONDS
    mill 0 -i arrays/ -o out -s 'exec:command=sleep 77 & cat,timeout=60s'
    [ $((SECONDS - start)) -lt 40 ]
    absent . <(pgrep -f '^sleep 77')
}

@test "bare samples go on where they came back, whatever follows" {
    "$FORKMILL_GENERATE" photo --count 1 --width 200 --height 150 one
    mill 0 -i one -o plain -s resize:scale=6 -s resize:scale=0.1
    mill 0 -i one -o raw -s exec:command=cat,exchange=raw -s resize:scale=6 -s resize:scale=0.1 -w 1
    diff -r plain raw
}
