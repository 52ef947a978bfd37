/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_BENCH_MACHINE_H
#define PIPELINE_BENCH_MACHINE_H

#include <stdint.h>

/* What a figure means nothing without. */
struct bench_machine {
    char cpu[128];      /* model name, as the kernel has it */
    unsigned cores;     /* online */
    unsigned allowed;   /* of them, by affinity and cgroup */
    char kernel[160];   /* "Linux 6.1.0 x86_64" */
    char compiler[128]; /* that built this program */
    char build[64];     /* "release", "asserts on", sanitizers */
    char versions[128]; /* of forkmill and the C library */
    char load[64];      /* before the first run: 1, 5 and 15 minutes */
    uint64_t memory_bytes;
};

/* Reads /proc and asks the system; what it does not say stays "unknown" or 0. */
void bench_machine_read(struct bench_machine *machine);

/* How long the cores that this process may use have been idle since the start of the machine, together, in
 * steps of 10 ms each; 0 where the system does not say. */
uint64_t bench_machine_idle_ns(void);

#endif
