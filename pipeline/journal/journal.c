/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/journal/journal_db.h"
#include "pipeline/journal/journal_lock.h"
#include "pipeline/journal/journal_name.h"
#include "pipeline/shared/clock.h"

/* Rows wait for their transaction's end until there are so many, or for so long. */
#define BATCH_ROWS 512u
#define BATCH_NS   250000000u

struct journal {
    struct journal_options options;
    pthread_mutex_t lock; /* guards all below */
    sqlite3 *db;
    sqlite3_stmt *put, *find, *retract;
    sqlite3_int64 run;
    bool has_past, looking;
    unsigned waiting; /* rows put since the transaction began */
    uint64_t since_ns;
    int lock_file;
    struct journal_name name; /* of the item at hand */
    char here[PATH_MAX];
};

enum { STATUS_DONE = 1, STATUS_FAILED = 2 };

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

static int prepare(struct journal *journal, const char *text, sqlite3_stmt **statement, struct error *error)
{
    int code = sqlite3_prepare_v3(journal->db, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return code == SQLITE_OK ? 0 : journal_db_failed(journal->db, error);
}

/* Runs a statement that gives at most one row. 1: it gave it, 0: it gave none. */
static int step(struct journal *journal, sqlite3_stmt *statement, struct error *error)
{
    int code = sqlite3_step(statement);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : journal_db_failed(journal->db, error);
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
    int code = names ? prepare(journal, "INSERT INTO runs (version, steps, began) VALUES (?1, ?2, ?3)",
                               &insert, error)
                     : error_set(error, ERROR_MEMORY, "out of memory");
    if (code == 0) {
        sqlite3_bind_text(insert, 1, FORKMILL_VERSION, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, names, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, now_ns());
        code = step(journal, insert, error);
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
    TRY(prepare(journal, query, &statement, error));
    int code = step(journal, statement, error);
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
    TRY(prepare(journal, put_text, &journal->put, error));
    TRY(prepare(journal, find_text, &journal->find, error));
    return prepare(journal, retract_text, &journal->retract, error);
}

static void free_all(struct journal *journal)
{
    sqlite3_finalize(journal->put);
    sqlite3_finalize(journal->find);
    sqlite3_finalize(journal->retract);
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
    if (code == 0 && journal->db)
        code = prepare(journal, find_text, &journal->find, error);
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

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, at);
}

/* Parameters 1 and 2: the item's key. */
static void bind_key(struct journal *journal, sqlite3_stmt *statement, const char *shown, const char *rel)
{
    struct journal_name *name = &journal->name;
    journal_name_make(name, journal->here, shown, rel);
    sqlite3_bind_text(statement, 1, name->path, (int)name->root_bytes, SQLITE_STATIC);
    bind_text(statement, 2, rel);
}

static void bind_digest(sqlite3_stmt *statement, int at, const uint8_t *digest)
{
    sqlite3_bind_blob(statement, at, digest, CONFIG_DIGEST_BYTES, SQLITE_STATIC);
}

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

int journal_find(struct journal *journal, const char *shown, const char *rel, uint64_t size_bytes,
                 int64_t mtime_ns, enum journal_fate *fate, struct journal_found *found, struct error *error)
{
    sqlite3_stmt *find = journal->find;
    *fate = JOURNAL_NOTHING;
    pthread_mutex_lock(&journal->lock);
    bind_key(journal, find, shown, rel);
    sqlite3_bind_int64(find, 3, (sqlite3_int64)size_bytes);
    sqlite3_bind_int64(find, 4, mtime_ns);
    bind_digest(find, 5, journal->options.digest.bytes);
    bind_digest(find, 6, journal->options.digest.failures);
    sqlite3_bind_int64(find, 7, journal->run);
    int code = step(journal, find, error);
    if (code > 0)
        code = take_found(find, fate, found, error);
    sqlite3_reset(find);
    pthread_mutex_unlock(&journal->lock);
    return code;
}

void journal_found_free(struct journal_found *found)
{
    free(found->outputs);
    free(found->record);
    *found = (struct journal_found){0};
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
        code = journal_db_run(journal->db, "COMMIT", error);
    if (code < 0) /* their items are done again by the next run */
        sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static void bind_times(struct journal *journal, const uint64_t *step_ns, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; step_ns && i < journal->options.step_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, i ? " " : "", step_ns[i]);
    sqlite3_bind_text(journal->put, 9, text, -1, SQLITE_STATIC);
}

static void bind_failure(sqlite3_stmt *put, const struct error *error)
{
    bind_text(put, 10, error ? error_name(error->code) : NULL);
    bind_text(put, 11, error && *error->stage ? error->stage : NULL);
    bind_text(put, 12, error ? error->reason : NULL);
}

/* Under the lock. */
static int insert(struct journal *journal, const struct journal_row *row, struct error *error)
{
    sqlite3_stmt *put = journal->put;
    const struct config_digest *digest = &journal->options.digest;
    char times[2048];
    bind_key(journal, put, row->shown, row->rel);
    sqlite3_bind_int64(put, 3, journal->run);
    sqlite3_bind_int(put, 4, row->error ? STATUS_FAILED : STATUS_DONE);
    sqlite3_bind_int64(put, 5, (sqlite3_int64)row->size_bytes);
    sqlite3_bind_int64(put, 6, row->mtime_ns);
    bind_digest(put, 7, row->error ? digest->failures : digest->bytes);
    sqlite3_bind_int64(put, 8, row->attempts);
    bind_times(journal, row->step_ns, times, sizeof times);
    bind_failure(put, row->error);
    bind_text(put, 13, row->warning);
    sqlite3_bind_blob64(put, 14, row->outputs_bytes ? row->outputs : "", row->outputs_bytes, SQLITE_STATIC);
    if (row->record)
        sqlite3_bind_blob64(put, 15, row->record, row->record_bytes, SQLITE_STATIC);
    else
        sqlite3_bind_null(put, 15);
    int code = step(journal, put, error);
    sqlite3_reset(put);
    return code;
}

/* A transaction for what comes, where none is under way. Under the lock. */
static int open_batch(struct journal *journal, struct error *error)
{
    if (journal->waiting == 0) {
        TRY(journal_db_run(journal->db, "BEGIN IMMEDIATE", error));
        journal->since_ns = clock_ns();
    }
    journal->waiting++;
    return 0;
}

/* Under the lock. */
static int commit_if_due(struct journal *journal, struct error *error)
{
    const bool due = journal->waiting >= BATCH_ROWS ||
                     (journal->waiting > 0 && clock_ns() - journal->since_ns >= BATCH_NS);
    return due ? commit(journal, error) : 0;
}

int journal_put(struct journal *journal, const struct journal_row *row, struct error *error)
{
    pthread_mutex_lock(&journal->lock);
    int code = open_batch(journal, error);
    if (code == 0)
        code = insert(journal, row, error);
    pthread_mutex_unlock(&journal->lock);
    return code;
}

int journal_retract(struct journal *journal, const char *shown, const struct error *why, struct error *error)
{
    sqlite3_stmt *retract = journal->retract;
    pthread_mutex_lock(&journal->lock);
    int code = open_batch(journal, error);
    if (code == 0) {
        journal_name_make(&journal->name, journal->here, shown, "");
        bind_digest(retract, 1, journal->options.digest.failures);
        bind_text(retract, 2, error_name(why->code));
        bind_text(retract, 3, *why->stage ? why->stage : NULL);
        bind_text(retract, 4, why->reason);
        bind_text(retract, 5, journal->name.path);
        code = step(journal, retract, error);
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
    TRY(prepare(journal,
                "UPDATE runs SET ended = ?1, how = ?2, exit_code = ?3, found = ?4, done = ?5, skipped = ?6, "
                "failed = ?7 WHERE id = ?8",
                &update, error));
    sqlite3_bind_int64(update, 1, now_ns());
    bind_text(update, 2, end->how);
    sqlite3_bind_int(update, 3, end->exit_code);
    sqlite3_bind_int64(update, 4, (sqlite3_int64)end->found);
    sqlite3_bind_int64(update, 5, (sqlite3_int64)end->done);
    sqlite3_bind_int64(update, 6, (sqlite3_int64)end->skipped);
    sqlite3_bind_int64(update, 7, (sqlite3_int64)end->failed);
    sqlite3_bind_int64(update, 8, journal->run);
    int code = step(journal, update, error);
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
