/* SPDX-License-Identifier: MIT */
/* Numbers as text, where they are many: in the rows of the journal, where printf took a tenth of a row's cost
 * for each, and in the names of temporary files. */
#ifndef PIPELINE_DIGITS_H
#define PIPELINE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As many characters as a number of 64 bits and its sign may take. */
#define DIGITS_BYTES 20u

/* Writes `value` in decimal at `to`, which has room for DIGITS_BYTES, and gives the end; no zero follows. */
static inline char *digits_put(char *to, uint64_t value)
{
    char digits[DIGITS_BYTES];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

/* The same of a number that may be negative. */
static inline char *digits_put_signed(char *to, int64_t value)
{
    if (value >= 0)
        return digits_put(to, (uint64_t)value);
    *to = '-';
    return digits_put(to + 1, 0 - (uint64_t)value);
}

#endif
