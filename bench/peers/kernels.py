#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernels of kernels.sh in OpenCV, on one thread, and their table.

    kernels.py opencv SECONDS FILE.ppm  prints "NAME\\tMP_PER_S" of CPU time: the best of a few repetitions, which go on for
                                        SECONDS at least
    kernels.py table LINES...           files of such lines: *.ours, *.opencv, *.vips
"""
import collections
import statistics
import sys
import time

LEAST_TIMES = 3


def mask(numpy, side):
    """All weights are different, so that nothing finds a product of a row and a column in them."""
    weights = numpy.arange(1, side * side + 1, dtype=numpy.float32).reshape(side, side)
    return weights / weights.sum()


def sobel(cv2, image):
    across = cv2.Sobel(image, cv2.CV_16S, 1, 0)
    down = cv2.Sobel(image, cv2.CV_16S, 0, 1)
    return cv2.addWeighted(cv2.convertScaleAbs(across), 0.5, cv2.convertScaleAbs(down), 0.5, 0)


def kernels():
    import cv2
    import numpy

    cv2.setNumThreads(1)
    table = numpy.round(255 * (numpy.arange(256) / 255) ** (1 / 2.2)).astype(numpy.uint8)
    masks = {side: mask(numpy, side) for side in (3, 5)}

    def resized(scale, how):
        return lambda image: cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)

    return cv2, {
        "resize, 50 % lanczos3": resized(0.5, cv2.INTER_LANCZOS4),
        "resize, 25 % box": resized(0.25, cv2.INTER_AREA),
        "resize, 150 % cubic": resized(1.5, cv2.INTER_CUBIC),
        "blur, sigma 2": lambda image: cv2.GaussianBlur(image, (0, 0), 2),
        "median 3": lambda image: cv2.medianBlur(image, 3),
        "median 5": lambda image: cv2.medianBlur(image, 5),
        "sharpen": lambda image: cv2.addWeighted(image, 2, cv2.GaussianBlur(image, (0, 0), 1), -1, 0),
        "sobel": lambda image: sobel(cv2, image),
        "convolve 3 x 3": lambda image: cv2.filter2D(image, -1, masks[3]),
        "convolve 5 x 5": lambda image: cv2.filter2D(image, -1, masks[5]),
        "grayscale": lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2GRAY),
        "gamma": lambda image: cv2.LUT(image, table),
    }


def opencv(least_s, path):
    cv2, todo = kernels()
    image = cv2.imread(path)
    for name, work in todo.items():
        took = []
        while len(took) < LEAST_TIMES or sum(took) < least_s:
            started = time.process_time()
            work(image)
            took.append(time.process_time() - started)
        print(f"{name}\t{1e-6 * image.shape[0] * image.shape[1] / min(took):.2f}")


def table(paths):
    rates = collections.defaultdict(lambda: collections.defaultdict(list))
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, rate = line.split("\t")
                rates[name][path.rsplit(".", 1)[1]].append(float(rate))
    print("| kernel | forkmill, MP/s | OpenCV, MP/s | libvips, MP/s | forkmill / the best of them | part of memcpy |")
    print("| --- | --- | --- | --- | --- | --- |")
    middle = {name: {who: statistics.median(all_of) for who, all_of in one.items()} for name, one in rates.items()}
    copy = middle.pop("memcpy")["ours"]
    for name, of in middle.items():
        best = max((rate for who, rate in of.items() if who != "ours"), default=None)
        ratio = f"**{of['ours'] / best:.2f}**" if best else "-"
        opencv_rate, vips_rate = (f"{of[who]:.0f}" if who in of else "-" for who in ("opencv", "vips"))
        print(f"| {name} | {of['ours']:.0f} | {opencv_rate} | {vips_rate} | {ratio} | {of['ours'] / copy:.3f} |")
    print(f"\nmemcpy: {copy:.0f} MP/s.")


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "opencv":
        opencv(float(arguments[1]), arguments[2])
    elif len(arguments) > 1 and arguments[0] == "table":
        table(arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
