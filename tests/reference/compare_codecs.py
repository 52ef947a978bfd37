# SPDX-License-Identifier: MIT
"""JPEG and WebP, and the stage orient, against Pillow.

Pillow stands on libjpeg-turbo and libwebp as well, so with equal settings pixels must be equal: tolerance 0. A
part of the size (libjpeg's scaling) is compared with Pillow's draft mode, which uses the same scaling.
"""
import io
import random

import raw

try:
    from PIL import Image, ImageCms, ImageOps
except ImportError:
    raw.skip("python3-pil is not installed; JPEG and WebP were not compared with Pillow")

suite = raw.Suite()
random.seed(7)
CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4}
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
SIZES = ((1, 1), (7, 9), (16, 16), (33, 17), (130, 71))


def picture(mode, size):
    """Smooth shapes, edges and a little noise."""
    width, height = size
    bands = []
    for c in range(len(mode)):
        values = bytes(
            min(255, max(0, int(60 * ((x * (c + 1) + 2 * y) % 97) / 96 + 120 * ((x // 13 + y // 11 + c) % 2)
                                + 40 * random.random())))
            for y in range(height) for x in range(width))
        bands.append(Image.frombytes("L", size, values))
    return bands[0] if len(bands) == 1 else Image.merge(mode, bands)


def written(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    path = suite.path("in")
    with open(path, "wb") as out:
        out.write(file.getvalue())
    return path


def decoded(path, *options):
    """Ours."""
    said = suite.codec(path, suite.path("out.raw"), *options)
    return None if said is None else raw.Raw.read(suite.path("out.raw"))


def same(what, path, want, *options):
    got = decoded(path, *options)
    ok = got is not None and got.size == want.size and got.channels == CHANNELS[want.mode]
    suite.expect(what, got.samples if ok else [], want.tobytes(), 0)


def jpeg_decode():
    for size in SIZES:
        for mode in ("L", "RGB", "CMYK"):
            image = picture(mode, size)
            for subsampling in (0, 1, 2) if mode == "RGB" else (0,):
                for progressive in (False, True):
                    path = written(image, format="JPEG", quality=80, subsampling=subsampling, progressive=progressive)
                    want = Image.open(path)
                    if mode == "CMYK":
                        want = want.convert("RGB")
                    same(f"jpeg {mode} {size} {subsampling} {progressive}", path, want)


def jpeg_shrunk():
    for size in ((130, 71), (64, 48), (33, 17)):
        for mode in ("L", "RGB"):
            path = written(picture(mode, size), format="JPEG", quality=90)
            for shrink in (1, 2, 3):
                want = Image.open(path)
                want.draft(mode, (size[0] >> shrink, size[1] >> shrink))
                if want.size != tuple(-(-side // (1 << shrink)) for side in size):
                    continue  # draft takes a smaller step where it must
                same(f"jpeg {mode} {size} 1/{1 << shrink}", path, want, f"shrink={shrink}")


def encoded():
    """Our files, read by Pillow, against Pillow's own of the same settings."""
    for size in SIZES:
        for mode in ("L", "RGB"):
            image = picture(mode, size)
            path = suite.path("in.raw")
            raw.Raw(*size, CHANNELS[mode], "u8", raw.array.array("B", image.tobytes())).write(path)
            for quality, subsampling in ((40, 2), (85, 2), (90, 0), (100, 0)):
                want = Image.open(written(image, format="JPEG", quality=quality, subsampling=subsampling)).tobytes()
                for word in ("fastest", "fast", "balanced", "small", "smallest"):
                    ours = suite.path("out.jpg")
                    said = suite.codec(path, ours, f"quality={quality}", f"compression={word}")
                    got = Image.open(ours).tobytes() if said is not None else b""
                    suite.expect(f"written jpeg {mode} {size} {quality} {word}", got, want, 0)


def webp():
    for size in SIZES:
        for mode in ("RGB", "RGBA"):
            image = picture(mode, size)
            for options in ({"quality": 80}, {"lossless": True, "exact": True}, {"quality": 20, "method": 0}):
                path = written(image, format="WEBP", **options)
                theirs = Image.open(path)
                same(f"webp {mode} {size} {options}", path, theirs)
        for channels, mode in MODES.items():
            image = picture(mode, size)
            path = suite.path("in.raw")
            raw.Raw(*size, channels, "u8", raw.array.array("B", image.tobytes())).write(path)
            ours = suite.path("out.webp")
            colour = image.convert("RGBA" if "A" in mode else "RGB")
            for word in ("fastest", "fast", "balanced", "small", "smallest"):
                suite.codec(path, ours, "lossless=1", f"compression={word}")
                theirs = Image.open(ours).convert(colour.mode)
                suite.expect(f"written webp {mode} {size} {word}", theirs.tobytes(), colour.tobytes(), 0)
                suite.codec(path, ours, "quality=95", f"compression={word}")
                same(f"lossy webp {mode} {size} {word}", ours, Image.open(ours))


def metadata():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    large = bytearray(profile + random.randbytes(200000))  # four segments of a JPEG
    large[0:4] = len(large).to_bytes(4, "big")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a picture"
    image = picture("RGB", (40, 30))
    for icc in (profile, bytes(large)):
        given = {"icc_profile": icc, "exif": exif.tobytes()}
        for first in ({"format": "JPEG", "dpi": (300, 200)}, {"format": "WEBP"}, {"format": "PNG", "dpi": (300, 200)}):
            path = written(image, **first, **given)
            for ending in ("jpg", "webp", "png"):
                target = suite.path("out." + ending)
                said = suite.codec(path, target, "lossless=1")
                what = f"metadata {first['format']} to {ending}, profile of {len(icc)} bytes"
                # A PNG's is seen within the first 64 KiB; behind that it stays in EXIF, for others to see.
                seen = 0 if first["format"] == "PNG" and len(icc) > 65536 else 6
                suite.expect(f"{what}: orientation", [said or ""], [f"orientation {seen} warnings 0 \n"], 0)
                read = Image.open(target)
                suite.expect(f"{what}: profile", read.info.get("icc_profile") or b"", icc, 0)
                suite.expect(f"{what}: EXIF", [dict(read.getexif())], [{0x0112: 6, 0x010E: "a picture"}], 0)
                if "dpi" in first and ending != "webp":
                    suite.expect(f"{what}: dpi", read.info["dpi"], (300, 200), 0.02)
                suite.codec(path, target, "orientation=1")
                suite.expect(f"{what}: upright", [Image.open(target).getexif()[0x0112]], [1], 0)
                suite.codec(path, target, "strip=1")
                read = Image.open(target)
                suite.expect(f"{what}: stripped", [len(read.getexif()), read.info.get("icc_profile")], [0, None], 0)


def orient():
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for mode in ("L", "RGB"):
            for size in ((40, 30), (301, 140), (5, 300)):
                path = written(picture(mode, size), format="JPEG", exif=exif.tobytes())
                want = ImageOps.exif_transpose(Image.open(path))
                image = decoded(path)
                for cut in (0, 7):
                    got = suite.apply(image, "orient", cut=cut, more=["-o", str(orientation)])
                    suite.expect(f"orient {orientation} {size} size", got.size, want.size, 0)
                    suite.expect(f"orient {orientation} {mode} {size}", got.samples, want.tobytes(), 0)


for probe in ({"format": "JPEG"}, {"format": "WEBP"}):
    if suite.codec(written(picture("RGB", (8, 8)), **probe), suite.path("out.raw")) is None:
        raw.skip(f"this build lacks {probe['format']}")
jpeg_decode()
jpeg_shrunk()
encoded()
orient()
webp()
metadata()
suite.finish()
