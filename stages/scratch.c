/* SPDX-License-Identifier: MIT */
#include "stages/scratch.h"

void *scratch_alloc(struct scratch *scratch, size_t count, size_t size)
{
    size_t need = scratch_need(count, size);
    if (need > scratch->size_bytes - scratch->used_bytes)
        return NULL;
    void *memory = scratch->base + scratch->used_bytes;
    scratch->used_bytes += need;
    return memory;
}
