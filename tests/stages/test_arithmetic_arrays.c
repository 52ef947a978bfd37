/* SPDX-License-Identifier: MIT */
/* sumsq and primes on arrays, and what they tell the record. */
/* ctest labels: native */
#include "stage_harness.h"

#include <math.h>

#include "stages/numeric/sumsq.h"
#include "stages/synthetic/arithmetic.h"

/* The one field that the stage tells about an array. */
static struct record_field told(const char *name, const char *arguments, const struct shape *in,
                                const void *samples)
{
    uint8_t block[RECORD_NUMBER_BYTES];
    struct record record = {.block = block, .size_bytes = sizeof block, .prefix = ""};
    struct record_field field = {0}, none;
    struct error error = {0};
    struct shape out;
    size_t position = 0;
    void *dst;
    if (harness_try(name, arguments, in, samples, &record, &out, &dst, &error) != 0)
        fail_msg("%s: %s", name, error.reason);
    assert_memory_equal(&out, in, sizeof out);
    assert_memory_equal(dst, samples, shape_bytes(in));
    assert_int_equal(record_next(&record, &position, &field), 1);
    assert_int_equal(record_next(&record, &position, &none), 0);
    assert_string_equal(field.name, name);
    free(dst);
    return field;
}

/* n (n + 1) (2n + 1) / 6, over several pieces and whatever the type. */
static void squares_add_up_to_the_formula(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        if (sample == SAMPLE_BOOL)
            continue;
        const uint64_t n = shape_sample_bytes((uint8_t)sample) == 1 ? 127
                           : sample == SAMPLE_F16                   ? 2048
                                                                    : 20001;
        const struct shape in = shape_array((enum sample)sample, 1, &n);
        uint8_t *samples = harness_alloc(shape_bytes(&in));
        for (size_t i = 0; i < n; i++)
            harness_put(samples, in.sample, i,
                        shape_sample_is_signed(in.sample) && i % 3 ? -(double)(i + 1) : (double)(i + 1));
        const struct record_field field = told("sumsq", "", &in, samples);
        const uint64_t expected = n * (n + 1) * (2 * n + 1) / 6;
        assert_int_equal(field.type, shape_sample_is_float(in.sample) ? RECORD_REAL : RECORD_INT);
        assert_true(field.type == RECORD_INT ? (uint64_t)field.integer == expected
                                             : field.real == (double)expected);
        free(samples);
    }
}

