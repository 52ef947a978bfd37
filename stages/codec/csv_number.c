/* SPDX-License-Identifier: MIT */
/* Decimal text to binary numbers. Eight digits at a time are read as one word (SWAR, as Lemire, "Number
 * parsing at a gigabyte per second", 2021, does). What a double's own arithmetic does exactly is left to it
 * (Clinger, "How to read floating point numbers accurately", 1990); the rest is a product of 128 bits with a
 * bound on its error, and where that bound leaves the rounding open, csv_exact.c decides. */
#include "stages/codec/csv_number.h"

#include <endian.h>
#include <float.h>
#include <string.h>
#include <strings.h>

#define SIGNIFICANT 19 /* digits that always fit 64 bits */

const struct csv_float csv_binary16 = {11, -24, UINT64_C(0x7c00), 3, 5};
const struct csv_float csv_binary32 = {24, -149, UINT64_C(0x7f800000), 6, 9};
const struct csv_float csv_binary64 = {53, -1074, UINT64_C(0x7ff) << 52, 15, 17};

static const uint64_t powers[SIGNIFICANT + 1] = {UINT64_C(1),
                                                 UINT64_C(10),
                                                 UINT64_C(100),
                                                 UINT64_C(1000),
                                                 UINT64_C(10000),
                                                 UINT64_C(100000),
                                                 UINT64_C(1000000),
                                                 UINT64_C(10000000),
                                                 UINT64_C(100000000),
                                                 UINT64_C(1000000000),
                                                 UINT64_C(10000000000),
                                                 UINT64_C(100000000000),
                                                 UINT64_C(1000000000000),
                                                 UINT64_C(10000000000000),
                                                 UINT64_C(100000000000000),
                                                 UINT64_C(1000000000000000),
                                                 UINT64_C(10000000000000000),
                                                 UINT64_C(100000000000000000),
                                                 UINT64_C(1000000000000000000),
                                                 UINT64_C(10000000000000000000)};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Eight decimal digits, a byte each, the first one lowest. */
static uint64_t join_eight(uint64_t word)
{
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    word = word * 10 + (word >> 8);
    return ((word & mask) * UINT64_C(0x000f424000000064) +
            (word >> 16 & mask) * UINT64_C(0x0000271000000001)) >>
           32;
}

/* Appends the digits at `at` to *value, which may wrap, and returns where they end. */
static inline const uint8_t *read_digits(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word) ^ UINT64_C(0x3030303030303030);
        /* The high bit of each byte that is more than 9. */
        const uint64_t others =
            (((word & UINT64_C(0x7f7f7f7f7f7f7f7f)) + UINT64_C(0x7676767676767676)) | word) &
            UINT64_C(0x8080808080808080);
        const unsigned count = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
        if (count == 0)
            return at;
        *value = *value * powers[count] + join_eight(word << (64 - 8 * count));
        at += count;
        if (count < 8)
            return at;
    }
    for (; at < end && is_digit(*at); at++)
        *value = *value * 10 + (uint64_t)(*at - '0');
    return at;
}

/* What follows an e; NULL where no digit does. Stops counting where nothing can depend on it. */
static const uint8_t *read_exponent(const uint8_t *at, const uint8_t *end, int64_t *exponent)
{
    const bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end || !is_digit(*at))
        return NULL;
    int64_t value = 0;
    for (; at < end && is_digit(*at); at++) {
        if (value < INT64_C(1) << 58)
            value = value * 10 + (*at - '0');
    }
    *exponent = negative ? -value : value;
    return at;
}

/* The first significant digits of a long number. */
static void read_long(struct csv_decimal *decimal)
{
    unsigned count = 0;
    bool point = false;
    decimal->digits = 0;
    decimal->exponent = decimal->written;
    for (const uint8_t *at = decimal->text; at < decimal->end; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        const uint8_t digit = (uint8_t)(*at - '0');
        if (count == SIGNIFICANT) {
            decimal->more = decimal->more || digit > 0;
            decimal->exponent += !point;
            continue;
        }
        decimal->digits = decimal->digits * 10 + digit;
        count += count > 0 || digit > 0;
        decimal->exponent -= point;
    }
}

const uint8_t *csv_decimal_scan(const uint8_t *at, const uint8_t *end, struct csv_decimal *decimal)
{
    /* Signs come as they like: bits, and no branches to be foretold. */
    const uint8_t first = at < end ? *at : 0;
    decimal->negative = first == '-';
    at += (first == '-') | (first == '+');
    uint64_t value = 0;
    decimal->text = at;
    at = read_digits(at, end, &value);
    ptrdiff_t count = at - decimal->text;
    decimal->exponent = 0;
    if (at < end && *at == '.') {
        const uint8_t *point = ++at;
        at = read_digits(at, end, &value);
        decimal->exponent = point - at;
        count += at - point;
    }
    if (count == 0)
        return NULL;
    decimal->digits = value;
    decimal->end = at;
    decimal->written = 0;
    decimal->more = false;
    if (at < end && (*at | 0x20) == 'e') {
        at = read_exponent(at + 1, end, &decimal->written);
        if (!at)
            return NULL;
        decimal->exponent += decimal->written;
    }
    if (count > SIGNIFICANT)
        read_long(decimal);
    return at;
}

