/* SPDX-License-Identifier: MIT */
/* What forkmill finds where it is: the machine, its limits, and whether a run with default settings would
 * work, which is tried out. */
#ifndef PIPELINE_DOCTOR_H
#define PIPELINE_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#define DOCTOR_MOST_FACTS 64u

enum doctor_verdict {
    DOCTOR_FACT,
    DOCTOR_WARNING, /* a run works, but not as it could */
    DOCTOR_PROBLEM, /* a default run would not work */
};

struct doctor_fact {
    const char *group, *name; /* "cpu", "affinity"; static */
    enum doctor_verdict verdict;
    bool numeric;
    int64_t number; /* when numeric; in the unit that the name says, else a count */
    char text[256]; /* for people; raw bytes */
};

struct doctor {
    struct doctor_fact facts[DOCTOR_MOST_FACTS];
    unsigned count, warnings, problems;
};

/* Looks at everything, and starts and ends the workers of a default run. Call it while the process has one
 * thread. Reads files, forks, waits for what it forked; leaves nothing behind. */
void doctor_look(struct doctor *doctor);

/* ---- for the files that look ---- */

/* Adds a fact with its text; with a number as well. */
void doctor_add(struct doctor *doctor, const char *group, const char *name, enum doctor_verdict verdict,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
void doctor_add_number(struct doctor *doctor, const char *group, const char *name,
                       enum doctor_verdict verdict, int64_t number, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The kernel and the limits of this process. */
void doctor_look_kernel(struct doctor *doctor);
void doctor_look_limits(struct doctor *doctor);

#endif
