/* SPDX-License-Identifier: MIT */
#include "stages/scratch.h"

size_t scratch_need(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - SCRATCH_ALIGN)
        return SIZE_MAX;
    return (bytes + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
}

size_t scratch_add(size_t a, size_t b)
{
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

void *scratch_alloc(struct scratch *scratch, size_t count, size_t size)
{
    size_t need = scratch_need(count, size);
    if (need > scratch->size_bytes - scratch->used_bytes)
        return NULL;
    void *memory = scratch->base + scratch->used_bytes;
    scratch->used_bytes += need;
    return memory;
}
