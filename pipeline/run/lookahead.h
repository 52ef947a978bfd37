/* SPDX-License-Identifier: MIT */
/* Lists inputs a little ahead of the reader while files are slow to open, and has them opened by several
 * threads at once: what the disk, or a server, then brings into the page cache is there when the reader comes
 * to it. The threads only ask for bytes and look at none; what the reader gets, and in which order, does not
 * depend on them. While files come quickly there is no thread and no list. */
#ifndef PIPELINE_LOOKAHEAD_H
#define PIPELINE_LOOKAHEAD_H

#include <pthread.h>

#include "pipeline/files/scan.h"

/* Entries listed ahead, at most. */
#define LOOKAHEAD_ENTRIES 64u
#define LOOKAHEAD_THREADS 64u

struct lookahead {
    struct scan *scan;   /* the caller's; this and the next are set before anything is called */
    unsigned most;       /* threads, up to LOOKAHEAD_THREADS; 0: never look ahead */
    uint64_t average_ns; /* that files took to open lately */
    bool watched;        /* the file that is being opened */
    long waits;          /* of the thread when that began */
    unsigned waited;     /* files waited for, half of them forgotten at each that was not */
    unsigned slow;       /* so many more entries are to be listed ahead */
    struct ahead_entry {
        struct scan_entry entry;
        char *texts; /* those of `entry`, owned */
        bool asked;  /* it was, or is being, opened */
    } entries[LOOKAHEAD_ENTRIES];
    unsigned first, count; /* of the ring */
    char *given;           /* the texts of the entry given last */
    bool has_last;         /* there was no memory for the texts of `last`, which is the scan's last entry */
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

/* A file is about to be opened, and how long it took to open it and to read its head; each file has both. */
void lookahead_begins(struct lookahead *ahead);
void lookahead_took(struct lookahead *ahead, uint64_t took_ns);

/* Ends the threads, waiting for what they are opening, and forgets what was listed. Again: nothing. */
void lookahead_close(struct lookahead *ahead);

/* ---- for lookahead*.c alone ---- */

/* Starts the threads, where there are none. Where there can be no thread, or not all, there are fewer. */
void lookahead_threads_start(struct lookahead *ahead);
void lookahead_threads_end(struct lookahead *ahead);

/* Around each change of the ring; `more`: there is an entry that was not asked for. */
void lookahead_threads_lock(struct lookahead *ahead);
void lookahead_threads_unlock(struct lookahead *ahead, bool more);

#endif
