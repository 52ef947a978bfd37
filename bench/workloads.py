#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tables of bench/run.sh, which sets everything up and calls this.

    workloads.py [--quick] [--rounds N] [--only NAME]... --forkmill FILE --bench DIR --work DIR --data NAME=DIR...

Each table has groups of rows; the first row of a group is what the others are compared with. All rows of a table are
run in turn, round by round, every other round backwards, after one that is not counted.
"""
import argparse
import atexit
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SECTIONS = {}


class Row:
    """`measure` gives (seconds, CPU seconds or None)."""

    def __init__(self, label, measure):
        self.label, self.measure, self.seconds, self.cpu = label, measure, [], []


def section(name):
    def register(function):
        SECTIONS[name] = function
        return function
    return register


class Bench:
    def __init__(self, options):
        self.options, self.quick = options, options.quick
        self.data = dict(pair.split("=", 1) for pair in options.data)
        self.cores = len(os.sched_getaffinity(0))
        self.workers = max(2, self.cores)
        self.slow_ms = 1 if self.quick else 5
        self.lists = {}
        # A directory for each run, removed at the end: ext4 makes files slowly for seconds after others were removed.
        self.outputs = os.path.join(options.work, "run-outputs")
        self.runs = 0
        shutil.rmtree(self.outputs, ignore_errors=True)
        atexit.register(shutil.rmtree, self.outputs, ignore_errors=True)

    def files(self, name, most):
        """A list of the first files of a data set, as a file; and how many they are."""
        key = name, most
        if key not in self.lists:
            found = sorted(os.path.join(where, file) for where, _, files in os.walk(self.data[name])
                           for file in files if file.endswith((".png", ".pnm", ".ppm", ".pgm")))
            found = [os.path.abspath(path) for path in found[:min(most, 8) if self.quick else most]]
            path = os.path.join(self.options.work, f"list-{name}-{len(found)}")
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(f"{each}\n" for each in found))
            self.lists[key] = path, len(found)
        return self.lists[key]

    def command(self, listed, engine, workers, arguments):
        self.runs += 1
        out = os.path.join(self.outputs, str(self.runs))
        return [self.options.forkmill, "run", "--json", "--files-from", listed, "-o", out, "--engine", engine,
                "-w", str(workers), *arguments]

    def forkmill(self, listed, engine, workers, *arguments, slow=None):
        """Seconds as the run itself reports them, its processes' start and end included."""
        path, count = listed
        result = subprocess.run(self.command(path, engine, workers, arguments), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.environment(slow), check=False)
        if result.returncode != 0:
            sys.exit(f"forkmill failed: {result.stderr.decode()}")
        report = json.loads(result.stdout)
        if report["items"]["done"] != count:
            sys.exit(f"{report['items']['done']} of {count} items were done")
        return report["wall_ns"] / 1e9, report["cpu_ns"] / 1e9

    def environment(self, slow):
        if not slow:
            return None
        shim = os.path.join(self.options.bench, "libforkmill-slow-read.so")
        return dict(os.environ, LD_PRELOAD=os.path.abspath(shim), SLOW_READ_UNDER=os.path.realpath(self.data[slow]),
                    SLOW_READ_MS=str(self.slow_ms))

    def side_by_side(self, listed, runs, slow):
        """The same list cut into as many parts, each for a forkmill of its own with one worker."""
        with open(listed[0], encoding="utf-8") as file:
            names = file.read().splitlines()
        commands = []
        for part in range(runs):
            path = os.path.join(self.options.work, f"part-{part}")
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(f"{name}\n" for name in names[part::runs]))
            commands.append(self.command(path, "process", 1, []))
        start = time.monotonic()
        running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    env=self.environment(slow)) for command in commands]
        if any([each.wait() for each in running]):
            sys.exit("one of several forkmill side by side failed")
        return time.monotonic() - start, None

    def prints_seconds(self, *command, slow=None):
        result = subprocess.run(command, stdout=subprocess.PIPE, env=self.environment(slow), check=True)
        seconds, cpu_seconds = map(float, result.stdout.split())
        return seconds, cpu_seconds

    def plain(self, job, n, times):
        return self.prints_seconds(os.path.join(self.options.bench, "forkmill-bench-plain"), job, str(n), str(times))

    def python(self, *arguments, slow=None):
        return self.prints_seconds(sys.executable, os.path.join(HERE, "pool.py"), *map(str, arguments), slow=slow)

    def engines(self):
        """Those that this build has."""
        usable = ["serial", "thread", "openmp", "process"]
        path, _ = self.files("tiny", 1)
        probe = subprocess.run(self.command(path, "openmp", 1, []), capture_output=True, check=False)
        if probe.returncode != 0:
            usable.remove("openmp")
        return usable


