# SPDX-License-Identifier: MIT
"""Numeric stages against numpy and scikit-image.

Integers, and floats where numpy computes one operation after the other in the type of the array, must be equal.
Where numpy adds up many floats in an order of its own, the tolerance is stated beside the line, in units in the
last place of the result: forkmill adds in double and rounds once, numpy in the type of the array, pairwise.
"""
import math
from fractions import Fraction

import raw

try:
    import numpy as np
except ImportError:
    raw.skip("python3-numpy is not installed; no numeric stage was compared with it")
try:
    from skimage.measure import block_reduce
except ImportError:
    block_reduce = None
    print("skipped: python3-skimage is not installed; block_reduce was not compared with it")

suite = raw.Suite()
random = np.random.default_rng(11)
INTEGERS = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"]
FLOATS = ["f2", "f4", "f8"]
NAMES = {"u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64",
         "f2": "f16", "f4": "f32", "f8": "f64", "?": "bool"}
SHAPES = [(), (0,), (20003,), (3, 9001), (5, 40, 7)]
np.seterr(all="ignore")


def numbers(shape, dtype, special=True):
    """The whole range of integers; floats of all magnitudes, with NaN, infinities and zeros of both signs."""
    count = math.prod(shape)
    if dtype == "?":
        return random.integers(0, 2, count).astype("?").reshape(shape)
    if dtype[0] in "iu":
        info = np.iinfo(dtype)
        return random.integers(info.min, info.max, count, dtype=dtype, endpoint=True).reshape(shape)
    spread = 4 if dtype == "f2" else 20
    values = random.standard_normal(count) * np.exp2(random.uniform(-spread, spread, count))
    for value in (np.nan, np.inf, -np.inf, 0.0, -0.0) if special else ():
        values[random.integers(0, max(count, 1), count // 50)] = value
    return values.astype(dtype).reshape(shape)


def astype():
    for source in INTEGERS + ["?"]:
        values = numbers((20003,), source)
        for target in INTEGERS + FLOATS + ["?"]:
            want = values.astype(target)
            got, _ = suite.apply_array(values, f"astype:type={NAMES[target]},casting=wrap", cut=1)
            suite.expect_array(f"astype {source} to {target}, wrap", got, want)
            if target[0] in "iu":
                low, high = np.iinfo(target).min, np.iinfo(target).max
                want = np.array([min(max(int(value), low), high) for value in values], target)
                got, _ = suite.apply_array(values, f"astype:type={np.dtype(target).name},casting=saturate")
                suite.expect_array(f"astype {source} to {target}, saturate", got, want)
    for source in FLOATS:
        values = numbers((20003,), source)
        for target in FLOATS + ["?"]:
            got, _ = suite.apply_array(values, f"astype:type={NAMES[target]},casting=wrap")
            suite.expect_array(f"astype {source} to {target}", got, values.astype(target))
        for target in INTEGERS:
            low, high = np.iinfo(target).min, np.iinfo(target).max
            inside = values[np.isfinite(values)]
            inside = inside[(inside >= low) & (inside.astype("f8") < float(high))]
            for rounding, theirs in (("truncate", np.trunc), ("nearest", np.rint)):
                got, _ = suite.apply_array(inside, f"astype:type={NAMES[target]},rounding={rounding}")
                suite.expect_array(f"astype {source} to {target}, {rounding}", got, theirs(inside).astype(target))
    # All bits of a half, whichever way it is read.
    halves = np.arange(65536, dtype="u2").view("f2")
    got, _ = suite.apply_array(halves, "astype:type=f64")
    suite.expect_array("astype f2 to f8, all", got, halves.astype("f8"))
    singles = random.integers(0, 2**32, 1000000, dtype="u4").view("f4")
    got, _ = suite.apply_array(singles, "astype:type=f16,casting=wrap")
    suite.expect_array("astype f4 to f2, any bits", got, singles.astype("f2"))


def linear():
    pairs = [(1.5, -0.25), (-0.1, 0.3), (1e-3, 7), (0, 2.5)]
    for shape in SHAPES:
        for a, b in pairs:
            for dtype in FLOATS:
                values = numbers(shape, dtype)
                want = np.multiply(values, np.array(a, dtype), dtype=dtype) + np.array(b, dtype)
                got, _ = suite.apply_array(values, f"linear:a={a},b={b}", cut=1)
                suite.expect_array(f"linear {a} {b} {dtype} {shape}", got, np.asarray(want, dtype))
            for dtype in INTEGERS[:3] + INTEGERS[4:7]:
                values = numbers(shape, dtype)
                info = np.iinfo(dtype)
                want = np.clip(np.rint(values.astype("f8") * a + b), info.min, info.max).astype(dtype)
                got, _ = suite.apply_array(values, f"linear:a={a},b={b}", cut=2)
                suite.expect_array(f"linear {a} {b} {dtype} {shape}", got, want)
    for dtype in ("u8", "i8"):
        values = numbers((20003,), dtype)
        info = np.iinfo(dtype)
        want = [min(max(3 * int(value) - 12345678901, info.min), info.max) for value in values]
        got, _ = suite.apply_array(values, "linear:a=3,b=-12345678901")
        suite.expect_array(f"linear {dtype}, exact", got, np.array(want, dtype))


def clip():
    for shape in SHAPES:
        for dtype in FLOATS:
            values = numbers(shape, dtype)
            low, high = np.array(-0.3, dtype), np.array(1.7, dtype)
            for text, theirs in (("min=-0.3,max=1.7", (low, high)), ("min=-0.3", (low, None)),
                                 ("max=1.7", (None, high))):
                got, _ = suite.apply_array(values, f"clip:{text}", cut=1)
                suite.expect_array(f"clip {text} {dtype} {shape}", got, np.asarray(np.clip(values, *theirs), dtype))
        for dtype in INTEGERS:
            values = numbers(shape, dtype)
            got, _ = suite.apply_array(values, "clip:min=17,max=99")
            suite.expect_array(f"clip {dtype} {shape}", got,
                               np.asarray(np.clip(values, np.array(17, dtype), np.array(99, dtype)), dtype))


def cumsum_and_diff():
    for shape in SHAPES:
        for dtype in INTEGERS + FLOATS + ["?"]:
            values = numbers(shape, dtype)
            got, _ = suite.apply_array(values, "cumsum")
            suite.expect_array(f"cumsum {dtype} {shape}", got, np.cumsum(values))
            for axis in range(-1 if shape else 0, len(shape)):
                got, _ = suite.apply_array(values, f"cumsum:axis={axis}")
                suite.expect_array(f"cumsum {dtype} {shape} along {axis}", got, np.cumsum(values, axis))
                for n in (1, 3):
                    got, _ = suite.apply_array(values, f"diff:axis={axis},n={n}", cut=1)
                    suite.expect_array(f"diff {dtype} {shape} along {axis}, {n} times", got,
                                       np.diff(values, n, axis))


def blocks():
    if not block_reduce:
        return
    sizes = [(2, 2, 2), (3, 1, 4), (7, 5, 3)]
    for shape in [(20003,), (37, 61), (5, 40, 7)]:
        for dtype in ["u1", "i2", "u4", "i8", "u8"] + FLOATS:
            for func in ("sum", "mean", "min", "max", "median"):
                for size in sizes:
                    compare_blocks(shape, dtype, func, size[: len(shape)])


def compare_blocks(shape, dtype, func, size):
    """Sums that round are of positive values, of which units in the last place say something; each addition may
    be off by one."""
    values = numbers(shape, dtype, special=func in ("min", "max"))
    rounds = func == "mean" and dtype[1] == "8" or func in ("sum", "mean") and dtype in FLOATS
    if rounds:
        values = abs(values) if dtype in FLOATS else abs(values // 2)
    text = "x".join(map(str, size))
    whole = values[tuple(slice(0, dim - dim % part) for dim, part in zip(shape, size))]
    for edge, theirs in (("pad", values), ("trim", whole)) if whole.size else (("pad", values),):
        want = block_reduce(theirs, size, getattr(np, func))
        got, _ = suite.apply_array(values, f"block_reduce:size={text},func={func},edge={edge}", cut=1)
        suite.expect_array(f"block_reduce {dtype} {shape} {text} {func} {edge}", got, want,
                           math.prod(size) if rounds else 0)


def sums_of_squares():
    for dtype in INTEGERS + ["?"]:
        values = numbers((20003,), dtype)
        exact = sum(int(value) ** 2 for value in values)
        _, record = suite.apply_array(values, "sumsq")
        want = str(exact) if exact < 2**63 else "%.17g" % float(exact)
        suite.expect(f"sumsq {dtype}: {record['sumsq']}, {want}", [record["sumsq"] != want], [0], 0)
    for dtype in FLOATS:
        values = numbers((20003,), dtype, special=False)
        exact = sum(Fraction(float(value)) ** 2 for value in values)
        _, record = suite.apply_array(values, "sumsq")
        off = abs(Fraction(float(record["sumsq"])) - exact) / exact
        suite.expect(f"sumsq {dtype}, relative", [float(off)], [0], 1e-14)


astype()
linear()
clip()
cumsum_and_diff()
blocks()
sums_of_squares()
suite.finish()
