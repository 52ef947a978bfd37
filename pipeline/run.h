/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include <stdbool.h>

#include "pipeline/job.h"

struct run_options {
    int verbosity; /* -1 quiet, 0, 1 verbose */
    bool json;
    bool dry_run;
};

/* Does the job and returns the exit code. */
int run_job(const struct job *job, const struct run_options *options);

#endif
