/* SPDX-License-Identifier: MIT */
/* What the synthetic stages share: samples leave as they came. */
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
    const size_t sample_bytes = shape_sample_bytes(run->in.sample);
    size_t begin, end;
    shape_span(&run->in, first, last, &begin, &end);
    if (run->dst != run->src && end > begin)
        memcpy(run->dst + begin * sample_bytes, run->src + begin * sample_bytes,
               (end - begin) * sample_bytes);
}

/* The part of `total` that rows [first, last) of the item stand for; the parts of any cut add up to it. */
static inline uint64_t pass_share(const struct stage_run *run, uint32_t first, uint32_t last, uint64_t total)
{
    const double height = (double)shape_rows(&run->in);
    return (uint64_t)((double)total * (last / height)) - (uint64_t)((double)total * (first / height));
}

#endif
