/* SPDX-License-Identifier: MIT */
/* How stages that change the tones of an image treat colours: each channel on its own, or luma (rec709), by
 * whose change all colour channels of the pixel then move. That is a change of Y with Cb and Cr kept, without
 * the conversion there and back. Grey images come out the same either way. */
#ifndef STAGES_IMAGE_TONE_H
#define STAGES_IMAGE_TONE_H

#include "stages/shape.h"

/* The choices of a parameter `channels`, in this order. */
#define TONE_CHANNELS "each|luma"
enum tone_channels { TONE_EACH, TONE_LUMA };

/* Does the stage work on luma, rather than on samples as they lie? */
bool tone_by_luma(const struct shape *shape, int channels);

/* dst = src + shift for the colours of `width` pixels, in units of the sample type; integers saturate, alpha
 * is copied. `shift` has one value per pixel and holds whole numbers for integers. Only for 3 and 4 channels.
 */
void tone_shift_row(const struct shape *shape, const uint8_t *src, const float *shift, uint8_t *dst);

#endif
