/* SPDX-License-Identifier: MIT */
/* Medians and how far the values lie around them. Pure. */
#ifndef PIPELINE_BENCH_STATS_H
#define PIPELINE_BENCH_STATS_H

#include <stdbool.h>

/* low and high are the quartiles, by linear interpolation between the sorted values (as R's type 7). */
struct bench_stats {
    double median, min, max, low, high;
    unsigned count;
};

/* All zero for no values. */
struct bench_stats bench_stats_of(const double *values, unsigned count);

/* The index of the value that is nearest the median; of equals the first. */
unsigned bench_stats_median_at(const double *values, unsigned count);

/* (max - min) / median. */
double bench_stats_spread(const struct bench_stats *stats);

/* Are the two not to be told apart? So where the ranges between their quartiles overlap, and where the
 * medians are within 1 %. */
bool bench_stats_alike(const struct bench_stats *a, const struct bench_stats *b);

#endif
