# SPDX-License-Identifier: MIT
"""What the campaigns share: runs of forkmill in a session of their own, and what they leave behind.

FORKMILL and FORKMILL_GENERATE name the programs; without them, those of build/dev.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FORKMILL = os.environ.get("FORKMILL", os.path.join(ROOT, "build/dev/forkmill"))
GENERATE = os.environ.get("FORKMILL_GENERATE", os.path.join(ROOT, "build/dev/datasets/forkmill-generate"))


class Breach(Exception):
    """A promise was not kept."""


def expect(condition, text):
    if not condition:
        raise Breach(text)


def children(pid):
    """Process ids of the children of a process; none where it is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def workers(main):
    """Process ids of the workers of a run."""
    return [worker for server in children(main) for worker in children(server)]


def session(leader):
    """Members of a session that live; the dead that nobody has reaped yet do not count."""
    members = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="latin-1") as file:
                fields = file.read().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX":
            members.append(int(name))
    return members


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def send(pid, number, group=False):
    """False where nobody is left to get it."""
    try:
        (os.killpg if group else os.kill)(pid, number)
    except ProcessLookupError:
        return False
    return True


def tree(top):
    """Relative name and content of every output of a tree, without the files that a run keeps for itself."""
    found = {}
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            if not name.startswith(".forkmill"):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, top)] = file.read()
    return found


def temporary(top):
    return [os.path.join(d, n) for d, _, names in os.walk(top) for n in names if n.endswith(".tmp")]


def shared_left(seconds=2):
    """Names in /dev/shm that stay. A run has one for an instant only; other tests may be at work beside this one."""
    def names():
        return {name for name in os.listdir("/dev/shm") if name.startswith("forkmill-")}

    left = names()
    wait_for(lambda: not left & names(), seconds)
    return sorted(left & names())


def generate(*arguments):
    subprocess.run([GENERATE, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


class Run:
    """One run, begun at once: `run --json` with these arguments, behind the words of another command if need be."""

    def __init__(self, *arguments, wrapped=(), stdin=subprocess.DEVNULL, **options):
        self.err = tempfile.TemporaryFile("w+", dir=".", errors="replace")
        self.out = tempfile.TemporaryFile("w+", dir=".")
        options.setdefault("stdout", self.out)
        options.setdefault("stderr", self.err)
        self.process = subprocess.Popen(
            [*wrapped, FORKMILL, "run", "--json", *map(str, arguments)],
            stdin=stdin, start_new_session=True, restore_signals=True, **options)
        self.pid = self.process.pid

    def end(self, seconds=120):
        """The exit code. One that does not end in time is killed, and a breach."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            send(self.pid, signal.SIGKILL, group=True)
            self.process.wait()
            raise Breach(f"still there after {seconds} s; it said: {self.words()}") from None

    def words(self):
        self.err.seek(0)
        return self.err.read()

    def summary(self):
        """What --json printed; None where there is nothing."""
        self.out.seek(0)
        text = self.out.read()
        return json.loads(text) if text.strip() else None


def campaign(main):
    """Runs main() in a directory of its own, which is kept when something was not as it should be."""
    # A shell starts what runs in the background deaf to some signals, and a run respects that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for program in (FORKMILL, GENERATE):
        if not os.access(program, os.X_OK):
            print(f"{os.path.basename(sys.argv[0])}: {program} is not built", file=sys.stderr)
            sys.exit(2)
    # As users have it; what the tests of other things have set would leave SQLite out.
    os.environ["FORKMILL_JOURNAL"] = "true"
    here = tempfile.mkdtemp(prefix="forkmill-campaign-")
    os.chdir(here)
    try:
        main()
    except Breach as breach:
        print(f"{os.path.basename(sys.argv[0])}: {breach}\nsee {here}", file=sys.stderr)
        sys.exit(1)
    os.chdir("/")
    shutil.rmtree(here)
