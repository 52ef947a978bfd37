# SPDX-License-Identifier: MIT
"""pad against numpy's pad for every sample type, and against `vips embed` and `vips gravity`, whose words it
takes. Tolerance 0: pixels are moved. Borders longer than the image are compared with vips alone: numpy before
1.25 repeats wrongly there."""
import raw

try:
    import numpy as np
    import vips
except ImportError:
    raw.skip("python3-numpy is not installed; pad was not compared with it")

TYPES = {"u8": np.uint8, "u16": np.uint16, "f32": np.float32}
FULL = {"u8": 255, "u16": 65535, "f32": 1}
MODES = {
    "black": {"mode": "constant", "constant_values": 0},
    "copy": {"mode": "edge"},
    "repeat": {"mode": "wrap"},
    "mirror": {"mode": "symmetric"},
}
suite = raw.Suite()
random = np.random.default_rng(11)


def ours(pixels, sample, stage):
    height, width, channels = pixels.shape
    result = suite.apply(raw.Raw(width, height, channels, sample, pixels.ravel().tolist()), stage, cut=4)
    return np.array(result.samples, dtype=float).reshape(result.height, result.width, result.channels)


def same(what, got, want):
    suite.expect(what, [*got.shape, *got.ravel()], [*want.shape, *want.astype(float).ravel()], 0)


for sample, kind in TYPES.items():
    for channels in 1, 2, 3, 4:
        for width, height in (17, 9), (5, 4):
            pixels = (random.random((height, width, channels)) * FULL[sample]).astype(kind)
            for extend, options in MODES.items():
                want = np.pad(pixels, ((3, 4), (5, 2), (0, 0)), **options)
                got = ours(pixels, sample, f"pad:left=5,top=3,right=2,bottom=4,extend={extend}")
                same(f"pad {width}x{height}x{channels} {sample} {extend}, numpy", got, want)

if vips.VIPS:
    for channels in 1, 3, 4:
        pixels = (random.random((9, 17, channels)) * 255).astype(np.uint8)
        for extend in "black", "white", "copy", "repeat", "mirror":
            want = vips.apply(pixels, ["embed", 30, 7, 49, 39, "--extend", extend])
            got = ours(pixels, "u8", f"pad:left=30,top=7,right=2,bottom=23,extend={extend}")
            same(f"pad {channels} {extend}, vips", got, want)
        for place in "centre", "north-east", "south":
            want = vips.apply(pixels, ["gravity", place, 30, 20, "--extend", "copy"])
            same(f"pad {place}, vips", ours(pixels, "u8", f"pad:width=30,height=20,gravity={place},extend=copy"), want)
else:
    print("libvips-tools is not installed; pad was compared with numpy alone")

suite.finish()
