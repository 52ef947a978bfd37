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
    const bool image = run->in.kind == SHAPE_IMAGE;
    const uint8_t *src = image ? stage_src_row(run, first) : run->src + begin * sample_bytes;
    uint8_t *dst = image ? stage_dst_row(run, first) : run->dst + begin * sample_bytes;
    if (dst != src && end > begin)
        memcpy(dst, src, (end - begin) * sample_bytes);
}

/* The part of `total` that rows [first, last) of the item stand for; the parts of any cut add up to it. */
static inline uint64_t pass_share(const struct stage_run *run, uint32_t first, uint32_t last, uint64_t total)
{
    const double height = (double)shape_rows(&run->in);
    return (uint64_t)((double)total * (last / height)) - (uint64_t)((double)total * (first / height));
}

/* The item's number spread evenly over [0, 1): the finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static inline double pass_lot(uint64_t item)
{
    uint64_t bits = item + 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    bits ^= bits >> 31;
    return (double)(bits >> 11) * 0x1p-53;
}

#endif
