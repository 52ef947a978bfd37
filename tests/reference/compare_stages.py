# SPDX-License-Identifier: MIT
"""The point and neighbourhood stages against vips, ImageMagick and Pillow.

Tolerances, in steps of the sample type, and why they are not 0:
  1              roundings that fall to the other side of a half, tools that round between two passes
  1 + 0.25 %     of full scale for blurs by ImageMagick, which averages the Gaussian over each pixel where vips
                 and scipy sample it: a wider kernel. Below a sigma of 2 the two are not comparable.
  otherwise      as stated beside the line
Alpha edges are compared where alpha is at least 1/16 of full scale: below, one step of the premultiplied
colour that the other tool stores is many steps of the colour.
"""
import os
import shutil
import subprocess
import tempfile

import raw

try:
    import numpy as np
    from PIL import Image
    import vips
except ImportError:
    raw.skip("python3-numpy and python3-pil are not installed; no stage was compared with other tools")

MAGICK = shutil.which("convert-im6.q16") or shutil.which("magick") or raw.skip(
    "imagemagick is not installed; no stage was compared with other tools"
)
if not vips.VIPS:
    raw.skip("libvips-tools is not installed; no stage was compared with other tools")
FULL = {"u8": 255, "u16": 65535}
TYPES = {"u8": np.uint8, "u16": ">u2"}
suite = raw.Suite()
random = np.random.default_rng(7)
folder = tempfile.TemporaryDirectory()


