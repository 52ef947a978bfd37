/* SPDX-License-Identifier: MIT */
#include "pipeline/journal/journal_db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "FMJ" and the version of the schema. */
#define APPLICATION_ID 0x464d4a00
#define SCHEMA_VERSION 2
/* Larger values in a row are not ours. */
#define MOST_VALUE_BYTES (64 << 20)
/* How long to wait for a reader that stands in the way of tidying up. */
#define BUSY_MS 5000

#define ADVICE "; once it is moved away, all is done again; --no-journal does without it"

/* Of the journal's path an error has room for so much, its end. */
#define SHOWN_BYTES 90

/* An item is known by where it was found and by its name there, which decides what its outputs are called.
 * Times are nanoseconds; `times` has a number for each step of the run, `outputs` is journal_outputs.h's.
 * A row holds for the digests of its run's config: `config` where it says done, `limits` where it says
 * failed. */
static const char *const tables[] = {
    "CREATE TABLE roots (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)",
    "CREATE TABLE items (root INTEGER NOT NULL, name TEXT NOT NULL, run INTEGER NOT NULL, "
    "status INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, attempts INTEGER NOT NULL, "
    "times TEXT NOT NULL, class TEXT, stage TEXT, reason TEXT, warning TEXT, outputs BLOB NOT NULL, "
    "record BLOB, PRIMARY KEY (root, name)) WITHOUT ROWID",
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, version TEXT NOT NULL, config BLOB NOT NULL, "
    "limits BLOB NOT NULL, steps TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER, how TEXT, "
    "exit_code INTEGER, found INTEGER, done INTEGER, skipped INTEGER, failed INTEGER)",
};
#define TABLES (sizeof tables / sizeof *tables)

static const char *shown(const char *path, char text[SHOWN_BYTES + 4])
{
    const size_t length = strlen(path);
    const bool cut = length > SHOWN_BYTES;
    snprintf(text, SHOWN_BYTES + 4, "%s%.*s", cut ? "..." : "", SHOWN_BYTES,
             cut ? path + length - SHOWN_BYTES : path);
    return text;
}

/* Where the open journal is. */
static const char *place(sqlite3 *db, char text[SHOWN_BYTES + 4])
{
    const char *path = sqlite3_db_filename(db, "main");
    return shown(path && *path ? path : JOURNAL_FILE, text);
}

int journal_db_failed(sqlite3 *db, struct error *error)
{
    char text[SHOWN_BYTES + 4];
    const int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    if (code == SQLITE_NOMEM)
        return error_set(error, ERROR_MEMORY, "the journal: out of memory");
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return error_set(error, ERROR_IO, "the journal %s is damaged: %.40s" ADVICE, place(db, text),
                         sqlite3_errmsg(db));
    const int cause = (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;
    return error_set(error, code == SQLITE_FULL ? ERROR_DISK_FULL : ERROR_IO, "the journal %s: %.60s%s%s%s",
                     place(db, text), sqlite3_errmsg(db), cause ? ": " : "", cause ? strerror(cause) : "",
                     code == SQLITE_FULL ? "" : "; --no-journal does without it");
}

const char *journal_db_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text ? text : "";
}

int journal_db_prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement, struct error *error)
{
    int code = sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return code == SQLITE_OK ? 0 : journal_db_failed(db, error);
}

int journal_db_step(sqlite3_stmt *statement, struct error *error)
{
    int code = sqlite3_step(statement);
    return code == SQLITE_ROW    ? 1
           : code == SQLITE_DONE ? 0
                                 : journal_db_failed(sqlite3_db_handle(statement), error);
}

void journal_db_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, at);
}

int journal_db_run(sqlite3 *db, const char *statements, struct error *error)
{
    return sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK ? 0 : journal_db_failed(db, error);
}

/* The number that a statement gives. */
static int ask(sqlite3 *db, const char *query, sqlite3_int64 *number, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, query, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    int result = code == SQLITE_ROW ? 0 : journal_db_failed(db, error);
    sqlite3_finalize(statement);
    return result;
}

