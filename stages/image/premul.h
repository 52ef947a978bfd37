/* SPDX-License-Identifier: MIT */
/* Pixels of 8 bits with alpha, premultiplied without loss: colour x alpha, and alpha x 255, are 65025ths of
 * full scale, which fit 16 bits. So that products of vectors can take them, which have a sign, PREMUL_OFFSET
 * is taken off. */
#ifndef STAGES_IMAGE_PREMUL_H
#define STAGES_IMAGE_PREMUL_H

#include <stddef.h>
#include <stdint.h>

#define PREMUL_OFFSET 32768
#define PREMUL_FULL   65025.0f

/* `width` pixels of `channels`, 2 or 4 of them, alpha last. */
void premul_load(const uint8_t *src, int16_t *dst, size_t width, unsigned channels);

/* `width` pixels from sums of products of what premul_load makes, offset taken off, of which PREMUL_FULL x
 * `total` are full scale: floats that are whole numbers below 2^31. Colours are divided by alpha and all is
 * rounded to the nearest level. Where alpha becomes 0, so do colours. */
void premul_store(const float *src, float total, uint8_t *dst, size_t width, unsigned channels);

/* The same in place, as floats that are levels; colours are 0 where there is no alpha at all. */
void premul_straighten(float *row, float total, size_t width, unsigned channels);

/* The plain C that the first two are beside vectors; for tests. */
void premul_load_plain(const uint8_t *src, int16_t *dst, size_t width, unsigned channels);
void premul_store_plain(const float *src, float total, uint8_t *dst, size_t width, unsigned channels);

#endif
