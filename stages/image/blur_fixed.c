/* SPDX-License-Identifier: MIT */
#include "stages/image/blur_fixed.h"

#include <stdbool.h>

#include "stages/simd.h"

/* Samples that one sweep of the taps works on: the sums stay in the first-level cache. */
#define CHUNK 2048u

void blur_fixed_weights(const float *parts, size_t radius, uint16_t *weights)
{
    uint32_t rest = 65536;
    for (size_t k = 1; k <= radius; k++) {
        weights[k] = (uint16_t)(65536.0f * parts[k] + 0.5f);
        rest -= 2u * weights[k];
    }
    weights[0] = (uint16_t)rest;
}

SIMD_CLONES static void widen_levels(const uint8_t *restrict src, uint16_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint16_t)(src[i] * BLUR_FIXED_LEVEL);
}

void blur_fixed_load(const struct shape *shape, const uint8_t *src, uint16_t *dst, size_t margin_px)
{
    const size_t channels = shape->channels, count = shape->width * channels;
    uint16_t *row = dst + margin_px * channels;
    widen_levels(src, row, count);
    for (size_t i = 0; i < margin_px * channels; i++) {
        dst[i] = row[i % channels];
        row[count + i] = row[count - channels + i % channels];
    }
}

SIMD_INLINE uint16_t weighed(uint32_t value, uint16_t weight)
{
    return (uint16_t)((value & 0xffff) * weight >> 16);
}

/* The next `pairs` pairs of taps, added to the sums, or to what they begin with: the centre and `bias`. Both
 * `pairs` and `begins` are constants where this is inlined. */
SIMD_INLINE void add_pairs(uint16_t *restrict sum, size_t count, const uint16_t *const *taps,
                           const uint16_t *weights, size_t k, size_t offset, size_t pairs, bool begins,
                           uint16_t bias)
{
    const uint16_t *a[4], *b[4], *centre = taps[0] + offset;
    uint16_t w[4], centre_weight = weights[0];
    for (size_t p = 0; p < 4; p++) {
        const size_t used = k + (p < pairs ? p : 0);
        a[p] = taps[2 * used - 1] + offset;
        b[p] = taps[2 * used] + offset;
        w[p] = weights[used];
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        unsigned value = begins ? bias + weighed(centre[i], centre_weight) : sum[i];
        value += weighed(a[0][i] + b[0][i], w[0]);
        if (pairs > 1)
            value += weighed(a[1][i] + b[1][i], w[1]);
        if (pairs > 2)
            value += weighed(a[2][i] + b[2][i], w[2]);
        if (pairs > 3)
            value += weighed(a[3][i] + b[3][i], w[3]);
        sum[i] = (uint16_t)value;
    }
}

#define ADD_PAIRS(number, begins)                                                                            \
    do {                                                                                                     \
        if ((number) == 1)                                                                                   \
            add_pairs(part, length, taps, weights, k, start, 1, begins, bias);                               \
        else if ((number) == 2)                                                                              \
            add_pairs(part, length, taps, weights, k, start, 2, begins, bias);                               \
        else if ((number) == 3)                                                                              \
            add_pairs(part, length, taps, weights, k, start, 3, begins, bias);                               \
        else                                                                                                 \
            add_pairs(part, length, taps, weights, k, start, 4, begins, bias);                               \
    } while (0)

SIMD_CLONES static void weigh_fixed(uint16_t *restrict sum, const uint16_t *const *taps,
                                    const uint16_t *weights, size_t radius, size_t count)
{
    const uint16_t bias = (uint16_t)((radius + 1) / 2);
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        uint16_t *restrict part = sum + start;
        size_t k = 1;
        ADD_PAIRS(radius, true);
        for (k = 5; k <= radius; k += 4)
            ADD_PAIRS(radius + 1 - k, false);
    }
}

SIMD_CLONES static void narrow_levels(const uint16_t *restrict src, uint8_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint8_t)((src[i] + BLUR_FIXED_LEVEL / 2) / BLUR_FIXED_LEVEL);
}

void blur_fixed_weigh(uint16_t *sum, const uint16_t *const *taps, const uint16_t *weights, size_t radius,
                      size_t count)
{
    weigh_fixed(sum, taps, weights, radius, count);
}

void blur_fixed_store(const uint16_t *src, uint8_t *dst, size_t count)
{
    narrow_levels(src, dst, count);
}
