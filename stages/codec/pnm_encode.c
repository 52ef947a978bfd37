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

/* By rows: how many are to come, and how far the file goes. */
struct pnm_putting {
    uint32_t left;
    size_t used_bytes;
};

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
    *plan = (struct codec_plan){.out_bytes = pixels + HEADER_BYTES,
                                .rows_scratch_bytes = scratch_need(1, sizeof(struct pnm_putting)),
                                .likely_bytes = pixels + HEADER_BYTES};
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

static void put_bits(const struct shape *shape, const uint8_t *pixels, uint32_t rows, uint8_t *bytes)
{
    for (uint32_t y = 0; y < rows; y++, pixels += shape->width, bytes += row_bytes(shape)) {
        memset(bytes, 0, row_bytes(shape));
        for (size_t x = 0; x < shape->width; x++)
            bytes[x / 8] |= (uint8_t)((pixels[x] < 128) << (7 - x % 8));
    }
}

static void put_samples(const struct shape *shape, const uint8_t *pixels, uint32_t rows, uint8_t *bytes)
{
    size_t count = shape_row_bytes(shape) * rows / shape_sample_bytes(shape->sample);
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

/* The header, and is there room for all behind it? Errors are `code`. */
static int start(struct codec_encode *job, size_t *header_bytes, enum error_code code, struct error *error)
{
    const struct shape *shape = &job->shape;
    job->warnings = 0;
    job->warning[0] = '\0';
    job->length_bytes = 0;
    if (!shape_valid(shape) || shape->sample == SAMPLE_F32)
        return error_set(error, ERROR_INTERNAL, "asked to encode a shape that was not planned");
    char text[HEADER_BYTES];
    const size_t bytes = (size_t)put_header(shape, text, sizeof text);
    if (bytes >= sizeof text || job->bytes_size < bytes ||
        job->bytes_size - bytes < row_bytes(shape) * shape->height)
        return error_set(error, code, "the file came out larger than planned");
    memcpy(job->bytes, text, bytes);
    *header_bytes = bytes;
    return 0;
}

static void put_rows(const struct shape *shape, const uint8_t *pixels, uint32_t rows, uint8_t *bytes)
{
    if (shape->bits == 1)
        put_bits(shape, pixels, rows, bytes);
    else
        put_samples(shape, pixels, rows, bytes);
}

int pnm_encode(struct codec_encode *job, struct error *error)
{
    const struct shape *shape = &job->shape;
    size_t header_bytes = 0;
    TRY(start(job, &header_bytes, ERROR_INTERNAL, error));
    put_rows(shape, job->pixels, shape->height, job->bytes + header_bytes);
    job->length_bytes = header_bytes + row_bytes(shape) * shape->height;
    warn_of_metadata(job);
    return 0;
}

int pnm_put_begin(struct codec_encode *job, struct error *error)
{
    struct pnm_putting *putting = scratch_alloc(job->scratch, 1, sizeof *putting);
    if (!putting)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    *putting = (struct pnm_putting){.left = job->shape.height};
    job->state = putting;
    return start(job, &putting->used_bytes, ERROR_ROOM, error);
}

int pnm_put_rows(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error)
{
    struct pnm_putting *putting = job->state;
    if (count > putting->left)
        return error_set(error, ERROR_INTERNAL, "is given more rows than there are");
    put_rows(&job->shape, pixels, count, job->bytes + putting->used_bytes);
    putting->used_bytes += row_bytes(&job->shape) * count;
    putting->left -= count;
    return 0;
}

int pnm_put_finish(struct codec_encode *job, struct error *error)
{
    const struct pnm_putting *putting = job->state;
    if (putting->left > 0)
        return error_set(error, ERROR_INTERNAL, "is given fewer rows than there are");
    job->length_bytes = putting->used_bytes;
    warn_of_metadata(job);
    return 0;
}
