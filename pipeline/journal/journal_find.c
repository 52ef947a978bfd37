/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By 1: root, 2: name, 3: size, 4: time of change, 5 and 6: the digests of the config, 7: this run. */
static const char find_text[] =
    "SELECT status, attempts, class, stage, reason, outputs, record "
    "FROM roots JOIN items ON items.root = roots.id JOIN runs ON runs.id = items.run "
    "WHERE path = ?1 AND name = ?2 AND size = ?3 AND mtime = ?4 "
    "AND CASE status WHEN 1 THEN config = ?5 ELSE limits = ?6 END AND run < ?7";

/* A copy of a column's bytes in a block that serves again; false: out of memory. */
static bool copy(sqlite3_stmt *row, int column, void **bytes, size_t *length, size_t *room)
{
    const void *blob = sqlite3_column_blob(row, column);
    *length = (size_t)sqlite3_column_bytes(row, column);
    if (*length > *room || !*bytes) {
        void *grown = realloc(*bytes, *length + 1);
        if (!grown)
            return false;
        *bytes = grown;
        *room = *length;
    }
    if (*length)
        memcpy(*bytes, blob, *length);
    return true;
}

static int code_of(const char *class)
{
    for (int code = ERROR_USAGE; class && code >= ERROR_LAST; code--) {
        if (strcmp(error_name(code), class) == 0)
            return code;
    }
    return ERROR_INTERNAL;
}

static int take_found(sqlite3_stmt *row, enum journal_fate *fate, struct journal_found *found,
                      struct error *error)
{
    *fate = sqlite3_column_int(row, 0) == STATUS_DONE ? JOURNAL_DONE : JOURNAL_FAILED;
    found->attempts = (uint32_t)sqlite3_column_int(row, 1);
    found->error = (struct error){.code = code_of(journal_db_text(row, 2))};
    snprintf(found->error.stage, sizeof found->error.stage, "%s", journal_db_text(row, 3));
    snprintf(found->error.reason, sizeof found->error.reason, "%s", journal_db_text(row, 4));
    found->recorded = sqlite3_column_type(row, 6) != SQLITE_NULL;
    void *outputs = found->outputs, *record = found->record;
    const bool copied = copy(row, 5, &outputs, &found->outputs_bytes, &found->outputs_room) &&
                        copy(row, 6, &record, &found->record_bytes, &found->record_room);
    found->outputs = outputs;
    found->record = record;
    return copied ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
}

static int find(struct journal *journal, const char *shown, const char *rel, uint64_t size_bytes,
                int64_t mtime_ns, enum journal_fate *fate, struct journal_found *found, struct error *error)
{
    if (!journal->find)
        TRY(journal_db_prepare(journal->db, find_text, &journal->find, error));
    sqlite3_stmt *select = journal->find;
    journal_name_make(&journal->name, journal->here, shown, rel);
    sqlite3_bind_text(select, 1, journal->name.path, (int)journal->name.root_bytes, SQLITE_STATIC);
    journal_db_bind_text(select, 2, rel);
    sqlite3_bind_int64(select, 3, (sqlite3_int64)size_bytes);
    sqlite3_bind_int64(select, 4, mtime_ns);
    sqlite3_bind_blob(select, 5, journal->options.digest.bytes, CONFIG_DIGEST_BYTES, SQLITE_STATIC);
    sqlite3_bind_blob(select, 6, journal->options.digest.failures, CONFIG_DIGEST_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(select, 7, journal->run);
    int code = journal_db_step(select, error);
    if (code > 0)
        code = take_found(select, fate, found, error);
    sqlite3_reset(select);
    return code;
}

int journal_find(struct journal *journal, const char *shown, const char *rel, uint64_t size_bytes,
                 int64_t mtime_ns, enum journal_fate *fate, struct journal_found *found, struct error *error)
{
    *fate = JOURNAL_NOTHING;
    pthread_mutex_lock(&journal->lock);
    int code = find(journal, shown, rel, size_bytes, mtime_ns, fate, found, error);
    pthread_mutex_unlock(&journal->lock);
    return code;
}

void journal_found_free(struct journal_found *found)
{
    free(found->outputs);
    free(found->record);
    *found = (struct journal_found){0};
}
