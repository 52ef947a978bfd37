/* SPDX-License-Identifier: MIT */
/* Filters of PNG rows (section 9 of the specification), without libpng. */
#ifndef STAGES_CODEC_PNG_ROWS_H
#define STAGES_CODEC_PNG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/scratch.h"

/* Behind each row that is read from there may be this many bytes more, which are not looked at but loaded. */
#define PNG_ROW_SLACK 8u

/* Undoes filter 0 to 4 of a row. `to` may be `from`; `above` is the row above, undone, or zeros. Any of
 * `pixel_bytes` 1, 2, 3, 4, 6 and 8, of which row_bytes is a multiple. False: no such filter. PNG_ROW_SLACK
 * bytes behind `from` and `above` must be readable. */
bool png_unfilter(unsigned filter, uint8_t *to, const uint8_t *from, const uint8_t *above, size_t row_bytes,
                  size_t pixel_bytes);

/* The same for two rows at once, whose filters are read from the byte before each; the second row may be
 * `from` too. False, and nothing done, where that is not faster. */
bool png_unfilter_two(uint8_t *const to[2], const uint8_t *const from[2], const uint8_t *above,
                      size_t row_bytes, size_t pixel_bytes);

#define PNG_FILTER_COUNT 5

/* Filters row after row, each by whichever of the candidates has the least sum of absolute differences, read
 * as signed bytes (section 12.7 of the specification); of equals, the first. */
struct png_filterer {
    size_t row_bytes, padded_bytes, pixel_bytes;
    uint8_t *row, *above;
    uint8_t *tried[PNG_FILTER_COUNT];
};

/* Scratch that a filterer takes for rows of `row_bytes`. */
size_t png_filterer_scratch(size_t row_bytes);

/* False where scratch does not suffice. */
bool png_filterer_begin(struct png_filterer *filterer, size_t row_bytes, size_t pixel_bytes,
                        struct scratch *scratch);

/* Filters what was put into filterer->row, row_bytes of it, to `to`: the number of the filter, and the row.
 * Bit f of `candidates`: filter f may be used; at least one. Row and above change places: the row is above
 * the next one. */
void png_filterer_apply(struct png_filterer *filterer, unsigned candidates, uint8_t *to);

/* The next row is a first one. */
void png_filterer_restart(struct png_filterer *filterer);

#endif
