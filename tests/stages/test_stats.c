/* SPDX-License-Identifier: MIT */
/* stats against closed forms, and against numbers that double precision alone would get wrong. */
#include "array_harness.h"

/* 0, 1, ..., n - 1 in an order that is not theirs: mean (n - 1) / 2, variance (n^2 - 1) / 12. */
static void a_range_has_closed_forms(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 15, 16, 17, 2047, 2048, 2049, 4096 + 5, 100003};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const size_t n = counts[c];
        float *values = calloc(n, sizeof *values);
        for (size_t i = 0; i < n; i++)
            values[i] = (float)(i * 48271 % n); /* a prime that divides none of the counts */
        struct applied applied =
            array_apply("stats", "percentiles=0,percentiles=25,percentiles=50,percentiles=100",
                        ARRAY(SAMPLE_F32, n), values);
        const double last = (double)(n - 1), count = (double)n;
        array_expect(&applied, "count", count);
        array_expect(&applied, "nans", 0);
        array_expect(&applied, "min", 0);
        array_expect(&applied, "max", last);
        array_expect(&applied, "mean", last / 2);
        array_expect(&applied, "sum", last * count / 2);
        const double std = sqrt((count * count - 1) / 12);
        assert_true(fabs(array_told(&applied, "std") - std) <= 4e-16 * std);
        array_expect(&applied, "p0", 0);
        array_expect(&applied, "p25", last / 4);
        array_expect(&applied, "p50", last / 2);
        array_expect(&applied, "p100", last);
        assert_memory_equal(applied.dst, values, n * sizeof *values);
        array_free(&applied);
        free(values);
    }
}

/* The same numbers as every type, 0 to 99. */
static void types_agree(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        uint64_t storage[100] = {0};
        void *at = storage;
        for (unsigned i = 0; i < 100; i++) {
            const double value = sample == SAMPLE_BOOL ? i % 2 : i;
            const size_t bytes = shape_sample_bytes((uint8_t)sample);
            const float single = (float)value;
            uint64_t whole = (uint64_t)value;
            if (sample == SAMPLE_F16) { /* 2^e x 1.m, by hand */
                unsigned e = 0;
                while (i >> (e + 1))
                    e++;
                whole = i == 0 ? 0 : (e + 15) << 10 | (i << (10 - e) & 0x3ff);
            }
            const void *from = sample == SAMPLE_F32   ? (const void *)&single
                               : sample == SAMPLE_F64 ? (const void *)&value
                                                      : &whole; /* little endian or all bytes */
            memcpy((uint8_t *)at + i * bytes, from, bytes);
        }
        struct applied applied =
            array_apply("stats", "percentiles=50,percentiles=1", ARRAY((enum sample)sample, 100), storage);
        const bool boolean = sample == SAMPLE_BOOL;
        array_expect(&applied, "count", 100);
        array_expect(&applied, "min", 0);
        array_expect(&applied, "max", boolean ? 1 : 99);
        array_expect(&applied, "sum", boolean ? 50 : 4950);
        array_expect(&applied, "mean", boolean ? 0.5 : 49.5);
        array_expect(&applied, "std", boolean ? 0.5 : sqrt(833.25));
        array_expect(&applied, "p50", boolean ? 0.5 : 49.5);
        array_expect(&applied, "p1", boolean ? 0 : 0.99);
        const enum record_type type = shape_sample_is_float((uint8_t)sample) ? RECORD_REAL : RECORD_INT;
        assert_int_equal(array_field(&applied, "max").type, type);
        assert_int_equal(array_field(&applied, "sum").type, type);
        assert_int_equal(array_field(&applied, "mean").type, RECORD_REAL);
        array_free(&applied);
    }
}

