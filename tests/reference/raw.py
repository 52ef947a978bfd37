# SPDX-License-Identifier: MIT
"""Raw images as tests/stages/apply_stage.c reads them, and how the comparison scripts use it."""
import array
import os
import subprocess
import sys
import tempfile

CODES = {"u8": "B", "u16": "H", "f32": "f"}


class Raw:
    """Samples of one image, packed: width x height x channels values of type u8, u16 or f32."""

    def __init__(self, width, height, channels, sample, samples):
        self.width, self.height, self.channels, self.sample = width, height, channels, sample
        self.samples = samples if isinstance(samples, array.array) else array.array(CODES[sample], samples)
        assert len(self.samples) == width * height * channels

    @property
    def size(self):
        return self.width, self.height

    def band(self, channel):
        return self.samples[channel :: self.channels]

    def write(self, path):
        with open(path, "wb") as file:
            file.write(b"RAW %d %d %d %s\n" % (*self.size, self.channels, self.sample.encode()))
            self.samples.tofile(file)

    @classmethod
    def read(cls, path):
        with open(path, "rb") as file:
            word, width, height, channels, sample = file.readline().decode().split()
            assert word == "RAW"
            samples = array.array(CODES[sample])
            samples.frombytes(file.read())
        return cls(int(width), int(height), int(channels), sample, samples)


def difference_of(a, b):
    """Of numbers; other things are equal (0) or not (infinity)."""
    return abs(a - b) if isinstance(a, (int, float)) else 0 if a == b else float("inf")


class Suite:
    """Runs comparisons, prints one line for each that fails, and exits with how it went."""

    def __init__(self):
        self.tool = sys.argv[1]
        self.folder = tempfile.TemporaryDirectory()
        self.done = self.failed = 0

    def apply(self, image, *stages, cut=0, more=()):
        """The image after the stages, each written NAME:key=value,...; `more` options for apply_stage."""
        source, target = (os.path.join(self.folder.name, name) for name in ("in.raw", "out.raw"))
        image.write(source)
        options = (["-c", str(cut)] if cut else []) + list(more)
        subprocess.run([self.tool, *options, source, target, *stages], check=True)
        return Raw.read(target)

    def codec(self, source, target, *options):
        """Decodes one file and encodes another through run_codec; what it prints, or None where it fails."""
        done = subprocess.run([sys.argv[2], source, target, *options], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def expect(self, what, got, want, tolerance):
        """Compares two sequences of samples: no two may differ by more than the tolerance."""
        self.done += 1
        worst = max(map(difference_of, got, want)) if len(got) == len(want) else None
        if worst is None or not worst <= tolerance:
            self.failed += 1
            difference = "sizes differ" if worst is None else f"off by {worst:.6g}, allowed {tolerance:.6g}"
            print(f"not ok: {what}: {difference}")

    def finish(self):
        print(f"{self.done} comparisons, {self.failed} failed")
        sys.exit(1 if self.failed or not self.done else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)
