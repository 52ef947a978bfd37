/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_BENCH_MEMORY_H
#define PIPELINE_BENCH_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* The resident memory of a process and all its descendants together: the sum of their Pss, in which a page
 * that several share counts once. 0 where the kernel does not say it of every one. Takes about 1 ms for each
 * 100 MB, so it is not for runs that are timed. */
uint64_t bench_memory_of(pid_t process);

#endif
