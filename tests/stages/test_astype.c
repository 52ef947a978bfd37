/* SPDX-License-Identifier: MIT */
/* astype: IEEE binary16 by its definition, C's own conversions where they are defined, and by hand what they
 * leave open. */
/* ctest labels: native */
#include "stage_harness.h"

#include <math.h>

static const double inf = (double)INFINITY, nan_value = (double)NAN;

/* Every half as f64, and as f32. */
static void every_half_is_exact(void **state)
{
    (void)state;
    const uint64_t count = 65536;
    const struct shape in = shape_array(SAMPLE_F16, 1, &count);
    uint16_t *halves = malloc(count * sizeof *halves);
    struct shape out, back;
    for (uint32_t i = 0; i < count; i++)
        halves[i] = (uint16_t)i;
    double *doubles = harness_apply("astype", "type=f64", &in, halves, &out);
    float *floats = harness_apply("astype", "type=float32", &in, halves, &out);
    for (uint32_t i = 0; i < count; i++) {
        const double value = half_value((uint16_t)i);
        assert_true(isnan(value) ? isnan(doubles[i]) : memcmp(&doubles[i], &value, sizeof value) == 0);
        assert_true(isnan(value) ? isnan(floats[i]) : (double)floats[i] == value);
    }
    uint16_t *again = harness_apply("astype", "type=f16", &out, floats, &back);
    for (uint32_t i = 0; i < count; i++)
        assert_true(isnan(half_value((uint16_t)i)) ? isnan(half_value(again[i])) : again[i] == i);
    free(again);
    free(floats);
    free(doubles);
    free(halves);
}

/* Between each half and the next: the middle goes to the even one, what is next to it to the nearer one. Half
 * a step beyond the largest half begins infinity. */
static void halves_are_rounded_to_nearest_even(void **state)
{
    (void)state;
    const uint64_t count = 3 * 0x7c00u;
    const struct shape in = shape_array(SAMPLE_F64, 1, &count);
    double *between = malloc(count * sizeof *between);
    struct shape out;
    for (uint16_t half = 0; half < 0x7c00; half++) {
        const double above = half == 0x7bff ? 65536 : half_value(half + 1);
        const double middle = (half_value(half) + above) / 2;
        between[3 * half] = nextafter(middle, 0);
        between[3 * half + 1] = middle;
        between[3 * half + 2] = nextafter(middle, 1e9);
    }
    for (int sign = 0; sign < 2; sign++) {
        uint16_t *halves = harness_apply("astype", "type=float16,casting=wrap", &in, between, &out);
        for (uint16_t half = 0; half < 0x7c00; half++) {
            const unsigned minus = sign ? 0x8000u : 0;
            assert_int_equal(halves[3 * half], half | minus);
            assert_int_equal(halves[3 * half + 1], (half + half % 2) | minus);
            assert_int_equal(halves[3 * half + 2], (half + 1) | minus);
        }
        free(halves);
        for (size_t i = 0; i < count; i++)
            between[i] = -between[i];
    }
    free(between);
}

struct conversion {
    uint8_t from;
    double value;
    uint8_t to;
    double truncated, nearest; /* under `saturate` */
    double wrapped;            /* of the truncated value */
    bool error;
};

