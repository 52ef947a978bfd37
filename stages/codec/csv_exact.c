/* SPDX-License-Identifier: MIT */
/* Powers of ten, and the way from decimal to binary that is always right: whole numbers of as many bits as
 * it takes, on the stack. */
#include <string.h>

#include "stages/codec/csv_number.h"

/* Halfway between two doubles lies no number of more than 767 significant digits, so those beyond only matter
 * for being there. */
#define DIGITS 800

/* 800 digits take 2658 bits; their division by 5^1124, as many and 66 more. */
#define LIMBS 48

/* 5^0 to 5^27, the last that fits. */
static const uint64_t fives[] = {UINT64_C(1),
                                 UINT64_C(5),
                                 UINT64_C(25),
                                 UINT64_C(125),
                                 UINT64_C(625),
                                 UINT64_C(3125),
                                 UINT64_C(15625),
                                 UINT64_C(78125),
                                 UINT64_C(390625),
                                 UINT64_C(1953125),
                                 UINT64_C(9765625),
                                 UINT64_C(48828125),
                                 UINT64_C(244140625),
                                 UINT64_C(1220703125),
                                 UINT64_C(6103515625),
                                 UINT64_C(30517578125),
                                 UINT64_C(152587890625),
                                 UINT64_C(762939453125),
                                 UINT64_C(3814697265625),
                                 UINT64_C(19073486328125),
                                 UINT64_C(95367431640625),
                                 UINT64_C(476837158203125),
                                 UINT64_C(2384185791015625),
                                 UINT64_C(11920928955078125),
                                 UINT64_C(59604644775390625),
                                 UINT64_C(298023223876953125),
                                 UINT64_C(1490116119384765625),
                                 UINT64_C(7450580596923828125)};
#define FIVES 27

/* 5^(27 i), i from -13 to 12, as 128 bits with the highest one set, the bits below cut off. */
static const struct {
    uint64_t high, low;
} steps[] = {
    {0x8049a4ac0c5811ae, 0x205b896d777d6278}, {0xcf42894a5dce35ea, 0x52064cac828675b9},
    {0xa76c582338ed2621, 0xaf2af2b80af6f24e}, {0x873e4f75e2224e68, 0x5a7744a6e804a291},
    {0xda7f5bf590966848, 0xaf39a475506a899e}, {0xb080392cc4349dec, 0xbd8d794d96aacfb3},
    {0x8e938662882af53e, 0x547eb47b7282ee9c}, {0xe65829b3046b0afa, 0x0cb4a5a3112a5112},
    {0xba121a4650e4ddeb, 0x92f34d62616ce413}, {0x964e858c91ba2655, 0x3a6a07f8d510f86f},
    {0xf2d56790ab41c2a2, 0xfae27299423fb9c3}, {0xc428d05aa4751e4c, 0xaa97e14c3c26b886},
    {0x9e74d1b791e07e48, 0x775ea264cf55347d}, {0x8000000000000000, 0x0000000000000000},
    {0xcecb8f27f4200f3a, 0x0000000000000000}, {0xa70c3c40a64e6c51, 0x999090b65f67d924},
    {0x86f0ac99b4e8dafd, 0x69a028bb3ded71a3}, {0xda01ee641a708de9, 0xe80e6f4820cc9495},
    {0xb01ae745b101e9e4, 0x5ec05dcff72e7f8f}, {0x8e41ade9fbebc27d, 0x14588f13be847307},
    {0xe5d3ef282a242e81, 0x8f1668c8a86da5fa}, {0xb9a74a0637ce2ee1, 0x6d953e2bd7173692},
    {0x95f83d0a1fb69cd9, 0x4abdaf101564f98e}, {0xf24a01a73cf2dccf, 0xbc633b39673c8cec},
    {0xc3b8358109e84f07, 0x0a862f80ec4700c8}, {0x9e19db92b4e31ba9, 0x6c07a2c26a8346d1},
};
#define STEP_OF_ONE 13

/* floor(log2(5^(27 i))); right for all of the table. */
static int step_log2(int step)
{
    return (FIVES * step * 152170) >> 16;
}

/* The upper half of 256 bits. */
static unsigned __int128 high_product(unsigned __int128 a, unsigned __int128 b)
{
    const uint64_t a_high = (uint64_t)(a >> 64), a_low = (uint64_t)a;
    const uint64_t b_high = (uint64_t)(b >> 64), b_low = (uint64_t)b;
    const unsigned __int128 bottom = (unsigned __int128)a_low * b_low;
    const unsigned __int128 one = (unsigned __int128)a_high * b_low + (uint64_t)(bottom >> 64);
    const unsigned __int128 other = (unsigned __int128)a_low * b_high + (uint64_t)one;
    return (unsigned __int128)a_high * b_high + (uint64_t)(one >> 64) + (uint64_t)(other >> 64);
}

