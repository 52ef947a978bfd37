/* SPDX-License-Identifier: MIT */
#include "stages/image/keyrow.h"

#include <string.h>

#include "stages/image/orderkey.h"
#include "stages/simd.h"

SIMD_CLONES static void turn_bytes(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] ^= 0xff;
}

SIMD_CLONES static void to_keys(uint32_t *samples, size_t count, uint32_t turn)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = orderkey_of(samples[i]) ^ turn;
}

SIMD_CLONES static void from_keys(uint32_t *samples, size_t count, uint32_t turn)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = orderkey_bits(samples[i] ^ turn);
}

static int64_t within(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value < high ? value : high;
}

void keyrow_load(const struct stage_run *run, int64_t x, int64_t y, size_t pixels, bool reverse,
                 uint8_t *keys)
{
    const struct shape *in = &run->in;
    const size_t pixel = shape_pixel_bytes(in), bytes = pixels * pixel;
    const uint8_t *src = stage_src_row(run, (uint32_t)within(y, 0, (int64_t)in->height - 1));
    const int64_t end = x + (int64_t)pixels;
    const int64_t first = within(0, x, end), last = within(in->width, first, end);
    if (first < last)
        memcpy(keys + (size_t)(first - x) * pixel, src + (size_t)first * pixel,
               (size_t)(last - first) * pixel);
    for (int64_t at = x; at < first; at++)
        memcpy(keys + (size_t)(at - x) * pixel, src, pixel);
    for (int64_t at = last; at < end; at++)
        memcpy(keys + (size_t)(at - x) * pixel, src + (in->width - (size_t)1) * pixel, pixel);
    void *samples = keys;
    if (in->sample == SAMPLE_F32)
        to_keys(samples, bytes / sizeof(uint32_t), reverse ? 0xffffffffu : 0);
    else if (reverse)
        turn_bytes(keys, bytes);
}

void keyrow_store(const struct stage_run *run, size_t x, uint32_t y, size_t pixels, bool reverse,
                  uint8_t *keys)
{
    const size_t pixel = shape_pixel_bytes(&run->out), bytes = pixels * pixel;
    void *samples = keys;
    if (run->out.sample == SAMPLE_F32)
        from_keys(samples, bytes / sizeof(uint32_t), reverse ? 0xffffffffu : 0);
    else if (reverse)
        turn_bytes(keys, bytes);
    memcpy(stage_dst_row(run, y) + x * pixel, keys, bytes);
}
