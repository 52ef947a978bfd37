/* SPDX-License-Identifier: MIT */
/* For RGBA and AVX2 there are loops of vectors: compilers take the channels apart and put them together
 * again, and divide once for each channel. */
#include "stages/image/premul.h"

#include "stages/simd.h"

#ifdef SIMD_CHOICE
#include <immintrin.h>
#endif

SIMD_INLINE int16_t product(unsigned value, unsigned alpha)
{
    return (int16_t)((int)(value * alpha) - PREMUL_OFFSET);
}

SIMD_CLONES static void premultiply_u8(const uint8_t *restrict src, int16_t *restrict dst, size_t width,
                                       unsigned channels)
{
    if (channels == 2) {
#pragma omp simd
        for (size_t x = 0; x < width; x++) {
            dst[2 * x] = product(src[2 * x], src[2 * x + 1]);
            dst[2 * x + 1] = product(255, src[2 * x + 1]);
        }
        return;
    }
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const unsigned alpha = src[4 * x + 3];
        dst[4 * x] = product(src[4 * x], alpha);
        dst[4 * x + 1] = product(src[4 * x + 1], alpha);
        dst[4 * x + 2] = product(src[4 * x + 2], alpha);
        dst[4 * x + 3] = product(255, alpha);
    }
}

/* A colour may be a little more than the alpha that it was weighed with. */
SIMD_INLINE uint8_t divided(float value, float scale)
{
    const float level = value * scale;
    return (uint8_t)(int)((level < 255.0f ? level : 255.0f) + 0.5f);
}

SIMD_CLONES static void divide_by_alpha(const float *restrict src, float unit, uint8_t *restrict dst,
                                        size_t width, unsigned channels)
{
    if (channels == 2) {
#pragma omp simd
        for (size_t x = 0; x < width; x++) {
            const float sum = src[2 * x + 1], level = sum * unit + 0.5f;
            const float scale = level >= 1.0f ? 255.0f / sum : 0.0f;
            dst[2 * x] = divided(src[2 * x], scale);
            dst[2 * x + 1] = (uint8_t)(int)level;
        }
        return;
    }
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const float sum = src[4 * x + 3], level = sum * unit + 0.5f;
        const float scale = level >= 1.0f ? 255.0f / sum : 0.0f;
        dst[4 * x] = divided(src[4 * x], scale);
        dst[4 * x + 1] = divided(src[4 * x + 1], scale);
        dst[4 * x + 2] = divided(src[4 * x + 2], scale);
        dst[4 * x + 3] = (uint8_t)(int)level;
    }
}

SIMD_CLONES_512 static void straighten_sums(float *row, float unit, size_t width, unsigned channels)
{
    if (channels == 2) {
#pragma omp simd
        for (size_t x = 0; x < width; x++) {
            const float sum = row[2 * x + 1];
            row[2 * x] *= sum > 0 ? 255.0f / sum : 0.0f;
            row[2 * x + 1] = sum * unit;
        }
        return;
    }
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const float sum = row[4 * x + 3], scale = sum > 0 ? 255.0f / sum : 0.0f;
        row[4 * x] *= scale;
        row[4 * x + 1] *= scale;
        row[4 * x + 2] *= scale;
        row[4 * x + 3] = sum * unit;
    }
}

void premul_straighten(float *row, float total, size_t width, unsigned channels)
{
    straighten_sums(row, 255.0f / (PREMUL_FULL * total), width, channels);
}

void premul_load_plain(const uint8_t *src, int16_t *dst, size_t width, unsigned channels)
{
    premultiply_u8(src, dst, width, channels);
}

void premul_store_plain(const float *src, float total, uint8_t *dst, size_t width, unsigned channels)
{
    divide_by_alpha(src, 255.0f / (PREMUL_FULL * total), dst, width, channels);
}

#ifdef SIMD_CHOICE
#define AVX2 __attribute__((target("avx2")))

