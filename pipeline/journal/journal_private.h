/* SPDX-License-Identifier: MIT */
/* What the files of an open journal share.
 *
 *   journal.c        opened and closed
 *   journal_put.c    rows put, changed and committed
 *   journal_batch.c  rows waiting for their transaction
 *   journal_find.c   rows of earlier runs found */
#ifndef PIPELINE_JOURNAL_JOURNAL_PRIVATE_H
#define PIPELINE_JOURNAL_JOURNAL_PRIVATE_H

#include <limits.h>
#include <pthread.h>

#include "pipeline/journal/journal.h"
#include "pipeline/journal/journal_batch.h"
#include "pipeline/journal/journal_db.h"
#include "pipeline/journal/journal_name.h"

/* A row of `roots`. */
struct journal_root {
    int64_t id; /* 0: none */
    size_t length;
    char path[2 * PATH_MAX];
};

struct journal {
    struct journal_options options;
    pthread_mutex_t lock; /* guards all below */
    sqlite3 *db;
    sqlite3_stmt *put, *put_many, *retract, *find_root, *put_root, *begin, *commit, *find;
    sqlite3_int64 run;
    bool has_past, looking;
    struct journal_batch batch;
    bool open;         /* a transaction is under way */
    unsigned waiting;  /* changes since the last commit, */
    uint64_t since_ns; /* the first of them at this time */
    int lock_file;
    struct journal_name name; /* of the item at hand */
    struct journal_root root; /* of the last item put */
    char here[PATH_MAX];
};

/* items.status */
enum { STATUS_DONE = 1, STATUS_FAILED = 2 };

/* What journal_put needs, once the database is open. */
int journal_put_open(struct journal *journal, struct error *error);

/* Accepts what was never opened. */
void journal_put_close(struct journal *journal);

/* Commits what waits. Under the lock, or when all threads are done. */
int journal_commit(struct journal *journal, struct error *error);

#endif
