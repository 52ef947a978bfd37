/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "stages/combine.h"

static struct shape row(enum sample sample, uint64_t count)
{
    return shape_array(sample, 1, &count);
}

/* Combines `items` arrays of `count` samples, which follow one another. */
static struct shape combined(enum combine_op op, const struct shape *shape, const void *samples,
                             unsigned items, void *out, int code)
{
    struct combine *combine = combine_open(op, shape);
    assert_non_null(combine);
    for (unsigned i = 0; i < items; i++)
        assert_int_equal(combine_add(combine, (const char *)samples + i * shape_bytes(shape), NULL), 0);
    const struct shape result = combine_shape(combine);
    assert_int_equal(combine_result(combine, out, NULL), code);
    combine_close(combine);
    return result;
}

static void sums_of_integers_are_exact(void **state)
{
    (void)state;
    const int64_t wide[] = {INT64_MAX, -1, INT64_MAX, -5, -INT64_MAX, 7};
    const uint64_t high[] = {UINT64_MAX - 1, 1};
    const uint8_t bytes[] = {255, 1, 255, 2, 255, 3};
    int64_t out[2];
    struct shape shape = row(SAMPLE_I64, 2);
    assert_int_equal(combined(COMBINE_SUM, &shape, wide, 3, out, 0).sample, SAMPLE_I64);
    assert_true(out[0] == INT64_MAX && out[1] == 1);
    combined(COMBINE_SUM, &shape, wide, 2, out, ERROR_LIMIT);
    shape = row(SAMPLE_U64, 1);
    assert_int_equal(combined(COMBINE_SUM, &shape, high, 2, out, 0).sample, SAMPLE_U64);
    assert_true((uint64_t)out[0] == UINT64_MAX);
    shape = row(SAMPLE_U8, 2);
    combined(COMBINE_SUM, &shape, bytes, 3, out, 0);
    assert_true(out[0] == 765 && out[1] == 6);
}

static void sums_of_floats_keep_what_rounding_drops(void **state)
{
    (void)state;
    const double values[] = {1.0, 1e100, 1.0, -1e100}; /* a plain sum gives 0 */
    double out;
    const struct shape shape = row(SAMPLE_F64, 1);
    combined(COMBINE_SUM, &shape, values, 4, &out, 0);
    assert_true(out == 2.0);
    combined(COMBINE_MEAN, &shape, values, 4, &out, 0);
    assert_true(out == 0.5);
    const double endless[] = {1.0, (double)INFINITY, 2.0};
    combined(COMBINE_SUM, &shape, endless, 3, &out, 0);
    assert_true(isinf(out));
}

static void spreads_are_those_of_the_whole_population(void **state)
{
    (void)state;
    const float values[] = {2, 1e6f,     4, 1e6f + 1, 4, 1e6f + 2, 4, 1e6f + 3,
                            5, 1e6f + 4, 5, 1e6f + 5, 7, 1e6f + 6, 9, 1e6f + 7};
    double out[2];
    const struct shape shape = row(SAMPLE_F32, 2);
    combined(COMBINE_VAR, &shape, values, 8, out, 0);
    assert_true(fabs(out[0] - 4) < 1e-12 && fabs(out[1] - 5.25) < 1e-9);
    combined(COMBINE_STD, &shape, values, 8, out, 0);
    assert_true(fabs(out[0] - 2) < 1e-12 && fabs(out[1] - sqrt(5.25)) < 1e-9);
}

static void extremes_keep_the_type_and_nan_wins(void **state)
{
    (void)state;
    const int16_t whole[] = {3, -32768, 5, 32767, -4, 0};
    int16_t out[2];
    struct shape shape = row(SAMPLE_I16, 2);
    assert_int_equal(combined(COMBINE_MIN, &shape, whole, 3, out, 0).sample, SAMPLE_I16);
    assert_true(out[0] == -4 && out[1] == -32768);
    combined(COMBINE_MAX, &shape, whole, 3, out, 0);
    assert_true(out[0] == 5 && out[1] == 32767);
    const float real[] = {1, 2, NAN, 3, 0, -1};
    float most[2];
    shape = row(SAMPLE_F32, 2);
    combined(COMBINE_MAX, &shape, real, 3, most, 0);
    assert_true(isnan(most[0]) && most[1] == 3.0f);
}

static void images_give_an_image_for_the_mean_and_arrays_for_sums(void **state)
{
    (void)state;
    const struct shape shape = {.width = 2, .height = 1, .channels = 3, .sample = SAMPLE_U8, .bits = 8};
    const uint8_t pixels[] = {0, 1, 2, 3, 4, 255, 1, 2, 4, 4, 4, 255};
    uint8_t mean[6];
    uint64_t sum[6];
    struct shape result = combined(COMBINE_MEAN, &shape, pixels, 2, mean, 0);
    assert_true(result.kind == SHAPE_IMAGE && result.width == 2 && result.height == 1 &&
                result.channels == 3 && result.sample == SAMPLE_U8 && result.bits == 8);
    assert_memory_equal(mean, ((uint8_t[]){0, 2, 3, 4, 4, 255}), 6); /* halves to even */
    result = combined(COMBINE_SUM, &shape, pixels, 2, sum, 0);
    assert_true(result.kind == SHAPE_ARRAY && result.rank == 3 && result.dims[0] == 1 &&
                result.dims[1] == 2 && result.dims[2] == 3 && result.sample == SAMPLE_U64);
    assert_true(sum[5] == 510);
    int64_t count;
    assert_int_equal(combined(COMBINE_COUNT, &shape, pixels, 2, &count, 0).rank, 0);
    assert_true(count == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_integers_are_exact),
        cmocka_unit_test(sums_of_floats_keep_what_rounding_drops),
        cmocka_unit_test(spreads_are_those_of_the_whole_population),
        cmocka_unit_test(extremes_keep_the_type_and_nan_wins),
        cmocka_unit_test(images_give_an_image_for_the_mean_and_arrays_for_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
