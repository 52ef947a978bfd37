/* SPDX-License-Identifier: MIT */
/* Results that are real numbers, whatever the samples they are made of. */
#ifndef STAGES_NUMERIC_VALUES_H
#define STAGES_NUMERIC_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "stages/shape.h"

/* Rounds to SAMPLE_F32, or copies as SAMPLE_F64. */
void values_store(uint8_t sample, const double *src, void *dst, size_t count);

/* The type of results that are real numbers: f32 where it holds all values of `sample` (bool, integers of 8
 * and 16 bits, f16, f32), else f64. */
enum sample values_real(uint8_t sample);

#endif
