# SPDX-License-Identifier: MIT
"""resize, crop, rotate and flip against Pillow.

Tolerances, in steps of the sample type:
  u8 0..255     2 for lanczos and cubic, 1 for the others: Pillow rounds to whole samples between its two
                passes. It also clamps there, so these images stay within 64..191, where nothing overshoots.
  u16           1 against Pillow's 32-bit float images, which round nowhere
  f32           0.00001 of full scale, against the same
  moved pixels  0
"""
import array
import random

import raw

try:
    from PIL import Image
except ImportError:
    raw.skip("python3-pil is not installed; resize, crop, rotate and flip were not compared with Pillow")

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
KERNELS = {
    "lanczos3": Image.Resampling.LANCZOS,
    "cubic": Image.Resampling.BICUBIC,
    "linear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
}
SIZES = [((90, 66), (30, 22)), ((90, 66), (17, 40)), ((41, 33), (60, 70)), ((200, 3), (7, 2))]
WHOLE = [((90, 66), (30, 22)), ((90, 66), (45, 11)), ((21, 13), (63, 26))]  # where Pillow's box is an area
suite = raw.Suite()
random.seed(20)


def picture(width, height, channels, sample="u8", low=0.0, high=1.0):
    """Smooth shapes, edges and noise, in parts of full scale."""
    full = {"u8": 255, "u16": 65535, "f32": 1}[sample]
    values = []
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                wave = ((x * (c + 1) + 2 * y) % 37) / 36
                edge = (x // 7 + y // 5 + c) % 2
                value = low + (high - low) * (0.4 * wave + 0.3 * edge + 0.3 * random.random())
                values.append(value if sample == "f32" else round(value * full))
    return raw.Raw(width, height, channels, sample, values)


def to_pillow(image):
    return Image.frombytes(MODES[image.channels], image.size, image.samples.tobytes())


def floats(values, size):
    return Image.frombytes("F", size, array.array("f", values).tobytes())


def from_floats(image):
    return array.array("f", image.tobytes())


def text(size):
    return f"width={size[0]},height={size[1]}"


def resize_u8():
    for kernel, theirs in KERNELS.items():
        for size, target in WHOLE if kernel == "box" else SIZES:
            for channels in (1, 3):
                image = picture(*size, channels, low=0.25, high=0.75)
                got = suite.apply(image, f"resize:fit=fill,kernel={kernel},{text(target)}")
                want = to_pillow(image).resize(target, theirs).tobytes()
                tolerance = 2 if kernel in ("lanczos3", "cubic") else 1
                suite.expect(f"{kernel} {channels} u8 {size} {target}", got.samples, want, tolerance)


def resize_deep():
    for sample, full, tolerance in (("u16", 65535, 1), ("f32", 1, 1e-5)):
        for kernel, theirs in KERNELS.items():
            for size, target in WHOLE if kernel == "box" else SIZES:
                image = picture(*size, 3, sample)
                got = suite.apply(image, f"resize:fit=fill,kernel={kernel},{text(target)}")
                for c in range(3):
                    want = from_floats(floats(image.band(c), size).resize(target, theirs))
                    if sample == "u16":
                        want = [min(max(value, 0), full) for value in want]
                    suite.expect(f"{kernel} {sample} {size} {target}", got.band(c), want, tolerance)


def resize_alpha():
    """Premultiplied in float, so that Pillow's sums are exact; colour is compared where it can be seen."""
    for kernel, theirs in KERNELS.items():
        for size, target in WHOLE:
            image = picture(*size, 4)
            for i in range(3, len(image.samples), 4):  # an opaque block, a clear one, the rest in between
                x, y = i // 4 % size[0], i // 4 // size[0]
                image.samples[i] = 255 if x < 9 else 0 if y < 9 else image.samples[i]
            got = suite.apply(image, f"resize:fit=fill,kernel={kernel},{text(target)}")
            alpha = from_floats(floats(image.band(3), size).resize(target, theirs))
            suite.expect(f"alpha {kernel} {size} {target}", got.band(3), [min(max(a, 0), 255) for a in alpha], 1)
            for c in range(3):
                product = [v * a for v, a in zip(image.band(c), image.band(3))]
                sums = from_floats(floats(product, size).resize(target, theirs))
                seen = [i for i, a in enumerate(alpha) if a > 12]
                want = [min(max(sums[i] / alpha[i], 0), 255) for i in seen]
                suite.expect(f"rgba {kernel} {size} {target}", [got.band(c)[i] for i in seen], want, 1)
    image = picture(90, 66, 4, low=0.4, high=0.75)
    want = to_pillow(image).convert("RGBa").resize((30, 22), Image.Resampling.LANCZOS).convert("RGBA")
    got = suite.apply(image, "resize:width=30")
    suite.expect("RGBa of 8 bits, which rounds three times", got.samples, want.tobytes(), 4)


def resize_cover():
    for size, target in (((90, 66), (20, 20)), ((40, 90), (33, 30)), ((30, 20), (50, 60))):
        image = picture(*size, 3, low=0.25, high=0.75)
        scale = min(size[0] / target[0], size[1] / target[1])
        kept = [length * scale for length in target]
        left, top = ((whole - part) / 2 for whole, part in zip(size, kept))
        box = (left, top, left + kept[0], top + kept[1])
        want = to_pillow(image).resize(target, Image.Resampling.LANCZOS, box=box).tobytes()
        got = suite.apply(image, f"resize:fit=cover,{text(target)}")
        suite.expect(f"cover {size} {target}", got.samples, want, 2)


def moved():
    turn = Image.Transpose
    pairs = [
        ("rotate:angle=90", lambda image: image.transpose(turn.ROTATE_270)),  # Pillow's run the other way
        ("rotate:angle=180", lambda image: image.transpose(turn.ROTATE_180)),
        ("rotate:angle=270", lambda image: image.transpose(turn.ROTATE_90)),
        ("flip:direction=horizontal", lambda image: image.transpose(turn.FLIP_LEFT_RIGHT)),
        ("flip:direction=vertical", lambda image: image.transpose(turn.FLIP_TOP_BOTTOM)),
        ("flip:direction=both", lambda image: image.transpose(turn.ROTATE_180)),
        ("crop:left=9,top=4,width=50,height=41", lambda image: image.crop((9, 4, 59, 45))),
        ("crop:gravity=south-east,width=7,height=9", lambda image: image.crop((83, 57, 90, 66))),
        ("resize:width=30,kernel=nearest", lambda image: image.resize((30, 22), Image.Resampling.NEAREST)),
        ("resize:scale=3,kernel=nearest", lambda image: image.resize((270, 198), Image.Resampling.NEAREST)),
    ]
    for stage, theirs in pairs:
        for channels in MODES:
            image = picture(90, 66, channels)
            want = theirs(to_pillow(image))
            for cut in (0, 7):
                got = suite.apply(image, stage, cut=cut)
                assert got.size == want.size, stage
                suite.expect(f"{stage} {channels} channels", got.samples, want.tobytes(), 0)


resize_u8()
resize_deep()
resize_alpha()
resize_cover()
moved()
suite.finish()