def picture(width, height, channels, sample):
    """Waves, edges and noise; alpha has opaque, clear and soft parts."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    wave = 0.5 + 0.5 * np.sin(x / (7 + 3 * c) + y / 11)
    edge = (x // 13 + y // 9 + c) % 2
    value = 0.45 * wave + 0.35 * edge + 0.2 * random.random((height, width, channels))
    if channels in (2, 4):
        value[:, :, -1] = np.clip(1.6 * wave[:, :, -1] - 0.3, 0, 1)
    return np.rint(value * FULL[sample]).astype(int)


def ours(pixels, sample, *stages):
    height, width, channels = pixels.shape
    result = suite.apply(raw.Raw(width, height, channels, sample, pixels.ravel().tolist()), *stages, cut=5)
    return np.array(result.samples, dtype=float).reshape(result.height, result.width, result.channels)


def write_pam(path, pixels, sample):
    height, width, channels = pixels.shape
    kind = {1: "GRAYSCALE", 2: "GRAYSCALE_ALPHA", 3: "RGB", 4: "RGB_ALPHA"}[channels]
    with open(path, "wb") as file:
        file.write(
            f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL {FULL[sample]}\n"
            f"TUPLTYPE {kind}\nENDHDR\n".encode()
        )
        file.write(pixels.astype(TYPES[sample]).tobytes())


def magick(pixels, sample, *options, channels=None):
    """What ImageMagick makes of it, at the depth of the sample type."""
    source, target = (os.path.join(folder.name, name) for name in ("in.pam", "out.raw"))
    write_pam(source, pixels, sample)
    channels = channels or pixels.shape[2]
    form = {1: "gray", 3: "rgb", 4: "rgba"}[channels]
    depth = ["-depth", "8" if sample == "u8" else "16", "-endian", "MSB"]
    subprocess.run([MAGICK, source, *options, *depth, f"{form}:{target}"], check=True)
    return np.fromfile(target, dtype=TYPES[sample]).astype(float).reshape(*pixels.shape[:2], channels)


def by_vips(pixels, sample, operation, *arguments, before=None):
    """What vips makes of it, as it comes: floats where the operation makes floats."""
    space = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}[pixels.shape[2]]
    space = space if sample == "u8" else {"b-w": "grey16", "srgb": "rgb16"}[space]
    operations = ([[before]] if before else []) + [[operation, *arguments]]
    return vips.apply(pixels.astype(np.uint8 if sample == "u8" else np.uint16), *operations, space=space).astype(float)


def same(what, got, want, tolerance, where=None):
    got, want = np.broadcast_arrays(got, want)
    if where is not None:
        got, want = got[where], want[where]
    suite.expect(what, got.ravel().tolist(), want.ravel().tolist(), tolerance)


def visible(pixels, sample):
    return pixels[:, :, -1] >= FULL[sample] / 16


def levels(values, sample):
    return np.clip(np.rint(values), 0, FULL[sample])


for sample, full in FULL.items():
    rgb, rgba, grey = (picture(97, 61, channels, sample) for channels in (3, 4, 1))
    grey_alpha = picture(97, 61, 2, sample)
    name = lambda text: f"{text} ({sample})"

    same(name("grayscale, ImageMagick"), ours(rgb, sample, "grayscale"),
         magick(rgb, sample, "-colorspace", "Gray", channels=1), 1 if sample == "u8" else 5)  # 0.212656, ...
    same(name("invert, vips"), ours(rgb, sample, "invert"), by_vips(rgb, sample, "invert"), 0)
    same(name("linear, vips"), ours(rgb, sample, "linear:a=1.7,b=-0.2"),
         levels(by_vips(rgb, sample, "linear", "1.7", "--", -0.2 * full), sample), 1)
    same(name("gamma, vips"), ours(rgb, sample, "gamma:exponent=2.2"),
         levels(by_vips(rgb, sample, "gamma", "--exponent", 2.2), sample), 1)
    same(name("gamma, ImageMagick"), ours(rgb, sample, "gamma:exponent=0.7"),
         magick(rgb, sample, "-gamma", "0.7"), 1 if sample == "u8" else 2)
    same(name("flatten, ImageMagick"), ours(rgba, sample, "flatten"),
         magick(rgba, sample, "-background", "white", "-flatten", channels=3), 1)
    same(name("flatten on a colour, vips"), ours(rgba, sample, "flatten:background=#ff8000"),
         by_vips(rgba, sample, "flatten", "--background",
              " ".join(str(level * full / 255) for level in (255, 128, 0)), "--max-alpha", full), 1)
    same(name("threshold, ImageMagick"), ours(grey, sample, "threshold:value=0.4") * full / 255,
         magick(grey, sample, "-threshold", "40%"), 0)

    for sigma in (0.6, 1, 2, 5.5):
        # vips's own gaussblur cuts at 0.001 of the centre, too early for a close look: it is given the
        # kernel. Ours may miss half a level for its own cut, and half a level for rounding.
        reach = int(8 * sigma) + 1
        weights = np.exp(-np.arange(-reach, reach + 1) ** 2 / (2 * sigma * sigma))
        path = os.path.join(folder.name, "gaussian.mat")
        with open(path, "w") as file:
            file.write(f"{len(weights)} 1\n" + " ".join(repr(float(w)) for w in weights / weights.sum()) + "\n")
        got = ours(rgb, sample, f"gaussblur:sigma={sigma}")
        same(name(f"gaussblur {sigma}, vips's separable convolution"), got,
             by_vips(rgb, sample, "convsep", path, "--precision", "float"), 1.01)
        same(name(f"gaussblur {sigma}, vips"), got,
             by_vips(rgb, sample, "gaussblur", sigma, "--min-ampl", 0.001, "--precision", "float"),
             0.5 + 0.003 * full)
        if sigma >= 2:
            same(name(f"gaussblur {sigma}, ImageMagick"), got,
                 magick(rgb, sample, "-virtual-pixel", "edge", "-blur", f"{5 * sigma:.0f}x{sigma}"),
                 1 + 0.0025 * full)
    want = magick(rgba, sample, "-virtual-pixel", "edge", "-blur", "10x2")
    got = ours(rgba, sample, "gaussblur:sigma=2")
    same(name("gaussblur at alpha edges, ImageMagick"), got, want, 0.01 * full, visible(got, sample))
    want = by_vips(rgba, sample, "gaussblur", 2, "--min-ampl", 0.001, "--precision", "float", before="premultiply")
    premultiplied = got[:, :, :3] * got[:, :, 3:] / full
    same(name("gaussblur of premultiplied colours, vips"), premultiplied, want[:, :, :3], 1 + 0.003 * full)
    want = magick(rgb, sample, "-virtual-pixel", "edge", "-unsharp", "10x2+0.8+0")
    same(name("sharpen, ImageMagick"), ours(rgb, sample, "sharpen:sigma=2,amount=0.8"), want, 1 + 0.0025 * full)

    got = ours(grey_alpha, sample, "flatten:background=black")
    same(name("flatten of grey, by hand"), got[:, :, 0],
         np.rint(grey_alpha[:, :, 0] * (grey_alpha[:, :, 1] / full)), 1)

# Pillow: exactly the same weights and rounding at 8 bit.
rgb = picture(97, 61, 3, "u8")
pillow = np.asarray(Image.fromarray(rgb.astype(np.uint8)).convert("L"), dtype=float)
same("grayscale rec601, Pillow", ours(rgb, "u8", "grayscale:weights=rec601")[:, :, 0], pillow, 0)

# Sobel by vips's convolution, one direction at a time, put together as scikit-image documents it.
masks = {"across": "3 3 1 0\n-1 0 1\n-2 0 2\n-1 0 1\n", "down": "3 3 1 0\n-1 -2 -1\n0 0 0\n1 2 1\n"}
sums = []
for word, text in masks.items():
    path = os.path.join(folder.name, word + ".mat")
    with open(path, "w") as file:
        file.write(text)
    sums.append(by_vips(rgb, "u8", "conv", path, "--precision", "float"))
same("sobel, vips's convolution", ours(rgb, "u8", "sobel"), np.hypot(*sums) / 4 / np.sqrt(2), 0.51)

# Otsu's level by numpy's histogram and the definition: no tool of Debian 12 but scikit-image has the method.
def otsu(pixels):
    counts = np.bincount(pixels.ravel()).astype(float)
    values = np.arange(len(counts))
    low, total = counts.cumsum()[:-1], counts.sum()
    sums = (counts * values).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = sums[:-1] / low - (sums[-1] - sums[:-1]) / (total - low)
    return int(np.nanargmax(low * (total - low) * apart**2))


for sample in FULL:
    grey = picture(97, 61, 1, sample)
    same(f"otsu, numpy ({sample})", ours(grey, sample, "threshold:method=otsu"), 255.0 * (grey > otsu(grey)), 0)

suite.finish()
