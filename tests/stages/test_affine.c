/* SPDX-License-Identifier: MIT */
/* linear on arrays: C's own arithmetic for floats, by hand for integers. */
#include "stage_harness.h"

#include <math.h>

static const uint64_t nine = 9;

/* float and double as the language computes them, special values included. */
static void floats_are_multiplied_and_added_in_their_type(void **state)
{
    (void)state;
    const uint64_t count = 3 * SHAPE_BLOCK_SAMPLES + 7;
    struct shape in = shape_array(SAMPLE_F32, 1, &count), out;
    float *singles = (float *)(void *)harness_array(&in, 5);
    float *dst = harness_apply("linear", "a=0.1,b=-0.3", &in, singles, &out);
    assert_memory_equal(&in, &out, sizeof in);
    for (size_t i = 0; i < count; i++) {
        volatile float product = 0.1f * singles[i];
        const float expected = product + -0.3f;
        assert_true(isnan(expected) ? isnan(dst[i]) : dst[i] == expected);
    }
    free(dst);
    free(singles);
    in = shape_array(SAMPLE_F64, 1, &count);
    double *doubles = (double *)(void *)harness_array(&in, 5), *result;
    result = harness_apply("linear", "a=0.1,b=-0.3", &in, doubles, &out);
    for (size_t i = 0; i < count; i++) {
        volatile double product = 0.1 * doubles[i];
        const double expected = product + -0.3;
        assert_true(isnan(expected) ? isnan(result[i]) : result[i] == expected);
    }
    free(result);
    free(doubles);
}

/* Every half: the factor, the product and the sum are each the nearest half. */
static void halves_are_rounded_after_each_step(void **state)
{
    (void)state;
    const uint64_t count = 65536;
    const struct shape in = shape_array(SAMPLE_F16, 1, &count);
    struct shape out;
    uint16_t *halves = malloc(count * sizeof *halves);
    for (uint32_t i = 0; i < count; i++)
        halves[i] = (uint16_t)i;
    uint16_t *dst = harness_apply("linear", "a=1.3,b=0.7", &in, halves, &out);
    const double a = half_value(half_of(1.3)), b = half_value(half_of(0.7));
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t product = half_of(a * half_value((uint16_t)i));
        const double expected = half_value(half_of(half_value(product) + b));
        assert_true(isnan(expected) ? isnan(half_value(dst[i])) : half_value(dst[i]) == expected);
    }
    free(dst);
    free(halves);
}

static void integers_are_rounded_and_saturate(void **state)
{
    (void)state;
    static const struct {
        enum sample sample;
        const char *arguments;
        double value, expected;
    } cases[] = {
        {SAMPLE_U8, "a=2", 100, 200},
        {SAMPLE_U8, "a=3", 100, 255},
        {SAMPLE_U8, "a=-1", 1, 0},
        {SAMPLE_U8, "a=0.5", 5, 2}, /* 2.5 and 3.5: to the even ones */
        {SAMPLE_U8, "a=0.5", 7, 4},
        {SAMPLE_I8, "a=0.5", -5, -2},
        {SAMPLE_I8, "b=-100", -100, -128},
        {SAMPLE_U16, "a=0.1,b=0.26", 3, 1},
        {SAMPLE_I16, "a=1e300", -1, -32768},
        {SAMPLE_I32, "a=-1", -2147483648, 2147483647},
        {SAMPLE_U32, "b=4294967295", 7, 4294967295},
        {SAMPLE_U32, "a=0.25,b=0.5", 4294967295, 1073741824},
        {SAMPLE_I64, "a=0.5", -3, -2},
        {SAMPLE_U64, "a=-0.5", 3, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = shape_array(cases[i].sample, 1, &nine);
        uint64_t samples[9];
        struct shape out;
        for (size_t s = 0; s < nine; s++)
            harness_put(samples, in.sample, s, cases[i].value);
        void *dst = harness_apply("linear", cases[i].arguments, &in, samples, &out);
        for (size_t s = 0; s < nine; s++)
            assert_true(harness_get(dst, out.sample, s) == cases[i].expected);
        free(dst);
    }
}

/* Where a and b are whole numbers no bit is lost. */
static void integers_of_64_bit_are_exact(void **state)
{
    (void)state;
    const int64_t values[9] = {9007199254740993, -9007199254740993, INT64_MAX, INT64_MIN, 0, 1, -1, 2, 3};
    struct shape in = shape_array(SAMPLE_I64, 1, &nine), out;
    int64_t *same = harness_apply("linear", "", &in, values, &out);
    assert_memory_equal(same, values, sizeof values);
    free(same);
    int64_t *dst = harness_apply("linear", "a=-3,b=1", &in, values, &out);
    assert_true(dst[0] == -27021597764222978 && dst[1] == 27021597764222980);
    assert_true(dst[2] == INT64_MIN && dst[3] == INT64_MAX && dst[4] == 1 && dst[8] == -8);
    free(dst);
    const uint64_t large[9] = {UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 63};
    in = shape_array(SAMPLE_U64, 1, &nine);
    uint64_t *less = harness_apply("linear", "b=-1", &in, large, &out);
    assert_true(less[0] == UINT64_MAX - 1 && less[1] == UINT64_MAX - 2 && less[2] == INT64_MAX);
    assert_true(less[3] == 0);
    free(less);
    /* With a fraction, to 53 bits and then to the type's largest. */
    less = harness_apply("linear", "b=-0.5", &in, large, &out);
    assert_true(less[0] == UINT64_MAX && less[2] == (uint64_t)1 << 63);
    free(less);
}

static void what_the_type_does_not_hold_is_refused(void **state)
{
    (void)state;
    const float value = 1;
    struct shape in = shape_array(SAMPLE_F16, 0, NULL), out;
    struct error error = {0};
    void *dst;
    assert_int_equal(harness_try("linear", "a=65520", &in, &value, NULL, &out, &dst, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "a: 65520 is more than f16 holds"));
    in = shape_array(SAMPLE_F32, 0, NULL);
    assert_int_equal(harness_try("linear", "b=-1e39", &in, &value, NULL, &out, &dst, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "b: -1e+39 is more than f32 holds"));
    in = shape_array(SAMPLE_BOOL, 0, NULL);
    assert_int_equal(harness_try("linear", "", &in, &value, NULL, &out, &dst, &error), ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.reason, "put astype before it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_multiplied_and_added_in_their_type),
        cmocka_unit_test(halves_are_rounded_after_each_step),
        cmocka_unit_test(integers_are_rounded_and_saturate),
        cmocka_unit_test(integers_of_64_bit_are_exact),
        cmocka_unit_test(what_the_type_does_not_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
