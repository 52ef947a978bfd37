/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/journal/journal_lock.h"

/* Nanoseconds since 1970. */
static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The steps' names, a line each. */
static char *step_names(const struct journal_options *options)
{
    size_t size = 1;
    for (unsigned i = 0; i < options->step_count; i++)
        size += strlen(options->steps[i]) + 1;
    char *names = calloc(1, size);
    for (unsigned i = 0; names && i < options->step_count; i++) {
        strcat(names, i ? "\n" : "");
        strcat(names, options->steps[i]);
    }
    return names;
}

static int note_beginning(struct journal *journal, struct error *error)
{
    sqlite3_stmt *insert = NULL;
    char *names = step_names(&journal->options);
    int code = names ? journal_db_prepare(journal->db,
                                          "INSERT INTO runs (version, steps, began, config, limits) "
                                          "VALUES (?1, ?2, ?3, ?4, ?5)",
                                          &insert, error)
                     : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0) {
        sqlite3_bind_text(insert, 1, FORKMILL_VERSION, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, names, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, now_ns());
        sqlite3_bind_blob(insert, 4, journal->options.digest.bytes, CONFIG_DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 5, journal->options.digest.failures, CONFIG_DIGEST_BYTES, SQLITE_STATIC);
        code = journal_db_step(insert, error);
    }
    journal->run = sqlite3_last_insert_rowid(journal->db);
    sqlite3_finalize(insert);
    free(names);
    return code;
}

/* Is there a row that the query finds? */
static int any(struct journal *journal, const char *query, bool *found, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    TRY(journal_db_prepare(journal->db, query, &statement, error));
    int code = journal_db_step(statement, error);
    *found = code > 0;
    sqlite3_finalize(statement);
    return code < 0 ? code : 0;
}

static int look_back(struct journal *journal, struct journal_past *past, struct error *error)
{
    TRY(any(journal, "SELECT 1 FROM runs WHERE ended IS NULL LIMIT 1", &past->unclean, error));
    return any(journal, "SELECT 1 FROM items LIMIT 1", &journal->has_past, error);
}

static int begin(struct journal *journal, struct journal_past *past, struct error *error)
{
    const bool durable = journal->options.durable;
    if (!getcwd(journal->here, sizeof journal->here))
        return error_set(error, ERROR_IO, "the current directory is gone: %s", strerror(errno));
    TRY(journal_db_open(&journal->db, journal->options.output, true, &past->fresh, error));
    TRY(journal_db_run(journal->db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                       error));
    TRY(look_back(journal, past, error));
    TRY(note_beginning(journal, error));
    journal->options.steps = NULL; /* the caller's, for as long as this call */
    return journal_put_open(journal, error);
}

static void free_all(struct journal *journal)
{
    journal_put_close(journal);
    sqlite3_finalize(journal->find);
    sqlite3_close(journal->db);
    journal_unlock(journal->options.directory, journal->lock_file);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}

int journal_open(struct journal **out, const struct journal_options *options, struct journal_past *past,
                 struct error *error)
{
    struct journal *journal = calloc(1, sizeof *journal);
    *out = NULL;
    if (!journal)
        return error_set(error, ERROR_MEMORY, "out of memory");
    journal->options = *options;
    pthread_mutex_init(&journal->lock, NULL);
    journal->lock_file = journal_lock(options->directory, options->output, error);
    int code = journal->lock_file < 0 ? journal->lock_file : begin(journal, past, error);
    if (code < 0)
        free_all(journal);
    else
        *out = journal;
    return code;
}

int journal_open_to_look(struct journal **out, const struct journal_options *options, struct error *error)
{
    struct journal *journal = calloc(1, sizeof *journal);
    struct stat st;
    *out = NULL;
    if (!journal)
        return error_set(error, ERROR_MEMORY, "out of memory");
    journal->options = *options;
    journal->looking = true;
    journal->has_past = true;
    journal->lock_file = -1;
    journal->run = INT64_MAX;
    pthread_mutex_init(&journal->lock, NULL);
    int code = getcwd(journal->here, sizeof journal->here)
                   ? 0
                   : error_set(error, ERROR_IO, "the current directory is gone: %s", strerror(errno));
    if (code == 0 && stat(options->output, &st) == 0)
        code = journal_db_open(&journal->db, options->output, false, NULL, error);
    if (code < 0 || !journal->db)
        free_all(journal);
    else
        *out = journal;
    return code;
}

int journal_swept(struct journal *journal, struct error *error)
{
    char text[128];
    snprintf(text, sizeof text, "UPDATE runs SET ended = 0, how = 'killed' WHERE ended IS NULL AND id < %lld",
             (long long)journal->run);
    return journal_db_run(journal->db, text, error);
}

bool journal_has_past(const struct journal *journal)
{
    return journal->has_past;
}

static int note_end(struct journal *journal, const struct journal_end *end, struct error *error)
{
    sqlite3_stmt *update = NULL;
    TRY(journal_db_prepare(
        journal->db,
        "UPDATE runs SET ended = ?1, how = ?2, exit_code = ?3, found = ?4, done = ?5, skipped = ?6, "
        "failed = ?7 WHERE id = ?8",
        &update, error));
    sqlite3_bind_int64(update, 1, now_ns());
    journal_db_bind_text(update, 2, end->how);
    sqlite3_bind_int(update, 3, end->exit_code);
    sqlite3_bind_int64(update, 4, (sqlite3_int64)end->found);
    sqlite3_bind_int64(update, 5, (sqlite3_int64)end->done);
    sqlite3_bind_int64(update, 6, (sqlite3_int64)end->skipped);
    sqlite3_bind_int64(update, 7, (sqlite3_int64)end->failed);
    sqlite3_bind_int64(update, 8, journal->run);
    int code = journal_db_step(update, error);
    sqlite3_finalize(update);
    return code;
}

/* What could not be listed in earlier runs: where it was mended since, nothing takes its place. */
static int forget_strays(struct journal *journal, struct error *error)
{
    char text[128];
    snprintf(text, sizeof text,
             "DELETE FROM items WHERE root IN (SELECT id FROM roots) AND name = '' AND run < %lld",
             (long long)journal->run);
    TRY(journal_db_run(journal->db, text, error));
    return journal_db_run(
        journal->db, "DELETE FROM roots WHERE NOT EXISTS (SELECT 1 FROM items WHERE root = roots.id)", error);
}

int journal_close(struct journal *journal, const struct journal_end *end, struct error *error)
{
    if (!journal)
        return 0;
    int code = journal_commit(journal, error);
    if (code == 0 && end->listed && !journal->looking)
        code = forget_strays(journal, error);
    if (code == 0 && !journal->looking)
        code = note_end(journal, end, error);
    free_all(journal);
    return code;
}
