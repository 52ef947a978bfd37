/* SPDX-License-Identifier: MIT */
#include "stages/image/blur_alpha.h"

#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/image/premul.h"

/* What is found still or not at a time. A multiple of BLUR_SUMS_UNIT samples, of 2 and of 4 channels. */
#define BLOCK_PX 16u

#define MOVING UINT32_MAX

static size_t block_count(const struct shape *in)
{
    return (in->width + BLOCK_PX - 1) / BLOCK_PX;
}

static size_t ring_rows(const struct shape *in, size_t radius)
{
    return 2 * radius + 1 < in->height ? 2 * radius + 1 : in->height;
}

size_t blur_alpha_scratch_bytes(const struct shape *in, size_t radius)
{
    const size_t blocks = block_count(in), row = blocks * BLOCK_PX * in->channels;
    size_t bytes = scratch_need(ring_rows(in, radius) * row, sizeof(int16_t));
    bytes = scratch_add(bytes, scratch_need(row + 2 * radius * in->channels, sizeof(int16_t)));
    bytes = scratch_add(bytes, scratch_need(row, sizeof(float)));
    bytes = scratch_add(bytes, scratch_need(2 * radius + 1, sizeof(void *)));
    bytes = scratch_add(bytes, scratch_need(blocks, sizeof(uint32_t)));
    return scratch_add(bytes, scratch_need(blocks, in->channels));
}

bool blur_alpha_open(struct blur_alpha *walk, const struct shape *in, const int16_t *weights, size_t radius,
                     struct scratch *scratch)
{
    *walk = (struct blur_alpha){.width = in->width,
                                .channels = in->channels,
                                .radius = radius,
                                .blocks = block_count(in),
                                .bottom = in->height - 1,
                                .ring_rows = (uint32_t)ring_rows(in, radius),
                                .weights = weights};
    walk->row_samples = walk->blocks * BLOCK_PX * walk->channels;
    walk->ring = scratch_alloc(scratch, walk->ring_rows * walk->row_samples, sizeof(int16_t));
    walk->padded = scratch_alloc(scratch, walk->row_samples + 2 * radius * walk->channels, sizeof(int16_t));
    walk->sums = scratch_alloc(scratch, walk->row_samples, sizeof(float));
    walk->taps = scratch_alloc(scratch, 2 * radius + 1, sizeof(void *));
    walk->still_since = scratch_alloc(scratch, walk->blocks, sizeof(uint32_t));
    walk->colours = scratch_alloc(scratch, walk->blocks, walk->channels);
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
    return block * BLOCK_PX < walk->width ? block * BLOCK_PX : walk->width;
}

/* The pixels of `block` are equal, and equal to that before. */
static bool goes_on(const struct blur_alpha *walk, const uint8_t *src, size_t block)
{
    const size_t first = block * BLOCK_PX, from = first > 0 ? first - 1 : 0;
    const uint8_t *pixels = src + from * walk->channels;
    return memcmp(pixels, pixels + walk->channels, (end_px(walk, block + 1) - from - 1) * walk->channels) ==
           0;
}

/* Pixels [from, to) become the colour at `pixel`. */
static void fill(uint8_t *dst, const uint8_t *pixel, size_t count, size_t channels)
{
    if (channels == 2) {
        for (size_t x = 0; x < count; x++)
            memcpy(dst + 2 * x, pixel, 2);
    } else {
        for (size_t x = 0; x < count; x++)
            memcpy(dst + 4 * x, pixel, 4);
    }
}

/* Blocks [begin, end) of source row `y`, and `radius` pixels beyond, are of the colour of the first. */
static void load_still(struct blur_alpha *walk, const uint8_t *src, uint32_t y, size_t begin, size_t end)
{
    const size_t channels = walk->channels;
    const uint8_t *colour = src + begin * BLOCK_PX * channels;
    int16_t pixel[4];
    premul_load(colour, pixel, 1, (unsigned)channels);
    for (size_t b = begin; b < end; b++) {
        uint8_t *held = walk->colours + b * channels;
        if (walk->still_since[b] > y || memcmp(held, colour, channels) != 0) {
            walk->still_since[b] = y;
            memcpy(held, colour, channels);
        }
        if (y - walk->still_since[b] >= walk->ring_rows)
            continue; /* what is overwritten is the same */
        int16_t *dst = ring_row(walk, y) + b * BLOCK_PX * channels;
        for (size_t x = 0; x < BLOCK_PX; x++)
            memcpy(dst + x * channels, pixel, channels * sizeof *pixel);
    }
}

