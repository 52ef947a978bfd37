/* SPDX-License-Identifier: MIT */
/* Choosing filters, 32 bytes at a time in vectors that compilers break up for lesser processors. */
#include <string.h>

#include "stages/codec/png_rows.h"
#include "stages/simd.h"

#define VECTOR_BYTES 32u

typedef uint8_t bytes __attribute__((vector_size(VECTOR_BYTES)));
typedef int8_t signed_bytes __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t words __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t longs __attribute__((vector_size(VECTOR_BYTES)));

/* A vector adds up to 2 x 128 to each word of a sum. */
#define VECTORS_PER_SUM 255u

/* Macros and not functions: vectors of this size are passed differently with and without AVX. */
#define CHOOSE(where, then, otherwise) (((where) & (then)) | (~(where) & (otherwise)))

size_t png_filterer_scratch(size_t row_bytes)
{
    size_t each = scratch_need(1, scratch_add(row_bytes, 2 * SCRATCH_ALIGN));
    size_t sum = 0;
    for (unsigned i = 0; i < 1 + PNG_FILTER_COUNT; i++) /* two, and one for each filter but none */
        sum = scratch_add(sum, each);
    return sum;
}

/* A row with zeros for the pixel to the left of it, and room for the last vector. */
static uint8_t *take_row(struct png_filterer *filterer, struct scratch *scratch)
{
    uint8_t *row = scratch_alloc(scratch, 1, filterer->row_bytes + 2 * SCRATCH_ALIGN);
    if (row)
        memset(row, 0, filterer->row_bytes + 2 * SCRATCH_ALIGN);
    return row ? row + SCRATCH_ALIGN : NULL;
}

bool png_filterer_begin(struct png_filterer *filterer, size_t row_bytes, size_t pixel_bytes,
                        struct scratch *scratch)
{
    *filterer =
        (struct png_filterer){.row_bytes = row_bytes,
                              .padded_bytes = (row_bytes + VECTOR_BYTES - 1) / VECTOR_BYTES * VECTOR_BYTES,
                              .pixel_bytes = pixel_bytes};
    bool enough =
        (filterer->row = take_row(filterer, scratch)) && (filterer->above = take_row(filterer, scratch));
    for (unsigned i = 1; i < PNG_FILTER_COUNT && enough; i++)
        enough = (filterer->tried[i] = take_row(filterer, scratch));
    return enough;
}

void png_filterer_restart(struct png_filterer *filterer)
{
    memset(filterer->above, 0, filterer->row_bytes);
}

/* Paeth's predictor in bytes. Where the corner lies between left and above, their distances from the estimate
 * are |above - corner|, |left - corner| and the difference of the two; elsewhere the nearest is the one of
 * left and above that is on the far side. */
#define PAETH(to, left, above, corner)                                                                       \
    do {                                                                                                     \
        bytes less = (bytes)((left) < (above));                                                              \
        bytes low = CHOOSE(less, left, above), high = CHOOSE(less, above, left);                             \
        bytes below = (bytes)((corner) <= low), over = (bytes)((corner) >= high);                            \
        bytes to_low = (corner)-low, to_high = high - (corner);                                              \
        bytes from_left = CHOOSE(less, to_high, to_low), from_above = CHOOSE(less, to_low, to_high);         \
        bytes nearer = (bytes)(from_left <= from_above);                                                     \
        bytes from_corner = CHOOSE(nearer, from_above - from_left, from_left - from_above);                  \
        bytes least = CHOOSE(nearer, from_left, from_above);                                                 \
        (to) = CHOOSE(nearer, left, above);                                                                  \
        (to) = CHOOSE((bytes)(from_corner < least), corner, to);                                             \
        (to) = CHOOSE(over, low, to);                                                                        \
        (to) = CHOOSE(below & ~over, high, to);                                                              \
    } while (0)

/* Filters a row by one filter to `to`. The sum of absolute values, each at most 128. */
SIMD_INLINE uint64_t filter_row(const struct png_filterer *filterer, unsigned filter, uint8_t *to)
{
    longs total = {0};
    for (size_t at = 0; at < filterer->padded_bytes;) {
        words sum = {0};
        size_t end = filterer->padded_bytes - at < VECTORS_PER_SUM * VECTOR_BYTES
                         ? filterer->padded_bytes
                         : at + VECTORS_PER_SUM * VECTOR_BYTES;
        for (; at < end; at += VECTOR_BYTES) {
            bytes value, left, above, corner, guess = {0};
            memcpy(&value, filterer->row + at, sizeof value);
            memcpy(&left, filterer->row + at - filterer->pixel_bytes, sizeof left);
            memcpy(&above, filterer->above + at, sizeof above);
            memcpy(&corner, filterer->above + at - filterer->pixel_bytes, sizeof corner);
            if (filter == 1)
                guess = left;
            else if (filter == 2)
                guess = above;
            else if (filter == 3)
                guess = (left & above) + (bytes)((words)((left ^ above) & 0xfe) >> 1);
            else if (filter == 4)
                PAETH(guess, left, above, corner);
            value -= guess;
            if (filter > 0)
                memcpy(to + at, &value, sizeof value);
            bytes negative = (bytes)((signed_bytes)value < 0);
            value = (value ^ negative) - negative;
            sum += ((words)value & 0xff) + ((words)value >> 8);
        }
        total += ((longs)sum & 0xffff) + ((longs)sum >> 16);
    }
    uint64_t all = 0;
    for (unsigned i = 0; i < sizeof total / sizeof total[0]; i++)
        all += total[i];
    /* Not what lies behind the row. */
    for (size_t at = filterer->row_bytes; filter > 0 && at < filterer->padded_bytes; at++)
        all -= to[at] < 128 ? to[at] : 256u - to[at];
    return all;
}

/* The best of the candidates. */
SIMD_CLONES_512 static unsigned try_filters(const struct png_filterer *filterer, unsigned candidates)
{
    uint64_t least = UINT64_MAX, sum[PNG_FILTER_COUNT];
    unsigned best = 0;
    sum[0] = candidates & 1 ? filter_row(filterer, 0, NULL) : UINT64_MAX;
    sum[1] = candidates & 2 ? filter_row(filterer, 1, filterer->tried[1]) : UINT64_MAX;
    sum[2] = candidates & 4 ? filter_row(filterer, 2, filterer->tried[2]) : UINT64_MAX;
    sum[3] = candidates & 8 ? filter_row(filterer, 3, filterer->tried[3]) : UINT64_MAX;
    sum[4] = candidates & 16 ? filter_row(filterer, 4, filterer->tried[4]) : UINT64_MAX;
    for (unsigned i = 0; i < PNG_FILTER_COUNT; i++) {
        if (sum[i] < least) {
            least = sum[i];
            best = i;
        }
    }
    return best;
}

void png_filterer_apply(struct png_filterer *filterer, unsigned candidates, uint8_t *to)
{
    unsigned best = candidates == 1 ? 0 : try_filters(filterer, candidates);
    to[0] = (uint8_t)best;
    memcpy(to + 1, best ? filterer->tried[best] : filterer->row, filterer->row_bytes);
    uint8_t *row = filterer->row;
    filterer->row = filterer->above;
    filterer->above = row;
}
