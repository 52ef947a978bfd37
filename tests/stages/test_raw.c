/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "codec_exact.h"

extern const struct codec raw_codec;

static int decode(const char *bytes, size_t length_bytes, struct codec_load load, struct exact *exact)
{
    struct codec_limits limits = exact_limits;
    limits.load = &load;
    return exact_decode(&raw_codec, (const uint8_t *)bytes, length_bytes, &limits, exact);
}

static void check(const char *bytes, size_t length_bytes, struct codec_load load, struct shape shape,
                  const void *samples, bool found)
{
    struct exact exact;
    if (decode(bytes, length_bytes, load, &exact) < 0)
        fail_msg("%s", exact.error.reason);
    assert_memory_equal(&exact.shape, &shape, sizeof shape);
    assert_memory_equal(&exact.info.shape, &shape, sizeof shape);
    assert_memory_equal(exact.pixels, samples, shape_bytes(&shape));
    assert_int_equal(exact.found, found);
    assert_int_equal(exact.warnings, 0);
    exact_free(&exact);
}

static void check_refused(size_t length_bytes, struct codec_load load, int code, const char *reason)
{
    struct exact exact;
    static const char bytes[256];
    assert_int_equal(decode(bytes, length_bytes, load, &exact), code);
    assert_string_equal(exact.error.reason, reason);
}

static struct shape array(enum sample sample, unsigned rank, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t dims[] = {a, b, c};
    return shape_array(sample, rank, dims);
}

static void nothing_said_is_a_line_of_bytes(void **state)
{
    (void)state;
    struct exact exact;
    check("abcdef", 6, (struct codec_load){0}, array(SAMPLE_U8, 1, 6, 0, 0), "abcdef", true);
    check("", 0, (struct codec_load){0}, array(SAMPLE_U8, 1, 0, 0, 0), "", true);
    assert_null(exact_limits.load);
    assert_int_equal(exact_decode(&raw_codec, (const uint8_t *)"ab", 2, &exact_limits, &exact), 0);
    assert_int_equal(exact.shape.dims[0], 2);
    exact_free(&exact);
}

static void shapes_are_as_load_says(void **state)
{
    (void)state;
    static char text[8];
    struct codec_load load = {.shape = text};
    static const struct {
        const char *text;
        unsigned rank;
        uint64_t a, b, c;
    } right[] = {
        {"2x3", 2, 2, 3, 0},  {"2,3", 2, 2, 3, 0},    {"6", 1, 6, 0, 0},      {"2X1x3", 3, 2, 1, 3},
        {"-1x3", 2, 2, 3, 0}, {"2x-1x1", 3, 2, 3, 1}, {"3x02,1", 3, 3, 2, 1}, {"-1", 1, 6, 0, 0},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        snprintf(text, sizeof text, "%s", right[i].text);
        check("abcdef", 6, load, array(SAMPLE_U8, right[i].rank, right[i].a, right[i].b, right[i].c),
              "abcdef", true);
    }
    static char empty[] = "4x0x2";
    load.shape = empty;
    check("", 0, load, array(SAMPLE_U8, 3, 4, 0, 2), "", true);
}

static void types_and_orders_are_as_load_says(void **state)
{
    (void)state;
    static char shape[] = "2x3";
    static const uint16_t little[] = {1, 2, 3, 4, 5, 6}, big[] = {256, 512, 768, 1024, 1280, 1536};
    static const uint16_t turned[] = {1, 3, 5, 2, 4, 6};
    static const char bytes[] = "\1\0\2\0\3\0\4\0\5\0\6\0";
    struct codec_load load = {.dtype = SAMPLE_U16 + 1, .shape = shape};
    check(bytes, 12, load, array(SAMPLE_U16, 2, 2, 3, 0), little, true);
    load.byte_order = CODEC_BIG_ENDIAN;
    check(bytes, 12, load, array(SAMPLE_U16, 2, 2, 3, 0), big, false);
    load.byte_order = CODEC_LITTLE_ENDIAN;
    load.order = CODEC_ORDER_FORTRAN;
    check(bytes, 12, load, array(SAMPLE_U16, 2, 2, 3, 0), turned, false);
    load = (struct codec_load){.dtype = SAMPLE_BOOL + 1};
    check("\0\1\2\xff", 4, load, array(SAMPLE_BOOL, 1, 4, 0, 0), "\0\1\1\1", false);
    check("\0\1\1\0", 4, load, array(SAMPLE_BOOL, 1, 4, 0, 0), "\0\1\1\0", true);
    load = (struct codec_load){.dtype = SAMPLE_U16 + 1, .offset_bytes = 4};
    check(bytes, 12, load, array(SAMPLE_U16, 1, 4, 0, 0), little + 2, false);
    static char far[64 + 2] = {[64] = 7};
    load = (struct codec_load){.offset_bytes = 64};
    check(far, sizeof far, load, array(SAMPLE_U8, 1, 2, 0, 0), "\7\0", true);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static char shape[32] = "5x7";
    check_refused(34, (struct codec_load){.shape = shape}, ERROR_CORRUPT,
                  "34 bytes, and 35 are wanted for a u8 array (5, 7)");
    check_refused(36, (struct codec_load){.shape = shape}, ERROR_CORRUPT,
                  "36 bytes, and 35 are wanted for a u8 array (5, 7)");
    check_refused(139, (struct codec_load){.shape = shape, .dtype = SAMPLE_F32 + 1}, ERROR_CORRUPT,
                  "139 bytes, and 140 are wanted for a f32 array (5, 7)");
    check_refused(9, (struct codec_load){.dtype = SAMPLE_F64 + 1}, ERROR_CORRUPT,
                  "9 bytes are no multiple of 8");
    check_refused(9, (struct codec_load){.offset_bytes = 10}, ERROR_CORRUPT,
                  "9 bytes, and load.offset is 10");
    snprintf(shape, sizeof shape, "-1x4");
    check_refused(10, (struct codec_load){.shape = shape}, ERROR_CORRUPT, "10 bytes are no multiple of 4");
    snprintf(shape, sizeof shape, "-1x0");
    check_refused(10, (struct codec_load){.shape = shape}, ERROR_CORRUPT, "10 bytes are no multiple of 1");
    snprintf(shape, sizeof shape, "999999999x999999999x999999");
    check_refused(10, (struct codec_load){.shape = shape}, ERROR_CORRUPT,
                  "impossible shape: its bytes cannot be counted");
    snprintf(shape, sizeof shape, "8001x8000");
    check_refused(10, (struct codec_load){.shape = shape}, ERROR_LIMIT,
                  "64008000 elements, over max_elements 64000000; raise it with --max-elements");
}

