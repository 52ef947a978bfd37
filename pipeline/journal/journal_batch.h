/* SPDX-License-Identifier: MIT */
/* Rows that wait for their transaction, as values one behind the other. SQLite takes them all at a stretch:
 * row by row, between other work, it finds neither its code nor its pages in the processor's caches, and
 * takes twice as long or more. */
#ifndef PIPELINE_JOURNAL_JOURNAL_BATCH_H
#define PIPELINE_JOURNAL_JOURNAL_BATCH_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

/* A parameter of a statement. */
struct journal_value {
    enum journal_kind { JOURNAL_NULL, JOURNAL_INTEGER, JOURNAL_TEXT, JOURNAL_BLOB } kind;
    size_t length_bytes; /* of a text or blob */
    union {
        int64_t integer;
        const void *bytes; /* the caller's until the call returns */
    };
};

struct journal_value journal_integer(int64_t integer);

/* NULL gives a NULL. */
struct journal_value journal_text(const char *text);
struct journal_value journal_blob(const void *bytes, size_t length_bytes);

/* Zero it to start; free(bytes) at the end. */
struct journal_batch {
    unsigned char *bytes;
    size_t used_bytes, size_bytes, rows;
};

/* Copies a row's values. ERROR_MEMORY: nothing was added. */
int journal_batch_add(struct journal_batch *batch, const struct journal_value *values, unsigned count,
                      struct error *error);

/* Inserts all rows. `one` has a parameter for each value of a row, `many` (or NULL) for those of several. The
 * batch is empty afterwards, whatever comes of it. ERROR_IO, ERROR_DISK_FULL, ERROR_MEMORY. */
int journal_batch_insert(struct journal_batch *batch, sqlite3_stmt *one, sqlite3_stmt *many,
                         struct error *error);

/* Forgets all rows. */
void journal_batch_clear(struct journal_batch *batch);

#endif
