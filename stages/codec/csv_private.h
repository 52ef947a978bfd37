/* SPDX-License-Identifier: MIT */
/* What the files of the table codecs share. Text is as RFC 4180 has it: a field may stand in quotes, a quote
 * inside is written twice, and delimiters and line ends between quotes belong to the field. Beyond that,
 * lines end in \n, \r\n or \r; blanks (spaces, and tabs where they delimit nothing) may stand around numbers
 * and behind a closing quote; lines of nothing but blanks are skipped; a quote inside a field without quotes
 * is a character like any other. */
#ifndef STAGES_CODEC_CSV_PRIVATE_H
#define STAGES_CODEC_CSV_PRIVATE_H

#include "stages/codec.h"

struct csv_field {
    const uint8_t *text; /* without the quotes around it; those inside are still double */
    size_t length_bytes;
};

/* What follows a field. */
enum csv_end {
    CSV_DELIMITER,
    CSV_LINE,        /* the end of the line or of the file */
    CSV_UNCLOSED,    /* a quote that has no partner; the field is the rest of the file */
    CSV_AFTER_QUOTE, /* something else behind a closing quote; the field is what the quotes hold */
};

/* Cuts the field that begins at *at, which moves behind the delimiter, or to the line's end. */
enum csv_end csv_field(const uint8_t **at, const uint8_t *end, uint8_t delimiter, struct csv_field *field);

/* Moves *at from a line's beginning to its end, over all its fields; returns what the last one does. */
enum csv_end csv_line(const uint8_t **at, const uint8_t *end, uint8_t delimiter);

/* From a line's beginning, or the end of the one before: where the next line begins that is not blank, or
 * `end`. */
const uint8_t *csv_next_line(const uint8_t *at, const uint8_t *end, uint8_t delimiter);

/* The number of the line that holds `at`, the first one 1, as editors count. */
size_t csv_line_number(const uint8_t *begin, const uint8_t *at);

/* Is the byte a space, or a tab, and not the delimiter? */
bool csv_blank(uint8_t byte, uint8_t delimiter);

/* The field without the blanks around it. */
struct csv_field csv_trim(struct csv_field field, uint8_t delimiter);

/* A table in a file, ready to be read line by line. */
struct csv_table {
    const uint8_t *begin, *end; /* the file */
    const uint8_t *first;       /* the first line that is not blank */
    const uint8_t *data;        /* the first line of numbers, or `end` */
    uint64_t columns;
    uint8_t delimiter;
    uint8_t sample; /* enum sample, of the elements */
    bool has_missing;
    uint8_t missing[8]; /* the element that stands for an empty field */
};

/* ERROR_CORRUPT, and ERROR_USAGE where a setting makes no sense. `load` may be NULL. */
int csv_table_open(struct csv_table *table, const uint8_t *bytes, size_t length_bytes,
                   const struct codec_load *load, uint8_t delimiter, struct error *error);

/* How many lines of numbers there are; quotes are checked on the way. */
int csv_table_rows(const struct csv_table *table, uint64_t *rows, struct error *error);

/* (rows, columns), and (rows,) where there is one column. */
struct shape csv_table_shape(const struct csv_table *table, uint64_t rows);

/* The character that `text` names: itself, or tab; `fallback` where it is NULL. ERROR_USAGE, which names the
 * setting. */
int csv_delimiter(const char *text, const char *setting, uint8_t fallback, uint8_t *delimiter,
                  struct error *error);

/* Errors that name the place: by the beginning of its line, or by the field and its column, from 0. */
int csv_fail_ragged(const struct csv_table *table, const uint8_t *line, struct error *error);
int csv_fail_quote(const struct csv_table *table, const uint8_t *line, enum csv_end found,
                   struct error *error);
int csv_fail_field(const struct csv_table *table, struct csv_field field, uint64_t column, const char *what,
                   struct error *error);

/* Parses a field, blanks around it allowed, to one element of the table's type at `out`. NULL, or what is
 * wrong with it, as the end of a sentence: "is not a number". */
const char *csv_element(const struct csv_table *table, struct csv_field field, uint8_t *out);

/* The settings of both codecs. */
int csv_check_load(const struct codec_limits *limits, struct error *error);
int csv_check_save(const struct codec_save *save, struct error *error);

/* The codecs' parts, with the delimiter that goes for their extension. */
int csv_decode(struct codec_decode *job, uint8_t delimiter, struct error *error);
int csv_plan(const struct codec_save *save, const struct shape *shape, uint8_t delimiter,
             struct codec_plan *plan, struct error *error);
int csv_encode(struct codec_encode *job, uint8_t delimiter, struct error *error);

#endif
