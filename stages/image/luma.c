/* SPDX-License-Identifier: MIT */
/* Weights of ITU-R BT.709 and BT.601. Integers use 16-bit fixed point; the weights add up to exactly 1, so
 * grey pixels keep their value. For BT.601 at 8 bit this is what Pillow computes. */
#include "stages/image/luma.h"

#include "stages/simd.h"

#ifdef SIMD_CHOICE
#include <immintrin.h>
#endif

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
#define LUMA_SPREAD(kernel, channels, width, weights, src, dst, stride)                                      \
    do {                                                                                                     \
        if ((channels) == 3 && (stride) == 1)                                                                \
            kernel(src, 3, width, weights, dst, 1);                                                          \
        else if ((channels) == 4 && (stride) == 1)                                                           \
            kernel(src, 4, width, weights, dst, 1);                                                          \
        else                                                                                                 \
            kernel(src, channels, width, weights, dst, stride);                                              \
    } while (0)

SIMD_CLONES static void colour_u8(unsigned channels, size_t width, const uint32_t *w, const uint8_t *src,
                                  uint8_t *dst, size_t stride)
{
    LUMA_SPREAD(luma_u8, channels, width, w, src, dst, stride);
}

#ifdef SIMD_CHOICE
/* Weights of three and of one sample are 16 bits without a sign, products of vectors have one: green is
 * taken twice, each time with half of its weight. */
#define PAIR(low, high) _mm256_set1_epi32((int)((uint32_t)(high) << 16 | (uint32_t)(low)))

/* Eight pixels as sums of 32 bits, of which the upper 16 are the luma. Reads 28 bytes. */
__attribute__((target("avx2"))) SIMD_INLINE __m256i luma_of_8(const uint8_t *src, const __m256i weights[2])
{
    const __m256i red_green =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1));
    const __m256i green_blue =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(1, -1, 2, -1, 4, -1, 5, -1, 7, -1, 8, -1, 10, -1, 11, -1));
    const __m256i pixels =
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)src)),
                                _mm_loadu_si128((const __m128i *)(const void *)(src + 12)), 1);
    const __m256i sum =
        _mm256_add_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(pixels, red_green), weights[0]),
                         _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, green_blue), weights[1]));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(32768)), 16);
}

__attribute__((target("avx2"))) static void luma_vectors(const uint32_t *w, const uint8_t *src, uint8_t *dst,
                                                         size_t pixels)
{
    const __m256i weights[2] = {PAIR(w[0], w[1] / 2), PAIR(w[1] - w[1] / 2, w[2])};
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (size_t x = 0; x < pixels; x += 32, src += 96) {
        const __m256i low = _mm256_packus_epi32(luma_of_8(src, weights), luma_of_8(src + 24, weights));
        const __m256i high = _mm256_packus_epi32(luma_of_8(src + 48, weights), luma_of_8(src + 72, weights));
        _mm256_storeu_si256((__m256i *)(void *)(dst + x),
                            _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order));
    }
}

/* How many pixels of a row of RGB are done: all but some of the last. */
static size_t luma_many(unsigned channels, size_t width, const uint32_t *w, const uint8_t *src, uint8_t *dst,
                        size_t stride)
{
    /* The last vector reads into two more pixels. */
    if (channels != 3 || stride != 1 || width < 2 || !__builtin_cpu_supports("avx2"))
        return 0;
    const size_t pixels = (width - 2) / 32 * 32;
    luma_vectors(w, src, dst, pixels);
    return pixels;
}
#else
static size_t luma_many(unsigned channels, size_t width, const uint32_t *w, const uint8_t *src, uint8_t *dst,
                        size_t stride)
{
    (void)channels, (void)width, (void)w, (void)src, (void)dst, (void)stride;
    return 0;
}
#endif

SIMD_CLONES static void colour_u16(unsigned channels, size_t width, const uint32_t *w, const uint16_t *src,
                                   uint16_t *dst, size_t stride)
{
    LUMA_SPREAD(luma_u16, channels, width, w, src, dst, stride);
}

SIMD_CLONES_512 static void colour_f32(unsigned channels, size_t width, const float *w, const float *src,
                                       float *dst, size_t stride)
{
    LUMA_SPREAD(luma_f32, channels, width, w, src, dst, stride);
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
    const unsigned channels = in->channels;
    const size_t width = in->width;
    const void *from = src;
    void *to = dst;
    if (channels < 3) {
        grey_row(in, src, dst, stride);
    } else if (in->sample == SAMPLE_U8) {
        const size_t done = luma_many(channels, width, fixed[weights], src, dst, stride);
        colour_u8(channels, width - done, fixed[weights], src + done * channels, dst + done * stride, stride);
    } else if (in->sample == SAMPLE_U16) {
        colour_u16(channels, width, fixed[weights], from, to, stride);
    } else {
        colour_f32(channels, width, real[weights], from, to, stride);
    }
}
