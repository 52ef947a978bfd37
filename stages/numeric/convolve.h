/* SPDX-License-Identifier: MIT */
/* What the two halves of the stage convolve share: convolve.c is the stage, and its work on arrays,
 * convolve_image.c the work on images. */
#ifndef STAGES_NUMERIC_CONVOLVE_H
#define STAGES_NUMERIC_CONVOLVE_H

#include "stages/stage.h"

/* Most weights of a mask. */
#define CONVOLVE_MOST 4096u

enum { CONVOLVE_SAME, CONVOLVE_VALID, CONVOLVE_FULL };

struct convolve_params {
    struct param_list mask;
    double scale, offset;
    int mode;
    int64_t axis;
};

/* A mask as its texts say it; in scratch. */
struct convolve_mask {
    size_t width, height;
    bool whole; /* the work on images is done in whole numbers; see convolve_whole.h */
    double scale, offset;
    double sum;       /* of the weights; 0 also where only their rounding is left */
    double weights[]; /* row by row */
};

/* From how many weights, in how many rows; ERROR_USAGE. */
int convolve_size(const struct convolve_params *params, size_t *width, size_t *height, struct error *error);

/* The rest of the contract, for images; run->state is the mask. */
void convolve_image_plan(size_t width, size_t height, const struct shape *in, struct stage_plan *plan);
void convolve_image_source_rows(size_t height, const struct shape *in, uint32_t *first, uint32_t *last);
int convolve_image_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error);

#endif
