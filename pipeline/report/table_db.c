/* SPDX-License-Identifier: MIT */
/* The table as an SQLite database: one table `items`, rows in order by its rowid. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/report/table_parts.h"

static int failed(sqlite3 *db, struct error *error)
{
    const int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    return error_set(error,
                     code == SQLITE_FULL    ? ERROR_DISK_FULL
                     : code == SQLITE_NOMEM ? ERROR_MEMORY
                                            : ERROR_IO,
                     "the table's database: %s", db ? sqlite3_errmsg(db) : "out of memory");
}

/* "INSERT INTO items VALUES (?,?,...)" or the statement that makes the table; sqlite3_free it. */
static char *statement(const struct table_columns *columns, bool create)
{
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_str_appendall(text, create ? "CREATE TABLE items (\"path\" TEXT" : "INSERT INTO items VALUES (?");
    for (unsigned i = 0; i < columns->count; i++) {
        if (create)
            sqlite3_str_appendf(text, ", \"%w\"", columns->names[i]);
        else
            sqlite3_str_appendall(text, ",?");
    }
    sqlite3_str_appendall(text, ")");
    return sqlite3_str_finish(text);
}

static int bind(sqlite3_stmt *insert, int at, const struct record_field *field)
{
    if (!*field->name)
        return sqlite3_bind_null(insert, at);
    if (field->type == RECORD_INT)
        return sqlite3_bind_int64(insert, at, field->integer);
    if (field->type == RECORD_REAL)
        return sqlite3_bind_double(insert, at, field->real); /* NaN becomes NULL */
    return sqlite3_bind_text(insert, at, field->text, -1, SQLITE_TRANSIENT);
}

static int insert_rows(sqlite3 *db, sqlite3_stmt *insert, const struct table_rows *rows,
                       const struct table_columns *columns, struct error *error)
{
    struct record_field *fields = calloc(columns->count + 1, sizeof *fields);
    struct table_row row;
    char room[4096];
    int more = fields ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
    rows->rewind(rows->context);
    while (more >= 0 && (more = rows->next(rows->context, &row, error)) > 0) {
        table_row_fields(&row, columns, fields);
        int code =
            sqlite3_bind_text(insert, 1, table_path(row.path, room, sizeof room), -1, SQLITE_TRANSIENT);
        for (unsigned i = 0; i < columns->count && code == SQLITE_OK; i++)
            code = bind(insert, (int)i + 2, &fields[i]);
        if (code != SQLITE_OK || sqlite3_step(insert) != SQLITE_DONE)
            more = failed(db, error);
        sqlite3_reset(insert);
    }
    free(fields);
    return more;
}

static int fill(sqlite3 *db, const struct table_rows *rows, const struct table_columns *columns,
                struct error *error)
{
    /* The file is thrown away when anything fails: a journal of its own would only cost. */
    char *create = statement(columns, true), *insert_text = statement(columns, false);
    sqlite3_stmt *insert = NULL;
    int code = 0;
    if (!create || !insert_text ||
        sqlite3_exec(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN", NULL, NULL, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db, create, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, insert_text, -1, &insert, NULL) != SQLITE_OK)
        code = failed(db, error);
    if (code == 0)
        code = insert_rows(db, insert, rows, columns, error);
    sqlite3_finalize(insert);
    if (code == 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        code = failed(db, error);
    sqlite3_free(create);
    sqlite3_free(insert_text);
    return code;
}

int table_write_db(const char *path, const struct table_rows *rows, const struct table_columns *columns,
                   struct error *error)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK ? 0 : failed(db, error);
    if (code == 0)
        code = fill(db, rows, columns, error);
    if (sqlite3_close(db) != SQLITE_OK && code == 0)
        code = error_set(error, ERROR_IO, "the table's database cannot be closed");
    return code;
}
