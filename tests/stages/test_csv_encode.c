/* SPDX-License-Identifier: MIT */
/* Writing tables. */
#include <math.h>
#include <stdio.h>

#include "codec_exact.h"

extern const struct codec csv_codec, tsv_codec;

static const struct codec_save plain;

static void check(const struct codec *codec, const struct codec_save *save, struct shape shape,
                  const void *values, const char *text)
{
    struct exact_file file;
    if (exact_encode(codec, save, &shape, values, NULL, &file) < 0)
        fail_msg("%s", file.error.reason);
    if (file.length_bytes != strlen(text) || memcmp(file.bytes, text, file.length_bytes) != 0)
        fail_msg("wrote '%.*s', not '%s'", (int)file.length_bytes, file.bytes, text);
    assert_int_equal(file.warnings, 0);
    free(file.bytes);
}

static struct shape array(enum sample sample, unsigned rank, uint64_t rows, uint64_t columns)
{
    return shape_array(sample, rank, (const uint64_t[]){rows, columns});
}

static void ranks_are_laid_out_in_lines(void **state)
{
    (void)state;
    static const double values[] = {1, 2.5, -3, 4, 5e10, 0.1};
    static const struct codec_save semicolon = {.delimiter = ";"}, tab = {.delimiter = "tab"};
    check(&csv_codec, &plain, array(SAMPLE_F64, 2, 2, 3), values, "1,2.5,-3\n4,50000000000,0.1\n");
    check(&tsv_codec, &plain, array(SAMPLE_F64, 2, 2, 3), values, "1\t2.5\t-3\n4\t50000000000\t0.1\n");
    check(&csv_codec, &semicolon, array(SAMPLE_F64, 2, 3, 2), values, "1;2.5\n-3;4\n50000000000;0.1\n");
    check(&csv_codec, &tab, array(SAMPLE_F64, 2, 1, 3), values, "1\t2.5\t-3\n");
    check(&csv_codec, &plain, array(SAMPLE_F64, 1, 3, 0), values, "1\n2.5\n-3\n");
    check(&csv_codec, &plain, array(SAMPLE_F64, 0, 0, 0), values, "1\n");
    check(&csv_codec, &plain, array(SAMPLE_F64, 2, 0, 3), values, "");
    check(&csv_codec, &plain, array(SAMPLE_F64, 2, 3, 0), values, "");
    check(&csv_codec, &plain, array(SAMPLE_F64, 1, 0, 0), values, "");
}

static void each_type_is_written(void **state)
{
    (void)state;
    check(&csv_codec, &plain, array(SAMPLE_U8, 2, 1, 2), (uint8_t[]){0, 255}, "0,255\n");
    check(&csv_codec, &plain, array(SAMPLE_I8, 2, 1, 2), (int8_t[]){-128, 127}, "-128,127\n");
    check(&csv_codec, &plain, array(SAMPLE_U16, 2, 1, 2), (uint16_t[]){7, 65535}, "7,65535\n");
    check(&csv_codec, &plain, array(SAMPLE_I16, 2, 1, 2), (int16_t[]){INT16_MIN, 32767}, "-32768,32767\n");
    check(&csv_codec, &plain, array(SAMPLE_U32, 2, 1, 2), (uint32_t[]){10, UINT32_MAX}, "10,4294967295\n");
    check(&csv_codec, &plain, array(SAMPLE_I32, 2, 1, 2), (int32_t[]){INT32_MIN, 99}, "-2147483648,99\n");
    check(&csv_codec, &plain, array(SAMPLE_U64, 2, 1, 2), (uint64_t[]){100, UINT64_MAX},
          "100,18446744073709551615\n");
    check(&csv_codec, &plain, array(SAMPLE_I64, 2, 1, 2), (int64_t[]){INT64_MIN, INT64_MAX},
          "-9223372036854775808,9223372036854775807\n");
    check(&csv_codec, &plain, array(SAMPLE_BOOL, 2, 1, 2), (uint8_t[]){1, 0}, "1,0\n");
    check(&csv_codec, &plain, array(SAMPLE_F32, 2, 1, 3), (float[]){0.1f, -HUGE_VALF, 0x1.fffffep127f},
          "0.1,-inf,3.4028235e+38\n");
    check(&csv_codec, &plain, array(SAMPLE_F16, 2, 1, 3), (uint16_t[]){0x2e66, 0x7e00, 0x3c00},
          "0.1,nan,1\n");
    check(&csv_codec, &plain, array(SAMPLE_F64, 2, 1, 3), (double[]){0.1, HUGE_VAL, -0.0}, "0.1,inf,-0\n");
}

