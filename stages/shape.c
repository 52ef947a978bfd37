/* SPDX-License-Identifier: MIT */
#include "stages/shape.h"

#include <stdio.h>

static const uint8_t sample_bytes[SAMPLE_COUNT] = {1, 2, 4};

size_t shape_sample_bytes(uint8_t sample)
{
    return sample < SAMPLE_COUNT ? sample_bytes[sample] : 0;
}

uint8_t shape_sample_bits(uint8_t sample)
{
    return (uint8_t)(8 * shape_sample_bytes(sample));
}

size_t shape_pixel_bytes(const struct shape *shape)
{
    return shape->channels * shape_sample_bytes(shape->sample);
}

size_t shape_row_bytes(const struct shape *shape)
{
    return shape->width * shape_pixel_bytes(shape);
}

size_t shape_bytes(const struct shape *shape)
{
    size_t total;
    if (__builtin_mul_overflow(shape_row_bytes(shape), (size_t)shape->height, &total))
        return SIZE_MAX;
    return total;
}

bool shape_has_alpha(const struct shape *shape)
{
    return shape->channels == 2 || shape->channels == 4;
}

bool shape_valid(const struct shape *shape)
{
    if (shape->width == 0 || shape->height == 0 || shape->sample >= SAMPLE_COUNT)
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

const char *shape_text(const struct shape *shape, char *text, size_t size)
{
    static const char *const models[] = {"?", "grey", "grey+alpha", "rgb", "rgba"};
    static const char *const samples[] = {"u8", "u16", "f32"};
    const char *model = shape->channels <= SHAPE_MAX_CHANNELS ? models[shape->channels] : models[0];
    const char *sample = shape->sample < SAMPLE_COUNT ? samples[shape->sample] : models[0];
    snprintf(text, size, "%ux%u %s %s", shape->width, shape->height, model, sample);
    return text;
}
