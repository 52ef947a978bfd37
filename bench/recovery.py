# SPDX-License-Identifier: MIT
"""How long a worker is missing: kills workers of a run one after the other and watches the fork server's children.
Prints the milliseconds from each kill to the successor, which by then has its name and asks for an item. A run that is
over before all kills are done is followed by another one.

  recovery.py KILLS FORKMILL [RUN-ARGUMENT...]
"""
import os
import random
import signal
import subprocess
import sys
import time


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def named(server):
    return {name(pid): pid for pid in children(server) if name(pid).startswith("forkmill-w")}


def kill_one(run, server, dice):
    """Milliseconds until the successor of a worker killed at random; None where the run ended before."""
    alive = named(server)
    if not alive:
        return None
    who, pid = dice.choice(sorted(alive.items()))
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while named(server).get(who, pid) == pid:
        if run.poll() is not None:
            return None
    return (time.monotonic() - began) * 1000


def one_run(command, kills, dice):
    """The times of up to so many kills: of fewer where the run was over before."""
    run = subprocess.Popen([command[0], "run", "-q", *command[1:]], stderr=subprocess.DEVNULL)
    times = []
    try:
        while run.poll() is None and (not children(run.pid) or not named(children(run.pid)[0])):
            time.sleep(0.01)
        time.sleep(0.2)
        server = (children(run.pid) or [0])[0]
        while len(times) < kills and run.poll() is None:
            milliseconds = kill_one(run, server, dice)
            if milliseconds is not None:
                times.append(milliseconds)
                time.sleep(dice.uniform(0.005, 0.03))
    finally:
        ended = run.poll()
        run.kill()
        run.wait()
    if ended or not times:
        sys.exit(f"a run ended with exit code {ended} after {len(times)} kills")
    return times


def main():
    kills, command = int(sys.argv[1]), sys.argv[2:]
    dice = random.Random(1)
    times = []
    while len(times) < kills:
        times += one_run(command, kills - len(times), dice)
    for milliseconds in times:
        print(f"{milliseconds:.3f}")


if __name__ == "__main__":
    main()
