/* SPDX-License-Identifier: MIT */
/* For AVX2 there are kernels of their own: compilers make two multiplications of what is one instruction. */
#include "stages/image/blur_sums.h"

#include "stages/image/premul.h"
#include "stages/simd.h"

#ifdef SIMD_CHOICE
#include <immintrin.h>
#endif

#define BLUR_SUMS_OFFSET (PREMUL_OFFSET * BLUR_SUMS_TOTAL)

/* Sums that are made at a time. */
#define CHUNK 512u

void blur_sums_weights(const float *parts, size_t radius, int16_t *weights)
{
    int rest = BLUR_SUMS_TOTAL;
    for (size_t k = 1; k <= radius; k++) {
        weights[k] = (int16_t)(BLUR_SUMS_TOTAL * parts[k] + 0.5f);
        rest -= 2 * weights[k];
    }
    weights[0] = (int16_t)rest;
}

SIMD_INLINE void add_taps(int32_t *restrict sum, const int16_t *const *taps, const int16_t *weights,
                          size_t radius, size_t start, size_t length)
{
    const int16_t *centre = taps[0] + start;
    const int32_t own = weights[0];
#pragma omp simd
    for (size_t i = 0; i < length; i++)
        sum[i] = centre[i] * own;
    for (size_t k = 1; k <= radius; k++) {
        const int16_t *a = taps[2 * k - 1] + start, *b = taps[2 * k] + start;
        const int32_t weight = weights[k];
#pragma omp simd
        for (size_t i = 0; i < length; i++)
            sum[i] += (a[i] + b[i]) * weight;
    }
}

SIMD_CLONES static void across_plain(int16_t *restrict dst, const int16_t *const *taps,
                                     const int16_t *weights, size_t radius, size_t count)
{
    int32_t sum[CHUNK];
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        add_taps(sum, taps, weights, radius, start, length);
#pragma omp simd
        for (size_t i = 0; i < length; i++)
            dst[start + i] = (int16_t)((sum[i] + BLUR_SUMS_TOTAL / 2) >> 15);
    }
}

SIMD_CLONES static void down_plain(float *restrict dst, const int16_t *const *taps, const int16_t *weights,
                                   size_t radius, size_t first, size_t count)
{
    int32_t sum[CHUNK];
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        add_taps(sum, taps, weights, radius, first + start, length);
#pragma omp simd
        for (size_t i = 0; i < length; i++)
            dst[start + i] = (float)(sum[i] + BLUR_SUMS_OFFSET);
    }
}

void blur_sums_across_plain(int16_t *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                            size_t count)
{
    across_plain(dst, taps, weights, radius, count);
}

void blur_sums_down_plain(float *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                          size_t start, size_t count)
{
    down_plain(dst, taps, weights, radius, start, count);
}

#ifdef SIMD_CHOICE
#define AVX2 __attribute__((target("avx2")))

/* The sums of 32 samples. Within each half of a vector: low[0] has the first four of eight samples, high[0]
 * the other four. */
struct sums {
    __m256i low[2], high[2];
};

AVX2 SIMD_INLINE __m256i load(const int16_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

AVX2 SIMD_INLINE void add_pair(struct sums *sums, const int16_t *a, const int16_t *b, __m256i weights)
{
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; v++) {
        const __m256i first = load(a + 16 * v), second = load(b + 16 * v);
        const __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(first, second), weights);
        const __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(first, second), weights);
        sums->low[v] = _mm256_add_epi32(sums->low[v], low);
        sums->high[v] = _mm256_add_epi32(sums->high[v], high);
    }
}

/* The centre is a pair, too: of itself, with two halves of its weight. */
AVX2 SIMD_INLINE struct sums sums_of_32(const int16_t *const *taps, const int16_t *weights, size_t radius,
                                        size_t at, int bias)
{
    const __m256i begin = _mm256_set1_epi32(bias);
    struct sums sums = {{begin, begin}, {begin, begin}};
    const int half = weights[0] / 2;
    add_pair(&sums, taps[0] + at, taps[0] + at, _mm256_set1_epi32((weights[0] - half) << 16 | half));
    for (size_t k = 1; k <= radius; k++)
        add_pair(&sums, taps[2 * k - 1] + at, taps[2 * k] + at, _mm256_set1_epi16(weights[k]));
    return sums;
}

AVX2 static void across_avx2(int16_t *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                             size_t count)
{
    for (size_t i = 0; i < count; i += BLUR_SUMS_UNIT) {
        const struct sums sums = sums_of_32(taps, weights, radius, i, BLUR_SUMS_TOTAL / 2);
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++)
            _mm256_storeu_si256(
                (__m256i *)(void *)(dst + i + 16 * v),
                _mm256_packs_epi32(_mm256_srai_epi32(sums.low[v], 15), _mm256_srai_epi32(sums.high[v], 15)));
    }
}

AVX2 static void down_avx2(float *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                           size_t start, size_t count)
{
    for (size_t i = 0; i < count; i += BLUR_SUMS_UNIT) {
        const struct sums sums = sums_of_32(taps, weights, radius, start + i, BLUR_SUMS_OFFSET);
#pragma GCC unroll 2
        for (size_t v = 0; v < 2; v++) {
            const __m256 low = _mm256_cvtepi32_ps(sums.low[v]), high = _mm256_cvtepi32_ps(sums.high[v]);
            _mm256_storeu_ps(dst + i + 16 * v, _mm256_permute2f128_ps(low, high, 0x20));
            _mm256_storeu_ps(dst + i + 16 * v + 8, _mm256_permute2f128_ps(low, high, 0x31));
        }
    }
}

void blur_sums_across(int16_t *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                      size_t count)
{
    if (__builtin_cpu_supports("avx2"))
        across_avx2(dst, taps, weights, radius, count);
    else
        across_plain(dst, taps, weights, radius, count);
}

void blur_sums_down(float *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                    size_t start, size_t count)
{
    if (__builtin_cpu_supports("avx2"))
        down_avx2(dst, taps, weights, radius, start, count);
    else
        down_plain(dst, taps, weights, radius, start, count);
}
#else
void blur_sums_across(int16_t *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                      size_t count)
{
    across_plain(dst, taps, weights, radius, count);
}

void blur_sums_down(float *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                    size_t start, size_t count)
{
    down_plain(dst, taps, weights, radius, start, count);
}
#endif
