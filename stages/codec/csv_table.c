/* SPDX-License-Identifier: MIT */
/* What a table is before its numbers are read: settings, header, size; and the errors that name a place in
 * it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/csv_number.h"
#include "stages/codec/csv_private.h"

/* How much of a field an error shows. */
#define SHOWN_BYTES 32

int csv_delimiter(const char *text, const char *setting, uint8_t fallback, uint8_t *delimiter,
                  struct error *error)
{
    *delimiter = fallback;
    if (!text)
        return 0;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\t") == 0) {
        *delimiter = '\t';
        return 0;
    }
    /* Nothing that numbers are made of, and nothing that means something else. */
    const char *allowed = " !#$%&'()*,/:;<=>?@[\\]^_`{|}~";
    if (strlen(text) != 1 || !strchr(allowed, text[0]))
        return error_set(error, ERROR_USAGE,
                         "%s is '%.16s'; it takes tab, a space, or one ASCII character that is "
                         "no letter, digit, quote, point or sign",
                         setting, text);
    *delimiter = (uint8_t)text[0];
    return 0;
}

/* Copies the beginning of a field as one line of text. */
static const char *shown(struct csv_field field, char text[SHOWN_BYTES + 4])
{
    size_t length = field.length_bytes < SHOWN_BYTES ? field.length_bytes : SHOWN_BYTES;
    if (length < field.length_bytes) {
        while (length > 0 && (field.text[length] & 0xc0) == 0x80) /* not amid a character of UTF-8 */
            length--;
    }
    for (size_t i = 0; i < length; i++)
        text[i] = field.text[i] < ' ' || field.text[i] == 0x7f ? '?' : (char)field.text[i];
    snprintf(text + length, 4, "%s", length < field.length_bytes ? "..." : "");
    return text;
}

static bool is_number(struct csv_field field, uint8_t delimiter)
{
    struct csv_decimal decimal;
    uint64_t bits;
    field = csv_trim(field, delimiter);
    const uint8_t *end = field.text + field.length_bytes;
    return csv_decimal_scan(field.text, end, &decimal) == end ||
           csv_word(field.text, field.length_bytes, &csv_binary64, &bits);
}

/* Is the field several numbers with this byte between any two? */
static bool parts(struct csv_field field, uint8_t between, uint8_t delimiter)
{
    const uint8_t *at = field.text, *const end = field.text + field.length_bytes;
    for (;;) {
        const uint8_t *cut = memchr(at, between, (size_t)(end - at));
        const struct csv_field one = {at, (size_t)((cut ? cut : end) - at)};
        if (!is_number(one, delimiter))
            return false;
        if (!cut)
            return at != field.text;
        at = cut + 1;
    }
}

/* What a delimiter is called that would cut the field into numbers; NULL: none would. A comma may be a
 * decimal one. */
static const char *other_delimiter(const struct csv_table *table, struct csv_field field)
{
    static const struct {
        uint8_t byte;
        const char *name;
    } others[] = {{';', "';'"}, {'\t', "tab"}, {'|', "'|'"}, {' ', "' '"}};
    field = csv_trim(field, table->delimiter);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].byte != table->delimiter && parts(field, others[i].byte, table->delimiter))
            return others[i].name;
    }
    return NULL;
}

int csv_fail_field(const struct csv_table *table, struct csv_field field, uint64_t column, const char *what,
                   struct error *error)
{
    char text[SHOWN_BYTES + 4];
    const size_t number = csv_line_number(table->begin, field.text);
    if (csv_trim(field, table->delimiter).length_bytes == 0)
        return error_set(error, ERROR_CORRUPT,
                         "line %zu, column %" PRIu64 " is empty; load.missing can say what that stands for",
                         number, column + 1);
    const char *other = other_delimiter(table, field);
    if (other)
        return error_set(error, ERROR_CORRUPT,
                         "line %zu, column %" PRIu64
                         ": '%s' is not a number but several; --load-delimiter %s would part them",
                         number, column + 1, shown(field, text), other);
    return error_set(error, ERROR_CORRUPT, "line %zu, column %" PRIu64 ": '%s' %s", number, column + 1,
                     shown(field, text), what);
}

int csv_fail_quote(const struct csv_table *table, const uint8_t *line, enum csv_end found,
                   struct error *error)
{
    struct csv_field field;
    uint64_t column = 1;
    while (csv_field(&line, table->end, table->delimiter, &field) == CSV_DELIMITER)
        column++;
    return error_set(error, ERROR_CORRUPT, "line %zu, column %" PRIu64 ": %s",
                     csv_line_number(table->begin, field.text), column,
                     found == CSV_UNCLOSED
                         ? "the quote is never closed"
                         : "a closing quote is followed by something else than a delimiter");
}

