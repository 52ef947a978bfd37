/* SPDX-License-Identifier: MIT */
/* Gaussian blur. Time grows with sigma: each sample is the sum of about 13 x sigma products at 8 bit and
 * 19 x sigma at 16. See blur.h for the method and its error. */
#include "stages/image/blur.h"
#include "stages/stage.h"

struct gaussblur_params {
    double sigma_px;
};

static const struct param gaussblur_table[] = {
    {.name = "sigma",
     .type = PARAM_REAL,
     .offset = offsetof(struct gaussblur_params, sigma_px),
     .min = BLUR_MIN_SIGMA_PX,
     .max = BLUR_MAX_SIGMA_PX,
     .initial = "1",
     .unit = "px",
     .help = "Standard deviation of the Gaussian"},
    PARAM_END,
};

static int gaussblur_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                          struct error *error)
{
    (void)error;
    blur_plan(((const struct gaussblur_params *)params)->sigma_px, in, plan);
    return 0;
}

static void gaussblur_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                  uint32_t *first, uint32_t *last)
{
    (void)out;
    blur_source_rows(((const struct gaussblur_params *)params)->sigma_px, in, first, last);
}

static int gaussblur_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    return blur_begin(((const struct gaussblur_params *)run->params)->sigma_px, run, scratch, error);
}

static int gaussblur_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                          struct error *error)
{
    struct blur_walk walk;
    TRY(blur_open(&walk, run, first, last, scratch, error));
    for (uint32_t y = first; y < last; y++)
        blur_store(&walk, y, stage_dst_row(run, y));
    return 0;
}

const struct stage gaussblur_stage = {
    .name = "gaussblur",
    .group = "image",
    .summary = "Blur with a Gaussian; edges are extended, alpha is respected",
    .params = gaussblur_table,
    .params_bytes = sizeof(struct gaussblur_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = gaussblur_plan,
    .source_rows = gaussblur_source_rows,
    .begin = gaussblur_begin,
    .rows = gaussblur_rows,
};
