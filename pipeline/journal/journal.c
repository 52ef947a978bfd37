/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/journal/journal_digits.h"
#include "pipeline/journal/journal_lock.h"
#include "pipeline/shared/clock.h"

/* Rows wait for their transaction until there are so many, or for so long. */
#define BATCH_ROWS  512u
#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_NS    250000000u

static const char put_text[] = "INSERT OR REPLACE INTO items (root, name, run, status, size, mtime, config, "
                               "attempts, times, class, stage, "
                               "reason, warning, outputs, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                               "?9, ?10, ?11, ?12, ?13, ?14, ?15)";
static const char find_text[] =
    "SELECT status, attempts, class, stage, reason, outputs, record FROM items WHERE root = ?1 AND name = ?2 "
    "AND "
    "size = ?3 AND mtime = ?4 AND config = CASE status WHEN 1 THEN ?5 ELSE ?6 END AND run < ?7";
static const char retract_text[] =
    "UPDATE items SET status = 2, config = ?1, class = ?2, stage = ?3, reason = ?4 "
    "WHERE " JOURNAL_PATH " = ?5";

/* Nanoseconds since 1970. */
static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Runs a statement without parameters or rows, for another time. */
static int run_prepared(sqlite3_stmt *statement, struct error *error)
{
    int code = journal_db_step(statement, error);
    sqlite3_reset(statement);
    return code;
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
                                          "INSERT INTO runs (version, steps, began) VALUES (?1, ?2, ?3)",
                                          &insert, error)
                     : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0) {
        sqlite3_bind_text(insert, 1, FORKMILL_VERSION, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, names, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, now_ns());
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
    TRY(journal_db_prepare(journal->db, put_text, &journal->put, error));
    TRY(journal_db_prepare(journal->db, find_text, &journal->find, error));
    TRY(journal_db_prepare(journal->db, retract_text, &journal->retract, error));
    TRY(journal_db_prepare(journal->db, "BEGIN IMMEDIATE", &journal->begin, error));
    return journal_db_prepare(journal->db, "COMMIT", &journal->commit, error);
}

