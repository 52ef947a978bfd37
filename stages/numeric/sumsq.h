/* SPDX-License-Identifier: MIT */
/* The sum of the squares of samples; for the stage of this name, which lives in synthetic/. */
#ifndef STAGES_NUMERIC_SUMSQ_H
#define STAGES_NUMERIC_SUMSQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sumsq {
    bool exact;      /* `integer` is the sum; otherwise `real` is the nearest double */
    int64_t integer; /* only where `exact` */
    double real;
};

/* Integers: without error, so `exact` wherever the sum is below 2^63. Floats: in double; relative to the sum
 * the error is below 1e-14, whatever the count. */
struct sumsq sumsq_samples(uint8_t sample, const void *samples, size_t count);

#endif
