/* SPDX-License-Identifier: MIT */
/* Mirrors an image. Pixels are moved, never computed, so all values and the depth stay. */
#include <string.h>

#include "stages/image/pixels.h"
#include "stages/stage.h"

enum { HORIZONTAL, VERTICAL, BOTH };

struct flip_params {
    int direction;
};

static const struct param flip_table[] = {
    {.name = "direction",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct flip_params, direction),
     .initial = "horizontal",
     .choices = "horizontal|vertical|both",
     .unit = "",
     .help = "horizontal swaps left and right, vertical swaps top and bottom"},
    PARAM_END,
};

static int flip_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)error;
    plan->out.bits = in->bits;
    plan->in_place = ((const struct flip_params *)params)->direction == HORIZONTAL;
    return 0;
}

static void flip_source_rows(const void *params, const struct shape *in, const struct shape *out,
                             uint32_t *first, uint32_t *last)
{
    (void)out;
    if (((const struct flip_params *)params)->direction == HORIZONTAL)
        return;
    uint32_t top = in->height - *last;
    *last = in->height - *first;
    *first = top;
}

static int flip_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch, (void)error;
    const int direction = ((const struct flip_params *)run->params)->direction;
    const size_t row_bytes = shape_row_bytes(&run->in);
    for (uint32_t y = first; y < last; y++) {
        uint32_t from = direction == HORIZONTAL ? y : run->in.height - 1 - y;
        const uint8_t *src = stage_src_row(run, from);
        uint8_t *dst = stage_dst_row(run, y);
        if (direction == VERTICAL)
            memcpy(dst, src, row_bytes);
        else
            pixels_reverse(src, dst, run->in.width, shape_pixel_bytes(&run->in));
    }
    return 0;
}

const struct stage flip_stage = {
    .name = "flip",
    .group = "image",
    .summary = "Mirror left to right, top to bottom, or both",
    .params = flip_table,
    .params_bytes = sizeof(struct flip_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = flip_plan,
    .source_rows = flip_source_rows,
    .rows = flip_rows,
};
