/* SPDX-License-Identifier: MIT */
/* The sums of the Gaussian of 8-bit pixels with alpha, in whole numbers: samples of 16 bits as premul.h makes
 * them, weights that are 32768ths and add up to 32768, sums of 32 bits, which hold all of them without
 * rounding. Counts are multiples of BLUR_SUMS_UNIT. Radii are those of blur_fixed.h. */
#ifndef STAGES_IMAGE_BLUR_SUMS_H
#define STAGES_IMAGE_BLUR_SUMS_H

#include <stddef.h>
#include <stdint.h>

#define BLUR_SUMS_TOTAL    32768
#define BLUR_SUMS_UNIT     32u
#define BLUR_SUMS_MAX_STEP 4u
#define BLUR_SUMS_BEHIND   32u

/* So many weights are laid out for the kernels: 0, those of the distances -radius to radius, 0. */
#define BLUR_SUMS_WEIGHTS(radius) (2u * (radius) + 3u)

/* From a Gaussian given as the parts of 1 at each distance from 0 to `radius`, which is not 0. */
void blur_sums_weights(const float *parts, size_t radius, int16_t *weights);

/* Along a row: dst[i] from row[i - radius * step] to row[i + radius * step], rounded to a sample.
 * BLUR_SUMS_BEHIND samples behind the last that is weighed are read, too; the first `step` must be samples.
 */
void blur_sums_across(int16_t *dst, const int16_t *row, size_t step, const int16_t *weights, size_t radius,
                      size_t count);

/* Down the 2 x radius + 2 rows that are `taps`, of two rows at once, as they share all but one: dst[i] from
 * taps[0 to 2 x radius][start + i], next[i] from taps[1 to 2 x radius + 1][start + i]. These are sums, with
 * the offset of the samples taken off: what premul_store takes. */
void blur_sums_down(float *dst, float *next, const int16_t *const *taps, const int16_t *weights,
                    size_t radius, size_t start, size_t count);

/* The plain C that both are beside kernels for AVX2; for tests. */
void blur_sums_across_plain(int16_t *dst, const int16_t *row, size_t step, const int16_t *weights,
                            size_t radius, size_t count);
void blur_sums_down_plain(float *dst, float *next, const int16_t *const *taps, const int16_t *weights,
                          size_t radius, size_t start, size_t count);

#endif
