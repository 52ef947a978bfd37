/* SPDX-License-Identifier: MIT */
/* normalize against the definitions, along each axis, and what it does to NaN, constants and nothing. */
#include "array_harness.h"

static void the_extremes_become_low_and_high(void **state)
{
    (void)state;
    const int16_t values[] = {-100, 0, 100, 300};
    const float unit[] = {0, 0.25F, 0.5F, 1}, wide[] = {-2, -1, 0, 2};
    struct applied applied = array_apply("normalize", "", ARRAY(SAMPLE_I16, 4), values);
    assert_int_equal(applied.out.sample, SAMPLE_F32);
    assert_memory_equal(applied.dst, unit, sizeof unit);
    array_free(&applied);
    applied = array_apply("normalize", "low=-2,high=2", ARRAY(SAMPLE_I16, 4), values);
    assert_memory_equal(applied.dst, wide, sizeof wide);
    array_free(&applied);
}

static void zscore_has_mean_0_and_deviation_1(void **state)
{
    (void)state;
    const double values[] = {1, 3}, expected[] = {-1, 1};
    struct applied applied = array_apply("normalize", "method=zscore", ARRAY(SAMPLE_F64, 2), values);
    assert_int_equal(applied.out.sample, SAMPLE_F64);
    assert_memory_equal(applied.dst, expected, sizeof expected);
    array_free(&applied);
}

/* 0 to 100: the percentiles are the numbers themselves. */
static void percentiles_become_low_and_high(void **state)
{
    (void)state;
    double values[101];
    for (int i = 0; i <= 100; i++)
        values[i] = i * 7 % 101;
    struct applied applied =
        array_apply("normalize", "method=percentile,lower=20,upper=70", ARRAY(SAMPLE_F64, 101), values);
    const void *got = applied.dst;
    for (int i = 0; i <= 100; i++)
        assert_true(((const double *)got)[i] == (values[i] - 20) / 50);
    array_free(&applied);
}

/* (3, 20000) along each axis: several blocks, lines that begin amid them, lines that are interleaved. */
static void axes_are_apart(void **state)
{
    (void)state;
    enum { ROWS = 3, COLUMNS = 20000 };
    float *values = calloc((size_t)ROWS * COLUMNS, sizeof *values);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t c = 0; c < COLUMNS; c++)
            values[r * COLUMNS + c] = (float)((c + 1) * (r * r + 1));
    }
    struct applied applied = array_apply("normalize", "axis=1", ARRAY(SAMPLE_F32, ROWS, COLUMNS), values);
    const void *got = applied.dst;
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++) /* each row runs evenly from 0 to 1 */
        assert_true(((const float *)got)[i] == (float)((double)(i % COLUMNS) / (COLUMNS - 1)));
    array_free(&applied);
    applied = array_apply("normalize", "axis=0", ARRAY(SAMPLE_F32, ROWS, COLUMNS), values);
    got = applied.dst;
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++) /* each column is 1, 2 and 5 times a number */
        assert_true(((const float *)got)[i] == (i < COLUMNS ? 0 : i < 2 * COLUMNS ? 0.25F : 1));
    array_free(&applied);
    applied = array_apply("normalize", "axis=1,method=percentile,lower=0,upper=100",
                          ARRAY(SAMPLE_F32, COLUMNS, ROWS), values);
    got = applied.dst; /* the extremes, by the other way, on many short lines */
    struct applied extremes = array_apply("normalize", "axis=1", ARRAY(SAMPLE_F32, COLUMNS, ROWS), values);
    assert_memory_equal(got, extremes.dst, (size_t)ROWS * COLUMNS * sizeof *values);
    array_free(&extremes);
    array_free(&applied);
    free(values);
}

static void equal_numbers_become_0(void **state)
{
    (void)state;
    const double values[] = {0.1, 0.1, 0.1}, zeros[] = {0, 0, 0}, fives[] = {5, 5, 5};
    static const char *const methods[] = {"method=minmax", "method=zscore", "method=percentile"};
    for (size_t i = 0; i < 3; i++) {
        struct applied applied = array_apply("normalize", methods[i], ARRAY(SAMPLE_F64, 3), values);
        assert_memory_equal(applied.dst, zeros, sizeof zeros);
        array_free(&applied);
    }
    struct applied applied = array_apply("normalize", "low=5,high=6", ARRAY(SAMPLE_F64, 3), values);
    assert_memory_equal(applied.dst, fives, sizeof fives);
    array_free(&applied);
    applied = array_apply("normalize", "", shape_array(SAMPLE_F64, 0, NULL), values);
    assert_memory_equal(applied.dst, zeros, sizeof *zeros);
    array_free(&applied);
}

static void what_is_not_finite_stays(void **state)
{
    (void)state;
    const float values[] = {NAN, 2, INFINITY, 4, -INFINITY, 3};
    static const char *const methods[] = {"method=minmax", "method=percentile,lower=0,upper=100"};
    for (size_t i = 0; i < 2; i++) {
        struct applied applied = array_apply("normalize", methods[i], ARRAY(SAMPLE_F32, 6), values);
        const void *raw = applied.dst;
        const float *got = raw;
        assert_true(isnan(got[0]) && got[1] == 0 && got[2] == INFINITY && got[3] == 1 &&
                    got[4] == -INFINITY && got[5] == 0.5F);
        array_free(&applied);
    }
    const float none[] = {NAN, INFINITY};
    struct applied applied = array_apply("normalize", "", ARRAY(SAMPLE_F32, 2), none);
    const void *got = applied.dst;
    assert_true(isnan(((const float *)got)[0]) && isinf(((const float *)got)[1]));
    array_free(&applied);
}

static void nothing_stays_nothing(void **state)
{
    (void)state;
    struct applied applied = array_apply("normalize", "axis=0", ARRAY(SAMPLE_U8, 0, 4), NULL);
    assert_int_equal(applied.out.dims[1], 4);
    array_free(&applied);
    applied = array_apply("normalize", "axis=1,method=percentile", ARRAY(SAMPLE_U8, 0, 4), NULL);
    array_free(&applied);
    applied = array_apply("normalize", "", ARRAY(SAMPLE_U8, 4, 0), NULL);
    array_free(&applied);
}

static void impossible_parameters_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    const struct shape in = ARRAY(SAMPLE_F64, 3, 4);
    assert_int_equal(array_refused("normalize", "axis=2", in, &error), ERROR_USAGE);
    assert_int_equal(array_refused("normalize", "axis=0", shape_array(SAMPLE_U8, 0, NULL), &error),
                     ERROR_USAGE);
    assert_int_equal(array_refused("normalize", "method=percentile,lower=50,upper=50", in, &error),
                     ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_extremes_become_low_and_high),
        cmocka_unit_test(zscore_has_mean_0_and_deviation_1),
        cmocka_unit_test(percentiles_become_low_and_high),
        cmocka_unit_test(axes_are_apart),
        cmocka_unit_test(equal_numbers_become_0),
        cmocka_unit_test(what_is_not_finite_stays),
        cmocka_unit_test(nothing_stays_nothing),
        cmocka_unit_test(impossible_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
