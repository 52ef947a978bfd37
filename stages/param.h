/* SPDX-License-Identifier: MIT */
/* A parameter is described once, in a table: from it come parsing, ranges, defaults, help and errors, for
 * stages and for the settings of a run alike. */
#ifndef STAGES_PARAM_H
#define STAGES_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

enum param_type {
    PARAM_INT,  /* int64_t; words in `choices` stand for -1, -2, ...; below a negative min for min - 1, ... */
    PARAM_REAL, /* double; never infinite; NaN only for the word in `choices`, where there is one */
    PARAM_BOOL, /* bool: true, false, yes, no, on, off, 1, 0 */
    PARAM_CHOICE,   /* int: index into `choices`; center and jpg are taken for centre and jpeg */
    PARAM_BYTES,    /* uint64_t bytes: 65536, 64KiB, 1.5GB */
    PARAM_DURATION, /* uint64_t milliseconds: 500ms, 30s, 5min, 2h; a bare number is seconds */
    PARAM_COUNT,    /* uint64_t: 100000, 64k, 2M, 1.5G (powers of 1000) */
    PARAM_COLOUR,   /* struct colour: #rgb, #rrggbb, or a name (black, white, grey, red, green, blue); none of
                       these for the word in `choices`, where there is one */
    PARAM_TEXT,     /* char *, owned by the parameter block; NULL when not given */
    PARAM_LIST,     /* struct param_list of texts */
    PARAM_FILE,     /* struct param_file; parsing sets the path, whoever may open files the rest */
};

struct colour {
    uint16_t red, green, blue; /* full scale 65535 */
    bool none;                 /* the word in `choices` instead */
};

struct param_list {
    char **texts;
    size_t count;
};

/* A file that a parameter names, read whole before work starts. */
struct param_file {
    char *path; /* NULL when not given */
    uint8_t *bytes;
    size_t length_bytes;
};

struct param {
    const char *name;
    enum param_type type;
    size_t offset;       /* of the value in the parameter block */
    double min, max;     /* inclusive; both 0 where the type has no range */
    const char *initial; /* the default, as a user would write it; NULL where the value must be given
                            (texts, lists and files: where it is absent by default) */
    const char *choices; /* "one|two|three", or NULL */
    const char *unit;    /* "px", "ms", ...; "" where there is none */
    const char *help;    /* one sentence without a final stop */
};

/* End of a table. */
#define PARAM_END                                                                                            \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

/* Parses `text` into the block at `values`. PARAM_LIST appends. ERROR_USAGE with a text that names the
 * allowed values or range, and the nearest choice where there is one. */
int param_parse(const struct param *param, const char *text, void *values, struct error *error);

/* Sets every parameter of the table to its default (required ones to zero). The block must be zeroed
 * before the first call. 0, or ERROR_MEMORY where there was none for a text. */
int param_defaults(const struct param *table, void *values);

/* Writes the value as a user would write it; returns `text`. */
const char *param_text(const struct param *param, const void *values, char *text, size_t size);

/* Frees the texts and lists of a block. */
void param_free(const struct param *table, void *values);

/* Must a value be given? */
bool param_required(const struct param *param);

/* The entry called `name`, or NULL. */
const struct param *param_find(const struct param *table, const char *name);

/* "int", "real", "bool", "choice", "size", "duration", ... for help. */
const char *param_type_name(enum param_type type);

/* Among the words ("a|b|c") the one a typist most likely meant, copied to `word`; NULL when none is near.
 * Near: edit distance (Damerau 1964, optimal string alignment) of at most a third of the length, at least 1.
 */
const char *param_nearest(const char *text, const char *words, char *word, size_t size);

#endif
