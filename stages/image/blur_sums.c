/* SPDX-License-Identifier: MIT */
/* For AVX2 there are kernels of their own: compilers make two multiplications of what is one instruction,
 * which weighs pairs of samples and adds them up. Loops over taps are unrolled, as gcc copies all sums at the
 * end of each turn. */
#include "stages/image/blur_sums.h"

#include <string.h>

#include "stages/image/blur_fixed.h"
#include "stages/image/premul.h"
#include "stages/simd.h"

#ifdef SIMD_CHOICE
#include <immintrin.h>
#endif

#define BLUR_SUMS_OFFSET (PREMUL_OFFSET * BLUR_SUMS_TOTAL)

/* Sums that are made at a time; a multiple of BLUR_SUMS_UNIT. */
#define CHUNK 512u

void blur_sums_weights(const float *parts, size_t radius, int16_t *weights)
{
    int rest = BLUR_SUMS_TOTAL;
    weights[0] = weights[2 * radius + 2] = 0;
    for (size_t k = 1; k <= radius; k++) {
        const int16_t weight = (int16_t)(BLUR_SUMS_TOTAL * parts[k] + 0.5f);
        weights[radius + 1 - k] = weights[radius + 1 + k] = weight;
        rest -= 2 * weight;
    }
    weights[radius + 1] = (int16_t)rest;
}

SIMD_INLINE void begin(int32_t *sum, int32_t value, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sum[i] = value;
}

/* Weights stay of 16 bits: so compilers find the multiplication that widens. */
SIMD_INLINE void add_two(int32_t *restrict sum, const int16_t *a, const int16_t *b, const int16_t *weights,
                         size_t count)
{
    const int16_t first = weights[0], second = weights[1];
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sum[i] += a[i] * first + b[i] * second;
}

SIMD_CLONES static void across_plain(int16_t *restrict dst, const int16_t *row, size_t step,
                                     const int16_t *weights, size_t radius, size_t count)
{
    int32_t sum[CHUNK];
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        const int16_t *from = row + start - radius * step;
        begin(sum, BLUR_SUMS_TOTAL / 2, length);
        for (size_t t = 0; t <= 2 * radius; t += 2)
            add_two(sum, from + t * step, from + (t + 1) * step, weights + 1 + t, length);
#pragma omp simd
        for (size_t i = 0; i < length; i++)
            dst[start + i] = (int16_t)(sum[i] >> 15);
    }
}

SIMD_CLONES static void down_plain(float *restrict dst, float *restrict next, const int16_t *const *taps,
                                   const int16_t *weights, size_t radius, size_t first, size_t count)
{
    int32_t sum[2][CHUNK];
    for (size_t done = 0; done < count; done += CHUNK) {
        const size_t length = count - done < CHUNK ? count - done : CHUNK, start = first + done;
        begin(sum[0], BLUR_SUMS_OFFSET, length);
        begin(sum[1], BLUR_SUMS_OFFSET, length);
        for (size_t t = 0; t <= 2 * radius; t += 2) {
            const int16_t *a = taps[t] + start, *b = taps[t + 1] + start;
            add_two(sum[0], a, b, weights + 1 + t, length);
            add_two(sum[1], a, b, weights + t, length);
        }
#pragma omp simd
        for (size_t i = 0; i < length; i++) {
            dst[done + i] = (float)sum[0][i];
            next[done + i] = (float)sum[1][i];
        }
    }
}

void blur_sums_across_plain(int16_t *dst, const int16_t *row, size_t step, const int16_t *weights,
                            size_t radius, size_t count)
{
    across_plain(dst, row, step, weights, radius, count);
}

void blur_sums_down_plain(float *dst, float *next, const int16_t *const *taps, const int16_t *weights,
                          size_t radius, size_t start, size_t count)
{
    down_plain(dst, next, taps, weights, radius, start, count);
}

#ifdef SIMD_CHOICE
#define AVX2 __attribute__((target("avx2")))

#define MOST_PAIRS (CHUNK + 2 * BLUR_FIXED_MAX_RADIUS_PX * BLUR_SUMS_MAX_STEP + 16)