@section("cpu")
def cpu(bench):
    title = "CPU-bound: primes by trial division and sums of squares"
    tiny = bench.files("tiny", 64)
    jobs = (("primes", 2000 if bench.quick else 300000), ("sumsq", 20000 if bench.quick else 30000000))
    groups = []
    for job, n in jobs:
        rows = [Row(f"{job} below {n}: plain C loop, one core", lambda job=job, n=n: bench.plain(job, n, tiny[1]))]
        for engine in bench.engines():
            for workers in [1] if engine == "serial" else [1, bench.workers]:
                rows.append(Row(f"{job} below {n}: {engine}, {workers} worker{'s' if workers > 1 else ''}",
                                lambda job=job, n=n, engine=engine, workers=workers:
                                bench.forkmill(tiny, engine, workers, "-s", f"{job}:n={n}")))
        groups.append(rows)
    return title, (f"{tiny[1]} items, each a tiny picture. The claim: CPU-bound work gains by cores, whoever "
                   "brings them; threads in C have no global lock, so that all engines are alike; and a worker's CPU "
                   "time is at most that of a plain loop, compiled with -O3 as the stages are (sumsq has AVX2 besides)."), groups


@section("io")
def slow_files(bench):
    ms = bench.slow_ms
    tiny = bench.files("slow", 100)
    rows = [Row("slow files: forkmill serial", lambda: bench.forkmill(tiny, "serial", 1, slow="slow"))]
    for workers in (1, 2, 8):
        rows.append(Row(f"slow files: forkmill process, {workers} worker{'s' if workers > 1 else ''}",
                        lambda workers=workers: bench.forkmill(tiny, "process", workers, slow="slow")))
    for runs in (2, 8):
        rows.append(Row(f"slow files: {runs} forkmill side by side, each a share of the files",
                        lambda runs=runs: bench.side_by_side(tiny, runs, "slow")))
    python = [Row("slow files: Python, one thread, reading only",
                  lambda: bench.python("read", tiny[0], "serial", 1, slow="slow"))]
    for how in ("threads", "processes"):
        python.append(Row(f"slow files: Python, 8 {how}, reading only",
                          lambda how=how: bench.python("read", tiny[0], how, 8, slow="slow")))
    waits = []
    for workers in (1, 2, 8, 32):
        waits.append(Row(f"a stage that waits {ms} ms: {workers} worker{'s' if workers > 1 else ''}",
                         lambda workers=workers: bench.forkmill(tiny, "process", workers, "-s", f"sleep:ms={ms}",
                                                                "--batch", "1")))
    return "I/O-bound: slow files, and stages that wait", (
        f"{tiny[1]} files, each read of which takes {ms} ms more (`bench/slow_read.c`, preloaded). The claim: "
        f"forkmill reads with one thread, so {tiny[1]} x {ms} ms = {tiny[1] * ms / 1000:g} s is its floor, and workers change nothing; several "
        "runs on shares of the files do. Where the waiting is in the workers, they gain far beyond the cores."
    ), [rows, python, waits]


@section("images")
def images(bench):
    jobs = (("re-encode", []), ("grayscale", ["-s", "grayscale"]), ("blur", ["-s", "gaussblur:sigma=2"]),
            ("thumbnail", ["-s", "resize:width=128,height=128,fit=inside"]))
    groups = []
    for name, most in (("icons", 1000), ("art", 16)):
        listed = bench.files(name, most)
        for job, arguments in jobs:
            groups.append([Row(f"{job}, {listed[1]} {name}: {engine}, {1 if engine == 'serial' else bench.workers}",
                               lambda listed=listed, engine=engine, arguments=arguments:
                               bench.forkmill(listed, engine, bench.workers, *arguments))
                           for engine in bench.engines()])
    return "Image jobs", "Engine and workers in each row; outputs are PNG, compression fast.", groups


