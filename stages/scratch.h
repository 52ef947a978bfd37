/* SPDX-License-Identifier: MIT */
/* Working memory for one run of a stage or codec: a bump allocator over a block that the caller owns.
 * Everything is given back at once when the run ends, so a run can neither leak nor exceed its plan. */
#ifndef STAGES_SCRATCH_H
#define STAGES_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

struct scratch {
    uint8_t *base; /* aligned to SCRATCH_ALIGN */
    size_t size_bytes;
    size_t used_bytes;
};

#define SCRATCH_ALIGN 64u

/* `count` x `size` bytes, aligned to SCRATCH_ALIGN, contents undefined. NULL when the plan's memory is used
 * up or the product does not fit in size_t. */
void *scratch_alloc(struct scratch *scratch, size_t count, size_t size);

/* What `scratch_alloc` takes from the block for `count` x `size` bytes, alignment included; SIZE_MAX where
 * it does not fit. For a stage's plan. */
static inline size_t scratch_need(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - SCRATCH_ALIGN)
        return SIZE_MAX;
    return (bytes + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
}

/* a + b, stuck at SIZE_MAX. */
static inline size_t scratch_add(size_t a, size_t b)
{
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

#endif