static void the_largest_squares_do_not_overflow(void **state)
{
    (void)state;
    static const struct {
        enum sample sample;
        uint64_t bits;
        size_t count;
        double expected;
    } cases[] = {
        {SAMPLE_U8, 0xff, 100000, 255.0 * 255 * 100000},
        {SAMPLE_I8, 0x80, 100000, 128.0 * 128 * 100000},
        {SAMPLE_U16, 0xffff, 100000, 65535.0 * 65535 * 100000},
        {SAMPLE_I16, 0x8000, 100000, 0x1p30 * 100000},
        {SAMPLE_I32, 0x80000000, 100000, 0x1p62 * 100000},
        {SAMPLE_U32, 0xffffffff, 1, 18446744065119617025.0},
        {SAMPLE_U32, 0xffffffff, 65536, 18446744065119617025.0 * 65536},
        {SAMPLE_I64, (uint64_t)1 << 63, 5, 0x1p126 * 5},
        {SAMPLE_U64, (uint64_t)1 << 63, 100000, 0x1p126 * 100000},
        {SAMPLE_BOOL, 1, 77777, 77777},
        {SAMPLE_U8, 0, 5, 0},
        {SAMPLE_I64, 3, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t bytes = shape_sample_bytes((uint8_t)cases[i].sample);
        uint8_t *samples = harness_alloc(cases[i].count * bytes);
        for (size_t s = 0; s < cases[i].count; s++)
            memcpy(samples + s * bytes, &cases[i].bits, bytes); /* the low bytes come first */
        const struct sumsq sum = sumsq_samples((uint8_t)cases[i].sample, samples, cases[i].count);
        assert_int_equal(sum.exact, cases[i].expected < 0x1p63);
        assert_true(sum.exact ? (double)sum.integer == cases[i].expected : sum.real == cases[i].expected);
        free(samples);
    }
    /* Exact to the last unit: 2^63 - 1 is 3037000499^2 + ...; two squares and the rest in ones. */
    const uint64_t root = 3037000499, rest = (uint64_t)INT64_MAX - root * root;
    const uint64_t second = (uint64_t)sqrt((double)rest), ones = rest - second * second;
    uint64_t *numbers = calloc(ones + 3, sizeof *numbers);
    numbers[0] = root;
    numbers[1] = second;
    for (size_t i = 0; i < ones; i++)
        numbers[2 + i] = 1;
    struct sumsq sum = sumsq_samples(SAMPLE_U64, numbers, ones + 2);
    assert_true(sum.exact && sum.integer == INT64_MAX);
    numbers[2 + ones] = 1;
    sum = sumsq_samples(SAMPLE_U64, numbers, ones + 3);
    assert_true(!sum.exact && sum.real == 0x1p63);
    free(numbers);
    /* Rounded to the nearest double beyond 128 bits, too: (2^64 - 1)^2 = 2^128 - 2^65 + 1. */
    const uint64_t largest[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    assert_true(sumsq_samples(SAMPLE_U64, largest, 1).real == 0x1p128);
    assert_true(sumsq_samples(SAMPLE_U64, largest, 3).real == 0x1.8p129);
}

/* A tenth as a float, squared and added a million times: exact in long double as long as that is longer. */
static void sums_of_floats_keep_their_digits(void **state)
{
    (void)state;
    const size_t count = 1000003;
    double *doubles = malloc(count * sizeof *doubles);
    float *singles = malloc(count * sizeof *singles);
    long double double_sum = 0, single_sum = 0;
    for (size_t i = 0; i < count; i++) {
        doubles[i] = 0.1 + (double)(i % 7919);
        singles[i] = 0.1f * (float)(i % 7919);
        double_sum += (long double)doubles[i] * doubles[i];
        single_sum += (long double)singles[i] * singles[i];
    }
    const double of_doubles = sumsq_samples(SAMPLE_F64, doubles, count).real;
    const double of_singles = sumsq_samples(SAMPLE_F32, singles, count).real;
    assert_true(fabs(of_doubles - (double)double_sum) <= 1e-14 * (double)double_sum);
    assert_true(fabs(of_singles - (double)single_sum) <= 1e-14 * (double)single_sum);
    doubles[5000] = (double)INFINITY;
    assert_true(isinf(sumsq_samples(SAMPLE_F64, doubles, count).real));
    doubles[5000] = 1e200;
    assert_true(isinf(sumsq_samples(SAMPLE_F64, doubles, count).real));
    doubles[5001] = (double)NAN;
    assert_true(isnan(sumsq_samples(SAMPLE_F64, doubles, count).real));
    free(singles);
    free(doubles);
}

static void primes_are_found_among_samples(void **state)
{
    (void)state;
    const uint64_t count = 100000;
    static const enum sample types[] = {SAMPLE_I32, SAMPLE_U32, SAMPLE_I64, SAMPLE_U64};
    for (size_t t = 0; t < 4; t++) {
        const struct shape in = shape_array(types[t], 1, &count);
        uint8_t *samples = harness_alloc(shape_bytes(&in)), *sieve = calloc(count, 1);
        struct shape out;
        for (size_t i = 0; i < count; i++)
            harness_put(samples, in.sample, i, (double)i);
        uint8_t *dst = harness_apply("primes", "mode=each", &in, samples, &out);
        assert_int_equal(out.sample, SAMPLE_BOOL);
        sieve[0] = sieve[1] = 1;
        for (size_t i = 2; i < count; i++) {
            assert_int_equal(dst[i], !sieve[i]);
            for (size_t multiple = 2 * i; multiple < count; multiple += i)
                sieve[multiple] = 1;
        }
        assert_int_equal(dst[0] | dst[1], 0);
        free(dst);
        free(sieve);
        free(samples);
    }
    const struct shape bytes = shape_array(SAMPLE_I8, 1, (const uint64_t[]){4});
    const int8_t values[] = {-3, -128, 127, 121};
    struct shape out;
    uint8_t *dst = harness_apply("primes", "mode=each", &bytes, values, &out);
    assert_true(dst[0] == 0 && dst[1] == 0 && dst[2] == 1 && dst[3] == 0);
    free(dst);
}

static void large_numbers_are_divided_far_enough(void **state)
{
    (void)state;
    assert_true(primes_is(4294967291u));          /* the largest below 2^32 */
    assert_true(!primes_is(4294836225u));         /* 65535^2 */
    assert_true(!primes_is(4294049777u));         /* 65521 x 65537: the factor is the last that is tried */
    assert_true(primes_is(4294967311u));          /* the smallest above 2^32 */
    assert_true(!primes_is(4295098369u));         /* 65537^2 */
    assert_true(!primes_is(UINT64_MAX));          /* divisible by 3 */
    assert_true(!primes_is((uint64_t)INT64_MAX)); /* by 7 */
    assert_true(primes_is(1000000000039u));       /* the smallest above 10^12 */
    assert_true(!primes_is(1000036000099u));      /* 1000003 x 1000033 */
}

static void counts_are_told(void **state)
{
    (void)state;
    const struct shape in = shape_array(SAMPLE_U8, 1, (const uint64_t[]){5});
    const uint8_t samples[5] = {1, 2, 3, 4, 5};
    const struct record_field field = told("primes", "n=10000", &in, samples);
    assert_true(field.type == RECORD_INT && field.integer == 1229); /* OEIS A006880 */
    const struct shape image = harness_shape(2, 2, 1, SAMPLE_U8);
    struct error error = {0};
    struct shape out;
    void *dst;
    assert_int_equal(harness_try("primes", "mode=each", &image, samples, NULL, &out, &dst, &error),
                     ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.reason, "put to_array before it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squares_add_up_to_the_formula),
        cmocka_unit_test(the_largest_squares_do_not_overflow),
        cmocka_unit_test(sums_of_floats_keep_their_digits),
        cmocka_unit_test(primes_are_found_among_samples),
        cmocka_unit_test(large_numbers_are_divided_far_enough),
        cmocka_unit_test(counts_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
