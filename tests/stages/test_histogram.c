/* SPDX-License-Identifier: MIT */
/* histogram: which bin holds which edge, what the range is, and what is left outside. */
#include "array_harness.h"

static void expect_counts(const struct applied *applied, const int *counts, size_t bins)
{
    for (size_t i = 0; i < bins; i++) {
        char name[24];
        snprintf(name, sizeof name, "h%zu", i);
        array_expect(applied, name, counts[i]);
    }
}

/* The example of numpy.histogram's documentation: the last bin, and it alone, holds its upper edge. */
static void the_last_bin_is_closed(void **state)
{
    (void)state;
    const int32_t values[] = {1, 2, 3, 4};
    struct applied applied = array_apply("histogram", "bins=3", ARRAY(SAMPLE_I32, 4), values);
    array_expect(&applied, "low", 1);
    array_expect(&applied, "high", 4);
    array_expect(&applied, "outside", 0);
    expect_counts(&applied, (const int[]){1, 1, 2}, 3);
    assert_memory_equal(applied.dst, values, sizeof values);
    array_free(&applied);
}

/* 0, 0.1, ..., 1 in 10 bins: the edges are i x 0.1 in double, which is above 0.3, 0.6 and 0.7 as written. */
static void edges_are_those_of_linspace(void **state)
{
    (void)state;
    const double values[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
    struct applied applied = array_apply("histogram", "low=0,high=1", ARRAY(SAMPLE_F64, 11), values);
    expect_counts(&applied, (const int[]){1, 1, 2, 0, 1, 2, 1, 0, 1, 2}, 10);
    array_free(&applied);
}

static void what_is_outside_is_told(void **state)
{
    (void)state;
    const float values[] = {-1, 0, 0.5F, 1, 1.5F, NAN, INFINITY, -INFINITY};
    struct applied applied = array_apply("histogram", "bins=2,low=0,high=1", ARRAY(SAMPLE_F32, 8), values);
    array_expect(&applied, "outside", 5);
    expect_counts(&applied, (const int[]){1, 2}, 2);
    array_free(&applied);
    applied = array_apply("histogram", "bins=2", ARRAY(SAMPLE_F32, 8), values);
    array_expect(&applied, "low", -1); /* of the finite ones */
    array_expect(&applied, "high", 1.5);
    array_expect(&applied, "outside", 3);
    expect_counts(&applied, (const int[]){2, 3}, 2);
    array_free(&applied);
}

static void a_range_of_no_width_is_widened(void **state)
{
    (void)state;
    const double seven[] = {7, 7, 7};
    struct applied applied = array_apply("histogram", "bins=3", ARRAY(SAMPLE_F64, 3), seven);
    array_expect(&applied, "low", 6.5);
    array_expect(&applied, "high", 7.5);
    expect_counts(&applied, (const int[]){0, 3, 0}, 3);
    array_free(&applied);
    applied = array_apply("histogram", "bins=2", ARRAY(SAMPLE_F64, 0), NULL);
    array_expect(&applied, "low", 0);
    array_expect(&applied, "high", 1);
    expect_counts(&applied, (const int[]){0, 0}, 2);
    array_free(&applied);
    applied = array_apply("histogram", "bins=1", shape_array(SAMPLE_F64, 0, NULL), seven);
    expect_counts(&applied, (const int[]){1}, 1);
    array_free(&applied);
}

/* 256 bins for 8 bit: one for each level; alpha is not counted. */
static void levels_have_a_bin_each(void **state)
{
    (void)state;
    const struct shape in = harness_shape(256, 1, 2, SAMPLE_U8);
    uint8_t pixels[512];
    for (unsigned i = 0; i < 256; i++) {
        pixels[2 * i] = (uint8_t)i;
        pixels[2 * i + 1] = 9;
    }
    struct applied applied = array_apply("histogram", "bins=256", in, pixels);
    array_expect(&applied, "high", 255);
    for (unsigned i = 0; i < 256; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%u", i);
        array_expect(&applied, name, 1);
    }
    array_free(&applied);
}

static void impossible_ranges_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    const struct shape in = ARRAY(SAMPLE_F64, 3);
    assert_int_equal(array_refused("histogram", "low=2,high=1", in, &error), ERROR_USAGE);

    assert_int_equal(array_refused("histogram", "low=-1e308,high=1e308", in, &error), ERROR_USAGE);
    assert_int_equal(array_refused("histogram", "low=1,high=1", in, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_bin_is_closed),  cmocka_unit_test(edges_are_those_of_linspace),
        cmocka_unit_test(what_is_outside_is_told), cmocka_unit_test(a_range_of_no_width_is_widened),
        cmocka_unit_test(levels_have_a_bin_each),  cmocka_unit_test(impossible_ranges_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
