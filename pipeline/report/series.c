/* SPDX-License-Identifier: MIT */
#include "pipeline/report/series.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_INTERVAL_NS 50000000u

bool series_due(const struct series *series, uint64_t at_ns)
{
    return series->count == 0 || at_ns - series->at_ns[series->count - 1] >= series->interval_ns;
}

static bool reserve(struct series *series, unsigned pool_count)
{
    if (series->at_ns)
        return series->pool_count == pool_count;
    series->at_ns = calloc(SERIES_MAX_POINTS, sizeof *series->at_ns);
    series->pools = calloc((size_t)SERIES_MAX_POINTS * pool_count, sizeof *series->pools);
    if (!series->at_ns || !series->pools) {
        series_free(series);
        return false;
    }
    series->pool_count = pool_count;
    series->interval_ns = FIRST_INTERVAL_NS;
    return true;
}

static void put(struct series *series, unsigned to, uint64_t at_ns, const struct series_pool *pools)
{
    series->at_ns[to] = at_ns;
    memmove(series->pools + (size_t)to * series->pool_count, pools, series->pool_count * sizeof *pools);
}

static void halve(struct series *series)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < series->count; i += 2)
        put(series, kept++, series->at_ns[i], series->pools + (size_t)i * series->pool_count);
    series->count = kept;
    series->interval_ns *= 2;
}

void series_add(struct series *series, uint64_t at_ns, unsigned pool_count, const struct series_pool *pools)
{
    if (pool_count == 0 || !reserve(series, pool_count))
        return;
    if (series->count == SERIES_MAX_POINTS)
        halve(series);
    put(series, series->count++, at_ns, pools);
}

void series_free(struct series *series)
{
    free(series->at_ns);
    free(series->pools);
    *series = (struct series){0};
}
