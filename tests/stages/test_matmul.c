/* SPDX-License-Identifier: MIT */
/* matmul against the sum that defines it, with matrices as .npy files made by hand. */
#include "array_harness.h"

/* The stage's parameter block is a file and nothing else. */
static struct applied multiply(struct shape in, const void *src, size_t rows, size_t columns,
                               const double *numbers)
{
    const struct stage *stage = stage_find("matmul");
    struct param_file file = matrix_file("matrix.npy", rows, columns, numbers);
    struct applied applied = array_apply_with(stage, &file, in, src);
    param_free(stage->params, &file);
    return applied;
}

static void a_small_product_is_known(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4, 5, 6}, matrix[] = {1, 0, -1, 2, 10, 100};
    const double expected[] = {29, 304, 59, 610}; /* (1 2 3; 4 5 6) (1 0; -1 2; 10 100) */
    struct applied applied = multiply(ARRAY(SAMPLE_F64, 2, 3), values, 3, 2, matrix);
    assert_int_equal(applied.out.dims[1], 2);
    assert_memory_equal(applied.dst, expected, sizeof expected);
    array_free(&applied);
    applied = multiply(ARRAY(SAMPLE_F64, 3), values, 3, 2, matrix);
    assert_int_equal(applied.out.rank, 1);
    assert_memory_equal(applied.dst, expected, 2 * sizeof *expected);
    array_free(&applied);
}

/* Integers, so that sums are exact in any order; sizes about those of panels, tiles, blocks and rooms. */
static void products_are_exact(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1},   {5, 7, 8},     {4, 8, 9},     {67, 130, 23},
                                      {3, 5, 520}, {3, 2, 20000}, {3, 20000, 3}, {1000, 3, 17},
                                      {9, 600, 1}, {70, 33, 513}, {2, 1, 8192}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t rows = sizes[s][0], depth = sizes[s][1], columns = sizes[s][2];
        int32_t *values = calloc(rows * depth, sizeof *values);
        double *matrix = calloc(depth * columns, sizeof *matrix);
        for (size_t i = 0; i < rows * depth; i++)
            values[i] = (int32_t)(i * 7919 % 2003) - 1000;
        for (size_t i = 0; i < depth * columns; i++)
            matrix[i] = (double)(i * 104729 % 997) - 500;
        struct applied applied = multiply(ARRAY(SAMPLE_I32, rows, depth), values, depth, columns, matrix);
        const void *raw = applied.dst;
        for (size_t i = 0; i < rows * columns; i += 1 + columns / 50) {
            double sum = 0;
            for (size_t k = 0; k < depth; k++)
                sum += values[i / columns * depth + k] * matrix[k * columns + i % columns];
            assert_true(((const double *)raw)[i] == sum);
        }
        array_free(&applied);
        free(matrix);
        free(values);
    }
}

static void small_types_come_out_as_f32(void **state)
{
    (void)state;
    const uint8_t values[] = {255, 1};
    const double third[] = {1.0 / 3, 2};
    struct applied applied = multiply(ARRAY(SAMPLE_U8, 1, 1, 2), values, 2, 1, third);
    assert_int_equal(applied.out.sample, SAMPLE_F32);
    const void *raw = applied.dst;
    assert_true(*(const float *)raw == 87);
    array_free(&applied);
}

/* 0 x NaN is NaN, as in numpy: nothing is left out. */
static void nan_is_multiplied(void **state)
{
    (void)state;
    const float values[] = {0, 1, 1, 1};
    const double matrix[] = {NAN, 1, 2, INFINITY};
    struct applied applied = multiply(ARRAY(SAMPLE_F32, 2, 2), values, 2, 2, matrix);
    const void *raw = applied.dst;
    const float *got = raw;
    assert_true(isnan(got[0]) && isinf(got[1]) && isnan(got[2]) && isinf(got[3]));
    array_free(&applied);
}

static void sums_of_nothing_are_0(void **state)
{
    (void)state;
    const double zeros[12] = {0};
    struct applied applied = multiply(ARRAY(SAMPLE_F64, 3, 0), NULL, 0, 4, NULL);
    assert_int_equal(applied.out.dims[1], 4);
    assert_memory_equal(applied.dst, zeros, sizeof zeros);
    array_free(&applied);
    applied = multiply(ARRAY(SAMPLE_F64, 0, 3), NULL, 3, 4, zeros);
    assert_int_equal(shape_bytes(&applied.out), 0);
    array_free(&applied);
    applied = multiply(ARRAY(SAMPLE_F64, 4, 3), zeros, 3, 0, NULL);
    assert_int_equal(shape_bytes(&applied.out), 0);
    array_free(&applied);
}

static void expect_refused(struct param_file *file, struct shape in, int code, const char *words)
{
    const struct stage *stage = stage_find("matmul");
    struct stage_plan plan;
    struct error error = {0};
    assert_int_equal(stage_plan(stage, file, &in, &plan, &error), code);
    if (!strstr(error.reason, words))
        fail_msg("'%s' does not say '%s'", error.reason, words);
    param_free(stage->params, file);
}

static void wrong_matrices_are_refused(void **state)
{
    (void)state;
    const double numbers[6] = {0};
    const struct shape in = ARRAY(SAMPLE_F64, 2, 3);
    struct param_file file = {0};
    expect_refused(&file, in, ERROR_USAGE, "no file");
    file = matrix_file("matrix.npy", 2, 3, numbers);
    expect_refused(&file, in, ERROR_UNSUPPORTED, "2 rows");
    file = matrix_file("matrix.npy", 3, 2, numbers);
    expect_refused(&file, shape_array(SAMPLE_F64, 0, NULL), ERROR_UNSUPPORTED, "no axis");
    file = matrix_file("matrix.npy", 3, 2, numbers);
    file.length_bytes--;
    expect_refused(&file, in, ERROR_CORRUPT, "matrix.npy");
    file = matrix_file("matrix.png", 3, 2, numbers);
    expect_refused(&file, in, ERROR_UNSUPPORTED, "no file of an array");
    file = matrix_file("matrix.npy.gz", 3, 2, numbers);
    expect_refused(&file, in, ERROR_UNSUPPORTED, "unpack it");
    struct error error = {0};
    assert_int_equal(array_refused("matmul", "", in, &error), ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_product_is_known),    cmocka_unit_test(products_are_exact),
        cmocka_unit_test(small_types_come_out_as_f32), cmocka_unit_test(nan_is_multiplied),
        cmocka_unit_test(sums_of_nothing_are_0),       cmocka_unit_test(wrong_matrices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
