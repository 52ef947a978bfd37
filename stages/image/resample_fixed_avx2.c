/* SPDX-License-Identifier: MIT */
/* What resample_fixed.c does, with AVX2. */
#include "stages/image/resample_fixed.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define LANES  RESAMPLE_LANES
#define TARGET __attribute__((target("avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE __m256i load256(const void *memory)
{
    return _mm256_loadu_si256(memory);
}

INLINE void store256(void *memory, __m256i v)
{
    _mm256_storeu_si256(memory, v);
}

/* Lower and upper half. */
INLINE __m256i load_halves(const void *low, const void *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);
}

/* Sixteen samples of an opaque row to 16 bits. */
INLINE __m256i widen(const uint8_t *src)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)src));
}

/* Sixteen samples of two or four channels: colour times alpha and alpha times 256, around 0. `spread` puts
 * each alpha beside its colours, `full` the 256 beside alpha. */
INLINE __m256i premultiplied(const uint8_t *src, __m256i spread, __m256i full)
{
    const __m256i samples = widen(src);
    const __m256i by = _mm256_or_si256(_mm256_shuffle_epi8(samples, spread), full);
    return _mm256_xor_si256(_mm256_mullo_epi16(samples, by), _mm256_set1_epi16(INT16_MIN));
}

INLINE void store_pairs(int16_t *pairs, __m256i even, __m256i odd)
{
    const __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
    store256(pairs, _mm256_permute2x128_si256(low, high, 0x20));
    store256(pairs + 16, _mm256_permute2x128_si256(low, high, 0x31));
}

TARGET static void load_avx2(unsigned channels, const uint8_t *even, const uint8_t *odd, int16_t *pairs,
                             size_t samples)
{
    const bool rgba = channels == 4;
    const __m256i spread = _mm256_broadcastsi128_si256(
        rgba ? _mm_setr_epi8(6, 7, 6, 7, 6, 7, -1, -1, 14, 15, 14, 15, 14, 15, -1, -1)
             : _mm_setr_epi8(2, 3, -1, -1, 6, 7, -1, -1, 10, 11, -1, -1, 14, 15, -1, -1));
    const __m256i full = rgba ? _mm256_set1_epi64x(256ll << 48) : _mm256_set1_epi32(256 << 16);
    size_t i = 0;
    if (channels % 2 != 0)
        for (; i + 16 <= samples; i += 16)
            store_pairs(pairs + 2 * i, widen(even + i), widen(odd + i));
    else
        for (; i + 16 <= samples; i += 16)
            store_pairs(pairs + 2 * i, premultiplied(even + i, spread, full),
                        premultiplied(odd + i, spread, full));
    resample_fixed_plain()->load(channels, even + i, odd + i, pairs + 2 * i, samples - i);
}

/* Every number of pairs has a loop of its own, whose weights stay in registers. */
INLINE void add_pairs(int32_t *sum, const int32_t *start, const int16_t *pairs, size_t step,
                      const int32_t *weights, size_t samples, unsigned pair_count)
{
    const __m256i begin = _mm256_set1_epi32(start ? *start : 0);
    const __m256i w0 = _mm256_set1_epi32(weights[0]);
    const __m256i w1 = _mm256_set1_epi32(weights[pair_count > 1 ? 1 : 0]);
    const __m256i w2 = _mm256_set1_epi32(weights[pair_count > 2 ? 2 : 0]);
    const __m256i w3 = _mm256_set1_epi32(weights[pair_count > 3 ? 3 : 0]);
    for (size_t i = 0; i < samples; i += 8) {
        const int16_t *from = pairs + 2 * i;
        __m256i total = start ? begin : load256(sum + i);
        total = _mm256_add_epi32(total, _mm256_madd_epi16(load256(from), w0));
        if (pair_count > 1)
            total = _mm256_add_epi32(total, _mm256_madd_epi16(load256(from + step), w1));
        if (pair_count > 2)
            total = _mm256_add_epi32(total, _mm256_madd_epi16(load256(from + 2 * step), w2));
        if (pair_count > 3)
            total = _mm256_add_epi32(total, _mm256_madd_epi16(load256(from + 3 * step), w3));
        store256(sum + i, total);
    }
}

TARGET static void add_avx2(int32_t *sum, const int32_t *start, const int16_t *pairs, size_t step,
                            const int32_t *weights, size_t pair_count, size_t samples)
{
    for (; pair_count > 4; pair_count -= 4, pairs += 4 * step, weights += 4, start = NULL)
        add_pairs(sum, start, pairs, step, weights, samples, 4);
    if (pair_count == 4)
        add_pairs(sum, start, pairs, step, weights, samples, 4);
    else if (pair_count == 3)
        add_pairs(sum, start, pairs, step, weights, samples, 3);
    else if (pair_count == 2)
        add_pairs(sum, start, pairs, step, weights, samples, 2);
    else
        add_pairs(sum, start, pairs, step, weights, samples, 1);
}

/* Eight sums of a row in the lower half and of the row four further on in the upper, as 16 bits, the pixels
 * in pairs. */
INLINE __m256i mid_pairs(const int32_t *row, const int32_t *further, __m128i shift, __m256i order)
{
    const __m256i a = _mm256_sra_epi32(load_halves(row, further), shift);
    const __m256i b = _mm256_sra_epi32(load_halves(row + 4, further + 4), shift);
    return _mm256_shuffle_epi8(_mm256_packs_epi32(a, b), order);
}