/* The longest text of each type is just what is planned for one element. */
static void plans_are_exact(void **state)
{
    (void)state;
    static const uint64_t small = 0x8010000000000000;
    const struct {
        enum sample sample;
        const void *value;
        const char *text;
    } cases[] = {
        {SAMPLE_U8, (uint8_t[]){255}, "255\n"},
        {SAMPLE_I8, (int8_t[]){-128}, "-128\n"},
        {SAMPLE_U16, (uint16_t[]){65535}, "65535\n"},
        {SAMPLE_I16, (int16_t[]){INT16_MIN}, "-32768\n"},
        {SAMPLE_U32, (uint32_t[]){UINT32_MAX}, "4294967295\n"},
        {SAMPLE_I32, (int32_t[]){INT32_MIN}, "-2147483648\n"},
        {SAMPLE_U64, (uint64_t[]){UINT64_MAX}, "18446744073709551615\n"},
        {SAMPLE_I64, (int64_t[]){INT64_MIN}, "-9223372036854775808\n"},
        {SAMPLE_BOOL, (uint8_t[]){1}, "1\n"},
        {SAMPLE_F16, (uint16_t[]){0x8690}, "-0.00010014\n"},
        {SAMPLE_F32, (float[]){-1.2345679e15f}, "-1234568000000000\n"},
        {SAMPLE_F64, &small, "-2.2250738585072014e-308\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape shape = array(cases[i].sample, 0, 0, 0);
        struct codec_plan plan;
        struct error error;
        check(&csv_codec, &plain, shape, cases[i].value, cases[i].text);
        assert_int_equal(csv_codec.plan(&plain, &shape, 0, &plan, &error), 0);
        assert_int_equal(plan.out_bytes, strlen(cases[i].text));
        assert_int_equal(plan.scratch_bytes, 0);
    }
}

static void what_tables_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct codec_plan plan;
    struct error error;
    const struct codec_save bad = {.delimiter = "ab"};
    const uint64_t dims[] = {2, 2, 2}, huge[] = {UINT64_C(1) << 30, UINT64_C(1) << 29};
    const struct shape cube = shape_array(SAMPLE_U8, 3, dims), square = shape_array(SAMPLE_U8, 2, dims);
    const struct shape most = shape_array(SAMPLE_U64, 2, huge);
    assert_int_equal(csv_codec.plan(&plain, &cube, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "a table has two dimensions and not 3; save it as npy");
    assert_int_equal(csv_codec.plan(&bad, &square, 0, &plan, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "save.delimiter is 'ab'"));
    assert_true(shape_valid(&most));
    const int code = csv_codec.plan(&plain, &most, 0, &plan, &error);
    assert_true(code == 0 && plan.out_bytes == (UINT64_C(1) << 59) * 21);
    const struct shape more =
        shape_array(SAMPLE_I8, 2, (const uint64_t[]){UINT64_C(1) << 31, UINT64_C(1) << 31});
    assert_true(shape_valid(&more));
    assert_int_equal(csv_codec.plan(&plain, &more, 0, &plan, &error), ERROR_LIMIT);
}

static void too_small_a_buffer_is_refused(void **state)
{
    (void)state;
    uint8_t text[7], values[] = {1, 2};
    const struct shape cube = shape_array(SAMPLE_U8, 3, (const uint64_t[]){1, 1, 1});
    struct error error;
    struct codec_encode job = {.save = &plain,
                               .shape = array(SAMPLE_U8, 1, 2, 0),
                               .pixels = values,
                               .bytes = text,
                               .bytes_size = sizeof text};
    assert_int_equal(csv_codec.encode(&job, &error), ERROR_INTERNAL);
    job.shape = cube;
    assert_int_equal(csv_codec.encode(&job, &error), ERROR_INTERNAL);
}

/* 100000 random doubles and as many of each other type. */
static void what_is_written_reads_back(void **state)
{
    (void)state;
    const uint64_t dims[] = {1000, 100};
    uint64_t random = 88172645463325252u;
    uint8_t *values = malloc(800000);
    for (uint8_t sample = 0; sample < SAMPLE_COUNT; sample++) {
        const struct shape shape = shape_array(sample, 2, dims);
        const size_t bytes = shape_sample_bytes(sample);
        /* The highest bit of a float's exponent: without it, it is below 2, and neither infinite nor NaN,
         * whose payload would be lost. */
        const uint64_t top = shape_sample_is_float(sample) ? UINT64_C(1) << (8 * bytes - 2) : 0;
        for (size_t i = 0; i < 100000; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            const uint64_t value = sample == SAMPLE_BOOL ? random & 1 : random & ~top;
            memcpy(values + i * bytes, &value, bytes);
        }
        const struct codec_load load = {.dtype = sample + 1};
        struct codec_limits limits = exact_limits;
        struct exact_file file;
        struct exact exact;
        limits.load = &load;
        assert_int_equal(exact_encode(&tsv_codec, &plain, &shape, values, NULL, &file), 0);
        if (exact_decode(&tsv_codec, file.bytes, file.length_bytes, &limits, &exact) < 0)
            fail_msg("%s: %s", shape_sample_name(sample), exact.error.reason);
        assert_memory_equal(&exact.shape, &shape, sizeof shape);
        assert_memory_equal(exact.pixels, values, shape_bytes(&shape));
        exact_free(&exact);
        free(file.bytes);
    }
    free(values);
}

static void metadata_is_dropped_with_a_warning(void **state)
{
    (void)state;
    uint8_t block[64], value = 1;
    struct meta meta = {.block = block, .size_bytes = sizeof block};
    struct exact_file file;
    const struct shape shape = array(SAMPLE_U8, 1, 1, 0);
    assert_int_equal(meta_put(&meta, "gAMA", 0, (const uint8_t *)"\0\0\1\1", 4), 0);
    assert_int_equal(exact_encode(&csv_codec, &plain, &shape, &value, &meta, &file), 0);
    assert_int_equal(file.warnings, 1);
    assert_string_equal(file.warning, "dropped metadata, which tables do not hold");
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_laid_out_in_lines),
        cmocka_unit_test(each_type_is_written),
        cmocka_unit_test(plans_are_exact),
        cmocka_unit_test(what_tables_cannot_hold_is_refused),
        cmocka_unit_test(too_small_a_buffer_is_refused),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(metadata_is_dropped_with_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
