/* SPDX-License-Identifier: MIT */
/* A tiny grey picture of an image, for hashes of what it looks like: the bytes that Pillow's
 * convert("L").resize((width, height), LANCZOS) gives, since the hashes of others are made of those. Luma of
 * BT.601; alpha is left out; deeper samples are rounded to 8 bits first, those of floats clamped to 0 to 1.
 */
#ifndef STAGES_IMAGE_THUMBNAIL_H
#define STAGES_IMAGE_THUMBNAIL_H

#include <stdint.h>

#include "stages/scratch.h"
#include "stages/shape.h"

/* The scratch that thumbnail_make takes; SIZE_MAX where it does not fit. */
size_t thumbnail_need(const struct shape *in, uint32_t width, uint32_t height);

/* Writes width x height bytes, the top row first. 0, or ERROR_INTERNAL when scratch is smaller than planned.
 */
int thumbnail_make(const struct shape *in, const uint8_t *src, uint32_t width, uint32_t height, uint8_t *grey,
                   struct scratch *scratch);

#endif
