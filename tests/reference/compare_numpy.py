# SPDX-License-Identifier: MIT
"""Arrays as .npy, .npz, raw and .gz against numpy and Python's gzip. What is read must be what numpy reads, and
numpy must read what is written, bit for bit."""
import gzip
import io
import itertools
import os
import random
import subprocess
import sys
import tempfile
import zipfile

import raw

try:
    import numpy as np
except ImportError:
    print("skipped: python3-numpy is not installed; .npy, .npz, raw and .gz were not compared with it")
    sys.exit(77)

tool = raw.Jobs(sys.argv[2])
NAMES = {"i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64",
         "f2": "f16", "f4": "f32", "f8": "f64", "b1": "bool"}
SHAPES = [(), (7,), (0,), (5, 3), (1, 1), (40, 70), (3, 0, 2), (4, 3, 5), (2, 3, 4, 5), (2, 1, 3, 2, 2), (2,) * 6,
          (1, 2, 3, 1, 2, 3, 1), (2, 1, 2, 3, 2, 1, 2, 2)]
folder = tempfile.TemporaryDirectory()
done = failed = 0
random.seed(7)


def place(name):
    return os.path.join(folder.name, name)


def convert(source, target, *load):
    """None, or the error's text."""
    done, said = tool(source, target, *load)
    return None if done else said.strip()


def expect(what, wrong):
    global done, failed
    done += 1
    if wrong:
        failed += 1
        print(f"not ok: {what}: {wrong}")


def compare(got, want):
    """Bit for bit, NaN included; the byte order of `want` does not matter."""
    want = np.asarray(want)
    want = want.astype(want.dtype.newbyteorder("<"), order="C")
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype} {got.shape} is not {want.dtype} {want.shape}"
    return None if got.tobytes() == want.tobytes() else "values differ"


def array_of(code, shape):
    """Any bits for numbers, 0 and 1 for bools."""
    dtype = np.dtype(code)
    count = int(np.prod(shape, dtype=int))
    if dtype.kind == "b":
        return np.array([random.random() < 0.5 for _ in range(count)], dtype=dtype).reshape(shape)
    return np.frombuffer(random.randbytes(count * dtype.itemsize), dtype=dtype).reshape(shape)


def check(what, source, want, *load, target="out.npy"):
    wrong = convert(source, place(target), *load)
    expect(what, wrong or compare(np.load(place(target), allow_pickle=False), want))


def npy_bytes(array, version):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version, allow_pickle=False)
    return stream.getvalue()


def every_npy():
    for name, order, shape, fortran in itertools.product(NAMES, "<>", SHAPES, (False, True)):
        array = array_of(order + name, shape)
        array = np.asfortranarray(array).reshape(shape) if fortran else array
        version = random.choice([(1, 0), (2, 0), (3, 0)])
        with open(place("in.npy"), "wb") as file:
            file.write(npy_bytes(array, version))
        check(f"npy {array.dtype.str} {shape} fortran={fortran} {version}", place("in.npy"), array)


def every_npz():
    for save, name, fortran in itertools.product((np.savez, np.savez_compressed), NAMES, (False, True)):
        arrays = {f"a{i}": array_of("<" + name, shape) for i, shape in enumerate(SHAPES)}
        if fortran:
            arrays = {key: np.asfortranarray(array).reshape(array.shape) for key, array in arrays.items()}
        save(place("in.npz"), **arrays)
        for key, array in arrays.items():
            check(f"{save.__name__} {name} {array.shape} fortran={fortran}", place("in.npz"), array, f"array={key}")
    array = array_of("<f8", (300, 700))
    np.savez_compressed(place("one.npz"), array.byteswap().newbyteorder())
    check("the only array of an npz", place("one.npz"), array)
    with zipfile.ZipFile(place("bz2.npz"), "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", npy_bytes(array, (1, 0)))
    wrong = convert(place("bz2.npz"), place("out.npy"))
    expect("bzip2 in a zip", wrong != "unsupported: the array is compressed by method 12, and not deflated" and wrong)


def every_raw():
    for name, order, shape, fortran in itertools.product(NAMES, "<>", SHAPES[1::3], (False, True)):
        array = array_of(order + name, shape)
        with open(place("in.raw"), "wb") as file:
            file.write(b"header" + array.tobytes(order="F" if fortran else "C"))
        load = ["dtype=" + NAMES[name], "shape=" + "x".join(map(str, shape)), "offset=6"]
        load += ["byte_order=big"] * (order == ">") + ["order=fortran"] * fortran
        check(f"raw {array.dtype.str} {shape} fortran={fortran}", place("in.raw"), array, *load)
        wrong = convert(place("in.raw"), place("out.bin"), *load)
        with open(place("out.bin"), "rb") as file:
            expect("raw written", wrong or compare(np.frombuffer(file.read(), "<" + name).reshape(shape), array))


def every_gz():
    array = array_of("<i4", (100, 33))
    parts = npy_bytes(array, (1, 0))
    for cuts in ([], [1], [5000], [0, 4, 4, 9000]):
        with open(place("in.npy.gz"), "wb") as file:
            for begin, end in zip([0] + cuts, cuts + [len(parts)]):
                file.write(gzip.compress(parts[begin:end], random.choice([0, 1, 9])))
        check(f"gz cut at {cuts}", place("in.npy.gz"), array)
        wrong = convert(place("in.npy.gz"), place("out.npy.gz"))
        with gzip.open(place("out.npy.gz")) as file:
            expect(f"gz written, of {cuts}", wrong or compare(np.load(file), array))
    subprocess.run(["gzip", "-t", place("out.npy.gz")], check=True)


def specials():
    array = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308])
    np.save(place("in.npy"), array)
    check("special values", place("in.npy"), array)
    np.save(place("in.npy"), np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    wrong = convert(place("in.npy"), place("out.npy")) or "was read"
    expect("pickled objects are refused", not wrong.startswith("unsupported: holds Python objects") and wrong)


for part in (every_npy, every_npz, every_raw, every_gz, specials):
    part()
print(f"{done} comparisons, {failed} failed")
sys.exit(1 if failed or not done else 0)
