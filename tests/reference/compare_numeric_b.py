# SPDX-License-Identifier: MIT
"""stats, histogram, normalize, convolve, rfft and matmul against numpy, scipy and vips.

Counts, extremes, sums of integers and percentiles must be equal. What is added up in floating point is compared
with the same sum in long double, or with numpy's or scipy's in double where there is no such thing, and may be
off by what is stated beside the line: forkmill adds in double in an order of its own, and rounds once more where
the result is f32.
"""
import math
import os

import raw

try:
    import numpy as np
    import vips
except ImportError:
    raw.skip("python3-numpy is not installed; no numeric stage was compared with it")
try:
    import scipy.fft
    import scipy.signal
except ImportError:
    raw.skip("python3-scipy is not installed; no numeric stage was compared with it")

suite = raw.Suite()
random = np.random.default_rng(23)
NAMES = {"u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64",
         "f2": "f16", "f4": "f32", "f8": "f64", "?": "bool"}
SHAPES = [(), (1,), (2047,), (50021,), (3, 9001), (5, 40, 7)]
EPS = 2.0**-52
np.seterr(all="ignore")


def numbers(shape, dtype):
    """The whole range of integers up to 32 bits; floats about a mean that is far from 0."""
    if dtype == "?":
        return random.integers(0, 2, shape).astype("?")
    if dtype[0] in "iu":
        info = np.iinfo(dtype)
        return np.asarray(random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True))
    return np.asarray(random.standard_normal(shape) * 3 + 50).astype(dtype)


def real_type(dtype):
    return "f4" if dtype in ("u1", "u2", "i1", "i2", "f2", "f4", "?") else "f8"


def told(what, record, name, want, tolerance=0.0):
    """A number of the record, relative to what is wanted."""
    got = float(record[name])
    if math.isnan(want) or math.isinf(want):
        suite.expect(f"{what}: {name}", [0.0 if got == want or (got != got and want != want) else 1.0], [0.0], 0)
    else:
        suite.expect(f"{what}: {name}", [got], [float(want)], tolerance * abs(float(want)))


def stats():
    percents = [0, 1, 12.5, 50, 75, 99.9, 100]
    stage = "stats:" + ",".join(f"percentiles={percent}" for percent in percents)
    for dtype in NAMES:
        for shape in SHAPES:
            values = numbers(shape, dtype)
            what = f"stats {dtype} {shape}"
            got, record = suite.apply_array(values, stage)
            suite.expect_array(what, got, values)
            told(what, record, "count", values.size)
            told(what, record, "min", values.min())
            told(what, record, "max", values.max())
            exact = [int(value) for value in values.flat] if dtype[0] in "iu?" else None
            if exact:
                total = sum(exact)
                suite.expect(f"{what}: sum", [float(record["sum"]) - float(total)], [0], 0)
                if -(2**63) <= total < 2**63:
                    suite.expect(f"{what}: sum, to the last digit", [int(record["sum"]) - total], [0], 0)
            wide = values.astype("g")  # more digits than double; integers of 64 bits fit
            if not exact:
                told(what, record, "sum", wide.sum(), 2 * EPS)
            told(what, record, "mean", wide.mean(), 2 * EPS)
            told(what, record, "std", wide.std(), 4 * EPS)
            for percent, want in zip(percents, np.percentile(values.astype("f8"), percents)):
                told(what, record, f"p{percent}", want, 0)
    values = numbers((30011,), "f4")
    values[::7] = np.nan
    _, record = suite.apply_array(values, stage + ",skip_nan=true")
    told("stats, NaN skipped", record, "count", np.count_nonzero(~np.isnan(values)))
    told("stats, NaN skipped", record, "mean", np.nanmean(values.astype("g")), 2 * EPS)
    told("stats, NaN skipped", record, "std", np.nanstd(values.astype("g")), 4 * EPS)
    for percent, want in zip(percents, np.nanpercentile(values.astype("f8"), percents)):
        told("stats, NaN skipped", record, f"p{percent}", want, 0)
    _, record = suite.apply_array(values, "stats")
    for name in ("min", "max", "mean", "std", "sum"):
        told("stats, NaN", record, name, np.nan)


