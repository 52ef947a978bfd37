/* SPDX-License-Identifier: MIT */
/* Moving whole pixels of 1 to 16 bytes without looking into them. */
#ifndef STAGES_IMAGE_PIXELS_H
#define STAGES_IMAGE_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/* Writes `count` pixels of `src` to `dst` in reverse order; dst == src is allowed, other overlap is not. */
void pixels_reverse(const uint8_t *src, uint8_t *dst, size_t count, size_t pixel_bytes);

/* dst[i] = src[index[i]] for `count` pixels; the two do not overlap. */
void pixels_pick(const uint8_t *src, const uint32_t *index, uint8_t *dst, size_t count, size_t pixel_bytes);

/* For each of `columns` x `lines`: dst[column * dst_step + line] = src[line * src_step + column], positions
 * and steps counted in pixels. A negative src_step walks lines upwards. The two do not overlap. */
void pixels_transpose(const uint8_t *src, ptrdiff_t src_step, uint8_t *dst, ptrdiff_t dst_step,
                      size_t columns, size_t lines, size_t pixel_bytes);

#endif
