/* SPDX-License-Identifier: MIT */
/* Asks for memory before it is needed. The hardware does so by itself along a row, but not for the next row
 * or the next strip of a row, while a kernel is at work on this one. */
#ifndef STAGES_FETCH_H
#define STAGES_FETCH_H

#include <stddef.h>

#define FETCH_LINE_BYTES 64u

/* Nothing happens where the memory is not there. */
static inline void fetch(const void *memory, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += FETCH_LINE_BYTES)
        __builtin_prefetch((const char *)memory + at);
}

#endif
