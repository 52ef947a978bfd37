/* SPDX-License-Identifier: MIT */
/* What `forkmill bench` is asked to compare: each engine with each number of workers, and how often. */
#ifndef PIPELINE_BENCH_PLAN_H
#define PIPELINE_BENCH_PLAN_H

#include <stdbool.h>

#include "pipeline/config/diag.h"
#include "pipeline/config/job.h"

#define BENCH_MAX_WORKER_COUNTS 16u
#define BENCH_MAX_CELLS         64u

/* One way to run the job. */
struct bench_cell {
    int engine;       /* index into SETTINGS_ENGINES */
    const char *name; /* of the engine */
    unsigned workers;
};

struct bench_plan {
    struct bench_cell cells[BENCH_MAX_CELLS];
    unsigned cell_count;
    unsigned repeat, warmup; /* runs of each cell: counted, and before those */
    bool cold;               /* inputs are dropped from the page cache before each run */
};

/* The words of the command line; NULL: not given. */
struct bench_request {
    const char *engines, *workers, *repeat, *warmup, *cache;
};

/* Fills *plan. `job` is resolved; its number of workers is the default, beside 1. 0, or ERROR_USAGE with all
 * that is wrong in *diag. An engine that this build lacks is left out with a warning where all are asked for,
 * and an error where it is named. */
int bench_plan_make(struct bench_plan *plan, const struct bench_request *request, const struct job *job,
                    struct diag *diag);

/* "process, 2 workers". Returns `text`. */
const char *bench_plan_name(const struct bench_cell *cell, char *text, size_t size);

#endif
