/* SPDX-License-Identifier: MIT */
/* The arithmetic of the Gaussian on rows of 8-bit samples in fixed point: samples are 128ths of a level, so
 * that two of them fit 16 bits without a sign; weights are 65536ths, and add up to 65536. Taps are laid out
 * as those of floats: the centre's, then two for each distance.
 *
 * A sum of radius + 1 products, each cut off to a 128th, is less than (radius + 2) / 2 of them away from that
 * of the weights, which is in the middle; and the weights, of which each side may be off by half of a 65536th
 * and the centre by all of that, move it by less than 255 x radius / 65536 of a level. Both directions
 * together: less than (radius + 1) / 64 of a level, and half a level at the greatest radius. */
#ifndef STAGES_IMAGE_BLUR_FIXED_H
#define STAGES_IMAGE_BLUR_FIXED_H

#include "stages/shape.h"

#define BLUR_FIXED_MIN_RADIUS_PX 1u
#define BLUR_FIXED_MAX_RADIUS_PX 31u
#define BLUR_FIXED_LEVEL         128u

/* weights[k] from a Gaussian given as the parts of 1 at each distance, k from 0 to `radius`. */
void blur_fixed_weights(const float *parts, size_t radius, uint16_t *weights);

/* A row with the first and last pixel repeated `margin_px` times beyond the edges. */
void blur_fixed_load(const struct shape *shape, const uint8_t *src, uint16_t *dst, size_t margin_px);

/* sum[i] = weights[0] x taps[0][i] + weights[k] x (taps[2k - 1][i] + taps[2k][i]) for each k to `radius`. */
void blur_fixed_weigh(uint16_t *sum, const uint16_t *const *taps, const uint16_t *weights, size_t radius,
                      size_t count);

/* To the nearest level. */
void blur_fixed_store(const uint16_t *src, uint8_t *dst, size_t count);

#endif
