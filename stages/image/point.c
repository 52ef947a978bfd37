/* SPDX-License-Identifier: MIT */
#include "stages/image/point.h"

#include "stages/simd.h"

#ifdef SIMD_CHOICE
#include <immintrin.h>
#endif

/* A 16-bit image with fewer samples than the table has entries is done without it. */
#define POINT_U16_ENTRIES 65536u

static size_t entries(const struct shape *in)
{
    if (in->sample == SAMPLE_U8)
        return 256;
    if (in->sample == SAMPLE_U16 && shape_bytes(in) >= POINT_U16_ENTRIES * sizeof(uint16_t))
        return POINT_U16_ENTRIES;
    return 0;
}

void point_plan(const struct shape *in, struct stage_plan *plan)
{
    plan->in_place = true;
    if (entries(in) > 0)
        plan->begin_scratch_bytes = scratch_need(entries(in), shape_sample_bytes(in->sample));
}

/* NaN fails the first comparison. */
static uint16_t mapped(const void *params, point_map *map, unsigned value, unsigned full)
{
    double result = map(params, (double)value / full) * full;
    result = result > 0 ? result : 0;
    result = result < full ? result : full;
    return (uint16_t)(result + 0.5);
}

int point_begin(struct stage_run *run, point_map *map, struct scratch *scratch, struct error *error)
{
    const size_t count = entries(&run->in);
    run->state = NULL;
    if (count == 0)
        return 0;
    void *table = scratch_alloc(scratch, count, shape_sample_bytes(run->in.sample));
    if (!table)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (unsigned i = 0; i < count; i++) {
        if (run->in.sample == SAMPLE_U8)
            ((uint8_t *)table)[i] = (uint8_t)mapped(run->params, map, i, 255);
        else
            ((uint16_t *)table)[i] = mapped(run->params, map, i, 65535);
    }
    run->state = table;
    return 0;
}

#ifdef SIMD_CHOICE
/* 32 samples at a time: a shuffle looks up a sixteenth of the table and gives 0 where an index has bit 7,
 * which is made to be so outside of the sixteenth. Bits of `alpha` stay in every four samples. */
__attribute__((target("avx2"))) static void look_up_vectors(const uint8_t *table, const uint8_t *src,
                                                            uint8_t *dst, size_t samples, uint32_t alpha)
{
    const __m256i keep = _mm256_set1_epi32((int)alpha), outside = _mm256_set1_epi8(0x70);
    for (size_t i = 0; i < samples; i += 32) {
        const __m256i values = _mm256_loadu_si256((const __m256i *)(const void *)(src + i));
        __m256i found = _mm256_setzero_si256();
        for (int part = 0; part < 16; part++) {
            const __m128i entries = _mm_load_si128((const __m128i *)(const void *)(table + 16 * part));
            const __m256i index = _mm256_xor_si256(values, _mm256_set1_epi8((char)(16 * part)));
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries),
                                                               _mm256_adds_epu8(index, outside)));
        }
        _mm256_storeu_si256((__m256i *)(void *)(dst + i), _mm256_blendv_epi8(found, values, keep));
    }
}

/* How many samples are done, a multiple of what pixels have. */
static size_t look_up_many(const uint8_t *table, const uint8_t *src, uint8_t *dst, size_t samples,
                           unsigned channels)
{
    static const uint32_t alpha[] = {0, 0, 0xff00ff00u, 0, 0xff000000u};
    if (!__builtin_cpu_supports("avx2"))
        return 0;
    samples = samples / 96 * 96;
    look_up_vectors(table, src, dst, samples, alpha[channels]);
    return samples;
}
#else
static size_t look_up_many(const uint8_t *table, const uint8_t *src, uint8_t *dst, size_t samples,
                           unsigned channels)
{
    (void)table, (void)src, (void)dst, (void)samples, (void)channels;
    return 0;
}
#endif

static void look_up_u8(const uint8_t *table, const uint8_t *src, uint8_t *dst, size_t samples,
                       unsigned channels)
{
    if (channels == 4) {
        for (size_t i = 0; i < samples; i += 4) {
            dst[i] = table[src[i]];
            dst[i + 1] = table[src[i + 1]];
            dst[i + 2] = table[src[i + 2]];
            dst[i + 3] = src[i + 3];
        }
    } else if (channels == 2) {
        for (size_t i = 0; i < samples; i += 2) {
            dst[i] = table[src[i]];
            dst[i + 1] = src[i + 1];
        }
    } else {
        for (size_t i = 0; i < samples; i++)
            dst[i] = table[src[i]];
    }
}

static void look_up_u16(const uint16_t *table, const uint16_t *src, uint16_t *dst, size_t samples,
                        unsigned channels)
{
    if (channels == 4) {
        for (size_t i = 0; i < samples; i += 4) {
            dst[i] = table[src[i]];
            dst[i + 1] = table[src[i + 1]];
            dst[i + 2] = table[src[i + 2]];
            dst[i + 3] = src[i + 3];
        }
    } else if (channels == 2) {
        for (size_t i = 0; i < samples; i += 2) {
            dst[i] = table[src[i]];
            dst[i + 1] = src[i + 1];
        }
    } else {
        for (size_t i = 0; i < samples; i++)
            dst[i] = table[src[i]];
    }
}

static void evaluate(const struct stage_run *run, point_map *map, const void *src, void *dst, size_t samples)
{
    const unsigned channels = run->in.channels;
    const unsigned colours = shape_has_alpha(&run->in) ? channels - 1 : channels;
    for (size_t i = 0; i < samples; i++) {
        const bool alpha = i % channels >= colours;
        if (run->in.sample == SAMPLE_U16) {
            const uint16_t value = ((const uint16_t *)src)[i];
            ((uint16_t *)dst)[i] = alpha ? value : mapped(run->params, map, value, 65535);
        } else {
            const float value = ((const float *)src)[i];
            ((float *)dst)[i] = alpha ? value : (float)map(run->params, (double)value);
        }
    }
}

void point_rows(const struct stage_run *run, point_map *map, uint32_t first, uint32_t last)
{
    const uint8_t *src = stage_src_row(run, first);
    uint8_t *dst = stage_dst_row(run, first);
    const size_t samples = (last - first) * (size_t)run->in.width * run->in.channels;
    const void *from = src;
    void *to = dst;
    if (!run->state) {
        evaluate(run, map, from, to, samples);
    } else if (run->in.sample == SAMPLE_U16) {
        look_up_u16(run->state, from, to, samples, run->in.channels);
    } else {
        const size_t done = look_up_many(run->state, src, dst, samples, run->in.channels);
        look_up_u8(run->state, src + done, dst + done, samples - done, run->in.channels);
    }
}
