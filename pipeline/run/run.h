/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include <stdbool.h>

#include "pipeline/config/job.h"
#include "pipeline/files/scan.h"
#include "pipeline/report/summary.h"

/* Which of the items that an earlier run has dealt with are to be done again, though nothing has changed. */
enum run_again { RUN_AGAIN_NONE, RUN_AGAIN_FAILED, RUN_AGAIN_ALL };

/* What a dry run would do with an input: make an output, and one more of the same, ... */
enum run_would { RUN_WOULD_DO, RUN_WOULD_DO_MORE, RUN_WOULD_FAIL, RUN_WOULD_SKIP };

struct run_options {
    int verbosity; /* -1 quiet, 0, 1 verbose */
    bool dry_run;
    enum run_again again;
    bool observed; /* somebody of this user measures the memory of its processes */
    /* Called with one line, raw bytes, when the run is refused before anything was started. */
    void (*complain)(const char *text);
    /* Called in a dry run for each input, names as raw bytes: with its output, or NULL and, where it would
     * fail, why. */
    void (*would)(enum run_would what, const char *input, const char *output, const struct error *error);
};

/* What a run with these settings takes for input. The texts are the settings'. */
struct scan_options run_scan_options(const struct settings *settings, int stop_fd);

/* Does the resolved job and returns the exit code. Shows progress on standard error and fills *summary, whose
 * wall_ns is 0 when nothing was started; free it with summary_free. Call it from the main thread of a process
 * that has no other; it takes over SIGINT, SIGTERM and SIGHUP meanwhile. */
int run_job(const struct job *job, const struct run_options *options, struct summary *summary);

#endif