static const struct conversion conversions[] = {
    {SAMPLE_F64, 2.5, SAMPLE_U8, 2, 2, 2, false},
    {SAMPLE_F64, 3.5, SAMPLE_U8, 3, 4, 3, false},
    {SAMPLE_F64, -2.7, SAMPLE_I8, -2, -3, -2, false},
    {SAMPLE_F64, -0.9, SAMPLE_U8, 0, 0, 0, false},
    {SAMPLE_F64, -1, SAMPLE_U8, 0, 0, 255, true},
    {SAMPLE_F64, 255.9, SAMPLE_U8, 255, 255, 255, false},
    {SAMPLE_F64, 256, SAMPLE_U8, 255, 255, 0, true},
    {SAMPLE_F32, 1e10, SAMPLE_U8, 255, 255, 0, true}, /* 10^10 = 2^10 x 5^10 */
    {SAMPLE_F32, 70000, SAMPLE_I16, 32767, 32767, 70000 - 65536, true},
    {SAMPLE_F16, -200, SAMPLE_I8, -128, -128, 56, true},
    {SAMPLE_F16, 65504, SAMPLE_U16, 65504, 65504, 65504, false},
    {SAMPLE_F64, 4294967295, SAMPLE_U32, 4294967295, 4294967295, 4294967295, false},
    {SAMPLE_F64, 4294967296, SAMPLE_U32, 4294967295, 4294967295, 0, true},
    {SAMPLE_F64, -2147483648, SAMPLE_I32, -2147483648, -2147483648, -2147483648, false},
    {SAMPLE_F64, 2147483648, SAMPLE_I32, 2147483647, 2147483647, -2147483648, true},
    {SAMPLE_F64, 9007199254740992, SAMPLE_I64, 9007199254740992, 9007199254740992, 9007199254740992, false},
    {SAMPLE_F64, -0x1p63, SAMPLE_I64, -0x1p63, -0x1p63, -0x1p63, false},
    {SAMPLE_F64, 0x1p63, SAMPLE_I64, 0x1p63, 0x1p63, -0x1p63, true},
    {SAMPLE_F64, 0x1p63, SAMPLE_U64, 0x1p63, 0x1p63, 0x1p63, false},
    {SAMPLE_F64, 0x1p64, SAMPLE_U64, 0x1p64, 0x1p64, 0, true},
    {SAMPLE_F64, 0x1.8p65, SAMPLE_U64, 0x1p64, 0x1p64, 0, true},
    {SAMPLE_F64, -0x1.8p63, SAMPLE_U64, 0, 0, 0x1p62, true},
    {SAMPLE_F64, 1e300, SAMPLE_I16, 32767, 32767, 0, true},
    {SAMPLE_F64, nan_value, SAMPLE_I32, 0, 0, 0, true},
    {SAMPLE_F32, inf, SAMPLE_I8, 127, 127, 0, true},
    {SAMPLE_F32, -inf, SAMPLE_I8, -128, -128, 0, true},
    {SAMPLE_F16, -inf, SAMPLE_U64, 0, 0, 0, true},
    {SAMPLE_I32, -1, SAMPLE_U64, 0, 0, 0x1p64, true},
    {SAMPLE_I32, -1, SAMPLE_U8, 0, 0, 255, true},
    {SAMPLE_U16, 300, SAMPLE_I8, 127, 127, 44, true},
    {SAMPLE_U32, 3000000000, SAMPLE_I32, 2147483647, 2147483647, -1294967296, true},
    {SAMPLE_U64, 0x1p63, SAMPLE_I64, 0x1p63, 0x1p63, -0x1p63, true},
    {SAMPLE_I64, -0x1p62, SAMPLE_I16, -32768, -32768, 0, true},
    {SAMPLE_I8, -128, SAMPLE_F16, -128, -128, -128, false},
    {SAMPLE_U16, 65519, SAMPLE_F16, 65504, 65504, 65504, false},
    {SAMPLE_U16, 65520, SAMPLE_F16, 65504, 65504, inf, true},
    {SAMPLE_I64, -0x1p60, SAMPLE_F16, -65504, -65504, -inf, true},
    {SAMPLE_F64, 1e39, SAMPLE_F32, 0x1.fffffep127, 0x1.fffffep127, inf, true},
    {SAMPLE_F64, -0x1.ffffffp127, SAMPLE_F32, -0x1.fffffep127, -0x1.fffffep127, -inf, true},
    {SAMPLE_F64, 0x1.fffffefffffffp127, SAMPLE_F32, 0x1.fffffep127, 0x1.fffffep127, 0x1.fffffep127, false},
    {SAMPLE_F64, 1e5, SAMPLE_F16, 65504, 65504, inf, true},
    {SAMPLE_F64, -inf, SAMPLE_F16, -inf, -inf, -inf, false},
    {SAMPLE_F64, nan_value, SAMPLE_F32, nan_value, nan_value, nan_value, false},
    {SAMPLE_F64, 0.1, SAMPLE_F32, 0x1.99999ap-4, 0x1.99999ap-4, 0x1.99999ap-4, false},
    {SAMPLE_F64, nan_value, SAMPLE_BOOL, 1, 1, 1, false},
    {SAMPLE_F32, 1e-30, SAMPLE_BOOL, 1, 1, 1, false},
    {SAMPLE_F64, -0.0, SAMPLE_BOOL, 0, 0, 0, false},
    {SAMPLE_U64, 256, SAMPLE_BOOL, 1, 1, 1, false},
    {SAMPLE_BOOL, 1, SAMPLE_I16, 1, 1, 1, false},
    {SAMPLE_BOOL, 1, SAMPLE_F16, 1, 1, 1, false},
};

/* One value, at every place of a vector and behind it. */
static int convert(const struct conversion *one, const char *how, double *got, struct error *error)
{
    const uint64_t count = 9;
    const struct shape in = shape_array((enum sample)one->from, 1, &count);
    uint64_t samples[9] = {0};
    char arguments[96];
    struct shape out;
    void *dst;
    for (size_t i = 0; i < count; i++)
        harness_put(samples, one->from, i, one->value);
    snprintf(arguments, sizeof arguments, "type=%s,%s", shape_sample_name(one->to), how);
    const int code = harness_try("astype", arguments, &in, samples, NULL, &out, &dst, error);
    if (code != 0)
        return code;
    *got = harness_get(dst, one->to, 0);
    for (size_t i = 1; i < count; i++) {
        const double value = harness_get(dst, one->to, i);
        assert_true(memcmp(&value, got, sizeof value) == 0);
    }
    free(dst);
    return 0;
}