#define WORDS(a, b, c, d, e, f, g, h)                                                                        \
    _mm_setr_epi8(2 * (a), 2 * (a) + 1, 2 * (b), 2 * (b) + 1, 2 * (c), 2 * (c) + 1, 2 * (d), 2 * (d) + 1,    \
                  2 * (e), 2 * (e) + 1, 2 * (f), 2 * (f) + 1, 2 * (g), 2 * (g) + 1, 2 * (h), 2 * (h) + 1)

TARGET static void turn_avx2(const int32_t *const *rows, unsigned channels, unsigned shift, int32_t *lanes,
                             size_t samples)
{
    const __m128i by = _mm_cvtsi32_si128((int)shift);
    const __m256i order = _mm256_broadcastsi128_si256(channels == 4   ? WORDS(0, 4, 1, 5, 2, 6, 3, 7)
                                                      : channels == 3 ? WORDS(0, 3, 1, 4, 2, 5, 6, 7)
                                                      : channels == 2 ? WORDS(0, 2, 1, 3, 4, 6, 5, 7)
                                                                      : WORDS(0, 1, 2, 3, 4, 5, 6, 7));
    /* Of three channels six sums are two pixels; what the fourth column gets, the next ones overwrite. */
    const size_t step = channels == 3 ? 6 : 8;
    for (size_t i = 0; i < samples; i += step, lanes += step / 2 * LANES) {
        const __m256i a = mid_pairs(rows[0] + i, rows[4] + i, by, order);
        const __m256i b = mid_pairs(rows[1] + i, rows[5] + i, by, order);
        const __m256i c = mid_pairs(rows[2] + i, rows[6] + i, by, order);
        const __m256i d = mid_pairs(rows[3] + i, rows[7] + i, by, order);
        const __m256i ab_low = _mm256_unpacklo_epi32(a, b), ab_high = _mm256_unpackhi_epi32(a, b);
        const __m256i cd_low = _mm256_unpacklo_epi32(c, d), cd_high = _mm256_unpackhi_epi32(c, d);
        store256(lanes, _mm256_unpacklo_epi64(ab_low, cd_low));
        store256(lanes + LANES, _mm256_unpackhi_epi64(ab_low, cd_low));
        store256(lanes + 2 * LANES, _mm256_unpacklo_epi64(ab_high, cd_high));
        store256(lanes + 3 * LANES, _mm256_unpackhi_epi64(ab_high, cd_high));
    }
}

INLINE void dot_channels(const struct resample_pairs *across, uint32_t first, uint32_t last, uint32_t origin,
                         const int32_t *lanes, int32_t *sums, unsigned channels)
{
    const __m256i start = _mm256_set1_epi32(1 << (resample_across_shift(across) - 1));
    const uint32_t *firsts = across->first, *counts = across->count;
    const int32_t *weights = across->weights + (size_t)first * across->stride;
    const size_t stride = across->stride;
    for (size_t x = first; x < last; x++, weights += stride, sums += channels * LANES) {
        const int32_t *from = lanes + (size_t)(firsts[x] - origin) * channels * LANES;
        __m256i total[4] = {start, start, start, start};
        for (uint32_t p = 0; p < counts[x]; p++, from += channels * LANES) {
            const __m256i weight = _mm256_set1_epi32(weights[p]);
            for (unsigned c = 0; c < channels; c++)
                total[c] = _mm256_add_epi32(total[c], _mm256_madd_epi16(load256(from + c * LANES), weight));
        }
        for (unsigned c = 0; c < channels; c++)
            store256(sums + c * LANES, total[c]);
    }
}

TARGET static void dot_avx2(const struct resample_pairs *across, uint32_t first, uint32_t last,
                            uint32_t origin, unsigned channels, const int32_t *lanes, int32_t *sums)
{
    if (channels == 4)
        dot_channels(across, first, last, origin, lanes, sums, 4);
    else if (channels == 3)
        dot_channels(across, first, last, origin, lanes, sums, 3);
    else if (channels == 2)
        dot_channels(across, first, last, origin, lanes, sums, 2);
    else
        dot_channels(across, first, last, origin, lanes, sums, 1);
}

TARGET static void pack_avx2(const int32_t *sums, unsigned shift, int32_t bias, uint8_t *const *dst,
                             unsigned rows, size_t samples)
{
    const __m128i by = _mm_cvtsi32_si128((int)shift);
    const __m256i add = _mm256_set1_epi32(bias);
    /* Within each half: from four samples of four rows to four rows of four samples. */
    const __m256i order =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    for (size_t i = 0; i < samples; i += 4, sums += 4 * LANES) {
        const size_t count = samples - i < 4 ? samples - i : 4;
        __m256i level[4];
        for (size_t k = 0; k < 4; k++)
            level[k] = _mm256_add_epi32(_mm256_sra_epi32(load256(sums + k * LANES), by), add);
        const __m256i words = _mm256_packus_epi16(_mm256_packs_epi32(level[0], level[1]),
                                                  _mm256_packs_epi32(level[2], level[3]));
        uint8_t of_row[LANES][4];
        store256(of_row, _mm256_shuffle_epi8(words, order));
        if (count == 4)
            for (unsigned row = 0; row < rows; row++)
                memcpy(dst[row] + i, of_row[row], 4);
        else
            for (unsigned row = 0; row < rows; row++)
                memcpy(dst[row] + i, of_row[row], count);
    }
}

static const struct resample_fixed_ops ops_avx2 = {load_avx2, add_avx2, turn_avx2, dot_avx2, pack_avx2};
#endif

const struct resample_fixed_ops *resample_fixed_best(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return &ops_avx2;
#endif
    return resample_fixed_plain();
}
