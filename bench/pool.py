#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The textbook's jobs in Python, alone, in threads and in processes; prints the seconds they take and
those of the CPU, the making of the pool included.

    pool.py primes N ITEMS serial|threads|processes WORKERS [CHUNK]
    pool.py read FILES     serial|threads|processes WORKERS [CHUNK]       FILES: a list, a name each line
"""
import multiprocessing
import multiprocessing.dummy
import os
import sys
import time


def primes(n):
    count = 1 if n > 2 else 0
    for number in range(3, n, 2):
        divisor = 3
        while divisor * divisor <= number and number % divisor:
            divisor += 2
        count += divisor * divisor > number
    return count


def read(path):
    """As forkmill's reader reads a small file: with one call."""
    descriptor = os.open(path, os.O_RDONLY)
    length = len(os.read(descriptor, 1 << 20))
    os.close(descriptor)
    return length


def run(function, items, how, workers, chunk):
    if how == "serial":
        return [function(item) for item in items]
    make = {"threads": multiprocessing.dummy.Pool,
            "processes": multiprocessing.get_context("fork").Pool}[how]
    pool = make(workers)
    results = pool.map(function, items, chunk)
    pool.close()
    pool.join()
    return results


def cpu_seconds():
    """Of this process and its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main():
    job, arguments = sys.argv[1], sys.argv[2:]
    if job == "primes":
        n, count = int(arguments.pop(0)), int(arguments.pop(0))
        function, items = primes, [n] * count
    else:
        with open(arguments.pop(0), encoding="utf-8") as file:
            items = file.read().splitlines()
        function = read
    how, workers, chunk = arguments[0], int(arguments[1]), int((arguments[2:] or [1])[0])
    start, start_cpu = time.monotonic(), cpu_seconds()
    results = run(function, items, how, workers, chunk)
    seconds = time.monotonic() - start
    if len(results) != len(items) or not all(results):
        sys.exit("a result is missing")
    print(f"{seconds:.6f} {cpu_seconds() - start_cpu:.6f}")


if __name__ == "__main__":
    main()
