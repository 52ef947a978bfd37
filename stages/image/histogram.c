/* SPDX-License-Identifier: MIT */
#include "stages/image/histogram.h"

#include <string.h>

#include "stages/image/orderkey.h"

size_t histogram_bins(uint8_t sample)
{
    return sample == SAMPLE_U8 ? 256 : HISTOGRAM_BINS_U16;
}

void histogram_add_u8(const uint8_t *samples, size_t count, size_t step, uint64_t *counts)
{
    for (size_t i = 0; i < count; i++)
        counts[samples[i * step]]++;
}

void histogram_add_u16(const uint16_t *samples, size_t count, size_t step, uint64_t *counts)
{
    for (size_t i = 0; i < count; i++)
        counts[samples[i * step]]++;
}

/* Keys of finite floats lie between those of the infinities. */
static bool finite_key(uint32_t key)
{
    return key > orderkey_of(0xff800000u) && key < orderkey_of(0x7f800000u);
}

/* Counts the upper halves of the keys, or, where `upper` is one of them, the lower halves of its keys. */
static void count_keys(const struct stage_run *run, int64_t upper, uint64_t *counts)
{
    const void *src = run->src;
    const uint32_t *bits = src;
    const unsigned channels = run->in.channels, colours = shape_has_alpha(&run->in) ? channels - 1 : channels;
    const size_t samples = (size_t)run->in.width * run->in.height * channels;
    memset(counts, 0, HISTOGRAM_BINS_U16 * sizeof *counts);
    for (size_t i = 0; i < samples; i++) {
        const uint32_t key = orderkey_of(bits[i]);
        if (i % channels >= colours || !finite_key(key))
            continue;
        if (upper < 0)
            counts[key >> 16]++;
        else if (key >> 16 == upper)
            counts[key & 0xffff]++;
    }
}

static void count_integers(const struct stage_run *run, uint64_t *counts)
{
    const void *src = run->src;
    const unsigned channels = run->in.channels, colours = shape_has_alpha(&run->in) ? channels - 1 : channels;
    const size_t pixels = (size_t)run->in.width * run->in.height;
    memset(counts, 0, histogram_bins(run->in.sample) * sizeof *counts);
    for (unsigned c = 0; c < colours; c++) {
        if (run->in.sample == SAMPLE_U8)
            histogram_add_u8((const uint8_t *)src + c, pixels, channels, counts);
        else
            histogram_add_u16((const uint16_t *)src + c, pixels, channels, counts);
    }
}

/* The bin of the sample that has *rank smaller ones before it; *rank becomes its place within the bin. */
static size_t bin_at(const uint64_t *counts, uint64_t *rank)
{
    size_t bin = 0;
    while (*rank >= counts[bin])
        *rank -= counts[bin++];
    return bin;
}

static uint64_t total(const uint64_t *counts, size_t bins)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bins; i++)
        sum += counts[i];
    return sum;
}

/* The samples of four ranks, integers from one histogram. */
static void integers_at(const uint64_t *counts, const uint64_t ranks[4], double values[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t rank = ranks[i];
        values[i] = (double)bin_at(counts, &rank);
    }
}

/* Floats from the histogram of the upper halves and, for each rank, that of the lower halves below it. */
static void floats_at(const struct stage_run *run, uint64_t *counts, const uint64_t ranks[4],
                      double values[4])
{
    uint64_t within[4];
    size_t upper[4];
    for (int i = 0; i < 4; i++) {
        within[i] = ranks[i];
        upper[i] = bin_at(counts, &within[i]);
    }
    for (int i = 0; i < 4; i++) {
        if (i == 0 || upper[i] != upper[i - 1])
            count_keys(run, (int64_t)upper[i], counts);
        const uint32_t key = (uint32_t)(upper[i] << 16 | bin_at(counts, &within[i]));
        const uint32_t bits = orderkey_bits(key);
        float value;
        memcpy(&value, &bits, sizeof value);
        values[i] = (double)value;
    }
}

void histogram_percentiles(const struct stage_run *run, const double parts[2], uint64_t *counts,
                           double values[2])
{
    const bool real = run->in.sample == SAMPLE_F32;
    values[0] = values[1] = 0;
    if (real)
        count_keys(run, -1, counts);
    else
        count_integers(run, counts);
    const uint64_t samples = total(counts, histogram_bins(run->in.sample));
    if (samples == 0)
        return;
    uint64_t ranks[4];
    double share[2], around[4];
    for (int i = 0; i < 2; i++) {
        const double place = parts[i] * (double)(samples - 1);
        ranks[2 * i] = (uint64_t)place;
        ranks[2 * i + 1] = ranks[2 * i] + (ranks[2 * i] + 1 < samples);
        share[i] = place - (double)ranks[2 * i];
    }
    if (real)
        floats_at(run, counts, ranks, around);
    else
        integers_at(counts, ranks, around);
    for (int i = 0; i < 2; i++)
        values[i] = around[2 * i] + (around[2 * i + 1] - around[2 * i]) * share[i];
}