/* Does the row hold what one of our tables was made with, or an index that SQLite makes for one by itself? */
static bool is_ours(sqlite3_stmt *row, unsigned *count)
{
    if (sqlite3_column_type(row, 0) == SQLITE_NULL)
        return true;
    for (size_t i = 0; i < TABLES; i++) {
        if (strcmp(journal_db_text(row, 0), tables[i]) == 0) {
            ++*count;
            return true;
        }
    }
    return false;
}

/* Are our tables all there is, word for word? */
static int check_schema(sqlite3 *db, struct error *error)
{
    sqlite3_stmt *rows = NULL;
    char text[SHOWN_BYTES + 4];
    unsigned count = 0;
    bool ours = true;
    int code = sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema", -1, &rows, NULL);
    while (code == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW)
        ours = is_ours(rows, &count) && ours;
    code = code == SQLITE_OK ? sqlite3_reset(rows) : code;
    sqlite3_finalize(rows);
    if (code != SQLITE_OK)
        return journal_db_failed(db, error);
    if (!ours || count != TABLES)
        return error_set(error, ERROR_IO, "%s is no journal of forkmill's" ADVICE, place(db, text));
    return 0;
}

static int make_schema(sqlite3 *db, struct error *error)
{
    char version[96];
    snprintf(version, sizeof version, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, SCHEMA_VERSION);
    TRY(journal_db_run(db, "BEGIN IMMEDIATE", error));
    for (size_t i = 0; i < TABLES; i++)
        TRY(journal_db_run(db, tables[i], error));
    return journal_db_run(db, version, error);
}

/* MAX_PATHNAME in SQLite's os_unix.c. */
#define MOST_PATH_BYTES 512

/* SQLite itself does not say that a path is too long for it. */
static int cannot_open(sqlite3 *db, const char *path, struct error *error)
{
    const size_t length = strlen(path);
    if (length <= MOST_PATH_BYTES)
        return journal_db_failed(db, error);
    return error_set(error, ERROR_IO,
                     "the journal: its path has %zu bytes, and SQLite opens none of more than %d; "
                     "--no-journal does without it",
                     length, MOST_PATH_BYTES);
}

/* Makes sure that the database is a journal, or *fresh: empty. Nothing is written to a stranger's. */
static int recognize(sqlite3 *db, bool *fresh, struct error *error)
{
    sqlite3_int64 objects, application, version;
    char text[SHOWN_BYTES + 4];
    TRY(ask(db, "SELECT count(*) FROM sqlite_schema", &objects, error));
    TRY(ask(db, "PRAGMA application_id", &application, error));
    TRY(ask(db, "PRAGMA user_version", &version, error));
    *fresh = objects == 0 && application == 0 && version == 0;
    if (*fresh)
        return 0;
    if (application == APPLICATION_ID && version > 0 && version != SCHEMA_VERSION)
        return error_set(error, ERROR_IO, "%s was made by %s forkmill" ADVICE, place(db, text),
                         version > SCHEMA_VERSION ? "a newer" : "an older");
    if (application != APPLICATION_ID || version != SCHEMA_VERSION)
        return error_set(error, ERROR_IO, "%s is no journal of forkmill's" ADVICE, place(db, text));
    return check_schema(db, error);
}

static int harden(sqlite3 *db, struct error *error)
{
    sqlite3_busy_timeout(db, BUSY_MS);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return journal_db_run(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY",
                          error);
}

/* SQLite writes to files beside the journal, whatever else they are called, and deletes a file that a
 * rollback journal names. A log (WAL) and its index may have been left by a run that was killed; a rollback
 * journal is never ours. */