static void free_all(struct journal *journal)
{
    sqlite3_finalize(journal->put);
    sqlite3_finalize(journal->find);
    sqlite3_finalize(journal->retract);
    sqlite3_finalize(journal->begin);
    sqlite3_finalize(journal->commit);
    sqlite3_close(journal->db);
    journal_unlock(journal->options.directory, journal->lock_file);
    pthread_mutex_destroy(&journal->lock);
    free(journal->batch.bytes);
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
    if (code == 0 && journal->db)
        code = journal_db_prepare(journal->db, find_text, &journal->find, error);
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

void journal_bind_key(struct journal *journal, sqlite3_stmt *statement, const char *shown, const char *rel)
{
    struct journal_name *name = &journal->name;
    journal_name_make(name, journal->here, shown, rel);
    sqlite3_bind_text(statement, 1, name->path, (int)name->root_bytes, SQLITE_STATIC);
    journal_db_bind_text(statement, 2, rel);
}

void journal_bind_digest(sqlite3_stmt *statement, int at, const uint8_t *digest)
{
    sqlite3_bind_blob(statement, at, digest, CONFIG_DIGEST_BYTES, SQLITE_STATIC);
}

/* The rows that wait become part of a transaction. Under the lock. */
static int write_rows(struct journal *journal, struct error *error)
{
    if (!journal->open)
        TRY(run_prepared(journal->begin, error));
    journal->open = true;
    return journal_batch_insert(&journal->batch, journal->put, error);
}

/* Under the lock. */
static int commit(struct journal *journal, struct error *error)
{
    if (journal->waiting == 0)
        return 0;
    journal->waiting = 0;
    int code = 0;
    if (journal->options.before_commit)
        code = journal->options.before_commit(journal->options.context, error);
    if (code == 0)
        code = write_rows(journal, error);
    if (code == 0)
        code = run_prepared(journal->commit, error);
    if (code < 0) /* their items are done again by the next run */
        sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    journal->open = false;
    journal->batch.used_bytes = 0;
    return code;
}

/* As text, a space between two. */
static struct journal_value times_of(const struct journal *journal, const uint64_t *step_ns, char *text,
                                     size_t size)
{
    char *at = text;
    for (unsigned i = 0; step_ns && i < journal->options.step_count; i++) {
        if (size - (size_t)(at - text) < JOURNAL_DIGITS_BYTES + 1)
            break;
        if (i > 0)
            *at++ = ' ';
        at = journal_digits(at, step_ns[i]);
    }
    return (struct journal_value){.kind = JOURNAL_TEXT, .length_bytes = (size_t)(at - text), .bytes = text};
}

/* Under the lock. */
static int add_row(struct journal *journal, const struct journal_row *row, struct error *error)
{
    const struct config_digest *digest = &journal->options.digest;
    const struct error *why = row->error;
    struct journal_name *name = &journal->name;
    char times[2048];
    journal_name_make(name, journal->here, row->shown, row->rel);
    /* In the order of put_text. */
    const struct journal_value values[] = {
        {.kind = JOURNAL_TEXT, .length_bytes = name->root_bytes, .bytes = name->path},
        journal_text(row->rel),
        journal_integer(journal->run),
        journal_integer(why ? STATUS_FAILED : STATUS_DONE),
        journal_integer((int64_t)row->size_bytes),
        journal_integer(row->mtime_ns),
        journal_blob(why ? digest->failures : digest->bytes, CONFIG_DIGEST_BYTES),
        journal_integer(row->attempts),
        times_of(journal, row->step_ns, times, sizeof times),
        journal_text(why ? error_name(why->code) : NULL),
        journal_text(why && *why->stage ? why->stage : NULL),
        journal_text(why ? why->reason : NULL),
        journal_text(row->warning),
        journal_blob(row->outputs_bytes ? row->outputs : "", row->outputs_bytes),
        journal_blob(row->record, row->record_bytes),
    };
    return journal_batch_add(&journal->batch, values, sizeof values / sizeof *values, error);
}

/* Under the lock. */
static void count_change(struct journal *journal)
{
    if (journal->waiting++ == 0)
        journal->since_ns = clock_ns();
}

/* Under the lock. */
static int commit_if_due(struct journal *journal, struct error *error)
{
    const bool due = journal->waiting >= BATCH_ROWS || journal->batch.used_bytes >= BATCH_BYTES ||
                     (journal->waiting > 0 && clock_ns() - journal->since_ns >= BATCH_NS);
    return due ? commit(journal, error) : 0;
}

int journal_put(struct journal *journal, const struct journal_row *row, struct error *error)
{
    pthread_mutex_lock(&journal->lock);
    int code = add_row(journal, row, error);
    if (code == 0)
        count_change(journal);
    pthread_mutex_unlock(&journal->lock);
    return code;
}

int journal_retract(struct journal *journal, const char *shown, const struct error *why, struct error *error)
{
    sqlite3_stmt *retract = journal->retract;
    pthread_mutex_lock(&journal->lock);
    count_change(journal);
    int code = write_rows(journal, error); /* the row to change may be among them */
    if (code == 0) {
        journal_name_make(&journal->name, journal->here, shown, "");
        journal_bind_digest(retract, 1, journal->options.digest.failures);
        journal_db_bind_text(retract, 2, error_name(why->code));
        journal_db_bind_text(retract, 3, *why->stage ? why->stage : NULL);
        journal_db_bind_text(retract, 4, why->reason);
        journal_db_bind_text(retract, 5, journal->name.path);
        code = journal_db_step(retract, error);
        sqlite3_reset(retract);
    }
    pthread_mutex_unlock(&journal->lock);
    return code;
}

int journal_tick(struct journal *journal, struct error *error)
{
    pthread_mutex_lock(&journal->lock);
    int code = commit_if_due(journal, error);
    pthread_mutex_unlock(&journal->lock);
    return code;
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

int journal_close(struct journal *journal, const struct journal_end *end, struct error *error)
{
    if (!journal)
        return 0;
    int code = commit(journal, error);
    if (code == 0 && !journal->looking)
        code = note_end(journal, end, error);
    free_all(journal);
    return code;
}
