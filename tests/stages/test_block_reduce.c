/* SPDX-License-Identifier: MIT */
/* block_reduce against a loop over the samples of one block, on whole numbers, of which every sum is exact.
 */
#include "stage_harness.h"
#include "tests/quick.h"

#include <math.h>

static const uint64_t dims[3] = {7, 40, 61};

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What `func` makes of the samples of one block. */
static double reduced(const char *func, double *samples, size_t count)
{
    double sum = 0;
    qsort(samples, count, sizeof *samples, ascending);
    for (size_t i = 0; i < count; i++)
        sum += samples[i];
    if (strcmp(func, "sum") == 0)
        return sum;
    if (strcmp(func, "mean") == 0)
        return sum / (double)count;
    if (strcmp(func, "median") == 0)
        return (samples[(count - 1) / 2] + samples[count / 2]) / 2;
    return strcmp(func, "min") == 0 ? samples[0] : samples[count - 1];
}

/* The samples of block `at`, zeros beyond the array; how many. */
static size_t gather(const struct shape *in, const void *src, const size_t *sizes, const size_t *at,
                     double *samples)
{
    size_t count = 0;
    for (size_t i = at[0] * sizes[0]; i < (at[0] + 1) * sizes[0]; i++) {
        for (size_t j = at[1] * sizes[1]; j < (at[1] + 1) * sizes[1]; j++) {
            for (size_t k = at[2] * sizes[2]; k < (at[2] + 1) * sizes[2]; k++) {
                const bool there = i < dims[0] && j < dims[1] && k < dims[2];
                samples[count++] = there ? harness_get(src, in->sample, (i * dims[1] + j) * dims[2] + k) : 0;
            }
        }
    }
    return count;
}

static void compare(const struct shape *in, const void *src, const char *func, const size_t *sizes, bool trim)
{
    char arguments[64];
    struct shape out;
    snprintf(arguments, sizeof arguments, "size=%zux%zux%zu,func=%s,edge=%s", sizes[0], sizes[1], sizes[2],
             func, trim ? "trim" : "pad");
    void *dst = harness_apply("block_reduce", arguments, in, src, &out);
    double *samples = malloc(sizes[0] * sizes[1] * sizes[2] * sizeof *samples);
    for (int d = 0; d < 3; d++)
        assert_int_equal(out.dims[d], trim ? dims[d] / sizes[d] : (dims[d] + sizes[d] - 1) / sizes[d]);
    for (size_t i = 0; i < shape_samples(&out); i++) {
        const size_t at[] = {i / out.dims[2] / out.dims[1], i / out.dims[2] % out.dims[1], i % out.dims[2]};
        const size_t count = gather(in, src, sizes, at, samples);
        double expected = reduced(func, samples, count);
        if (in->sample == SAMPLE_F32)
            expected = (double)(float)expected;
        if (harness_get(dst, out.sample, i) != expected)
            fail_msg("%s of %s: %g instead of %g", arguments, shape_sample_name(in->sample),
                     harness_get(dst, out.sample, i), expected);
    }
    free(samples);
    free(dst);
}

static void blocks_become_what_was_asked_for(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1}, {2, 2, 2},     {1, 4, 3},
                                      {3, 7, 4}, {10, 50, 100}, {1, 1, 3000}};
    static const char *const funcs[] = {"sum", "mean", "min", "max", "median"};
    static const enum sample types[] = {SAMPLE_U8, SAMPLE_I32, SAMPLE_U64, SAMPLE_F32, SAMPLE_F64};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        const struct shape in = shape_array(types[t], 3, dims);
        uint8_t *src = harness_alloc(shape_bytes(&in));
        uint32_t seed = 7;
        for (size_t i = 0; i < shape_samples(&in); i++) {
            seed = seed * 1664525u + 1013904223u;
            harness_put(src, in.sample, i,
                        (double)(seed >> 25) - (shape_sample_is_signed(in.sample) ? 64 : 0));
        }
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (size_t f = 0; f < 5; f++) {
                if (quick_skip(13))
                    continue;
                compare(&in, src, funcs[f], sizes[s], false);
                compare(&in, src, funcs[f], sizes[s], true);
            }
        }
        free(src);
    }
}