def histogram():
    for dtype in NAMES:
        for shape in SHAPES:
            values = numbers(shape, dtype)
            # Edges that samples hit, and edges of awkward fractions.
            if abs(values.astype("f8")).min() > 2**53 and values.size == 1:
                continue  # numpy finds no range about it
            for bins, low, high in ((10, None, None), (256, 0, 256), (7, 0.1, 77.7), (1024, 45, 55)):
                span = "" if low is None else f",low={low},high={high}"
                _, record = suite.apply_array(values, f"histogram:bins={bins}{span}")
                want, edges = np.histogram(values.astype("f8"), bins, None if low is None else (low, high))
                what = f"histogram {dtype} {shape} {bins} {low} {high}"
                suite.expect(what, [int(record[f"h{i}"]) for i in range(bins)], want.tolist(), 0)
                told(what, record, "low", edges[0])
                told(what, record, "high", edges[-1])
                told(what, record, "outside", values.size - want.sum())


def normalize():
    for dtype in NAMES:
        for shape in SHAPES:
            values = numbers(shape, dtype)
            wide = values.astype("g")
            for axis in [None, *range(-1, len(shape))]:
                if axis == -1 and not shape:
                    continue
                over = dict(axis=axis, keepdims=True)
                at = "" if axis is None else f",axis={axis}"
                extremes = wide.min(**over), wide.max(**over) - wide.min(**over)
                cut = np.percentile(values.astype("f8"), [1, 99], **over)
                for method, (centre, width) in (
                    ("minmax,low=-1,high=3", extremes),
                    ("zscore", (wide.mean(**over), wide.std(**over))),
                    ("percentile", (cut[0], cut[1] - cut[0])),
                ):
                    got, _ = suite.apply_array(values, f"normalize:method={method}{at}", cut=1)
                    scale, low = (4, -1) if method.startswith("minmax") else (1, 0)
                    part = np.where(width == 0, 0, (wide - centre) / np.where(width == 0, 1, width))
                    want = np.asarray(part * scale + low, real_type(dtype))
                    what = f"normalize {dtype} {shape} {method} {axis}"
                    suite.expect(f"{what}: type", [got.dtype == want.dtype, got.shape == want.shape], [1, 1], 0)
                    # The centre is off by its rounding, which counts by how much larger it is than the width.
                    most = float(np.max(np.abs(centre) / np.where(width == 0, 1, width), initial=1))
                    unit = EPS if want.dtype == "f8" else 2.0**-23
                    tolerance = 8 * EPS * most + unit * float(np.abs(want).max(initial=1))
                    suite.expect(what, got.ravel().tolist(), want.ravel().tolist(), tolerance)


def convolve():
    masks = [[3.0], [1, 2, 1], [0.25, -1, 0.5, 7], [0.1] * 33]
    for dtype in ("u1", "i4", "f2", "f4", "f8"):
        for shape in ((1,), (3,), (20011,), (300, 41), (5, 40, 7)):
            values = numbers(shape, dtype)
            for mask in masks:
                for axis in range(len(shape)):
                    turned = np.array(mask, "f8").reshape([-1 if i == axis else 1 for i in range(len(shape))])
                    for mode in ("same", "full", "valid"):
                        if mode == "valid" and shape[axis] < len(mask):
                            continue
                        want = scipy.signal.convolve(values.astype("f8"), turned, "full", "direct")
                        start, length = {"full": (0, want.shape[axis]),
                                         "same": ((len(mask) - 1) // 2, shape[axis]),
                                         "valid": (len(mask) - 1, shape[axis] - len(mask) + 1)}[mode]
                        want = want.take(range(start, start + length), axis)
                        text = " ".join(map(str, mask))
                        got, _ = suite.apply_array(values, f"convolve:mask={text},mode={mode},axis={axis}", cut=1)
                        largest = float(np.abs(values.astype("f8")).max()) * sum(map(abs, mask))
                        unit = EPS * len(mask) if real_type(dtype) == "f8" else 2.0**-23
                        what = f"convolve {dtype} {shape} {mask[:3]} {axis} {mode}"
                        suite.expect(f"{what}: shape", got.shape, want.shape, 0)
                        suite.expect(what, got.ravel().tolist(), want.ravel().tolist(), unit * largest)
    got, _ = suite.apply_array(np.arange(1, 4.0), "convolve:mask=0 1 0.5,mode=same")
    suite.expect("numpy.convolve, same", got.tolist(), np.convolve([1, 2, 3], [0, 1, 0.5], "same").tolist(), 0)


def convolve_images():
    if not vips.VIPS:
        print("skipped: libvips-tools is not installed; convolve was not compared with it")
        return
    path = lambda name: os.path.join(suite.folder.name, name)
    for mask, scale, offset in (
        ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16, 0),
        ([[-1, 0, 1], [-2, 0, 2]], 3, 0.25),
        ([[0.5, 0.25, 3, -1, 2, 0.125]], 7.5, 0),
        ([[random.integers(-9, 9) for _ in range(7)] for _ in range(9)], 64, 0.5),
    ):
        for sample, full in (("u8", 255), ("u16", 65535)):
            pixels = random.integers(0, full, (37, 53, 3), endpoint=True)
            with open(path("mask.mat"), "w") as file:
                file.write(f"{len(mask[0])} {len(mask)} {scale} {offset * full}\n")
                file.writelines(" ".join(map(str, row)) + "\n" for row in mask)
            want = vips.apply(pixels.astype("f4"), ["conv", path("mask.mat"), "--precision", "float"])
            want = np.clip(want.ravel().astype("f8"), 0, full)
            rows = ",".join("mask=" + " ".join(map(str, row)) for row in mask)
            image = raw.Raw(53, 37, 3, sample, pixels.ravel().tolist())
            got = suite.apply(image, f"convolve:{rows},scale={scale},offset={offset}", cut=5)
            # Half a level for rounding, and the rounding of sums that are many times full scale.
            slack = 2.0**-22 * full * np.abs(mask).sum() / scale
            suite.expect(f"convolve {sample} {len(mask)}x{len(mask[0])}, vips", list(got.samples), want.tolist(),
                         0.5 + slack)


