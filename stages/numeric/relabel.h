/* SPDX-License-Identifier: MIT */
/* What to_array and to_image share: the same samples in the same order under another shape. Rows differ, as
 * those of an array are blocks, so everything goes by the number of a sample. */
#ifndef STAGES_NUMERIC_RELABEL_H
#define STAGES_NUMERIC_RELABEL_H

#include <string.h>

#include "stages/stage.h"

/* The first row of the shape, whichever it is, that ends behind sample `index`. */
static inline uint32_t relabel_row(const struct shape *shape, size_t index)
{
    const size_t row =
        shape->kind == SHAPE_IMAGE ? (size_t)shape->width * shape->channels : SHAPE_BLOCK_SAMPLES;
    return (uint32_t)(index / row);
}

static inline void relabel_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                       uint32_t *first, uint32_t *last)
{
    (void)params;
    size_t begin, end;
    shape_span(out, *first, *last, &begin, &end);
    *first = relabel_row(in, begin);
    *last = relabel_row(in, end - 1) + 1;
}

static inline int relabel_rows(const struct stage_run *run, uint32_t first, uint32_t last,
                               struct scratch *scratch, struct error *error)
{
    (void)scratch, (void)error;
    const size_t sample_bytes = shape_sample_bytes(run->in.sample);
    size_t begin, end;
    shape_span(&run->out, first, last, &begin, &end);
    if (run->dst != run->src)
        memcpy(run->dst + begin * sample_bytes, run->src + begin * sample_bytes,
               (end - begin) * sample_bytes);
    return 0;
}

#endif
