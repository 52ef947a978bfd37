/* SPDX-License-Identifier: MIT */
/* Parts of rows as unsigned keys of the same order as the samples and of the same size, for stages that
 * compare and never compute. Floats become the keys of orderkey.h, integers are their own. */
#ifndef STAGES_IMAGE_KEYROW_H
#define STAGES_IMAGE_KEYROW_H

#include "stages/stage.h"

/* `pixels` pixels of input row y from column x on; either may lie outside of the image, where the nearest
 * pixel stands in. With `reverse` the order of the keys is turned over: the greatest sample has the least
 * key. */
void keyrow_load(const struct stage_run *run, int64_t x, int64_t y, size_t pixels, bool reverse,
                 uint8_t *keys);

/* Writes `pixels` pixels to output row y from column x on, all of them inside. The keys are used up. */
void keyrow_store(const struct stage_run *run, size_t x, uint32_t y, size_t pixels, bool reverse,
                  uint8_t *keys);

#endif
