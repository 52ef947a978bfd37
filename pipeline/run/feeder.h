/* SPDX-License-Identifier: MIT */
/* The feeder thread: reads large files into the rings of their slots while workers decode them (see
 * shared/feed.h). The reader opens each file and brings in its beginning; from there it is the feeder's,
 * until the slot is left. Main process only. */
#ifndef PIPELINE_FEEDER_H
#define PIPELINE_FEEDER_H

#include <pthread.h>

#include "pipeline/run/admission.h"

/* Files open here at once, and no more than a part of the descriptors there may be; the reader brings in
 * further ones whole, or waits where they do not fit so. */
#define FEEDER_MOST             64u
#define FEEDER_DESCRIPTOR_SHARE 8u

struct feeder_file {
    int fd; /* -1: it was read to its end, or cannot be */
    bool used;
    bool reading; /* by the thread, without the lock */
    bool left;    /* meanwhile the slot was, with this word */
    uint64_t seen;
    uint32_t slot;
    uint64_t size_bytes, filled, taken;
    enum feed_end end;
    struct error error; /* FEED_BROKEN */
};

struct feeder {
    struct machine *machine;
    struct admission *admission;
    pthread_mutex_t lock; /* guards all below */
    pthread_t thread;
    bool started, cannot_start, stopped;
    uint32_t used, most; /* files */
    uint64_t reading_ns; /* so far */
    struct feeder_file files[FEEDER_MOST];
};

/* From here on admission_leave asks the feeder. */
void feeder_open(struct feeder *feeder, struct machine *machine, struct admission *admission);

/* Begins the thread. False: no file can ever be fed. */
bool feeder_begins(struct feeder *feeder);

/* May the caller, who alone adds files, add one now? There is a place as soon as the slot of one is left. */
bool feeder_has_place(struct feeder *feeder);

/* Takes over a file of `size_bytes`, of which the ring of the slot holds the first `filled` already; before
 * the slot is queued. Closes it. */
void feeder_add(struct feeder *feeder, uint32_t slot, int fd, uint64_t size_bytes, uint64_t filled);

/* What became of the file of a slot that a worker is done with, with success or not: an error of reading it
 * goes before whatever the worker says. 0, also where the slot is not fed; ERROR_IO, ERROR_PASSING and
 * others; ERROR_INTERNAL where the worker cannot have seen all of the file. */
int feeder_verdict(struct feeder *feeder, uint32_t slot, bool success, struct error *error);

/* Ends the thread; workers that still wait are told that no more will come. Before admission_close; accepts
 * one that was not opened. Waits while a file is being read. */
void feeder_close(struct feeder *feeder);

#endif
