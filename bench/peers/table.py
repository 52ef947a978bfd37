#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the tables of peers.sh of its lines of figures.

    table.py FIGURES

A line is "CORPUS JOB WHO time WALL_S CPU_S" or "CORPUS JOB WHO size PEAK_BYTES OUT_BYTES FILES".
"""
import collections
import statistics
import sys

OURS = "forkmill"
JOBS = {"thumbnail": "thumbnail, 256 px", "half": "50 %, lanczos", "blur": "gaussian blur, sigma 2", "gray": "grayscale",
        "encode": "re-encode"}
MIB = 1 << 20


class Contender:
    def __init__(self):
        self.walls, self.cpus = [], []
        self.peak = self.out = self.files = 0

    def take(self, kind, words):
        if kind == "time":
            self.walls.append(float(words[0]))
            self.cpus.append(float(words[1]))
        else:
            self.peak, self.out, self.files = map(int, words)

    @property
    def wall(self):
        return statistics.median(self.walls)

    @property
    def cpu(self):
        return statistics.median(self.cpus)


def read(path):
    cells = collections.defaultdict(lambda: collections.defaultdict(Contender))
    with open(path, encoding="utf-8") as file:
        for line in file:
            corpus, job, who, kind, *words = line.split()
            cells[corpus, job][who].take(kind, words)
    return cells


def ratio(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def fitting(cell, peer):
    """The fastest of forkmill's settings that writes no more than the peer, or else the default."""
    fit = [one for who, one in cell.items() if who.startswith(OURS) and one.out <= peer.out]
    return min(fit, key=lambda one: one.wall, default=cell[OURS])


def summary(cells):
    """How many times as long as forkmill the best of the others takes."""
    print("| corpus | job | fastest of the others | wall, times forkmill's | CPU, times forkmill's "
          "| forkmill's output, of theirs | forkmill with |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (corpus, job), cell in cells.items():
        others = [who for who in cell if not who.startswith(OURS)]
        if others:
            who = min(others, key=lambda name: cell[name].wall)
            best, ours = cell[who], fitting(cell, cell[who])
            setting = "the default" if ours is cell[OURS] else "`fastest`"
            print(f"| {corpus} | {JOBS[job]} | {who} | **{ratio(best.wall / ours.wall)}** | {ratio(best.cpu / ours.cpu)} "
                  f"| {ours.out / best.out:.3f} | {setting} |")


def whole(cells):
    for (corpus, job), cell in cells.items():
        ours = cell[OURS]
        print(f"\n## {corpus}, {JOBS[job]}: {ours.files} files\n")
        print("| who | wall, s | CPU, s | peak memory, MiB | written, MB | wall / forkmill | CPU / forkmill | walls |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for who, one in sorted(cell.items(), key=lambda item: item[1].wall):
            missing = "" if one.files == ours.files else f" ({one.files} files)"
            print(f"| {who}{missing} | {one.wall:.3f} | {one.cpu:.2f} | {one.peak / MIB:.0f} | {one.out / 1e6:.2f} "
                  f"| {ratio(one.wall / ours.wall)} | {ratio(one.cpu / ours.cpu)} "
                  f"| {' '.join(f'{wall:.3f}' for wall in one.walls)} |")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cells = read(sys.argv[1])
    summary(cells)
    whole(cells)


if __name__ == "__main__":
    main()
