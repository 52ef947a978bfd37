/* SPDX-License-Identifier: MIT */
/* pad against rows that are written out by hand, and against a walk that looks each pixel up by itself. */
#include "stage_harness.h"

static void each_extend_has_its_border(void **state)
{
    (void)state;
    static const struct {
        const char *extend;
        uint8_t expected[9];
    } cases[] = {
        {"black", {0, 0, 0, 0, 10, 20, 30, 0, 0}},
        {"white", {255, 255, 255, 255, 10, 20, 30, 255, 255}},
        {"background,background=#404040", {64, 64, 64, 64, 10, 20, 30, 64, 64}},
        {"copy", {10, 10, 10, 10, 10, 20, 30, 30, 30}},
        {"repeat", {30, 10, 20, 30, 10, 20, 30, 10, 20}},
        {"mirror", {30, 30, 20, 10, 10, 20, 30, 30, 20}},
    };
    static const uint8_t src[3] = {10, 20, 30};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char across[80], down[80];
        struct shape out;
        snprintf(across, sizeof across, "left=4,right=2,extend=%s", cases[i].extend);
        snprintf(down, sizeof down, "top=4,bottom=2,extend=%s", cases[i].extend);
        const struct shape row = harness_shape(3, 1, 1, SAMPLE_U8),
                           column = harness_shape(1, 3, 1, SAMPLE_U8);
        uint8_t *dst = harness_apply("pad", across, &row, src, &out);
        assert_int_equal(out.width, 9);
        assert_int_equal(out.height, 1);
        assert_memory_equal(dst, cases[i].expected, 9);
        free(dst);
        dst = harness_apply("pad", down, &column, src, &out);
        assert_int_equal(out.width, 1);
        assert_int_equal(out.height, 9);
        assert_memory_equal(dst, cases[i].expected, 9);
        free(dst);
    }
}

