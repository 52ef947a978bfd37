/* SPDX-License-Identifier: MIT */
/* PNG files made at random of any kind, and damaged so that what is behind their checksums sees it. */
#ifndef TESTS_STAGES_PNG_MADE_H
#define TESTS_STAGES_PNG_MADE_H

#include "codec_exact.h"
#include "png_reference.h"

static uint32_t seed;

/* Small enough that no mutated size takes long. */
static const struct codec_limits small_limits = {
    .max_pixels = 1000000, .max_width = 1000000, .max_height = 1000000, .max_metadata_bytes = 1 << 20};

static inline unsigned dice(unsigned sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % sides;
}

struct kind {
    int colour, depth;
};

static const struct kind kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},       {PNG_COLOR_TYPE_GRAY, 4},
    {PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},      {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB, 8},        {PNG_COLOR_TYPE_RGB, 16},
    {PNG_COLOR_TYPE_RGB_ALPHA, 8},   {PNG_COLOR_TYPE_RGB_ALPHA, 16}, {PNG_COLOR_TYPE_PALETTE, 1},
    {PNG_COLOR_TYPE_PALETTE, 2},     {PNG_COLOR_TYPE_PALETTE, 4},    {PNG_COLOR_TYPE_PALETTE, 8},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* How a file is made; what is 0 is as usual. */
struct making {
    size_t piece_bytes; /* of an IDAT chunk; 0: one chunk */
    size_t extra_rows;  /* bytes of rows too many */
    size_t extra_data;  /* bytes after the stream, in an IDAT chunk of their own */
    unsigned colours;   /* in the palette; 0: all that the depth allows */
    unsigned alphas;    /* tRNS of a palette, or of one colour */
    int filter;         /* 1 + the filter of every row; 0: any, row by row */
    int window_bits;    /* of the stream; 0: 15 */
    uint8_t window;     /* what the stream says, where that is not so: its first byte */
};

static inline void append_idat(struct reference_bytes *file, const uint8_t *raw, size_t raw_bytes,
                               const struct making *making)
{
    z_stream zlib = {0};
    uLong most_bytes = compressBound((uLong)raw_bytes) + 64;
    uint8_t *stream = malloc(most_bytes);
    assert_int_equal(deflateInit2(&zlib, 1 + (int)dice(9), Z_DEFLATED,
                                  making->window_bits ? making->window_bits : 15, 8,
                                  making->window ? Z_DEFAULT_STRATEGY : (int)dice(4)),
                     Z_OK);
    zlib.next_in = (Bytef *)(uintptr_t)raw;
    zlib.avail_in = (uInt)raw_bytes;
    zlib.next_out = stream;
    zlib.avail_out = (uInt)most_bytes;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    size_t length_bytes = zlib.total_out,
           piece_bytes = making->piece_bytes ? making->piece_bytes : length_bytes;
    deflateEnd(&zlib);
    if (making->window) {
        stream[0] = making->window;
        stream[1] = (uint8_t)(31 - (stream[0] << 8) % 31);
    }
    for (size_t at = 0; at < length_bytes; at += piece_bytes)
        reference_chunk(file, "IDAT", stream + at,
                        length_bytes - at < piece_bytes ? length_bytes - at : piece_bytes);
    if (making->extra_data)
        reference_chunk(file, "IDAT", raw, making->extra_data);
    free(stream);
}

/* A file of smooth rows with some noise; each row is filtered by any filter, that is, its bytes are what they
 * are and the pixels whatever comes of them. */
static inline struct reference_bytes make(const struct kind *kind, uint32_t width, uint32_t height,
                                          const struct making *making)
{
    static const unsigned samples[] = {1, 0, 3, 1, 2, 0, 4};
    struct reference_bytes file = {0};
    uint8_t palette[768], alpha[256];
    unsigned colours = making->colours ? making->colours : 1u << (kind->depth < 8 ? kind->depth : 8);
    for (size_t i = 0; i < sizeof palette; i++)
        palette[i] = (uint8_t)dice(256);
    for (size_t i = 0; i < sizeof alpha; i++)
        alpha[i] = (uint8_t)dice(256);
    reference_start(&file, width, height, kind->depth, kind->colour, 0);
    reference_chunk(&file, "gAMA", "\0\0\xb1\x8f", 4);
    if (kind->colour == PNG_COLOR_TYPE_PALETTE) {
        reference_chunk(&file, "PLTE", palette, 3 * (size_t)colours);
        if (making->alphas)
            reference_chunk(&file, "tRNS", alpha, making->alphas);
    } else if (making->alphas) {
        reference_chunk(&file, "tRNS", "\0\0\0\0\0\0", kind->colour == PNG_COLOR_TYPE_RGB ? 6 : 2);
    }
    size_t row_bytes = ((size_t)width * samples[kind->colour] * (unsigned)kind->depth + 7) / 8;
    size_t raw_bytes = (row_bytes + 1) * height;
    uint8_t *raw = malloc(raw_bytes + making->extra_rows);
    for (size_t i = 0; i < raw_bytes + making->extra_rows; i++)
        raw[i] = (uint8_t)(dice(4) == 0 ? dice(256) : i / 16 % 7);
    for (size_t y = 0; y < height; y++)
        raw[y * (row_bytes + 1)] = (uint8_t)(making->filter ? making->filter - 1
                                             : y % 7 < 3    ? 4
                                                            : (int)dice(5));
    append_idat(&file, raw, raw_bytes + making->extra_rows, making);
    reference_chunk(&file, "tEXt", "Title\0two words", 15);
    reference_chunk(&file, "IEND", NULL, 0);
    free(raw);
    return file;
}

/* Changes bytes of a chunk and makes its CRC good, or drops, doubles or swaps chunks. */
static inline void mutate(struct reference_bytes *file, bool large)
{
    size_t chunks[64], count = 0;
    for (size_t at = 8; at + 12 <= file->length_bytes && count < 64; count++) {
        chunks[count] = at;
        at += png_get_uint_32(file->bytes + at) + 12;
    }
    size_t chunk = chunks[dice((unsigned)count)], length = png_get_uint_32(file->bytes + chunk);
    if (!large && dice(8) == 0) { /* once more, at the end or here */
        uint8_t *copy = malloc(length + 12);
        memcpy(copy, file->bytes + chunk, length + 12);
        reference_append(file, copy, length + 12);
        free(copy);
    } else if (!large && dice(8) == 0) {
        memmove(file->bytes + chunk, file->bytes + chunk + length + 12,
                file->length_bytes - chunk - length - 12);
        file->length_bytes -= length + 12;
    } else {
        for (unsigned i = 1 + dice(3); i > 0; i--)
            file->bytes[chunk + 4 + dice((unsigned)length + 4)] ^= (uint8_t)(1u << dice(8));
        if (dice(8) > 0)
            png_save_uint_32(file->bytes + chunk + 8 + length,
                             (png_uint_32)crc32(0, file->bytes + chunk + 4, (uInt)(length + 4)));
    }
}

#endif
