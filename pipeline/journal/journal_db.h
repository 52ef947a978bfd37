/* SPDX-License-Identifier: MIT */
/* The journal's file: one SQLite database in the output directory. It is taken for a stranger's until it has
 * shown that its schema is ours to the letter; no trigger or view in it is ever run. */
#ifndef PIPELINE_JOURNAL_DB_H
#define PIPELINE_JOURNAL_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "pipeline/files/scan.h"
#include "stages/error.h"

#define JOURNAL_FILE SCAN_JOURNAL_NAME

/* Opens the journal in the directory called `output`, which must exist. With `write` it is made where there
 * is none; *fresh says so (may be NULL). Without, one that is not there is *db NULL and no error. ERROR_IO
 * where it is damaged, not forkmill's, of another version, or cannot be opened; ERROR_DISK_FULL,
 * ERROR_MEMORY; the text says how to go on. */
int journal_db_open(sqlite3 **db, const char *output, bool write, bool *fresh, struct error *error);

/* An item's path, of a row of `items` and its row of `roots`: where the root is all of it, the name is no
 * part. */
#define JOURNAL_PATH "roots.path || CASE substr(roots.path, -1) WHEN '/' THEN items.name ELSE '' END"

/* The text in a column; "" where there is none. */
const char *journal_db_text(sqlite3_stmt *row, int column);

/* What SQLite just said, as an error about the journal. */
int journal_db_failed(sqlite3 *db, struct error *error);

/* Runs statements without results. */
int journal_db_run(sqlite3 *db, const char *statements, struct error *error);

/* A statement that is run many times. */
int journal_db_prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement, struct error *error);

/* Runs a statement that gives at most one row. 1: it gave it, 0: it gave none. */
int journal_db_step(sqlite3_stmt *statement, struct error *error);

/* `text` is the statement's until it is reset; NULL is bound as such. */
void journal_db_bind_text(sqlite3_stmt *statement, int at, const char *text);

#endif
