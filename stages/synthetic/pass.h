/* SPDX-License-Identifier: MIT */
/* What the synthetic stages share: pixels leave as they came. */
#ifndef STAGES_SYNTHETIC_PASS_H
#define STAGES_SYNTHETIC_PASS_H

#include <string.h>

#include "stages/stage.h"

/* Same shape, bits included. */
static inline void pass_plan(const struct shape *in, struct stage_plan *plan, bool in_place)
{
    plan->out.bits = in->bits;
    plan->in_place = in_place;
}

static inline void pass_rows(const struct stage_run *run, uint32_t first, uint32_t last)
{
    const size_t row_bytes = shape_row_bytes(&run->in);
    if (run->dst != run->src)
        memcpy(run->dst + first * row_bytes, run->src + first * row_bytes, (last - first) * row_bytes);
}

/* The part of `total` that rows [first, last) of the image stand for; the parts of any cut add up to it. */
static inline uint64_t pass_share(const struct stage_run *run, uint32_t first, uint32_t last, uint64_t total)
{
    const double height = (double)run->in.height;
    return (uint64_t)((double)total * (last / height)) - (uint64_t)((double)total * (first / height));
}

#endif
