/* SPDX-License-Identifier: MIT */
/* Image data without libpng: filters chosen in SIMD, compressed by a library faster than zlib into one IDAT
 * chunk. libpng still writes what comes before. */
#include <string.h>

#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "stages/codec/png_rows.h"

/* Filtered rows that a library which takes them piece by piece is given at a time: they stay in the second
 * cache. */
#define WINDOW_BYTES (128u << 10)

/* What libpng takes to write a header and pass metadata on: its structures. */
#define HEADER_SCRATCH (32u << 10)

enum { NONE = 1, SUB = 2, UP = 4, ALL = 31 };

struct method {
    enum deflate_library library;
    int level;
    unsigned filters;
};

static const struct method methods[] = {
    [COMPRESSION_FASTEST] = {DEFLATE_ISAL, 1, NONE | SUB | UP},
    [COMPRESSION_FAST] = {DEFLATE_LIBDEFLATE, 1, NONE | SUB | UP},
    [COMPRESSION_BALANCED] = {DEFLATE_LIBDEFLATE, 4, ALL},
    [COMPRESSION_SMALL] = {DEFLATE_LIBDEFLATE, 6, ALL},
    [COMPRESSION_SMALLEST] = {DEFLATE_LIBDEFLATE, 9, ALL},
};

struct fast {
    struct method method;
    size_t row_bytes, raw_bytes, window_rows;
};

static bool choose(const struct codec_save *save, const struct shape *shape, struct fast *fast)
{
    int word = png_compression_word(save);
    unsigned bits = (unsigned)shape->channels * shape->bits;
    fast->method = methods[word];
    if (save->level >= 0) {
        int level = save->level < 9 ? (int)save->level : 9;
        fast->method = (struct method){DEFLATE_LIBDEFLATE, level, level == 0 ? NONE : ALL};
    }
    if (!deflate_has(fast->method.library) && word == COMPRESSION_FASTEST)
        fast->method.library = DEFLATE_LIBDEFLATE;
    if (shape->bits < 8)
        fast->method.filters = NONE; /* they work on bytes; on packed samples they do harm */
    fast->row_bytes = ((size_t)shape->width * bits + 7) / 8;
    fast->raw_bytes = png_raw_bytes(shape->width, shape->height, bits, false);
    if (save->interlace || !deflate_has(fast->method.library) || fast->raw_bytes > PNG_CHUNK_MAX / 2)
        return false;
    fast->window_rows =
        deflate_whole(fast->method.library) ? shape->height : WINDOW_BYTES / (fast->row_bytes + 1);
    fast->window_rows += fast->window_rows == 0;
    return true;
}

static size_t window_size(const struct fast *fast)
{
    size_t window_bytes = fast->window_rows * (fast->row_bytes + 1);
    return window_bytes < fast->raw_bytes ? window_bytes : fast->raw_bytes;
}

size_t png_fast_encode_scratch(const struct codec_save *save, const struct shape *shape)
{
    struct fast fast;
    if (!choose(save, shape, &fast))
        return 0;
    size_t rows_bytes =
        scratch_add(scratch_need(1, window_size(&fast)), png_filterer_scratch(fast.row_bytes));
    size_t bytes = scratch_add(rows_bytes, deflate_scratch(fast.method.library, fast.method.level));
    return bytes > HEADER_SCRATCH ? bytes : HEADER_SCRATCH;
}

static void to_big_endian(uint8_t *to, const uint8_t *row, size_t row_bytes)
{
    for (size_t i = 0; i < row_bytes; i += 2) {
        uint16_t sample;
        memcpy(&sample, row + i, sizeof sample);
        to[i] = (uint8_t)(sample >> 8);
        to[i + 1] = (uint8_t)sample;
    }
}

/* Grey of few bits is stored scaled to a byte; its value is the upper bits. */
static void pack(uint8_t *to, const uint8_t *row, size_t width, unsigned bits)
{
    unsigned byte = 0, filled = 0;
    for (size_t x = 0; x < width; x++) {
        byte = byte << bits | row[x] >> (8 - bits);
        filled += bits;
        if (filled == 8) {
            *to++ = (uint8_t)byte;
            byte = filled = 0;
        }
    }
    if (filled)
        *to = (uint8_t)(byte << (8 - filled));
}

static void take_row(const struct shape *shape, uint8_t *to, const uint8_t *row, size_t row_bytes)
{
    if (shape->bits == 16)
        to_big_endian(to, row, row_bytes);
    else if (shape->bits == 8)
        memcpy(to, row, row_bytes);
    else
        pack(to, row, shape->width, shape->bits);
}

/* The zlib stream of all rows; its length, or 0 where it does not fit in `room_bytes` or there is too little
 * scratch. */
static size_t write_stream(const struct codec_encode *job, const struct fast *fast, uint8_t *to,
                           size_t room_bytes)
{
    const struct shape *shape = &job->shape;
    struct png_filterer filterer;
    size_t pixel_bytes = shape->bits < 8 ? 1 : shape_pixel_bytes(shape), filled_bytes = 0;
    uint8_t *window = scratch_alloc(job->scratch, 1, window_size(fast));
    struct deflater *deflater =
        deflate_begin(fast->method.library, fast->method.level, to, room_bytes, job->scratch);
    if (!window || !deflater ||
        !png_filterer_begin(&filterer, fast->row_bytes, pixel_bytes, fast->method.filters, job->scratch))
        return 0;
    for (size_t y = 0; y < shape->height; y++) {
        take_row(shape, filterer.row, job->pixels + y * shape_row_bytes(shape), fast->row_bytes);
        png_filterer_apply(&filterer, window + filled_bytes);
        filled_bytes += fast->row_bytes + 1;
        bool last = y + 1 == shape->height;
        if (last || (y + 1) % fast->window_rows == 0) {
            if (!deflate_more(deflater, window, filled_bytes, last))
                return 0;
            filled_bytes = 0;
        }
    }
    return deflate_length(deflater);
}

static void end_chunk(uint8_t *chunk, const char type[4], size_t length_bytes)
{
    png_save_uint_32(chunk, (png_uint_32)length_bytes);
    memcpy(chunk + 4, type, 4);
    png_save_uint_32(chunk + 8 + length_bytes, deflate_crc32(chunk + 4, length_bytes + 4));
}

bool png_fast_encode(struct codec_encode *job, struct png_session *session)
{
    struct fast fast;
    uint8_t *idat = job->bytes + session->position;
    size_t room_bytes = job->bytes_size - session->position;
    if (!choose(job->save, &job->shape, &fast) || room_bytes < 2 * PNG_CHUNK_EXTRA)
        return false;
    size_t length_bytes = write_stream(job, &fast, idat + 8, room_bytes - 2 * PNG_CHUNK_EXTRA);
    if (length_bytes == 0)
        return false;
    end_chunk(idat, "IDAT", length_bytes);
    end_chunk(idat + length_bytes + PNG_CHUNK_EXTRA, "IEND", 0);
    session->position += length_bytes + 2 * PNG_CHUNK_EXTRA;
    return true;
}

bool png_fast_encodes(const struct codec_encode *job)
{
    struct fast fast;
    return choose(job->save, &job->shape, &fast);
}
