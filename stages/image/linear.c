/* SPDX-License-Identifier: MIT */
/* out = a x in + b. Of images as vips's linear, but with b as a fraction of full scale, so that a config
 * means the same at every depth; of arrays as numpy, where a and b mean themselves. */
#include "stages/image/point.h"
#include "stages/numeric/affine.h"
#include "stages/stage.h"

struct linear_params {
    double a, b;
};

static const struct param linear_table[] = {
    {.name = "a",
     .type = PARAM_REAL,
     .offset = offsetof(struct linear_params, a),
     .initial = "1",
     .unit = "",
     .help = "What every sample is multiplied by"},
    {.name = "b",
     .type = PARAM_REAL,
     .offset = offsetof(struct linear_params, b),
     .initial = "0",
     .unit = "",
     .help = "What is added then, of images in parts of full scale: 0.5 is 127.5 levels at 8 bit; integer "
             "results saturate"},
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
    const struct linear_params *linear = params;
    if (in->kind == SHAPE_ARRAY)
        return affine_plan(linear->a, linear->b, in, plan, error);
    point_plan(in, plan);
    return 0;
}

static int linear_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    return run->in.kind == SHAPE_ARRAY ? 0 : point_begin(run, linear_map, scratch, error);
}

static int linear_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    const struct linear_params *linear = run->params;
    if (run->in.kind == SHAPE_ARRAY)
        return affine_rows(run, linear->a, linear->b, first, last, scratch, error);
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
    .windows = true,
    .arrays = STAGE_INTEGERS | STAGE_FLOATS,
    .plan = linear_plan,
    .begin = linear_begin,
    .rows = linear_rows,
};
