/* SPDX-License-Identifier: MIT */
/* Reading tables. */
#include <math.h>
#include <stdio.h>

#include "codec_exact.h"

extern const struct codec csv_codec, tsv_codec;

static int decode_with(const struct codec *codec, const struct codec_load *load, const void *text,
                       size_t length_bytes, struct exact *exact)
{
    struct codec_limits limits = exact_limits;
    limits.load = load;
    return exact_decode(codec, text, length_bytes, &limits, exact);
}

/* Reads a text as f64 and expects these dimensions and values; columns 0: one dimension. */
static void check(const struct codec *codec, const struct codec_load *load, const char *text, uint64_t rows,
                  uint64_t columns, const double *values)
{
    const unsigned warnings = rows == 0; /* a header alone */
    struct exact exact;
    if (decode_with(codec, load, text, strlen(text), &exact) < 0)
        fail_msg("'%s': %s", text, exact.error.reason);
    const uint64_t dims[2] = {rows, columns};
    const struct shape shape = shape_array(SAMPLE_F64, columns ? 2 : 1, dims);
    assert_memory_equal(&exact.shape, &shape, sizeof shape);
    assert_memory_equal(&exact.info.shape, &shape, sizeof shape);
    assert_memory_equal(exact.pixels, values, shape_bytes(&shape));
    assert_int_equal(exact.warnings, warnings);
    assert_int_equal(exact.scratch_used_bytes, 0);
    exact_free(&exact);
}

static void fails(const struct codec *codec, const struct codec_load *load, const char *text, int code,
                  const char *reason)
{
    struct exact exact;
    const int got = decode_with(codec, load, text, strlen(text), &exact);
    if (got == 0)
        exact_free(&exact);
    if (got != code || !strstr(exact.error.reason, reason))
        fail_msg("'%s' gave %d, %s", text, got, exact.error.reason);
}

static const double six[] = {1, 2.5, -3, 4, 5e10, 6};

static void tables_have_rows_and_columns(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1,2.5,-3\n4,5e10,6\n",
        "1,2.5,-3\n4,5e10,6",
        "1,2.5,-3\r\n4,5e10,6\r\n",
        "1,2.5,-3\r4,5e10,6\r",
        ("\xef\xbb\xbf"
         "1,2.5,-3\n4,5e10,6\n"),
        " 1 ,  2.5,-3\t\n+4,\t5e10 , 6  \n",
        "\"1\",\"2.5\",-3\n4,\" 5e10 \",\"6\" \n",
        "\n\n1,2.5,-3\n\n  \t\n4,5e10,6\n\r\n\n",
        "x,y,z\n1,2.5,-3\n4,5e10,6\n",
        "x,-,z\n1,2.5,-3\n4,5e10,6\n",
        "\"first\nline\",\"a,\"\"b\"\"\",c\n1,2.5,-3\n4,5e10,6\n",
        "5\" pipe,b,c\n1,2.5,-3\n4,5e10,6\n",
        "\xef\xbb\xbf\"x\",y,z\n\n1,2.5,-3\n4,5e10,6\n   ",
        "1.000000000000000000e+00,2.500000000000000000e+00,-3.000000000000000000e+00\n4,50000000000.0,6.0\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(&csv_codec, NULL, texts[i], 2, 3, six);
    check(&tsv_codec, NULL, "1\t2.5\t-3\n4\t 5e10 \t6\n", 2, 3, six);
    check(&csv_codec, NULL, "1,2.5,-3,4,5e10,6", 1, 6, six);
}

static void one_column_is_one_dimension(void **state)
{
    (void)state;
    check(&csv_codec, NULL, "1\n2.5\n-3\n4\n5e10\n6\n", 6, 0, six);
    check(&csv_codec, NULL, "1\r\n\r\n2.5", 2, 0, six);
    check(&csv_codec, NULL, "value\n1\n", 1, 0, six);
}

static void a_header_without_rows_is_an_empty_array(void **state)
{
    (void)state;
    check(&csv_codec, NULL, "x,y,z", 0, 3, NULL);
    check(&csv_codec, NULL, "x,y,z\n\n", 0, 3, NULL);
    check(&csv_codec, NULL, "x\n", 0, 0, NULL);
}

