/* SPDX-License-Identifier: MIT */
#include "stages/image/point.h"

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
    const size_t row_bytes = shape_row_bytes(&run->in);
    const void *src = run->src + first * row_bytes;
    void *dst = run->dst + first * row_bytes;
    const size_t samples = (last - first) * (size_t)run->in.width * run->in.channels;
    if (!run->state)
        evaluate(run, map, src, dst, samples);
    else if (run->in.sample == SAMPLE_U8)
        look_up_u8(run->state, src, dst, samples, run->in.channels);
    else
        look_up_u16(run->state, src, dst, samples, run->in.channels);
}
