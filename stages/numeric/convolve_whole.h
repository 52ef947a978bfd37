/* SPDX-License-Identifier: MIT */
/* Masks of whole numbers over samples of 8 bit, in whole numbers. Sums are exact, as they are in floats below
 * 2^24, so that both ways give the same bytes. */
#ifndef STAGES_NUMERIC_CONVOLVE_WHOLE_H
#define STAGES_NUMERIC_CONVOLVE_WHOLE_H

#include "stages/numeric/convolve.h"

/* Samples that are worked on at a time: their sums stay in the first-level cache. */
#define CONVOLVE_WHOLE_CHUNK 2048u

/* Can it be done so? */
bool convolve_is_whole(const struct convolve_mask *mask, const struct shape *in);

/* A row with the first and last pixel repeated `margin_px` times beyond the edges. */
void convolve_whole_load(const struct shape *shape, const uint8_t *src, int16_t *dst, size_t margin_px);

/* dst[i] = the sum of weights[t] x taps[t][i] for each t below `number`, divided by the mask's scale, and the
 * offset in levels added, to the nearest level. `parts` and `sums` have room for `count` or
 * CONVOLVE_WHOLE_CHUNK of them, whichever is less. */
void convolve_whole_row(const int16_t *const *taps, const int16_t *weights, size_t number, float scale,
                        float offset, int16_t *parts, int32_t *sums, uint8_t *dst, size_t count);

#endif
