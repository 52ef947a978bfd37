/* SPDX-License-Identifier: MIT */
#include "stages/image/blur_alpha.h"

#include <string.h>

#include "stages/image/premul.h"
#include "stages/simd.h"

#define MOVING UINT32_MAX

/* What is found still or not at a time. A multiple of BLUR_SUMS_UNIT. */
#define BLOCK_SAMPLES 64u

static size_t block_px(const struct shape *in)
{
    return BLOCK_SAMPLES / in->channels;
}

static size_t block_count(const struct shape *in)
{
    return (in->width + block_px(in) - 1) / block_px(in);
}

/* With margins. */
static size_t padded_samples(size_t row, size_t radius, size_t channels)
{
    return row + 2 * radius * channels + BLUR_SUMS_BEHIND;
}

static size_t ring_rows(const struct shape *in, size_t radius)
{
    return 2 * radius + 2 < in->height ? 2 * radius + 2 : in->height;
}

size_t blur_alpha_scratch_bytes(const struct shape *in, size_t radius)
{
    const size_t blocks = block_count(in), row = blocks * BLOCK_SAMPLES;
    size_t bytes = scratch_need(ring_rows(in, radius) * row, sizeof(int16_t));
    bytes = scratch_add(bytes, scratch_need(padded_samples(row, radius, in->channels), sizeof(int16_t)));
    bytes = scratch_add(bytes, scratch_need(2 * row, sizeof(float)));
    bytes = scratch_add(bytes, scratch_need(2 * radius + 2, sizeof(void *)));
    bytes = scratch_add(bytes, scratch_need(blocks, sizeof(uint32_t)));
    return scratch_add(bytes, scratch_need(blocks, sizeof(uint32_t)));
}

bool blur_alpha_open(struct blur_alpha *walk, const struct shape *in, const int16_t *weights, size_t radius,
                     struct scratch *scratch)
{
    *walk = (struct blur_alpha){.width = in->width,
                                .channels = in->channels,
                                .radius = radius,
                                .block_px = block_px(in),
                                .blocks = block_count(in),
                                .ring_rows = (uint32_t)ring_rows(in, radius),
                                .weights = weights};
    walk->row_samples = walk->blocks * BLOCK_SAMPLES;
    walk->ring = scratch_alloc(scratch, walk->ring_rows * walk->row_samples, sizeof(int16_t));
    walk->padded =
        scratch_alloc(scratch, padded_samples(walk->row_samples, radius, walk->channels), sizeof(int16_t));
    walk->sums = scratch_alloc(scratch, 2 * walk->row_samples, sizeof(float));
    walk->taps = scratch_alloc(scratch, 2 * radius + 2, sizeof(void *));
    walk->still_since = scratch_alloc(scratch, walk->blocks, sizeof(uint32_t));
    walk->colours = scratch_alloc(scratch, walk->blocks, sizeof(uint32_t));
    if (!walk->ring || !walk->padded || !walk->sums || !walk->taps || !walk->still_since || !walk->colours)
        return false;
    for (size_t b = 0; b < walk->blocks; b++)
        walk->still_since[b] = MOVING;
    return true;
}

static int16_t *ring_row(const struct blur_alpha *walk, uint32_t y)
{
    return walk->ring + (y % walk->ring_rows) * walk->row_samples;
}

static size_t end_px(const struct blur_alpha *walk, size_t block)
{
    return block * walk->block_px < walk->width ? block * walk->block_px : walk->width;
}

/* How many of `count` blocks are, from the first on, as what lies `step` bytes before. */
SIMD_CLONES static size_t equal_blocks(const uint8_t *pixels, size_t step, size_t count)
{
    size_t equal = 0;
    for (; equal < count; equal++, pixels += BLOCK_SAMPLES) {
        uint64_t differing = 0;
#pragma omp simd reduction(| : differing)
        for (size_t i = 0; i < BLOCK_SAMPLES; i += sizeof(uint64_t)) {
            uint64_t here, before;
            memcpy(&here, pixels + i, sizeof here);
            memcpy(&before, pixels + i - step, sizeof before);
            differing |= here ^ before;
        }
        if (differing)
            break;
    }
    return equal;
}

