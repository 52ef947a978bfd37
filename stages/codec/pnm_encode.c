/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/pnm_private.h"

/* What the header of any shape fits in. */
#define HEADER_BYTES 128u

static size_t row_bytes(const struct shape *shape)
{
    return shape->bits == 1 ? ((size_t)shape->width + 7) / 8 : shape_row_bytes(shape);
}

int pnm_plan(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
             struct codec_plan *plan, struct error *error)
{
    (void)save, (void)meta_bytes;
    if (shape->sample == SAMPLE_F32)
        return error_set(error, ERROR_UNSUPPORTED, "pnm holds 8 or 16 bits a sample; put cast:type=u16 last");
    size_t pixels;
    if (__builtin_mul_overflow(row_bytes(shape), (size_t)shape->height, &pixels) ||
        pixels > SIZE_MAX - HEADER_BYTES)
        return error_set(error, ERROR_LIMIT, "the file could be larger than this machine can address");
    *plan = (struct codec_plan){.out_bytes = pixels + HEADER_BYTES};
    return 0;
}

/* P4, P5 or P6 without alpha, PAM with it. Grey of 2 or 4 bits has a maxval of its own. */
static int put_header(const struct shape *shape, char *text, size_t size)
{
    unsigned maxval = (1u << shape->bits) - 1;
    if (shape_has_alpha(shape))
        return snprintf(text, size,
                        "P7\nWIDTH %" PRIu32 "\nHEIGHT %" PRIu32
                        "\nDEPTH %u\nMAXVAL %u\nTUPLTYPE %s\nENDHDR\n",
                        shape->width, shape->height, shape->channels, maxval,
                        shape->channels == 2 ? "GRAYSCALE_ALPHA" : "RGB_ALPHA");
    if (shape->bits == 1)
        return snprintf(text, size, "P4\n%" PRIu32 " %" PRIu32 "\n", shape->width, shape->height);
    return snprintf(text, size, "P%c\n%" PRIu32 " %" PRIu32 "\n%u\n", shape->channels == 1 ? '5' : '6',
                    shape->width, shape->height, maxval);
}

static void put_bits(const struct shape *shape, const uint8_t *pixels, uint8_t *bytes)
{
    for (uint32_t y = 0; y < shape->height; y++, pixels += shape->width, bytes += row_bytes(shape)) {
        memset(bytes, 0, row_bytes(shape));
        for (size_t x = 0; x < shape->width; x++)
            bytes[x / 8] |= (uint8_t)((pixels[x] < 128) << (7 - x % 8));
    }
}

static void put_samples(const struct shape *shape, const uint8_t *pixels, uint8_t *bytes)
{
    size_t count = shape_bytes(shape) / shape_sample_bytes(shape->sample);
    if (shape->sample == SAMPLE_U8 && shape->bits == 8) {
        memcpy(bytes, pixels, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (shape->sample == SAMPLE_U8) {
            bytes[i] = (uint8_t)(pixels[i] >> (8 - shape->bits));
        } else {
            uint16_t sample;
            memcpy(&sample, pixels + i * sizeof sample, sizeof sample);
            bytes[2 * i] = (uint8_t)(sample >> 8);
            bytes[2 * i + 1] = (uint8_t)sample;
        }
    }
}

static void warn_of_metadata(struct codec_encode *job)
{
    size_t position = 0;
    struct meta_entry entry;
    if (!job->meta || job->save->strip || meta_next(job->meta, &position, &entry) != 1)
        return;
    job->warnings = 1;
    snprintf(job->warning, sizeof job->warning, "dropped metadata, which pnm does not hold");
}

int pnm_encode(struct codec_encode *job, struct error *error)
{
    const struct shape *shape = &job->shape;
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(shape) || shape->sample == SAMPLE_F32)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    char text[HEADER_BYTES];
    size_t header_bytes = (size_t)put_header(shape, text, sizeof text);
    size_t pixels_bytes = row_bytes(shape) * shape->height;
    if (header_bytes >= sizeof text || job->bytes_size < header_bytes ||
        job->bytes_size - header_bytes < pixels_bytes)
        return error_set(error, ERROR_INTERNAL, "the file came out larger than planned");
    memcpy(job->bytes, text, header_bytes);
    if (shape->bits == 1)
        put_bits(shape, job->pixels, job->bytes + header_bytes);
    else
        put_samples(shape, job->pixels, job->bytes + header_bytes);
    job->length_bytes = header_bytes + pixels_bytes;
    warn_of_metadata(job);
    return 0;
}
