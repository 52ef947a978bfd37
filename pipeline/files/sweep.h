/* SPDX-License-Identifier: MIT */
/* Clears away temporary files that a killed run left behind: regular files whose names are to the letter what
 * forkmill calls such files, and say of no process that lives that it made them. Links are never followed.
 * Processes of other machines, and of containers that number theirs apart, cannot be asked. */
#ifndef PIPELINE_SWEEP_H
#define PIPELINE_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

/* Is it the name of a temporary file: of an output, a spool, or a file written whole (whole.h)? */
bool sweep_is_temp(const char *name);

/* What stands in the name of a temporary file behind the number of the process that makes it, which another
 * may have later: when it started, in the clock ticks of proc_pid_stat(5); 0 where that cannot be known. */
uint32_t sweep_mark(void);

/* What stands in the name of a temporary file that is to become `path`: a hash of its last component. */
uint64_t sweep_tag(const char *path);

/* Removes those in the whole tree below the directory that `directory` is a descriptor of. The number
 * removed; what cannot be looked at or removed is left. */
uint64_t sweep_tree(int directory);

/* Removes those beside `path`, for files that were to become it and no other. The number removed. */
uint64_t sweep_beside(const char *path);

#endif
