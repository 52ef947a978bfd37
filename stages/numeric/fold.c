/* SPDX-License-Identifier: MIT */
#include "stages/numeric/fold.h"

#include <math.h>

#include "stages/simd.h"

#define BEGIN(type, least, most)                                                                             \
    do {                                                                                                     \
        const type start = fold == FOLD_SUM ? 0 : fold == FOLD_MIN ? (most) : (least);                       \
        for (size_t i = 0; i < count; i++)                                                                   \
            results[i] = start;                                                                              \
    } while (0)

void fold_begin_i64(enum fold fold, int64_t *results, size_t count)
{
    BEGIN(int64_t, INT64_MIN, INT64_MAX);
}

void fold_begin_u64(enum fold fold, uint64_t *results, size_t count)
{
    BEGIN(uint64_t, 0, UINT64_MAX);
}

void fold_begin_f64(enum fold fold, double *results, size_t count)
{
    BEGIN(double, (double)-INFINITY, (double)INFINITY);
}

/* `folded` of a result `a` and its next value `b`. Small numbers of values are constants, so that the loop
 * can become vectors. */
#define FOLD_EACH(type, each, folded)                                                                        \
    do {                                                                                                     \
        for (size_t i = 0; i < count; i++) {                                                                 \
            type a = results[i];                                                                             \
            for (size_t k = 0; k < (each); k++) {                                                            \
                const type b = values[i * (each) + k];                                                       \
                a = (folded);                                                                                \
            }                                                                                                \
            results[i] = a;                                                                                  \
        }                                                                                                    \
    } while (0)

#define FOLD(type, folded)                                                                                   \
    do {                                                                                                     \
        if (each == 1)                                                                                       \
            FOLD_EACH(type, 1, folded);                                                                      \
        else if (each == 2)                                                                                  \
            FOLD_EACH(type, 2, folded);                                                                      \
        else if (each == 4)                                                                                  \
            FOLD_EACH(type, 4, folded);                                                                      \
        else                                                                                                 \
            FOLD_EACH(type, each, folded);                                                                   \
    } while (0)

SIMD_CLONES static void into_i64(enum fold fold, int64_t *results, size_t count, const int64_t *values,
                                 size_t each)
{
    if (fold == FOLD_SUM)
        FOLD(int64_t, (int64_t)((uint64_t)a + (uint64_t)b));
    else if (fold == FOLD_MIN)
        FOLD(int64_t, b < a ? b : a);
    else
        FOLD(int64_t, b > a ? b : a);
}

SIMD_CLONES static void into_u64(enum fold fold, uint64_t *results, size_t count, const uint64_t *values,
                                 size_t each)
{
    if (fold == FOLD_SUM)
        FOLD(uint64_t, a + b);
    else if (fold == FOLD_MIN)
        FOLD(uint64_t, b < a ? b : a);
    else
        FOLD(uint64_t, b > a ? b : a);
}

/* NaN is neither smaller nor larger: once it is the result, it stays. */
SIMD_CLONES static void into_f64(enum fold fold, double *results, size_t count, const double *values,
                                 size_t each)
{
    if (fold == FOLD_SUM)
        FOLD(double, a + b);
    else if (fold == FOLD_MIN)
        FOLD(double, ((b < a) | (b != b)) ? b : a);
    else
        FOLD(double, ((b > a) | (b != b)) ? b : a);
}

void fold_i64(enum fold fold, int64_t *results, size_t count, const int64_t *values, size_t each)
{
    into_i64(fold, results, count, values, each);
}

void fold_u64(enum fold fold, uint64_t *results, size_t count, const uint64_t *values, size_t each)
{
    into_u64(fold, results, count, values, each);
}

void fold_f64(enum fold fold, double *results, size_t count, const double *values, size_t each)
{
    into_f64(fold, results, count, values, each);
}

static void sort_few(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const double value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

/* The value at `root` down to where both below it are smaller. */
static void sift(double *values, size_t root, size_t count)
{
    const double value = values[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        child += child + 1 < count && values[child + 1] > values[child];
        if (!(values[child] > value))
            break;
        values[root] = values[child];
    }
    values[root] = value;
}

/* Heapsort (Williams 1964): needs no memory, and no order of the values makes it slow. */
static void sort_many(double *values, size_t count)
{
    for (size_t root = count / 2; root-- > 0;)
        sift(values, root, count);
    for (size_t last = count - 1; last > 0; last--) {
        const double largest = values[0];
        values[0] = values[last];
        values[last] = largest;
        sift(values, 0, last);
    }
}

double fold_median(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            return values[i];
    }
    if (count <= 32)
        sort_few(values, count);
    else
        sort_many(values, count);
    const double above = values[count / 2];
    return count % 2 ? above : (values[count / 2 - 1] + above) / 2;
}
