/* SPDX-License-Identifier: MIT */
/* ctest labels: native */
/* (valgrind rounds long double, which the expectations are made in, to double)
 *
 * rfft against the sum that defines it, in long double, for lengths of every kind: products of small primes,
 * primes with and without a chirp, odd and even, below and beyond a block. */
#include "array_harness.h"

/* X[k] of `count` numbers. */
static void naive(const double *values, size_t count, size_t k, double *re, double *im)
{
    const long double turn = 2 * acosl(-1) / (long double)count;
    long double sum_re = 0, sum_im = 0;
    for (size_t t = 0; t < count; t++) {
        const long double angle = turn * (long double)(t * k % count);
        sum_re += (long double)values[t] * cosl(angle);
        sum_im -= (long double)values[t] * sinl(angle);
    }
    *re = (double)sum_re;
    *im = (double)sum_im;
}

static double *noise(size_t count)
{
    double *values = calloc(count, sizeof *values);
    uint32_t seed = 5;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (double)(seed >> 8) / (1 << 23) - 1;
    }
    return values;
}

/* The root mean square of the result is that of the input times the root of the length. */
static double allowed(const double *values, size_t count)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += values[i] * values[i];
    return 4e-16 * (1 + log2((double)count)) * sqrt(squares);
}

static void expect_spectrum(size_t count, size_t step)
{
    double *values = noise(count);
    struct applied applied = array_apply("rfft", "output=complex", ARRAY(SAMPLE_F64, count), values);
    struct applied sizes = array_apply("rfft", "", ARRAY(SAMPLE_F64, count), values);
    struct applied powers = array_apply("rfft", "output=power", ARRAY(SAMPLE_F64, count), values);
    assert_int_equal(applied.out.rank, 2);
    assert_int_equal(applied.out.dims[0], count / 2 + 1);
    assert_int_equal(applied.out.dims[1], 2);
    assert_int_equal(sizes.out.rank, 1);
    assert_int_equal(sizes.out.dims[0], count / 2 + 1);
    const void *raw = applied.dst, *raw_sizes = sizes.dst, *raw_powers = powers.dst;
    const double *got = raw, *size = raw_sizes, *power = raw_powers, tolerance = allowed(values, count);
    for (size_t k = 0; k <= count / 2; k += step) {
        double re, im;
        naive(values, count, k, &re, &im);
        if (!(fabs(got[2 * k] - re) <= tolerance && fabs(got[2 * k + 1] - im) <= tolerance))
            fail_msg("length %zu, frequency %zu: %.17g %.17g, not %.17g %.17g", count, k, got[2 * k],
                     got[2 * k + 1], re, im);
        assert_true(power[k] == got[2 * k] * got[2 * k] + got[2 * k + 1] * got[2 * k + 1]);
        assert_true(size[k] == sqrt(power[k]));
    }
    assert_true(got[1] == 0); /* the sum; and of an even number of them, the alternating sum */
    if (count % 2 == 0)
        assert_true(got[count + 1] == 0);
    array_free(&applied);
    array_free(&sizes);
    array_free(&powers);
    free(values);
}

static void spectra_are_those_of_the_definition(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 130; count++)
        expect_spectrum(count, 1);
    static const size_t counts[] = {243, 625, 1000, 1009, 1024, 2 * 1009, 31 * 31 * 2, 37 * 41, 4096, 5040};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        expect_spectrum(counts[i], 7);
    expect_spectrum(40000, 997);
    expect_spectrum(20011, 997); /* a prime */
    expect_spectrum(2 * 20011, 997);
}

/* Lines that lie across blocks, more and fewer than go together, of each type of input. */
static void every_line_is_transformed(void **state)
{
    (void)state;
    enum { LINES = 203 };
    static const size_t lengths[] = {1, 7, 100, 3000};
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        const size_t length = lengths[n], bins = length / 2 + 1;
        double *values = noise(LINES * length);
        struct applied all = array_apply("rfft", "output=complex", ARRAY(SAMPLE_F64, LINES, length), values);
        const void *raw = all.dst;
        for (size_t line = 0; line < LINES; line += 29) {
            struct applied one =
                array_apply("rfft", "output=complex", ARRAY(SAMPLE_F64, length), values + line * length);
            assert_memory_equal(one.dst, (const double *)raw + line * 2 * bins, 2 * bins * sizeof(double));
            array_free(&one);
        }
        array_free(&all);
        free(values);
    }
}

/* A cosine of 8 with amplitude 3 and a level of 1, in small integers: 8 and 12, to f32. */
static void small_types_come_out_as_f32(void **state)
{
    (void)state;
    const int8_t values[] = {4, 1, -2, 1, 4, 1, -2, 1};
    struct applied applied = array_apply("rfft", "", ARRAY(SAMPLE_I8, 8), values);
    assert_int_equal(applied.out.sample, SAMPLE_F32);
    const void *raw = applied.dst;
    const float expected[] = {8, 0, 12, 0, 0};
    for (size_t k = 0; k < 5; k++)
        assert_true(fabsf(((const float *)raw)[k] - expected[k]) < 1e-14F);
    array_free(&applied);
}

/* 1e200 has no square. */
static void magnitudes_do_not_overflow(void **state)
{
    (void)state;
    const double large[] = {1e200, 0, 0, 0}, small[] = {1e-200, 0, 0, 0};
    struct applied applied = array_apply("rfft", "", ARRAY(SAMPLE_F64, 4), large);
    const void *raw = applied.dst;
    for (size_t k = 0; k < 3; k++)
        assert_true(fabs(((const double *)raw)[k] / 1e200 - 1) < 1e-15);
    array_free(&applied);
    applied = array_apply("rfft", "", ARRAY(SAMPLE_F64, 4), small);
    raw = applied.dst;
    for (size_t k = 0; k < 3; k++)
        assert_true(fabs(((const double *)raw)[k] / 1e-200 - 1) < 1e-15);
    array_free(&applied);
}

static void nan_is_everywhere(void **state)
{
    (void)state;
    const double values[] = {1, NAN, 3, 4, 5, 6};
    struct applied applied = array_apply("rfft", "", ARRAY(SAMPLE_F64, 6), values);
    const void *raw = applied.dst;
    for (size_t k = 0; k < 4; k++)
        assert_true(isnan(((const double *)raw)[k]));
    array_free(&applied);
}

static void shapes_without_a_spectrum_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(array_refused("rfft", "", shape_array(SAMPLE_F64, 0, NULL), &error), ERROR_UNSUPPORTED);
    assert_int_equal(array_refused("rfft", "", ARRAY(SAMPLE_F64, 3, 0), &error), ERROR_UNSUPPORTED);
    assert_int_equal(
        array_refused("rfft", "output=complex", ARRAY(SAMPLE_F64, 1, 1, 1, 1, 1, 1, 1, 4), &error),
        ERROR_UNSUPPORTED);
    struct applied applied = array_apply("rfft", "", ARRAY(SAMPLE_F64, 0, 6), NULL);
    assert_int_equal(applied.out.dims[1], 4);
    array_free(&applied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_are_those_of_the_definition),
        cmocka_unit_test(every_line_is_transformed),
        cmocka_unit_test(small_types_come_out_as_f32),
        cmocka_unit_test(magnitudes_do_not_overflow),
        cmocka_unit_test(nan_is_everywhere),
        cmocka_unit_test(shapes_without_a_spectrum_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
