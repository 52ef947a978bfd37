/* SPDX-License-Identifier: MIT */
/* out = in ^ (1 / exponent) on values from 0 to 1, as vips's gamma and ImageMagick's `-gamma`: an exponent
 * above 1 brightens. */
#include <math.h>

#include "stages/image/point.h"
#include "stages/stage.h"

struct gamma_params {
    double exponent;
};

static const struct param gamma_table[] = {
    {.name = "exponent",
     .type = PARAM_REAL,
     .offset = offsetof(struct gamma_params, exponent),
     .min = 0.001,
     .max = 1000,
     .initial = "2.4",
     .unit = "",
     .help = "Gamma: values from 0 to 1 are raised to 1 / exponent, so above 1 brightens"},
    PARAM_END,
};

/* Floats below 0 (and NaN) have no power; they become 0. */
static double gamma_map(const void *params, double value)
{
    const struct gamma_params *gamma = params;
    return value > 0 ? pow(value, 1 / gamma->exponent) : 0;
}

static int gamma_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                      struct error *error)
{
    (void)params, (void)error;
    point_plan(in, plan);
    return 0;
}

static int gamma_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    return point_begin(run, gamma_map, scratch, error);
}

static int gamma_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    (void)scratch, (void)error;
    point_rows(run, gamma_map, first, last);
    return 0;
}

const struct stage gamma_stage = {
    .name = "gamma",
    .group = "image",
    .summary = "Gamma correction; alpha is left alone",
    .params = gamma_table,
    .params_bytes = sizeof(struct gamma_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = gamma_plan,
    .begin = gamma_begin,
    .rows = gamma_rows,
};
