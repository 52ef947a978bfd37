/* SPDX-License-Identifier: MIT */
/* a x + b for the samples of arrays; for the stage linear, which does images itself. */
#ifndef STAGES_NUMERIC_AFFINE_H
#define STAGES_NUMERIC_AFFINE_H

#include "stages/stage.h"

/* Works in place. ERROR_USAGE where the float type of the array does not hold a or b. */
int affine_plan(double a, double b, const struct shape *in, struct stage_plan *plan, struct error *error);

/* Floats: a and b are rounded to the type, then the product, then the sum, as numpy does. Integers: computed
 * in double, rounded to nearest with ties to even, saturated; those of 64 bit are computed exactly where a
 * and b are whole numbers below 2^63, and rounded to 53 bits otherwise. */
int affine_rows(const struct stage_run *run, double a, double b, uint32_t first, uint32_t last,
                struct scratch *scratch, struct error *error);

#endif