/* Negative numbers are below the others, in each signed type. */
static void signs_are_in_order(void **state)
{
    (void)state;
    const int8_t small[] = {-128, 127, -1};
    struct applied applied = array_apply("stats", "percentiles=50", ARRAY(SAMPLE_I8, 3), small);
    array_expect(&applied, "min", -128);
    array_expect(&applied, "p50", -1);
    array_expect(&applied, "sum", -2);
    array_free(&applied);
    const double reals[] = {-INFINITY, 1e300, -1e-310, -5, INFINITY};
    applied =
        array_apply("stats", "percentiles=0,percentiles=25,percentiles=50,percentiles=75,percentiles=100",
                    ARRAY(SAMPLE_F64, 5), reals);
    array_expect(&applied, "p0", -INFINITY);
    array_expect(&applied, "p25", -5);
    array_expect(&applied, "p50", -1e-310);
    array_expect(&applied, "p75", 1e300);
    array_expect(&applied, "p100", INFINITY);
    array_expect(&applied, "min", -INFINITY);
    array_expect(&applied, "max", INFINITY);
    array_expect(&applied, "sum", NAN);
    array_expect(&applied, "std", NAN);
    array_free(&applied);
}

/* 2^62 + {0, 1, 2}: a double has no two of them apart, and their sum no room in 64 bits. */
static void large_integers_are_exact(void **state)
{
    (void)state;
    const int64_t base = (int64_t)1 << 62, values[] = {base + 2, base, base + 1};
    struct applied applied = array_apply("stats", "", ARRAY(SAMPLE_I64, 3), values);
    assert_int_equal(array_field(&applied, "min").integer, base);
    assert_int_equal(array_field(&applied, "max").integer, base + 2);
    array_expect(&applied, "std", sqrt(2.0 / 3));
    assert_int_equal(array_field(&applied, "sum").type, RECORD_REAL);
    array_expect(&applied, "sum", 3 * ldexp(1, 62));
    array_free(&applied);

    const int64_t ends[] = {INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX};
    applied = array_apply("stats", "percentiles=0", ARRAY(SAMPLE_I64, 2, 2), ends);
    assert_int_equal(array_field(&applied, "sum").integer, -2);
    array_expect(&applied, "mean", -0.5);
    array_expect(&applied, "std", ldexp(1, 63));
    array_expect(&applied, "p0", -ldexp(1, 63));
    array_free(&applied);

    const uint64_t large[] = {UINT64_MAX, 0};
    applied = array_apply("stats", "", ARRAY(SAMPLE_U64, 2), large);
    assert_int_equal(array_field(&applied, "max").type, RECORD_REAL);
    array_expect(&applied, "max", ldexp(1, 64));
    assert_int_equal(array_field(&applied, "min").integer, 0);
    array_free(&applied);
}

/* 1e9 + {4, 7, 13, 16}, many times over: variance 22.5, which sums of squares would lose. */
static void a_large_mean_does_not_hide_the_spread(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static const double offsets[] = {4, 7, 13, 16};
    double *values = calloc(COUNT, sizeof *values);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 1e9 + offsets[i % 4];
    struct applied applied = array_apply("stats", "", ARRAY(SAMPLE_F64, COUNT), values);
    array_expect(&applied, "mean", 1e9 + 10);
    assert_true(fabs(array_told(&applied, "std") - sqrt(22.5)) < 1e-14);
    array_free(&applied);
    free(values);
}

/* As numpy.percentile(.., [0, 10, 50, 90, 99.9]) of 10, 20, ..., 50: 10 + 40 x q / 100. */
static void nan_is_told_or_skipped(void **state)
{
    (void)state;
    const float values[] = {50, NAN, 10, 30, NAN, 20, 40, -NAN};
    struct applied applied = array_apply("stats", "percentiles=50", ARRAY(SAMPLE_F32, 8), values);
    array_expect(&applied, "count", 8);
    array_expect(&applied, "nans", 3);
    static const char *const fields[] = {"min", "max", "mean", "std", "sum", "p50"};
    for (size_t i = 0; i < 6; i++)
        array_expect(&applied, fields[i], NAN);
    array_free(&applied);
    applied =
        array_apply("stats", "skip_nan=true,percentiles=10,percentiles=99.9", ARRAY(SAMPLE_F32, 8), values);
    array_expect(&applied, "count", 5);
    array_expect(&applied, "nans", 3);
    array_expect(&applied, "min", 10);
    array_expect(&applied, "max", 50);
    array_expect(&applied, "mean", 30);
    array_expect(&applied, "std", sqrt(200));
    array_expect(&applied, "sum", 150);
    array_expect(&applied, "p10", 14);
    assert_true(fabs(array_told(&applied, "p99.9") - 49.96) < 1e-13);
    array_free(&applied);
}

