/* SPDX-License-Identifier: MIT */
/* Collects what is wrong with a command line, an environment and a config, so that a person sees all of it at
 * once. The text is safe to print: whatever came from outside is escaped. One thread at a time. */
#ifndef PIPELINE_DIAG_H
#define PIPELINE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "stages/error.h"

/* A text that places are in: a config file, or the argument of a flag. */
struct diag_source {
    const char *name;  /* "thumbs.yaml", "-s" */
    const char *bytes; /* not terminated; the caller keeps it as long as places in it are used */
    size_t length;
    bool argument; /* an argument has no line numbers worth naming */
};

/* Bytes [start, end) of a source. */
struct diag_place {
    const struct diag_source *source;
    size_t start, end;
};

/* Zero it to start. */
struct diag {
    char *text; /* lines for a person; NULL when there are none */
    size_t length_bytes;
    unsigned errors, warnings;
    unsigned hidden; /* errors that were counted and not written, as there are so many */
    bool starved;    /* memory ran out: the errors are no fault of who is told, and may not all be here */
};

/* Most errors that are written out. */
#define DIAG_MAX_ERRORS 100

/* Appends "forkmill: error: " and the text. */
void diag_error(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Counts an error that says that memory ran out. */
void diag_starve(struct diag *diag);

/* Appends an error's reason as diag_error_at, or as diag_starve where it is ERROR_MEMORY. */
void diag_reason_at(struct diag *diag, struct diag_place place, const struct error *error);

/* Appends "forkmill: warning: " and the text. */
void diag_warning(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends "file:line:col: error: " and the text, then the line and a caret. */
void diag_error_at(struct diag *diag, struct diag_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends what would have been allowed, below the error that was written last; nothing where the same list
 * is shown already. `words` is "a|b|c". */
void diag_allowed(struct diag *diag, const char *what, const char *words);

/* Line and column (characters) of a place, both from 1. */
void diag_position(struct diag_place place, unsigned *line, unsigned *column);

/* Frees the text and zeroes the counts. */
void diag_free(struct diag *diag);

#endif
