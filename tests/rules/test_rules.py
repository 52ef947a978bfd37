#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules find what they are for, and nothing in what is allowed."""
import os
import tempfile
import unittest

import rules


class Tree(unittest.TestCase):
    def breaches(self, check, tree):
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return list(check(root))

    def assert_breach(self, check, path, text, says):
        found = self.breaches(check, {path: text, "stages/stage.h": "", "pipeline/engine/engine_thread.h": ""})
        self.assertEqual(len(found), 1, found)
        self.assertIn(path, found[0])
        self.assertIn(says, found[0])

    def assert_allowed(self, check, path, text):
        self.assertEqual(self.breaches(check, {path: text, "stages/stage.h": "", "stages/stages.def": ""}), [])

    def test_includes(self):
        check = rules.check_includes
        for path, header, says in (
            ("stages/image/blur.c", "<pthread.h>", "no header of a stage"),
            ("stages/image/blur.c", "<signal.h>", "no header of a stage"),
            ("stages/image/blur.c", "<sys/mman.h>", "no header of a stage"),
            ("stages/image/blur.c", "<png.h>", "only stages/codec/"),
            ("stages/image/blur.c", '"pipeline/shared/queue.h"', "stages/ only"),
            ("stages/image/blur.c", '"../../pipeline/engine/engine_thread.h"', "stages/ only"),
            ("pipeline/run/reader.c", "<png.h>", "only stages/codec/"),
            ("pipeline/run/reader.c", '"stages/codec.h"', "through stages/stage.h"),
            ("pipeline/shared/queue.c", '"stages/stage.h"', "know no stages"),
            ("pipeline/engine/engine_serial.c", '"pipeline/engine/engine_thread.h"', "each other"),
        ):
            with self.subTest(path=path, header=header):
                self.assert_breach(check, path, f"#include <stdio.h>\n#include {header}\n", says)
        self.assert_breach(check, "stages/a.c", "#pragma omp parallel for\n", "OpenMP")

    def test_allowed_includes(self):
        check = rules.check_includes
        for path, text in (
            ("stages/codec/png.c", "#include <png.h>\n#include <zlib.h>\n"),
            ("stages/synthetic/fail.c", "#include <signal.h>\n"),
            ("stages/registry.c", '#include "stages.def"\n#include "stages/stages.def"\n'),
            ("stages/image/blur.c", "#pragma omp simd\n/* #include <pthread.h> */\n"),
            ("pipeline/engine/worker.c", '#include <pthread.h>\n#include "stages/stage.h"\n'),
            ("pipeline/engine/engine_openmp.c", "#pragma omp parallel\n"),
        ):
            with self.subTest(path=path):
                self.assert_allowed(check, path, text)

    def test_printing(self):
        check = rules.check_printing
        self.assert_breach(check, "pipeline/engine/worker.c", 'void f(void) { printf("x"); }\n', "commands write")
        self.assert_breach(check, "stages/a.c", 'void f(void)\n{\n    fputs("x", stderr);\n}\n', ":3: stderr")
        self.assert_breach(check, "stages/a.c", "void f(void) { exit(1); }\n", "end the process")
        self.assert_allowed(check, "stages/a.h", "int f(char *) __attribute__((format(printf, 1, 2)));\n")
        self.assert_allowed(check, "pipeline/cli/cli_run.c", 'void f(void) { printf("x"); }\n')
        self.assert_allowed(check, "pipeline/engine/worker.c", 'void f(void) { _exit(1); } /* never exit( */\n')
        self.assert_allowed(check, "pipeline/engine/worker.c", 'const char *f = "exit( stderr"; int snprintf(void);\n')

    def test_lines(self):
        self.assert_breach(rules.check_lines, "stages/a.c", "\n" * 451, "451 lines")
        self.assert_allowed(rules.check_lines, "stages/a.c", "\n" * 450)


if __name__ == "__main__":
    unittest.main()