@section("workers")
def oversubscription(bench):
    groups = []
    icons, tiny = bench.files("icons", 1000), bench.files("tiny", 64)
    n = 2000 if bench.quick else 200000
    for label, listed, arguments in (
            (f"primes below {n}", tiny, ["-s", f"primes:n={n}"]),
            (f"thumbnails of {icons[1]} icons", icons, ["-s", "resize:width=32,height=32,fit=inside"])):
        groups.append([Row(f"{label}: {workers} worker{'s' if workers > 1 else ''}",
                           lambda listed=listed, workers=workers, arguments=arguments:
                           bench.forkmill(listed, "process", workers, *arguments))
                       for workers in (1, 2, 4, 8, 32)])
    return "Workers beyond the cores", (f"{bench.cores} cores, engine process. The claim: more workers than cores "
                                        "gain nothing on CPU-bound work; the CPU time shows what they cost."), groups


@section("chunks")
def chunks(bench):
    listed = bench.files("many", 3000)
    groups = [[Row(f"{engine}, batch {batch}",
                   lambda engine=engine, batch=batch:
                   bench.forkmill(listed, engine, bench.workers, "--batch", str(batch), "--queue", "64"))
               for batch in (1, 8, 64)] for engine in ("process", "thread")]
    return "Batches", f"{listed[1]} icons decoded and saved again, {bench.workers} workers, queues of 64.", groups


@section("python")
def beside_python(bench):
    n, count = (500, 8) if bench.quick else (20000, 64)
    tiny = bench.files("tiny", count)
    count, workers = tiny[1], bench.workers
    rows = [Row("Python, a loop", lambda: bench.python("primes", n, count, "serial", 1)),
            Row(f"Python, {workers} threads", lambda: bench.python("primes", n, count, "threads", workers)),
            Row(f"Python, Pool of {workers}", lambda: bench.python("primes", n, count, "processes", workers)),
            Row(f"Python, Pool of {workers}, chunks of 8",
                lambda: bench.python("primes", n, count, "processes", workers, 8)),
            Row("forkmill serial", lambda: bench.forkmill(tiny, "serial", 1, "-s", f"primes:n={n}")),
            Row(f"forkmill thread, {workers} workers",
                lambda: bench.forkmill(tiny, "thread", workers, "-s", f"primes:n={n}")),
            Row(f"forkmill process, {workers} workers",
                lambda: bench.forkmill(tiny, "process", workers, "-s", f"primes:n={n}"))]
    return "Beside Python's multiprocessing", (
        f"{count} items, the primes below {n} for each. The claim: threads of Python take turns at one lock and "
        "gain nothing on CPU-bound work, its processes do; threads in C need no such choice."), [rows]


def run(groups, rounds, warm):
    rows = [row for group in groups for row in group]
    for number in range(-warm, rounds):
        for row in reversed(rows) if number % 2 else rows:
            seconds, cpu_seconds = row.measure()
            if number >= 0:
                row.seconds.append(seconds)
                row.cpu.append(cpu_seconds)


def show(title, note, groups):
    print(f"## {title}\n\n{note}\n")
    print("| what | seconds | least .. most | speed-up | CPU seconds |\n|---|---|---|---|---|")
    for group in groups:
        for row in group:
            speed_up = statistics.median(a / b for a, b in zip(group[0].seconds, row.seconds))
            cpu_seconds = "" if row.cpu[0] is None else f"{statistics.median(row.cpu):.3f}"
            print(f"| {row.label} | {statistics.median(row.seconds):.3f} | {min(row.seconds):.3f} .. "
                  f"{max(row.seconds):.3f} | {speed_up:.2f} | {cpu_seconds} |")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS))
    for name in ("forkmill", "bench", "work"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--data", action="append", default=[])
    bench = Bench(parser.parse_args())
    for name in bench.options.only or SECTIONS:
        title, note, groups = SECTIONS[name](bench)
        run(groups, 1 if bench.quick else bench.options.rounds, 0 if bench.quick else 1)
        show(title, note, groups)


if __name__ == "__main__":
    main()
