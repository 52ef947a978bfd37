/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/config/base64.h"
#include "pipeline/config/diag.h"
#include "pipeline/report/utf8.h"

/* What is reported for bytes [start, end) of the text. */
static void expect(const char *text, size_t start, size_t end, const char *says)
{
    struct diag diag = {0};
    const struct diag_source source = {"f.yaml", text, strlen(text), false};
    diag_error_at(&diag, (struct diag_place){&source, start, end}, "no");
    assert_string_equal(diag.text, says);
    assert_int_equal(diag.errors, 1);
    diag_free(&diag);
}

static void a_place_is_shown_with_line_and_caret(void **state)
{
    (void)state;
    expect("a: 1\nbc: 23\n", 9, 11, "f.yaml:2:5: error: no\n    2 | bc: 23\n      |     ^~\n");
    expect("a: 1", 4, 4, "f.yaml:1:5: error: no\n    1 | a: 1\n      |     ^\n");
    expect("", 0, 0, "f.yaml:1:1: error: no\n    1 | \n      | ^\n");
    expect("a\r\nb: c\r\n", 6, 7, "f.yaml:2:4: error: no\n    2 | b: c\n      |    ^\n");
    expect("ab\ncd\n", 1, 5, "f.yaml:1:2: error: no\n    1 | ab\n      |  ^\n");
}

static void columns_are_characters(void **state)
{
    (void)state;
    expect("\xc3\xa9\t: \xe2\x82\xac", 5, 8,
           "f.yaml:1:5: error: no\n    1 | \xc3\xa9 : \xe2\x82\xac\n      |     ^\n");
    expect("\xef\xbb\xbf"
           "ab",
           4, 5, "f.yaml:1:2: error: no\n    1 | ab\n      |  ^\n");
}

static void control_characters_are_shown_and_counted(void **state)
{
    (void)state;
    expect("\x1b: x", 3, 4, "f.yaml:1:4: error: no\n    1 | \\x1b: x\n      |       ^\n");
    struct diag diag = {0};
    diag_error(&diag, "\x1b[31m%s", "\xff\n");
    assert_string_equal(diag.text, "forkmill: error: \\x1b[31m\\xff\\n\n");
    diag_free(&diag);
}

static void a_long_line_is_shown_in_part(void **state)
{
    (void)state;
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    struct diag diag = {0};
    const struct diag_source source = {"f.yaml", text, 1000, false};
    diag_error_at(&diag, (struct diag_place){&source, 500, 900}, "no");
    assert_true(diag.length_bytes < 400);
    assert_non_null(strstr(diag.text, "f.yaml:1:501: "));
    /* behind the bar: three dots and sixty characters, then the caret */
    const char *caret = strchr(diag.text, '^');
    const char *line = strrchr(diag.text, '|');
    assert_int_equal(caret - line, 2 + 3 + 60);
    diag_free(&diag);
}

static void too_many_errors_are_counted(void **state)
{
    (void)state;
    struct diag diag = {0};
    for (int i = 0; i < DIAG_MAX_ERRORS + 7; i++)
        diag_error(&diag, "e%d", i);
    assert_int_equal(diag.errors, DIAG_MAX_ERRORS + 7);
    assert_int_equal(diag.hidden, 7);
    assert_null(strstr(diag.text, "e100\n"));
    assert_non_null(strstr(diag.text, "e99\n"));
    diag_free(&diag);
}

static void the_same_list_is_shown_once(void **state)
{
    (void)state;
    struct diag diag = {0};
    diag_error(&diag, "x");
    diag_allowed(&diag, "keys", "a|b|c");
    diag_allowed(&diag, "keys", "a|b|c");
    assert_string_equal(diag.text, "forkmill: error: x\n      = keys: a, b, c\n");
    diag_free(&diag);
}

/* The vectors of RFC 4648, section 10. */
static void base64_is_that_of_the_rfc(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    static const char *const wrong[] = {"Z", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9*", "Zm-v"};
    char out[32];
    size_t length;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        base64_encode(vectors[i][0], strlen(vectors[i][0]), out);
        assert_string_equal(out, vectors[i][1]);
        assert_int_equal(base64_decode(vectors[i][1], out, &length), 0);
        assert_int_equal(length, strlen(vectors[i][0]));
        assert_memory_equal(out, vectors[i][0], length);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (base64_decode(wrong[i], out, &length) == 0)
            fail_msg("'%s' is taken for base64", wrong[i]);
    }
    assert_int_equal(base64_decode(" Zm9v\n Yg == \n", out, &length), 0);
    assert_memory_equal(out, "foob", length);
}

static void utf8_is_that_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        uint32_t point;
    } good[] = {{"a", 1, 'a'},
                {"\xc2\x80", 2, 0x80},
                {"\xe0\xa0\x80", 3, 0x800},
                {"\xed\x9f\xbf", 3, 0xd7ff},
                {"\xf4\x8f\xbf\xbf", 4, 0x10ffff}};
    static const char *const bad[] = {
        "\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xff", "\xc3"};
    uint32_t point;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(utf8_next(good[i].bytes, good[i].length, &point), good[i].length);
        assert_int_equal(point, good[i].point);
        assert_int_equal(utf8_next(good[i].bytes, good[i].length - 1, &point), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(utf8_next(bad[i], strlen(bad[i]), &point), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_shown_with_line_and_caret),
        cmocka_unit_test(columns_are_characters),
        cmocka_unit_test(control_characters_are_shown_and_counted),
        cmocka_unit_test(a_long_line_is_shown_in_part),
        cmocka_unit_test(too_many_errors_are_counted),
        cmocka_unit_test(the_same_list_is_shown_once),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(utf8_is_that_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
