/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_CONFIG_PLAN_H
#define PIPELINE_CONFIG_PLAN_H

#include "pipeline/config/job.h"

/* Can any item pass the chain and be saved? Plans it for images and arrays of several sizes and types. 0
 * where one passes, or where all fail for their sizes only, as that depends on the input; else the error of
 * the most usual one and in *stage the index of the stage at fault (stage_count: saving). */
int config_plan(const struct job *job, unsigned *stage, struct error *error);

#endif
