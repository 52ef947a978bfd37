# SPDX-License-Identifier: MIT
"""levels, equalize and clahe against numpy, ImageMagick, Pillow, scikit-image and OpenCV.

Tolerances, in steps of the sample type:
  0       where the definition is the same and exact
  0.5     against values that are not rounded, and a millionth for halves
  1       against ImageMagick, which rounds at 16 bit before it comes to 8 bit
others as stated beside the line. numpy and Pillow are needed; what else is missing is said at the end."""
import os
import shutil
import subprocess
import tempfile

import raw

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError:
    raw.skip("python3-numpy and python3-pil are not installed; levels, equalize and clahe were not compared")
try:
    from skimage import exposure
except ImportError:
    exposure = None
try:
    import cv2
except ImportError:
    cv2 = None

MAGICK = shutil.which("convert-im6.q16") or shutil.which("magick")
FULL = {"u8": 255, "u16": 65535, "f32": 1}
TYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}
suite = raw.Suite()
random = np.random.default_rng(5)
folder = tempfile.TemporaryDirectory()


def picture(width, height, channels, sample):
    """Waves, edges and noise of low contrast; noise in alpha."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    value = 0.5 + 0.25 * np.sin(x / (17 + 3 * c) + y / 29) + 0.1 * ((x // 13 + y // 9 + c) % 2)
    value = value * 0.7 + 0.1 * random.random((height, width, channels))
    if channels in (2, 4):
        value[:, :, -1] = random.random((height, width))
    value = value * FULL[sample]
    return (value if sample == "f32" else np.rint(value)).astype(TYPES[sample])


def ours(pixels, sample, stage):
    height, width, channels = pixels.shape
    result = suite.apply(raw.Raw(width, height, channels, sample, pixels.ravel().tolist()), stage, cut=50)
    return np.array(result.samples, dtype=float).reshape(pixels.shape)


def same(what, got, want, tolerance):
    suite.expect(what, got.ravel(), np.asarray(want, dtype=float).ravel(), tolerance)


def magick(pixels, *options):
    """One 16-bit channel through ImageMagick, whose own depth that is."""
    source, target = (os.path.join(folder.name, name) for name in ("in.gray", "out.gray"))
    pixels.astype(">u2").tofile(source)
    form = ["-depth", "16", "-endian", "MSB"]
    size = ["-size", "%dx%d" % pixels.shape[1::-1]]
    subprocess.run([MAGICK, *size, *form, source, *options, *form, target], check=True)
    return np.fromfile(target, dtype=">u2").astype(float)


def compare_levels():
    near = {"u8": 0.500001, "u16": 0.500001, "f32": 2e-7}
    for sample in FULL:
        pixels = picture(61, 47, 3, sample)
        for low, high in (2, 98), (0, 100), (12.5, 70):
            ends = np.percentile(pixels.astype(float), (low, high))
            part = np.clip((pixels - ends[0]) / (ends[1] - ends[0]), 0, 1)
            got = ours(pixels, sample, f"levels:auto=true,low={low},high={high}")
            same(f"levels auto {low} {high} {sample}, numpy", got, part * FULL[sample], near[sample])
            if exposure:
                want = exposure.rescale_intensity(
                    pixels.astype(float), in_range=tuple(ends), out_range=(0, FULL[sample])
                )
                same(f"levels auto {low} {high} {sample}, scikit-image", got, want, near[sample])
    if MAGICK:
        pixels = picture(61, 47, 1, "u16")
        for options, stage in (
            (("-level", "20%,70%,1.8"), "in_low=0.2,in_high=0.7,gamma=1.8"),
            (("-level", "20%,70%,0.5"), "in_low=0.2,in_high=0.7,gamma=0.5"),
            (("+level", "10%,80%"), "out_low=0.1,out_high=0.8"),
        ):
            same(f"levels {stage}, ImageMagick", ours(pixels, "u16", "levels:" + stage), magick(pixels, *options), 1)


def equalised(channel, full):
    """The definition, in whole numbers."""
    values, counts = np.unique(channel, return_counts=True)
    above = (counts.cumsum() - counts[0]).astype(object)
    spread = channel.size - int(counts[0])
    table = [(2 * full * int(n) + spread) // (2 * spread) for n in above]
    return np.array(table, dtype=float)[np.searchsorted(values, channel)]


def compare_equalize():
    for sample in "u8", "u16":
        for channels in 1, 2, 3, 4:
            pixels = picture(203, 151, channels, sample)
            colours = channels - (channels in (2, 4))
            got = ours(pixels, sample, "equalize")
            want = pixels.astype(float)
            for c in range(colours):
                want[:, :, c] = equalised(pixels[:, :, c], FULL[sample])
            same(f"equalize {channels} {sample}, numpy", got, want, 0)
    pixels = picture(203, 151, 3, "u8")
    got = ours(pixels, "u8", "equalize")
    if cv2:
        want = np.stack([cv2.equalizeHist(pixels[:, :, c].copy()) for c in range(3)], axis=2)
        same("equalize, OpenCV", got, want, 0)
    # Pillow counts the pixels below a value where we count those up to it, less the least value's: off by as
    # much as the fullest bin holds. And its whole number of pixels per level is too small by less than 1.
    fullest = max(np.bincount(pixels[:, :, c].ravel()).max() for c in range(3)) / (203 * 151)
    want = np.asarray(ImageOps.equalize(Image.fromarray(pixels)))
    same("equalize, Pillow", got, want, 255 * (fullest + 255 / (203 * 151)) + 1)
    if exposure:
        # scikit-image leaves the least value's pixels in, so its least value is not black.
        pixels = picture(203, 151, 1, "u16")
        least = np.unique(pixels, return_counts=True)[1][0] / pixels.size
        want = exposure.equalize_hist(pixels[:, :, 0])
        same("equalize, scikit-image", ours(pixels, "u16", "equalize"), want * 65535, 0.51 + 65535 * least)
    if cv2:
        pixels = picture(203, 151, 3, "u8")
        luma = pixels.astype(int) @ (13933, 46871, 4732) + 32768 >> 16
        shift = cv2.equalizeHist(luma.astype(np.uint8)).astype(int) - luma
        want = np.clip(pixels + shift[:, :, None], 0, 255)
        same("equalize of luma, OpenCV", ours(pixels, "u8", "equalize:channels=luma"), want, 0)


def compare_clahe():
    """OpenCV's own arithmetic at 8 bit: nothing may differ."""
    for width, height in (320, 240), (203, 151), (200, 151), (64, 8), (5, 3):
        pixels = picture(width, height, 3, "u8")
        for limit, across, down in (2, 8, 8), (40, 8, 8), (1.3, 3, 5), (0, 4, 1):
            tool = cv2.createCLAHE(clipLimit=limit, tileGridSize=(across, down))
            stage = f"clahe:clip_limit={limit},tiles_x={across},tiles_y={down}"
            want = np.stack([tool.apply(pixels[:, :, c].copy()) for c in range(3)], axis=2)
            same(f"{stage} of {width}x{height}, OpenCV", ours(pixels, "u8", stage + ",channels=each"), want, 0)
            luma = pixels.astype(int) @ (13933, 46871, 4732) + 32768 >> 16
            shift = tool.apply(luma.astype(np.uint8)).astype(int) - luma
            want = np.clip(pixels + shift[:, :, None], 0, 255)
            same(f"{stage} of luma of {width}x{height}, OpenCV", ours(pixels, "u8", stage), want, 0)


compare_levels()
compare_equalize()
if cv2:
    compare_clahe()
for tool, name in (exposure, "python3-skimage"), (cv2, "python3-opencv"), (MAGICK, "imagemagick"):
    if not tool:
        print(f"{name} is not installed; nothing was compared with it")
suite.finish()
