/* SPDX-License-Identifier: MIT */
/* Floats as unsigned integers of the same order, so that ranks, minima and maxima of floats are those of
 * integers and every NaN has its place: from negative NaN over -infinity, 0 and infinity to positive NaN, the
 * totalOrder of IEEE 754. */
#ifndef STAGES_IMAGE_ORDERKEY_H
#define STAGES_IMAGE_ORDERKEY_H

#include <stdint.h>

#include "stages/simd.h"

/* From the bits of a float, and back. Negative numbers grow with their magnitude, so all of their bits turn
 * over; of the others the sign alone. */
SIMD_INLINE uint32_t orderkey_of(uint32_t bits)
{
    return bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u);
}

SIMD_INLINE uint32_t orderkey_bits(uint32_t key)
{
    return key ^ (key >> 31 ? 0x80000000u : 0xffffffffu);
}

#endif
