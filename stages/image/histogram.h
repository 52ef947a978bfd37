/* SPDX-License-Identifier: MIT */
/* How often each value occurs, for stages that adapt to the image. */
#ifndef STAGES_IMAGE_HISTOGRAM_H
#define STAGES_IMAGE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "stages/stage.h"

/* Every value of a 16-bit sample. */
#define HISTOGRAM_BINS_U16 65536u

/* Bins for one count per value of an integer type: 256 or 65536. Floats are taken in two steps of 65536. */
size_t histogram_bins(uint8_t sample);

/* Adds `count` samples, each `step` samples after the one before, to `counts`. */
void histogram_add_u8(const uint8_t *samples, size_t count, size_t step, uint64_t *counts);
void histogram_add_u16(const uint16_t *samples, size_t count, size_t step, uint64_t *counts);

/* The percentiles at `parts` (two, from 0 to 1) of all colour samples of the input together, whatever their
 * alpha, in units of the sample type: numpy.percentile's linear interpolation between the two samples that
 * lie around the place. Floats that are NaN or infinite do not count; without any other both are 0. `counts`
 * has histogram_bins entries and is overwritten. */
void histogram_percentiles(const struct stage_run *run, const double parts[2], uint64_t *counts,
                           double values[2]);

#endif
