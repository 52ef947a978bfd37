#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python side of csv.sh.

    csv_peers.py make DIRECTORY [ROWS]        the tables, where they are missing
    csv_peers.py read FILE                    ms of CPU that numpy.loadtxt takes, and pandas.read_csv or -
    csv_peers.py table FILE.tsv...            the medians of all rounds
    csv_peers.py versions
"""
import os
import statistics
import sys
import time

KINDS = {"repr": "%r", "savetxt": "%.18e", "short": "%.3f", "whole": "%d"}


def make(directory, rows=100000):
    import numpy as np

    random = np.random.default_rng(5)
    values = random.standard_normal((int(rows), 8)) * 10.0 ** random.integers(-3, 4, 8)
    for kind, form in KINDS.items():
        path = os.path.join(directory, f"{kind}-{rows}.csv")
        if not os.path.exists(path):
            with open(path + ".part", "w", encoding="ascii") as file:
                for row in values.tolist():
                    file.write(",".join(repr(v) if form == "%r" else form % v for v in row) + "\n")
            os.rename(path + ".part", path)


def ms_of(call):
    started = time.process_time()
    call()
    return f"{(time.process_time() - started) * 1e3:.3f}"


def read(path):
    import numpy as np

    times = [ms_of(lambda: np.loadtxt(path, delimiter=","))]
    try:
        import pandas
    except ImportError:
        times.append("-")
    else:
        times.append(ms_of(lambda: pandas.read_csv(path, header=None, float_precision="round_trip")))
    print(*times)


def versions():
    import numpy as np

    try:
        import pandas
    except ImportError:
        return f"numpy {np.__version__}, no pandas"
    return f"numpy {np.__version__}, pandas {pandas.__version__}"


def table(paths):
    """Each line: file, bytes, ours three times, theirs two times."""
    rounds = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, size, *times = line.split()
                rounds.setdefault((name, int(size)), []).append(times)
    print("| table | MB | read, MB/s | numpy.loadtxt | pandas.read_csv | ratio to numpy, each round | looked at, MB/s "
          "| written, MB/s |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, size), lines in rounds.items():
        columns = list(zip(*lines))
        speeds = ["-" if "-" in column else size / 1e3 / statistics.median(map(float, column)) for column in columns]
        ratios = sorted(float(line[3]) / float(line[0]) for line in lines)
        ours, peek, written, numpy, pandas = (s if s == "-" else f"{s:.0f}" for s in speeds)
        spread = ", ".join(f"{ratio:.1f}" for ratio in ratios)
        print(f"| {name} | {size / 1e6:.1f} | {ours} | {numpy} | {pandas} | **{statistics.median(ratios):.1f}** ({spread})"
              f" | {peek} | {written} |")


if __name__ == "__main__":
    {"make": lambda: make(*sys.argv[2:]), "read": lambda: read(sys.argv[2]), "table": lambda: table(sys.argv[2:]),
     "versions": lambda: print(versions())}[sys.argv[1]]()
