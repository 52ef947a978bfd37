/* SPDX-License-Identifier: MIT */
/* Resampling of 8-bit samples in fixed point, downwards and then sideways, for the resize stage.
 *
 * Two samples that follow each other in the direction of a sum lie side by side in 32 bits, and so do their
 * weights: the multiplication that vector units have for this (PMADDWD, SMLAL) adds two products at once.
 * Downwards the pairs are of rows, and a sum runs along them. Sideways the rows that come out are the lanes:
 * RESAMPLE_LANES of them are turned so that a column's samples follow each other, and again a sum runs along.
 *
 * Weights are 32768ths, or 16384ths where one of them is 1, and add up to exactly that. Between the passes a
 * level is 128 steps, around the middle of the range, so that a kernel may overshoot by half of the range.
 * Colour is premultiplied by alpha exactly, as (colour x alpha) in 16 bits, and cut to half of that between
 * the passes. What rounding weights and samples costs is less than a tenth of a level in practice; under
 * alpha A colour may be off by 255 / A times as much and, as it is cut, by 1 / A of a level, which it is
 * weighed down by again in any picture. */
#ifndef STAGES_IMAGE_RESAMPLE_FIXED_H
#define STAGES_IMAGE_RESAMPLE_FIXED_H

#include "stages/image/resample.h"

/* Output rows that are reduced sideways at once. */
#define RESAMPLE_LANES 8u

/* Samples that the functions below may read and write beyond the end of a row of sums or pairs, and columns
 * of lanes that `turn` may write. */
#define RESAMPLE_FIXED_PAD 16u

/* A table of pairs: output sample i is made of the pairs [first[i], first[i] + count[i]), pair p being the
 * source samples 2p and 2p + 1. */
struct resample_pairs {
    uint32_t *first, *count;
    int32_t *weights; /* `stride` for each output sample; the even sample's in the low half */
    uint32_t stride;
    unsigned bits; /* weights add up to 1 << bits */
};

/* The scratch that it takes. */
size_t resample_pairs_need(const struct resample_axis *axis, enum resample_kernel kernel);

/* Makes it of a table. False when scratch is too small. */
bool resample_pairs_make(struct resample_pairs *pairs, const struct resample_table *table, uint32_t outputs,
                         struct scratch *scratch);

/* What a sum downwards begins with, and how far it is shifted to become a sample between the passes. */
int32_t resample_down_start(const struct resample_pairs *down, unsigned channels);
unsigned resample_down_shift(const struct resample_pairs *down, unsigned channels);

/* The level that a sum of 0 stands for between the passes and sideways, and how far a sum sideways is shifted
 * to become one. */
#define RESAMPLE_MIDDLE 128
unsigned resample_across_shift(const struct resample_pairs *across);

/* The arithmetic. All functions of one set give the same bytes as those of another. */
struct resample_fixed_ops {
    /* Two source rows, or pieces of them, to pairs; with 2 and 4 channels colour times alpha. */
    void (*load)(unsigned channels, const uint8_t *even, const uint8_t *odd, int16_t *pairs, size_t samples);
    /* sum[i] = start, or as it is where start is NULL, + the products of pair_count pairs, at least one,
     * which lie `step` numbers of 16 bits apart. */
    void (*add)(int32_t *sum, const int32_t *start, const int16_t *pairs, size_t step, const int32_t *weights,
                size_t pair_count, size_t samples);
    /* The sums of RESAMPLE_LANES rows to samples between the passes: lanes[(p x channels + c) x
     * RESAMPLE_LANES + row] is a pair of pixels' channel c. */
    void (*turn)(const int32_t *const *rows, unsigned channels, unsigned shift, int32_t *lanes,
                 size_t samples);
    /* Output pixels [first, last) of all lanes; the pair at `lanes` is number `origin`. */
    void (*dot)(const struct resample_pairs *across, uint32_t first, uint32_t last, uint32_t origin,
                unsigned channels, const int32_t *lanes, int32_t *sums);
    /* dst[row][i] = lane `row` of (sums[i] >> shift) + bias, saturated. */
    void (*pack)(const int32_t *sums, unsigned shift, int32_t bias, uint8_t *const *dst, unsigned rows,
                 size_t samples);
};

/* Turns the sums of pixels with alpha to levels of straight colour and alpha. */
void resample_straighten(const struct resample_pairs *across, unsigned channels, int32_t *sums,
                         size_t pixels);

/* For any machine, and the fastest for this one. */
const struct resample_fixed_ops *resample_fixed_plain(void);
const struct resample_fixed_ops *resample_fixed_best(void);

#endif
