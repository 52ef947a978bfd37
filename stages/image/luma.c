/* SPDX-License-Identifier: MIT */
/* Weights of ITU-R BT.709 and BT.601. Integers use 16-bit fixed point; the weights add up to exactly 1, so
 * grey pixels keep their value. For BT.601 at 8 bit this is what Pillow computes. */
#include "stages/image/luma.h"

#include "stages/simd.h"

static const uint32_t fixed[][3] = {{13933, 46871, 4732}, {19595, 38470, 7471}};
static const float real[][3] = {{0.2126f, 0.7152f, 0.0722f}, {0.299f, 0.587f, 0.114f}};

SIMD_INLINE void luma_u8(const uint8_t *src, unsigned channels, size_t width, const uint32_t *w, uint8_t *dst,
                         size_t stride)
{
    const uint32_t r = w[0], g = w[1], b = w[2];
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const uint8_t *p = src + x * channels;
        dst[x * stride] = (uint8_t)((p[0] * r + p[1] * g + p[2] * b + 32768u) >> 16);
    }
}

/* 65535 x 65536 + 32768 still fits 32 bits. */
SIMD_INLINE void luma_u16(const uint16_t *src, unsigned channels, size_t width, const uint32_t *w,
                          uint16_t *dst, size_t stride)
{
    const uint32_t r = w[0], g = w[1], b = w[2];
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const uint16_t *p = src + x * channels;
        dst[x * stride] = (uint16_t)((p[0] * r + p[1] * g + p[2] * b + 32768u) >> 16);
    }
}

SIMD_INLINE void luma_f32(const float *src, unsigned channels, size_t width, const float *w, float *dst,
                          size_t stride)
{
    const float r = w[0], g = w[1], b = w[2];
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const float *p = src + x * channels;
        dst[x * stride] = p[0] * r + p[1] * g + p[2] * b;
    }
}

/* The common distances as constants, so that the loops vectorise. */
#define LUMA_SPREAD(kernel, in, weights, src, dst, stride)                                                   \
    do {                                                                                                     \
        if ((in)->channels == 3 && (stride) == 1)                                                            \
            kernel(src, 3, (in)->width, weights, dst, 1);                                                    \
        else if ((in)->channels == 4 && (stride) == 1)                                                       \
            kernel(src, 4, (in)->width, weights, dst, 1);                                                    \
        else                                                                                                 \
            kernel(src, (in)->channels, (in)->width, weights, dst, stride);                                  \
    } while (0)

SIMD_CLONES static void colour_u8(const struct shape *in, const uint32_t *w, const uint8_t *src, uint8_t *dst,
                                  size_t stride)
{
    LUMA_SPREAD(luma_u8, in, w, src, dst, stride);
}

SIMD_CLONES static void colour_u16(const struct shape *in, const uint32_t *w, const uint16_t *src,
                                   uint16_t *dst, size_t stride)
{
    LUMA_SPREAD(luma_u16, in, w, src, dst, stride);
}

SIMD_CLONES static void colour_f32(const struct shape *in, const float *w, const float *src, float *dst,
                                   size_t stride)
{
    LUMA_SPREAD(luma_f32, in, w, src, dst, stride);
}

static void grey_row(const struct shape *in, const uint8_t *src, uint8_t *dst, size_t stride)
{
    const size_t size = shape_sample_bytes(in->sample);
    for (size_t x = 0; x < in->width; x++) {
        for (size_t byte = 0; byte < size; byte++)
            dst[x * stride * size + byte] = src[x * in->channels * size + byte];
    }
}

void luma_row(const struct shape *in, enum luma_weights weights, const uint8_t *src, uint8_t *dst,
              size_t stride)
{
    const void *from = src;
    void *to = dst;
    if (in->channels < 3)
        grey_row(in, src, dst, stride);
    else if (in->sample == SAMPLE_U8)
        colour_u8(in, fixed[weights], src, dst, stride);
    else if (in->sample == SAMPLE_U16)
        colour_u16(in, fixed[weights], from, to, stride);
    else
        colour_f32(in, real[weights], from, to, stride);
}
