/* SPDX-License-Identifier: MIT */
/* The table that `collect` asks for: a row for each item with its path and what stages told about it. The
 * columns are all names that any row has, in the order in which they first come. */
#ifndef PIPELINE_TABLE_H
#define PIPELINE_TABLE_H

#include <stdbool.h>

#include "pipeline/files/whole.h"
#include "stages/stage.h"

/* A row's path, raw bytes, and its fields; both good until the next one. */
struct table_row {
    const char *path;
    struct record record;
};

/* The rows, in order, as often as they are asked for: rewind, then next until it gives 0; below 0 an error.
 */
struct table_rows {
    void (*rewind)(void *context);
    int (*next)(void *context, struct table_row *row, struct error *error);
    void *context;
};

enum table_format { TABLE_CSV, TABLE_JSONL, TABLE_DB, TABLE_UNKNOWN };

/* By the extension: .csv, .jsonl or .ndjson, .db or .sqlite. */
enum table_format table_format_of(const char *path);

/* Most columns that a table may have. */
#define TABLE_MOST_COLUMNS 2000u

/* Writes the table to the opened file. CSV is that of RFC 4180 with \n; a field that a row lacks is empty.
 * JSON lines give null for what is not finite. In a database the table is called `items`, and NaN is NULL. A
 * path that is no UTF-8 is escaped. ERROR_IO, ERROR_DISK_FULL, ERROR_MEMORY, ERROR_LIMIT. */
int table_write(enum table_format format, struct whole *to, const struct table_rows *rows,
                struct error *error);

#endif
