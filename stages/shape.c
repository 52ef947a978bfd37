/* SPDX-License-Identifier: MIT */
#include "stages/shape.h"

#include <stdio.h>

static const struct {
    const char *name;
    uint8_t bytes;
    bool is_float, is_signed;
} samples[SAMPLE_COUNT] = {
    [SAMPLE_U8] = {"u8", 1, false, false},   [SAMPLE_U16] = {"u16", 2, false, false},
    [SAMPLE_F32] = {"f32", 4, true, true},   [SAMPLE_I8] = {"i8", 1, false, true},
    [SAMPLE_I16] = {"i16", 2, false, true},  [SAMPLE_I32] = {"i32", 4, false, true},
    [SAMPLE_I64] = {"i64", 8, false, true},  [SAMPLE_U32] = {"u32", 4, false, false},
    [SAMPLE_U64] = {"u64", 8, false, false}, [SAMPLE_F16] = {"f16", 2, true, true},
    [SAMPLE_F64] = {"f64", 8, true, true},   [SAMPLE_BOOL] = {"bool", 1, false, false},
};

size_t shape_sample_bytes(uint8_t sample)
{
    return sample < SAMPLE_COUNT ? samples[sample].bytes : 0;
}

uint8_t shape_sample_bits(uint8_t sample)
{
    return (uint8_t)(8 * shape_sample_bytes(sample));
}

const char *shape_sample_name(uint8_t sample)
{
    return sample < SAMPLE_COUNT ? samples[sample].name : "?";
}

bool shape_sample_is_float(uint8_t sample)
{
    return sample < SAMPLE_COUNT && samples[sample].is_float;
}

bool shape_sample_is_signed(uint8_t sample)
{
    return sample < SAMPLE_COUNT && samples[sample].is_signed;
}

size_t shape_pixel_bytes(const struct shape *shape)
{
    return shape->channels * shape_sample_bytes(shape->sample);
}

size_t shape_row_bytes(const struct shape *shape)
{
    return shape->width * shape_pixel_bytes(shape);
}

uint64_t shape_samples(const struct shape *shape)
{
    uint64_t total = 1;
    if (shape->kind == SHAPE_IMAGE) {
        total = (uint64_t)shape->width * shape->channels;
        return __builtin_mul_overflow(total, (uint64_t)shape->height, &total) ? UINT64_MAX : total;
    }
    bool over = false;
    for (unsigned i = 0; i < shape->rank; i++) {
        if (shape->dims[i] == 0)
            return 0;
        over = over || __builtin_mul_overflow(total, shape->dims[i], &total);
    }
    return over ? UINT64_MAX : total;
}

size_t shape_bytes(const struct shape *shape)
{
    size_t total;
    if (__builtin_mul_overflow(shape_samples(shape), shape_sample_bytes(shape->sample), &total))
        return SIZE_MAX;
    return total;
}

uint32_t shape_rows(const struct shape *shape)
{
    if (shape->kind == SHAPE_IMAGE)
        return shape->height;
    const uint64_t count = shape_samples(shape), blocks = count / SHAPE_BLOCK_SAMPLES;
    const uint64_t rows = blocks + (blocks * SHAPE_BLOCK_SAMPLES < count || count == 0);
    return rows < UINT32_MAX ? (uint32_t)rows : UINT32_MAX;
}

void shape_span(const struct shape *shape, uint32_t first, uint32_t last, size_t *begin, size_t *end)
{
    size_t row = SHAPE_BLOCK_SAMPLES, count = shape_samples(shape);
    if (shape->kind == SHAPE_IMAGE)
        row = (size_t)shape->width * shape->channels;
    *begin = first * row;
    *end = last * row < count ? last * row : count;
}

struct shape shape_array(enum sample sample, unsigned rank, const uint64_t *dims)
{
    struct shape shape = {.sample = (uint8_t)sample,
                          .bits = shape_sample_bits((uint8_t)sample),
                          .kind = SHAPE_ARRAY,
                          .rank = (uint8_t)rank};
    for (unsigned i = 0; i < rank && i < SHAPE_MAX_RANK; i++)
        shape.dims[i] = dims[i];
    return shape;
}

bool shape_has_alpha(const struct shape *shape)
{
    return shape->channels == 2 || shape->channels == 4;
}

static bool valid_array(const struct shape *shape)
{
    return shape->sample < SAMPLE_COUNT && shape->rank <= SHAPE_MAX_RANK &&
           shape_bytes(shape) < SIZE_MAX / 2 && shape->bits == shape_sample_bits(shape->sample);
}

bool shape_valid(const struct shape *shape)
{
    if (shape->kind == SHAPE_ARRAY)
        return valid_array(shape);
    if (shape->kind != SHAPE_IMAGE || shape->width == 0 || shape->height == 0 ||
        shape->sample >= SAMPLE_IMAGE_COUNT || shape->orientation > 8)
        return false;
    if (shape->channels < 1 || shape->channels > SHAPE_MAX_CHANNELS)
        return false;
    switch (shape->bits) {
    case 1:
    case 2:
    case 4:
        return shape->channels == 1 && shape->sample == SAMPLE_U8;
    default:
        return shape->bits == shape_sample_bits(shape->sample);
    }
}

static void array_text(const struct shape *shape, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s array (", shape_sample_name(shape->sample));
    for (unsigned i = 0; i < shape->rank && i < SHAPE_MAX_RANK && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%llu%s", i ? ", " : "",
                                 (unsigned long long)shape->dims[i], shape->rank == 1 ? "," : "");
    if (used < size)
        snprintf(text + used, size - used, ")");
}

const char *shape_text(const struct shape *shape, char *text, size_t size)
{
    static const char *const models[] = {"?", "grey", "grey+alpha", "rgb", "rgba"};
    const char *model = shape->channels <= SHAPE_MAX_CHANNELS ? models[shape->channels] : models[0];
    if (shape->kind == SHAPE_ARRAY)
        array_text(shape, text, size);
    else
        snprintf(text, size, "%ux%u %s %s", shape->width, shape->height, model,
                 shape_sample_name(shape->sample));
    return text;
}
