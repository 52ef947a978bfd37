#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The jobs of peers.sh with OpenCV and with Pillow, each in a pool of two processes.

    pictures.py opencv|pillow thumbnail|half|blur|gray|encode IN OUT
    pictures.py gather IN OUT       copies all PNG files below a directory, or all JPEGs where there are none, named by
                                    numbers; of several mosaics one
    pictures.py jpeg IN OUT         makes JPEGs of them, of quality 92, as cameras do
    pictures.py flatten IN OUT      lays pictures over white that have alpha: inputs for those that would drop alpha
    pictures.py versions            of both, and of Python
"""
import functools
import importlib
import multiprocessing
import os
import re
import shutil
import sys

# Of JPEG, for everybody; below 90 all of them store colour at half the resolution.
QUALITY = 85
CAMERA_QUALITY = 92


def opencv(job, path, out):
    import cv2

    cv2.setNumThreads(1)
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    height, width = image.shape[:2]
    if job == "thumbnail" and max(width, height) > 256:
        scale = 256 / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    elif job == "half":
        size = max(1, round(width / 2)), max(1, round(height / 2))
        image = cv2.resize(image, size, interpolation=cv2.INTER_LANCZOS4)
    elif job == "blur":
        image = cv2.GaussianBlur(image, (0, 0), 2)
    elif job == "gray" and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY)
    cv2.imwrite(out, image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if out.endswith(".jpg") else [])


def pillow(job, path, out):
    from PIL import Image, ImageFilter

    image = Image.open(path)
    if image.mode == "P" and job != "encode":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if job == "thumbnail":
        image.thumbnail((256, 256), Image.Resampling.LANCZOS)
    elif job == "half":
        size = max(1, round(image.width / 2)), max(1, round(image.height / 2))
        image = image.resize(size, Image.Resampling.LANCZOS)
    elif job == "blur":
        image = image.filter(ImageFilter.GaussianBlur(2))
    elif job == "gray":
        image = image.convert("LA" if image.mode in ("RGBA", "LA") else "L")
    image.save(out, quality=QUALITY)


def gather(source, out):
    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(source) for name in names
                   if not re.match("mosaic-.*-[1-9]", name))
    for ending in ".png", ".jpg":
        of_one = [path for path in paths if path.endswith(ending)]
        for number, path in enumerate(of_one):
            shutil.copyfile(path, os.path.join(out, f"{number:05}{ending}"))
        if of_one:
            return


def jpeg(path, out):
    from PIL import Image

    Image.open(path).convert("RGB").save(os.path.splitext(out)[0] + ".jpg", quality=CAMERA_QUALITY)


def flatten(path, out):
    from PIL import Image

    image = Image.open(path)
    if image.mode in ("RGB", "L") and "transparency" not in image.info:
        shutil.copyfile(path, out)
        return
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    Image.alpha_composite(white, image).convert("RGB").save(out)


def over(work, source, out):
    """Hands each file of one directory to work(path, path of the output)."""
    names = sorted(os.listdir(source))
    tasks = [(os.path.join(source, name), os.path.join(out, name)) for name in names]
    # Large pictures one at a time, so that no process is left with the last ones.
    chunk = max(1, min(16, len(tasks) // 100))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.starmap(work, tasks, chunk)


def versions():
    for name, module in ("OpenCV", "cv2"), ("Pillow", "PIL"):
        try:
            yield f"{name} {importlib.import_module(module).__version__}"
        except ImportError:
            yield f"no {name}"
    yield f"Python {sys.version.split()[0]}"


def main(arguments):
    if len(arguments) == 4 and arguments[0] in ("opencv", "pillow"):
        over(functools.partial(opencv if arguments[0] == "opencv" else pillow, arguments[1]), *arguments[2:])
    elif len(arguments) == 3 and arguments[0] == "gather":
        gather(*arguments[1:])
    elif len(arguments) == 3 and arguments[0] == "flatten":
        over(flatten, *arguments[1:])
    elif len(arguments) == 3 and arguments[0] == "jpeg":
        over(jpeg, *arguments[1:])
    elif arguments == ["versions"]:
        print(", ".join(versions()))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
