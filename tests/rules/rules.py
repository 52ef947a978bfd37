#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rules of the tree that a compiler does not know.

    rules.py ROOT includes   who may include whom
    rules.py ROOT printing   who may write to the terminal, who may end the process
    rules.py ROOT lines      how long a file may be

Prints one line per breach and exits 1 when there is one.
"""
import os
import re
import sys

MOST_LINES = 450

C_HEADERS = """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp stdalign stdarg stdatomic
stdbool stddef stdint stdio stdlib stdnoreturn string tgmath time uchar wchar wctype""".split()
# What a stage may use beyond ISO C: the name of the libc, byte order, sleeping, vector instructions.
STAGE_HEADERS = {f"{name}.h" for name in C_HEADERS} | {
    "features.h", "strings.h", "endian.h", "features.h", "unistd.h", "sys/types.h", "immintrin.h", "emmintrin.h", "smmintrin.h", "arm_neon.h"}
CODEC_HEADERS = {"png.h", "zlib.h", "libdeflate.h", "isa-l.h", "isa-l/igzip_lib.h", "jpeglib.h", "jerror.h",
                 "webp/decode.h", "webp/encode.h"}
STAGE_EXCEPTIONS = {
    "stages/synthetic/fail.c": {"signal.h"},
    "stages/synthetic/trespass.c": {"fcntl.h", "signal.h", "sys/ptrace.h", "sys/socket.h", "sys/wait.h"}}

COMMAND_LAYER = re.compile(r"pipeline/(main\.c|cli/\w+\.[ch]|report/(progress|summary)\.[ch])$")
PRINTING = re.compile(r"\b(?:(?:printf|vprintf|puts|putchar|perror)\s*\(|(?:stdout|stderr)\b)")
ENDING = re.compile(r"\b(?:exit|quick_exit)\s*\(")
TEXT_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)


def files(root, folders, endings):
    for folder in folders:
        for where, inside, names in os.walk(os.path.join(root, folder)):
            inside[:] = sorted(name for name in inside if name != "cache")
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(where, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def blank(match):
    return "\n" * match.group().count("\n") or " "


def code_lines(text):
    """The lines without comments and literals."""
    return TEXT_OR_COMMENT.sub(blank, text).split("\n")


def included(root, path, text):
    """(line number, header, quoted): a quoted header as a path from the root."""
    no_comments = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    for number, line in enumerate(no_comments.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        header = match.group(2)
        beside = os.path.normpath(os.path.join(os.path.dirname(path), header))
        if match.group(1) == '"' and os.path.exists(os.path.join(root, beside)):
            header = beside
        yield number, header, match.group(1) == '"'


def stage_breach(path, header, quoted):
    if quoted:
        return None if header.startswith("stages/") else "stages/ sees stages/ only"
    if header in STAGE_HEADERS or header in STAGE_EXCEPTIONS.get(path, ()):
        return None
    if header in CODEC_HEADERS:
        return None if path.startswith("stages/codec/") else "only stages/codec/ sees this library"
    return "no header of a stage"


def pipeline_breach(path, header, quoted):
    name = os.path.basename(path)
    if header in CODEC_HEADERS:
        return "only stages/codec/ sees this library"
    if not quoted:
        return None
    if header.startswith("stages/"):
        if re.match(r"(arena|queue)\.[ch]$", name) and header != "stages/error.h":
            return "arena and queue know no stages"
        seen = header in ("stages/stage.h", "stages/error.h")
        return None if seen else "pipeline/ sees stages/ through stages/stage.h"
    if not header.startswith("pipeline/"):
        return "pipeline/ sees pipeline/ and stages/stage.h"
    engine = re.match(r"(engine_\w+)\.[ch]$", name)
    other = re.match(r"pipeline/engine/(engine_\w+)\.h$", header)
    if engine and other and other.group(1) != engine.group(1):
        return "engines do not see each other"
    return None


def check_includes(root):
    for path in files(root, ["stages", "pipeline"], (".c", ".h", ".def")):
        breach_of = stage_breach if path.startswith("stages/") else pipeline_breach
        text = read(root, path)
        for number, header, quoted in included(root, path, text):
            breach = breach_of(path, header, quoted)
            if breach:
                yield f"{path}:{number}: {header}: {breach}"
        for number, line in enumerate(code_lines(text), 1):
            if re.match(r"\s*#\s*pragma\s+omp\s+(?!simd\b)", line) and path != "pipeline/engine/engine_openmp.c":
                yield f"{path}:{number}: OpenMP other than simd belongs in pipeline/engine/engine_openmp.c"


def check_printing(root):
    for path in files(root, ["stages", "pipeline"], (".c", ".h")):
        if COMMAND_LAYER.match(path):
            continue
        for number, line in enumerate(code_lines(read(root, path)), 1):
            for pattern, what in ((PRINTING, "only commands write to the terminal"),
                                  (ENDING, "only commands end the process")):
                match = pattern.search(line)
                if match:
                    yield f"{path}:{number}: {match.group().rstrip('( ')}: {what}"


def check_lines(root):
    folders = ["stages", "pipeline", "datasets", "tests", "bench"]
    for path in files(root, folders, (".c", ".h", ".def", ".py", ".sh", ".bats", ".bash")):
        count = read(root, path).count("\n")
        if count > MOST_LINES:
            yield f"{path}: {count} lines; at most {MOST_LINES}"


CHECKS = {"includes": check_includes, "printing": check_printing, "lines": check_lines}


def main(arguments):
    if len(arguments) != 2 or arguments[1] not in CHECKS:
        sys.exit(__doc__)
    breaches = list(CHECKS[arguments[1]](arguments[0]))
    for breach in breaches:
        print(breach)
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
