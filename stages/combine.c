/* SPDX-License-Identifier: MIT */
#include "stages/combine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/numeric/half.h"

__extension__ typedef __int128 int128;

/* One sample's account. */
union cell {
    int128 whole; /* sum of integers */
    struct {
        double sum, lost; /* of floats: what rounding has dropped so far */
    } real;
    struct {
        double mean, squares; /* of the distances from the mean */
    } spread;
};

struct combine {
    enum combine_op op;
    struct shape shape;
    uint64_t items;
    size_t samples;
    union cell *cells; /* NULL where `held` serves */
    uint8_t *held;     /* minimum or maximum so far */
};

static bool keeps_samples(enum combine_op op)
{
    return op == COMBINE_MIN || op == COMBINE_MAX;
}

size_t combine_bytes(enum combine_op op, const struct shape *shape)
{
    size_t bytes;
    if (op == COMBINE_COUNT)
        return 0;
    if (keeps_samples(op))
        return shape_bytes(shape);
    return __builtin_mul_overflow(shape_samples(shape), sizeof(union cell), &bytes) ? SIZE_MAX : bytes;
}

struct combine *combine_open(enum combine_op op, const struct shape *shape)
{
    struct combine *combine = calloc(1, sizeof *combine);
    const size_t bytes = combine_bytes(op, shape);
    if (!combine)
        return NULL;
    *combine = (struct combine){.op = op, .shape = *shape, .samples = shape_samples(shape)};
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory) {
        free(combine);
        return NULL;
    }
    if (keeps_samples(op))
        combine->held = memory;
    else
        combine->cells = memory;
    return combine;
}

void combine_close(struct combine *combine)
{
    if (!combine)
        return;
    free(combine->cells);
    free(combine->held);
    free(combine);
}

static double real_at(uint8_t sample, const void *samples, size_t i)
{
    if (sample == SAMPLE_F32)
        return (double)((const float *)samples)[i];
    if (sample == SAMPLE_F16)
        return half_to_double(((const uint16_t *)samples)[i]);
    return ((const double *)samples)[i];
}

static int128 whole_at(uint8_t sample, const void *samples, size_t i)
{
    switch ((enum sample)sample) {
    case SAMPLE_U16:
        return ((const uint16_t *)samples)[i];
    case SAMPLE_U32:
        return ((const uint32_t *)samples)[i];
    case SAMPLE_U64:
        return ((const uint64_t *)samples)[i];
    case SAMPLE_I8:
        return ((const int8_t *)samples)[i];
    case SAMPLE_I16:
        return ((const int16_t *)samples)[i];
    case SAMPLE_I32:
        return ((const int32_t *)samples)[i];
    case SAMPLE_I64:
        return ((const int64_t *)samples)[i];
    default: /* u8 and bool */
        return ((const uint8_t *)samples)[i];
    }
}

static double value_at(uint8_t sample, const void *samples, size_t i)
{
    return shape_sample_is_float(sample) ? real_at(sample, samples, i) : (double)whole_at(sample, samples, i);
}

static bool exact(const struct combine *combine)
{
    return !shape_sample_is_float(combine->shape.sample);
}

static int add_sum(struct combine *combine, const void *samples, struct error *error)
{
    const uint8_t sample = combine->shape.sample;
    bool over = false;
    for (size_t i = 0; i < combine->samples && exact(combine); i++)
        over |= __builtin_add_overflow(combine->cells[i].whole, whole_at(sample, samples, i),
                                       &combine->cells[i].whole);
    for (size_t i = 0; i < combine->samples && !exact(combine); i++) {
        const double value = real_at(sample, samples, i), sum = combine->cells[i].real.sum,
                     next = sum + value;
        if (isfinite(next))
            combine->cells[i].real.lost += fabs(sum) >= fabs(value) ? sum - next + value : value - next + sum;
        combine->cells[i].real.sum = next;
    }
    return over ? error_set(error, ERROR_LIMIT, "a sum does not fit 128 bits") : 0;
}

static void add_spread(struct combine *combine, const void *samples)
{
    const double count = (double)combine->items;
    for (size_t i = 0; i < combine->samples; i++) {
        union cell *cell = &combine->cells[i];
        const double value = value_at(combine->shape.sample, samples, i), off = value - cell->spread.mean;
        cell->spread.mean += off / count;
        cell->spread.squares += off * (value - cell->spread.mean);
    }
}