static void header_is_as_the_setting_says(void **state)
{
    (void)state;
    static const struct codec_load yes = {.header = CODEC_HEADER_YES}, no = {.header = CODEC_HEADER_NO};
    static const double years[] = {2019, 2020, 1, 2};
    check(&csv_codec, NULL, "2019,2020\n1,2\n", 2, 2, years);
    check(&csv_codec, &yes, "2019,2020\n1,2\n", 1, 2, years + 2);
    check(&csv_codec, &no, "2019,2020\n1,2\n", 2, 2, years);
    fails(&csv_codec, &no, "a,2020\n1,2\n", ERROR_CORRUPT, "line 1, column 1: 'a' is not a number");
    /* A row with one bad field is no header, or it would be lost. */
    fails(&csv_codec, NULL, "NA,1\n2,3\n", ERROR_CORRUPT, "line 1, column 1: 'NA' is not a number");
    /* An empty field makes no header. */
    fails(&csv_codec, NULL, ",2\n1,2\n", ERROR_CORRUPT, "line 1, column 1 is empty; load.missing");
    fails(&csv_codec, &yes, "a,b\n1,2,3\n", ERROR_CORRUPT, "line 2 has 3 fields, line 1 has 2");
}

static void delimiter_is_as_the_setting_says(void **state)
{
    (void)state;
    static const struct {
        char *delimiter;
        const char *text;
    } cases[] = {{";", "1;2.5;-3\n4;5e10;6"},
                 {"tab", "1\t2.5\t-3\n4\t5e10\t6"},
                 {"\t", "1\t2.5\t-3\n4\t5e10\t6"},
                 {" ", "1 2.5 -3\n4 5e10 6"},
                 {"|", "1 | 2.5 |-3\n4|5e10|6"}};
    static char *const bad[] = {"", ",,", "a", "1", "-", ".", "\"", "\n", "\xc3\xa4", "tabs", "e", "+"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct codec_load load = {.delimiter = cases[i].delimiter};
        check(&csv_codec, &load, cases[i].text, 2, 3, six);
        check(&tsv_codec, &load, cases[i].text, 2, 3, six);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct codec_load load = {.delimiter = bad[i]};
        fails(&csv_codec, &load, "1,2", ERROR_USAGE, "load.delimiter is '");
    }
}

static void missing_fields_are_what_the_setting_says(void **state)
{
    (void)state;
    static const struct codec_load zero = {.missing = "-9.5"}, nan_load = {.missing = "nan"};
    static const struct codec_load word = {.missing = "none"},
                                   whole = {.missing = "nan", .dtype = SAMPLE_U8 + 1};
    static const struct codec_load large = {.missing = "256", .dtype = SAMPLE_U8 + 1};
    static const double values[] = {-9.5, 2, 3, -9.5, -9.5, -9.5}, column[] = {1, -9.5, 2};
    struct exact exact;
    check(&csv_codec, &zero, ",2\n3,\n ,\"\" \n", 3, 2, values);
    check(&csv_codec, &zero, "1\n\"\"\n\n2", 3, 0, column); /* a blank line is none */
    assert_int_equal(decode_with(&csv_codec, &nan_load, "1,\n", 3, &exact), 0);
    assert_true(isnan(((double *)(void *)exact.pixels)[1]));
    exact_free(&exact);
    fails(&csv_codec, NULL, "1,2\n3,\n", ERROR_CORRUPT, "line 2, column 2 is empty; load.missing");
    fails(&csv_codec, NULL, "1,2\n , 4\n", ERROR_CORRUPT, "line 2, column 1 is empty");
    fails(&csv_codec, &word, "1", ERROR_USAGE, "load.missing: 'none' is not a number");
    fails(&csv_codec, &whole, "1", ERROR_USAGE, "load.missing: 'nan' is no integer");
    fails(&csv_codec, &large, "1", ERROR_USAGE, "load.missing: '256' is not in 0..255");
}

static void words_are_numbers(void **state)
{
    (void)state;
    struct exact exact;
    const char *text = "nan,inf,-inf\nNaN,+Infinity,-INF";
    assert_int_equal(decode_with(&csv_codec, NULL, text, strlen(text), &exact), 0);
    const double *values = (const double *)(const void *)exact.pixels;
    assert_int_equal(exact.shape.dims[0], 2);
    for (size_t i = 0; i < 6; i += 3) {
        assert_true(isnan(values[i]) && values[i + 1] == HUGE_VAL && values[i + 2] == -HUGE_VAL);
    }
    exact_free(&exact);
}