static void types_are_those_of_numpy(void **state)
{
    (void)state;
    static const struct {
        enum sample in;
        const char *arguments;
        enum sample out;
    } cases[] = {{SAMPLE_U8, "func=sum", SAMPLE_U64},   {SAMPLE_I16, "func=sum", SAMPLE_I64},
                 {SAMPLE_BOOL, "func=sum", SAMPLE_I64}, {SAMPLE_F16, "func=sum", SAMPLE_F16},
                 {SAMPLE_U8, "func=mean", SAMPLE_F64},  {SAMPLE_BOOL, "func=median", SAMPLE_F64},
                 {SAMPLE_F32, "func=mean", SAMPLE_F32}, {SAMPLE_U8, "func=max", SAMPLE_U8},
                 {SAMPLE_BOOL, "func=min", SAMPLE_BOOL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint64_t four = 4;
        const struct shape in = shape_array(cases[i].in, 1, &four);
        const uint64_t samples[4] = {0};
        struct shape out;
        free(harness_apply("block_reduce", cases[i].arguments, &in, samples, &out));
        assert_int_equal(out.sample, cases[i].out);
        assert_int_equal(out.dims[0], 2);
    }
}

/* Beyond 53 bits; and sums that wrap. */
static void integers_of_64_bit_are_exact(void **state)
{
    (void)state;
    const uint64_t four = 4;
    const uint64_t values[] = {9007199254740993, 9007199254740995, UINT64_MAX, UINT64_MAX - 1};
    struct shape in = shape_array(SAMPLE_U64, 1, &four), out;
    uint64_t *dst = harness_apply("block_reduce", "func=min", &in, values, &out);
    assert_true(dst[0] == values[0] && dst[1] == values[3]);
    free(dst);
    dst = harness_apply("block_reduce", "func=max", &in, values, &out);
    assert_true(dst[0] == values[1] && dst[1] == values[2]);
    free(dst);
    dst = harness_apply("block_reduce", "func=sum", &in, values, &out);
    assert_true(dst[0] == 18014398509481988 && dst[1] == UINT64_MAX - 2);
    free(dst);
    in = shape_array(SAMPLE_I64, 1, &four);
    int64_t *least = harness_apply("block_reduce", "func=min", &in, values, &out);
    assert_true(least[0] == 9007199254740993 && least[1] == -2);
    free(least);
}

static void nan_spoils_its_block_alone(void **state)
{
    (void)state;
    static const char *const funcs[] = {"func=sum", "func=mean", "func=min", "func=max", "func=median"};
    const uint64_t six = 6;
    const struct shape in = shape_array(SAMPLE_F64, 1, &six);
    const double values[] = {5, (double)NAN, (double)NAN, 5, 7, 7};
    for (size_t f = 0; f < 5; f++) {
        struct shape out;
        double *dst = harness_apply("block_reduce", funcs[f], &in, values, &out);
        assert_true(isnan(dst[0]) && isnan(dst[1]) && dst[2] == (f == 0 ? 14 : 7));
        free(dst);
    }
}

static void a_single_value_is_a_block(void **state)
{
    (void)state;
    const double value = 8;
    const struct shape in = shape_array(SAMPLE_F64, 0, NULL);
    struct shape out;
    double *dst = harness_apply("block_reduce", "size=1,func=mean", &in, &value, &out);
    assert_true(*dst == 8 && out.rank == 0);
    free(dst);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *says;
    } cases[] = {
        {"size=0", "'0' is not like 2"},
        {"size=2x", "'2x' is not like 2"},
        {"size=x2", "'x2' is not like 2"},
        {"size=-2", "'-2' is not like 2"},
        {"size=2.5", "'2.5' is not like 2"},
        {"size=1048577", "each number 1 to 1048576"},
        {"size=99999999999999999999", "each number 1 to 1048576"},
        {"size=1x1x1x1x1x1x1x1x1", "is not like 2"},
        {"size=2x2", "2 numbers do not fit a u8 array (7, 40, 61)"},
        {"size=1000", "more than 1048576 samples"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = shape_array(SAMPLE_U8, 3, dims);
        struct error error = {0};
        struct shape out;
        void *dst;
        assert_int_equal(harness_try("block_reduce", cases[i].arguments, &in, NULL, NULL, &out, &dst, &error),
                         ERROR_USAGE);
        if (!strstr(error.reason, cases[i].says))
            fail_msg("%s: %s", cases[i].arguments, error.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_become_what_was_asked_for), cmocka_unit_test(types_are_those_of_numpy),
        cmocka_unit_test(integers_of_64_bit_are_exact),     cmocka_unit_test(nan_spoils_its_block_alone),
        cmocka_unit_test(a_single_value_is_a_block),        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
