/* SPDX-License-Identifier: MIT */
/* The Gaussian blur that gaussblur and sharpen share: separable, a direct kernel, edges extended.
 *
 * A caller of `rows` opens a walk with the first row it wants and asks for the rows downwards. Each source
 * row is blurred horizontally once and kept in a ring until the vertical pass has gone past it, so that
 * scratch is 2 x radius + 3 rows of floats at most, and half of that at 8 bit. Time per sample grows with the
 * radius.
 *
 * Sums are made in floats, and those of 8 bit in whole numbers, unless the radius is greater than those go:
 * which adds less than (radius + 1) / 64 of a level to what is cut off, an eighth of a level at a sigma of 2
 * (blur_fixed.h; blur_alpha.h says what it adds to colours under alpha). */
#ifndef STAGES_IMAGE_BLUR_H
#define STAGES_IMAGE_BLUR_H

#include "stages/image/blur_alpha.h"
#include "stages/image/blur_fixed.h"
#include "stages/stage.h"

#define BLUR_MIN_SIGMA_PX 0.1
#define BLUR_MAX_SIGMA_PX 100

/* What `begin` makes; read only afterwards. */
struct blur_kernel {
    size_t radius_px;
    bool fixed;                                           /* rows are in fixed point */
    bool alpha;                                           /* they are 8 bits with alpha: blur_alpha.h */
    uint16_t fixed_weights[BLUR_FIXED_MAX_RADIUS_PX + 1]; /* radius_px + 1 of them, where they are */
    int16_t alpha_weights[BLUR_SUMS_WEIGHTS(BLUR_FIXED_MAX_RADIUS_PX)];
    float weights[]; /* radius_px + 1: the centre's, then those of each distance */
};

/* One walk down the rows. */
struct blur_walk {
    const struct stage_run *run;
    const struct blur_kernel *kernel;
    uint32_t ring_rows;
    uint32_t first, last; /* output rows */
    uint32_t loaded;      /* source rows below this number are or were in the ring */
    size_t row_samples, row_bytes;
    uint8_t *ring, *padded, *result; /* rows of floats, or in fixed point */
    const void **taps;
    struct blur_alpha alpha; /* in place of these, where there is alpha at 8 bit */
};

/* The smallest radius for which what the kernel cuts off, in both directions together, changes no sample by
 * half a level of its type (for floats: of 16 bit). About 3.3 sigma at 8 bit and 4.6 sigma at 16 bit. */
size_t blur_radius_px(double sigma_px, uint8_t sample);

/* Fills the plan's two scratch figures. */
void blur_plan(double sigma_px, const struct shape *in, struct stage_plan *plan);

/* Widens [*first, *last) by the radius, within the image. */
void blur_source_rows(double sigma_px, const struct shape *in, uint32_t *first, uint32_t *last);

/* Makes the kernel: sets run->state. ERROR_INTERNAL when scratch is smaller than planned. */
int blur_begin(double sigma_px, struct stage_run *run, struct scratch *scratch, struct error *error);

/* Starts a walk through output rows [first, last). Same error. */
int blur_open(struct blur_walk *walk, const struct stage_run *run, uint32_t first, uint32_t last,
              struct scratch *scratch, struct error *error);

/* Row `y` blurred: width x channels floats in the units of the sample type, colours not premultiplied; or,
 * where the kernel is `fixed`, as many uint16_t in units of 1 / BLUR_FIXED_LEVEL. Valid until the next call;
 * `y` must be `first` and then one more each time. */
void *blur_row(struct blur_walk *walk, uint32_t y);

/* The same, as samples of the image's type. */
void blur_store(struct blur_walk *walk, uint32_t y, uint8_t *dst);

#endif
