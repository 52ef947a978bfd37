/* SPDX-License-Identifier: MIT */
/* A chain of stages for the tests of bands. */
#ifndef TESTS_PIPELINE_BANDS_CHAIN_H
#define TESTS_PIPELINE_BANDS_CHAIN_H

#include "../stages/stage_harness.h"
#include "pipeline/config/job.h"

/* Puts a stage at the end of the trunk; its parameters as after -s. */
static inline void chain_add(struct job *job, const char *name, const char *arguments)
{
    const struct stage *stage = stage_find(name);
    assert_non_null(stage);
    job->stages[job->stage_count++] =
        (struct job_stage){.stage = stage, .params = harness_params(stage, arguments)};
    job->trunk = job->pools[0].last = job->stage_count;
}

static inline struct job chain_start(void)
{
    return (struct job){.pool_count = 1, .bands = true};
}

static inline void chain_free(struct job *job)
{
    for (unsigned i = 0; i < job->stage_count; i++)
        harness_free_params(job->stages[i].stage, job->stages[i].params);
}

#endif
