#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every system call and allocation that can fail is made to fail: all calls of a sort, the first, and others one at a
time. A run must not crash, hang or leave anything but whole outputs; what it could not do it says, with an exit code
from the table.

  failures.py [SECONDS [SEED]]      the first and all calls of each sort, then others until SECONDS are over; 0: every one
                                    (of fewer than 60 SECONDS each engine has every other sort)

FORKMILL_FAILING names the library that makes calls fail; without it, that of build/dev.
"""
import errno
import os
import random
import shutil
import struct
import sys
import time

from mill import ROOT, Breach, Run, campaign, expect, generate, session, shared_left, temporary, tree, wait_for

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 20
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
LIBRARY = os.environ.get("FORKMILL_FAILING", os.path.join(ROOT, "build/dev/tests/libforkmill-failing.so"))
ITEMS = 4
JOB = ["-i", "in", "-o", "out", "-w", 2, "--grace", "2s", "--collect-file", "sums.csv", "-s", "stats", "-s", "invert"]
ENGINES = ["process", "thread"]
MEMORY, AGAIN, FULL = ["ENOMEM"], ["EINTR", "EAGAIN"], ["ENOSPC", "EIO"]
CALLS = {
    "malloc": MEMORY, "calloc": MEMORY, "realloc": MEMORY, "aligned_alloc": MEMORY, "mmap": MEMORY,
    "open": ["EMFILE", "EACCES"], "openat": ["EMFILE", "ENOSPC", "EIO"], "fcntl": ["EMFILE"], "dup2": ["EMFILE"],
    "read": ["EIO", "EINTR"], "pread": ["EIO", "EINTR"], "write": [*FULL, "EINTR"], "pwrite": [*FULL, "EINTR"],
    "recv": ["EINTR", "EIO"], "send": ["EINTR", "EIO"], "rename": FULL, "renameat": FULL, "linkat": FULL, "mkdirat": FULL,
    "fstat": ["EIO"], "stat": ["EIO"], "fstatat": ["EIO"], "fchmod": ["EPERM"], "ftruncate": ["ENOSPC", "EINTR"],
    "posix_fallocate": ["ENOSPC", "EINTR"], "fdatasync": ["EIO"], "fork": ["EAGAIN", "ENOMEM"],
    "pthread_create": ["EAGAIN"], "pipe2": ["EMFILE"], "socketpair": ["EMFILE"], "eventfd": ["EMFILE"],
    "signalfd": ["EMFILE"], "memfd_create": ["EMFILE"], "shm_open": ["EMFILE", "ENOSPC"], "poll": ["EINTR"],
    "syscall": ["ENOSYS", "EINTR"],
    # The journal's, which SQLite makes.
    "open64": ["EMFILE", "EACCES"], "pread64": ["EIO"], "pwrite64": FULL, "ftruncate64": ["EIO"], "unlink": ["EIO"],
    "renameat2": [*FULL, "ENOSYS"], "unlinkat": ["EPERM"], "fsync": ["EIO"],
}
# Calls that a run makes over and over while it waits: all of them failing in these ways is no world to live in.
NEVER_ALL = {"EINTR", "EAGAIN"}
CODES = {0, 1, 5, 75}
reference = {}


def run_with(engine, call, name, nth):
    """Runs with a failure; how many calls there were and how many failed."""
    with open("state", "wb") as file:
        file.write(bytes(16))
    environment = dict(os.environ, LD_PRELOAD=LIBRARY, FAILING_FILE=os.path.abspath("state"), FAILING_CALL=call,
                       FAILING_CODE=str(getattr(errno, name)), FAILING_NTH=str(nth))
    run = Run(*JOB, "--engine", engine, env=environment)
    code = run.end(60)
    with open("state", "rb") as file:
        calls, failed = struct.unpack("QQ", file.read())
    expect(code in CODES, f"exit code {code}: {run.words()}")
    expect(code == 0 or run.words().strip(), f"exit code {code} without a word")
    expect(wait_for(lambda: not session(run.pid), 5), f"somebody is left")
    made = tree("out") if os.path.isdir("out") else {}
    expect(all(reference.get(path) == content for path, content in made.items()),
           f"{[p for p in made if reference.get(p) != made[p]]} not whole")
    expect(code != 0 or made == reference, f"exit code 0, but {sorted(set(reference) - set(made))} are not there")
    # Who may not even rename or unlink cannot clean up.
    expect(call in ("unlinkat", "linkat", "renameat") or not temporary("out"), f"{temporary('out')}")
    expect(not shared_left(), "left in /dev/shm")
    shutil.rmtree("out", ignore_errors=True)
    return calls, failed, code


breaches = []


def attempt(*case):
    """As run_with; what it finds is told and kept, so that one breach does not hide the others."""
    try:
        return run_with(*case)
    except Breach as breach:
        breaches.append(f"{' '.join(map(str, case))}: {breach}")
        print(breaches[-1], file=sys.stderr, flush=True)
        shutil.rmtree("out", ignore_errors=True)
        return 0, 0, None


def main():
    dice = random.Random(SEED)
    end = time.monotonic() + SECONDS
    expect(os.path.exists(LIBRARY), f"{LIBRARY} is not built")
    generate("icons", "--count", ITEMS, "in")
    run = Run(*JOB)
    expect(run.end() == 0, run.words())
    reference.update(tree("out"))
    shutil.rmtree("out")
    codes, tried, met, rest = dict.fromkeys(CODES, 0), 0, set(), []
    for engine in ENGINES:
        for number, (call, names) in enumerate(CALLS.items()):
            # Of a short campaign each engine has a half.
            if 0 < SECONDS < 60 and ENGINES[number % 2] != engine:
                continue
            for name in names:
                for nth in [1] if name in NEVER_ALL else [0, 1]:
                    calls, failed, code = attempt(engine, call, name, nth)
                    tried, codes[code] = tried + 1, codes.get(code, 0) + 1
                    if failed:
                        met.add(call)
                if failed:
                    calls = run_with(engine, call, name, 1 << 62)[0]
                    rest += [(engine, call, name, nth) for nth in range(2, calls + 1)]
    dice.shuffle(rest)
    left = len(rest)
    while rest and (SECONDS == 0 or time.monotonic() < end):
        _, failed, code = attempt(*rest.pop())
        tried, codes[code] = tried + 1, codes.get(code, 0) + 1
    expect(not breaches, f"{len(breaches)} of {tried} were not as they should be")
    print(f"{tried} failures of {len(met)} sorts of calls ({left - len(rest)} of {left} that come later), exit codes "
          + ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
          + ": no crash, no hang, no partial output", flush=True)
    expect(len(met) > 20, f"only {sorted(met)} were ever called")


if __name__ == "__main__":
    campaign(main)
