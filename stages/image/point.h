/* SPDX-License-Identifier: MIT */
/* Stages that turn each colour sample into another by one function of its value, and leave alpha alone. The
 * function is tabulated per image where that pays, so its cost hardly matters. */
#ifndef STAGES_IMAGE_POINT_H
#define STAGES_IMAGE_POINT_H

#include "stages/stage.h"

/* A sample as a fraction of full scale to another. Integers are rounded and saturated afterwards, floats are
 * kept as they come. */
typedef double point_map(const void *params, double value);

/* For a stage's plan: scratch for the table, works in place. */
void point_plan(const struct shape *in, struct stage_plan *plan);

/* For a stage's begin: run->state becomes the table, or NULL where there is none. ERROR_INTERNAL when scratch
 * is smaller than planned. */
int point_begin(struct stage_run *run, point_map *map, struct scratch *scratch, struct error *error);

/* For a stage's rows. */
void point_rows(const struct stage_run *run, point_map *map, uint32_t first, uint32_t last);

#endif