/* Black is nothing at all, white and colours can be seen. */
static void borders_have_the_alpha_that_help_says(void **state)
{
    (void)state;
    static const uint8_t src[4] = {1, 2, 3, 4};
    static const struct {
        const char *arguments;
        uint8_t expected[8];
    } cases[] = {
        {"left=1", {0, 0, 0, 0, 1, 2, 3, 4}},
        {"left=1,extend=white", {255, 255, 255, 255, 1, 2, 3, 4}},
        {"left=1,extend=background,background=#102030", {16, 32, 48, 255, 1, 2, 3, 4}},
        {"left=1,background=#102030", {16, 32, 48, 255, 1, 2, 3, 4}}, /* given, so it is wanted */
        {"left=1,extend=background", {255, 255, 255, 255, 1, 2, 3, 4}},
        {"left=1,extend=copy", {1, 2, 3, 4, 1, 2, 3, 4}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = harness_shape(1, 1, 4, SAMPLE_U8);
        struct shape out;
        uint8_t *dst = harness_apply("pad", cases[i].arguments, &in, src, &out);
        assert_memory_equal(dst, cases[i].expected, 8);
        free(dst);
    }
}

static void colour_turns_grey_into_rgb(void **state)
{
    (void)state;
    static const uint16_t src[2] = {500, 600};
    static const uint16_t expected[8] = {0x1212, 0x3434, 0x5656, 65535, 500, 500, 500, 600};
    struct shape in = harness_shape(1, 1, 2, SAMPLE_U16), out;
    uint8_t *dst =
        harness_apply("pad", "left=1,extend=background,background=#123456", &in, (const uint8_t *)src, &out);
    assert_int_equal(out.channels, 4);
    assert_memory_equal(dst, expected, sizeof expected);
    free(dst);
    dst = harness_apply("pad", "left=1,extend=background,background=grey", &in, (const uint8_t *)src, &out);
    assert_int_equal(out.channels, 2);
    free(dst);
}

static void bits_stay_where_no_value_is_new(void **state)
{
    (void)state;
    static const uint8_t src[2] = {0, 255};
    struct shape in = harness_shape(2, 1, 1, SAMPLE_U8), out;
    in.bits = 1;
    free(harness_apply("pad", "top=1,extend=mirror", &in, src, &out));
    assert_int_equal(out.bits, 1);
    free(harness_apply("pad", "top=1,extend=background,background=grey", &in, src, &out));
    assert_int_equal(out.bits, 8);
}

static void gravity_places_the_image(void **state)
{
    (void)state;
    static const char *const names[] = {"north-west", "north",      "north-east", "west",      "centre",
                                        "east",       "south-west", "south",      "south-east"};
    static const uint8_t src[1] = {255};
    for (size_t i = 0; i < 9; i++) {
        char arguments[64];
        struct shape in = harness_shape(1, 1, 1, SAMPLE_U8), out;
        snprintf(arguments, sizeof arguments, "width=5,height=7,gravity=%s", names[i]);
        uint8_t *dst = harness_apply("pad", arguments, &in, src, &out);
        const size_t x = i % 3 * 2, y = i / 3 * 3;
        for (size_t p = 0; p < 35; p++)
            assert_int_equal(dst[p], p == y * 5 + x ? 255 : 0);
        free(dst);
    }
}

static size_t folded(long at, long length, const char *extend)
{
    while (strcmp(extend, "repeat") == 0 && (at < 0 || at >= length))
        at += at < 0 ? length : -length;
    while (strcmp(extend, "mirror") == 0 && (at < 0 || at >= length))
        at = at < 0 ? -1 - at : 2 * length - 1 - at;
    return (size_t)(at < 0 ? 0 : at >= length ? length - 1 : at);
}

/* Borders several times as long as the image. */
static void long_borders_follow_the_walk(void **state)
{
    (void)state;
    static const char *const extends[] = {"copy", "repeat", "mirror"};
    for (size_t i = 0; i < 3; i++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            char arguments[80];
            const struct shape in = harness_shape(5, 3, channels, SAMPLE_F32);
            struct shape out;
            snprintf(arguments, sizeof arguments, "left=13,top=8,right=12,bottom=11,extend=%s", extends[i]);
            uint8_t *src = harness_image(&in, 3);
            uint8_t *dst = harness_apply("pad", arguments, &in, src, &out);
            for (long y = 0; y < 22; y++) {
                for (long x = 0; x < 30; x++) {
                    const size_t from = folded(y - 8, 3, extends[i]) * 5 + folded(x - 13, 5, extends[i]);
                    assert_memory_equal(dst + (size_t)(y * 30 + x) * channels * 4, src + from * channels * 4,
                                        channels * 4);
                }
            }
            free(dst);
            free(src);
        }
    }
}

static void impossible_borders_are_refused(void **state)
{
    (void)state;
    const struct stage *pad = stage_find("pad");
    static const char *const contradictions[] = {"", "width=5,left=1", "height=5,bottom=1", "gravity=north",
                                                 "left=1,extend=copy,background=red"};
    for (size_t i = 0; i < sizeof contradictions / sizeof *contradictions; i++) {
        struct error error = {0};
        void *params = harness_params(pad, contradictions[i]);
        assert_int_equal(pad->check(params, &error), ERROR_USAGE);
        assert_true(strlen(error.reason) > 0);
        harness_free_params(pad, params);
    }
    static const struct {
        const char *arguments;
        int code;
    } misfits[] = {{"width=9", ERROR_USAGE},
                   {"height=9", ERROR_USAGE},
                   {"left=4294967295,right=4294967295", ERROR_LIMIT}};
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        const struct shape in = harness_shape(10, 10, 1, SAMPLE_U8);
        struct stage_plan plan;
        struct error error = {0};
        void *params = harness_params(pad, misfits[i].arguments);
        assert_int_equal(pad->check(params, &error), 0);
        assert_int_equal(stage_plan(pad, params, &in, &plan, &error), misfits[i].code);
        harness_free_params(pad, params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_extend_has_its_border),
        cmocka_unit_test(borders_have_the_alpha_that_help_says),
        cmocka_unit_test(colour_turns_grey_into_rgb),
        cmocka_unit_test(bits_stay_where_no_value_is_new),
        cmocka_unit_test(gravity_places_the_image),
        cmocka_unit_test(long_borders_follow_the_walk),
        cmocka_unit_test(impossible_borders_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
