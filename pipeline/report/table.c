/* SPDX-License-Identifier: MIT */
#include "pipeline/report/table.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pipeline/report/escape.h"
#include "pipeline/report/table_parts.h"

enum table_format table_format_of(const char *path)
{
    static const struct {
        const char *extension;
        enum table_format format;
    } known[] = {{".csv", TABLE_CSV},
                 {".jsonl", TABLE_JSONL},
                 {".ndjson", TABLE_JSONL},
                 {".db", TABLE_DB},
                 {".sqlite", TABLE_DB}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(dot, known[i].extension) == 0)
            return known[i].format;
    }
    return TABLE_UNKNOWN;
}

int table_columns_find(const struct table_columns *columns, const char *name)
{
    for (unsigned i = 0; i < columns->count; i++) {
        if (strcmp(columns->names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

void table_columns_free(struct table_columns *columns)
{
    for (unsigned i = 0; i < columns->count; i++)
        free(columns->names[i]);
    free(columns->names);
    *columns = (struct table_columns){0};
}

static int add_column(struct table_columns *columns, const char *name, struct error *error)
{
    if (columns->count == TABLE_MOST_COLUMNS)
        return error_set(error, ERROR_LIMIT, "the table would have more than %u columns", TABLE_MOST_COLUMNS);
    char **names = realloc(columns->names, (columns->count + 1) * sizeof *names);
    if (names)
        columns->names = names;
    if (!names || !(names[columns->count] = strdup(name)))
        return error_set(error, ERROR_MEMORY, "out of memory");
    columns->count++;
    return 0;
}

/* Names come in the same order in nearly every row: the next one is looked for where the last was found. */
static int collect_columns(const struct table_rows *rows, struct table_columns *columns, struct error *error)
{
    struct table_row row;
    int more;
    rows->rewind(rows->context);
    while ((more = rows->next(rows->context, &row, error)) > 0) {
        struct record_field field;
        size_t position = 0;
        unsigned expected = 0;
        while (record_next(&row.record, &position, &field) > 0) {
            if (expected < columns->count && strcmp(columns->names[expected], field.name) == 0) {
                expected++;
                continue;
            }
            int found = table_columns_find(columns, field.name);
            if (found < 0)
                TRY(add_column(columns, field.name, error));
            expected = (unsigned)(found < 0 ? (int)columns->count : found + 1);
        }
    }
    return more;
}

const char *table_path(const char *path, char *room, size_t size)
{
    uint32_t point;
    for (const char *at = path; *at;) {
        size_t length = escape_sequence(at, &point);
        /* A backslash of its own would pass for an escape. */
        if (length == 0 || *at == '\\')
            return escape_text(path, room, size);
        at += length;
    }
    return path;
}

/* As short as it can be and still read back as the same number. */
static void put_real(FILE *file, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    fputs(isnan(value) ? "nan" : text, file);
}

static void put_csv_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

static void put_csv_field(FILE *file, const struct record_field *field)
{
    if (field->type == RECORD_INT)
        fprintf(file, "%lld", (long long)field->integer);
    else if (field->type == RECORD_REAL)
        put_real(file, field->real);
    else
        put_csv_text(file, field->text);
}

static int write_csv(FILE *file, const struct table_rows *rows, const struct table_columns *columns,
                     struct error *error)
{
    struct record_field *fields = calloc(columns->count + 1, sizeof *fields);
    struct table_row row;
    char room[4096];
    int more;
    if (!fields)
        return error_set(error, ERROR_MEMORY, "out of memory");
    fputs("path", file);
    for (unsigned i = 0; i < columns->count; i++) {
        putc(',', file);
        put_csv_text(file, columns->names[i]);
    }
    putc('\n', file);
    rows->rewind(rows->context);
    while ((more = rows->next(rows->context, &row, error)) > 0) {
        table_row_fields(&row, columns, fields);
        put_csv_text(file, table_path(row.path, room, sizeof room));
        for (unsigned i = 0; i < columns->count; i++) {
            putc(',', file);
            if (*fields[i].name)
                put_csv_field(file, &fields[i]);
        }
        putc('\n', file);
    }
    free(fields);
    return more;
}

void table_row_fields(const struct table_row *row, const struct table_columns *columns,
                      struct record_field *fields)
{
    struct record_field field;
    size_t position = 0;
    for (unsigned i = 0; i < columns->count; i++)
        fields[i].name[0] = '\0';
    while (record_next(&row->record, &position, &field) > 0) {
        int column = table_columns_find(columns, field.name);
        if (column >= 0)
            fields[column] = field;
    }
}

static json_t *json_field(const struct record_field *field)
{
    char room[RECORD_MAX_TEXT + 1];
    if (field->type == RECORD_INT)
        return json_integer(field->integer);
    if (field->type == RECORD_REAL)
        return isfinite(field->real) ? json_real(field->real) : json_null();
    return json_string(table_path(field->text, room, sizeof room));
}

static int write_jsonl(FILE *file, const struct table_rows *rows, struct error *error)
{
    struct table_row row;
    char room[4096];
    int more;
    rows->rewind(rows->context);
    while ((more = rows->next(rows->context, &row, error)) > 0) {
        struct record_field field;
        size_t position = 0;
        json_t *object = json_object();
        json_object_set_new(object, "path", json_string(table_path(row.path, room, sizeof room)));
        while (record_next(&row.record, &position, &field) > 0)
            json_object_set_new(object, field.name, json_field(&field));
        char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
        json_decref(object);
        if (!text)
            return error_set(error, ERROR_MEMORY, "out of memory");
        fputs(text, file); /* what cannot be written is found at the end */
        putc('\n', file);
        free(text);
    }
    return more;
}

int table_write(enum table_format format, struct whole *to, const struct table_rows *rows,
                struct error *error)
{
    struct table_columns columns = {0};
    int code = collect_columns(rows, &columns, error);
    if (code == 0 && format == TABLE_CSV)
        code = write_csv(whole_file(to), rows, &columns, error);
    else if (code == 0 && format == TABLE_JSONL)
        code = write_jsonl(whole_file(to), rows, error);
    else if (code == 0)
        code = table_write_db(whole_path(to), rows, &columns, error);
    table_columns_free(&columns);
    return code;
}
