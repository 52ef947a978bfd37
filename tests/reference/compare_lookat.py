# SPDX-License-Identifier: MIT
"""trim, composite, hash and compare against vips, Pillow, numpy, imagehash and scikit-image, whichever are there.

Tolerances: trim and hash 0. composite 1: Pillow rounds in between. compare 1e-9 relative: scikit-image adds up in
another order, and takes floats of 32 bits as they are, for which 1e-4 is allowed."""
import hashlib
import os
import shutil
import subprocess
import tempfile

import raw

try:
    import numpy as np
    from PIL import Image
except ImportError:
    raw.skip("python3-numpy or python3-pil is not installed; trim, composite, hash and compare were not compared")
try:
    from skimage import metrics
except ImportError:
    metrics = None
try:
    import imagehash
except ImportError:
    imagehash = None

TYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}
FULL = {"u8": 255, "u16": 65535, "f32": 1}
VIPS = shutil.which("vips")
suite = raw.Suite()
random = np.random.default_rng(23)
folder = tempfile.TemporaryDirectory()


def as_raw(pixels):
    height, width, channels = pixels.shape
    sample = next(name for name, dtype in TYPES.items() if dtype == pixels.dtype)
    return raw.Raw(width, height, channels, sample, pixels.ravel().tolist())


def ours(pixels, stage):
    result = suite.apply(as_raw(pixels), stage, cut=3)
    return np.array(result.samples, dtype=float).reshape(result.height, result.width, result.channels)


def same(what, got, want, tolerance=0):
    suite.expect(what, [*got.shape, *got.ravel()], [*want.shape, *want.astype(float).ravel()], tolerance)


def smooth(width, height, channels):
    """A picture with shapes in it, as photographs have and noise has not."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 60 * np.sin(x / (7 + c) + c) + 60 * np.cos(y / (5 + c) + x / 31) for c in range(channels)]
    return np.clip(np.stack(planes, axis=2) + random.normal(0, 8, (height, width, channels)), 0, 255)


def picture(width, height, channels, sample="u8"):
    pixels = smooth(width, height, channels) / 255 * FULL[sample]
    return (np.rint(pixels) if sample != "f32" else pixels).astype(TYPES[sample])


def vips_trim(pixels):
    path = os.path.join(folder.name, "in.png")
    Image.fromarray(pixels.squeeze()).save(path)
    found = subprocess.run(["vips", "find_trim", path, "--threshold", "10", "--background",
                            " ".join(["200"] * pixels.shape[2])], check=True, text=True, stdout=subprocess.PIPE).stdout
    left, top, width, height = map(int, found.split())
    return pixels[top : top + height, left : left + width]


def compare_trim():
    for i in range(12):
        width, height, channels = int(random.integers(9, 60)), int(random.integers(9, 60)), (1, 3)[i % 2]
        pixels = np.full((height, width, channels), 200, np.uint8)
        for _ in range(4):
            pixels[random.integers(0, height), random.integers(1, width)] = random.integers(0, 190)
        rows, columns = np.nonzero((abs(pixels.astype(int) - 200) > 10).any(axis=2))
        want = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        same(f"trim {width}x{height}x{channels}, numpy", ours(pixels, "trim"), want)
        if VIPS:
            # vips takes the median of 3 x 3 before it looks, unless its version knows of line art.
            for _ in range(2):
                left, top = random.integers(0, width - 3), random.integers(0, height - 3)
                pixels[top : top + random.integers(4, 9), left : left + random.integers(4, 9)] = 90
            pixels[pixels != 90] = 200
            same(f"trim {width}x{height}x{channels}, vips", ours(pixels, "trim:background=#c8c8c8"), vips_trim(pixels))


def compare_composite():
    path = os.path.join(folder.name, "logo.png")
    for left, top in (0, 0), (5, 3), (-4, -6), (20, 11):
        item, logo = picture(31, 23, 4), picture(17, 15, 4)
        logo[:, :5, 3] = 0
        item[:4, :, 3] = 255
        Image.fromarray(logo).save(path)
        below = Image.fromarray(item)
        layer = Image.new("RGBA", below.size)
        layer.paste(Image.fromarray(logo), (left, top))
        want = np.array(Image.alpha_composite(below, layer))
        got = ours(item, f"composite:file={path},left={left},top={top}")
        same(f"composite at {left}, {top}, Pillow", got, want, 1)
        opaque = Image.fromarray(item[:, :, :3])
        opaque.paste(Image.fromarray(logo[:, :, :3]), (left, top), Image.fromarray(logo[:, :, 3]))
        got = ours(item[:, :, :3].copy(), f"composite:file={path},left={left},top={top}")
        same(f"composite on RGB at {left}, {top}, Pillow's paste", got, np.array(opaque), 1)


def looks(image):
    """The three hashes by the definitions of imagehash, on Pillow's grey and LANCZOS."""
    def grey(width, height):
        return np.asarray(image.convert("L").resize((width, height), Image.Resampling.LANCZOS)).astype(float)

    def digits(bits):
        return f"{int(''.join('01'[int(bit)] for bit in bits.ravel()), 2):016x}"

    k, n = np.mgrid[0:8, 0:32]
    dct = np.cos(np.pi * k * (2 * n + 1) / 64)
    low = dct @ grey(32, 32) @ dct.T
    small, wide = grey(8, 8), grey(9, 8)
    return {"ahash": digits(small > small.mean()), "dhash": digits(wide[:, 1:] > wide[:, :-1]),
            "phash": digits(low > np.median(low))}


