/* SPDX-License-Identifier: MIT */
/* What a stage has to tell about an item beside its samples: named values, which become a row of the table
 * that `collect` asks for. A flat list in one caller-owned block (shared memory, in a run), so that it
 * crosses processes as it is. */
#ifndef STAGES_RECORD_H
#define STAGES_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest name of a field, prefix included, and longest text, in bytes without the end. */
#define RECORD_MAX_NAME 63
#define RECORD_MAX_TEXT 1023

struct record {
    uint8_t *block;
    size_t size_bytes; /* of the block */
    size_t used_bytes;
    const char *prefix; /* put before the names of fields; may be "" */
};

enum record_type { RECORD_INT, RECORD_REAL, RECORD_TEXT };

struct record_field {
    enum record_type type;
    char name[RECORD_MAX_NAME + 1];
    int64_t integer;
    double real;                    /* may be NaN or infinite */
    char text[RECORD_MAX_TEXT + 1]; /* any bytes but NUL; to be escaped where it is shown */
};

/* What a number, or a text of up to RECORD_MAX_TEXT bytes, takes from the block at most; for
 * stage_plan.record_bytes. */
#define RECORD_NUMBER_BYTES ((size_t)RECORD_MAX_NAME + 12)
#define RECORD_TEXT_BYTES   ((size_t)RECORD_MAX_NAME + RECORD_MAX_TEXT + 6)

/* Each appends a field. A NULL record takes nothing and is no error: nobody collects. ERROR_INTERNAL where
 * the plan was too small or the name too long. */
int record_int(struct record *record, const char *name, int64_t value);
int record_real(struct record *record, const char *name, double value);
int record_text(struct record *record, const char *name, const char *value);

/* Walks the fields: start with *position = 0. 1 and *field filled, 0 at the end, ERROR_INTERNAL where the
 * block is no valid list (it may come from a process that was lying). */
int record_next(const struct record *record, size_t *position, struct record_field *field);

#endif
