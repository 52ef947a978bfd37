/* SPDX-License-Identifier: MIT */
/* An array as an image of the same samples: (height, width), or (height, width, channels) with 1 grey, 2 grey
 * and alpha, 3 RGB, 4 RGBA. The samples lie as they lay, and full scale is that of images: 255, 65535, 1.0.
 */
#include "stages/numeric/relabel.h"

static const struct param to_image_table[] = {PARAM_END};

static int to_image_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    (void)params;
    char text[256];
    const uint64_t channels = in->rank == 3 ? in->dims[2] : 1;
    shape_text(in, text, sizeof text);
    if (in->rank < 2 || in->rank > 3 || channels < 1 || channels > SHAPE_MAX_CHANNELS)
        return error_set(error, ERROR_UNSUPPORTED,
                         "an image is made of (height, width) or (height, width, 1 to 4), not of a %.120s",
                         text);
    if (in->dims[0] == 0 || in->dims[1] == 0)
        return error_set(error, ERROR_UNSUPPORTED, "an image of no pixels: %.120s", text);
    if (in->dims[0] > UINT32_MAX || in->dims[1] > UINT32_MAX)
        return error_set(error, ERROR_LIMIT, "too large for an image: %.120s", text);
    plan->out = (struct shape){.width = (uint32_t)in->dims[1],
                               .height = (uint32_t)in->dims[0],
                               .channels = (uint8_t)channels,
                               .sample = in->sample,
                               .bits = shape_sample_bits(in->sample)};
    plan->in_place = true;
    return 0;
}

const struct stage to_image_stage = {
    .name = "to_image",
    .group = "numeric",
    .summary = "Take an array as an image; full scale is 255, 65535 or 1.0: normalize before it",
    .params = to_image_table,
    .params_bytes = 0,
    .arrays = STAGE_ANY,
    .gives = STAGE_GIVES_IMAGE,
    .plan = to_image_plan,
    .source_rows = relabel_source_rows,
    .rows = relabel_rows,
};
