/* SPDX-License-Identifier: MIT */
/* Copies the pixels from one buffer to the other: what a stage costs before it computes anything. */
#include "stages/synthetic/pass.h"

static const struct param copy_table[] = {PARAM_END};

static int copy_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, false);
    return 0;
}

static int copy_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch, (void)error;
    pass_rows(run, first, last);
    return 0;
}

const struct stage copy_stage = {
    .name = "copy",
    .group = "synthetic",
    .summary = "Copy the pixels and change nothing",
    .params = copy_table,
    .params_bytes = 0,
    .accepts = STAGE_ANY,
    .windows = true,
    .arrays = STAGE_ARRAYS,
    .plan = copy_plan,
    .rows = copy_rows,
};
