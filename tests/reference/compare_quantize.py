# SPDX-License-Identifier: MIT
"""quantize against ImageMagick's -posterize, a search by numpy, and Pillow's median cut and dither.

Palettes of two tools are never the same, so they are compared by how far the result is from the image: ours may
have 1.1 times Pillow's mean squared error. Dithers of one bit are compared by the means of blocks of 16 x 16
pixels, of which one pixel more or less makes 1."""
import os
import shutil
import subprocess
import tempfile

import raw

try:
    import numpy as np
    from PIL import Image
except ImportError:
    raw.skip("python3-numpy and python3-pil are not installed; quantize was not compared with other tools")

MAGICK = shutil.which("convert-im6.q16") or shutil.which("magick")
FULL = {"u8": 255, "u16": 65535}
suite = raw.Suite()
random = np.random.default_rng(17)
folder = tempfile.TemporaryDirectory()


def picture(width, height, channels, sample):
    """Smooth shapes with edges and a little noise."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    value = 0.5 + 0.4 * np.sin(x / (37 + 13 * c) + y / (41 - 9 * c)) * np.cos(y / 53 + c)
    value = np.clip(value + 0.1 * ((x // 43 + y // 37 + c) % 2) + 0.02 * random.standard_normal(x.shape), 0, 1)
    return np.rint(value * FULL[sample]).astype(np.uint8 if sample == "u8" else np.uint16)


def ours(pixels, sample, stage):
    height, width, channels = pixels.shape
    result = suite.apply(raw.Raw(width, height, channels, sample, pixels.ravel().tolist()), stage, cut=7)
    return np.array(result.samples, dtype=float).reshape(pixels.shape)


def magick(pixels, *options):
    """One 16-bit channel through ImageMagick, whose own depth that is."""
    source, target = (os.path.join(folder.name, name) for name in ("in.gray", "out.gray"))
    pixels.astype(">u2").tofile(source)
    form = ["-depth", "16", "-endian", "MSB"]
    size = ["-size", "%dx%d" % pixels.shape[1::-1]]
    subprocess.run([MAGICK, *size, *form, source, *options, *form, target], check=True)
    return np.fromfile(target, dtype=">u2").astype(float)


def off(pixels, result):
    return np.mean((pixels.astype(float) - result) ** 2)


if MAGICK:
    for levels in 2, 3, 5, 8, 100:
        pixels = picture(201, 133, 1, "u16")
        want = magick(pixels, "+dither", "-posterize", str(levels))
        suite.expect(f"levels {levels}, ImageMagick", ours(pixels, "u16", f"quantize:levels={levels}").ravel(), want, 0)
else:
    print("imagemagick is not installed; levels were not compared with it")

for channels in 1, 3:
    pixels = picture(301, 233, channels, "u8")
    image = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
    for colours in 2, 4, 8, 16, 64, 256:
        got = ours(pixels, "u8", f"quantize:colours={colours}")
        palette = np.unique(got.reshape(-1, channels), axis=0)
        if len(palette) > colours:
            suite.expect(f"{colours} colours, {channels} channels", [len(palette)], [colours], 0)
        flat = pixels.reshape(-1, channels).astype(float)
        best = np.min(((flat[:, None, :] - palette[None]) ** 2).sum(axis=2), axis=1)
        suite.expect(
            f"{colours} nearest of {channels} channels, numpy",
            ((flat - got.reshape(-1, channels)) ** 2).sum(axis=1),
            best,
            0,
        )
        method = Image.Quantize.MEDIANCUT
        theirs = image.convert("RGB").quantize(colours, method=method, dither=Image.Dither.NONE).convert("RGB")
        theirs = np.asarray(theirs)[:, :, :channels]
        excess = max(0, off(pixels, got) / max(off(pixels, theirs), 0.1) - 1.1)
        print(f"{colours} colours of {channels} channels: {off(pixels, got):.2f}, Pillow {off(pixels, theirs):.2f}")
        suite.expect(f"{colours} colours of {channels} channels, Pillow's error", [excess], [0], 0)

grey = picture(320, 240, 1, "u8")
theirs = np.asarray(Image.fromarray(grey[:, :, 0]).convert("1"), dtype=float)[:, :, None] * 255
blocks = lambda image: image.reshape(15, 16, 20, 16).mean(axis=(1, 3)).ravel()
# Within the period of an ordered dither the image changes, too.
for dither, tolerance in ("floyd-steinberg", 6), ("ordered", 10):
    got = ours(grey, "u8", f"quantize:levels=2,dither={dither}")
    suite.expect(f"{dither}, Pillow's blocks", blocks(got), blocks(theirs), tolerance)
    suite.expect(f"{dither}, the image's blocks", blocks(got), blocks(grey.astype(float)), tolerance)

suite.finish()
