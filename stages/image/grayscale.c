/* SPDX-License-Identifier: MIT */
/* Colour to grey: luma of the encoded values, as ImageMagick's `-colorspace Gray` (rec709) and Pillow's "L"
 * (rec601). Alpha stays; images that are grey already pass through. */
#include <string.h>

#include "stages/image/luma.h"
#include "stages/stage.h"

struct grayscale_params {
    int weights; /* enum luma_weights */
};

static const struct param grayscale_table[] = {
    {.name = "weights",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct grayscale_params, weights),
     .initial = "rec709",
     .choices = LUMA_WEIGHTS,
     .unit = "",
     .help = "Shares of red, green and blue: HDTV and sRGB (rec709) or the older ones of JPEG and Pillow "
             "(rec601)"},
    PARAM_END,
};

static int grayscale_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                          struct error *error)
{
    (void)params, (void)error;
    if (in->channels < 3) {
        plan->out.bits = in->bits;
        plan->in_place = true;
    } else {
        plan->out.channels = (uint8_t)(in->channels - 2);
    }
    return 0;
}

static void keep_alpha(const struct shape *in, const uint8_t *src, uint8_t *dst)
{
    const void *from = src;
    void *to = dst;
    for (size_t x = 0; x < in->width; x++) {
        if (in->sample == SAMPLE_U8)
            dst[2 * x + 1] = src[4 * x + 3];
        else if (in->sample == SAMPLE_U16)
            ((uint16_t *)to)[2 * x + 1] = ((const uint16_t *)from)[4 * x + 3];
        else
            ((float *)to)[2 * x + 1] = ((const float *)from)[4 * x + 3];
    }
}

static int grayscale_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                          struct error *error)
{
    (void)scratch, (void)error;
    const struct grayscale_params *params = run->params;
    const size_t in_bytes = shape_row_bytes(&run->in);
    if (run->in.channels < 3) {
        if (run->dst != run->src)
            memcpy(stage_dst_row(run, first), stage_src_row(run, first), (last - first) * in_bytes);
        return 0;
    }
    for (uint32_t y = first; y < last; y++) {
        const uint8_t *src = stage_src_row(run, y);
        uint8_t *dst = stage_dst_row(run, y);
        luma_row(&run->in, (enum luma_weights)params->weights, src, dst, run->out.channels);
        if (run->in.channels == 4)
            keep_alpha(&run->in, src, dst);
    }
    return 0;
}

const struct stage grayscale_stage = {
    .name = "grayscale",
    .group = "image",
    .summary = "Turn colour to grey by luma; alpha is kept",
    .params = grayscale_table,
    .params_bytes = sizeof(struct grayscale_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = grayscale_plan,
    .rows = grayscale_rows,
};
