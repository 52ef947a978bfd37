#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs are interrupted, stopped and bereft of their terminal at random moments: the exit code says so, they end soon,
and outputs are whole and counted.

  signals.py [MOMENTS [LIMIT_MS [SEED]]]      200 moments without an argument, and 500 ms from a signal to the end
"""
import os
import random
import shutil
import signal
import sys
import time

from mill import Run, campaign, expect, generate, send, session, shared_left, temporary, tree, wait_for

MOMENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
LIMIT_MS = float(sys.argv[2]) if len(sys.argv) > 2 else 500
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
ITEMS = 60
SHORT = ["-i", "in", "-s", "sleep:ms=10", "-s", "invert", "-w", 2]
dice = random.Random(SEED)
reference = {}


def check_left(run, name):
    """Whole outputs, as many as were counted, and nothing else."""
    made = tree("out") if os.path.isdir("out") else {}
    expect(wait_for(lambda: not session(run.pid), 5), f"{name}: somebody is left")
    expect(not temporary("."), f"{name}: {temporary('.')}")
    expect(all(reference.get(path) == content for path, content in made.items()), f"{name}: an output is not whole")
    expect(not shared_left(), f"{name}: left in /dev/shm")
    summary = run.summary()
    if summary:
        expect(summary["items"]["done"] == len(made), f"{name}: {len(made)} outputs, counted {summary['items']}")
    shutil.rmtree("out", ignore_errors=True)
    return len(made)


def interrupted():
    """One signal at a random moment; how long the end took, and how many outputs there were."""
    number = dice.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    group = dice.random() < 0.5
    run = Run(*SHORT, "-o", "out")
    time.sleep(dice.uniform(0, 0.5))
    began = time.monotonic()
    sent = run.process.poll() is None and send(run.pid, number, group)
    code = run.end()
    took_ms = (time.monotonic() - began) * 1000
    name = f"{number.name} to {'all' if group else 'one'}"
    # Before a run has taken its signals over it just dies of one; after its last item it is done.
    expect(code in (128 + number, -number) or code == 0, f"{name}: exit code {code}: {run.words()}")
    made = check_left(run, name)
    expect(code != 0 or made == ITEMS, f"{name}: exit code 0 after {made} items")
    return (took_ms if sent else 0), made


def twice():
    """The second signal does not wait for items that would take ten minutes."""
    number = dice.choice([signal.SIGINT, signal.SIGTERM])
    run = Run("-i", "in", "-o", "out", "-w", 2, "-s", "sleep:ms=600000")
    time.sleep(dice.uniform(0.1, 0.4))
    send(run.pid, number)
    time.sleep(dice.uniform(0, 0.1))
    began = time.monotonic()
    send(run.pid, number)
    # Two that come at once arrive as one; a person presses again.
    while run.process.poll() is None and not wait_for(lambda: run.process.poll() is not None, 1):
        send(run.pid, number)
    code = run.end()
    took_ms = (time.monotonic() - began) * 1000
    expect(code in (128 + number, -number), f"twice: exit code {code}: {run.words()}")
    check_left(run, "twice")
    return took_ms


def stopped():
    """Ctrl-Z and fg, several times: nothing is taken for a hang, and all is done."""
    run = Run(*SHORT, "-o", "out", "--timeout", "600ms")
    for _ in range(2):
        time.sleep(dice.uniform(0, 0.2))
        if run.process.poll() is None and send(run.pid, signal.SIGTSTP, group=True):
            time.sleep(dice.uniform(0.1, 0.9))
            send(run.pid, signal.SIGCONT, group=True)
    expect(run.end() == 0, f"Ctrl-Z: exit code {run.process.returncode}: {run.words()}")
    expect(run.summary()["deaths"] == 0, "Ctrl-Z: a worker was killed")
    expect(check_left(run, "Ctrl-Z") == ITEMS, "Ctrl-Z: not all was done")


def deaf_pipe():
    """Nobody reads what it says: SIGPIPE ends nothing."""
    read_end, write_end = os.pipe()
    run = Run(*SHORT, "-v", "-o", "out", stderr=write_end)
    os.close(write_end)
    time.sleep(dice.uniform(0, 0.2))
    os.close(read_end)
    expect(run.end() == 0, f"a closed pipe: exit code {run.process.returncode}")
    expect(check_left(run, "a closed pipe") == ITEMS, "a closed pipe: not all was done")


def closed(which):
    """Some of the three standard files closed; SIGCHLD ignored by whoever started it. The JSON that cannot be written is
    an error, after all the work."""
    def prepare():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for descriptor in range(3):
            if which >> descriptor & 1:
                os.close(descriptor)
    run = Run("-i", "in", "-o", "out", "-w", 2, "-s", "invert", preexec_fn=prepare)
    wanted = 5 if which >> 1 & 1 else 0
    expect(run.end() == wanted, f"closed {which:03b}: exit code {run.process.returncode}: {run.words()}")
    expect(tree("out") == reference, f"closed {which:03b}: the trees differ")
    shutil.rmtree("out")


def quantiles(name, times_ms):
    times_ms = sorted(times_ms)
    print(f"{name}: {len(times_ms)} times, median {times_ms[len(times_ms) // 2]:.0f} ms, longest {times_ms[-1]:.0f} ms", flush=True)
    expect(times_ms[-1] <= LIMIT_MS, f"{name}: {times_ms[-1]:.0f} ms, over {LIMIT_MS:.0f}")


def main():
    generate("icons", "--count", ITEMS, "in")
    run = Run("-i", "in", "-o", "reference", "--engine", "serial", "-s", "invert")
    expect(run.end() == 0, run.words())
    reference.update(tree("reference"))
    ends = [interrupted() for _ in range(MOMENTS)]
    quantiles("interrupted", [took_ms for took_ms, _ in ends])
    expect(MOMENTS < 20 or any(0 < made < ITEMS for _, made in ends), "no run was interrupted at work")
    quantiles("twice", [twice() for _ in range(max(1, MOMENTS // 20))])
    for _ in range(max(1, MOMENTS // 20)):
        stopped()
        deaf_pipe()
    for which in range(8):
        closed(which)
    print("Ctrl-Z, closed pipes, closed standard files and ignored SIGCHLD: all done")


if __name__ == "__main__":
    campaign(main)
