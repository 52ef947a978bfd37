/* SPDX-License-Identifier: MIT */
/* The shortest text that reads back as the same number, and of those the nearest (Steele and White, "How to
 * print floating-point numbers accurately", 1990): rounds to more and more digits until reading gives the
 * number again. Rounding and reading take a 128-bit product each, so that trying is cheap. */
#include <string.h>

#include "stages/codec/csv_number.h"

#define MOST_DIGITS 20 /* of 64 bits */

/* A finite positive number, scaled: (whole + part / 2^64) x 10^power, whole with 17 or 18 digits. */
struct scaled {
    uint64_t whole, part;
    int power;
};

static int floor_log10_of_2_to(int exponent)
{
    return (exponent * 78913) >> 18; /* right up to 1650 */
}

static struct scaled scale(uint64_t magnitude, const struct csv_float *format)
{
    const unsigned hidden = format->precision - 1;
    const uint64_t field = magnitude >> hidden;
    uint64_t mantissa = magnitude & ((UINT64_C(1) << hidden) - 1);
    int exponent = format->least;
    if (field > 0) {
        mantissa |= UINT64_C(1) << hidden;
        exponent += (int)field - 1;
    }
    const int log2 = exponent + 63 - __builtin_clzll(mantissa);
    const int power = floor_log10_of_2_to(log2) - 16;
    const struct csv_product product = csv_product(mantissa, -power);
    /* The value's 54 to 58 bits before the point. */
    const int shift = -(product.exponent + exponent);
    const unsigned __int128 value = (unsigned __int128)product.high << 64 | product.low;
    return (struct scaled){(uint64_t)(value >> shift), (uint64_t)(value << (128 - shift) >> 64), power};
}

/* The nearest multiple of 10^drop, divided by that; halves to even. */
static uint64_t round_off(const struct scaled *scaled, uint64_t unit)
{
    uint64_t kept = scaled->whole / unit;
    const uint64_t rest = scaled->whole % unit, half = unit / 2;
    if (unit == 1)
        kept += scaled->part > UINT64_C(1) << 63 || (scaled->part == UINT64_C(1) << 63 && (kept & 1));
    else
        kept += rest > half || (rest == half && (scaled->part > 0 || (kept & 1)));
    return kept;
}

static bool reads_back(uint64_t digits, int exponent, uint64_t magnitude, const struct csv_float *format)
{
    const struct csv_decimal decimal = {.digits = digits, .exponent = exponent};
    uint64_t bits;
    if (format == &csv_binary64) {
        double value;
        const bool fits = csv_decimal_double(&decimal, &value);
        memcpy(&bits, &value, sizeof bits);
        return fits && bits == magnitude;
    }
    return csv_decimal_round(&decimal, format, &bits) && bits == magnitude;
}

/* The shortest digits; the value is digits x 10^*exponent. */
static uint64_t shortest(uint64_t magnitude, const struct csv_float *format, int *exponent)
{
    const struct scaled scaled = scale(magnitude, format);
    const uint64_t hidden = UINT64_C(1) << (format->precision - 1);
    /* Below the normal range any number of digits may do; in it, fewer than `fewest` are `fewest` with zeros
     * at the end. Above a power of two the next number is twice as far as below, so that the nearest decimal
     * may not do where the one above it does. */
    const bool normal = magnitude >= hidden, step = normal && magnitude % hidden == 0;
    const unsigned available = scaled.whole >= UINT64_C(100000000000000000) ? 18 : 17;
    const unsigned least = normal ? format->fewest : 1;
    uint64_t unit = 1;
    *exponent = scaled.power;
    for (unsigned i = least; i < available; i++) {
        unit *= 10;
        ++*exponent;
    }
    uint64_t digits;
    for (;;) {
        digits = round_off(&scaled, unit);
        if (reads_back(digits, *exponent, magnitude, format))
            break;
        if (step && reads_back(digits + 1, *exponent, magnitude, format)) {
            digits++;
            break;
        }
        unit /= 10;
        --*exponent;
    }
    for (; digits % 10 == 0; digits /= 10)
        ++*exponent;
    return digits;
}

size_t csv_whole_text(uint64_t value, char *text)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    char digits[MOST_DIGITS];
    size_t at = sizeof digits;
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * value, 2);
    } else {
        digits[--at] = (char)('0' + value);
    }
    memcpy(text, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/* d.ddde+xx */
static size_t put_scientific(const char *digits, size_t count, int leading, char *text)
{
    size_t used = 0;
    text[used++] = digits[0];
    if (count > 1) {
        text[used++] = '.';
        memcpy(text + used, digits + 1, count - 1);
        used += count - 1;
    }
    const unsigned magnitude = (unsigned)(leading < 0 ? -leading : leading);
    text[used++] = 'e';
    text[used++] = leading < 0 ? '-' : '+';
    if (magnitude < 10)
        text[used++] = '0';
    return used + csv_whole_text(magnitude, text + used);
}

/* The digits with a point among, before or behind them; the first one stands for 10^leading. */
static size_t put_fixed(const char *digits, size_t count, int leading, char *text)
{
    size_t used = 0;
    if (leading < 0) {
        used = 1 + (size_t)-leading;
        memcpy(text, "0.000", used);
        memcpy(text + used, digits, count);
        return used + count;
    }
    const size_t before = (size_t)leading + 1;
    if (before >= count) {
        memcpy(text, digits, count);
        memset(text + count, '0', before - count);
        return before;
    }
    memcpy(text, digits, before);
    text[before] = '.';
    memcpy(text + before + 1, digits + before, count - before);
    return count + 1;
}

/* Is it whole, and so small that all its digits tell? Then it goes to *whole. */
static bool is_whole(uint64_t magnitude, const struct csv_float *format, uint64_t *whole)
{
    const unsigned hidden = format->precision - 1;
    const int shift = (int)hidden - ((int)(magnitude >> hidden) - 1 + format->least + (int)hidden);
    if (shift < 0 || shift > (int)hidden || magnitude >> hidden == 0)
        return false;
    const uint64_t mantissa = (magnitude & ((UINT64_C(1) << hidden) - 1)) | UINT64_C(1) << hidden;
    *whole = mantissa >> shift;
    return *whole << shift == mantissa;
}

size_t csv_float_text(uint64_t bits, const struct csv_float *format, char *text)
{
    const uint64_t sign = (format->infinity << 1) & ~format->infinity, magnitude = bits & ~sign;
    size_t used = 0;
    if (magnitude > format->infinity) {
        memcpy(text, "nan", 3);
        return 3;
    }
    if (bits & sign)
        text[used++] = '-';
    if (magnitude == format->infinity) {
        memcpy(text + used, "inf", 3);
        return used + 3;
    }
    uint64_t whole = 0;
    if (magnitude == 0 || is_whole(magnitude, format, &whole))
        return used + csv_whole_text(whole, text + used);
    char digits[MOST_DIGITS];
    int exponent;
    const size_t count = csv_whole_text(shortest(magnitude, format, &exponent), digits);
    const int leading = exponent + (int)count - 1;
    if (leading < -4 || leading >= 16)
        return used + put_scientific(digits, count, leading, text + used);
    return used + put_fixed(digits, count, leading, text + used);
}
