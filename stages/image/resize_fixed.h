/* SPDX-License-Identifier: MIT */
/* The resize stage's way with 8-bit samples, unless it works in linear light: resample_fixed.h's arithmetic,
 * a strip of columns at a time, so that neither pairs nor sums leave the first-level cache. */
#ifndef STAGES_IMAGE_RESIZE_FIXED_H
#define STAGES_IMAGE_RESIZE_FIXED_H

#include "stages/image/resample_fixed.h"
#include "stages/image/resize.h"
#include "stages/stage.h"

struct resize_fixed {
    struct resample_pairs across, down;
    const struct resample_table *rows; /* which source rows an output row is made of */
    const struct resample_fixed_ops *ops;
    uint32_t first, last; /* source columns, the first one even */
    uint32_t block_rows;
    size_t lane_columns; /* of each RESAMPLE_LANES rows, with padding */
    unsigned channels;
};

/* Is it exact enough? Not where hundreds of samples add up, whose weights are few 32768ths each. */
bool resize_fixed_serves(const struct resize_geometry *geometry);

/* The scratch that `make` takes, and a call of `rows`. */
size_t resize_fixed_need(const struct resize_geometry *geometry);
size_t resize_fixed_rows_need(const struct resize_geometry *geometry, unsigned channels);

/* Prepares it from the tables of both directions, of which `down` must live on. False when scratch is too
 * small. */
bool resize_fixed_make(struct resize_fixed *fixed, const struct resize_geometry *geometry, unsigned channels,
                       const struct resample_table *across, const struct resample_table *down,
                       struct scratch *scratch);

/* Output rows [first, last). False when scratch is too small. */
bool resize_fixed_rows(const struct resize_fixed *fixed, const struct stage_run *run, uint32_t first,
                       uint32_t last, struct scratch *scratch);

#endif