def compare_hash():
    def tell(pixels, kind):
        return suite.tell(as_raw(pixels), f"hash:kind={kind}")[kind]

    def expect(what, got, want):
        suite.expect(f"{what}: {got} instead of {want}", [got == want], [True], 0)

    for width, height in (8, 8), (9, 8), (32, 32), (5, 3), (40, 200), (257, 130), (640, 480), (1, 77):
        for channels in 1, 2, 3, 4:
            pixels = picture(width, height, channels)
            image = Image.fromarray(pixels.squeeze(axis=2) if channels == 1 else pixels)
            for kind, want in looks(image).items():
                if kind == "phash" and width == 1:
                    continue  # most coefficients are 0, and the rounding of floats decides what is above their median
                expect(f"{kind} of {width}x{height}x{channels}, Pillow and numpy", tell(pixels, kind), want)
            if imagehash:
                for kind, function in ("ahash", imagehash.average_hash), ("dhash", imagehash.dhash), \
                        ("phash", imagehash.phash):
                    if kind == "phash" and width == 1:
                        continue
                    expect(f"{kind} of {width}x{height}x{channels}, imagehash", tell(pixels, kind),
                           str(function(image)))
    for sample in TYPES:
        for channels in 1, 3:
            pixels = picture(31, 17, channels, sample)
            shape = pixels.shape[:2] if channels == 1 else pixels.shape
            want = hashlib.sha256(" ".join([sample, *map(str, shape)]).encode() + b"\n" + pixels.tobytes())
            expect(f"content of {sample}, hashlib", tell(pixels, "content"), want.hexdigest())


def compare_metrics():
    path = os.path.join(folder.name, "other.raw")
    for i in range(24):
        sample, channels = list(TYPES)[i % 3], i // 3 % 4 + 1
        width, height = (11, 11) if i % 5 == 0 else (int(random.integers(12, 90)), int(random.integers(12, 90)))
        item = picture(width, height, channels, sample)
        noise = random.normal(0, (1, 9, 40)[i % 3 - 1] / 255, item.shape) * FULL[sample]
        other = np.clip(item + noise, 0, FULL[sample]).astype(TYPES[sample])
        as_raw(other).write(path)
        told = suite.tell(as_raw(item), f"compare:reference={path}")
        what = f"{width}x{height}x{channels} {sample}"
        one, two = item.astype("f8"), other.astype("f8")

        def near(name, want, allowed=1e-9):
            suite.expect(f"{name} of {what}", [float(told[name])], [want], allowed * max(1, abs(want)))

        near("mse", ((one - two) ** 2).mean())
        near("max_error", abs(one - two).max())
        near("psnr", 10 * np.log10(FULL[sample] ** 2 / ((one - two) ** 2).mean()), 1e-9)
        if metrics:
            near("mse", metrics.mean_squared_error(item, other), 1e-4 if sample == "f32" else 1e-9)
            near("psnr", metrics.peak_signal_noise_ratio(item, other, data_range=FULL[sample]),
                 1e-4 if sample == "f32" else 1e-9)
            ssim = metrics.structural_similarity(item, other, gaussian_weights=True, sigma=1.5, channel_axis=2,
                                                 use_sample_covariance=False, data_range=FULL[sample])
            near("ssim", ssim, 1e-4 if sample == "f32" else 1e-9)
            near("ssim", metrics.structural_similarity(one, two, gaussian_weights=True, sigma=1.5, channel_axis=2,
                                                       use_sample_covariance=False, data_range=FULL[sample]))


compare_trim()
compare_composite()
compare_hash()
compare_metrics()
for tool, there in ("libvips-tools", VIPS), ("python3-skimage", metrics), ("imagehash for Python", imagehash):
    if not there:
        print(f"{tool} is not installed; nothing was compared with it")
suite.finish()
