/* SPDX-License-Identifier: MIT */
/* Luma: a weighted sum of the encoded red, green and blue, without linearising them first. */
#ifndef STAGES_IMAGE_LUMA_H
#define STAGES_IMAGE_LUMA_H

#include "stages/shape.h"

/* The choices of a parameter `weights`, in this order. */
#define LUMA_WEIGHTS "rec709|rec601"
enum luma_weights { LUMA_REC709, LUMA_REC601 };

/* One row of `width` pixels of shape `in` to grey samples of the same type, each `stride` samples after the
 * one before. Grey input is copied; alpha is left out. */
void luma_row(const struct shape *in, enum luma_weights weights, const uint8_t *src, uint8_t *dst,
              size_t stride);

#endif
