/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/journal/journal_db.h"
#include "pipeline/journal/journal_lock.h"
#include "pipeline/journal/journal_outputs.h"

static const char runs_query[] =
    "SELECT id, steps, began, ended, how, exit_code, found, done, skipped, failed "
    "FROM runs ORDER BY id";
static const char items_query[] = "SELECT " JOURNAL_PATH ", run, "
                                  "status, size, attempts, times, "
                                  "class, stage, reason, warning, outputs "
                                  "FROM items JOIN roots ON roots.id = items.root";

static int no_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory");
}

/* Room for one more element in an array that doubles; NULL: out of memory. */
static void *grow(void *array, size_t count, size_t element_bytes)
{
    if (count > 0 && (count & (count - 1)) != 0)
        return array;
    return realloc(array, (count ? 2 * count : 1) * element_bytes);
}

static int take_run(struct history *history, sqlite3_stmt *row, bool busy, struct error *error)
{
    struct history_run *runs = grow(history->runs, history->run_count, sizeof *runs);
    char *steps = strdup(journal_db_text(row, 1));
    if (runs)
        history->runs = runs;
    if (!runs || !steps) {
        free(steps);
        return no_memory(error);
    }
    struct history_run *run = &runs[history->run_count++];
    *run = (struct history_run){
        .id = sqlite3_column_int64(row, 0),
        .steps = steps,
        .began_ns = sqlite3_column_int64(row, 2),
        .ended_ns = sqlite3_column_int64(row, 3),
        .exit_code = sqlite3_column_int(row, 5),
        .counted = sqlite3_column_type(row, 5) != SQLITE_NULL,
        .found = (uint64_t)sqlite3_column_int64(row, 6),
        .done = (uint64_t)sqlite3_column_int64(row, 7),
        .skipped = (uint64_t)sqlite3_column_int64(row, 8),
        .failed = (uint64_t)sqlite3_column_int64(row, 9),
    };
    const bool open = sqlite3_column_type(row, 3) == SQLITE_NULL;
    snprintf(run->how, sizeof run->how, "%s", !open ? journal_db_text(row, 4) : busy ? "running" : "killed");
    return 0;
}

/* Only the last of the runs that have no end can be the one that is at work. */
static void settle_ends(struct history *history)
{
    for (size_t i = 0; i + 1 < history->run_count; i++) {
        if (strcmp(history->runs[i].how, "running") == 0)
            snprintf(history->runs[i].how, sizeof history->runs[i].how, "killed");
    }
}

