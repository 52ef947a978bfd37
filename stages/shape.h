/* SPDX-License-Identifier: MIT */
/* What a buffer of samples holds: an image, or an array of numbers. */
#ifndef STAGES_SHAPE_H
#define STAGES_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shape_kind { SHAPE_IMAGE, SHAPE_ARRAY };

/* How one sample is stored, in the machine's byte order. The first three are those of images, with full scale
 * 255, 65535 and 1.0; arrays have them all, and their values mean themselves. SAMPLE_F16 is IEEE 754
 * binary16, SAMPLE_BOOL a byte that is 0 or 1. */
enum sample {
    SAMPLE_U8,
    SAMPLE_U16,
    SAMPLE_F32,
    SAMPLE_IMAGE_COUNT,
    SAMPLE_I8 = SAMPLE_IMAGE_COUNT,
    SAMPLE_I16,
    SAMPLE_I32,
    SAMPLE_I64,
    SAMPLE_U32,
    SAMPLE_U64,
    SAMPLE_F16,
    SAMPLE_F64,
    SAMPLE_BOOL,
    SAMPLE_COUNT
};

#define SHAPE_MAX_CHANNELS 4
#define SHAPE_MAX_RANK     8

/* Images: pixels are interleaved, rows are packed without padding, the top row comes first.
 * Channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is last and not premultiplied.
 *
 * Arrays: C order without padding; `rank` 0 is a single value, and a dimension may be 0. The fields of images
 * are 0, `bits` apart. */
struct shape {
    uint32_t width;
    uint32_t height;
    uint8_t channels;
    uint8_t sample; /* enum sample */
    /* Bits per sample that a file needs to hold the values: 1, 2, 4, or the sample's own size. Grey values of
     * 1, 2 and 4 bits are stored as u8 scaled to 0..255; a stage that makes new values sets the sample's own
     * size. */
    uint8_t bits;
    uint8_t kind;        /* enum shape_kind */
    uint8_t orientation; /* of an image, as EXIF counts: 1 to 8; 0: not known, upright */
    uint8_t rank;
    /* What the image measured before it was decoded to a part of its size; 0: as it is. A stage that computes
     * a size from the input's goes by these. */
    uint32_t full_width, full_height;
    uint64_t dims[SHAPE_MAX_RANK];
};

/* Bytes of one sample: 1, 2, 4 or 8. */
size_t shape_sample_bytes(uint8_t sample);

/* Bits of one sample as stored; what `bits` becomes when a stage makes new values. */
uint8_t shape_sample_bits(uint8_t sample);

/* "u8", "f32", ..., "bool"; "?" for no sample. */
const char *shape_sample_name(uint8_t sample);

/* Floating point, signed (floats are), or neither. */
bool shape_sample_is_float(uint8_t sample);
bool shape_sample_is_signed(uint8_t sample);

/* Of images. */
size_t shape_pixel_bytes(const struct shape *shape);
size_t shape_row_bytes(const struct shape *shape);

/* Bytes of all samples, or SIZE_MAX where the product does not fit; never wraps. */
size_t shape_bytes(const struct shape *shape);

/* How many samples; UINT64_MAX where the product does not fit. */
uint64_t shape_samples(const struct shape *shape);

/* Into how many rows the work on it can be cut: an image's height; of an array, blocks of
 * SHAPE_BLOCK_SAMPLES consecutive samples, the last one shorter. At least 1. */
#define SHAPE_BLOCK_SAMPLES 8192u
uint32_t shape_rows(const struct shape *shape);

/* The samples [*begin, *end) that the rows [first, last) hold. */
void shape_span(const struct shape *shape, uint32_t first, uint32_t last, size_t *begin, size_t *end);

/* An array of these dimensions (`rank` of them), its `bits` those of the sample. */
struct shape shape_array(enum sample sample, unsigned rank, const uint64_t *dims);

/* Channels 2 and 4 end in alpha. */
bool shape_has_alpha(const struct shape *shape);

/* Every field is in range; an image has no dimension of 0, and the bytes of an array can be counted. For
 * shapes that come out of shared memory. */
bool shape_valid(const struct shape *shape);

/* "1920x1080 rgb u8", or "f32 array (3, 4)"; writes at most `size` bytes, terminated, and returns `text`. */
const char *shape_text(const struct shape *shape, char *text, size_t size);

#endif
