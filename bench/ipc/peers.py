#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What forkmill-bench-ipc measures, for Python's multiprocessing: one round, the same lines.

    peers.py [--ms N] [--backwards]

A line for each figure, fields separated by tabs: transport, capacity, batch, what, figure.
what: rate (values/s), round-trip and one-way, each -median and -p99 (us). Capacity 0: as the system has it.
"""
import argparse
import multiprocessing
import os
import sys
import time

context = multiprocessing.get_context("fork")
cpus = sorted(os.sched_getaffinity(0))
PAUSE_S = 0.0005


def stay_on(which):
    """One CPU for each side, as the C program has it; the scheduler's choice would decide otherwise."""
    if len(cpus) > 1:
        os.sched_setaffinity(0, {cpus[which]})


def split(target, *arguments):
    def child():
        stay_on(1)
        target(*arguments)
    process = context.Process(target=child, daemon=True)
    process.start()
    stay_on(0)
    return process


def join(process):
    os.sched_setaffinity(0, cpus)
    process.join()
    if process.exitcode != 0:
        sys.exit("the sending process failed")


def send_numbers(queue, ms):
    until = time.monotonic() + ms / 1000
    number = 0
    while time.monotonic() < until:
        for _ in range(32):
            queue.put(number)
            number += 1
    queue.put(None)


def rate(make, ms):
    queue = make()
    process = split(send_numbers, queue, ms)
    number = queue.get() + 1
    start = time.monotonic()
    while (value := queue.get()) is not None:
        if value != number:
            sys.exit(f"value {value} came where {number} was due")
        number += 1
    seconds = time.monotonic() - start
    join(process)
    return (number - 1) / seconds


def summarize(samples):
    samples.sort()
    return samples[len(samples) // 2] / 1e3, samples[len(samples) * 99 // 100] / 1e3


def echo(there, back):
    while (value := there.get()) is not None:
        back.put(value)


def round_trip(make, ms):
    there, back = make(), make()
    process = split(echo, there, back)
    samples = []
    until = time.monotonic() + ms / 1000
    while time.monotonic() < until:
        start = time.monotonic_ns()
        there.put(start)
        back.get()
        samples.append(time.monotonic_ns() - start)
    there.put(None)
    join(process)
    return summarize(samples)


def send_times(queue, ms):
    until = time.monotonic() + ms / 1000
    while time.monotonic() < until:
        time.sleep(PAUSE_S)
        queue.put(time.monotonic_ns())
    queue.put(None)


def one_way(make, ms):
    queue = make()
    process = split(send_times, queue, ms)
    samples = []
    while (sent := queue.get()) is not None:
        samples.append(time.monotonic_ns() - sent)
    join(process)
    return summarize(samples)


def tell(name, capacity, batch, what, figure):
    print(f"{name}\t{capacity}\t{batch}\t{what}\t{figure:.6g}")


def tell_latency(name, capacity, batch, what, latency):
    for part, figure in zip(("median", "p99"), latency):
        tell(name, capacity, batch, f"{what}-{part}", figure)


def measure_queue(name, capacity, make, ms):
    tell(name, capacity, 1, "rate", rate(make, ms))
    tell_latency(name, capacity, 1, "round-trip", round_trip(make, ms))
    tell_latency(name, capacity, 1, "one-way", one_way(make, ms))


def same(value):
    return value


def measure_pool(chunk, ms):
    """A pool of one process: every value goes there and comes back."""
    name = "Python Pool.imap"
    with context.Pool(1, stay_on, (1,)) as pool:
        stay_on(0)
        pool.apply(same, (0,))
        count = (20 if chunk > 1 else 5) * ms * (10 if chunk > 1 else 1)
        start = time.monotonic()
        total = sum(pool.imap(same, range(count), chunk))
        seconds = time.monotonic() - start
        if total != count * (count - 1) // 2:
            sys.exit("values were lost")
        tell(name, 0, chunk, "rate", count / seconds)
        if chunk == 1:
            samples = []
            until = time.monotonic() + ms / 1000
            while time.monotonic() < until:
                begin = time.monotonic_ns()
                pool.apply(same, (0,))
                samples.append(time.monotonic_ns() - begin)
            tell_latency(name, 0, chunk, "round-trip", summarize(samples))
    os.sched_setaffinity(0, cpus)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ms", type=int, default=200)
    parser.add_argument("--backwards", action="store_true")
    options = parser.parse_args()
    measurements = [
        lambda: measure_queue("Python Queue", 1, lambda: context.Queue(1), options.ms),
        lambda: measure_queue("Python Queue", 16, lambda: context.Queue(16), options.ms),
        lambda: measure_queue("Python Queue", 64, lambda: context.Queue(64), options.ms),
        lambda: measure_queue("Python SimpleQueue", 0, context.SimpleQueue, options.ms),
        lambda: measure_pool(1, options.ms),
        lambda: measure_pool(64, options.ms),
    ]
    for measurement in reversed(measurements) if options.backwards else measurements:
        measurement()


if __name__ == "__main__":
    main()
