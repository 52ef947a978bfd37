/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include <stdbool.h>

#include "pipeline/config/job.h"
#include "pipeline/report/summary.h"

struct run_options {
    int verbosity; /* -1 quiet, 0, 1 verbose */
    bool dry_run;
    bool observed; /* somebody of this user measures the memory of its processes */
    /* Called with one line, raw bytes, when the run is refused before anything was started. */
    void (*complain)(const char *text);
    /* Called in a dry run for each input, names as raw bytes: its output, or NULL
     * and why not. */
    void (*would)(const char *input, const char *output, const struct error *error);
};

/* Does the resolved job and returns the exit code. Shows progress on standard error and fills *summary, whose
 * wall_ns is 0 when nothing was started; free it with summary_free. Call it from the main thread of a process
 * that has no other; it takes over SIGINT, SIGTERM and SIGHUP meanwhile. */
int run_job(const struct job *job, const struct run_options *options, struct summary *summary);

#endif
