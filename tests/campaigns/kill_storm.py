#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Workers are killed and stopped every 5 to 20 ms through one long run. Its tree and its failures have to be those
of engine serial: nothing lost, nothing done twice, and no item blamed for a death that it did not cause.

  kill_storm.py [ITEMS [SEED]]      20000 items without an argument
"""
import random
import shutil
import signal
import sys
import time

from mill import Run, campaign, children, expect, generate, send, temporary, tree, wait_for, workers, session

ITEMS = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
# One that is stopped is out of work until `timeout`; more of them would leave nobody.
SIGNALS = [signal.SIGKILL] * 14 + [signal.SIGSEGV] * 5 + [signal.SIGSTOP]
CHAIN = ["-s", "resize:width=20,height=20", "-s", "fail:rate=0.01", "-s", "sleep:ms=1", "-s", "invert"]
SHAPES = {"one pool": [], "two pools": ["-s", "pool"], "workers that retire": ["--recycle", "50"]}


def failures(run):
    """Without the number of the attempt, which is another for what was killed before."""
    return sorted((f["path"], f["stage"], f["reason"].partition(",")[0]) for f in run.summary()["failures"])


def storm(run, dice):
    """Strikes at random until the run has ended; how often each signal hit."""
    hits = dict.fromkeys(SIGNALS, 0)
    while run.process.poll() is None:
        at_work = workers(run.pid)
        number = dice.choice(SIGNALS)
        if at_work and send(dice.choice(at_work), number):
            hits[number] += 1
        time.sleep(dice.uniform(0.005, 0.020))
    return hits


def main():
    dice = random.Random(SEED)
    generate("icons", "--count", ITEMS, "in")
    serial = Run("-i", "in", "-o", "reference", "--engine", "serial", *CHAIN)
    expect(serial.end(3600) == 1, f"engine serial: {serial.words()}")
    blamed, reference = failures(serial), tree("reference")
    expect(0 < len(blamed) < ITEMS / 20 and len(reference) == ITEMS - len(blamed), "the reference is not what it should be")
    for name, shape in SHAPES.items():
        run = Run("-i", "in", "-o", "out", "-w", 4, "--retries", 30, "--timeout", "1s", *CHAIN[:2], *shape, *CHAIN[2:])
        hits = storm(run, dice)
        expect(run.end() == 1, f"{name}: exit code {run.process.returncode}: {run.words()}")
        summary = run.summary()
        items = summary["items"]
        differing = sorted(set(failures(run)) ^ set(blamed))
        expect(not differing, f"{name}: other failures than without kills: {differing}")
        expect((items["found"], items["done"], items["failed"]) == (ITEMS, len(reference), len(blamed)), f"{name}: {items}")
        expect(tree("out") == reference, f"{name}: the trees differ")
        expect(not temporary("out"), f"{name}: {temporary('out')}")
        expect(wait_for(lambda: not session(run.pid), 5), f"{name}: somebody is left")
        expect(summary["deaths"] > 0, f"{name}: nobody died")
        struck = ", ".join(f"{count} {number.name}" for number, count in hits.items())
        print(f"{name}: {ITEMS} items, {struck}, {summary['deaths']} deaths, {summary['retries']} items tried again: "
              f"0 lost, 0 doubled, 0 blamed", flush=True)
        shutil.rmtree("out")


if __name__ == "__main__":
    campaign(main)
