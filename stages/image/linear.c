/* SPDX-License-Identifier: MIT */
/* out = a x in + b, as vips's linear, but with b as a fraction of full scale, so that a config means the same
 * at every depth. */
#include "stages/image/point.h"
#include "stages/stage.h"

struct linear_params {
    double a, b;
};

static const struct param linear_table[] = {
    {.name = "a",
     .type = PARAM_REAL,
     .offset = offsetof(struct linear_params, a),
     .min = -65536,
     .max = 65536,
     .initial = "1",
     .unit = "",
     .help = "What every colour sample is multiplied by"},
    {.name = "b",
     .type = PARAM_REAL,
     .offset = offsetof(struct linear_params, b),
     .min = -65536,
     .max = 65536,
     .initial = "0",
     .unit = "of full scale",
     .help = "What is added then: 0.5 is 127.5 levels at 8 bit; integer results saturate"},
    PARAM_END,
};

static double linear_map(const void *params, double value)
{
    const struct linear_params *linear = params;
    return linear->a * value + linear->b;
}

static int linear_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)params, (void)error;
    point_plan(in, plan);
    return 0;
}

static int linear_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    return point_begin(run, linear_map, scratch, error);
}

static int linear_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch, (void)error;
    point_rows(run, linear_map, first, last);
    return 0;
}

const struct stage linear_stage = {
    .name = "linear",
    .group = "image",
    .summary = "Multiply and add: a x value + b; alpha is left alone",
    .params = linear_table,
    .params_bytes = sizeof(struct linear_params),
    .accepts = STAGE_ANY,
    .plan = linear_plan,
    .begin = linear_begin,
    .rows = linear_rows,
};