struct csv_product csv_product(uint64_t factor, int power)
{
    const int step = (power + FIVES * STEP_OF_ONE) / FIVES - STEP_OF_ONE;
    /* Exact: 64 bits times 63, and neither is 0. */
    unsigned __int128 value =
        (unsigned __int128)(factor << __builtin_clzll(factor)) * fives[power - FIVES * step];
    int shift = value >> 64 ? __builtin_clzll((uint64_t)(value >> 64)) : 64;
    struct csv_product product = {.exponent = power - __builtin_clzll(factor) - shift, .exact = step == 0};
    value <<= shift;
    if (step != 0) {
        /* Less than 1 unit is lost with the bits that the table lacks, less than 1 with the lower half; the
         * shift, by 1 at most, doubles that. */
        const unsigned i = (unsigned)(step + STEP_OF_ONE);
        value = high_product(value, (unsigned __int128)steps[i].high << 64 | steps[i].low);
        shift = !(value >> 127);
        value <<= shift;
        product.exponent += step_log2(step) + 1 - shift;
    }
    product.high = (uint64_t)(value >> 64);
    product.low = (uint64_t)value;
    return product;
}

struct big {
    size_t count;
    uint64_t limbs[LIMBS]; /* the lowest first; the highest is not 0 */
};

static void big_multiply_add(struct big *big, uint64_t factor, uint64_t carry)
{
    for (size_t i = 0; i < big->count; i++) {
        const unsigned __int128 value = (unsigned __int128)big->limbs[i] * factor + carry;
        big->limbs[i] = (uint64_t)value;
        carry = (uint64_t)(value >> 64);
    }
    if (carry)
        big->limbs[big->count++] = carry;
}

/* Returns the remainder. */
static uint64_t big_divide(struct big *big, uint64_t divisor)
{
    uint64_t remainder = 0;
    for (size_t i = big->count; i-- > 0;) {
        const unsigned __int128 value = (unsigned __int128)remainder << 64 | big->limbs[i];
        big->limbs[i] = (uint64_t)(value / divisor);
        remainder = (uint64_t)(value % divisor);
    }
    while (big->count > 0 && big->limbs[big->count - 1] == 0)
        big->count--;
    return remainder;
}

/* Shifts by whole limbs, which is as good as by bits. */
static void big_shift(struct big *big, size_t limbs)
{
    memmove(big->limbs + limbs, big->limbs, big->count * sizeof *big->limbs);
    memset(big->limbs, 0, limbs * sizeof *big->limbs);
    big->count += limbs;
}

/* The significant digits as a whole number, up to DIGITS of them. Its power of ten goes to *power; true where
 * others than zeros were left over. */
static bool big_read(struct big *big, const struct csv_decimal *decimal, int64_t *power)
{
    unsigned count = 0;
    bool point = false, more = false;
    if (!decimal->more) {
        *big = (struct big){.count = 1, .limbs = {decimal->digits}};
        *power = decimal->exponent;
        return false;
    }
    big->count = 0;
    *power = decimal->written;
    for (const uint8_t *at = decimal->text; at < decimal->end; at++) {
        if (*at == '.') {
            point = true;
        } else if (count == DIGITS) {
            more = more || *at != '0';
            *power += !point;
        } else {
            big_multiply_add(big, 10, (uint64_t)(*at - '0'));
            count += count > 0 || *at != '0';
            *power -= point;
        }
    }
    return more;
}

/* The caller has seen to it that the number is not 0, and neither far too small nor far too large: it has
 * a digit somewhere from 10^-343 to 10^327. */
bool csv_exact_round(const struct csv_decimal *decimal, const struct csv_float *format, uint64_t *bits)
{
    struct big big;
    int64_t power;
    int exponent = 0;
    bool sticky = big_read(&big, decimal, &power);
    for (int64_t left = power; left > 0; left -= FIVES)
        big_multiply_add(&big, fives[left < FIVES ? left : FIVES], 0);
    if (power < 0) {
        /* The quotient shall have 64 bits and more; 5^n has less than 2.33 n. */
        const size_t wanted = ((size_t)-power * 233 / 100 + 64) / 64 + 2;
        const size_t shift = wanted > big.count ? wanted - big.count : 0;
        big_shift(&big, shift);
        exponent = -(int)(64 * shift);
        for (int64_t left = -power; left > 0; left -= FIVES)
            sticky |= big_divide(&big, fives[left < FIVES ? left : FIVES]) != 0;
    }
    const uint64_t top = big.limbs[big.count - 1], next = big.count > 1 ? big.limbs[big.count - 2] : 0;
    const int zeros = __builtin_clzll(top);
    const uint64_t mantissa = zeros ? top << zeros | next >> (64 - zeros) : top;
    sticky |= zeros ? next << zeros != 0 : next != 0;
    for (size_t i = 0; i + 2 < big.count; i++)
        sticky |= big.limbs[i] != 0;
    exponent += (int)power + 64 * ((int)big.count - 1) - zeros;
    *bits = csv_pack(format, mantissa, exponent, sticky);
    return *bits < format->infinity;
}
