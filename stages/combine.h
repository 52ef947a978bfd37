/* SPDX-License-Identifier: MIT */
/* Many items of one shape combined into one, sample by sample, in the order in which they are given:
 * `aggregate`. The result depends on that order and on nothing else. */
#ifndef STAGES_COMBINE_H
#define STAGES_COMBINE_H

#include "stages/error.h"
#include "stages/shape.h"

enum combine_op {
    COMBINE_SUM,
    COMBINE_MEAN,
    COMBINE_VAR,
    COMBINE_STD,
    COMBINE_MIN,
    COMBINE_MAX,
    COMBINE_COUNT
};
#define COMBINE_OPS "sum|mean|var|std|min|max|count"

struct combine;

/* The bytes that combining items of this shape takes; SIZE_MAX where it does not fit. */
size_t combine_bytes(enum combine_op op, const struct shape *shape);

/* NULL: out of memory. */
struct combine *combine_open(enum combine_op op, const struct shape *shape);

/* Takes in one more item of the shape. Sums of integers are exact; ERROR_LIMIT where one does not fit 128
 * bits. Sums of floats are compensated (Neumaier 1974), means and variances updated as Welford (1962) does;
 * minimum and maximum are NaN where an item is, as numpy's. Single-threaded, does not block. */
int combine_add(struct combine *combine, const void *samples, struct error *error);

/* What the result looks like: min and max are the items' type; of images so is the mean, rounded to nearest.
 * Everything else is an array: sums of integers i64, or u64 where the items are unsigned; count one i64; else
 * f64. The variance is that of the whole population. */
struct shape combine_shape(const struct combine *combine);

/* Writes the result, of shape_bytes(combine_shape()) bytes. Without any item: zeros, and NaN for a mean or
 * variance. ERROR_LIMIT where a sum does not fit its type. */
int combine_result(const struct combine *combine, void *samples, struct error *error);

/* Accepts NULL. */
void combine_close(struct combine *combine);

#endif
