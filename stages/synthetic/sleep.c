/* SPDX-License-Identifier: MIT */
/* Waits without using the CPU, then passes the image on: a stand-in for work that is somewhere else. An image
 * that several callers share waits as long in sum. */
#include <errno.h>
#include <time.h>

#include "stages/synthetic/pass.h"

struct sleep_params {
    double ms;
};

static const struct param sleep_table[] = {
    {.name = "ms",
     .type = PARAM_REAL,
     .offset = offsetof(struct sleep_params, ms),
     .min = 0,
     .max = 86400000,
     .initial = "10",
     .unit = "ms",
     .help = "How long each image waits"},
    PARAM_END,
};

static int sleep_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                      struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, true);
    return 0;
}

static int sleep_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    (void)scratch, (void)error;
    const uint64_t total_ns = (uint64_t)(((const struct sleep_params *)run->params)->ms * 1e6);
    const uint64_t ns = pass_share(run, first, last, total_ns);
    struct timespec left = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        continue;
    pass_rows(run, first, last);
    return 0;
}

const struct stage sleep_stage = {
    .name = "sleep",
    .group = "synthetic",
    .summary = "Wait, and change nothing",
    .params = sleep_table,
    .params_bytes = sizeof(struct sleep_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .arrays = STAGE_ARRAYS,
    .plan = sleep_plan,
    .rows = sleep_rows,
};
