#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command and says how much memory its whole process tree took at most.

    peak.py [--every MS] -- COMMAND ...

A sample adds up, over all processes of the tree, what they hold alone or share with files (Pss_Anon and Pss_File of
/proc/PID/smaps_rollup), and the shared memory once: the greater of what is mapped (Pss_Shmem) and what is committed
(blocks of the unlinked files in /dev/shm, or memfds, that the tree has open), since committed pages that nobody has
touched are memory too. Peaks between two samples are missed; --every 20 is the default.

Prints one line, "PEAK_BYTES PEAK_SHARED_BYTES SAMPLES SECONDS CPU_SECONDS", after the command has ended, and exits as it did.
"""
import argparse
import os
import re
import resource
import subprocess
import sys
import time


def children_of(pid):
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return found


def tree_of(pid):
    found, waiting = [], [pid]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children_of(pid)
    return found


def rollup(pid):
    """Bytes: (anonymous and file pages, shared memory pages), each its proportional share."""
    own = shared = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                match = re.match(r"Pss_(Anon|File|Shmem):\s+(\d+) kB", line)
                if match and match.group(1) == "Shmem":
                    shared += int(match.group(2)) * 1024
                elif match:
                    own += int(match.group(2)) * 1024
    except OSError:
        pass
    return own, shared


def committed(pids):
    """Bytes of the shared memory files that the processes have open, each file once."""
    files = {}
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                try:
                    target = os.readlink(path)
                    if target.startswith(("/dev/shm/", "/memfd:")):
                        status = os.stat(path)
                        files[status.st_dev, status.st_ino] = status.st_blocks * 512
                except OSError:
                    pass
        except OSError:
            pass
    return sum(files.values())


def sample(pid):
    pids = tree_of(pid)
    parts = [rollup(one) for one in pids]
    own = sum(part[0] for part in parts)
    shared = max(sum(part[1] for part in parts), committed(pids))
    return own + shared, shared


def main():
    parser = argparse.ArgumentParser(usage="peak.py [--every MS] -- COMMAND ...")
    parser.add_argument("--every", type=float, default=20, metavar="MS")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    started = time.monotonic()
    most = most_shared = samples = 0
    with subprocess.Popen(arguments.command, stdout=sys.stderr) as process:
        while process.poll() is None:
            total, shared = sample(process.pid)
            most, most_shared, samples = max(most, total), max(most_shared, shared), samples + 1
            time.sleep(arguments.every / 1000)
    wall = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(most, most_shared, samples, f"{wall:.2f} {used.ru_utime + used.ru_stime:.2f}")
    sys.exit(process.returncode if process.returncode >= 0 else 128 - process.returncode)


if __name__ == "__main__":
    main()
