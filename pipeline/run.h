/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include <stdbool.h>

#include "pipeline/job.h"

struct run_options {
    int verbosity; /* -1 quiet, 0, 1 verbose */
    bool json;
    bool dry_run;
    /* Called with one line, raw bytes, when the run is refused before anything was started. */
    void (*complain)(const char *text);
};

/* Does the resolved job and returns the exit code. Shows progress and a summary on standard error, and with
 * `json` the summary on standard output as well. Call it from the main thread of a process that has no other;
 * it takes over SIGINT, SIGTERM and SIGHUP meanwhile. */
int run_job(const struct job *job, const struct run_options *options);

#endif
