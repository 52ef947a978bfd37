/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stages/param.h"

struct block {
    int64_t count;
    double ratio;
    int kind;
    uint64_t bytes, wait_ms, pixels;
    bool on;
    struct colour colour;
    struct param_list list;
};

static const struct param table[] = {
    {"count", PARAM_INT, offsetof(struct block, count), 1, 64, "4", "allotted|none", "", "How many"},
    {"ratio", PARAM_REAL, offsetof(struct block, ratio), 0, 2, "0.5", NULL, "", "Ratio"},
    {"kind", PARAM_CHOICE, offsetof(struct block, kind), 0, 0, "inside", "inside|cover|fill", "", "Kind"},
    {"bytes", PARAM_BYTES, offsetof(struct block, bytes), 0, 0, "2GiB", NULL, "bytes", "Bytes"},
    {"wait", PARAM_DURATION, offsetof(struct block, wait_ms), 0, 0, "30s", NULL, "ms", "Wait"},
    {"pixels", PARAM_COUNT, offsetof(struct block, pixels), 0, 0, "1.5M", NULL, "px", "Pixels"},
    {"on", PARAM_BOOL, offsetof(struct block, on), 0, 0, "yes", NULL, "", "On"},
    {"colour", PARAM_COLOUR, offsetof(struct block, colour), 0, 0, "#fff", NULL, "", "Colour"},
    {"list", PARAM_LIST, offsetof(struct block, list), 0, 0, NULL, NULL, "", "List"},
    PARAM_END,
};

static void defaults_are_parsed_and_print_as_written(void **state)
{
    (void)state;
    static const char *const written[] = {"4",     "0.5",  "inside",  "2GiB", "30s",
                                          "1500k", "true", "#ffffff", ""};
    struct block block = {0};
    param_defaults(table, &block);
    assert_int_equal(block.count, 4);
    assert_int_equal(block.bytes, 2147483648);
    assert_int_equal(block.wait_ms, 30000);
    assert_int_equal(block.pixels, 1500000);
    assert_int_equal(block.colour.green, 65535);
    for (size_t i = 0; table[i].name; i++) {
        char text[64];
        assert_string_equal(param_text(&table[i], &block, text, sizeof text), written[i]);
    }
    param_free(table, &block);
}

static void words_may_be_spelt_as_by_others(void **state)
{
    (void)state;
    static const struct param places = {
        .name = "gravity", .type = PARAM_CHOICE, .choices = "north|centre|jpeg"};
    static const struct param american = {
        .name = "gravity", .type = PARAM_CHOICE, .choices = "centre|center"};
    int index;
    struct error error;
    assert_int_equal(param_parse(&places, "center", &index, NULL), 0);
    assert_int_equal(index, 1);
    assert_int_equal(param_parse(&places, "jpg", &index, NULL), 0);
    assert_int_equal(index, 2);
    assert_int_equal(param_parse(&american, "center", &index, NULL), 0);
    assert_int_equal(index, 1);
    assert_int_equal(param_parse(&table[2], "center", &index, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "'center' is not one of inside|cover|fill"));
}

static void words_stand_for_numbers(void **state)
{
    (void)state;
    struct block block = {0};
    assert_int_equal(param_parse(&table[0], "allotted", &block, NULL), 0);
    assert_int_equal(block.count, -1);
    assert_int_equal(param_parse(&table[0], "none", &block, NULL), 0);
    assert_int_equal(block.count, -2);
}

/* A word for "no number" beside numbers of either sign. */
static void words_stand_apart_from_numbers(void **state)
{
    (void)state;
    static const struct param signs[] = {
        {"axis", PARAM_INT, offsetof(struct block, count), -8, 7, "none", "none", "", "Axis"},
        {"min", PARAM_REAL, offsetof(struct block, ratio), 0, 0, "none", "none", "", "Least"},
        PARAM_END,
    };
    struct block block = {0};
    struct error error = {0};
    char text[64];
    param_defaults(signs, &block);
    assert_int_equal(block.count, -9);
    assert_true(block.ratio != block.ratio);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(param_text(&signs[i], &block, text, sizeof text), "none");
        assert_int_equal(param_parse(&signs[i], "-1", &block, NULL), 0);
        assert_string_equal(param_text(&signs[i], &block, text, sizeof text), "-1");
        assert_int_equal(param_parse(&signs[i], "nome", &block, &error), ERROR_USAGE);
        assert_non_null(strstr(error.reason, "number or none; did you mean 'none'?"));
    }
    assert_int_equal(param_parse(&signs[1], "nan", &block, NULL), ERROR_USAGE);
    assert_int_equal(param_parse(&signs[0], "-9", &block, NULL), ERROR_USAGE);
}

static void a_word_stands_for_no_colour(void **state)
{
    (void)state;
    static const struct param back = {
        .name = "back", .type = PARAM_COLOUR, .initial = "corner", .choices = "corner"};
    struct colour colour = {.red = 1};
    struct error error = {0};
    char text[16];
    assert_int_equal(param_parse(&back, "corner", &colour, NULL), 0);
    assert_true(colour.none && colour.red == 0);
    assert_string_equal(param_text(&back, &colour, text, sizeof text), "corner");
    assert_int_equal(param_parse(&back, "#f00", &colour, NULL), 0);
    assert_true(!colour.none && colour.red == 65535);
    assert_string_equal(param_text(&back, &colour, text, sizeof text), "#ff0000");
    assert_int_equal(param_parse(&back, "corne", &colour, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "not a colour like #ff8800 or white, or corner"));
}

static void wrong_values_say_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        int index;
        const char *text, *says;
    } cases[] = {
        {0, "65", "allowed is 1 to 64"},
        {0, "alotted", "did you mean 'allotted'?"},
        {0, "99999999999999999999", "range"},
        {1, "nan", "not a number"},
        {1, "2.5", "allowed is 0 to 2"},
        {2, "insid", "did you mean 'inside'?"},
        {2, "x", "inside|cover|fill"},
        {3, "2Gi", "not a size"},
        {3, "-1", "out of range"},
        {3, "0x10", "not a size"},
        {4, "3d", "not a duration"},
        {6, "maybe", "true or false"},
        {7, "#ffff", "not a colour"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct block block = {0};
        struct error error = {0};
        assert_int_equal(param_parse(&table[cases[i].index], cases[i].text, &block, &error), ERROR_USAGE);
        if (!strstr(error.reason, cases[i].says))
            fail_msg("'%s' says '%s', not '%s'", cases[i].text, error.reason, cases[i].says);
    }
}

static void lists_append(void **state)
{
    (void)state;
    struct block block = {0};
    assert_int_equal(param_parse(&table[8], "a", &block, NULL), 0);
    assert_int_equal(param_parse(&table[8], "b", &block, NULL), 0);
    assert_int_equal(block.list.count, 2);
    assert_string_equal(block.list.texts[1], "b");
    param_free(table, &block);
    assert_int_equal(block.list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_parsed_and_print_as_written),
        cmocka_unit_test(words_may_be_spelt_as_by_others),
        cmocka_unit_test(words_stand_for_numbers),
        cmocka_unit_test(words_stand_apart_from_numbers),
        cmocka_unit_test(a_word_stands_for_no_colour),
        cmocka_unit_test(wrong_values_say_what_is_allowed),
        cmocka_unit_test(lists_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