uint64_t csv_pack(const struct csv_float *format, uint64_t mantissa, int exponent, bool sticky)
{
    /* The unit of the result is 2^unit, the lowest `drop` bits go. */
    int unit = exponent + 64 - (int)format->precision;
    if (unit < format->least)
        unit = format->least;
    const int drop = unit - exponent;
    if (drop > 64)
        return 0;
    uint64_t kept = drop < 64 ? mantissa >> drop : 0;
    const uint64_t rest = drop < 64 ? mantissa & ((UINT64_C(1) << drop) - 1) : mantissa;
    const uint64_t half = UINT64_C(1) << (drop - 1);
    kept += rest > half || (rest == half && (sticky || (kept & 1)));
    /* The hidden bit adds one to the exponent's field, and so does a carry. */
    const uint64_t steps = (uint64_t)(unit - format->least);
    if (steps > format->infinity >> (format->precision - 1))
        return format->infinity;
    const uint64_t bits = (steps << (format->precision - 1)) + kept;
    return bits < format->infinity ? bits : format->infinity;
}

/* Rounds a product that is at most `error` units of its low word too small; false where that leaves open to
 * which side. */
static bool pack_product(const struct csv_float *format, const struct csv_product *product,
                         unsigned __int128 error, uint64_t *bits)
{
    int unit = product->exponent + 128 - (int)format->precision;
    if (unit < format->least)
        unit = format->least;
    const int drop = unit - product->exponent;
    if (drop > 127) {
        *bits = 0;
        return drop > 129; /* all of it is less than a half */
    }
    const unsigned __int128 value = (unsigned __int128)product->high << 64 | product->low;
    const unsigned __int128 half = (unsigned __int128)1 << (drop - 1);
    const unsigned __int128 rest = value & (half + (half - 1));
    if (error > 0 && rest <= half && half - rest <= error)
        return false;
    *bits = csv_pack(format, product->high, product->exponent + 64, error > 0 || product->low != 0);
    return true;
}

bool csv_decimal_round(const struct csv_decimal *decimal, const struct csv_float *format, uint64_t *bits)
{
    const uint64_t sign = decimal->negative ? (format->infinity << 1) & ~format->infinity : 0;
    *bits = sign;
    if (decimal->digits == 0 || decimal->exponent < -343)
        return true; /* under 10^-324, a half of the least double's two halves */
    if (decimal->exponent > 308) {
        *bits |= format->infinity;
        return false;
    }
    const struct csv_product product = csv_product(decimal->digits, (int)decimal->exponent);
    unsigned __int128 error = product.exact ? 0 : 4;
    if (decimal->more) /* one more in the last of 19 digits: less than 2^128 / 10^18 */
        error = ((unsigned __int128)1 << 69) + 4;
    uint64_t magnitude;
    if (!pack_product(format, &product, error, &magnitude))
        (void)csv_exact_round(decimal, format, &magnitude);
    *bits = sign | magnitude;
    return magnitude < format->infinity;
}

bool csv_decimal_double(const struct csv_decimal *decimal, double *value)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    uint64_t bits;
    if (FLT_EVAL_METHOD == 0 && !decimal->more && decimal->digits <= UINT64_C(1) << 53 &&
        decimal->exponent >= -22 && decimal->exponent <= 22) {
        const double digits = (double)(int64_t)decimal->digits;
        const double magnitude =
            decimal->exponent < 0 ? digits / exact[-decimal->exponent] : digits * exact[decimal->exponent];
        memcpy(&bits, &magnitude, sizeof bits);
        bits |= (uint64_t)decimal->negative << 63;
        memcpy(value, &bits, sizeof *value);
        return true;
    }
    const bool fits = csv_decimal_round(decimal, &csv_binary64, &bits);
    memcpy(value, &bits, sizeof *value);
    return fits;
}

bool csv_word(const uint8_t *text, size_t length_bytes, const struct csv_float *format, uint64_t *bits)
{
    const bool negative = length_bytes > 0 && text[0] == '-';
    const size_t sign = length_bytes > 0 && (text[0] == '-' || text[0] == '+');
    const char *word = (const char *)text + sign;
    length_bytes -= sign;
    if (length_bytes == 3 && strncasecmp(word, "nan", 3) == 0)
        *bits = format->infinity | UINT64_C(1) << (format->precision - 2);
    else if ((length_bytes == 3 && strncasecmp(word, "inf", 3) == 0) ||
             (length_bytes == 8 && strncasecmp(word, "infinity", 8) == 0))
        *bits = format->infinity;
    else
        return false;
    *bits |= negative ? (format->infinity << 1) & ~format->infinity : 0;
    return true;
}

/* Digit by digit, as far as the point's new place. */
static enum csv_whole whole_of_long(const struct csv_decimal *decimal, uint64_t *magnitude)
{
    int64_t left = decimal->written;
    const uint8_t *point = memchr(decimal->text, '.', (size_t)(decimal->end - decimal->text));
    left += (point ? point : decimal->end) - decimal->text;
    uint64_t value = 0;
    for (const uint8_t *at = decimal->text; at < decimal->end; at++) {
        if (*at == '.')
            continue;
        if (left > 0) {
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
                return CSV_HUGE;
        } else if (*at != '0') {
            return CSV_FRACTION;
        }
        left--;
    }
    for (; left > 0 && value > 0; left--) {
        if (__builtin_mul_overflow(value, 10, &value))
            return CSV_HUGE;
    }
    *magnitude = value;
    return CSV_WHOLE;
}

enum csv_whole csv_decimal_whole(const struct csv_decimal *decimal, uint64_t *magnitude)
{
    *magnitude = decimal->digits;
    if (decimal->exponent == 0 && !decimal->more)
        return CSV_WHOLE;
    if (decimal->more || decimal->exponent > 0 || decimal->exponent < -SIGNIFICANT)
        return whole_of_long(decimal, magnitude);
    *magnitude = decimal->digits / powers[-decimal->exponent];
    return decimal->digits % powers[-decimal->exponent] == 0 ? CSV_WHOLE : CSV_FRACTION;
}
