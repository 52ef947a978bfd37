/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pipeline/journal/journal_private.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/digits.h"

/* Rows wait for their transaction until there are so many, or for so long. */
#define BATCH_ROWS  1024u
#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_NS    250000000u

/* So many of them go to SQLite ahead of the commit: they do not take much memory, nor their writer long. */
#define STRETCH_ROWS 128u

#define PUT                                                                                                  \
    "INSERT OR REPLACE INTO items (root, name, run, status, size, mtime, attempts, times, class, stage, "    \
    "reason, warning, outputs, record) VALUES "
#define ROW "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

/* Of rows that are in order SQLite finds the next one's place at the last one's side, but forgets it from
 * statement to statement: many in one take two thirds of the time. */
#define EIGHT     ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW "," ROW
#define PUT_MANY  PUT EIGHT "," EIGHT "," EIGHT "," EIGHT
#define MANY_ROWS 32

static const char retract_text[] =
    "UPDATE items SET status = 2, run = ?1, class = ?2, stage = ?3, reason = ?4 WHERE EXISTS "
    "(SELECT 1 FROM roots WHERE roots.id = items.root AND " JOURNAL_PATH " = ?5)";

int journal_put_open(struct journal *journal, struct error *error)
{
    const struct {
        const char *text;
        sqlite3_stmt **statement;
    } all[] = {
        {PUT ROW, &journal->put},
        {"SELECT id FROM roots WHERE path = ?1", &journal->find_root},
        {"INSERT INTO roots (path) VALUES (?1)", &journal->put_root},
        {"BEGIN IMMEDIATE", &journal->begin},
        {"COMMIT", &journal->commit},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        TRY(journal_db_prepare(journal->db, all[i].text, all[i].statement, error));
    return 0;
}

void journal_put_close(struct journal *journal)
{
    sqlite3_finalize(journal->put);
    sqlite3_finalize(journal->put_many);
    sqlite3_finalize(journal->retract);
    sqlite3_finalize(journal->find_root);
    sqlite3_finalize(journal->put_root);
    sqlite3_finalize(journal->begin);
    sqlite3_finalize(journal->commit);
    free(journal->batch.bytes);
}

/* Runs a statement for another time; 1: it gave a row, whose first column is *number. */
static int run(sqlite3_stmt *statement, int64_t *number, struct error *error)
{
    int code = journal_db_step(statement, error);
    if (code > 0 && number)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return code;
}

/* A transaction, where none is under way. Under the lock, as all below. */
static int open_transaction(struct journal *journal, struct error *error)
{
    if (!journal->open)
        TRY(run(journal->begin, NULL, error));
    journal->open = true;
    return 0;
}

/* The rows that wait become part of the transaction. */
static int write_rows(struct journal *journal, struct error *error)
{
    TRY(open_transaction(journal, error));
    if (!journal->put_many && journal->batch.rows >= MANY_ROWS)
        TRY(journal_db_prepare(journal->db, PUT_MANY, &journal->put_many, error));
    return journal_batch_insert(&journal->batch, journal->put, journal->put_many, error);
}

int journal_commit(struct journal *journal, struct error *error)
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
        code = run(journal->commit, NULL, error);
    if (code < 0) { /* their items are done again by the next run */
        sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
        journal->root.id = 0;
    }
    journal->open = false;
    journal_batch_clear(&journal->batch);
    return code;
}

/* The number of the root that `journal->name` begins with. Most items have the one of the item before. */
static int find_root(struct journal *journal, struct error *error)
{
    const struct journal_name *name = &journal->name;
    struct journal_root *root = &journal->root;
    if (root->id > 0 && root->length == name->root_bytes && memcmp(root->path, name->path, root->length) == 0)
        return 0;
    root->id = 0;
    TRY(open_transaction(journal, error));
    sqlite3_bind_text(journal->find_root, 1, name->path, (int)name->root_bytes, SQLITE_STATIC);
    TRY(run(journal->find_root, &root->id, error));
    if (root->id == 0) {
        sqlite3_bind_text(journal->put_root, 1, name->path, (int)name->root_bytes, SQLITE_STATIC);
        TRY(run(journal->put_root, NULL, error));
        root->id = sqlite3_last_insert_rowid(journal->db);
    }
    root->length = name->root_bytes;
    memcpy(root->path, name->path, root->length);
    return 0;
}

/* As text, a space between two. */
static struct journal_value times_of(const struct journal *journal, const uint64_t *step_ns, char *text,
                                     size_t size)
{
    char *at = text;
    for (unsigned i = 0; step_ns && i < journal->options.step_count; i++) {
        if (size - (size_t)(at - text) < DIGITS_BYTES + 1)
            break;
        if (i > 0)
            *at++ = ' ';
        at = digits_put(at, step_ns[i]);
    }
    return (struct journal_value){.kind = JOURNAL_TEXT, .length_bytes = (size_t)(at - text), .bytes = text};
}

static int write_some(struct journal *journal, struct error *error)
{
    return journal->batch.rows >= STRETCH_ROWS ? write_rows(journal, error) : 0;
}

static int add_row(struct journal *journal, const struct journal_row *row, struct error *error)
{
    const struct error *why = row->error;
    char times[2048];
    journal_name_make(&journal->name, journal->here, row->shown, row->rel);
    TRY(find_root(journal, error));
    /* In the order of PUT. */
    const struct journal_value values[] = {
        journal_integer(journal->root.id),
        journal_text(row->rel),
        journal_integer(journal->run),
        journal_integer(why ? STATUS_FAILED : STATUS_DONE),
        journal_integer((int64_t)row->size_bytes),
        journal_integer(row->mtime_ns),
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

static void count_change(struct journal *journal)
{
    if (journal->waiting++ == 0)
        journal->since_ns = clock_ns();
}

static int commit_if_due(struct journal *journal, struct error *error)
{
    const bool due = journal->waiting >= BATCH_ROWS || journal->batch.used_bytes >= BATCH_BYTES ||
                     (journal->waiting > 0 && clock_ns() - journal->since_ns >= BATCH_NS);
    return due ? journal_commit(journal, error) : 0;
}

int journal_put(struct journal *journal, const struct journal_row *row, struct error *error)
{
    pthread_mutex_lock(&journal->lock);
    count_change(journal);
    int code = add_row(journal, row, error);
    if (code == 0)
        code = write_some(journal, error);
    pthread_mutex_unlock(&journal->lock);
    return code;
}

static int retract(struct journal *journal, const char *shown, const struct error *why, struct error *error)
{
    TRY(write_rows(journal, error)); /* the row to change may be among them */
    if (!journal->retract)
        TRY(journal_db_prepare(journal->db, retract_text, &journal->retract, error));
    sqlite3_stmt *update = journal->retract;
    journal_name_make(&journal->name, journal->here, shown, "");
    sqlite3_bind_int64(update, 1, journal->run);
    journal_db_bind_text(update, 2, error_name(why->code));
    journal_db_bind_text(update, 3, *why->stage ? why->stage : NULL);
    journal_db_bind_text(update, 4, why->reason);
    journal_db_bind_text(update, 5, journal->name.path);
    return run(update, NULL, error);
}

int journal_retract(struct journal *journal, const char *shown, const struct error *why, struct error *error)
{
    pthread_mutex_lock(&journal->lock);
    count_change(journal);
    int code = retract(journal, shown, why, error);
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