AVX2 static void premultiply_vectors(const uint8_t *src, int16_t *dst, size_t width)
{
    const __m256i alphas = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(6, -1, 6, -1, 6, -1, 6, -1, 14, -1, 14, -1, 14, -1, 14, -1));
    const __m256i full = _mm256_set1_epi64x((int64_t)255 << 48);
    const __m256i offset = _mm256_set1_epi16((int16_t)-PREMUL_OFFSET);
    for (size_t x = 0; x < width; x += 4) {
        const __m256i pixels =
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(src + 4 * x)));
        const __m256i products =
            _mm256_mullo_epi16(_mm256_or_si256(pixels, full), _mm256_shuffle_epi8(pixels, alphas));
        _mm256_storeu_si256((__m256i *)(void *)(dst + 4 * x), _mm256_xor_si256(products, offset));
    }
}

/* Two pixels, of which `alpha` says where their scales are among four. */
#define DIVIDE_TWO(pixels, scales, alpha)                                                                    \
    _mm256_cvttps_epi32(_mm256_add_ps(                                                                       \
        _mm256_min_ps(_mm256_mul_ps(pixels, _mm256_blend_ps(_mm256_permute_ps(scales, alpha), units, 0x88)), \
                      full),                                                                                 \
        half))

/* Four pixels as whole numbers of 16 bits: the first and the third, then the others. One division for all. */
AVX2 SIMD_INLINE __m256i divide_four(const float *src, float unit)
{
    const __m256 full = _mm256_set1_ps(255.0f), half = _mm256_set1_ps(0.5f), units = _mm256_set1_ps(unit);
    const __m256 low = _mm256_loadu_ps(src), high = _mm256_loadu_ps(src + 8);
    const __m256 sums = _mm256_shuffle_ps(low, high, 0xff);
    const __m256 seen =
        _mm256_cmp_ps(_mm256_add_ps(_mm256_mul_ps(sums, units), half), _mm256_set1_ps(1.0f), _CMP_GE_OQ);
    const __m256 scales = _mm256_and_ps(_mm256_div_ps(full, sums), seen);
    return _mm256_packus_epi32(DIVIDE_TWO(low, scales, 0x00), DIVIDE_TWO(high, scales, 0xaa));
}

AVX2 static void divide_vectors(const float *src, float unit, uint8_t *dst, size_t width)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (size_t x = 0; x < width; x += 8) {
        const __m256i bytes =
            _mm256_packus_epi16(divide_four(src + 4 * x, unit), divide_four(src + 4 * x + 16, unit));
        _mm256_storeu_si256((__m256i *)(void *)(dst + 4 * x), _mm256_permutevar8x32_epi32(bytes, order));
    }
}

/* How many pixels vectors of `size` do. */
static size_t in_vectors(size_t width, unsigned channels, size_t size)
{
    return channels == 4 && __builtin_cpu_supports("avx2") ? width / size * size : 0;
}

void premul_load(const uint8_t *src, int16_t *dst, size_t width, unsigned channels)
{
    const size_t done = in_vectors(width, channels, 4);
    premultiply_vectors(src, dst, done);
    if (done < width)
        premultiply_u8(src + done * channels, dst + done * channels, width - done, channels);
}

void premul_store(const float *src, float total, uint8_t *dst, size_t width, unsigned channels)
{
    const float unit = 255.0f / (PREMUL_FULL * total);
    const size_t done = in_vectors(width, channels, 8);
    divide_vectors(src, unit, dst, done);
    if (done < width)
        divide_by_alpha(src + done * channels, unit, dst + done * channels, width - done, channels);
}
#else
void premul_load(const uint8_t *src, int16_t *dst, size_t width, unsigned channels)
{
    premultiply_u8(src, dst, width, channels);
}

void premul_store(const float *src, float total, uint8_t *dst, size_t width, unsigned channels)
{
    premul_store_plain(src, total, dst, width, channels);
}
#endif
