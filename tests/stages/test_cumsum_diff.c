/* SPDX-License-Identifier: MIT */
/* cumsum and diff: closed forms, loops over three indices, and that each undoes the other. */
#include "stage_harness.h"

#include <math.h>

static const uint64_t cube[3] = {7, 40, 61};

#define CUBE        (7 * 40 * 61)
#define AT(i, j, k) (((i)*40 + (j)) * 61 + (k))

/* Sums of 0..n are triangular numbers, whatever the type. */
static void sums_are_triangular(void **state)
{
    (void)state;
    const uint64_t count = 120;
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        const struct shape in = shape_array((enum sample)sample, 1, &count);
        const bool is_bool = sample == SAMPLE_BOOL, is_half = sample == SAMPLE_F16;
        uint64_t samples[120];
        struct shape out;
        for (size_t i = 0; i < count; i++)
            harness_put(samples, in.sample, i, (double)i);
        void *dst = harness_apply("cumsum", "", &in, samples, &out);
        const enum sample expected = shape_sample_is_float(in.sample)               ? (enum sample)sample
                                     : shape_sample_is_signed(in.sample) || is_bool ? SAMPLE_I64
                                                                                    : SAMPLE_U64;
        assert_int_equal(out.sample, expected);
        assert_int_equal(out.rank, 1);
        double sum = 0;
        for (size_t i = 0; i < count; i++) {
            /* Halves have 11 bits, and are rounded at every step. */
            sum = is_bool ? (double)i : is_half ? half_value(half_of(sum + (double)i)) : sum + (double)i;
            assert_true(harness_get(dst, out.sample, i) == sum);
        }
        assert_true(is_bool || is_half || sum == 119 * 120 / 2);
        free(dst);
    }
}

/* Small whole numbers, which every type adds without loss. */
static double *numbers(void)
{
    double *values = malloc(CUBE * sizeof *values);
    uint32_t seed = 1;
    for (size_t i = 0; i < CUBE; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (double)(seed >> 28) - 7;
    }
    return values;
}

static void every_axis_has_its_sums_and_differences(void **state)
{
    (void)state;
    static const size_t steps[] = {40 * 61, 61, 1};
    const struct shape in = shape_array(SAMPLE_F64, 3, cube);
    double *values = numbers();
    for (int axis = -3; axis < 3; axis++) {
        const int at = axis < 0 ? axis + 3 : axis;
        const size_t step = steps[at];
        char arguments[32];
        struct shape out, less;
        snprintf(arguments, sizeof arguments, "axis=%d", axis);
        double *sums = harness_apply("cumsum", arguments, &in, values, &out);
        double *differences = harness_apply("diff", arguments, &in, values, &less);
        assert_memory_equal(&out, &in, sizeof in);
        for (int d = 0; d < 3; d++)
            assert_int_equal(less.dims[d], in.dims[d] - (d == at));
        size_t next = 0;
        for (size_t i = 0; i < 7; i++) {
            for (size_t j = 0; j < 40; j++) {
                for (size_t k = 0; k < 61; k++) {
                    const size_t here = AT(i, j, k), place[] = {i, j, k};
                    const double before = place[at] ? sums[here - step] : 0;
                    assert_true(sums[here] == before + values[here]);
                    if (place[at] + 1 < in.dims[at])
                        assert_true(differences[next++] == values[here + step] - values[here]);
                }
            }
        }
        assert_int_equal(next, shape_samples(&less));
        free(differences);
        free(sums);
    }
    free(values);
}

/* The k-th difference of i^k is k!, that of lower powers 0. */
static void differences_of_powers_are_constant(void **state)
{
    (void)state;
    const uint64_t dims[] = {1500, 3};
    const struct shape in = shape_array(SAMPLE_I64, 2, dims);
    int64_t *values = malloc(4500 * sizeof *values), factorial = 1;
    for (int64_t power = 1; power <= 5; power++) {
        factorial *= power;
        for (int64_t i = 0; i < 1500; i++) {
            int64_t value = 1;
            for (int64_t p = 0; p < power; p++)
                value *= i;
            values[3 * i] = value;
            values[3 * i + 1] = -value + i;
            values[3 * i + 2] = 99;
        }
        char arguments[32];
        struct shape out;
        snprintf(arguments, sizeof arguments, "axis=0,n=%d", (int)power);
        int64_t *dst = harness_apply("diff", arguments, &in, values, &out);
        assert_int_equal(out.dims[0], 1500 - power);
        for (size_t i = 0; i < out.dims[0]; i++) {
            assert_true(dst[3 * i] == factorial);
            assert_true(dst[3 * i + 1] == (power == 1 ? 0 : -factorial));
            assert_true(dst[3 * i + 2] == 0);
        }
        free(dst);
    }
    free(values);
}

