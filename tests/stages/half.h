/* SPDX-License-Identifier: MIT */
/* IEEE 754 binary16 to numbers and back by its definition: 1 sign, 5 exponent and 10 fraction bits, values
 * between two neighbours go to the nearer one, ties to the even one. */
#ifndef TESTS_STAGES_HALF_H
#define TESTS_STAGES_HALF_H

#include <math.h>
#include <stdint.h>

static inline double half_value(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    double value = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, exponent - 25);
    return half & 0x8000 ? -value : value;
}

static inline uint16_t half_of(double value)
{
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    int exponent;
    if (isnan(value) || value == 0)
        return value == 0 ? sign : 0x7e00;
    frexp(value, &exponent); /* value = [0.5, 1) x 2^exponent */
    exponent = isinf(value) || exponent > 16 ? 16 : exponent < -13 ? -13 : exponent;
    const double steps = nearbyint(ldexp(fabs(value), 11 - exponent));
    if (!(ldexp(steps, exponent - 11) <= 65504))
        return sign | 0x7c00;
    /* 1024 steps of one exponent are the first of the next. */
    return (uint16_t)(sign | (unsigned)((exponent + 13) * 1024 + (int)steps));
}

#endif