/* The first block from `block` on of which not all pixels are as the one before. */
static size_t run_end(const struct blur_alpha *walk, const uint8_t *src, size_t block)
{
    const size_t step = walk->channels, end = walk->width * step;
    if (block == 0) {
        if (memcmp(src, src + step, end_px(walk, 1) * step - step) != 0)
            return 0;
        block = 1;
    }
    const size_t whole = end / BLOCK_SAMPLES;
    if (block < whole)
        block += equal_blocks(src + block * BLOCK_SAMPLES, step, whole - block);
    if (block < whole || block == walk->blocks)
        return block;
    const uint8_t *last = src + block * BLOCK_SAMPLES;
    return memcmp(last - step, last, end - block * BLOCK_SAMPLES) == 0 ? walk->blocks : block;
}

/* `count` pixels become as that of `bytes` at `pixel`: of 2, of 4 or of 8. */
static void fill(void *to, const void *pixel, size_t bytes, size_t count)
{
    uint8_t *dst = to;
    uint64_t value = 0;
    memcpy(&value, pixel, bytes);
    for (size_t x = 0; bytes == 2 && x < count; x++)
        memcpy(dst + 2 * x, &value, 2);
    for (size_t x = 0; bytes == 4 && x < count; x++)
        memcpy(dst + 4 * x, &value, 4);
    for (size_t x = 0; bytes == 8 && x < count; x++)
        memcpy(dst + 8 * x, &value, 8);
}

static uint32_t colour_at(const uint8_t *pixel, size_t channels)
{
    uint32_t colour = 0;
    memcpy(&colour, pixel, channels == 2 ? 2 : 4);
    return colour;
}

/* Blocks [begin, end) of source row `y`, and `radius` pixels beyond, are of the colour of the first. */
static void load_still(struct blur_alpha *walk, const uint8_t *src, uint32_t y, size_t begin, size_t end)
{
    const size_t channels = walk->channels;
    const uint32_t colour = colour_at(src + begin * BLOCK_SAMPLES, channels);
    int16_t *row = ring_row(walk, y), pixel[4];
    premul_load(src + begin * BLOCK_SAMPLES, pixel, 1, (unsigned)channels);
    for (size_t b = begin; b < end; b++) {
        if (walk->still_since[b] > y || walk->colours[b] != colour) {
            walk->still_since[b] = y;
            walk->colours[b] = colour;
        }
        if (y - walk->still_since[b] < walk->ring_rows) /* else what is there is the same */
            fill(row + b * BLOCK_SAMPLES, pixel, channels * sizeof *pixel, walk->block_px);
    }
}

/* So many samples are summed of blocks [begin, end). */
static size_t summed_samples(const struct blur_alpha *walk, size_t begin, size_t end)
{
    const size_t samples = end_px(walk, end) * walk->channels - begin * BLOCK_SAMPLES;
    return (samples + BLUR_SUMS_UNIT - 1) / BLUR_SUMS_UNIT * BLUR_SUMS_UNIT;
}

/* Blocks [begin, end) of source row `y`, whatever they hold. */
static void load_moving(struct blur_alpha *walk, const uint8_t *src, uint32_t y, size_t begin, size_t end)
{
    const size_t channels = walk->channels, radius = walk->radius, width = walk->width;
    const size_t first = begin * walk->block_px, last = end_px(walk, end);
    const size_t from = first > radius ? first - radius : 0;
    const size_t to = width - last > radius ? last + radius + 1 : width;
    int16_t *row = walk->padded + radius * channels;
    premul_load(src + from * channels, row + from * channels, to - from, (unsigned)channels);
    if (first < radius)
        fill(walk->padded, row, channels * sizeof *row, radius);
    if (width - last <= radius)
        fill(row + width * channels, row + (width - 1) * channels, channels * sizeof *row, radius + 1);
    blur_sums_across(ring_row(walk, y) + first * channels, row + first * channels, channels, walk->weights,
                     radius, summed_samples(walk, begin, end));
    for (size_t b = begin; b < end; b++)
        walk->still_since[b] = MOVING;
}

