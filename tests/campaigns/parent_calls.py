#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The main process is killed just before each system call that changes a file or a directory, one call a run. Nobody
of it lives on, /dev/shm holds nothing of it, no output is other than whole; and the same command again ends in the
tree and the table of an undisturbed run, with no temporary file left.

  parent_calls.py [SECONDS [SEED]]      calls taken at random until SECONDS are over; 0: every one

FORKMILL_FAILING names the library that kills; without it, that of build/dev.
"""
import os
import random
import shutil
import struct
import sys
import time

from mill import ROOT, Run, campaign, expect, generate, session, shared_left, temporary, tree, wait_for

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 0
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
LIBRARY = os.environ.get("FORKMILL_FAILING", os.path.join(ROOT, "build/dev/tests/libforkmill-failing.so"))
CALLS = [
    "open", "open64", "openat", "write", "pwrite", "pwrite64", "rename", "renameat", "renameat2", "linkat", "unlink",
    "unlinkat", "mkdirat", "ftruncate", "ftruncate64", "posix_fallocate", "fchmod", "fsync", "fdatasync",
]
# One output for each item and two, a table, and done that means durable.
PLAIN = ["-i", "in", "-o", "out", "-w", 2, "-s", "invert"]
JOBS = {
    "plain": PLAIN,
    "two outputs, table, fsync": [*PLAIN, "-s", "tee:name={dir}a/{stem}.{ext}", "-s", "stats", "--collect-file",
                                  "sums.csv", "--fsync", "--batch", 1],
}
references = {}


def made():
    """The outputs and the table."""
    files = tree("out")
    if os.path.exists("sums.csv"):
        with open("sums.csv", "rb") as file:
            files["../sums.csv"] = file.read()
    return files


def clear():
    shutil.rmtree("out", ignore_errors=True)
    if os.path.exists("sums.csv"):
        os.remove("sums.csv")


def leftovers():
    return temporary("out") + [name for name in os.listdir(".") if name.startswith(".forkmill")]


def killed_before(job, call, nth):
    """How many such calls there were, and whether the run was killed before one."""
    with open("state", "wb") as file:
        file.write(bytes(16))
    environment = dict(os.environ, FORKMILL_JOURNAL="true", LD_PRELOAD=LIBRARY, FAILING_FILE=os.path.abspath("state"),
                       FAILING_CALL=call, FAILING_CODE="KILL", FAILING_NTH=str(nth))
    run = Run(*JOBS[job], env=environment)
    code = run.end(60)
    with open("state", "rb") as file:
        calls, killed = struct.unpack("QQ", file.read())
    expect(code == (-9 if killed else 0), f"exit code {code}: {run.words()}")
    expect(wait_for(lambda: not session(run.pid), 4), "somebody still lives")
    return calls, killed


def check(job, call, nth):
    what = f"{job}, killed before {call} number {nth}: "
    _, killed = killed_before(job, call, nth)
    expect(not shared_left(), what + "left in /dev/shm")
    after = made()
    wrong = [path for path, content in after.items() if references[job].get(path) != content]
    expect(not wrong, what + f"{wrong} not whole")
    again = Run(*JOBS[job], env=dict(os.environ, FORKMILL_JOURNAL="true"))
    expect(again.end() == 0, what + f"the same command again: {again.words()}")
    expect(made() == references[job], what + "the same command again made another tree")
    expect(not leftovers(), what + f"{leftovers()} are left")
    clear()
    return killed


def main():
    dice = random.Random(SEED)
    end = time.monotonic() + SECONDS
    expect(os.path.exists(LIBRARY), f"{LIBRARY} is not built")
    generate("icons", "--count", 6, "in")
    moments, sorts = [], set()
    for job, arguments in JOBS.items():
        run = Run(*arguments, env=dict(os.environ, FORKMILL_JOURNAL="true"))
        expect(run.end() == 0, run.words())
        references[job] = made()
        clear()
        for call in CALLS:
            calls, _ = killed_before(job, call, 1 << 62)
            clear()
            sorts |= {call} if calls else set()
            moments += [(job, call, nth) for nth in range(1, calls + 1)]
    dice.shuffle(moments)
    tried = kills = 0
    while tried < len(moments) and (SECONDS == 0 or time.monotonic() < end):
        kills += check(*moments[tried])
        tried += 1
    print(f"{kills} kills before {tried} of {len(moments)} calls of {len(sorts)} sorts: nobody left, no partial output, "
          "the same tree again", flush=True)
    expect(kills > 0, "nobody was killed")
    expect(len(sorts) > 8, f"only {sorted(sorts)} were ever called")


if __name__ == "__main__":
    campaign(main)
