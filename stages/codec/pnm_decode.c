/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stages/codec/pnm_private.h"

/* The nearest of 0..full for value of 0..maxval; halves go up. */
static uint32_t scaled(uint32_t value, uint32_t maxval, uint32_t full)
{
    return (uint32_t)(((uint64_t)value * full * 2 + maxval) / ((uint64_t)maxval * 2));
}

static void put_sample(const struct shape *shape, uint8_t *pixels, size_t index, uint32_t value)
{
    if (shape->sample == SAMPLE_U8) {
        pixels[index] = (uint8_t)value;
    } else {
        uint16_t sample = (uint16_t)value;
        memcpy(pixels + index * sizeof sample, &sample, sizeof sample);
    }
}

static int over_maxval(uint32_t value, const struct pnm_header *header, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, "a sample of %" PRIu32 " is over maxval %" PRIu32, value,
                     header->maxval);
}

/* In PBM a 1 is black; the first pixel is the high bit of its byte. */
static void decode_bits(const struct pnm_header *header, const uint8_t *bytes, uint8_t *pixels, uint32_t rows)
{
    size_t row_bytes = pnm_row_bytes(header), width = (size_t)header->width;
    for (uint32_t y = 0; y < rows; y++, bytes += row_bytes, pixels += width) {
        for (size_t x = 0; x < width; x++)
            pixels[x] = bytes[x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
    }
}

static int decode_samples(const struct pnm_header *header, const struct shape *shape, const uint8_t *bytes,
                          uint8_t *pixels, uint32_t rows, struct error *error)
{
    size_t samples = (size_t)(header->width * rows * header->channels);
    uint32_t full = shape->sample == SAMPLE_U8 ? 255 : 65535;
    if (header->maxval == 255) {
        memcpy(pixels, bytes, samples);
        return 0;
    }
    for (size_t i = 0; i < samples; i++) {
        uint32_t value =
            shape->sample == SAMPLE_U8 ? bytes[i] : (uint32_t)bytes[2 * i] << 8 | bytes[2 * i + 1];
        if (value > header->maxval)
            return over_maxval(value, header, error);
        put_sample(shape, pixels, i, header->maxval == full ? value : scaled(value, header->maxval, full));
    }
    return 0;
}

/* Numbers of plain files; a bit of P1 is one digit and needs no space behind it. */
static int plain_sample(const struct pnm_header *header, const struct codec_decode *job, size_t *position,
                        uint32_t *value, struct error *error)
{
    size_t at = pnm_skip(job->bytes, job->length_bytes, *position), from = at;
    const size_t most = header->kind == '1' ? 1 : SIZE_MAX; /* any number of zeros may lead */
    *value = 0;
    for (; at < job->length_bytes && at - from < most; at++) {
        uint8_t byte = job->bytes[at];
        if (byte < '0' || byte > '9')
            break;
        *value = *value * 10 + (byte - '0');
        if (*value > header->maxval)
            return over_maxval(*value, header, error);
    }
    if (at == job->length_bytes && at == from)
        return error_set(error, ERROR_CORRUPT, "file ends early, in the pixels");
    if (at == from)
        return error_set(error, ERROR_CORRUPT, "byte %zu is not part of a number", at);
    *position = at;
    return 0;
}

static int decode_plain(const struct pnm_header *header, const struct codec_decode *job, size_t *position,
                        struct error *error)
{
    const struct shape *shape = &job->shape;
    size_t samples = (size_t)(header->width * header->height * header->channels);
    uint32_t full = shape->sample == SAMPLE_U8 ? 255 : 65535, value;
    for (size_t i = 0; i < samples; i++) {
        TRY(plain_sample(header, job, position, &value, error));
        if (header->kind == '1')
            value = !value;
        put_sample(shape, job->pixels, i, scaled(value, header->maxval, full));
    }
    *position = pnm_skip(job->bytes, job->length_bytes, *position);
    return 0;
}

/* The next rows of a raw file. */
static int decode_raw(const struct pnm_header *header, const struct codec_decode *job, size_t *position,
                      uint8_t *pixels, uint32_t rows, struct error *error)
{
    const uint8_t *bytes = job->bytes + *position;
    if (header->kind == '4')
        decode_bits(header, bytes, pixels, rows);
    else
        TRY(decode_samples(header, &job->shape, bytes, pixels, rows, error));
    *position += pnm_row_bytes(header) * rows;
    return 0;
}

static int read_header(struct codec_decode *job, struct pnm_header *header, struct error *error)
{
    job->warnings = 0;
    job->warning[0] = '\0';
    TRY(pnm_header_read(job->bytes, job->length_bytes, job->length_bytes, job->limits, header, error));
    job->shape = pnm_shape(header);
    return 0;
}

static void warn_of_rest(struct codec_decode *job, size_t end)
{
    if (end == job->length_bytes)
        return;
    job->warnings = 1;
    snprintf(job->warning, sizeof job->warning, "%zu bytes after the end of the image",
             job->length_bytes - end);
}

int pnm_decode(struct codec_decode *job, struct error *error)
{
    struct pnm_header header;
    TRY(read_header(job, &header, error));
    if (shape_bytes(&job->shape) > job->pixels_bytes)
        return error_set(error, ERROR_MEMORY, "more room for pixels needed than was planned");
    size_t end = header.pixels_from;
    if (pnm_plain(&header))
        TRY(decode_plain(&header, job, &end, error));
    else
        TRY(decode_raw(&header, job, &end, job->pixels, job->shape.height, error));
    warn_of_rest(job, end);
    return 0;
}

/* By rows: where the next ones are. */
struct pnm_rows {
    struct pnm_header header;
    size_t position;
};

size_t pnm_rows_scratch(void)
{
    return scratch_need(1, sizeof(struct pnm_rows));
}

int pnm_rows_open(struct codec_decode *job, struct error *error)
{
    struct pnm_rows *rows = scratch_alloc(job->scratch, 1, sizeof *rows);
    if (!rows)
        return error_set(error, ERROR_MEMORY, "more scratch needed than was planned");
    job->state = rows;
    TRY(read_header(job, &rows->header, error));
    if (pnm_plain(&rows->header))
        return error_set(error, ERROR_INTERNAL, "a plain file has no rows to be read one by one");
    rows->position = rows->header.pixels_from;
    return 0;
}

int pnm_rows_next(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error)
{
    struct pnm_rows *rows = job->state;
    return decode_raw(&rows->header, job, &rows->position, pixels, count, error);
}

int pnm_rows_close(struct codec_decode *job, struct error *error)
{
    const struct pnm_rows *rows = job->state;
    (void)error;
    warn_of_rest(job, rows->position);
    return 0;
}
