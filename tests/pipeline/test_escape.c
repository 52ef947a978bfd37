/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/report/escape.h"

static void texts_become_printable(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain name.png", "plain name.png"},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"back\\slash", "back\\\\slash"},
        {"\x1b[2Jx", "\\x1b[2Jx"},
        {"\x7f", "\\x7f"},
        {"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80"},
        {"c1 \xc2\x9b", "c1 \\xc2\\x9b"},                    /* CSI in one character */
        {"latin \xe4 end", "latin \\xe4 end"},               /* ISO 8859-1 */
        {"\xc0\xaf", "\\xc0\\xaf"},                          /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},                 /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                 /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},        /* above U+10FFFF */
        {"cut \xe6\x97", "cut \\xe6\\x97"},                  /* ends inside a sequence */
        {"a\xe2\x80\xaegpj.exe", "a\\xe2\\x80\\xaegpj.exe"}, /* right-to-left override */
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},                 /* isolate */
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},                 /* line separator */
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},                 /* byte order mark */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[200];
        assert_ptr_equal(escape_text(cases[i][0], out, sizeof out), out);
        assert_string_equal(out, cases[i][1]);
    }
}

static void too_long_is_marked_and_never_overruns(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(escape_text("123456789", out, 10), "123456789");
    assert_string_equal(escape_text("1234567890", out, 10), "123456...");
    assert_string_equal(escape_text("1234\n\n\n", out, 10), "1234\\n...");
    assert_string_equal(escape_text("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", out, 8), "\xe6\x97\xa5...");
    assert_string_equal(escape_text("long", out, 3), "..");
    assert_string_equal(escape_text("long", out, 1), "");
    for (size_t size = 0; size < sizeof out; size++) {
        memset(out, '#', sizeof out);
        escape_text("ab\x1b\x1b\xc3\xbc\xff\n--------", out, size);
        for (size_t i = size; i < sizeof out; i++)
            assert_int_equal(out[i], '#');
        if (size > 0)
            assert_true(strlen(out) < size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_printable),
        cmocka_unit_test(too_long_is_marked_and_never_overruns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
