/* SPDX-License-Identifier: MIT */
/* What a person, or a program with --json, is told when a run is over: counts, throughput, where the time
 * went, what failed, and what would make it faster. */
#ifndef PIPELINE_SUMMARY_H
#define PIPELINE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pipeline/config/job.h"
#include "pipeline/files/scan.h"
#include "pipeline/report/series.h"
#include "stages/stage.h"

#define SUMMARY_LEFT_OUT_SIZE 224u

/* Failed items that are kept by name (all are counted), and how many of those a person is shown. */
#define SUMMARY_KEPT_FAILURES  1000u
#define SUMMARY_SHOWN_FAILURES 20u

/* Times are sums over the workers of the pool, from the first item on: together `workers` times the wall time
 * or less. */
struct summary_pool {
    char name[24];
    unsigned workers;
    uint64_t items;
    uint64_t busy_ns;    /* on items */
    uint64_t starved_ns; /* nothing in the queue before the pool */
    uint64_t blocked_ns; /* no room in the queue behind it */
    uint64_t deaths, recycled;
};

struct summary_reader {
    uint64_t busy_ns;    /* opening, reading, looking at headers; and what the feeder reads meanwhile */
    uint64_t listing_ns; /* waiting for the next name */
    uint64_t memory_ns;  /* waiting until an item fits the memory allowed */
    uint64_t blocked_ns; /* waiting for a slot or for room in the first queue */
};

struct summary_writer {
    uint64_t busy_ns;    /* writing files */
    uint64_t starved_ns; /* nothing to write */
};

/* Decode, each stage and encode: the time of all workers on it, over the items done. */
struct summary_step {
    char name[24];
    uint64_t ns;
};

struct summary_failure {
    char *path; /* as the user would write it; owned */
    struct error error;
    unsigned attempts;
};

/* Zero it, fill it, print it, free it. Texts that are not owned may be NULL. */
struct summary {
    const char *engine, *output, *workers_from;
    bool alone;         /* the engine has one worker, whatever is asked for */
    bool journal;       /* what failed is known to the journal in `output` */
    const char *remark; /* what the engine decided by itself */
    int exit_code;
    bool abandoned;                     /* threads are still at work and cannot be ended: leave by _exit */
    uint64_t found;                     /* items that were to be processed, done or not */
    uint64_t done, failed, skipped;     /* skipped: rightly, as up to date */
    uint64_t remembered;                /* of those that failed: in an earlier run, and not tried again */
    uint64_t warnings;                  /* of codecs and stages */
    struct scan_counts listing;         /* what the scan left out and noted */
    uint64_t wall_ns, cpu_ns;           /* cpu_ns: all processes, user and system */
    uint64_t bytes_in, bytes_out;       /* file bytes read and written */
    uint64_t pixels;                    /* decoded, of items done */
    uint64_t retries, deaths, recycled; /* deaths: workers that nobody retired */
    uint64_t peak_in_flight_bytes, memory_bytes; /* memory_bytes: what was allowed */
    unsigned cpus;                               /* what affinity and cgroup allow; 0: unknown */
    struct summary_reader reader;
    struct summary_writer writer;
    struct summary_pool pools[JOB_MAX_POOLS];
    unsigned pool_count;
    struct summary_step steps[1 + JOB_MAX_STAGES + JOB_MAX_OUTPUTS];
    unsigned step_count;
    struct series series; /* of the pools, over the time */
    struct summary_failure *failures;
    size_t failure_count;
    bool failures_in_sight; /* a person has just read of all of them */
};

/* Counts a failed item and keeps its name and reason while there is room. One thread. */
void summary_fail(struct summary *summary, const char *path, const struct error *error, unsigned attempts);

/* Frees the failures and the series. */
void summary_free(struct summary *summary);

/* "2 hidden, 1 with another extension" in `text`, SUMMARY_LEFT_OUT_SIZE bytes; "" where all was taken. */
const char *summary_left_out(const struct scan_counts *left, char *text, size_t size);

enum summary_bound {
    SUMMARY_UNKNOWN,  /* nothing was done, or too little to say */
    SUMMARY_CPU,      /* workers are busy */
    SUMMARY_READER,   /* workers wait for input that is being read */
    SUMMARY_WRITER,   /* workers, or the reader that feeds them, wait for files to be written */
    SUMMARY_MEMORY,   /* workers wait for input that waits for memory */
    SUMMARY_LISTING,  /* workers wait for input whose name is not known yet */
    SUMMARY_BALANCED, /* none of these stands out */
};

/* What limited the run, and a sentence about it in text[size] (NULL: none wanted). */
enum summary_bound summary_verdict(const struct summary *summary, char *text, size_t size);

/* For people. With `verbosity` -1 only what failed. Failures in sight are not listed again. */
void summary_print(const struct summary *summary, FILE *to, int verbosity);

/* For programs: one JSON object and a newline. Keys and units stay as they are from version to version. A
 * text that is no UTF-8 is given as escape_text writes it, and the object says so with "escaped": true. 0,
 * ERROR_MEMORY or ERROR_IO. */
int summary_print_json(const struct summary *summary, FILE *to);

#endif
