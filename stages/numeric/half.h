/* SPDX-License-Identifier: MIT */
/* IEEE 754 binary16, which not every compiler has a type for. Branchless, so that loops become vectors. */
#ifndef STAGES_NUMERIC_HALF_H
#define STAGES_NUMERIC_HALF_H

#include <stdint.h>
#include <string.h>

#include "stages/simd.h"

/* Exact. Fraction and exponent are those of a float that is 2^112 times too small, also where that is
 * subnormal. */
SIMD_INLINE double half_to_double(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    bits |= (half & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
    bits |= (uint32_t)(half & 0x8000) << 16;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* To nearest, ties to even; what is too large becomes infinite, NaN stays one. */
SIMD_INLINE uint16_t half_from_double(double value)
{
    uint64_t bits, near_zero;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t sign = bits >> 48 & 0x8000, magnitude = bits & 0x7fffffffffffffffu;
    /* 42 of 52 bits of the fraction go; the exponent's bias shrinks from 1023 to 15. A carry is right. */
    uint64_t half = (magnitude + 0x1ffffffffffu + (magnitude >> 42 & 1)) >> 42;
    half = half > 1008u << 10 ? half - (1008u << 10) : 0;
    half = half < 0x7c00 ? half : 0x7c00;
    half = magnitude > 0x7ff0000000000000u ? 0x7e00 : half;
    /* Below 2^-14 steps are 2^-24, as those of a double are after 2^28. */
    double absolute;
    memcpy(&absolute, &magnitude, sizeof absolute);
    absolute += 0x1p28;
    memcpy(&near_zero, &absolute, sizeof near_zero);
    half = magnitude < 0x3f10000000000000u ? near_zero & 0x7ff : half;
    return (uint16_t)(sign | half);
}

#endif
