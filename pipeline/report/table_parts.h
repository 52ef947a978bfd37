/* SPDX-License-Identifier: MIT */
/* What the files of the table share. */
#ifndef PIPELINE_TABLE_PARTS_H
#define PIPELINE_TABLE_PARTS_H

#include "pipeline/report/table.h"

/* The names of all columns but `path`, in order. */
struct table_columns {
    char **names;
    unsigned count;
};

/* The column's index, or -1. */
int table_columns_find(const struct table_columns *columns, const char *name);
void table_columns_free(struct table_columns *columns);

/* The row's fields by column; an empty name where it has none. */
void table_row_fields(const struct table_row *row, const struct table_columns *columns,
                      struct record_field *fields);

/* The path, or where it is no UTF-8 an escaped copy in room[size]. */
const char *table_path(const char *path, char *room, size_t size);

/* Fills the (empty) file at `path` as an SQLite database. */
int table_write_db(const char *path, const struct table_rows *rows, const struct table_columns *columns,
                   struct error *error);

#endif
