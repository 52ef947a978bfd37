/* SPDX-License-Identifier: MIT */
/* How many processors this process may use: what `workers: allotted` means. Never the core count of the
 * machine, which in a container is the node's. */
#ifndef PIPELINE_ALLOTTED_H
#define PIPELINE_ALLOTTED_H

#include <stddef.h>
#include <stdint.h>

#include "pipeline/config/job.h"

/* The smallest quota of the cgroups (v1 and v2) this process is in, and of their parents, in processors,
 * rounded up, at least 1; 0 where there is none. `root` is put before /proc and /sys: "" but in tests.
 * `why` gets the file that decided, without root; "" where there is no quota. Reads files. */
int64_t allotted_quota(const char *root, char *why, size_t size);

/* Processors in the affinity mask, which cpusets narrow as well; 0 where it cannot be read. */
int64_t allotted_affinity(void);

/* The smaller of the affinity mask and the quota, and in `why` what decided, in a few words. */
int64_t allotted_workers(const char *root, char *why, size_t size);

/* Replaces -1 (allotted) in the job's settings and pools by the number, and appends to workers_from how it
 * came about. */
void job_resolve(struct job *job);

#endif
