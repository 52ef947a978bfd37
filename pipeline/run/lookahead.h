/* SPDX-License-Identifier: MIT */
/* Lists inputs a little ahead of the reader, and has them opened early, in one of two ways.
 *
 * By several threads at once while files are slow to open: what the disk, or a server, then brings into the
 * page cache is there when the reader comes to it. The threads only ask for bytes and look at none. While
 * files come quickly there is no thread and no list.
 *
 * By io_uring, where there is a ring: the reader then gets the files opened and their heads read.
 *
 * What the reader gets to see of its inputs, and in which order, depends on neither. */
#ifndef PIPELINE_LOOKAHEAD_H
#define PIPELINE_LOOKAHEAD_H

#include <pthread.h>

#include "pipeline/files/scan.h"
#include "pipeline/run/ahead_ring.h"

/* Entries listed ahead, at most. */
#define LOOKAHEAD_ENTRIES AHEAD_RING_PLACES
#define LOOKAHEAD_THREADS 64u

struct lookahead {
    struct scan *scan;       /* the caller's; this and the next two are set before anything is called */
    unsigned most;           /* threads, up to LOOKAHEAD_THREADS; 0: none */
    bool may_ring;           /* one is made if there can be, once there are entries enough for it to pay */
    struct ahead_ring *ring; /* owned; NULL: threads open what is listed */
    unsigned depth;          /* so many entries are listed ahead for the ring now */
    bool untaken;            /* the file of the entry given last, at `place`, was not taken */
    unsigned place;
    uint64_t average_ns; /* that files took to open lately */
    bool watched;        /* the file that is being opened */
    long waits;          /* of the thread when that began */
    unsigned waited;     /* files waited for, half of them forgotten at each that was not */
    unsigned alone;      /* entries asked for before there was a ring */
    unsigned slow;       /* so many more entries are to be listed ahead */
    struct ahead_entry {
        struct scan_entry entry;
        char *texts;               /* those of `entry`, owned */
        struct scan_counts counts; /* when it was listed */
        bool asked;                /* it was, or is being, opened */
    } entries[LOOKAHEAD_ENTRIES];
    unsigned first, count;     /* of the ring */
    struct scan_counts counts; /* as they were when the entry given last was listed */
    char *given;               /* the texts of the entry given last */
    bool has_last; /* there was no memory for the texts of `last`, which is the scan's last entry */
    struct scan_entry last;
    pthread_mutex_t lock; /* guards the ring and all below, once there are threads */
    pthread_cond_t more;
    pthread_t threads[LOOKAHEAD_THREADS];
    unsigned thread_count;
    bool stopped;
};

/* As scan_next, scan_ready and scan_exhausted, of what was not given yet. One thread. */
int lookahead_next(struct lookahead *ahead, struct scan_entry *entry);
bool lookahead_ready(const struct lookahead *ahead, int wait_ms);
bool lookahead_exhausted(const struct lookahead *ahead);

/* A file is about to be opened, and how long it took to open it and to read its head, if it was `read`; each
 * file has both. */
void lookahead_begins(struct lookahead *ahead);
void lookahead_took(struct lookahead *ahead, uint64_t took_ns, bool read);

/* What was opened ahead of the entry given last, once; the descriptor is the caller's. */
void lookahead_take(struct lookahead *ahead, struct ahead_file *file);

/* Closes an input, where there is a ring together with others some time later. -1: nothing. */
void lookahead_close_file(struct lookahead *ahead, int fd);

/* Ends the ring and the threads, waiting for what they are opening, and forgets what was listed. Again:
 * nothing. */
void lookahead_close(struct lookahead *ahead);

/* ---- for lookahead*.c alone ---- */

/* Starts the threads, where there are none. Where there can be no thread, or not all, there are fewer. */
void lookahead_threads_start(struct lookahead *ahead);
void lookahead_threads_end(struct lookahead *ahead);

/* Around each change of the ring; `more`: there is an entry that was not asked for. */
void lookahead_threads_lock(struct lookahead *ahead);
void lookahead_threads_unlock(struct lookahead *ahead, bool more);

#endif
