#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes one table of the rounds of forkmill-bench-ipc and peers.py.

    table.py ROUND ...     each file holds the lines of one round of both
"""
import statistics
import sys

OURS = "forkmill queue"


def read(path):
    figures = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, capacity, batch, what, figure = line.rstrip("\n").split("\t")
            figures[name, int(capacity), int(batch), what] = float(figure)
    return figures


def counterpart(name, capacity, batch):
    """Which of our queues another is compared with: its like, or else the one that resembles it most."""
    return OURS, capacity if capacity in (1, 16) else 16 if capacity == 10 else 64, min(batch, 8)


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def latency(middle, row, what):
    if (*row, f"{what}-median") not in middle:
        return ""
    return f"{number(middle[*row, f'{what}-median'])} / {number(middle[*row, f'{what}-p99'])}"


def main():
    rounds = [read(path) for path in sys.argv[1:]]
    if not rounds:
        sys.exit(__doc__)
    keys = list(rounds[0])
    if any(set(other) != set(keys) for other in rounds):
        sys.exit("the rounds did not measure the same")
    middle = {key: statistics.median(each[key] for each in rounds) for key in keys}
    rows = sorted({key[:3] for key in keys}, key=lambda row: (row[0] != OURS, row[0].startswith("Python"), row))
    print("| transport | capacity | batch | values/s | least .. most | forkmill's rate over this "
          "| there and back, us: median / p99 | one way to a sleeper, us: median / p99 |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        rates = [each[*row, "rate"] for each in rounds]
        ours = counterpart(*row)
        ratio = "" if row[0] == OURS else \
            f"{statistics.median(each[*ours, 'rate'] / each[*row, 'rate'] for each in rounds):.2f}"
        name, capacity, batch = row
        print(f"| {name} | {capacity or 'system'} | {batch} | {number(middle[*row, 'rate'])} "
              f"| {number(min(rates))} .. {number(max(rates))} | {ratio} "
              f"| {latency(middle, row, 'round-trip')} | {latency(middle, row, 'one-way')} |")


if __name__ == "__main__":
    main()
