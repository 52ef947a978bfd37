/* SPDX-License-Identifier: MIT */
#include "stages/image/floatrow.h"

#include <float.h>
#include <string.h>

#include "stages/simd.h"

float floatrow_full(uint8_t sample)
{
    return sample == SAMPLE_U8 ? 255.0f : sample == SAMPLE_U16 ? 65535.0f : 1.0f;
}

SIMD_CLONES static void load_u8(const uint8_t *restrict src, float *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (float)src[i];
}

SIMD_CLONES static void load_u16(const uint16_t *restrict src, float *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (float)src[i];
}

SIMD_CLONES_512 static void premultiply(float *row, size_t width, unsigned channels, float full)
{
    const float unit = 1.0f / full;
    if (channels == 2) {
#pragma omp simd
        for (size_t x = 0; x < width; x++)
            row[2 * x] *= row[2 * x + 1] * unit;
        return;
    }
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const float alpha = row[4 * x + 3] * unit;
        row[4 * x] *= alpha;
        row[4 * x + 1] *= alpha;
        row[4 * x + 2] *= alpha;
    }
}

void floatrow_convert(uint8_t sample, const uint8_t *src, float *dst, size_t count)
{
    const void *from = src;
    if (sample == SAMPLE_U8)
        load_u8(from, dst, count);
    else if (sample == SAMPLE_U16)
        load_u16(from, dst, count);
    else
        memcpy(dst, from, count * sizeof *dst);
}

void floatrow_load(const struct shape *shape, const uint8_t *src, float *dst, size_t margin_px)
{
    const size_t channels = shape->channels, count = shape->width * channels;
    float *row = dst + margin_px * channels;
    floatrow_convert(shape->sample, src, row, count);
    if (shape_has_alpha(shape))
        premultiply(row, shape->width, shape->channels, floatrow_full(shape->sample));
    for (size_t i = 0; i < margin_px * channels; i++) {
        dst[i] = row[i % channels];
        row[count + i] = row[count - channels + i % channels];
    }
}

SIMD_CLONES_512 static void straighten(float *row, size_t width, unsigned channels, float full, float least)
{
    if (channels == 2) {
#pragma omp simd
        for (size_t x = 0; x < width; x++)
            row[2 * x] *= row[2 * x + 1] >= least ? full / row[2 * x + 1] : 0.0f;
        return;
    }
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const float alpha = row[4 * x + 3];
        const float scale = alpha >= least ? full / alpha : 0.0f;
        row[4 * x] *= scale;
        row[4 * x + 1] *= scale;
        row[4 * x + 2] *= scale;
    }
}

void floatrow_straighten(const struct shape *shape, float *row)
{
    if (shape_has_alpha(shape))
        straighten(row, shape->width, shape->channels, floatrow_full(shape->sample),
                   shape->sample == SAMPLE_F32 ? FLT_TRUE_MIN : 0.5f);
}

/* NaN fails the first comparison. `full` must not be a constant to the compiler: it would turn the comparison
 * with one into masks of bytes. */
SIMD_INLINE int rounded(float value, float full)
{
    value = value > 0.0f ? value : 0.0f;
    value = value < full ? value : full;
    return (int)(value + 0.5f);
}

SIMD_CLONES static void store_u8(const float *restrict src, uint8_t *restrict dst, size_t count, float full)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint8_t)rounded(src[i], full);
}

SIMD_CLONES static void store_u16(const float *restrict src, uint16_t *restrict dst, size_t count, float full)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (uint16_t)rounded(src[i], full);
}

void floatrow_store(const struct shape *shape, const float *src, uint8_t *dst)
{
    const size_t count = (size_t)shape->width * shape->channels;
    void *to = dst;
    if (shape->sample == SAMPLE_U8)
        store_u8(src, to, count, floatrow_full(SAMPLE_U8));
    else if (shape->sample == SAMPLE_U16)
        store_u16(src, to, count, floatrow_full(SAMPLE_U16));
    else
        memcpy(to, src, count * sizeof *src);
}
