/* SPDX-License-Identifier: MIT */
/* How far the samples of two items of one shape are apart. */
#ifndef STAGES_NUMERIC_DIFFERENCE_H
#define STAGES_NUMERIC_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/numeric/wide.h"

struct difference {
    bool equal;  /* each sample is the same as its counterpart, NaN for NaN */
    double mse;  /* mean of the squared errors; 0 where there are no samples */
    double most; /* the largest error */
    double
        range; /* of the finite samples of the reference, largest less smallest; NaN where there are none */
};

/* What difference_of works in. */
struct difference_room {
    union wide_piece one, reference;
    double errors[WIDE_PIECE];
};

/* The error of a sample is the distance to its counterpart, computed in double precision, of integers of 64
 * bits exactly before it is rounded to double; 0 where both are NaN, or the same infinity; NaN where one is
 * NaN. Added up in order, piece by piece. */
struct difference difference_of(uint8_t sample, size_t count, const uint8_t *one, const uint8_t *reference,
                                struct difference_room *room);

#endif
