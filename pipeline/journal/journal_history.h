/* SPDX-License-Identifier: MIT */
/* What a journal tells as a whole: of all items the last result, of all runs the beginning and the end. It
 * may be read while a run goes on, and after one was killed. Its content may be anybody's: texts are to be
 * escaped where they are shown. */
#ifndef PIPELINE_JOURNAL_HISTORY_H
#define PIPELINE_JOURNAL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

#define HISTORY_SLOWEST 10u
#define HISTORY_STEPS   64u

/* Times are nanoseconds since 1970. */
struct history_run {
    int64_t id, began_ns, ended_ns; /* ended_ns 0: nobody knows when */
    char how[24];                   /* "finished", ...; "killed", or "running" */
    int exit_code;
    bool counted; /* it came to its end, and these are its counts */
    uint64_t found, done, skipped, failed;
    char *steps; /* a line each */
};

struct history_failure {
    char *path, *kind, *stage, *reason; /* stage may be "" */
    uint32_t attempts;
};

struct history_slow {
    char *path; /* NULL: there are not so many */
    uint64_t ns;
    char step[24]; /* the one that took longest */
};

struct history_step {
    char name[24];
    uint64_t ns, items;
};

/* By the word for a class of failures: io, corrupt, ... */
struct history_class {
    const char *name;
    uint64_t count;
};

struct history {
    uint64_t done, failed, warnings;
    uint64_t bytes_in, outputs, bytes_out; /* of items done */
    struct history_run *runs;              /* oldest first */
    size_t run_count;
    struct history_failure *failures; /* by path */
    size_t failure_count;
    struct history_slow slowest[HISTORY_SLOWEST]; /* the slowest first */
    struct history_step steps[HISTORY_STEPS];
    unsigned step_count;
    struct history_class classes[-(int)ERROR_LAST + 1];
};

/* Reads the journal of the directory called `output`. 1; 0 where it has none. Errors as journal_db_open. Free
 * it either way. Blocks on the disk. */
int history_read(struct history *history, const char *output, struct error *error);

void history_free(struct history *history);

#endif
