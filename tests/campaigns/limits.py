#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs with ever less of one thing: shared memory, memory of a control group, address space, descriptors, processes,
stack. Each does all its items, or says what is missing with an exit code from the table; none crashes, hangs or leaves
a partial output. In a control group the kernel may also kill the main process, which then leaves what a kill leaves.

  limits.py [STEPS]      32 steps of each kind without an argument
"""
import os
import re
import resource
import shutil
import subprocess
import sys

from mill import Run, campaign, expect, generate, session, temporary, tree, wait_for

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 32
CODES = {0, 1, 5, 75}
KILLED = -9
NOBODY = 65534
MIB = 1 << 20
JOB = ["-i", "in", "-o", "out", "-w", 2, "--grace", "2s", "-s", "resize:width=300,height=300", "-s", "invert"]
reference = {}


def check(run, what, seconds=60, may_be_killed=False):
    """The exit code of a run that ended as it may."""
    code = run.end(seconds)
    words = run.words()
    if code == 127 and "loading shared libraries" in words:
        return code  # not forkmill's doing
    killed = may_be_killed and code == KILLED
    expect(code in CODES or killed, f"{what}: exit code {code}: {words}")
    expect("SIGBUS" not in words and "SIGSEGV" not in words, f"{what}: {words}")
    expect(code == 0 or killed or words.strip(), f"{what}: exit code {code} without a word")
    expect(wait_for(lambda: not session(run.pid), 5), f"{what}: somebody is left")
    made = tree("out") if os.path.isdir("out") else {}
    expect(all(reference.get(path) == content for path, content in made.items()), f"{what}: an output is not whole")
    expect(code != 0 or made == reference, f"{what}: exit code 0, but not all was done")
    expect(killed or not os.path.isdir("out") or not temporary("out"), f"{what}: temporary files")
    shutil.rmtree("out", ignore_errors=True)
    return code


def told(kind, codes):
    counts = ", ".join(f"{codes.count(code)} ended with {code}" for code in sorted(set(codes)))
    print(f"{kind}: {len(codes)} steps: {counts}", flush=True)


def limited(kind, which, values):
    """One run for each value of a resource limit, of which the last has to be enough."""
    codes = []
    for value in values:
        def prepare(value=value):
            resource.setrlimit(which, (value, value))
        codes.append(check(Run(*JOB, preexec_fn=prepare), f"{kind} {value}"))
    told(kind, codes)
    expect(codes[-1] == 0, f"{kind}: not even {values[-1]} was enough")


def spread(least, most):
    return [least + (most - least) * i // max(1, STEPS - 1) for i in range(STEPS)]


def doubled(least, most):
    """As spread, each as many times as large as the one before."""
    return [int(least * (most / least) ** (i / max(1, STEPS - 1))) for i in range(STEPS)]


def peak_bytes():
    """What items in flight take together at most, by a run that has all it wants."""
    run = Run(*JOB)
    expect(run.end() == 0, run.words())
    number, unit = re.search(r"memory +([\d.]+) (\w+) in flight", run.words()).groups()
    shutil.rmtree("out")
    return int(float(number) * {"KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}[unit])


def shared_memory():
    """/dev/shm from nothing to twice the need, in a mount namespace of its own."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*unshare, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("shared memory: SKIPPED, no mount namespace may be made here", flush=True)
        return
    codes = []
    for size in spread(0, 2 * peak_bytes()):
        # 0 would mean no limit.
        script = f'mount -t tmpfs -o size={max(size, 4096)} none /dev/shm && exec "$@"'
        run = Run(*JOB, wrapped=[*unshare, "sh", "-c", script, "sh"])
        codes.append(check(run, f"/dev/shm of {size} bytes"))
    told("shared memory", codes)
    expect(codes[-1] == 0, "/dev/shm: not even twice the need was enough")


def stacks():
    """A small stack is raised where it may be; else it is too small, and said to be."""
    steps = [64, 80, 128, 256, 512, 1024]
    codes = []
    for kib in steps:
        for hard in (resource.getrlimit(resource.RLIMIT_STACK)[1], kib << 10):
            def prepare(kib=kib, hard=hard):
                resource.setrlimit(resource.RLIMIT_STACK, (kib << 10, hard))
            codes.append(check(Run(*JOB, preexec_fn=prepare), f"stack {kib} KiB, at most {hard}"))
            expect(hard == kib << 10 or codes[-1] == 0, f"stack {kib} KiB: was not raised")
    told("stack", codes)


def memory_group():
    """A control group of our own for memory, and the name of its limit; None where none may be made."""
    for top, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = os.path.join(top, f"forkmill-campaign-{os.getpid()}")
        try:
            os.mkdir(group)
        except OSError:
            continue
        if os.access(os.path.join(group, limit), os.W_OK):
            return group, limit
        os.rmdir(group)
    return None


def remove_group(group):
    """The kernel may still be counting out those who have just ended."""
    def removed():
        try:
            os.rmdir(group)
        except OSError:
            return False
        return True
    wait_for(removed, 5)


def group_memory():
    found = memory_group()
    if not found:
        print("memory of a group: SKIPPED, no control group may be made here", flush=True)
        return
    group, limit = found
    codes = []
    try:
        for size in doubled(2 * MIB, 256 * MIB):
            with open(os.path.join(group, limit), "w", encoding="ascii") as file:
                file.write(str(size))
            script = f'echo $$ >{group}/cgroup.procs && exec "$@"'
            run = Run(*JOB, wrapped=["sh", "-c", script, "sh"])
            codes.append(check(run, f"a group's {size} bytes", may_be_killed=True))
    finally:
        remove_group(group)
    told("memory of a group", codes)
    expect(codes[-1] == 0, "memory of a group: not even 256 MiB was enough")


def processes():
    """Processes and threads are counted for each user, and root may have as many as it likes."""
    def prepare(count):
        resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    most = 32
    if os.geteuid() == 0:
        os.chmod(".", 0o777)
    else:
        most = min(most, resource.getrlimit(resource.RLIMIT_NPROC)[1])
    try:
        Run("--help", preexec_fn=lambda: prepare(most)).end()
    except OSError as reason:
        print(f"processes: SKIPPED, nobody may not run it here: {reason}", flush=True)
        return
    codes = []
    for count in spread(1, most):
        codes.append(check(Run(*JOB, preexec_fn=lambda count=count: prepare(count)), f"{count} processes"))
    told("processes", codes)
    # Others may be at work under the same name.
    expect(os.geteuid() != 0 or codes[-1] == 0, f"processes: not even {most} were enough")


def main():
    generate("photo", "--count", 4, "--width", 500, "--height", 400, "in")
    run = Run(*JOB)
    expect(run.end() == 0, run.words())
    reference.update(tree("out"))
    shutil.rmtree("out")
    shared_memory()
    group_memory()
    stacks()
    limited("descriptors", resource.RLIMIT_NOFILE, spread(3, 40))
    # Slots reserve address space for the largest item allowed, whether it comes or not.
    limited("address space", resource.RLIMIT_AS, doubled(4 * MIB, 1 << 44))
    limited("size of files", resource.RLIMIT_FSIZE, doubled(4096, 1 << 44))
    processes()


if __name__ == "__main__":
    campaign(main)
