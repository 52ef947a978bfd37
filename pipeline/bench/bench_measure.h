/* SPDX-License-Identifier: MIT */
/* One run in a process of its own, and what it took. */
#ifndef PIPELINE_BENCH_MEASURE_H
#define PIPELINE_BENCH_MEASURE_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline/run/run.h"

/* Counters are of all processes of the run. */
struct bench_sample {
    uint64_t wall_ns; /* from fork to the end of the process */
    uint64_t user_ns, system_ns;
    uint64_t voluntary, involuntary; /* context switches */
    uint64_t idle_ns;                /* of the allowed cores meanwhile, whoever left them idle */
    uint64_t peak_bytes;             /* memory of all processes together; 0: not sampled, or too short */
    int exit_code;                   /* of the run */
    json_t *summary;                 /* the run's own, as `run --json` prints it; NULL: it was refused */
};

/* Signals that end a bench: SIGINT, SIGTERM and SIGHUP are blocked between open and close, and SIGCHLD too.
 */
struct bench_watch {
    int signal; /* the first that came, or 0 */
    sigset_t waited, before;
};

void bench_measure_open(struct bench_watch *watch);
void bench_measure_close(struct bench_watch *watch);

/* Forks, runs the job there and waits. This process must have one thread, and have started no OpenMP. With
 * `sample_memory` the memory is looked at every 20 ms, which slows the run down. `complain` as in
 * run_options; called in the child. A signal is passed on to the run, which then ends early. ERROR_MEMORY,
 * ERROR_CRASH where a signal killed the run, or ERROR_INTERNAL where its summary is missing though it was not
 * refused. Free sample->summary either way. */
int bench_measure(struct bench_sample *sample, struct bench_watch *watch, const struct job *job,
                  bool sample_memory, void (*complain)(const char *text), struct error *error);

#endif