#define TYPE(name, type, text, ...)                                                                          \
    {                                                                                                        \
        name, text, sizeof(type[]){__VA_ARGS__}, (type[])                                                    \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

static void each_type_holds_its_range(void **state)
{
    (void)state;
    const struct {
        enum sample sample;
        const char *text;
        size_t bytes;
        const void *values;
    } cases[] = {
        TYPE(SAMPLE_U8, uint8_t, "0,255\n-0,7.0\n", 0, 255, 0, 7),
        TYPE(SAMPLE_I8, int8_t, "-128,127\n1e2,-1.000e+00\n", -128, 127, 100, -1),
        TYPE(SAMPLE_U16, uint16_t, "0,65535\n1,2", 0, 65535, 1, 2),
        TYPE(SAMPLE_I16, int16_t, "-32768,32767\n1,\"2\"", INT16_MIN, INT16_MAX, 1, 2),
        TYPE(SAMPLE_U32, uint32_t, "0,4294967295\n1,2", 0, UINT32_MAX, 1, 2),
        TYPE(SAMPLE_I32, int32_t, "-2147483648,2147483647\n1,2", INT32_MIN, INT32_MAX, 1, 2),
        TYPE(SAMPLE_U64, uint64_t, "0,18446744073709551615\n1,2", 0, UINT64_MAX, 1, 2),
        TYPE(SAMPLE_I64, int64_t, "-9223372036854775808,9223372036854775807\n9007199254740993,2", INT64_MIN,
             INT64_MAX, 9007199254740993, 2),
        TYPE(SAMPLE_BOOL, uint8_t, "0,1\n1,0", 0, 1, 1, 0),
        TYPE(SAMPLE_F32, float, "0.1,-inf\n3.4028235e38,16777217", 0.1f, -HUGE_VALF, 0x1.fffffep127f,
             0x1p24f),
        TYPE(SAMPLE_F16, uint16_t, "0.1,-inf\n65504,1", 0x2e66, 0xfc00, 0x7bff, 0x3c00),
        TYPE(SAMPLE_F64, double, "0.1,-inf\n1e308,1", 0.1, -HUGE_VAL, 1e308, 1),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct codec_load load = {.dtype = (int)cases[i].sample + 1};
        struct exact exact;
        if (decode_with(&csv_codec, &load, cases[i].text, strlen(cases[i].text), &exact) < 0)
            fail_msg("'%s': %s", cases[i].text, exact.error.reason);
        assert_int_equal(exact.shape.sample, cases[i].sample);
        assert_int_equal(shape_bytes(&exact.shape), cases[i].bytes);
        assert_memory_equal(exact.pixels, cases[i].values, cases[i].bytes);
        exact_free(&exact);
    }
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum sample sample;
        const char *field, *reason;
    } cases[] = {
        {SAMPLE_U8, "256", "0..255"},
        {SAMPLE_U8, "-1", "0..255"},
        {SAMPLE_I8, "128", "-128..127"},
        {SAMPLE_I8, "-129", "-128..127"},
        {SAMPLE_U16, "65536", "0..65535"},
        {SAMPLE_I16, "32768", "-32768..32767"},
        {SAMPLE_U32, "4294967296", "0..4294967295"},
        {SAMPLE_I32, "-2147483649", "-2147483648..2147483647"},
        {SAMPLE_U64, "18446744073709551616", "0..18446744073709551615"},
        {SAMPLE_I64, "9223372036854775808", "..9223372036854775807"},
        {SAMPLE_I64, "-9223372036854775809", "-9223372036854775808.."},
        {SAMPLE_BOOL, "2", "neither 0 nor 1"},
        {SAMPLE_BOOL, "-1", "neither 0 nor 1"},
        {SAMPLE_I32, "1.5", "is not a whole number"},
        {SAMPLE_I32, "nan", "is no integer"},
        {SAMPLE_F64, "1e999", "is too large for f64"},
        {SAMPLE_F64, "-1.7976931348623159e308", "is too large for f64"},
        {SAMPLE_F32, "3.4028236e38", "is too large for f32"},
        {SAMPLE_F16, "65520", "is too large for f16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct codec_load load = {.dtype = (int)cases[i].sample + 1};
        char text[128], place[160];
        snprintf(text, sizeof text, "0,0\n0,1\n\n%s,0\n", cases[i].field);
        snprintf(place, sizeof place, "line 4, column 1: '%s' ", cases[i].field);
        fails(&csv_codec, &load, text, ERROR_CORRUPT, cases[i].reason);
        fails(&csv_codec, &load, text, ERROR_CORRUPT, place);
    }
}

static void errors_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "file is empty"},
        {"\n \n\r\n", "file has no line that is not blank"},
        {"\xef\xbb\xbf", "file has no line that is not blank"},
        {"\xff\xfe"
         "1",
         "UTF-16; save it as UTF-8"},
        {"1,2,3\n4,5,abc\n", "line 2, column 3: 'abc' is not a number, which are written like"},
        {"1\r\n2\r\nabc\r\n", "line 3, column 1: 'abc'"},
        {"1\r2\r\rabc\r", "line 4, column 1: 'abc'"},
        {"\"a\nb\",c\n1,NA\n", "line 3, column 2: 'NA' is not"},
        {"1,2\n3,\"x\ny\"\n", "line 2, column 2: 'x?y' is not"},
        {"1,2\n3,4,5\n", "line 2 has 3 fields, line 1 has 2"},
        {"\n1,2\n\n3\n", "line 4 has 1 field, line 2 has 2"},
        {"1,2\n3,4,\n", "line 2 has 3 fields, line 1 has 2"},
        {"1,2\n3,\"4\n", "line 2, column 2: the quote is never closed"},
        {"1,\"2\n", "line 1, column 2: the quote is never closed"},
        {"1,2\n\"3\"x,4\n", "line 2, column 1: a closing quote is followed by"},
        {"\"a\"b,c\n", "line 1, column 1: a closing quote is followed by"},
        {"1\n12345678901234567890123456789012345\xc3\xa4\xc3\xa4\n", "'12345678901234567890123456789012...'"},
        {"1\n1234567890123456789012345678901\xc3\xa4"
         "5\n",
         "'1234567890123456789012345678901...'"},
        {"1\n0x10\n", "'0x10' is not"},
        {"1\n1_000\n", "'1_000' is not"},
        {"1\n1 2\n", "'1 2' is not"},
        {"1\n1e\n", "'1e' is not"},
        {"1\n\xff\n", "'\xff' is not"},
        {"1,1\n1, \"2\"\n", "' \"2\"' is not"},
        {"a,b\n1,2\n3,x\n", "line 3, column 2: 'x'"},
        {"1;2;3\n", "line 1, column 1: '1;2;3' is not a number but several; --load-delimiter ';' would"},
        {"1;2\n3;4\n", "line 1, column 1: '1;2' is not a number but several"},
        {"a;b\n3;4\n", "line 2, column 1: '3;4' is not a number but several; --load-delimiter ';'"},
        {"1\t-2e3\tnan", "line 1, column 1: '1?-2e3?nan' is not a number but several; --load-delimiter tab"},
        {"x,y\n1,2 3\n", "line 2, column 2: '2 3' is not a number but several; --load-delimiter ' '"},
        {"1\n2;3;\n", "'2;3;' is not a number, which"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int code = strstr(cases[i].reason, "UTF-16") ? ERROR_UNSUPPORTED : ERROR_CORRUPT;
        fails(&csv_codec, NULL, cases[i].text, code, cases[i].reason);
    }
    struct exact exact;
    assert_int_equal(decode_with(&csv_codec, NULL,
                                 "1\n1\0"
                                 "2\n",
                                 6, &exact),
                     ERROR_CORRUPT);
    assert_non_null(strstr(exact.error.reason, "line 2, column 1: '1?2' is not a number"));
}

