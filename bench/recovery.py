# SPDX-License-Identifier: MIT
"""How long a worker is missing: kills workers of a run one after the other and watches the fork server's children.
Prints the milliseconds from each kill to the successor, which by then has its name and asks for an item.

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


def main():
    kills, command = int(sys.argv[1]), sys.argv[2:]
    dice = random.Random(1)
    run = subprocess.Popen([command[0], "run", "-q", *command[1:]], stderr=subprocess.DEVNULL)
    times = []
    try:
        while not children(run.pid) or not named(children(run.pid)[0]):
            time.sleep(0.01)
        server = children(run.pid)[0]
        time.sleep(0.2)
        while len(times) < kills and run.poll() is None:
            alive = named(server)
            if not alive:
                continue
            who, pid = dice.choice(sorted(alive.items()))
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            while run.poll() is None and named(server).get(who, pid) == pid:
                pass
            times.append((time.monotonic() - began) * 1000)
            time.sleep(dice.uniform(0.005, 0.03))
    finally:
        run.kill()
        run.wait()
    if len(times) < kills:
        sys.exit(f"the run ended after {len(times)} kills")
    for milliseconds in times:
        print(f"{milliseconds:.3f}")


if __name__ == "__main__":
    main()
