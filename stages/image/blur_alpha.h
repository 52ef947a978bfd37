/* SPDX-License-Identifier: MIT */
/* The Gaussian down the rows of an image of 8 bits with alpha: rows are premultiplied without loss
 * (premul.h), blurred across and kept rounded to 16 bits, and summed downwards without rounding
 * (blur_sums.h).
 *
 * Rounded once, and with weights that on each side may be off by half of a 32768th and at the centre by all
 * of that, what is premultiplied is less than error = radius / 64 + 1 / 510 of a level away from the
 * Gaussian's sum. So is alpha, before it is rounded; a colour is less than 510 x error / alpha of its levels
 * away, which over any background is 2 x error. Colours that are one under several alphas err by the rounding
 * alone, 1 / alpha: they stay as they are from an alpha of 3 on, and black and white always. One colour under
 * one alpha stays.
 *
 * Drawings and icons are transparent, or of one colour, over most of their area. Where all that a block of
 * pixels is made of is one colour, it stays that colour, and nothing is computed: which is what the sums come
 * to, too, so that it does not matter where a walk begins. */
#ifndef STAGES_IMAGE_BLUR_ALPHA_H
#define STAGES_IMAGE_BLUR_ALPHA_H

#include <stdbool.h>

#include "stages/image/blur_sums.h"
#include "stages/scratch.h"
#include "stages/shape.h"

struct blur_alpha {
    size_t width, channels, radius, block_px, blocks;
    size_t row_samples; /* of all blocks, of which the last may go beyond the image */
    uint32_t ring_rows;
    uint32_t loaded; /* source rows below this number are or were in the ring */
    uint32_t summed; /* sums are those of this row and the next one */
    const int16_t *weights;
    int16_t *ring, *padded;
    float *sums; /* two rows */
    const int16_t **taps;
    uint32_t *still_since; /* of each block: since which row it has one colour, or MOVING */
    uint32_t *colours;     /* of each block: that colour, as its bytes lie */
};

/* What blur_alpha_open takes. */
size_t blur_alpha_scratch_bytes(const struct shape *in, size_t radius);

/* `weights` are those of blur_sums.h, the caller's; `radius` is not 0. False where scratch is too small. */
bool blur_alpha_open(struct blur_alpha *walk, const struct shape *in, const int16_t *weights, size_t radius,
                     struct scratch *scratch);

/* Takes source row `y`; from any, each time one more. */
void blur_alpha_load(struct blur_alpha *walk, const uint8_t *src, uint32_t y);

/* Sums up rows `y` and y + 1, as far as their source rows are loaded: to y + radius, or to y + 1 + radius for
 * both, or all; and no more. */
void blur_alpha_sum(struct blur_alpha *walk, uint32_t y);

/* Row `y`, one of those summed last, to the nearest level. */
void blur_alpha_store(struct blur_alpha *walk, uint32_t y, uint8_t *dst);

/* The same as floats, in levels, colours not premultiplied. It takes the place of the sums: ask once. */
float *blur_alpha_row(struct blur_alpha *walk, uint32_t y);

#endif
