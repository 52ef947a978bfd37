# SPDX-License-Identifier: MIT
"""Operations of the command vips on numpy arrays of height x width x bands, through files of its own format: a
header of 64 bytes and the samples. One process for each operation."""
import os
import shutil
import struct
import subprocess
import tempfile

import numpy as np

VIPS = shutil.which("vips")
FORMATS = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "c8", "f8"]  # VipsBandFormat
SPACES = {"multiband": 0, "b-w": 1, "srgb": 22, "rgb16": 25, "grey16": 26}  # VipsInterpretation
MAGIC = 0x08F2A6B6
folder = tempfile.TemporaryDirectory()


def write(path, pixels, space):
    height, width, bands = pixels.shape
    form = FORMATS.index(f"{pixels.dtype.kind}{pixels.dtype.itemsize}")
    header = [MAGIC, width, height, bands, 8 * pixels.dtype.itemsize, form, 0, SPACES[space], 1.0, 1.0]
    with open(path, "wb") as file:
        file.write(struct.pack("=8I2f24x", *header))
        file.write(pixels.tobytes())


def read(path):
    magic, width, height, bands, _, form = np.fromfile(path, "u4", 6)
    assert magic == MAGIC
    return np.fromfile(path, FORMATS[form], width * height * bands, offset=64).reshape(height, width, bands)


def apply(pixels, *operations, space="multiband"):
    """What the operations, each a list of its name and what follows the names of the files, make of the pixels."""
    source, target = (os.path.join(folder.name, name) for name in ("in.v", "out.v"))
    write(source, pixels, space)
    for name, *arguments in operations:
        subprocess.run([VIPS, name, source, target, *map(str, arguments)], check=True)
        os.replace(target, source)
    return read(source)
