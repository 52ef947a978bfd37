# SPDX-License-Identifier: MIT
"""Tables against numpy and Python. What is read must be what numpy.loadtxt or genfromtxt reads, bit for bit; what
is written must be what repr says, and numpy must read it back."""
import csv
import io
import os
import random
import struct
import sys
import tempfile

import raw

try:
    import numpy as np
except ImportError:
    print("skipped: python3-numpy is not installed; csv and tsv were not compared with it")
    sys.exit(77)

tool = raw.Jobs(sys.argv[2])
NAMES = {"i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64"}
FORMATS = ["%.18e", "%r", "%.3f", "%g", "%25.17g", "%.0f", "%+.30e"]
folder = tempfile.TemporaryDirectory()
done = failed = 0
random.seed(11)


def place(name):
    return os.path.join(folder.name, name)


def convert(source, target, *load):
    done, said = tool(source, target, *load)
    return None if done else said.strip()


def read(text, *load, name="in.csv"):
    """The array that ours makes of a text, or the error's text."""
    with open(place(name), "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return convert(place(name), place("out.npy"), *load) or np.load(place("out.npy"))


def expect(what, got, want):
    global done, failed
    done += 1
    same = got == want if isinstance(want, str) or isinstance(got, str) else (
        got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes())
    if not same:
        failed += 1
        print(f"not ok: {what}: {got!r} is not {want!r}")


def doubles(count):
    """Any finite bits, numbers of everyday sizes, and whole ones."""
    values = []
    while len(values) < count:
        kind = len(values) % 3
        if kind == 0:
            value = struct.unpack("<d", random.randbytes(8))[0]
        elif kind == 1:
            value = random.gauss(0, 1) * 10 ** random.randint(-6, 6)
        else:
            value = float(random.randint(-10**6, 10**6))
        if np.isfinite(value):
            values.append(value)
    return values


def squeezed(array):
    """One column is one dimension; a row stays a row."""
    return array[:, 0] if array.shape[1] == 1 else array


def numbers():
    for rows, columns in ((1, 1), (1, 7), (9, 1), (40, 13), (300, 3)):
        values = np.array(doubles(rows * columns)).reshape(rows, columns)
        for form in FORMATS:
            for delimiter, name in ((",", "in.csv"), ("\t", "in.tsv"), (";", "in.csv")):
                lines = (delimiter.join(repr(v) if form == "%r" else form % v for v in row) for row in values.tolist())
                text = "\n".join(lines) + "\n"
                want = np.loadtxt(io.StringIO(text), delimiter=delimiter, ndmin=2)
                got = read(text, f"delimiter={delimiter}", name=name)
                expect(f"{form} {rows}x{columns} {name}", got, squeezed(want))


def layouts():
    text = "1, 2.5,nan\r\n\r\n-inf,+4,5e-3\r\n"
    want = np.loadtxt(io.StringIO(text.replace("\r", "")), delimiter=",", ndmin=2)
    expect("carriage returns, blank lines, words", read(text), want)
    expect("old line ends", read(text.replace("\r\n", "\r")), want)
    expect("header", read("a,b,c\n" + text), want)
    text = "1,,3\n,5,\n"
    want = np.genfromtxt(io.StringIO(text), delimiter=",", filling_values=-7.25)
    expect("missing", read(text, "missing=-7.25"), want)
    expect("missing is nan", read(text, "missing=nan"), np.genfromtxt(io.StringIO(text), delimiter=","))
    rows = [[repr(value) for value in doubles(5)] for _ in range(20)]
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    expect("Python's quotes", read(out.getvalue()), np.array(rows, dtype=float))


def integers():
    for code, name in NAMES.items():
        limits = np.iinfo(code)
        values = np.array([[limits.min, limits.max], [0, 1], [random.randint(limits.min, limits.max), 7]], dtype=code)
        text = "\n".join(",".join(map(str, row)) for row in values.tolist())
        want = np.loadtxt(io.StringIO(text), delimiter=",", dtype=code)
        expect(name, read(text, f"dtype={name}"), want)
        if code in ("i1", "u1", "i2", "u2", "i4", "u4"):  # exact in savetxt's format
            out = io.StringIO()
            np.savetxt(out, values, delimiter=",")
            expect(f"{name} by savetxt", read(out.getvalue(), f"dtype={name}"), values)


def singles():
    """float32 of numpy is strtod rounded once more; from texts of up to 9 digits that is the same."""
    values = np.frombuffer(random.randbytes(4 * 3000), dtype="<f4")
    values = values[np.isfinite(values)][:2600].reshape(200, 13)
    text = "\n".join(",".join("%.9g" % v for v in row) for row in values.tolist())
    expect("f32", read(text, "dtype=f32"), values)


def written():
    values = np.array(doubles(6000) + [0.0, -0.0, 5e-324, 1e16, 1e-5, 2.0**-44]).reshape(-1, 6)
    np.save(place("in.npy"), values)
    expect("written", convert(place("in.npy"), place("out.csv")) or "", "")
    with open(place("out.csv"), encoding="ascii") as file:
        text = file.read()
    want = "".join(",".join(repr(v).removesuffix(".0") for v in row) + "\n" for row in values.tolist())
    expect("repr", text, want)
    expect("loadtxt reads it back", np.loadtxt(io.StringIO(text), delimiter=","), values)
    for dtype in ("f4", "f2"):
        bits = np.frombuffer(random.randbytes(6000), dtype="u2" if dtype == "f2" else "u4")
        values = bits.view(dtype)
        values = values[np.isfinite(values)]
        np.save(place("in.npy"), values)
        expect(f"{dtype} written", convert(place("in.npy"), place("out.tsv")) or "", "")
        with open(place("out.tsv"), encoding="ascii") as file:
            lines = file.read().split()
        got = [np.format_float_scientific(np.dtype(dtype).type(line), unique=True) for line in lines]
        shortest = [np.format_float_scientific(v, unique=True) for v in values]
        expect(f"{dtype} reads back", " ".join(got), " ".join(shortest))
        digits = [len(line.lstrip("-").split("e")[0].replace(".", "").strip("0")) for line in lines]
        theirs = [len(line.lstrip("-").split("e")[0].replace(".", "").strip("0")) for line in shortest]
        # numpy's unique digits are the shortest but for powers of two, where one less may do.
        expect(f"{dtype} is short", str([a for a, b in zip(digits, theirs) if a > b]), "[]")


numbers()
layouts()
integers()
singles()
written()
print(f"{done} comparisons, {failed} failed")
sys.exit(1 if failed or not done else 0)
