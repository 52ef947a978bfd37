/* SPDX-License-Identifier: MIT */
#include "pipeline/bench/bench_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Smaller differences are nobody's reason to choose. */
#define ALIKE 0.01

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double at_share(const double *sorted, unsigned count, double share)
{
    const double place = share * (count - 1);
    const unsigned below = (unsigned)place, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

struct bench_stats bench_stats_of(const double *values, unsigned count)
{
    struct bench_stats stats = {.count = count};
    double *sorted = count ? malloc(count * sizeof *sorted) : NULL;
    if (!sorted)
        return (struct bench_stats){.count = 0};
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    stats.min = sorted[0];
    stats.max = sorted[count - 1];
    stats.median = at_share(sorted, count, 0.5);
    stats.low = at_share(sorted, count, 0.25);
    stats.high = at_share(sorted, count, 0.75);
    free(sorted);
    return stats;
}

unsigned bench_stats_median_at(const double *values, unsigned count)
{
    const double median = bench_stats_of(values, count).median;
    unsigned best = 0;
    for (unsigned i = 1; i < count; i++) {
        if (fabs(values[i] - median) < fabs(values[best] - median))
            best = i;
    }
    return best;
}

double bench_stats_spread(const struct bench_stats *stats)
{
    return stats->median > 0 ? (stats->max - stats->min) / stats->median : 0;
}

bool bench_stats_alike(const struct bench_stats *a, const struct bench_stats *b)
{
    const double larger = a->median > b->median ? a->median : b->median;
    if (fabs(a->median - b->median) <= ALIKE * larger)
        return true;
    return a->low <= b->high && b->low <= a->high;
}
