# SPDX-License-Identifier: MIT
"""Raw images and arrays as tests/stages/apply_stage.c reads them, and how the comparison scripts use it."""
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


def write_array(path, values):
    """A numpy array as one line, "ARRAY SAMPLE DIM ...", and its samples in C order."""
    name = "bool" if values.dtype.kind == "b" else f"{values.dtype.kind}{8 * values.dtype.itemsize}"
    with open(path, "wb") as file:
        file.write(" ".join(["ARRAY", name, *map(str, values.shape)]).encode() + b"\n")
        file.write(values.tobytes())


def read_array(path):
    import numpy

    with open(path, "rb") as file:
        word, name, *dims = file.readline().decode().split()
        assert word == "ARRAY"
        dtype = "?" if name == "bool" else f"{name[0]}{int(name[1:]) // 8}"
        return numpy.frombuffer(file.read(), dtype).reshape([int(dim) for dim in dims])


class Jobs:
    """A tool of tests/stages, started once for all its jobs; see jobs.h there."""

    def __init__(self, tool):
        self.process = subprocess.Popen([tool, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def __call__(self, *words):
        """Did the job go well, and what did it print, errors too?"""
        print(*words, sep="\x1f", file=self.process.stdin, flush=True)
        said = ""
        for line in self.process.stdout:
            if line.startswith("= "):
                return line == "= 0\n", said
            said += line
        raise RuntimeError(f"{self.process.args[0]} has died of {words}")


class Suite:
    """Runs comparisons, prints one line for each that fails, and exits with how it went."""

    def __init__(self):
        self.stage, self.run_codec = Jobs(sys.argv[1]), Jobs(sys.argv[3])
        self.folder = tempfile.TemporaryDirectory()
        self.done = self.failed = 0

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def apply_files(self, write, read, stages, cut=0, more=()):
        """One job: `write` puts the input at a path, `read` takes the output from one. Also what the stages told
        the record: {name: text}."""
        source, target = self.path("in.raw"), self.path("out.raw")
        write(source)
        done, said = self.stage(*(["-c", str(cut)] if cut else []), *more, source, target, *stages)
        if not done:
            raise RuntimeError(said)
        return read(target), dict(line.split(" ", 1) for line in said.splitlines())

    def apply(self, image, *stages, cut=0, more=()):
        """The image after the stages, each written NAME:key=value,...; `more` options for apply_stage."""
        return self.apply_files(image.write, Raw.read, stages, cut, more)[0]

    def tell(self, image, *stages):
        """What the stages told the record about the image: {name: text}."""
        return self.apply_files(image.write, Raw.read, stages)[1]

    def apply_array(self, values, *stages, cut=0):
        """The numpy array after the stages, and what they told the record: {name: text}."""
        return self.apply_files(lambda path: write_array(path, values), read_array, stages, cut)

    def codec(self, source, target, *options):
        """Decodes one file and encodes another through run_codec; what it prints, or None where it fails."""
        done, said = self.run_codec(source, target, *options)
        return said if done else None

    def expect(self, what, got, want, tolerance):
        """Compares two sequences of samples: no two may differ by more than the tolerance."""
        self.done += 1
        worst = max(map(difference_of, got, want)) if len(got) == len(want) else None
        if worst is None or not worst <= tolerance:
            self.failed += 1
            difference = "sizes differ" if worst is None else f"off by {worst:.6g}, allowed {tolerance:.6g}"
            print(f"not ok: {what}: {difference}")

    def expect_array(self, what, got, want, ulps=0):
        """Compares two numpy arrays: the same type and shape, NaN for NaN, no sample further off than so many
        units in the last place of what is wanted."""
        import numpy

        self.done += 1
        reason = None
        if got.dtype != want.dtype or got.shape != want.shape:
            reason = f"{got.dtype} {got.shape} instead of {want.dtype} {want.shape}"
        elif want.dtype.kind == "f":
            same = (got == want) | (numpy.isnan(got) & numpy.isnan(want))
            with numpy.errstate(invalid="ignore", over="ignore"):
                off = abs(got.astype("f8") - want.astype("f8")) / numpy.spacing(abs(want)).astype("f8")
            worst = max(numpy.where(same, 0, numpy.where(numpy.isnan(off), numpy.inf, off)).flat, default=0)
            if worst > ulps:
                reason = f"off by {worst:.3g} units in the last place, allowed {ulps}"
        elif not numpy.array_equal(got, want):
            reason = f"{numpy.count_nonzero(got != want)} of {want.size} differ"
        if reason:
            self.failed += 1
            print(f"not ok: {what}: {reason}")

    def finish(self):
        print(f"{self.done} comparisons, {self.failed} failed")
        sys.exit(1 if self.failed or not self.done else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)
