/* SPDX-License-Identifier: MIT */
/* What every target here has: one input that may be anything. Each file fuzz_NAME.c is a target. Built with
 * clang and libFuzzer by run.sh, which finds new inputs, or with replay.c, which changes the seeds in a fixed
 * way.
 *
 * A target ends the process, by abort or through a sanitizer, where something is wrong. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#endif
