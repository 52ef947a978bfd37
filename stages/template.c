/* SPDX-License-Identifier: MIT */
/* A stage to copy: multiplies every colour sample by a factor, with saturation, and leaves alpha alone.
 *
 * To write your own: copy this file to stages/image/NAME.c, rename, and add STAGE(NAME) to stages.def.
 * Nothing else: the command line, the config, `forkmill stages`, the tests that hold for every stage and
 * the engines find it there. */
#include <math.h>

#include "stages/stage.h"

/* The parameter block: plain values, filled from the table below before any call. */
struct template_params {
    double factor;
};

static const struct param template_table[] = {
    {.name = "factor",
     .type = PARAM_REAL,
     .offset = offsetof(struct template_params, factor),
     .min = 0,
     .max = 1000,
     .initial = "1",
     .unit = "",
     .help = "What every colour sample is multiplied by"},
    PARAM_END,
};

/* From the input's shape alone. The plan arrives preset: same shape out, no scratch. A stage that reads only
 * the sample it writes can work in place, which saves the pipeline a buffer. */
static int template_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    (void)params, (void)in, (void)error;
    plan->in_place = true;
    return 0;
}

static uint16_t scaled(uint16_t value, double factor, double full)
{
    double result = value * factor + 0.5;
    return (uint16_t)(result < full ? result : full);
}

/* Output rows [first, last). No other caller writes these rows; all may read the whole input. */
static int template_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                         struct error *error)
{
    (void)scratch, (void)error;
    const struct template_params *params = run->params;
    const unsigned channels = run->in.channels;
    const unsigned colours = shape_has_alpha(&run->in) ? channels - 1 : channels;
    const size_t samples = (last - first) * (size_t)run->in.width * channels;
    const void *src = stage_src_row(run, first);
    void *dst = stage_dst_row(run, first);
    for (size_t i = 0; i < samples; i++) {
        const double factor = i % channels < colours ? params->factor : 1.0;
        if (run->in.sample == SAMPLE_U8)
            ((uint8_t *)dst)[i] = (uint8_t)scaled(((const uint8_t *)src)[i], factor, 255);
        else
            ((uint16_t *)dst)[i] = scaled(((const uint16_t *)src)[i], factor, 65535);
    }
    return 0;
}

const struct stage template_stage = {
    .name = "template",
    .group = "synthetic",
    .summary = "Multiply the samples by a factor: the stage to copy when you write one",
    .params = template_table,
    .params_bytes = sizeof(struct template_params),
    .accepts = STAGE_8_16,
    .windows = true,
    .plan = template_plan,
    .rows = template_rows,
};