static void what_is_no_shape_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "2x",
                                      "x2",
                                      "2xx3",
                                      "2 x 3",
                                      "-2x3",
                                      "axb",
                                      "2.0",
                                      "-1x-1",
                                      "1x1x1x1x1x1x1x1x1",
                                      "9999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[32], reason[228];
        snprintf(text, sizeof text, "%s", bad[i]);
        snprintf(reason, sizeof reason,
                 "load.shape is '%s': up to 8 sizes like 480x640 are wanted, one of which may be -1", bad[i]);
        check_refused(6, (struct codec_load){.shape = text}, ERROR_USAGE, reason);
    }
}

static void settings_that_no_file_can_meet_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *shape, *reason; /* NULL: it is sound */
        uint64_t offset_bytes;
        int dtype;
    } cases[] = {
        {NULL, NULL, 0, 0},
        {"3x4", NULL, 0, 0},
        {"0", NULL, 0, 0},
        {"4x-1", NULL, 999, SAMPLE_F64 + 1},
        {"125", NULL, 0, SAMPLE_F64 + 1}, /* 1000 bytes */
        {"3x", "load.shape is '3x': up to 8 sizes", 0, 0},
        {"-1x0", "load.shape is '-1x0': beside a 0", 0, 0},
        {"501", "load.shape: 501 elements, over max_elements 500", 0, 0},
        {"126", "load.shape: no file is as long, with max_file 1000", 0, SAMPLE_F64 + 1},
        {NULL, "load.offset: no file is as long, with max_file 1000", 1001, 0},
        {"10", "load.offset: no file is as long, with max_file 1000", 991, 0},
        {"10", NULL, 990, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        struct error error = {0};
        snprintf(text, sizeof text, "%s", cases[i].shape ? cases[i].shape : "");
        const struct codec_load load = {.shape = cases[i].shape ? text : NULL,
                                        .offset_bytes = cases[i].offset_bytes,
                                        .dtype = cases[i].dtype};
        const struct codec_limits few = {.max_elements = 500, .max_file_bytes = 1000, .load = &load};
        const int code = raw_codec.check_load(&few, &error);
        assert_int_equal(code, cases[i].reason ? ERROR_USAGE : 0);
        if (cases[i].reason)
            assert_memory_equal(error.reason, cases[i].reason, strlen(cases[i].reason));
    }
}

static void samples_are_written_where_they_are(void **state)
{
    (void)state;
    static const uint16_t samples[] = {1, 2, 0x0304};
    const struct codec_save save = {.level = -1};
    const struct shape shape = array(SAMPLE_U16, 1, 3, 0, 0);
    struct exact_file file;
    assert_int_equal(exact_encode(&raw_codec, &save, &shape, (const uint8_t *)samples, NULL, &file), 0);
    assert_int_equal(file.length_bytes, 6);
    assert_memory_equal(file.bytes, "\1\0\2\0\4\3", 6);
    free(file.bytes);
}

static void names_alone_find_the_codec(void **state)
{
    (void)state;
    assert_ptr_equal(codec_for_name("a.raw"), &raw_codec);
    assert_ptr_equal(codec_for_name("a.BIN"), &raw_codec);
    assert_ptr_equal(codec_for_name("a.dat.gz"), &raw_codec);
    assert_null(raw_codec.sniff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_a_line_of_bytes),
        cmocka_unit_test(shapes_are_as_load_says),
        cmocka_unit_test(types_and_orders_are_as_load_says),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(what_is_no_shape_is_refused),
        cmocka_unit_test(settings_that_no_file_can_meet_are_refused),
        cmocka_unit_test(samples_are_written_where_they_are),
        cmocka_unit_test(names_alone_find_the_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
