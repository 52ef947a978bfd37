/* SPDX-License-Identifier: MIT */
/* Exact percentiles of a line without a copy of it, in time proportional to its length: a radix selection,
 * which counts 16 bits of the keys per walk among those whose upper bits are known, until so few are left
 * that they can be gathered. */
#ifndef STAGES_NUMERIC_QUANTILE_H
#define STAGES_NUMERIC_QUANTILE_H

#include "stages/numeric/line.h"

/* Most percentiles that are asked for at once. */
#define QUANTILE_MOST 64u

/* So many keys are gathered. */
#define QUANTILE_GATHER 16384u

/* What it works in; kept in scratch. */
struct quantile_room {
    struct line_room line;
    uint64_t counts[65536];
    uint64_t keys[QUANTILE_GATHER + 1];
};

/* values[i] = the percentile percents[i] (0 to 100) of the samples that are not dropped, of which there are
 * `count`; between two samples by linear interpolation, as numpy.percentile with its default method, but a
 * sample that is met exactly is taken as it is even where its neighbour is infinite. NaN where count is 0. */
void quantile_of(const struct line *line, enum line_drop drop, uint64_t count, const double *percents,
                 double *values, size_t wanted, struct quantile_room *room);

#endif
