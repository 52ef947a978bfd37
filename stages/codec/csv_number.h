/* SPDX-License-Identifier: MIT */
/* Numbers as text and back, exactly and whatever the locale: each text becomes the nearest binary number
 * (halves to even), and each binary number the shortest text that becomes it again. Allocates nothing. */
#ifndef STAGES_CODEC_CSV_NUMBER_H
#define STAGES_CODEC_CSV_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A binary format of IEEE 754: `precision` bits of mantissa with the hidden one, 2^least the smallest
 * subnormal number, `infinity` its bits. */
struct csv_float {
    unsigned precision;
    int least;
    uint64_t infinity;
    unsigned fewest; /* each decimal of so many digits survives the way there and back, in the normal range */
    unsigned most;   /* so many digits tell any two numbers apart */
};
extern const struct csv_float csv_binary16, csv_binary32, csv_binary64;

/* A decimal number as it was read. */
struct csv_decimal {
    uint64_t digits;  /* the first 19 significant digits; the value is digits x 10^exponent, ... */
    int64_t exponent; /* (within +-2^62) */
    bool more;        /* ... and a little more where further digits follow */
    bool negative;
    const uint8_t *text, *end; /* its digits and point, without sign and exponent */
    int64_t written;           /* the exponent behind its e, 0 without one */
};

/* Reads the number that begins at `at`: a sign or none, digits with a point or without, an exponent or none.
 * Where it ends, or NULL where there is none. */
const uint8_t *csv_decimal_scan(const uint8_t *at, const uint8_t *end, struct csv_decimal *decimal);

/* The bits of the nearest number of the format; false where that is infinite. */
bool csv_decimal_round(const struct csv_decimal *decimal, const struct csv_float *format, uint64_t *bits);

/* The same as double. */
bool csv_decimal_double(const struct csv_decimal *decimal, double *value);

/* Is the whole text nan, inf or infinity, in any case and with a sign or without? Its bits then. */
bool csv_word(const uint8_t *text, size_t length_bytes, const struct csv_float *format, uint64_t *bits);

enum csv_whole { CSV_WHOLE, CSV_FRACTION, CSV_HUGE };

/* The magnitude of a number that is whole: 12, 12.0 and 1.2e1 alike. CSV_HUGE: over UINT64_MAX. */
enum csv_whole csv_decimal_whole(const struct csv_decimal *decimal, uint64_t *magnitude);

/* The magnitude of `decimal`, by arithmetic with as many digits as it takes; see csv_exact.c. */
bool csv_exact_round(const struct csv_decimal *decimal, const struct csv_float *format, uint64_t *bits);

/* mantissa x 2^exponent, and a little more if `sticky`, rounded to the format, without sign; the mantissa's
 * highest bit is set. Infinite where it is too large. */
uint64_t csv_pack(const struct csv_float *format, uint64_t mantissa, int exponent, bool sticky);

/* A number of 128 bits with the highest bit set: high:low x 2^exponent. The true value is not below it and
 * less than 4 units of `low` above; just as it says where `exact`. */
struct csv_product {
    uint64_t high, low;
    int exponent;
    bool exact;
};

/* factor x 10^power, for factor > 0 and power from CSV_LEAST_POWER to CSV_MOST_POWER. */
#define CSV_LEAST_POWER (-351)
#define CSV_MOST_POWER  350
struct csv_product csv_product(uint64_t factor, int power);

/* Writes a number of the format, given by its bits, as Python's repr does, but without ".0" at the end, and
 * returns how many bytes that took: at most CSV_FLOAT_BYTES, not terminated. */
#define CSV_FLOAT_BYTES 24
size_t csv_float_text(uint64_t bits, const struct csv_float *format, char *text);

/* Writes a whole number; at most 20 bytes. */
size_t csv_whole_text(uint64_t value, char *text);

#endif
