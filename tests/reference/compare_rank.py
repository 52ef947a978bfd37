# SPDX-License-Identifier: MIT
"""erode, dilate and median against scipy, scikit-image and OpenCV, whichever are there. Tolerance 0: every result is one
of the samples."""
import raw

try:
    import numpy as np
except ImportError:
    raw.skip("python3-numpy is not installed; the rank filters were not compared with other tools")
try:
    from scipy import ndimage
except ImportError:
    ndimage = None
try:
    from skimage import morphology
except ImportError:
    morphology = None
try:
    import cv2
except ImportError:
    cv2 = None

if not (ndimage or cv2):
    raw.skip("neither python3-scipy nor python3-opencv is installed; the rank filters were not compared with them")

TYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}
FULL = {"u8": 255, "u16": 65535, "f32": 1}
suite = raw.Suite()
random = np.random.default_rng(3)


def picture(width, height, channels, sample):
    return (random.random((height, width, channels)) * FULL[sample]).astype(TYPES[sample])


def ours(pixels, sample, stage):
    height, width, channels = pixels.shape
    result = suite.apply(raw.Raw(width, height, channels, sample, pixels.ravel().tolist()), stage, cut=13)
    return np.array(result.samples, dtype=float).reshape(pixels.shape)


def same(what, got, want):
    suite.expect(what, got.ravel(), np.asarray(want, dtype=float).ravel(), 0)


def by_channel(pixels, function):
    return np.stack([function(pixels[:, :, c].copy()) for c in range(pixels.shape[2])], axis=2)


def footprint(shape, size):
    y, x = np.mgrid[0:size, 0:size] - size // 2
    radius = size // 2
    return {"square": x == x, "cross": (x == 0) | (y == 0), "disc": x * x + y * y <= radius * radius}[shape]


def compare_morphology(pixels, sample, shape, size):
    mask = footprint(shape, size).astype(np.uint8)
    what = f"{shape} of {size} on {pixels.shape} {sample}"
    for stage in "erode", "dilate":
        got = ours(pixels, sample, f"{stage}:size={size},shape={shape}")
        if ndimage:
            function = ndimage.grey_erosion if stage == "erode" else ndimage.grey_dilation
            want = by_channel(pixels, lambda plane: function(plane, footprint=mask, mode="nearest"))
            same(f"{stage}, {what}, scipy", got, want)
        if cv2:
            same(f"{stage}, {what}, OpenCV", got, by_channel(pixels, lambda plane: getattr(cv2, stage)(plane, mask)))
        if morphology and shape == "disc":
            function = morphology.erosion if stage == "erode" else morphology.dilation
            disc = morphology.disk(size // 2)
            same(f"{stage}, {what}, scikit-image", got, by_channel(pixels, lambda plane: function(plane, disc)))


def compare_median(pixels, sample, size):
    got = ours(pixels, sample, f"median:size={size}")
    what = f"median of {size} on {pixels.shape} {sample}"
    if ndimage:
        want = by_channel(pixels, lambda plane: ndimage.median_filter(plane, size, mode="nearest"))
        same(f"{what}, scipy", got, want)
    if cv2 and (sample == "u8" or size <= 5) and min(pixels.shape[:2]) > 1:
        same(f"{what}, OpenCV", got, by_channel(pixels, lambda plane: cv2.medianBlur(plane, size)))


for sample in TYPES:
    for size in 3, 5, 7, 13, 31:
        compare_median(picture(61, 47, 4, sample), sample, size)
    compare_median(picture(7, 5, 1, sample), sample, 15)
    compare_median(picture(1100, 9, 2, sample), sample, 7)
    compare_median(picture(300, 280, 1, sample), sample, 9)
    for shape in "square", "cross", "disc":
        for size in 3, 5, 9, 31:
            compare_morphology(picture(61, 47, 4, sample), sample, shape, size)
        compare_morphology(picture(7, 5, 1, sample), sample, shape, 15)
        compare_morphology(picture(1100, 9, 2, sample), sample, shape, 21)

for tool, name in (ndimage, "scipy"), (morphology, "skimage"), (cv2, "opencv"):
    if not tool:
        print(f"python3-{name} is not installed; nothing was compared with it")
suite.finish()
