/* SPDX-License-Identifier: MIT */
/* Numbers as text. A row holds a handful, and printf takes a tenth of its cost for each. */
#ifndef PIPELINE_JOURNAL_JOURNAL_DIGITS_H
#define PIPELINE_JOURNAL_JOURNAL_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As many characters as a number of 64 bits and its sign may take. */
#define JOURNAL_DIGITS_BYTES 20u

/* Writes `value` in decimal at `to`, which has room for JOURNAL_DIGITS_BYTES, and gives the end; no zero
 * follows. */
static inline char *journal_digits(char *to, uint64_t value)
{
    char digits[JOURNAL_DIGITS_BYTES];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

/* The same of a number that may be negative. */
static inline char *journal_digits_signed(char *to, int64_t value)
{
    if (value >= 0)
        return journal_digits(to, (uint64_t)value);
    *to = '-';
    return journal_digits(to + 1, 0 - (uint64_t)value);
}

#endif
