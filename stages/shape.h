/* SPDX-License-Identifier: MIT */
/* What a buffer of pixels holds. */
#ifndef STAGES_SHAPE_H
#define STAGES_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How one sample is stored, in the machine's byte order. Full scale is 255, 65535 and 1.0. */
enum sample { SAMPLE_U8, SAMPLE_U16, SAMPLE_F32, SAMPLE_COUNT };

/* Pixels are interleaved, rows are packed without padding, the top row comes first.
 * Channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is last and not premultiplied. */
struct shape {
    uint32_t width;
    uint32_t height;
    uint8_t channels;
    uint8_t sample; /* enum sample */
    /* Bits per sample that a file needs to hold the values: 1, 2, 4, 8, 16 or 32. Grey values of 1, 2 and
     * 4 bits are stored as u8 scaled to 0..255; a stage that makes new values sets the sample's own size. */
    uint8_t bits;
    uint8_t reserved;
};

#define SHAPE_MAX_CHANNELS 4

/* Bytes of one sample: 1, 2 or 4. */
size_t shape_sample_bytes(uint8_t sample);

/* Bits of one sample as stored: 8, 16 or 32; what `bits` becomes when a stage makes new values. */
uint8_t shape_sample_bits(uint8_t sample);

size_t shape_pixel_bytes(const struct shape *shape);
size_t shape_row_bytes(const struct shape *shape);

/* Bytes of all rows, or SIZE_MAX where the product does not fit; never wraps. */
size_t shape_bytes(const struct shape *shape);

/* Channels 2 and 4 end in alpha. */
bool shape_has_alpha(const struct shape *shape);

/* Every field is in range and no dimension is 0. For shapes that come out of shared memory. */
bool shape_valid(const struct shape *shape);

/* "1920x1080 rgb u8"; writes at most `size` bytes, terminated, and returns `text`. */
const char *shape_text(const struct shape *shape, char *text, size_t size);

#endif
