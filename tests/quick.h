/* SPDX-License-Identifier: MIT */
/* Valgrind takes some 30 times as long as the processor and is there for wrong uses of memory, not for
 * values: of a long row of like cases it sees a part. So do the sanitizers. ctest sets FORKMILL_QUICK for
 * both. */
#ifndef TESTS_QUICK_H
#define TESTS_QUICK_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool quick(void)
{
    return getenv("FORKMILL_QUICK") != NULL;
}

/* True for all but the first of every `of` calls, where a test shall be quick. In nested loops let `of` be
 * prime to their lengths, so that each value of each loop has its turn. */
static inline bool quick_skip(unsigned of)
{
    static unsigned asked;
    return quick() && asked++ % of != 0;
}

#endif