static void values_become_what_was_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++) {
        const struct conversion *one = &conversions[i];
        const struct {
            const char *how;
            double expected;
        } ways[] = {{"casting=saturate,rounding=truncate", one->truncated},
                    {"casting=saturate,rounding=nearest", one->nearest},
                    {"casting=wrap,rounding=truncate", one->wrapped},
                    {"casting=error,rounding=truncate", one->truncated}};
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            double got = 0;
            const int code = convert(one, ways[w].how, &got, NULL);
            const double expected = ways[w].expected;
            const bool same = isnan(expected) ? isnan(got) : got == expected;
            if (code != (w == 3 && one->error ? ERROR_STAGE : 0) || (code == 0 && !same))
                fail_msg("%g of %s to %s, %s: %d, %.17g instead of %.17g", one->value,
                         shape_sample_name(one->from), shape_sample_name(one->to), ways[w].how, code, got,
                         expected);
        }
    }
}

/* What no double holds. */
static void integers_of_64_bit_are_exact(void **state)
{
    (void)state;
    const uint64_t count = 4;
    const int64_t values[] = {INT64_MAX, INT64_MIN + 1, 9007199254740993, -9007199254740993};
    const struct shape in = shape_array(SAMPLE_I64, 1, &count);
    struct shape out, back;
    uint64_t *wrapped = harness_apply("astype", "type=u64,casting=wrap", &in, values, &out);
    int64_t *again = harness_apply("astype", "type=int64,casting=wrap", &out, wrapped, &back);
    assert_memory_equal(again, values, sizeof values);
    free(again);
    uint64_t *saturated = harness_apply("astype", "type=u64,casting=saturate", &in, values, &out);
    assert_true(saturated[0] == INT64_MAX && saturated[1] == 0 && saturated[2] == 9007199254740993);
    free(saturated);
    again = harness_apply("astype", "type=i64,casting=saturate", &out, wrapped, &back);
    assert_true(again[0] == INT64_MAX && again[1] == INT64_MAX && again[3] == INT64_MAX);
    free(again);
    free(wrapped);
    /* Rounded once: by way of a double this would be a tie, and go down. */
    const int64_t above_tie = ((int64_t)1 << 60) + ((int64_t)1 << 36) + 1;
    const struct shape single = shape_array(SAMPLE_I64, 0, NULL);
    float *rounded = harness_apply("astype", "type=f32", &single, &above_tie, &out);
    assert_true(*rounded == 0x1p60f + 0x1p37f);
    free(rounded);
    /* The largest that is saturated is the type's own. */
    const double large = 1e30;
    const struct shape one = shape_array(SAMPLE_F64, 0, NULL);
    again = harness_apply("astype", "type=i64,casting=saturate", &one, &large, &out);
    assert_true(*again == INT64_MAX);
    free(again);
    uint64_t *most = harness_apply("astype", "type=u64,casting=saturate", &one, &large, &out);
    assert_true(*most == UINT64_MAX);
    free(most);
}

static void an_error_names_the_element(void **state)
{
    (void)state;
    const uint64_t dims[] = {3, 5000};
    const struct shape in = shape_array(SAMPLE_F32, 2, dims), single = shape_array(SAMPLE_U64, 0, NULL);
    float *values = calloc(15000, sizeof *values);
    struct error error = {0};
    struct shape out;
    void *dst;
    values[12345] = 300.25f;
    values[12346] = -1;
    assert_int_equal(harness_try("astype", "type=u8", &in, values, NULL, &out, &dst, &error), ERROR_STAGE);
    assert_string_equal(error.reason, "element (2, 2345) is 300.25, which u8 does not hold; see casting");
    assert_string_equal(error.stage, "astype");
    free(values);
    const uint64_t most = UINT64_MAX;
    assert_int_equal(harness_try("astype", "type=i64", &single, &most, NULL, &out, &dst, &error),
                     ERROR_STAGE);
    assert_string_equal(error.reason,
                        "element () is 18446744073709551615, which i64 does not hold; see casting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_is_exact),
        cmocka_unit_test(halves_are_rounded_to_nearest_even),
        cmocka_unit_test(values_become_what_was_asked_for),
        cmocka_unit_test(integers_of_64_bit_are_exact),
        cmocka_unit_test(an_error_names_the_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