/* Integers wrap, so it holds for any of them. */
static void each_undoes_the_other(void **state)
{
    (void)state;
    const uint64_t count = 3 * SHAPE_BLOCK_SAMPLES + 11;
    const struct shape in = shape_array(SAMPLE_I64, 1, &count);
    int64_t *values = (int64_t *)(void *)harness_array(&in, 21);
    struct shape out, back;
    int64_t *sums = harness_apply("cumsum", "axis=0", &in, values, &out);
    int64_t *again = harness_apply("diff", "", &out, sums, &back);
    assert_memory_equal(again, values + 1, (count - 1) * sizeof *again);
    free(again);
    free(sums);
    int64_t *differences = harness_apply("diff", "", &in, values, &out);
    again = harness_apply("cumsum", "", &out, differences, &back);
    for (size_t i = 0; i + 1 < count; i++)
        assert_true((uint64_t)again[i] + (uint64_t)values[0] == (uint64_t)values[i + 1]);
    free(again);
    free(differences);
    free(values);
}

static void narrow_types_wrap_and_bools_differ(void **state)
{
    (void)state;
    const uint64_t three = 3;
    struct shape in = shape_array(SAMPLE_U8, 1, &three), out;
    const uint8_t bytes[] = {5, 3, 255}, bits[] = {1, 0, 0};
    uint8_t *dst = harness_apply("diff", "", &in, bytes, &out);
    assert_int_equal(out.sample, SAMPLE_U8);
    assert_true(dst[0] == 254 && dst[1] == 252);
    free(dst);
    in = shape_array(SAMPLE_BOOL, 1, &three);
    dst = harness_apply("diff", "", &in, bits, &out);
    assert_int_equal(out.sample, SAMPLE_BOOL);
    assert_true(dst[0] == 1 && dst[1] == 0);
    free(dst);
    const float special[] = {1, (float)INFINITY, 2};
    in = shape_array(SAMPLE_F32, 1, &three);
    float *sums = harness_apply("cumsum", "", &in, special, &out);
    assert_true(sums[0] == 1 && isinf(sums[1]) && isinf(sums[2]));
    free(sums);
}

static void shapes_at_the_edge(void **state)
{
    (void)state;
    const double value = 4;
    const uint64_t dims[] = {2, 3};
    struct shape in = shape_array(SAMPLE_F64, 0, NULL), out;
    struct stage_plan plan;
    struct error error = {0};
    double *dst = harness_apply("cumsum", "", &in, &value, &out);
    assert_true(*dst == 4 && out.rank == 1 && out.dims[0] == 1);
    free(dst);
    void *any;
    assert_int_equal(harness_try("diff", "", &in, &value, NULL, &out, &any, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "no axis -1 in a f64 array ()"));
    in = shape_array(SAMPLE_F64, 2, dims);
    void *params = harness_params(stage_find("diff"), "axis=0,n=5");
    assert_int_equal(stage_plan(stage_find("diff"), params, &in, &plan, NULL), 0);
    assert_true(plan.out.dims[0] == 0 && plan.out.dims[1] == 3);
    harness_free_params(stage_find("diff"), params);
    params = harness_params(stage_find("cumsum"), "axis=2");
    assert_int_equal(stage_plan(stage_find("cumsum"), params, &in, &plan, &error), ERROR_USAGE);
    harness_free_params(stage_find("cumsum"), params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_triangular),
        cmocka_unit_test(every_axis_has_its_sums_and_differences),
        cmocka_unit_test(differences_of_powers_are_constant),
        cmocka_unit_test(each_undoes_the_other),
        cmocka_unit_test(narrow_types_wrap_and_bools_differ),
        cmocka_unit_test(shapes_at_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