def rfft():
    for dtype in ("u1", "i4", "f2", "f4", "f8"):
        for shape in ((1,), (2,), (97,), (20011,), (65536,), (3, 30000), (50, 41), (700, 128), (5, 40, 90)):
            values = numbers(shape, dtype)
            want = np.fft.rfft(values.astype("f8"))
            size = np.sqrt(np.square(values.astype("f8")).sum(-1)).max()
            # For either side 2 units per doubling, relative to the root mean square of the whole spectrum, and a
            # unit of the largest number in it.
            tolerance = float(4 * EPS * (1 + math.log2(shape[-1])) * size + 2 * EPS * np.abs(want).max())
            single = real_type(dtype) == "f4"
            tolerance += float(2.0**-24 * np.abs(want).max()) if single else 0
            what = f"rfft {dtype} {shape}"
            got, _ = suite.apply_array(values, "rfft:output=complex", cut=1)
            parts = np.stack([want.real, want.imag], -1)
            suite.expect(f"{what}: shape", got.shape, parts.shape, 0)
            suite.expect(what, got.ravel().tolist(), parts.ravel().tolist(), tolerance)
            got, _ = suite.apply_array(values, "rfft", cut=1)
            suite.expect(f"{what}, abs", got.ravel().tolist(), np.abs(want).ravel().tolist(), 2 * tolerance)


def matmul():
    path = os.path.join(suite.folder.name, "matrix.npy")
    for dtype in ("u1", "i4", "f2", "f4", "f8"):
        for shape, columns in (((1,), 1), ((40,), 3), ((211, 37), 19), ((3, 5, 64), 600), ((2, 3000), 8)):
            values = numbers(shape, dtype)
            for kind in ("f4", "f8", "i2"):
                matrix = (random.standard_normal((shape[-1], columns)) * 9).astype(kind)
                np.save(path, matrix if columns != 19 else np.asfortranarray(matrix))
                got, _ = suite.apply_array(values, f"matmul:matrix={path}", cut=1)
                want = np.matmul(values.astype("f8"), matrix.astype("f8"))
                # Each sum is off by half a unit of its largest partial sum for each term, at either side.
                largest = np.matmul(np.abs(values.astype("f8")), np.abs(matrix.astype("f8"))).max()
                unit = EPS * shape[-1] + (2.0**-24 if real_type(dtype) == "f4" else 0)
                what = f"matmul {dtype} {shape} by {kind} {columns}"
                suite.expect(f"{what}: shape", got.shape, want.shape, 0)
                suite.expect(what, got.ravel().tolist(), want.ravel().tolist(), float(unit * largest))


stats()
histogram()
normalize()
convolve()
convolve_images()
rfft()
matmul()
suite.finish()
