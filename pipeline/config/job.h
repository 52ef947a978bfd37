/* SPDX-License-Identifier: MIT */
/* What a run is asked to do: the settings, the chain of stages, and how pools cut the chain. Filled by
 * config.c from file, environment and flags; never changes once the run starts. */
#ifndef PIPELINE_JOB_H
#define PIPELINE_JOB_H

#include "pipeline/config/settings.h"
#include "stages/stage.h"

#define JOB_MAX_STAGES 64
#define JOB_MAX_POOLS  16

struct job_stage {
    const struct stage *stage;
    void *params; /* the stage's parameter block, parsed and checked; owned by the job */
};

/* A run of consecutive stages [first, last) that the same workers do, fused. The first pool also decodes and
 * the last one also encodes; a pool may hold no stage at all. */
struct job_pool {
    char name[24];
    unsigned first, last;
    int64_t workers; /* at least 1 once job_resolve ran */
    int64_t queue;   /* capacity of the queue before this pool */
    int64_t recycle;
};

struct job {
    struct settings settings;
    struct job_stage stages[JOB_MAX_STAGES];
    unsigned stage_count;
    struct job_pool pools[JOB_MAX_POOLS]; /* at least one */
    unsigned pool_count;
    unsigned row_members;  /* how many may share the rows of one image; 0 and 1: none do */
    char workers_from[64]; /* what decided the worker count: "default", "thumbs.yaml:4", "-w", ... */
};

/* Frees what the job owns; accepts a half-built one. */
void job_free(struct job *job);

#endif