static const struct history_run *run_of(const struct history *history, int64_t id)
{
    size_t low = 0, high = history->run_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (history->runs[middle].id == id)
            return &history->runs[middle];
        if (history->runs[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct history_step *step_called(struct history *history, const char *name, size_t length)
{
    char word[sizeof history->steps[0].name];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    for (unsigned i = 0; i < history->step_count; i++) {
        if (strcmp(history->steps[i].name, word) == 0)
            return &history->steps[i];
    }
    if (history->step_count == HISTORY_STEPS)
        return NULL;
    struct history_step *step = &history->steps[history->step_count++];
    snprintf(step->name, sizeof step->name, "%s", word);
    return step;
}

/* Books an item's times with the steps of its run; what it took, and where most of it went. */
static void take_times(struct history *history, int64_t run_id, const char *times, struct history_slow *slow)
{
    const struct history_run *run = run_of(history, run_id);
    uint64_t most_ns = 0;
    for (const char *name = run ? run->steps : ""; *name && *times;) {
        const size_t length = strcspn(name, "\n");
        char *behind;
        const uint64_t ns = strtoull(times, &behind, 10);
        if (behind == times)
            return;
        struct history_step *step = step_called(history, name, length);
        if (step) {
            step->ns += ns;
            step->items++;
        }
        slow->ns += ns;
        if (step && ns > most_ns) {
            most_ns = ns;
            memcpy(slow->step, step->name, sizeof slow->step);
        }
        times = behind + (*behind == ' ');
        name += length + (name[length] == '\n');
    }
}

/* Puts the item where it belongs among the slowest, if it does. */
static int rank(struct history *history, const struct history_slow *slow, const char *path,
                struct error *error)
{
    struct history_slow *slowest = history->slowest;
    unsigned at = HISTORY_SLOWEST;
    while (at > 0 && (!slowest[at - 1].path || slowest[at - 1].ns < slow->ns))
        at--;
    if (at == HISTORY_SLOWEST || slow->ns == 0)
        return 0;
    char *copy = strdup(path);
    if (!copy)
        return no_memory(error);
    free(slowest[HISTORY_SLOWEST - 1].path);
    memmove(&slowest[at + 1], &slowest[at], (HISTORY_SLOWEST - 1 - at) * sizeof *slowest);
    slowest[at] = *slow;
    slowest[at].path = copy;
    return 0;
}

/* Two codes may have one word; the first one counts. A word that is none is not counted by class. */
static void count_class(struct history *history, const char *kind)
{
    int code = 0;
    while (code >= ERROR_LAST && strcmp(error_name(code), kind) != 0)
        code--;
    if (code >= ERROR_LAST) {
        history->classes[-code].name = error_name(code);
        history->classes[-code].count++;
    }
}

static int take_failure(struct history *history, sqlite3_stmt *row, struct error *error)
{
    struct history_failure *failures = grow(history->failures, history->failure_count, sizeof *failures);
    if (!failures)
        return no_memory(error);
    history->failures = failures;
    struct history_failure *failure = &failures[history->failure_count++];
    *failure = (struct history_failure){.path = strdup(journal_db_text(row, 0)),
                                        .kind = strdup(journal_db_text(row, 6)),
                                        .stage = strdup(journal_db_text(row, 7)),
                                        .reason = strdup(journal_db_text(row, 8)),
                                        .attempts = (uint32_t)sqlite3_column_int(row, 4)};
    history->failed++;
    count_class(history, journal_db_text(row, 6));
    return failure->path && failure->kind && failure->stage && failure->reason ? 0 : no_memory(error);
}

static int take_item(struct history *history, sqlite3_stmt *row, struct error *error)
{
    struct history_slow slow = {0};
    if (sqlite3_column_int(row, 2) != 1)
        return take_failure(history, row, error);
    history->done++;
    history->bytes_in += (uint64_t)sqlite3_column_int64(row, 3);
    history->warnings += sqlite3_column_type(row, 9) != SQLITE_NULL;
    const char *outputs = sqlite3_column_blob(row, 10);
    journal_outputs_sum(outputs, (size_t)sqlite3_column_bytes(row, 10), &history->outputs,
                        &history->bytes_out);
    take_times(history, sqlite3_column_int64(row, 1), journal_db_text(row, 5), &slow);
    return rank(history, &slow, journal_db_text(row, 0), error);
}

static int read_runs(struct history *history, sqlite3 *db, bool busy, struct error *error)
{
    sqlite3_stmt *rows = NULL;
    int code = 0, stepped = sqlite3_prepare_v2(db, runs_query, -1, &rows, NULL);
    while (stepped == SQLITE_OK && code == 0 && sqlite3_step(rows) == SQLITE_ROW)
        code = take_run(history, rows, busy, error);
    settle_ends(history);
    if (sqlite3_finalize(rows) != SQLITE_OK || stepped != SQLITE_OK)
        return journal_db_failed(db, error);
    return code;
}

static int read_items(struct history *history, sqlite3 *db, struct error *error)
{
    sqlite3_stmt *rows = NULL;
    int code = 0, stepped = sqlite3_prepare_v2(db, items_query, -1, &rows, NULL);
    while (stepped == SQLITE_OK && code == 0 && sqlite3_step(rows) == SQLITE_ROW)
        code = take_item(history, rows, error);
    if (sqlite3_finalize(rows) != SQLITE_OK || stepped != SQLITE_OK)
        return journal_db_failed(db, error);
    return code;
}

int history_read(struct history *history, const char *output, struct error *error)
{
    sqlite3 *db;
    *history = (struct history){0};
    TRY(journal_db_open(&db, output, false, NULL, error));
    if (!db)
        return 0;
    /* One look at both tables: a run may be at work. */
    const bool busy = journal_lock_held(output);
    int code = journal_db_run(db, "BEGIN", error);
    if (code == 0)
        code = read_runs(history, db, busy, error);
    if (code == 0)
        code = read_items(history, db, error);
    sqlite3_close(db);
    return code < 0 ? code : 1;
}

void history_free(struct history *history)
{
    for (size_t i = 0; i < history->run_count; i++)
        free(history->runs[i].steps);
    for (size_t i = 0; i < history->failure_count; i++) {
        struct history_failure *failure = &history->failures[i];
        free(failure->path);
        free(failure->kind);
        free(failure->stage);
        free(failure->reason);
    }
    for (unsigned i = 0; i < HISTORY_SLOWEST; i++)
        free(history->slowest[i].path);
    free(history->runs);
    free(history->failures);
    *history = (struct history){0};
}
