/* SPDX-License-Identifier: MIT */
/* The arithmetic on rows. Every sum has one fixed order, written here and not left to the compiler, so that
 * each build and each instruction set gives the same bytes: multiplications and additions are single IEEE
 * operations (-ffp-contract=off), and sums that run in four lanes do so in the source.
 *
 * sRGB transfer: IEC 61966-2-1. */
#include <math.h>
#include <string.h>

#include "stages/image/resample.h"

#define INLINE static inline __attribute__((always_inline))

typedef float four __attribute__((vector_size(16)));

INLINE four four_at(const float *p)
{
    four v;
    memcpy(&v, p, sizeof v);
    return v;
}

static float decoded(float v)
{
    const float a = fabsf(v);
    return copysignf(a <= 0.04045f ? a / 12.92f : powf((a + 0.055f) / 1.055f, 2.4f), v);
}

static float encoded(float v)
{
    const float a = fabsf(v);
    return copysignf(a <= 0.0031308f ? a * 12.92f : 1.055f * powf(a, 1 / 2.4f) - 0.055f, v);
}

static float full_scale(uint8_t sample)
{
    return sample == SAMPLE_U8 ? 255.0f : sample == SAMPLE_U16 ? 65535.0f : 1.0f;
}

static size_t decode_count(uint8_t sample, bool linear)
{
    return !linear || sample == SAMPLE_F32 ? 0 : sample == SAMPLE_U8 ? 256 : 65536;
}

size_t resample_decode_need(uint8_t sample, bool linear)
{
    return scratch_need(decode_count(sample, linear), sizeof(float));
}

bool resample_decode_make(struct resample_format *format, struct scratch *scratch)
{
    const size_t count = decode_count(format->sample, format->linear);
    format->decode = NULL;
    if (count == 0)
        return true;
    float *decode = scratch_alloc(scratch, count, sizeof(float));
    if (!decode)
        return false;
    for (size_t i = 0; i < count; i++)
        decode[i] = decoded((float)i / full_scale(format->sample));
    format->decode = decode;
    return true;
}

/* One loop for each sample type; `colour` says what becomes of a colour sample. */
#define LOAD_SAMPLES(type, colour)                                                                           \
    do {                                                                                                     \
        const type *restrict from = (const type *)(const void *)src;                                         \
        for (size_t i = 0; i < count; i++)                                                                   \
            dst[i] = colour(from[i]);                                                                        \
    } while (0)
#define AS_FLOAT(v) ((float)(v))
#define BY_TABLE(v) (format->decode[v])
#define BY_POWER(v) (decoded(v))

#define LOAD_ALPHA(type, colour)                                                                             \
    do {                                                                                                     \
        const type *restrict from = (const type *)(const void *)src;                                         \
        const float unit = 1.0f / full_scale(format->sample);                                                \
        for (size_t i = 0; i < count; i += channels) {                                                       \
            const float alpha = (float)from[i + channels - 1] * unit;                                        \
            for (unsigned c = 0; c + 1 < channels; c++)                                                      \
                dst[i + c] = colour(from[i + c]) * alpha;                                                    \
            dst[i + channels - 1] = alpha;                                                                   \
        }                                                                                                    \
    } while (0)

INLINE void load_opaque(const struct resample_format *format, const uint8_t *restrict src,
                        float *restrict dst, size_t count)
{
    if (format->sample == SAMPLE_U8 && !format->linear)
        LOAD_SAMPLES(uint8_t, AS_FLOAT);
    else if (format->sample == SAMPLE_U8)
        LOAD_SAMPLES(uint8_t, BY_TABLE);
    else if (format->sample == SAMPLE_U16 && !format->linear)
        LOAD_SAMPLES(uint16_t, AS_FLOAT);
    else if (format->sample == SAMPLE_U16)
        LOAD_SAMPLES(uint16_t, BY_TABLE);
    else if (!format->linear)
        memcpy(dst, src, count * sizeof *dst);
    else
        LOAD_SAMPLES(float, BY_POWER);
}

/* RGBA that needs no table: turned to floats like any row, then multiplied a pixel at a time. */
INLINE void load_rgba(const struct resample_format *format, const uint8_t *restrict src, float *restrict dst,
                      size_t count)
{
    const float unit = 1.0f / full_scale(format->sample);
    load_opaque(format, src, dst, count);
    for (size_t i = 0; i < count; i += 4) {
        four pixel = four_at(dst + i);
        const float alpha = pixel[3] * unit;
        pixel[3] = 1;
        pixel *= alpha;
        memcpy(dst + i, &pixel, sizeof pixel);
    }
}

