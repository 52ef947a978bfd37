/* SPDX-License-Identifier: MIT */
/* The structural similarity of two images (Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality
 * assessment: from error visibility to structural similarity"), with the window of that paper: a Gaussian of
 * sigma 1.5, cut off at 5 pixels; K1 = 0.01, K2 = 0.03. The mean is over all places where the window lies
 * within the image, then over the channels, alpha among them. It is what scikit-image's structural_similarity
 * gives with gaussian_weights=True, sigma=1.5, use_sample_covariance=False and the data_range of the sample
 * type. */
#ifndef STAGES_IMAGE_SSIM_H
#define STAGES_IMAGE_SSIM_H

#include <stdint.h>

#include "stages/scratch.h"
#include "stages/shape.h"

/* The scratch that ssim_of takes. */
size_t ssim_need(const struct shape *shape);

/* *mean of two images of the same shape; NaN where the window does not fit in, which takes 11 x 11 px. 0, or
 * ERROR_INTERNAL when scratch is smaller than planned. */
int ssim_of(const struct shape *shape, const uint8_t *one, const uint8_t *other, struct scratch *scratch,
            double *mean);

#endif