AVX2 SIMD_INLINE __m256i load(const int16_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

AVX2 SIMD_INLINE void store(int16_t *to, __m256i samples)
{
    _mm256_storeu_si256((__m256i *)(void *)to, samples);
}

/* Each of `count` samples beside that which is a step further. */
AVX2 SIMD_INLINE void make_pairs(int16_t *restrict pairs, const int16_t *restrict row, size_t step,
                                 size_t count)
{
    for (size_t i = 0; i < count; i += 16) {
        const __m256i a = load(row + i), b = load(row + i + step);
        const __m256i low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
        store(pairs + 2 * i, _mm256_permute2x128_si256(low, high, 0x20));
        store(pairs + 2 * i + 16, _mm256_permute2x128_si256(low, high, 0x31));
    }
}

/* Two weights that lie beside each other, for each pair of a vector. */
AVX2 SIMD_INLINE __m256i load_weights(const int16_t *weights)
{
    int32_t two;
    memcpy(&two, weights, sizeof two);
    return _mm256_set1_epi32(two);
}

/* 8 x `vectors` sums, rounded; from pairs that begin with the first tap's. */
AVX2 SIMD_INLINE void weigh_pairs(int16_t *dst, const int16_t *pairs, size_t step, const int16_t *weights,
                                  size_t radius, size_t vectors)
{
    __m256i sums[8];
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++)
        sums[v] = _mm256_set1_epi32(BLUR_SUMS_TOTAL / 2);
#pragma GCC unroll 2
    for (size_t t = 0; t <= 2 * radius; t += 2) {
        const __m256i by = load_weights(weights + 1 + t);
        const int16_t *from = pairs + 2 * t * step;
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sums[v] = _mm256_add_epi32(sums[v], _mm256_madd_epi16(load(from + 16 * v), by));
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v += 2) {
        const __m256i both =
            _mm256_packs_epi32(_mm256_srai_epi32(sums[v], 15), _mm256_srai_epi32(sums[v + 1], 15));
        store(dst + 8 * v, _mm256_permute4x64_epi64(both, 0xd8));
    }
}

AVX2 static void across_avx2(int16_t *dst, const int16_t *row, size_t step, const int16_t *weights,
                             size_t radius, size_t count)
{
    _Alignas(32) int16_t pairs[2 * MOST_PAIRS];
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        make_pairs(pairs, row + start - radius * step, step, length + 2 * radius * step);
        size_t i = 0;
        for (; i + 64 <= length; i += 64)
            weigh_pairs(dst + start + i, pairs + 2 * i, step, weights, radius, 8);
        if (i < length)
            weigh_pairs(dst + start + i, pairs + 2 * i, step, weights, radius, 4);
    }
}

/* The sums of BLUR_SUMS_UNIT samples of one row. Within each half of a vector: low[0] has the first four of
 * eight samples, high[0] the other four. */
struct sums {
    __m256i low[2], high[2];
};

AVX2 SIMD_INLINE void add_pairs(struct sums *sums, size_t v, __m256i low, __m256i high, __m256i by)
{
    sums->low[v] = _mm256_add_epi32(sums->low[v], _mm256_madd_epi16(low, by));
    sums->high[v] = _mm256_add_epi32(sums->high[v], _mm256_madd_epi16(high, by));
}

AVX2 SIMD_INLINE void store_sums(float *dst, const struct sums *sums)
{
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; v++) {
        const __m256 low = _mm256_cvtepi32_ps(sums->low[v]), high = _mm256_cvtepi32_ps(sums->high[v]);
        _mm256_storeu_ps(dst + 16 * v, _mm256_permute2f128_ps(low, high, 0x20));
        _mm256_storeu_ps(dst + 16 * v + 8, _mm256_permute2f128_ps(low, high, 0x31));
    }
}

AVX2 static void down_avx2(float *dst, float *next, const int16_t *const *taps, const int16_t *weights,
                           size_t radius, size_t start, size_t count)
{
    const __m256i offset = _mm256_set1_epi32(BLUR_SUMS_OFFSET);
    for (size_t i = 0; i < count; i += BLUR_SUMS_UNIT) {
        struct sums first = {{offset, offset}, {offset, offset}}, second = first;
#pragma GCC unroll 2
        for (size_t t = 0; t <= 2 * radius; t += 2) {
            const int16_t *a = taps[t] + start + i, *b = taps[t + 1] + start + i;
            const __m256i by = load_weights(weights + 1 + t), by_next = load_weights(weights + t);
#pragma GCC unroll 2
            for (size_t v = 0; v < 2; v++) {
                const __m256i low = _mm256_unpacklo_epi16(load(a + 16 * v), load(b + 16 * v));
                const __m256i high = _mm256_unpackhi_epi16(load(a + 16 * v), load(b + 16 * v));
                add_pairs(&first, v, low, high, by);
                add_pairs(&second, v, low, high, by_next);
            }
        }
        store_sums(dst + i, &first);
        store_sums(next + i, &second);
    }
}

void blur_sums_across(int16_t *dst, const int16_t *row, size_t step, const int16_t *weights, size_t radius,
                      size_t count)
{
    if (__builtin_cpu_supports("avx2"))
        across_avx2(dst, row, step, weights, radius, count);
    else
        across_plain(dst, row, step, weights, radius, count);
}

void blur_sums_down(float *dst, float *next, const int16_t *const *taps, const int16_t *weights,
                    size_t radius, size_t start, size_t count)
{
    if (__builtin_cpu_supports("avx2"))
        down_avx2(dst, next, taps, weights, radius, start, count);
    else
        down_plain(dst, next, taps, weights, radius, start, count);
}
#else
void blur_sums_across(int16_t *dst, const int16_t *row, size_t step, const int16_t *weights, size_t radius,
                      size_t count)
{
    across_plain(dst, row, step, weights, radius, count);
}

void blur_sums_down(float *dst, float *next, const int16_t *const *taps, const int16_t *weights,
                    size_t radius, size_t start, size_t count)
{
    down_plain(dst, next, taps, weights, radius, start, count);
}
#endif