static void little_and_nothing(void **state)
{
    (void)state;
    const double one = -3.25;
    struct applied applied = array_apply("stats", "percentiles=50", shape_array(SAMPLE_F64, 0, NULL), &one);
    array_expect(&applied, "count", 1);
    array_expect(&applied, "std", 0);
    array_expect(&applied, "p50", -3.25);
    array_free(&applied);
    applied = array_apply("stats", "percentiles=50", ARRAY(SAMPLE_I32, 3, 0), NULL);
    array_expect(&applied, "count", 0);
    static const char *const fields[] = {"min", "max", "mean", "std", "sum", "p50"};
    for (size_t i = 0; i < 6; i++)
        array_expect(&applied, fields[i], NAN);
    array_free(&applied);
}

/* More than are gathered at once, most of them equal, and with NaN among them. */
static void selection_is_exact(void **state)
{
    (void)state;
    enum { COUNT = 60000 };
    double *values = calloc(COUNT, sizeof *values);
    for (size_t i = 0; i < COUNT; i++) /* 20000 each: NaN; 1; 2, 2 + ulp, ... */
        values[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? 1 : 2 + (double)(i / 3) * ldexp(1, -51);
    struct applied applied =
        array_apply("stats", "skip_nan=yes,percentiles=75,percentiles=25,percentiles=100,percentiles=50",
                    ARRAY(SAMPLE_F64, COUNT), values);
    array_expect(&applied, "p25", 1);
    array_expect(&applied, "p50", 1.5); /* between 1 and 2 */
    /* Rank 29999.25: a quarter of the way from one number to the next rounds back. */
    array_expect(&applied, "p75", 2 + 9999 * ldexp(1, -51));
    array_expect(&applied, "p100", 2 + 19999 * ldexp(1, -51));
    array_free(&applied);
    free(values);
}

/* Alpha is left out; levels as they are stored. */
static void colours_of_images_count(void **state)
{
    (void)state;
    const struct shape in = harness_shape(2, 1, 4, SAMPLE_U16);
    const uint16_t pixels[] = {1, 2, 3, 65535, 4, 5, 6, 0};
    struct applied applied = array_apply("stats", "percentiles=100", in, pixels);
    array_expect(&applied, "count", 6);
    array_expect(&applied, "sum", 21);
    array_expect(&applied, "max", 6);
    array_expect(&applied, "p100", 6);
    assert_memory_equal(applied.dst, pixels, sizeof pixels);
    array_free(&applied);
}

static void wrong_percentiles_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"percentiles=101", "percentiles=-1", "percentiles=x",
                                        "percentiles=5 6", "percentiles=nan"};
    struct error error = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(array_refused("stats", wrong[i], ARRAY(SAMPLE_F32, 3), &error), ERROR_USAGE);
        assert_non_null(strstr(error.reason, "from 0 to 100"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_has_closed_forms),
        cmocka_unit_test(types_agree),
        cmocka_unit_test(signs_are_in_order),
        cmocka_unit_test(large_integers_are_exact),
        cmocka_unit_test(a_large_mean_does_not_hide_the_spread),
        cmocka_unit_test(nan_is_told_or_skipped),
        cmocka_unit_test(little_and_nothing),
        cmocka_unit_test(selection_is_exact),
        cmocka_unit_test(colours_of_images_count),
        cmocka_unit_test(wrong_percentiles_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