/* What is promised is bounded by what is there: a wide line and many short ones are no huge table. */
static void promises_are_bounded(void **state)
{
    (void)state;
    const size_t count = 10000;
    char *text = malloc(4 * count + 16), *out = text;
    for (size_t i = 0; i < count; i++)
        out += sprintf(out, "%s1", i ? "," : "");
    for (size_t i = 0; i < count; i++)
        out += sprintf(out, "\n1");
    struct exact exact;
    assert_int_equal(decode_with(&csv_codec, NULL, text, (size_t)(out - text), &exact), ERROR_CORRUPT);
    assert_string_equal(exact.error.reason, "line 2 has 1 field, line 1 has 10000");
    free(text);
    struct codec_limits limits = exact_limits;
    limits.max_elements = 5;
    assert_int_equal(exact_decode(&csv_codec, (const uint8_t *)"1,2,3\n4,5,6", 11, &limits, &exact),
                     ERROR_LIMIT);
    assert_string_equal(exact.error.reason, "6 elements, over max_elements 5; raise it with --max-elements");
    limits.max_elements = 6;
    assert_int_equal(exact_decode(&csv_codec, (const uint8_t *)"1,2,3\n4,5,6", 11, &limits, &exact), 0);
    exact_free(&exact);
}

static void too_small_a_buffer_is_refused(void **state)
{
    (void)state;
    double values[5];
    struct scratch scratch = {0};
    struct error error;
    struct codec_decode job = {.limits = &exact_limits,
                               .bytes = (const uint8_t *)"1,2,3\n4,5,6\n",
                               .length_bytes = 12,
                               .pixels = (uint8_t *)values,
                               .pixels_bytes = sizeof values,
                               .scratch = &scratch};
    assert_int_equal(csv_codec.decode(&job, &error), ERROR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_have_rows_and_columns),
        cmocka_unit_test(one_column_is_one_dimension),
        cmocka_unit_test(a_header_without_rows_is_an_empty_array),
        cmocka_unit_test(header_is_as_the_setting_says),
        cmocka_unit_test(delimiter_is_as_the_setting_says),
        cmocka_unit_test(missing_fields_are_what_the_setting_says),
        cmocka_unit_test(words_are_numbers),
        cmocka_unit_test(each_type_holds_its_range),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(promises_are_bounded),
        cmocka_unit_test(too_small_a_buffer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