static bool replaces(const struct combine *combine, const void *samples, size_t i)
{
    const uint8_t sample = combine->shape.sample;
    if (exact(combine)) {
        const int128 value = whole_at(sample, samples, i), held = whole_at(sample, combine->held, i);
        return combine->op == COMBINE_MIN ? value < held : value > held;
    }
    const double value = real_at(sample, samples, i), held = real_at(sample, combine->held, i);
    return !isnan(held) && (isnan(value) || (combine->op == COMBINE_MIN ? value < held : value > held));
}

static void add_extreme(struct combine *combine, const uint8_t *samples)
{
    const size_t bytes = shape_sample_bytes(combine->shape.sample);
    for (size_t i = 0; i < combine->samples; i++) {
        if (combine->items == 1 || replaces(combine, samples, i))
            memcpy(combine->held + i * bytes, samples + i * bytes, bytes);
    }
}

int combine_add(struct combine *combine, const void *samples, struct error *error)
{
    combine->items++;
    switch (combine->op) {
    case COMBINE_SUM:
    case COMBINE_MEAN:
        return add_sum(combine, samples, error);
    case COMBINE_VAR:
    case COMBINE_STD:
        add_spread(combine, samples);
        break;
    case COMBINE_MIN:
    case COMBINE_MAX:
        add_extreme(combine, samples);
        break;
    case COMBINE_COUNT:
        break;
    }
    return 0;
}

struct shape combine_shape(const struct combine *combine)
{
    const struct shape *shape = &combine->shape;
    const uint64_t image[] = {shape->height, shape->width, shape->channels};
    enum sample sample = SAMPLE_F64;
    if (combine->op == COMBINE_COUNT)
        return shape_array(SAMPLE_I64, 0, NULL);
    if (keeps_samples(combine->op) || (combine->op == COMBINE_MEAN && shape->kind == SHAPE_IMAGE)) {
        struct shape same = *shape;
        same.bits = shape_sample_bits(shape->sample);
        return same;
    }
    if (combine->op == COMBINE_SUM && exact(combine))
        sample =
            shape_sample_is_signed(shape->sample) || shape->sample == SAMPLE_BOOL ? SAMPLE_I64 : SAMPLE_U64;
    if (shape->kind == SHAPE_IMAGE)
        return shape_array(sample, shape->channels == 1 ? 2 : 3, image);
    return shape_array(sample, shape->rank, shape->dims);
}

static double mean_at(const struct combine *combine, size_t i)
{
    const union cell *cell = &combine->cells[i];
    if (combine->items == 0)
        return (double)NAN;
    return (exact(combine) ? (double)cell->whole : cell->real.sum + cell->real.lost) / (double)combine->items;
}

/* The mean of an image, in its own samples. */
static void store_pixel(const struct combine *combine, void *samples, size_t i)
{
    const double mean = combine->items ? mean_at(combine, i) : 0;
    if (combine->shape.sample == SAMPLE_U8)
        ((uint8_t *)samples)[i] = (uint8_t)rint(mean);
    else if (combine->shape.sample == SAMPLE_U16)
        ((uint16_t *)samples)[i] = (uint16_t)rint(mean);
    else
        ((float *)samples)[i] = (float)mean;
}

static int store_sum(const struct combine *combine, void *samples, size_t i, struct error *error)
{
    const union cell *cell = &combine->cells[i];
    if (!exact(combine)) {
        ((double *)samples)[i] = cell->real.sum + cell->real.lost;
        return 0;
    }
    const bool is_signed = combine_shape(combine).sample == SAMPLE_I64;
    if (is_signed ? cell->whole > INT64_MAX || cell->whole < INT64_MIN : cell->whole > UINT64_MAX)
        return error_set(error, ERROR_LIMIT, "a sum does not fit 64 bits");
    ((int64_t *)samples)[i] = (int64_t)cell->whole;
    return 0;
}

int combine_result(const struct combine *combine, void *samples, struct error *error)
{
    if (combine->op == COMBINE_COUNT) {
        *(int64_t *)samples = (int64_t)combine->items;
        return 0;
    }
    if (keeps_samples(combine->op)) {
        memcpy(samples, combine->held, shape_bytes(&combine->shape));
        return 0;
    }
    for (size_t i = 0; i < combine->samples; i++) {
        const double variance =
            combine->items ? combine->cells[i].spread.squares / (double)combine->items : (double)NAN;
        if (combine->op == COMBINE_SUM)
            TRY(store_sum(combine, samples, i, error));
        else if (combine->op == COMBINE_MEAN && combine->shape.kind == SHAPE_IMAGE)
            store_pixel(combine, samples, i);
        else if (combine->op == COMBINE_MEAN)
            ((double *)samples)[i] = mean_at(combine, i);
        else
            ((double *)samples)[i] = combine->op == COMBINE_VAR ? variance : sqrt(variance);
    }
    return 0;
}
