/* SPDX-License-Identifier: MIT */
/* Products are added up in 16 bits, 16 or 8 to a vector, as many of them as are sure to fit; such parts of
 * the sum are then added up in 32. */
#include "stages/numeric/convolve_whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/simd.h"

/* What the sizes of the weights of a part come to at most: 128 x 255 is less than 2^15. */
#define PART_WEIGHT 128

/* And those of all: 2^24 / 255. */
#define WHOLE_WEIGHT 65793.0

/* Results of greater size are none that are worth telling apart; these fit an int. */
#define MOST_LEVELS 1e9

bool convolve_is_whole(const struct convolve_mask *mask, const struct shape *in)
{
    double size = 0;
    if (in->sample != SAMPLE_U8 || shape_has_alpha(in))
        return false;
    for (size_t i = 0; i < mask->width * mask->height; i++) {
        const double weight = mask->weights[i];
        if (weight != rint(weight) || fabs(weight) > PART_WEIGHT)
            return false;
        size += fabs(weight);
    }
    return size <= WHOLE_WEIGHT && 255 * ((size + 1) / fabs(mask->scale) + fabs(mask->offset)) <= MOST_LEVELS;
}

SIMD_CLONES static void widen_samples(const uint8_t *restrict src, int16_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = src[i];
}

void convolve_whole_load(const struct shape *shape, const uint8_t *src, int16_t *dst, size_t margin_px)
{
    const size_t channels = shape->channels, count = shape->width * channels;
    int16_t *row = dst + margin_px * channels;
    widen_samples(src, row, count);
    for (size_t i = 0; i < margin_px * channels; i++) {
        dst[i] = row[i % channels];
        row[count + i] = row[count - channels + i % channels];
    }
}

/* The next `number` weights, added to the parts or what they begin with. `number` and `begins` are constants
 * where this is inlined. */
SIMD_INLINE void add_taps(int16_t *restrict parts, size_t count, const int16_t *const *taps,
                          const int16_t *weights, size_t offset, size_t number, bool begins)
{
    const int16_t *at[5];
    int16_t w[5];
    for (size_t t = 0; t < 5; t++) {
        at[t] = taps[t < number ? t : 0] + offset;
        w[t] = weights[t < number ? t : 0];
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        int part = w[0] * at[0][i] + (begins ? 0 : parts[i]);
        if (number > 1)
            part += w[1] * at[1][i];
        if (number > 2)
            part += w[2] * at[2][i];
        if (number > 3)
            part += w[3] * at[3][i];
        if (number > 4)
            part += w[4] * at[4][i];
        parts[i] = (int16_t)part;
    }
}

#define ADD_TAPS(number, begins)                                                                             \
    do {                                                                                                     \
        if ((number) == 1)                                                                                   \
            add_taps(parts, count, taps, weights, offset, 1, begins);                                        \
        else if ((number) == 2)                                                                              \
            add_taps(parts, count, taps, weights, offset, 2, begins);                                        \
        else if ((number) == 3)                                                                              \
            add_taps(parts, count, taps, weights, offset, 3, begins);                                        \
        else if ((number) == 4)                                                                              \
            add_taps(parts, count, taps, weights, offset, 4, begins);                                        \
        else                                                                                                 \
            add_taps(parts, count, taps, weights, offset, 5, begins);                                        \
    } while (0)

SIMD_CLONES static void add_part(int16_t *restrict parts, size_t count, const int16_t *const *taps,
                                 const int16_t *weights, size_t offset, size_t number)
{
    ADD_TAPS(number, true);
    while (number > 5) {
        number -= 5;
        taps += 5;
        weights += 5;
        ADD_TAPS(number, false);
    }
}

SIMD_CLONES static void add_to_sums(int32_t *restrict sums, const int16_t *restrict parts, size_t count,
                                    bool begins)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sums[i] = (begins ? 0 : sums[i]) + parts[i];
}

/* As scale_row of convolve_image.c and floatrow_store. The limits are a statement each: else they are made of
 * bytes and masks. */
SIMD_INLINE uint8_t level(int32_t sum, float scale, float offset)
{
    const int value = (int)((float)sum / scale + offset + 0.5f);
    const int least = value > 0 ? value : 0;
    const int limited = least < 255 ? least : 255;
    return (uint8_t)limited;
}

SIMD_CLONES static void store_levels(const int32_t *restrict sums, const int16_t *restrict parts,
                                     uint8_t *restrict dst, size_t count, float scale, float offset)
{
    if (sums) {
#pragma omp simd
        for (size_t i = 0; i < count; i++)
            dst[i] = level(sums[i] + parts[i], scale, offset);
    } else {
#pragma omp simd
        for (size_t i = 0; i < count; i++)
            dst[i] = level(parts[i], scale, offset);
    }
}

/* How many of the weights fit one part. */
static size_t part_of(const int16_t *weights, size_t number)
{
    size_t taken = 0;
    for (int size = 0; taken < number; taken++) {
        size += abs(weights[taken]);
        if (size > PART_WEIGHT)
            break;
    }
    return taken;
}

void convolve_whole_row(const int16_t *const *taps, const int16_t *weights, size_t number, float scale,
                        float offset, int16_t *parts, int32_t *sums, uint8_t *dst, size_t count)
{
    for (size_t start = 0; start < count; start += CONVOLVE_WHOLE_CHUNK) {
        const size_t left = count - start;
        const size_t length = left < CONVOLVE_WHOLE_CHUNK ? left : CONVOLVE_WHOLE_CHUNK;
        bool summed = false;
        if (number == 0)
            memset(parts, 0, length * sizeof *parts);
        for (size_t t = 0, taken; t < number; t += taken) {
            if (t > 0) {
                add_to_sums(sums, parts, length, !summed);
                summed = true;
            }
            taken = part_of(weights + t, number - t);
            add_part(parts, length, taps + t, weights + t, start, taken);
        }
        store_levels(summed ? sums : NULL, parts, dst + start, length, scale, offset);
    }
}
