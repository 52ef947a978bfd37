/* SPDX-License-Identifier: MIT */
/* What the resize stage is asked for, and what that means for an image of a given shape. */
#ifndef STAGES_IMAGE_RESIZE_H
#define STAGES_IMAGE_RESIZE_H

#include "stages/error.h"
#include "stages/image/resample.h"

enum { RESIZE_FIT_INSIDE, RESIZE_FIT_COVER, RESIZE_FIT_FILL };

struct resize_params {
    int64_t width, height; /* px; 0 where not given */
    double scale;          /* 0 where not given */
    int fit, kernel;
    bool linear, upscale;
};

struct resize_geometry {
    struct resample_axis x, y;
    enum resample_kernel kernel; /* nearest where pixels are only moved */
    bool same;                   /* the result is the input */
};

/* The geometry for an image of shape `shape`, which may have been decoded to a part of its size: sizes go by
 * what it measured before. ERROR_LIMIT where a side would not fit in 32 bits. */
int resize_geometry(const struct resize_params *params, const struct shape *shape,
                    struct resize_geometry *geometry, struct error *error);

/* The source columns [*first, *last) that the result is made of. */
void resize_columns(const struct resize_geometry *geometry, uint32_t *first, uint32_t *last);

/* How often the sides may be halved so that they are still at least twice what comes out, before the cut of
 * `cover`; see stage.shrink. Over 40 dB of PSNR against the whole image are left on photographs. */
unsigned resize_shrink(const void *params, const struct shape *in);

#endif