INLINE void load_alpha(const struct resample_format *format, const uint8_t *restrict src, float *restrict dst,
                       size_t count, unsigned channels)
{
    if (format->sample == SAMPLE_U8 && !format->linear)
        LOAD_ALPHA(uint8_t, AS_FLOAT);
    else if (format->sample == SAMPLE_U8)
        LOAD_ALPHA(uint8_t, BY_TABLE);
    else if (format->sample == SAMPLE_U16 && !format->linear)
        LOAD_ALPHA(uint16_t, AS_FLOAT);
    else if (format->sample == SAMPLE_U16)
        LOAD_ALPHA(uint16_t, BY_TABLE);
    else if (!format->linear)
        LOAD_ALPHA(float, AS_FLOAT);
    else
        LOAD_ALPHA(float, BY_POWER);
}

INLINE void load_body(const struct resample_format *format, const uint8_t *src, float *dst, size_t pixels)
{
    if (format->channels == 4 && !format->linear)
        load_rgba(format, src, dst, pixels * 4);
    else if (format->channels == 4)
        load_alpha(format, src, dst, pixels * 4, 4);
    else if (format->channels == 2)
        load_alpha(format, src, dst, pixels * 2, 2);
    else
        load_opaque(format, src, dst, pixels * format->channels);
}

INLINE void add_body(float *restrict sum, const float *restrict rows, size_t step, const float *weights,
                     size_t count)
{
    const float *restrict a = rows, *restrict b = a + step, *restrict c = b + step, *restrict d = c + step;
    const float p = weights[0], q = weights[1], r = weights[2], s = weights[3];
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sum[i] = (((sum[i] + p * a[i]) + q * b[i]) + r * c[i]) + s * d[i];
}

INLINE void add_one_body(float *restrict sum, const float *restrict row, float weight, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sum[i] += weight * row[i];
}

/* Three or four channels: a vector holds a pixel (of RGB also the next pixel's red, which is dropped), and
 * four sums run side by side, because an addition takes four cycles to be ready for the next. */
INLINE void dot_pixels(const float *row, const float *weights, uint32_t count, float *out, unsigned channels)
{
    four a = {0}, b = {0}, c = {0}, d = {0};
    uint32_t k = 0;
    for (; k + 4 <= count; k += 4, row += 4 * channels) {
        a += weights[k] * four_at(row);
        b += weights[k + 1] * four_at(row + channels);
        c += weights[k + 2] * four_at(row + 2 * channels);
        d += weights[k + 3] * four_at(row + 3 * channels);
    }
    for (; k < count; k++, row += channels)
        a += weights[k] * four_at(row);
    const four sum = (a + b) + (c + d);
    memcpy(out, &sum, sizeof sum); /* what is too much, the next pixel or padding takes */
}

/* Two channels: a vector holds two pixels. */
INLINE void dot_pairs(const float *row, const float *weights, uint32_t count, float *out)
{
    four a = {0}, b = {0};
    uint32_t k = 0;
    for (; k + 4 <= count; k += 4, row += 8) {
        const four low = {weights[k], weights[k], weights[k + 1], weights[k + 1]};
        const four high = {weights[k + 2], weights[k + 2], weights[k + 3], weights[k + 3]};
        a += low * four_at(row);
        b += high * four_at(row + 4);
    }
    for (; k < count; k++, row += 2) {
        a[0] += weights[k] * row[0];
        a[1] += weights[k] * row[1];
    }
    a += b;
    out[0] = a[0] + a[2];
    out[1] = a[1] + a[3];
}

/* One channel: a vector holds four pixels. */
INLINE void dot_grey(const float *row, const float *weights, uint32_t count, float *out)
{
    four a = {0}, b = {0};
    uint32_t k = 0;
    for (; k + 8 <= count; k += 8) {
        a += four_at(weights + k) * four_at(row + k);
        b += four_at(weights + k + 4) * four_at(row + k + 4);
    }
    for (; k < count; k++)
        a[k % 4] += weights[k] * row[k];
    a += b;
    out[0] = (a[0] + a[1]) + (a[2] + a[3]);
}

INLINE void dot_body(const struct resample_table *table, uint32_t outputs, uint32_t origin, unsigned channels,
                     const float *row, float *out)
{
    /* Copies, as for all that the compiler knows `out` may be part of the table. */
    const uint32_t *first = table->first, *counts = table->count;
    const float *weights = table->weights;
    const size_t stride = table->stride;
    for (size_t i = 0; i < outputs; i++, weights += stride) {
        const float *from = row + (size_t)(first[i] - origin) * channels;
        if (channels == 4)
            dot_pixels(from, weights, counts[i], out + i * 4, 4);
        else if (channels == 3)
            dot_pixels(from, weights, counts[i], out + i * 3, 3);
        else if (channels == 2)
            dot_pairs(from, weights, counts[i], out + i * 2);
        else
            dot_grey(from, weights, counts[i], out + i);
    }
}

