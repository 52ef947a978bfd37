#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints, for each PNG file, mode and size as Pillow reads it and a hash of the decoded samples."""
import hashlib
import sys

import PIL.Image

PIL.Image.MAX_IMAGE_PIXELS = None
for path in sys.argv[1:]:
    with PIL.Image.open(path) as image:
        image.load()
        print(image.mode, *image.size, hashlib.sha256(image.tobytes()).hexdigest()[:16])
