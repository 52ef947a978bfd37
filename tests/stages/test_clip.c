/* SPDX-License-Identifier: MIT */
/* clip on arrays and images. */
#include "stage_harness.h"

#include <math.h>

static const uint64_t nine = 9;

static void values_are_limited(void **state)
{
    (void)state;
    static const struct {
        enum sample sample;
        const char *arguments;
        double value, expected;
    } cases[] = {
        {SAMPLE_U8, "min=10,max=20", 5, 10},
        {SAMPLE_U8, "min=10,max=20", 15, 15},
        {SAMPLE_U8, "min=10,max=20", 200, 20},
        {SAMPLE_U8, "min=9.2,max=20.9", 5, 10}, /* within the limits, both */
        {SAMPLE_U8, "min=9.2,max=20.9", 30, 20},
        {SAMPLE_U8, "min=-5", 0, 0},
        {SAMPLE_U8, "max=1e9", 255, 255},
        {SAMPLE_I8, "min=-3.5", -100, -3},
        {SAMPLE_I8, "max=-3.5", 100, -4},
        {SAMPLE_I16, "min=-1e9,max=1e9", -32768, -32768},
        {SAMPLE_U16, "max=40000", 65535, 40000},
        {SAMPLE_I32, "min=-2147483648,max=2147483647", -2147483648, -2147483648},
        {SAMPLE_U32, "min=3000000000", 1, 3000000000},
        {SAMPLE_U32, "max=3000000000", 4294967295, 3000000000},
        {SAMPLE_I64, "min=-1e18", -4e18, -1e18},
        {SAMPLE_I64, "max=1e19", 4e18, 4e18},
        {SAMPLE_U64, "min=1e19", 1, 1e19},
        {SAMPLE_U64, "max=1e19", 1.5e19, 1e19},
        {SAMPLE_F16, "min=-1,max=0.1", 5, 0x1.998p-4}, /* the nearest half */
        {SAMPLE_F16, "max=1e6", (double)INFINITY, (double)INFINITY},
        {SAMPLE_F32, "min=-1,max=0.1", 5, 0x1.99999ap-4},
        {SAMPLE_F32, "min=0", (double)-INFINITY, 0},
        {SAMPLE_F32, "max=1e300", 1e38, 0x1.2ced32p126},
        {SAMPLE_F64, "min=-1,max=0.1", 5, 0.1},
        {SAMPLE_F64, "min=-1,max=0.1", -1e300, -1},
        {SAMPLE_F64, "min=2,max=2", 7, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = shape_array(cases[i].sample, 1, &nine);
        uint64_t samples[9];
        struct shape out;
        for (size_t s = 0; s < nine; s++)
            harness_put(samples, in.sample, s, cases[i].value);
        void *dst = harness_apply("clip", cases[i].arguments, &in, samples, &out);
        assert_memory_equal(&in, &out, sizeof in);
        for (size_t s = 0; s < nine; s++) {
            if (harness_get(dst, out.sample, s) != cases[i].expected)
                fail_msg("%s of %g: %.17g", cases[i].arguments, cases[i].value,
                         harness_get(dst, out.sample, s));
        }
        free(dst);
    }
}

static void nan_stays(void **state)
{
    (void)state;
    static const enum sample floats[] = {SAMPLE_F16, SAMPLE_F32, SAMPLE_F64};
    for (size_t i = 0; i < 3; i++) {
        const struct shape in = shape_array(floats[i], 1, &nine);
        uint64_t samples[9];
        struct shape out;
        for (size_t s = 0; s < nine; s++)
            harness_put(samples, in.sample, s, s % 2 ? 50 : (double)NAN);
        void *dst = harness_apply("clip", "min=-1,max=1", &in, samples, &out);
        for (size_t s = 0; s < nine; s++)
            assert_true(s % 2 ? harness_get(dst, in.sample, s) == 1 : isnan(harness_get(dst, in.sample, s)));
        free(dst);
    }
}

static void integers_of_64_bit_are_exact(void **state)
{
    (void)state;
    const uint64_t values[9] = {UINT64_MAX, UINT64_MAX - 1, 9007199254740993, 0};
    struct shape in = shape_array(SAMPLE_U64, 1, &nine), out;
    uint64_t *dst = harness_apply("clip", "min=0,max=1e300", &in, values, &out);
    assert_memory_equal(dst, values, sizeof values);
    free(dst);
    in = shape_array(SAMPLE_I64, 1, &nine);
    dst = harness_apply("clip", "min=-1e300,max=9223372036854775807", &in, values, &out);
    assert_memory_equal(dst, values, sizeof values);
    free(dst);
}

/* Parts of full scale; alpha has none of it. */
static void images_are_limited_by_parts_of_full_scale(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        const struct shape in = harness_shape(50, 40, 4, (enum sample)sample);
        const double full = harness_full(in.sample), step = full > 1 ? 0.5 : 1e-7;
        uint8_t *src = harness_image(&in, 3);
        struct shape out;
        uint8_t *dst = harness_apply("clip", "min=0.25,max=0.6", &in, src, &out);
        for (size_t i = 0; i < 50 * 40 * 4; i++) {
            const double value = harness_get(src, in.sample, i), got = harness_get(dst, in.sample, i);
            const double limited = fmin(fmax(value, 0.25 * full), 0.6 * full);
            assert_true(i % 4 == 3 ? got == value : fabs(got - limited) <= step);
        }
        free(dst);
        free(src);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum sample sample;
        const char *arguments, *says;
    } cases[] = {
        {SAMPLE_F32, "", "give min, max, or both"},
        {SAMPLE_F32, "min=2,max=1", "min 2 is larger than max 1"},
        {SAMPLE_U8, "min=256", "no value of u8 lies within"},
        {SAMPLE_U8, "max=-1", "no value of u8 lies within"},
        {SAMPLE_I32, "min=0.2,max=0.8", "no value of i32 lies within"},
        {SAMPLE_U64, "min=18446744073709551616", "no value of u64 lies within"},
        {SAMPLE_F32, "min=1e39", "no value of f32 lies within"},
        {SAMPLE_F16, "max=-1e6", "no value of f16 lies within"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = shape_array(cases[i].sample, 0, NULL);
        const uint64_t value = 0;
        struct error error = {0};
        struct shape out;
        void *dst;
        assert_int_equal(harness_try("clip", cases[i].arguments, &in, &value, NULL, &out, &dst, &error),
                         ERROR_USAGE);
        if (!strstr(error.reason, cases[i].says))
            fail_msg("%s: %s", cases[i].arguments, error.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_limited),
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(integers_of_64_bit_are_exact),
        cmocka_unit_test(images_are_limited_by_parts_of_full_scale),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
