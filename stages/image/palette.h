/* SPDX-License-Identifier: MIT */
/* Colour tables: made for an image, and searched. */
#ifndef STAGES_IMAGE_PALETTE_H
#define STAGES_IMAGE_PALETTE_H

#include "stages/stage.h"

#define PALETTE_MOST 256u

/* Values are in units of the sample type, whole for integers; grey images have zeros beyond the first. */
struct palette {
    unsigned count; /* at least 1 */
    float colours[3][PALETTE_MOST];
};

/* A sample as tables hold it: 0 to full scale. NaN becomes 0. */
float palette_level(float value, float full);

/* For a stage's plan: the scratch that palette_make takes. */
size_t palette_bytes(const struct shape *in);

/* Makes at most `most` colours (2 to PALETTE_MOST) for the input: those it has where they are few enough,
 * else by median cut. Pixels without any opacity do not count. ERROR_INTERNAL when scratch is smaller than
 * planned. */
int palette_make(const struct stage_run *run, unsigned most, struct palette *palette, struct scratch *scratch,
                 struct error *error);

/* The entry nearest to a colour by Euclid's distance, the first of equals. */
unsigned palette_nearest(const struct palette *palette, const float colour[3]);

#endif
