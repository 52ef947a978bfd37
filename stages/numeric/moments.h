/* SPDX-License-Identifier: MIT */
/* Count, extremes, sum, mean and standard deviation of a line, in one walk: each block in two passes while it
 * lies in the first-level cache, blocks put together pairwise (Chan, Golub and LeVeque, "Algorithms for
 * computing the sample variance", 1983). The order of summation depends on the number of samples alone. */
#ifndef STAGES_NUMERIC_MOMENTS_H
#define STAGES_NUMERIC_MOMENTS_H

#include "stages/numeric/line.h"

/* A sum of integers needs more than 64 bits. */
__extension__ typedef __int128 moments_wide;

struct moments {
    uint64_t count;   /* samples that count */
    uint64_t dropped; /* and that do not; see enum line_drop */
    /* Of those that count; NaN where there are none. std is that of a population: divided by count. */
    double min, max, sum, mean, std;
    /* The same without rounding, of integers. */
    moments_wide whole_min, whole_max, whole_sum;
};

/* `room` is overwritten. */
struct moments moments_of(const struct line *line, enum line_drop drop, struct line_room *room);

#endif
