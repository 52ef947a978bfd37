/* SPDX-License-Identifier: MIT */
/* Grey erosion and dilation: the least or greatest sample under a shape around each place, each channel on
 * its own, alpha included. What lies beyond an edge is the pixel at the edge, which for these shapes is the
 * same as nothing at all.
 *
 * Time per sample grows with the logarithm of the size for squares and crosses (only their horizontal part,
 * by one vector operation each), and with the size for discs. Scratch does not depend on the image's size. */
#ifndef STAGES_IMAGE_MORPH_H
#define STAGES_IMAGE_MORPH_H

#include "stages/stage.h"

/* What erode and dilate take. */
struct morph_params {
    int64_t size; /* px, odd */
    int shape;
};

extern const struct param morph_table[];

/* Refuses an even size. ERROR_USAGE. */
int morph_check(const void *params, struct error *error);

/* For a stage's plan and source_rows. */
int morph_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error);
void morph_source_rows(const void *params, const struct shape *in, const struct shape *out, uint32_t *first,
                       uint32_t *last);

/* For a stage's rows: the greatest sample, or the least. ERROR_INTERNAL when scratch is smaller than planned.
 */
int morph_rows(const struct stage_run *run, bool greatest, uint32_t first, uint32_t last,
               struct scratch *scratch, struct error *error);

#endif
