/* SPDX-License-Identifier: MIT */
/* JPEG files made by hand: any header, and flat grey pixels. Their Huffman tables have one code each, the bit
 * 0, for "no difference" and "end of block", so that a scan is nothing but zero bits. */
#ifndef TESTS_STAGES_JPEG_MADE_H
#define TESTS_STAGES_JPEG_MADE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct made {
    uint8_t *bytes;
    size_t length_bytes;
};

static inline void made_put(struct made *made, const void *bytes, size_t length_bytes)
{
    made->bytes = realloc(made->bytes, made->length_bytes + length_bytes + 1);
    if (length_bytes)
        memcpy(made->bytes + made->length_bytes, bytes, length_bytes);
    made->length_bytes += length_bytes;
}

static inline void made_segment(struct made *made, uint8_t marker, const void *data, size_t length_bytes)
{
    const uint8_t start[4] = {0xff, marker, (uint8_t)((length_bytes + 2) >> 8), (uint8_t)(length_bytes + 2)};
    made_put(made, start, sizeof start);
    made_put(made, data, length_bytes);
}

static inline void made_start(struct made *made)
{
    made_put(made, "\xff\xd8", 2);
}

static inline void made_end(struct made *made)
{
    made_put(made, "\xff\xd9", 2);
}

/* One quantization table and the two Huffman tables. */
static inline void made_tables(struct made *made)
{
    uint8_t steps[65] = {0}, codes[18] = {0};
    memset(steps + 1, 1, 64);
    made_segment(made, 0xdb, steps, sizeof steps);
    codes[1] = 1; /* one code of one bit, for the symbol 0 */
    made_segment(made, 0xc4, codes, sizeof codes);
    codes[0] = 0x10;
    made_segment(made, 0xc4, codes, sizeof codes);
}

struct made_frame {
    uint8_t marker; /* 0xc0 baseline, 0xc2 progressive */
    uint8_t precision;
    unsigned width, height, components;
    uint8_t sampling[4]; /* across << 4 | down */
};

static inline void made_frame(struct made *made, const struct made_frame *frame)
{
    uint8_t data[6 + 3 * 4] = {frame->precision,       (uint8_t)(frame->height >> 8),
                               (uint8_t)frame->height, (uint8_t)(frame->width >> 8),
                               (uint8_t)frame->width,  (uint8_t)frame->components};
    for (unsigned i = 0; i < frame->components && i < 4; i++) {
        data[6 + 3 * i] = (uint8_t)(i + 1);
        data[7 + 3 * i] = frame->sampling[i];
    }
    made_segment(made, frame->marker, data, 6 + 3 * (size_t)frame->components);
}

/* The blocks in a scan of the components [first, last): in one scan together each fills whole units. */
static inline size_t made_blocks(const struct made_frame *frame, unsigned first, unsigned last)
{
    unsigned across = 1, down = 1;
    size_t sum = 0;
    for (unsigned i = 0; i < frame->components; i++) {
        across = frame->sampling[i] >> 4 > (int)across ? frame->sampling[i] >> 4 : across;
        down = (frame->sampling[i] & 15) > (int)down ? frame->sampling[i] & 15 : down;
    }
    for (unsigned i = first; i < last; i++) {
        const unsigned a = frame->sampling[i] >> 4, d = frame->sampling[i] & 15;
        const size_t units = (size_t)((frame->width + 8 * across - 1) / (8 * across)) *
                             ((frame->height + 8 * down - 1) / (8 * down));
        if (last - first > 1)
            sum += units * a * d;
        else
            sum += (size_t)((frame->width * a + 8 * across - 1) / (8 * across)) *
                   ((frame->height * d + 8 * down - 1) / (8 * down));
    }
    return sum;
}

/* A scan of the components [first, last) with the coefficients [from, to], `low` bits left for later scans,
 * the bits from `high` down done before; 1 bit a block, or 2 where coefficient 0 and others are in it. */
static inline void made_scan(struct made *made, const struct made_frame *frame, unsigned first, unsigned last,
                             unsigned from, unsigned to, unsigned high, unsigned low)
{
    uint8_t data[4 + 2 * 4] = {(uint8_t)(last - first)};
    for (unsigned i = first; i < last; i++)
        data[1 + 2 * (i - first)] = (uint8_t)(i + 1);
    const size_t at = 1 + 2 * (size_t)(last - first);
    data[at] = (uint8_t)from;
    data[at + 1] = (uint8_t)to;
    data[at + 2] = (uint8_t)(high << 4 | low);
    made_segment(made, 0xda, data, at + 3);
    const size_t bits = made_blocks(frame, first, last) * (from == 0 && to > 0 ? 2 : 1);
    for (size_t i = 0; i < bits / 8; i++)
        made_put(made, "", 1);
    if (bits % 8) {
        const uint8_t rest = (uint8_t)(0xff >> bits % 8); /* filled up with ones */
        made_put(made, &rest, 1);
    }
}

/* A whole file: scans of all components together, or one by one. */
static inline struct made made_file(const struct made_frame *frame, int together)
{
    struct made made = {0};
    made_start(&made);
    made_tables(&made);
    made_frame(&made, frame);
    const unsigned step = together ? frame->components : 1;
    for (unsigned i = 0; i < frame->components; i += step)
        made_scan(&made, frame, i, i + step, 0, frame->marker == 0xc2 ? 0 : 63, 0, 0);
    for (unsigned i = 0; frame->marker == 0xc2 && i < frame->components; i++)
        made_scan(&made, frame, i, i + 1, 1, 63, 0, 0);
    made_end(&made);
    return made;
}

#endif
