/* SPDX-License-Identifier: MIT */
/* Which wide values a sample type holds. */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "stages/numeric/wide.h"
#include "stages/shape.h"
#include "stages/simd.h"

/* The range of a type, as each wide type sees it. `over` is the first magnitude that a float type rounds to
 * infinity, half a step beyond its largest value. */
struct range {
    int64_t least, most;
    uint64_t most_u64;
    double least_f64, most_f64, over;
};

static struct range range_of(enum wide wide, uint8_t sample)
{
    if (shape_sample_is_float(sample)) {
        const double most = sample == SAMPLE_F16 ? 65504 : sample == SAMPLE_F32 ? (double)FLT_MAX : DBL_MAX;
        const double over = sample == SAMPLE_F16   ? 65520
                            : sample == SAMPLE_F32 ? 0x1.ffffffp127
                                                   : (double)INFINITY;
        struct range range = {INT64_MIN, INT64_MAX, UINT64_MAX, -most, most, over};
        if (sample == SAMPLE_F16)
            range = (struct range){-65519, 65519, 65519, -most, most, over};
        return range;
    }
    const int64_t least = wide_least(sample);
    const uint64_t most = wide_most(sample);
    struct range range = {
        least, most < INT64_MAX ? (int64_t)most : INT64_MAX, most, (double)least, (double)most, 0};
    if (wide == WIDE_I32) {
        range.least = least > INT32_MIN ? least : INT32_MIN;
        range.most = most < INT32_MAX ? (int64_t)most : INT32_MAX;
    }
    return range;
}

#define CLAMP(type, values, least, most)                                                                     \
    do {                                                                                                     \
        type *values_ = (values);                                                                            \
        const type least_ = (type)(least), most_ = (type)(most);                                             \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++)                                               \
        {                                                                                                    \
            const type x = values_[i] > least_ ? values_[i] : least_;                                        \
            values_[i] = x < most_ ? x : most_;                                                              \
        }                                                                                                    \
    } while (0)

SIMD_CLONES static void saturate_f64(double *values, size_t count, const struct range *range, bool to_float)
{
    const double least = range->least_f64, most = range->most_f64;
    if (!to_float) {
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            double x = values[i] == values[i] ? values[i] : 0;
            x = x > least ? x : least;
            values[i] = x < most ? x : most;
        }
    } else {
#pragma omp simd
        for (size_t i = 0; i < count; i++) {
            const double x = values[i] < least ? least : values[i], y = x > most ? most : x;
            values[i] = fabs(values[i]) <= DBL_MAX ? y : values[i];
        }
    }
}

SIMD_CLONES_512 static void saturate_integers(enum wide wide, union wide_piece *piece, size_t count,
                                              const struct range *range)
{
    if (wide == WIDE_I32)
        CLAMP(int32_t, piece->i32, range->least, range->most);
    else if (wide == WIDE_I64)
        CLAMP(int64_t, piece->i64, range->least, range->most);
    else
        CLAMP(uint64_t, piece->u64, 0, range->most_u64);
}

void wide_saturate(enum wide wide, union wide_piece *piece, size_t count, uint8_t sample)
{
    const struct range range = range_of(wide, sample);
    if (wide == WIDE_F64)
        saturate_f64(piece->f64, count, &range, shape_sample_is_float(sample));
    else
        saturate_integers(wide, piece, count, &range);
}

/* Is value i outside? `wide` is a constant where it is called. */
SIMD_INLINE bool outside(enum wide wide, const union wide_piece *piece, size_t i, const struct range *range,
                         bool to_float)
{
    switch (wide) {
    case WIDE_I32:
        return (piece->i32[i] < range->least) | (piece->i32[i] > range->most);
    case WIDE_I64:
        return (piece->i64[i] < range->least) | (piece->i64[i] > range->most);
    case WIDE_U64:
        return piece->u64[i] > range->most_u64;
    case WIDE_F64:
        break;
    }
    const double x = piece->f64[i];
    if (to_float)
        return (fabs(x) >= range->over) & (fabs(x) <= DBL_MAX);
    /* Fractions are dropped; where 1 more or less makes no double of its own, there are none. */
    return !(((x >= range->least_f64) | (x > range->least_f64 - 1)) & (x < range->most_f64 + 1));
}

#define ANY(wide, to_float)                                                                                  \
    do {                                                                                                     \
        _Pragma("omp simd reduction(| : any)") for (size_t i = 0; i < count; i++) any |=                     \
            outside(wide, piece, i, &range, to_float);                                                       \
    } while (0)

SIMD_CLONES_512 static bool any_outside(enum wide wide, const union wide_piece *piece, size_t count,
                                        struct range range, bool to_float)
{
    unsigned any = 0;
    if (wide == WIDE_I32)
        ANY(WIDE_I32, false);
    else if (wide == WIDE_I64)
        ANY(WIDE_I64, false);
    else if (wide == WIDE_U64)
        ANY(WIDE_U64, false);
    else if (to_float)
        ANY(WIDE_F64, true);
    else
        ANY(WIDE_F64, false);
    return any;
}

size_t wide_outside(enum wide wide, const union wide_piece *piece, size_t count, uint8_t sample)
{
    const struct range range = range_of(wide, sample);
    const bool to_float = shape_sample_is_float(sample);
    if (!any_outside(wide, piece, count, range, to_float))
        return count;
    size_t i = 0;
    while (i < count && !outside(wide, piece, i, &range, to_float))
        i++;
    return i;
}
