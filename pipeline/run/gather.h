/* SPDX-License-Identifier: MIT */
/* What is made of all items together: the table of `collect`, and the combinations of `aggregate`. Both
 * follow the order of the inputs, whatever the order in which items are done: what comes early is put aside
 * in a file. Main process only; any thread. */
#ifndef PIPELINE_GATHER_H
#define PIPELINE_GATHER_H

#include "pipeline/config/job.h"

struct gather;

/* What an item leaves. */
struct gather_item {
    uint64_t number; /* see struct item */
    const char *shown;
    struct record record;   /* to be judged: it comes from a worker */
    struct shape shape;     /* of the samples, likewise */
    const uint8_t *samples; /* for `aggregate`; else NULL */
    size_t samples_bytes;
};

/* *gather is NULL where the job gathers nothing. `directory` is a descriptor of the output directory, where
 * things are put aside. Opens the files that will be written, so that a place that cannot be written is known
 * before work starts. `refused` is told, in gather_put and gather_finish, of an item that was done and whose
 * samples turn out not to go with the others. ERROR_USAGE, ERROR_IO, ERROR_DISK_FULL, ERROR_MEMORY. */
int gather_open(struct gather **gather, const struct job *job, int directory,
                void (*refused)(void *context, const char *shown, const struct error *error), void *context,
                struct error *error);

/* The files that it will write, in turn from index 0; NULL behind the last. The texts live as long as it.
 * Accepts NULL. */
const char *gather_file(const struct gather *gather, unsigned index);

/* Takes in an item that is done. ERROR_INTERNAL where what it leaves is impossible, ERROR_UNSUPPORTED where
 * its samples do not go with those of the items before it: it is not in the result. ERROR_DISK_FULL,
 * ERROR_IO. */
int gather_put(struct gather *gather, const struct gather_item *item, struct error *error);

/* An item that leaves nothing. Accepts NULL. */
void gather_skip(struct gather *gather, uint64_t number);

/* Writes the table; and, where the run was not stopped, the combinations. When all threads are done. */
int gather_finish(struct gather *gather, bool complete, struct error *error);

/* Accepts NULL. */
void gather_close(struct gather *gather);

#endif
