/* SPDX-License-Identifier: MIT */
/* Keeps a core busy for a time by the thread's own CPU clock, then passes the image on: work of known cost
 * that touches no memory. An image that several callers share costs as much in sum. */
#include <time.h>

#include "stages/synthetic/pass.h"

struct spin_params {
    double ms;
};

static const struct param spin_table[] = {
    {.name = "ms",
     .type = PARAM_REAL,
     .offset = offsetof(struct spin_params, ms),
     .min = 0,
     .max = 86400000,
     .initial = "10",
     .unit = "ms",
     .help = "CPU time that each image takes"},
    PARAM_END,
};

/* Turns between two looks at the clock, a system call: some microseconds. */
#define SPIN_TURNS 10000

static int spin_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)params, (void)error;
    pass_plan(in, plan, true);
    return 0;
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int spin_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch, (void)error;
    const uint64_t total_ns = (uint64_t)(((const struct spin_params *)run->params)->ms * 1e6);
    const uint64_t ns = pass_share(run, first, last, total_ns);
    const uint64_t start_ns = cpu_ns();
    volatile unsigned turns = 0;
    while (ns > 0 && cpu_ns() - start_ns < ns) {
        for (unsigned i = 0; i < SPIN_TURNS; i++)
            turns = turns + i;
    }
    pass_rows(run, first, last);
    return 0;
}

const struct stage spin_stage = {
    .name = "spin",
    .group = "synthetic",
    .summary = "Use CPU time, and change nothing",
    .params = spin_table,
    .params_bytes = sizeof(struct spin_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .arrays = STAGE_ARRAYS,
    .plan = spin_plan,
    .rows = spin_rows,
};
