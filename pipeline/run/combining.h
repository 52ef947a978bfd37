/* SPDX-License-Identifier: MIT */
/* `aggregate`: the samples of all items combined, each operation to its file. One thread at a time. */
#ifndef PIPELINE_COMBINING_H
#define PIPELINE_COMBINING_H

#include "pipeline/config/job.h"

struct combining;

/* Is the job's `aggregate` sound by itself: known operations, each with a file of its own and of a format
 * that is written? ERROR_USAGE. */
int combining_check(const struct job *job, struct error *error);

/* The file of an operation, by its index in aggregate.ops; the caller's to free. NULL: out of memory. */
char *combining_path(const struct job *job, size_t op);

/* Opens the files. ERROR_USAGE, ERROR_IO, ERROR_DISK_FULL, ERROR_MEMORY. */
int combining_open(struct combining **combining, const struct job *job, struct error *error);

/* The files that it will write, in turn from index 0; NULL behind the last. */
const char *combining_file(const struct combining *combining, unsigned index);

/* Takes in the next item. ERROR_UNSUPPORTED where its shape is not that of the first, which is left out then;
 * and where the first one's results could not be saved; ERROR_LIMIT where the combination would take more
 * than `memory`. The next item is the first then. */
int combining_add(struct combining *combining, const struct shape *shape, const void *samples,
                  struct error *error);

/* Encodes and writes the results, as what `save` says. Without any item nothing is written. */
int combining_finish(struct combining *combining, struct error *error);

/* Accepts NULL. */
void combining_close(struct combining *combining);

#endif
