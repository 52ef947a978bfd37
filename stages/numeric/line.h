/* SPDX-License-Identifier: MIT */
/* Samples as numbers, one line of them at a time: all of an item, or what lies along one axis of an array.
 * Whatever walks a line takes it in blocks of LINE_BLOCK samples, counted from the line's beginning, so that
 * sums come out the same wherever the line lies. */
#ifndef STAGES_NUMERIC_LINE_H
#define STAGES_NUMERIC_LINE_H

#include "stages/numeric/lines.h"
#include "stages/stage.h"

#define LINE_BLOCK 2048u

struct line {
    const uint8_t *src; /* the first sample */
    size_t count;
    size_t stride;      /* from one sample to the next; 1: side by side */
    size_t group, kept; /* of each `group` samples only the first `kept` are of the line: colours, no alpha */
    uint8_t sample;     /* enum sample */
};

/* Which samples do not count. Integers all do. */
enum line_drop { LINE_DROP_NAN, LINE_DROP_NOT_FINITE };

/* What walking a line needs; kept in scratch. */
struct line_room {
    uint64_t raw[LINE_BLOCK];
    double values[LINE_BLOCK];
    uint64_t keys[LINE_BLOCK];
};

/* Every sample of an array, every colour sample of an image. */
struct line line_all(const struct shape *shape, const uint8_t *src);

/* The line with this number among outer x inner, counted in C order. */
struct line line_along(const struct shape *shape, const uint8_t *src, const struct lines *lines,
                       size_t number);

/* Samples [first, first + count) as numbers, `count` at most LINE_BLOCK; in room->values. 64-bit integers are
 * rounded to nearest. */
const double *line_values(const struct line *line, size_t first, size_t count, struct line_room *room);

/* The same as keys, which are in order as the values are, in room->keys: integers below 2^b, where b is the
 * number of bits of a sample. What is dropped has the key 2^b - 1, above all others. -0 is below 0. */
const uint64_t *line_keys(const struct line *line, size_t first, size_t count, enum line_drop drop,
                          struct line_room *room);

/* The value of a key, as line_values would give it. */
double line_key_value(uint8_t sample, uint64_t key);

#endif
