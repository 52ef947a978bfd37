/* SPDX-License-Identifier: MIT */
/* How busy the pools were over the time of a run, in a bounded number of points: when they are full, every
 * second one is dropped and the next ones come half as often. Points hold sums since the start, so dropping
 * some loses resolution and nothing else. One thread. */
#ifndef PIPELINE_SERIES_H
#define PIPELINE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/config/job.h"

#define SERIES_MAX_POINTS 600u

/* Sums over the workers of a pool. */
struct series_pool {
    uint64_t busy_ns, starved_ns, blocked_ns;
};

/* Zero it to start. */
struct series {
    uint64_t interval_ns; /* least time between two points; doubles */
    unsigned pool_count, count;
    uint64_t *at_ns;           /* since the start, of each point; owned */
    struct series_pool *pools; /* pool_count of each point, one point after the other; owned */
};

/* Is it time for another point? Also where memory for points is missing: series_add then does nothing. */
bool series_due(const struct series *series, uint64_t at_ns);

/* Appends a point: `pools` holds pool_count entries, which must be the same number at every call. */
void series_add(struct series *series, uint64_t at_ns, unsigned pool_count, const struct series_pool *pools);

/* Frees the points and zeroes the series. */
void series_free(struct series *series);

#endif
