#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The jobs of arrays.sh in numpy.

    arrays_peers.py make ITEMS DIR
    arrays_peers.py pool|shared scale|stats IN OUT WORKERS
    arrays_peers.py same OUTS scale|stats      compares what all have made
"""
import csv
import glob
import multiprocessing
import os
import sys
from multiprocessing import shared_memory

import numpy

SAMPLES = 4 << 20


def scale(data):
    data = data * numpy.float32(1.5)
    data += numpy.float32(-0.25)
    return numpy.clip(data, -1, 1, out=data)


def stats(data):
    return [data.size, data.min(), data.max(), data.mean(dtype="f8"), data.std(dtype="f8"), data.sum(dtype="f8")]


def work(task):
    job, path, out = task
    data = numpy.load(path)
    if job == "stats":
        return [path, *stats(data)]
    numpy.save(os.path.join(out, os.path.basename(path)), scale(data))
    return None


block = None


def attach(name):
    global block
    block = shared_memory.SharedMemory(name)


def work_shared(task):
    """The parent reads into a block of shared memory, the worker works there, in place."""
    job, place = task
    data = numpy.ndarray((SAMPLES,), "f4", block.buf, place * SAMPLES * 4)
    if job == "stats":
        return stats(data)
    numpy.multiply(data, numpy.float32(1.5), out=data)
    numpy.add(data, numpy.float32(-0.25), out=data)
    numpy.clip(data, -1, 1, out=data)
    return place


def run_shared(job, paths, out, workers):
    places = 2 * workers
    memory = shared_memory.SharedMemory(create=True, size=places * SAMPLES * 4)
    rows = []
    with multiprocessing.get_context("fork").Pool(workers, attach, (memory.name,)) as pool:
        waiting = []

        def take():
            path, place, result = waiting.pop(0)
            value = result.get()
            if job == "stats":
                rows.append([path, *value])
            else:
                numpy.save(os.path.join(out, os.path.basename(path)),
                           numpy.ndarray((SAMPLES,), "f4", memory.buf, place * SAMPLES * 4))

        for number, path in enumerate(paths):
            if len(waiting) == places:
                take()
            place = number % places
            numpy.ndarray((SAMPLES,), "f4", memory.buf, place * SAMPLES * 4)[:] = numpy.load(path, mmap_mode="r")
            waiting.append((path, place, pool.apply_async(work_shared, ((job, place),))))
        while waiting:
            take()
    memory.close()
    memory.unlink()
    return rows


def run(how, job, source, out, workers):
    paths = sorted(glob.glob(os.path.join(source, "*.npy")))
    if how == "shared":
        rows = run_shared(job, paths, out, workers)
    else:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            rows = pool.map(work, [(job, path, out) for path in paths], 1)
    if job == "stats":
        with open(out + ".csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "count", "min", "max", "mean", "std", "sum"])
            writer.writerows(rows)


def make(items, where):
    random = numpy.random.default_rng(1)
    os.makedirs(where + ".part")
    for i in range(items):
        numpy.save(f"{where}.part/{i:03}.npy", random.standard_normal(SAMPLES, "f4"))
    os.rename(where + ".part", where)


def same(outs, job):
    made = {}
    for who in ("forkmill", "pool", "shared"):
        if job == "scale":
            made[who] = sorted(glob.glob(f"{outs}/{who}-scale/*.npy"))
        else:
            with open(sorted(glob.glob(f"{outs}/{who}-stats.csv"))[0], newline="") as file:
                made[who] = list(csv.DictReader(file))
    for who in ("pool", "shared"):
        assert len(made[who]) == len(made["forkmill"]) > 0
        for ours, theirs in zip(made["forkmill"], made[who]):
            if job == "scale":
                assert numpy.array_equal(numpy.load(ours, mmap_mode="r"), numpy.load(theirs, mmap_mode="r")), theirs
            else:
                for name in ("count", "min", "max", "mean", "std", "sum"):
                    assert numpy.isclose(float(ours[name]), float(theirs[name]), rtol=1e-9, atol=1e-6), (ours, theirs)


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "make":
        make(int(arguments[1]), arguments[2])
    elif len(arguments) == 3 and arguments[0] == "same":
        same(arguments[1], arguments[2])
    elif len(arguments) == 5 and arguments[0] in ("pool", "shared"):
        run(*arguments[:4], int(arguments[4]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
