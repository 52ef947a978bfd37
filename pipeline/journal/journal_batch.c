/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_batch.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/journal/journal_db.h"

/* A batch that begins small grows to this at once. */
#define FIRST_BYTES ((size_t)64 << 10)

struct journal_value journal_integer(int64_t integer)
{
    return (struct journal_value){.kind = JOURNAL_INTEGER, .integer = integer};
}

struct journal_value journal_text(const char *text)
{
    if (!text)
        return (struct journal_value){.kind = JOURNAL_NULL};
    return (struct journal_value){.kind = JOURNAL_TEXT, .length_bytes = strlen(text), .bytes = text};
}

struct journal_value journal_blob(const void *bytes, size_t length_bytes)
{
    if (!bytes)
        return (struct journal_value){.kind = JOURNAL_NULL};
    return (struct journal_value){.kind = JOURNAL_BLOB, .length_bytes = length_bytes, .bytes = bytes};
}

static int make_room(struct journal_batch *batch, size_t more_bytes, struct error *error)
{
    const size_t wanted = batch->used_bytes + more_bytes;
    if (wanted <= batch->size_bytes)
        return 0;
    const size_t size = 2 * wanted > FIRST_BYTES ? 2 * wanted : FIRST_BYTES;
    unsigned char *bytes = realloc(batch->bytes, size);
    if (!bytes)
        return error_set(error, ERROR_MEMORY, "out of memory");
    batch->bytes = bytes;
    batch->size_bytes = size;
    return 0;
}

static void append(struct journal_batch *batch, const void *bytes, size_t length_bytes)
{
    if (length_bytes)
        memcpy(batch->bytes + batch->used_bytes, bytes, length_bytes);
    batch->used_bytes += length_bytes;
}

int journal_batch_add(struct journal_batch *batch, const struct journal_value *values, unsigned count,
                      struct error *error)
{
    size_t more_bytes = count * sizeof *values;
    for (unsigned i = 0; i < count; i++)
        more_bytes += values[i].length_bytes;
    TRY(make_room(batch, more_bytes, error));
    for (unsigned i = 0; i < count; i++) {
        append(batch, &values[i], sizeof values[i]);
        append(batch, values[i].bytes, values[i].length_bytes);
    }
    batch->rows++;
    return 0;
}

/* Binds the value at *position and moves on. SQLite reads its bytes while the statement runs. */
static void bind_next(const struct journal_batch *batch, size_t *position, sqlite3_stmt *statement, int at)
{
    struct journal_value value;
    memcpy(&value, batch->bytes + *position, sizeof value);
    const void *bytes = batch->bytes + *position + sizeof value;
    *position += sizeof value + value.length_bytes;
    switch (value.kind) {
    case JOURNAL_NULL:
        sqlite3_bind_null(statement, at);
        return;
    case JOURNAL_INTEGER:
        sqlite3_bind_int64(statement, at, value.integer);
        return;
    case JOURNAL_TEXT:
        sqlite3_bind_text64(statement, at, bytes, value.length_bytes, SQLITE_STATIC, SQLITE_UTF8);
        return;
    case JOURNAL_BLOB:
        sqlite3_bind_blob64(statement, at, bytes, value.length_bytes, SQLITE_STATIC);
        return;
    }
}

int journal_batch_insert(struct journal_batch *batch, sqlite3_stmt *one, sqlite3_stmt *many,
                         struct error *error)
{
    const int columns = sqlite3_bind_parameter_count(one);
    const size_t together = many ? (size_t)(sqlite3_bind_parameter_count(many) / columns) : SIZE_MAX;
    size_t position = 0;
    int code = 0;
    while (batch->rows > 0 && code == 0) {
        const bool several = batch->rows >= together;
        sqlite3_stmt *statement = several ? many : one;
        const int count = sqlite3_bind_parameter_count(statement);
        for (int at = 1; at <= count; at++)
            bind_next(batch, &position, statement, at);
        code = journal_db_step(statement, error);
        sqlite3_reset(statement);
        batch->rows -= several ? together : 1;
    }
    journal_batch_clear(batch);
    return code;
}

void journal_batch_clear(struct journal_batch *batch)
{
    batch->used_bytes = 0;
    batch->rows = 0;
}
