/* SPDX-License-Identifier: MIT */
/* libpng used plainly, as the outside opinion on PNG files: its own memory, every chunk handled by it. And a
 * small writer of chunks, to build files that no library would write. */
#ifndef TESTS_PNG_REFERENCE_H
#define TESTS_PNG_REFERENCE_H

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

struct reference_bytes {
    uint8_t *bytes;
    size_t length_bytes, size_bytes, position;
};

static inline void reference_append(struct reference_bytes *to, const void *data, size_t length_bytes)
{
    if (to->size_bytes < to->length_bytes + length_bytes + 1) {
        to->size_bytes = 2 * (to->length_bytes + length_bytes) + 64;
        to->bytes = realloc(to->bytes, to->size_bytes);
    }
    if (length_bytes)
        memcpy(to->bytes + to->length_bytes, data, length_bytes);
    to->length_bytes += length_bytes;
}

static inline void reference_write(png_structp png, png_bytep data, size_t length_bytes)
{
    reference_append(png_get_io_ptr(png), data, length_bytes);
}

static inline void reference_flush(png_structp png)
{
    (void)png;
}

static inline void reference_quiet(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static inline void reference_error(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static inline void reference_read(png_structp png, png_bytep data, size_t length_bytes)
{
    struct reference_bytes *from = png_get_io_ptr(png);
    if (length_bytes > from->length_bytes - from->position)
        png_error(png, "Read Error");
    memcpy(data, from->bytes + from->position, length_bytes);
    from->position += length_bytes;
}

struct reference_image {
    uint8_t *pixels; /* expanded as the codec expands, native byte order */
    uint32_t width, height;
    unsigned channels, depth;
    png_structp png; /* live, for questions about metadata */
    png_infop info;
};

static inline void reference_free(struct reference_image *image)
{
    png_destroy_read_struct(&image->png, &image->info, NULL);
    free(image->pixels);
    image->pixels = NULL;
}

/* 0, or -1 where libpng gives up anywhere before the end of IEND or there are more than `max_pixels`. */
static inline int reference_decode(const uint8_t *bytes, size_t length_bytes, uint64_t max_pixels,
                                   struct reference_image *image)
{
    struct reference_bytes from = {.bytes = (uint8_t *)(uintptr_t)bytes, .length_bytes = length_bytes};
    *image = (struct reference_image){0};
    image->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, reference_error, reference_quiet);
    image->info = png_create_info_struct(image->png);
    if (setjmp(png_jmpbuf(image->png))) {
        reference_free(image);
        return -1;
    }
    png_set_read_fn(image->png, &from, reference_read);
    png_read_info(image->png, image->info);
    image->width = png_get_image_width(image->png, image->info);
    image->height = png_get_image_height(image->png, image->info);
    if ((uint64_t)image->width * image->height > max_pixels)
        png_error(image->png, "too large");
    png_set_expand(image->png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    png_set_swap(image->png);
#endif
    int passes = png_set_interlace_handling(image->png);
    png_read_update_info(image->png, image->info);
    image->channels = png_get_channels(image->png, image->info);
    image->depth = png_get_bit_depth(image->png, image->info);
    size_t row_bytes = png_get_rowbytes(image->png, image->info);
    image->pixels = calloc(image->height, row_bytes);
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < image->height; y++)
            png_read_row(image->png, image->pixels + y * row_bytes, NULL);
    }
    png_read_end(image->png, image->info);
    return 0;
}

static inline void reference_chunk(struct reference_bytes *to, const char *type, const void *data,
                                   size_t length_bytes)
{
    uint8_t word[4];
    png_save_uint_32(word, (png_uint_32)length_bytes);
    reference_append(to, word, 4);
    reference_append(to, type, 4);
    reference_append(to, data, length_bytes);
    uLong crc = crc32(0, to->bytes + to->length_bytes - length_bytes - 4, (uInt)(length_bytes + 4));
    png_save_uint_32(word, (png_uint_32)crc);
    reference_append(to, word, 4);
}

static inline void reference_start(struct reference_bytes *to, uint32_t width, uint32_t height, int depth,
                                   int colour, int interlace)
{
    uint8_t ihdr[13] = {0};
    png_save_uint_32(ihdr, width);
    png_save_uint_32(ihdr + 4, height);
    ihdr[8] = (uint8_t)depth;
    ihdr[9] = (uint8_t)colour;
    ihdr[12] = (uint8_t)interlace;
    reference_append(to, "\x89PNG\r\n\x1a\n", 8);
    reference_chunk(to, "IHDR", ihdr, sizeof ihdr);
}

/* A chunk whose data is `prefix` and then `data` as a zlib stream. */
static inline void reference_deflated(struct reference_bytes *to, const char *type, const void *prefix,
                                      size_t prefix_bytes, const void *data, size_t length_bytes)
{
    uLong bound = compressBound((uLong)length_bytes);
    uint8_t *chunk = malloc(prefix_bytes + bound);
    if (prefix_bytes)
        memcpy(chunk, prefix, prefix_bytes);
    compress2(chunk + prefix_bytes, &bound, data, (uLong)length_bytes, 9);
    reference_chunk(to, type, chunk, prefix_bytes + bound);
    free(chunk);
}

/* Rows of zeros, with their filter bytes, and the end. */
static inline void reference_finish(struct reference_bytes *to, size_t raw_bytes)
{
    uint8_t *raw = calloc(raw_bytes, 1);
    reference_deflated(to, "IDAT", NULL, 0, raw, raw_bytes);
    reference_chunk(to, "IEND", NULL, 0);
    free(raw);
}

#endif