void blur_alpha_load(struct blur_alpha *walk, const uint8_t *src, uint32_t y)
{
    walk->loaded = y + 1;
    /* So many blocks are reached by another colour behind them; before them, one pixel more is known. */
    const size_t behind = (walk->radius + walk->block_px - 1) / walk->block_px;
    const size_t before = (walk->radius + walk->block_px - 2) / walk->block_px;
    size_t done = 0;
    for (size_t b = 0; b < walk->blocks; b++) {
        const size_t first = b;
        b = run_end(walk, src, first);
        const size_t begin = first > 0 ? first + before : 0;
        const size_t end = b == walk->blocks ? b : b > behind ? b - behind : 0;
        if (begin >= end)
            continue;
        if (done < begin)
            load_moving(walk, src, y, done, begin);
        load_still(walk, src, y, begin, end);
        done = end;
    }
    if (done < walk->blocks)
        load_moving(walk, src, y, done, walk->blocks);
}

/* From `begin`, the blocks that are alike: still in all rows that both rows are made of, or not. */
static size_t piece_end(const struct blur_alpha *walk, size_t begin, bool *still)
{
    const uint32_t top = walk->summed > walk->radius ? walk->summed - (uint32_t)walk->radius : 0;
    *still = walk->still_since[begin] <= top;
    size_t end = begin + 1;
    while (end < walk->blocks && (walk->still_since[end] <= top) == *still)
        end++;
    return end;
}

void blur_alpha_sum(struct blur_alpha *walk, uint32_t y)
{
    const uint32_t radius = (uint32_t)walk->radius;
    walk->summed = y;
    for (uint32_t t = 0; t < 2 * radius + 2; t++) {
        const uint32_t row = y + t > radius ? y + t - radius : 0;
        walk->taps[t] = ring_row(walk, row < walk->loaded ? row : walk->loaded - 1);
    }
    for (size_t begin = 0, end; begin < walk->blocks; begin = end) {
        bool still;
        end = piece_end(walk, begin, &still);
        const size_t start = begin * BLOCK_SAMPLES;
        if (!still)
            blur_sums_down(walk->sums + start, walk->sums + walk->row_samples + start, walk->taps,
                           walk->weights, walk->radius, start, summed_samples(walk, begin, end));
    }
}

/* Where alpha is 0, colours are 0 as well. */
static void still_pixel(const struct blur_alpha *walk, size_t block, uint8_t *pixel)
{
    memcpy(pixel, &walk->colours[block], 4);
    if (pixel[walk->channels - 1] == 0)
        memset(pixel, 0, 4);
}

static float *row_sums(const struct blur_alpha *walk, uint32_t y)
{
    return walk->sums + (y - walk->summed) * walk->row_samples;
}

void blur_alpha_store(struct blur_alpha *walk, uint32_t y, uint8_t *dst)
{
    for (size_t begin = 0, end; begin < walk->blocks; begin = end) {
        bool still;
        end = piece_end(walk, begin, &still);
        const size_t first = begin * walk->block_px, count = end_px(walk, end) - first;
        uint8_t *to = dst + first * walk->channels, pixel[4];
        if (still) {
            still_pixel(walk, begin, pixel);
            fill(to, pixel, walk->channels, count);
        } else {
            premul_store(row_sums(walk, y) + first * walk->channels, BLUR_SUMS_TOTAL, to, count,
                         (unsigned)walk->channels);
        }
    }
}

float *blur_alpha_row(struct blur_alpha *walk, uint32_t y)
{
    const size_t channels = walk->channels;
    float *row = row_sums(walk, y);
    for (size_t begin = 0, end; begin < walk->blocks; begin = end) {
        bool still;
        end = piece_end(walk, begin, &still);
        const size_t count = end_px(walk, end) - begin * walk->block_px;
        float *to = row + begin * BLOCK_SAMPLES;
        if (!still) {
            premul_straighten(to, BLUR_SUMS_TOTAL, count, (unsigned)channels);
            continue;
        }
        uint8_t pixel[4];
        still_pixel(walk, begin, pixel);
        for (size_t c = 0; c < channels; c++)
            for (size_t x = 0; x < count; x++)
                to[x * channels + c] = (float)pixel[c];
    }
    return row;
}
