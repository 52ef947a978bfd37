/* SPDX-License-Identifier: MIT */
/* The comparison of engines: every way of running one job, taken in turns, each run in a process of its own,
 * with outputs proved equal. bench_run.c does it; bench_text.c, bench_json.c and bench_html.c tell it. */
#ifndef PIPELINE_BENCH_H
#define PIPELINE_BENCH_H

#include <stdio.h>

#include "pipeline/bench/bench_machine.h"
#include "pipeline/bench/bench_measure.h"
#include "pipeline/bench/bench_plan.h"
#include "pipeline/bench/bench_stats.h"

/* What came of one cell of the plan. Medians are over the counted runs. */
struct bench_row {
    struct bench_cell cell;
    struct bench_sample *samples; /* the counted runs, in the order of the rounds; owned */
    unsigned count;
    struct bench_stats wall_s, cpu_s;
    double user_s, system_s, voluntary, involuntary;
    uint64_t peak_bytes;        /* the highest sampled; 0: none was */
    double speedup, efficiency; /* over serial; 0: serial was not run */
    unsigned median_at;         /* the run whose wall time is nearest the median */
};

enum bench_bound { BENCH_UNKNOWN, BENCH_CPU, BENCH_IO, BENCH_MEMORY, BENCH_BALANCED };

struct bench_verdict {
    enum bench_bound bound;
    unsigned row;    /* the one recommended */
    bool by_fastest; /* the machine was not quiet: the fastest run of each was compared, not the median */
    char limit[512];
    char choice[2048];
    char workers[512];
};

/* Zero it to start. */
struct bench_report {
    struct bench_plan plan;
    struct bench_machine machine;
    const struct job *job;
    char **command; /* the caller's: the words of the command line */
    int command_count;
    struct bench_row rows[BENCH_MAX_CELLS];
    unsigned row_count;
    char cache[256];        /* what was done about the page cache, in words */
    bool memory_beside;     /* memory was sampled in counted runs, for want of warm-up runs */
    uint64_t items, failed; /* of each run */
    uint64_t bytes_in, pixels;
    uint64_t output_files, output_bytes, output_hash; /* the same in every run */
    struct bench_verdict verdict;
};

/* What the caller shows. */
struct bench_hooks {
    /* One line, raw bytes, about what went wrong. */
    void (*complain)(const char *text);
    /* Before each run: it is number `at` of `total`. */
    void (*begin)(const struct bench_cell *cell, bool warmup, unsigned at, unsigned total);
    /* After it. */
    void (*end)(const struct bench_cell *cell, bool warmup, uint64_t wall_ns);
};

/* Runs the plan of *report with its job, the pools in `follows` with each cell's number of workers. Outputs
 * go to a temporary directory in `place`, removed at the end, or earlier where they are large. Returns an
 * exit code: EXIT_DONE with *report filled; EXIT_FAILED_ITEMS where outputs differ, or whatever ended a run
 * that could not be counted. The process must have one thread. Free the report either way. */
int bench_run(struct bench_report *report, const bool follows[], const char *place,
              const struct bench_hooks *hooks);

/* From the samples of all rows: statistics, speed-up and the verdict. */
void bench_conclude(struct bench_report *report);

/* The row with the most workers of each engine, in rows[8]; returns how many. */
unsigned bench_widest(const struct bench_report *report, unsigned rows[8]);

void bench_free(struct bench_report *report);

/* Decides what limits the job and how to run it; the rows' statistics are there. */
void bench_verdict_find(struct bench_report *report);

/* "cpu", "io", "memory", "balanced", "unknown". */
const char *bench_verdict_word(enum bench_bound bound);

/* Is the row not to be told apart from the fastest one? Once the verdict is found. */
bool bench_verdict_ties(const struct bench_report *report, unsigned row);

/* For people: an aligned table and the verdict. `colour`: bold where it matters. */
void bench_text(const struct bench_report *report, bool colour, FILE *to);

/* For programs: one JSON object and a newline. 0, ERROR_MEMORY or ERROR_IO. */
int bench_json(const struct bench_report *report, FILE *to);

/* For a browser: one page that needs nothing else. 0 or ERROR_IO. */
int bench_html(const struct bench_report *report, FILE *to);

#endif
