/* SPDX-License-Identifier: MIT */
/* The sums of the Gaussian of 8-bit pixels with alpha, in whole numbers: samples of 16 bits as premul.h makes
 * them, weights that are 32768ths and add up to 32768, sums of 32 bits, which hold all of them without
 * rounding. Counts are multiples of BLUR_SUMS_UNIT, and taps are laid out as those of blur_fixed.h. */
#ifndef STAGES_IMAGE_BLUR_SUMS_H
#define STAGES_IMAGE_BLUR_SUMS_H

#include <stddef.h>
#include <stdint.h>

#define BLUR_SUMS_TOTAL 32768
#define BLUR_SUMS_UNIT  32u

/* weights[k] from a Gaussian given as the parts of 1 at each distance, k from 0 to `radius`, which is not 0.
 */
void blur_sums_weights(const float *parts, size_t radius, int16_t *weights);

/* Each sum is rounded to a sample. */
void blur_sums_across(int16_t *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                      size_t count);

/* Sums of taps[...][start + i], with the offset of the samples taken off: what premul_store takes. */
void blur_sums_down(float *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                    size_t start, size_t count);

/* The plain C that both are beside kernels for AVX2; for tests. */
void blur_sums_across_plain(int16_t *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                            size_t count);
void blur_sums_down_plain(float *dst, const int16_t *const *taps, const int16_t *weights, size_t radius,
                          size_t start, size_t count);

#endif
