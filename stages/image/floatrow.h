/* SPDX-License-Identifier: MIT */
/* Rows of samples as floats, for stages that mix neighbouring pixels. Values stay in the units of the sample
 * type (full scale 255, 65535 or 1.0). Colours are premultiplied by alpha, so that the hidden colours of
 * transparent pixels mix into nothing. */
#ifndef STAGES_IMAGE_FLOATROW_H
#define STAGES_IMAGE_FLOATROW_H

#include "stages/shape.h"

/* 255, 65535 or 1. */
float floatrow_full(uint8_t sample);

/* Converts `count` samples as they are. */
void floatrow_convert(uint8_t sample, const uint8_t *src, float *dst, size_t count);

/* Converts row `src` to `dst`, premultiplied, with the first and last pixel repeated `margin_px` times beyond
 * the edges: `dst` holds (width + 2 x margin_px) x channels floats. */
void floatrow_load(const struct shape *shape, const uint8_t *src, float *dst, size_t margin_px);

/* Divides the colours of width x channels floats by their alpha; where alpha is 0, or will be when it is
 * stored, they become 0. Nothing to do for images without alpha. */
void floatrow_straighten(const struct shape *shape, float *row);

/* Rounds to nearest and saturates; NaN becomes 0. Floats are copied. */
void floatrow_store(const struct shape *shape, const float *src, uint8_t *dst);

#endif