static int check_beside(const char *journal, struct error *error)
{
    static const char *const suffixes[] = {"-journal", "-wal", "-shm"};
    for (unsigned i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[PATH_MAX + 8], text[SHOWN_BYTES + 4];
        struct stat st;
        snprintf(path, sizeof path, "%s%s", journal, suffixes[i]);
        if (lstat(path, &st) < 0) {
            if (errno != ENOENT)
                return error_set(error, ERROR_IO, "%.160s: %s", path, strerror(errno));
        } else if (i == 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
            return error_set(error, ERROR_IO,
                             "%s is no file of forkmill's; move it away, or --no-journal does without",
                             shown(path, text));
        }
    }
    return 0;
}

/* The journal's path, without a link in it; 1 where there is such a file, 0 where not. */
static int find(const char *output, char *path, struct error *error)
{
    char directory[PATH_MAX];
    struct stat st;
    if (!realpath(output, directory))
        return error_set(error, ERROR_IO, "%.120s: looking for a journal: %s", output, strerror(errno));
    if (snprintf(path, PATH_MAX, "%s/" JOURNAL_FILE, directory) >= PATH_MAX)
        return error_set(error, ERROR_IO, "%.120s: no place for a journal: %s", output,
                         strerror(ENAMETOOLONG));
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : error_set(error, ERROR_IO, "%.160s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return error_set(error, ERROR_IO, "%.100s/" JOURNAL_FILE " is no regular file" ADVICE, output);
    return 1;
}

/* To look at a journal nobody may be writing, in a directory that may be read-only: a file that was left in
 * order needs neither a lock nor files beside it. */
static int open_to_read(sqlite3 **db, const char *path)
{
    char log[PATH_MAX + 4];
    snprintf(log, sizeof log, "%s-wal", path);
    if (access(log, F_OK) == 0)
        return sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL);
    sqlite3_str *uri = sqlite3_str_new(NULL);
    sqlite3_str_appendall(uri, "file:");
    for (const char *at = path; *at; at++)
        sqlite3_str_appendf(uri, strchr("%?#", *at) ? "%%%02X" : "%c", (unsigned char)*at);
    sqlite3_str_appendall(uri, "?immutable=1");
    char *text = sqlite3_str_finish(uri);
    int code =
        text ? sqlite3_open_v2(text, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW, NULL)
             : SQLITE_NOMEM;
    sqlite3_free(text);
    return code;
}

int journal_db_open(sqlite3 **out, const char *output, bool write, bool *fresh, struct error *error)
{
    char path[PATH_MAX];
    sqlite3 *db = NULL;
    *out = NULL;
    int found = find(output, path, error);
    TRY(found);
    if (!found && !write)
        return 0;
    TRY(check_beside(path, error));
    /* Pages for the cache as they are needed: SQLite would touch memory for 20 of them beforehand. Once it
     * has begun, it refuses, and nothing is lost. */
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    int opened = write ? sqlite3_open_v2(path, &db,
                                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW |
                                             SQLITE_OPEN_NOMUTEX,
                                         NULL)
                       : open_to_read(&db, path);
    int code = opened == SQLITE_OK ? harden(db, error) : cannot_open(db, path, error);
    bool empty = false;
    if (code == 0)
        code = recognize(db, &empty, error);
    /* A new file has nothing to lose yet: what a crash of the machine leaves of it may be moved away. */
    if (code == 0 && write && !found)
        code = journal_db_run(db, "PRAGMA synchronous=OFF", error);
    /* A kill in between must not leave a rollback journal. Pages of 8 KiB take half the calls of the usual
     * ones. */
    if (code == 0 && write && empty)
        code = journal_db_run(db, "PRAGMA page_size=8192; PRAGMA journal_mode=MEMORY", error);
    /* Rows come nearly in order: a few pages are in use at a time, and more would be memory touched for
     * nothing. */
    if (code == 0 && write)
        code = journal_db_run(db, "PRAGMA cache_size=-256; PRAGMA journal_mode=WAL", error);
    if (code == 0 && write && empty)
        code = make_schema(db, error);
    if (fresh)
        *fresh = empty;
    if (code < 0 || (empty && !write)) {
        sqlite3_close(db);
        return code;
    }
    *out = db;
    return 0;
}
