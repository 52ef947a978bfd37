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
    const size_t row_samples = (size_t)run->in.width * channels;
    const size_t end = last * row_samples;
    for (size_t i = first * row_samples; i < end; i += channels) {
        for (unsigned c = 0; c < channels; c++) {
            const double factor = c < colours ? params->factor : 1.0;
            if (run->in.sample == SAMPLE_U8)
                run->dst[i + c] = (uint8_t)scaled(run->src[i + c], factor, 255);
            else
                ((uint16_t *)(void *)run->dst)[i + c] =
                    scaled(((const uint16_t *)(const void *)run->src)[i + c], factor, 65535);
        }
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
    .plan = template_plan,
    .rows = template_rows,
};