/* Premultiplied back to plain colour, and alpha to the scale of the stored sample. A sum of alpha that will
 * be stored as 0 has no colour to speak of. */
INLINE void divide_by_alpha(float *restrict row, size_t count, unsigned channels, float least, float full)
{
    for (size_t i = 0; i < count; i += channels) {
        const float sum = row[i + channels - 1];
        const bool seen = sum > 0 && sum >= least;
        const float alpha = sum > 0 ? (sum < 1 ? sum : 1) * full : 0;
        if (channels == 4) {
            const four none = {0}, colour = four_at(row + i) / sum;
            memcpy(row + i, seen ? &colour : &none, sizeof colour);
        } else {
            row[i] = seen ? row[i] / sum : 0;
        }
        row[i + channels - 1] = alpha;
    }
}

INLINE void encode(float *restrict row, size_t count, unsigned channels, float full)
{
    const unsigned colours = channels % 2 == 0 ? channels - 1 : channels;
    for (size_t i = 0; i < count; i += channels) {
        for (unsigned c = 0; c < colours; c++)
            row[i + c] = encoded(row[i + c]) * full;
    }
}

/* 8 bits: no sum and no quotient by alpha is beyond an int, and limits of whole numbers are faster. */
INLINE void round_u8(const float *restrict row, uint8_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const int32_t value = (int32_t)(row[i] + 0.5f);
        const int32_t least = value > 0 ? value : 0;
        const int32_t limited = least < 255 ? least : 255;
        dst[i] = (uint8_t)limited;
    }
}

INLINE void round_u16(const float *restrict row, uint16_t *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        float value = row[i] + 0.5f;
        value = value > 0 ? value : 0;
        value = value < 65535.0f ? value : 65535.0f;
        dst[i] = (uint16_t)(int32_t)value;
    }
}

INLINE void store_body(const struct resample_format *format, float *restrict row, uint8_t *restrict dst,
                       size_t pixels)
{
    const size_t count = pixels * format->channels;
    const float full = full_scale(format->sample);
    const float least = format->sample == SAMPLE_F32 ? 0 : 0.5f / full;
    void *to = dst;
    if (format->channels == 4)
        divide_by_alpha(row, count, 4, least, full);
    else if (format->channels == 2)
        divide_by_alpha(row, count, 2, least, full);
    if (format->linear)
        encode(row, count, format->channels, full);
    if (format->sample == SAMPLE_U8)
        round_u8(row, dst, count);
    else if (format->sample == SAMPLE_U16)
        round_u16(row, to, count);
    else
        memcpy(dst, row, count * sizeof *row);
}

/* Compiles the bodies for one instruction set. Written out, and chosen at run time by hand, because the
 * resolvers of target_clones run before the sanitizers are ready. */
#define OPS(set, target)                                                                                     \
    target static void load_##set(const struct resample_format *format, const uint8_t *src, float *dst,      \
                                  size_t pixels)                                                             \
    {                                                                                                        \
        load_body(format, src, dst, pixels);                                                                 \
    }                                                                                                        \
    target static void add_##set(float *sum, const float *rows, size_t step, const float *weights,           \
                                 size_t count)                                                               \
    {                                                                                                        \
        add_body(sum, rows, step, weights, count);                                                           \
    }                                                                                                        \
    target static void add_one_##set(float *sum, const float *row, float weight, size_t count)               \
    {                                                                                                        \
        add_one_body(sum, row, weight, count);                                                               \
    }                                                                                                        \
    target static void dot_##set(const struct resample_table *table, uint32_t outputs, uint32_t origin,      \
                                 unsigned channels, const float *row, float *out)                            \
    {                                                                                                        \
        dot_body(table, outputs, origin, channels, row, out);                                                \
    }                                                                                                        \
    target static void store_##set(const struct resample_format *format, float *row, uint8_t *dst,           \
                                   size_t pixels)                                                            \
    {                                                                                                        \
        store_body(format, row, dst, pixels);                                                                \
    }                                                                                                        \
    static const struct resample_ops ops_##set = {load_##set, add_##set, add_one_##set, dot_##set,           \
                                                  store_##set};

OPS(plain, )
#ifdef __x86_64__
OPS(avx2, __attribute__((target("avx2"))))
#endif

const struct resample_ops *resample_ops_plain(void)
{
    return &ops_plain;
}

const struct resample_ops *resample_ops_best(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return &ops_avx2;
#endif
    return &ops_plain;
}