/* Blocks [begin, end) of source row `y`, whatever they hold. */
static void load_moving(struct blur_alpha *walk, const uint8_t *src, uint32_t y, size_t begin, size_t end)
{
    const size_t channels = walk->channels, radius = walk->radius, width = walk->width;
    const size_t first = begin * BLOCK_PX, last = end_px(walk, end);
    const size_t from = first > radius ? first - radius : 0;
    const size_t to = width - last > radius ? last + radius : width;
    int16_t *row = walk->padded + radius * channels;
    premul_load(src + from * channels, row + from * channels, to - from, (unsigned)channels);
    for (size_t i = 0; first < radius && i < radius * channels; i++)
        walk->padded[i] = row[i % channels];
    for (size_t i = 0; width - last < radius && i < radius * channels; i++)
        row[width * channels + i] = row[(width - 1) * channels + i % channels];
    row += first * channels;
    walk->taps[0] = row;
    for (size_t k = 1; k <= radius; k++) {
        walk->taps[2 * k - 1] = row - k * channels;
        walk->taps[2 * k] = row + k * channels;
    }
    blur_sums_across(ring_row(walk, y) + first * channels, walk->taps, walk->weights, radius,
                     (end - begin) * BLOCK_PX * channels);
    for (size_t b = begin; b < end; b++)
        walk->still_since[b] = MOVING;
}

void blur_alpha_load(struct blur_alpha *walk, const uint8_t *src, uint32_t y)
{
    /* So many blocks beside another colour are reached by it. */
    const size_t reach = (walk->radius + BLOCK_PX - 1) / BLOCK_PX;
    size_t done = 0;
    for (size_t b = 0; b < walk->blocks;) {
        const size_t first = b++;
        const uint8_t *pixels = src + first * BLOCK_PX * walk->channels;
        if (memcmp(pixels, pixels + walk->channels,
                   (end_px(walk, b) - first * BLOCK_PX - 1) * walk->channels) != 0)
            continue;
        while (b < walk->blocks && goes_on(walk, src, b))
            b++;
        const size_t begin = first > 0 ? first + reach : 0;
        const size_t end = b == walk->blocks ? b : b > reach ? b - reach : 0;
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

/* From `begin`, the blocks that are alike: still in all rows that row `y` is made of, or not. */
static size_t piece_end(const struct blur_alpha *walk, uint32_t y, size_t begin, bool *still)
{
    const uint32_t top = y > walk->radius ? y - (uint32_t)walk->radius : 0;
    *still = walk->still_since[begin] <= top;
    size_t end = begin + 1;
    while (end < walk->blocks && (walk->still_since[end] <= top) == *still)
        end++;
    return end;
}

static void point_taps(struct blur_alpha *walk, uint32_t y)
{
    const uint32_t bottom = walk->bottom;
    walk->taps[0] = ring_row(walk, y);
    for (uint32_t k = 1; k <= walk->radius; k++) {
        walk->taps[2 * k - 1] = ring_row(walk, y > k ? y - k : 0);
        walk->taps[2 * k] = ring_row(walk, bottom - y > k ? y + k : bottom);
    }
}

static float *sum_blocks(struct blur_alpha *walk, size_t begin, size_t end)
{
    const size_t start = begin * BLOCK_PX * walk->channels;
    blur_sums_down(walk->sums + start, walk->taps, walk->weights, walk->radius, start,
                   (end - begin) * BLOCK_PX * walk->channels);
    return walk->sums + start;
}

/* Where alpha is 0, colours are 0 as well. */
static void still_pixel(const struct blur_alpha *walk, size_t block, uint8_t *pixel)
{
    const uint8_t *held = walk->colours + block * walk->channels;
    if (held[walk->channels - 1] > 0)
        memcpy(pixel, held, walk->channels);
    else
        memset(pixel, 0, walk->channels);
}

void blur_alpha_store(struct blur_alpha *walk, uint32_t y, uint8_t *dst)
{
    point_taps(walk, y);
    for (size_t begin = 0, end; begin < walk->blocks; begin = end) {
        bool still;
        end = piece_end(walk, y, begin, &still);
        const size_t first = begin * BLOCK_PX, count = end_px(walk, end) - first;
        uint8_t *to = dst + first * walk->channels, pixel[4];
        if (still) {
            still_pixel(walk, begin, pixel);
            fill(to, pixel, count, walk->channels);
        } else {
            premul_store(sum_blocks(walk, begin, end), BLUR_SUMS_TOTAL, to, count, (unsigned)walk->channels);
        }
    }
}

float *blur_alpha_row(struct blur_alpha *walk, uint32_t y)
{
    const struct shape row = {.width = (uint32_t)walk->width, .channels = (uint8_t)walk->channels};
    point_taps(walk, y);
    for (size_t begin = 0, end; begin < walk->blocks; begin = end) {
        bool still;
        end = piece_end(walk, y, begin, &still);
        sum_blocks(walk, begin, end);
    }
    const float unit = 255.0f / (PREMUL_FULL * BLUR_SUMS_TOTAL);
    for (size_t i = 0; i < walk->width * walk->channels; i++)
        walk->sums[i] *= unit;
    floatrow_straighten(&row, walk->sums);
    return walk->sums;
}
