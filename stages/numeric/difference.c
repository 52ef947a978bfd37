/* SPDX-License-Identifier: MIT */
#include "stages/numeric/difference.h"

#include <math.h>

#include "stages/shape.h"

static void errors_f64(const double *a, const double *b, double *errors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        errors[i] = a[i] == b[i] || (isnan(a[i]) && isnan(b[i])) ? 0 : fabs(a[i] - b[i]);
}

/* The distance of any two fits in 64 bits without sign. */
static void errors_i64(const int64_t *a, const int64_t *b, double *errors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        errors[i] = (double)(a[i] > b[i] ? (uint64_t)a[i] - (uint64_t)b[i] : (uint64_t)b[i] - (uint64_t)a[i]);
}

static void errors_u64(const uint64_t *a, const uint64_t *b, double *errors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        errors[i] = (double)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
}

/* Fills room->errors. */
static void compare_piece(uint8_t sample, const uint8_t *one, const uint8_t *reference, size_t count,
                          struct difference_room *room)
{
    if (sample == SAMPLE_I64 || sample == SAMPLE_U64) {
        wide_load(sample, one, count, &room->one);
        wide_load(sample, reference, count, &room->reference);
        if (sample == SAMPLE_I64)
            errors_i64(room->one.i64, room->reference.i64, room->errors, count);
        else
            errors_u64(room->one.u64, room->reference.u64, room->errors, count);
        return;
    }
    wide_load_f64(sample, one, count, room->one.f64);
    wide_load_f64(sample, reference, count, room->reference.f64);
    errors_f64(room->one.f64, room->reference.f64, room->errors, count);
}

static void add_errors(struct difference *difference, const double *errors, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += errors[i] * errors[i];
        if (errors[i] > difference->most || isnan(errors[i]))
            difference->most = isnan(difference->most) ? difference->most : errors[i];
    }
    difference->mse += sum;
}

static void widen(double *least, double *most, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        *least = values[i] < *least ? values[i] : *least;
        *most = values[i] > *most ? values[i] : *most;
    }
}

struct difference difference_of(uint8_t sample, size_t count, const uint8_t *one, const uint8_t *reference,
                                struct difference_room *room)
{
    const size_t bytes = shape_sample_bytes(sample);
    struct difference difference = {0};
    double least = (double)INFINITY, most = (double)-INFINITY;
    for (size_t at = 0; at < count; at += WIDE_PIECE) {
        const size_t piece = count - at < WIDE_PIECE ? count - at : WIDE_PIECE;
        compare_piece(sample, one + at * bytes, reference + at * bytes, piece, room);
        add_errors(&difference, room->errors, piece);
        wide_load_f64(sample, reference + at * bytes, piece, room->reference.f64);
        widen(&least, &most, room->reference.f64, piece);
    }
    difference.equal = difference.most == 0;
    difference.mse = count > 0 ? difference.mse / (double)count : 0;
    difference.range = least <= most ? most - least : (double)NAN;
    return difference;
}
