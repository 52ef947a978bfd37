/* SPDX-License-Identifier: MIT */
/* What the files of an open journal share.
 *
 *   journal.c        opened and closed; rows put
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

struct journal {
    struct journal_options options;
    pthread_mutex_t lock; /* guards all below */
    sqlite3 *db;
    sqlite3_stmt *put, *find, *retract, *begin, *commit;
    sqlite3_int64 run;
    bool has_past, looking;
    struct journal_batch batch;
    bool open;         /* a transaction is under way */
    unsigned waiting;  /* changes since the last commit, */
    uint64_t since_ns; /* the first of them at this time */
    int lock_file;
    struct journal_name name; /* of the item at hand */
    char here[PATH_MAX];
};

/* items.status */
enum { STATUS_DONE = 1, STATUS_FAILED = 2 };

/* Binds parameters 1 and 2: the item's key. Under the lock. */
void journal_bind_key(struct journal *journal, sqlite3_stmt *statement, const char *shown, const char *rel);

void journal_bind_digest(sqlite3_stmt *statement, int at, const uint8_t *digest);

#endif
