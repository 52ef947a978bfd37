/* SPDX-License-Identifier: MIT */
/* Many values into one, for block_reduce: in one of three types, always in the order in which they come. */
#ifndef STAGES_NUMERIC_FOLD_H
#define STAGES_NUMERIC_FOLD_H

#include <stddef.h>
#include <stdint.h>

enum fold { FOLD_SUM, FOLD_MIN, FOLD_MAX };

/* What nothing folds into: 0, or the other end of the range. */
void fold_begin_i64(enum fold fold, int64_t *results, size_t count);
void fold_begin_u64(enum fold fold, uint64_t *results, size_t count);
void fold_begin_f64(enum fold fold, double *results, size_t count);

/* The next `each` values into the first result, those after them into the second, and so on. Sums of integers
 * wrap; the least and the largest of values among which is NaN are NaN. */
void fold_i64(enum fold fold, int64_t *results, size_t count, const int64_t *values, size_t each);
void fold_u64(enum fold fold, uint64_t *results, size_t count, const uint64_t *values, size_t each);
void fold_f64(enum fold fold, double *results, size_t count, const double *values, size_t each);

/* The middle of `count` (at least 1) values, the mean of both where there are two; NaN where one is. Sorts
 * them. */
double fold_median(double *values, size_t count);

#endif
