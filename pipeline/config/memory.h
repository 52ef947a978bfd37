/* SPDX-License-Identifier: MIT */
/* How much memory this process may count on: what is available on the machine, and what its cgroups leave. */
#ifndef PIPELINE_MEMORY_H
#define PIPELINE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may be had without anybody being killed for it, in bytes, and in `why` what decided. UINT64_MAX where
 * nothing is known. `root` as in cgroup.h. Reads files. */
uint64_t memory_available(const char *root, char *why, size_t size);

/* Lowers *budget_bytes to nine tenths of what is available, where it is more; the rest is for the program
 * itself. True and what decided in `why` when it did. */
bool memory_fit(uint64_t *budget_bytes, char *why, size_t size);

#endif
