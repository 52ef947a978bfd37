/* SPDX-License-Identifier: MIT */
/* An image as an array of the same samples: (height, width) where it has one channel, (height, width,
 * channels) otherwise, as numpy and Pillow see images. The samples lie as they lay. */
#include "stages/numeric/relabel.h"

static const struct param to_array_table[] = {PARAM_END};

static int to_array_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    (void)params, (void)error;
    const uint64_t dims[] = {in->height, in->width, in->channels};
    plan->out = shape_array((enum sample)in->sample, in->channels == 1 ? 2 : 3, dims);
    plan->in_place = true;
    return 0;
}

const struct stage to_array_stage = {
    .name = "to_array",
    .group = "numeric",
    .summary = "Take an image as an array: (height, width) or (height, width, channels)",
    .params = to_array_table,
    .params_bytes = 0,
    .accepts = STAGE_ANY,
    .gives = STAGE_GIVES_ARRAY,
    .plan = to_array_plan,
    .source_rows = relabel_source_rows,
    .rows = relabel_rows,
};