int csv_fail_ragged(const struct csv_table *table, const uint8_t *line, struct error *error)
{
    const uint8_t *at = line;
    struct csv_field field;
    enum csv_end found;
    uint64_t fields = 1;
    while ((found = csv_field(&at, table->end, table->delimiter, &field)) == CSV_DELIMITER)
        fields++;
    if (found != CSV_LINE)
        return csv_fail_quote(table, line, found, error);
    return error_set(error, ERROR_CORRUPT, "line %zu has %" PRIu64 " field%s, line %zu has %" PRIu64,
                     csv_line_number(table->begin, line), fields, fields == 1 ? "" : "s",
                     csv_line_number(table->begin, table->first), table->columns);
}

/* Counts the columns of the first line, and steps over it where it is a header. Unless told, it is one where
 * none of its fields is a number: a row with one bad field is an error like any other, and so is one of
 * numbers that another delimiter would part. */
static int read_first_line(struct csv_table *table, int header, struct error *error)
{
    const uint8_t *at = table->first;
    bool words = false, numbers = false;
    enum csv_end found;
    do {
        struct csv_field field;
        found = csv_field(&at, table->end, table->delimiter, &field);
        if (found != CSV_DELIMITER && found != CSV_LINE)
            return csv_fail_quote(table, table->first, found, error);
        table->columns++;
        if (header == CODEC_HEADER_AUTO && csv_trim(field, table->delimiter).length_bytes > 0) {
            const bool number = is_number(field, table->delimiter);
            if (!number && other_delimiter(table, field))
                return csv_fail_field(table, field, table->columns - 1, "", error);
            numbers = numbers || number;
            words = words || !number;
        }
    } while (found == CSV_DELIMITER);
    table->data = header == CODEC_HEADER_YES || (words && !numbers)
                      ? csv_next_line(at, table->end, table->delimiter)
                      : table->first;
    return 0;
}

/* What `load` says of tables. */
static int take_settings(struct csv_table *table, const struct codec_load *load, uint8_t delimiter,
                         struct error *error)
{
    table->sample = SAMPLE_F64;
    if (load->dtype > 0 && load->dtype <= SAMPLE_COUNT)
        table->sample = (uint8_t)(load->dtype - 1);
    TRY(csv_delimiter(load->delimiter, "load.delimiter", delimiter, &table->delimiter, error));
    if (load->missing) {
        const struct csv_field field = {(const uint8_t *)load->missing, strlen(load->missing)};
        const char *wrong = csv_element(table, field, table->missing);
        if (wrong)
            return error_set(error, ERROR_USAGE, "load.missing: '%.16s' %s", load->missing, wrong);
        table->has_missing = true;
    }
    return 0;
}

int csv_check_load(const struct codec_limits *limits, struct error *error)
{
    struct csv_table table = {0};
    return limits->load ? take_settings(&table, limits->load, ',', error) : 0;
}

int csv_check_save(const struct codec_save *save, struct error *error)
{
    uint8_t delimiter;
    return csv_delimiter(save->delimiter, "save.delimiter", ',', &delimiter, error);
}

int csv_table_open(struct csv_table *table, const uint8_t *bytes, size_t length_bytes,
                   const struct codec_load *load, uint8_t delimiter, struct error *error)
{
    static const struct codec_load defaults;
    if (!load)
        load = &defaults;
    *table = (struct csv_table){.begin = bytes, .end = bytes + length_bytes};
    TRY(take_settings(table, load, delimiter, error));
    if (length_bytes >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return error_set(error, ERROR_UNSUPPORTED, "the text is UTF-16; save it as UTF-8");
    const bool marked = length_bytes >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
    table->first = csv_next_line(bytes + (marked ? 3 : 0), table->end, table->delimiter);
    if (table->first == table->end)
        return error_set(error, ERROR_CORRUPT, "%s",
                         length_bytes == 0 ? "file is empty" : "file has no line that is not blank");
    return read_first_line(table, load->header, error);
}

int csv_table_rows(const struct csv_table *table, uint64_t *rows, struct error *error)
{
    const uint8_t *at = table->data, *end = table->end;
    *rows = 0;
    while (at < end) {
        const uint8_t *line = at;
        const enum csv_end found = csv_line(&at, end, table->delimiter);
        if (found != CSV_LINE)
            return csv_fail_quote(table, line, found, error);
        ++*rows;
        at = csv_next_line(at, end, table->delimiter);
    }
    return 0;
}

struct shape csv_table_shape(const struct csv_table *table, uint64_t rows)
{
    const uint64_t dims[2] = {rows, table->columns};
    return shape_array(table->sample, table->columns == 1 ? 1 : 2, dims);
}
