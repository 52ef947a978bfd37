/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "pipeline/files/match.h"

static void paths_match_as_a_shell_would(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"a.png", "a.png", true},
        {"a.png", "A.png", false},
        {"*.png", "a.png", true},
        {"*.png", "a.pngx", false},
        {"*.png", "d/a.png", false},
        {"*", "x", true},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"?.png", "a.png", true},
        {"?.png", "ab.png", false},
        {"?.png", "\xc3\xa4.png", true},
        {"?.png", "\xff.png", true},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[!a-c]x", "ax", false},
        {"[]x]", "]", true},
        {"[a", "[a", true},
        {"[\xc3\xa4\xc3\xb6]", "\xc3\xb6", true},
        {"[\xc3\xa4]", "\xc3\xb6", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"[\\]]", "]", true},
        {"a/*/c", "a/b/c", true},
        {"a/*/c", "a/b/b/c", false},
        {"**/c", "c", true},
        {"**/c", "a/b/c", true},
        {"a/**", "a/b/c", true},
        {"a/**", "b/a", false},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/x/y/c", true},
        {"a/**/c", "a/x/y/d", false},
        {"**/a/**/b", "x/a/y/a/z/b", true},
        {"**", "x/y", true},
        {"a**", "abc", true},
        {"a**", "abc/d", false},
        {"x\ny*", "x\nyz", true},
        {"", "a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (match_path(cases[i].pattern, cases[i].path, MATCH_DOTS) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
    }
}

static void hidden_names_need_a_dot(void **state)
{
    (void)state;
    assert_false(match_path("*", ".a", MATCH_NO_DOTS));
    assert_false(match_path("?a", ".a", MATCH_NO_DOTS));
    assert_true(match_path(".*", ".a", MATCH_NO_DOTS));
    assert_true(match_path("*", ".a", MATCH_DOTS));
    assert_false(match_path("**/a", ".x/a", MATCH_NO_DOTS));
    assert_true(match_path("**/.x/a", "y/.x/a", MATCH_NO_DOTS));
    assert_true(match_path("**/a", ".x/a", MATCH_DOTS));
}

static void directories_are_pruned_only_where_nothing_beneath_can_match(void **state)
{
    (void)state;
    assert_true(match_beneath("a/*/c", "a", MATCH_NO_DOTS));
    assert_true(match_beneath("a/*/c", "a/x", MATCH_NO_DOTS));
    assert_false(match_beneath("a/*/c", "b", MATCH_NO_DOTS));
    assert_false(match_beneath("a/*/c", "a/x/c", MATCH_NO_DOTS));
    assert_true(match_beneath("**/c", "a/x/c", MATCH_NO_DOTS));
    assert_false(match_beneath("**/c", ".git", MATCH_NO_DOTS));
    assert_true(match_beneath("**/.x/c", "a/.x", MATCH_NO_DOTS));
    assert_false(match_beneath("*.png", "d", MATCH_NO_DOTS));
}

static void lists_look_at_names_or_at_paths(void **state)
{
    (void)state;
    char *texts[] = {"*.tif", "old/*", "/top", "cache/"};
    const struct param_list list = {texts, 4};
    assert_true(match_list(&list, "x/y/a.tif", false));
    assert_true(match_list(&list, "old/a", false));
    assert_false(match_list(&list, "x/old/a", false));
    assert_true(match_list(&list, "top", true));
    assert_false(match_list(&list, "x/top", true));
    assert_true(match_list(&list, "x/cache", true));
    assert_false(match_list(&list, "x/cache", false));
    assert_false(match_list(NULL, "a", false));
    assert_false(match_list_named(&list, "old/a"));
    assert_true(match_list_named(&list, "old/a.tif"));
}

static void fixed_parts_are_found(void **state)
{
    (void)state;
    assert_int_equal(match_fixed_prefix("photos/2024/i*.png"), 12);
    assert_int_equal(match_fixed_prefix("*.png"), 0);
    assert_int_equal(match_fixed_prefix("/a[b]/c"), 1);
    assert_int_equal(match_fixed_prefix("a\\*b/c*"), 5);
    assert_true(match_is_pattern("a?"));
    assert_false(match_is_pattern("a\\?"));
    assert_true(match_ends_in_stars("a/**"));
    assert_true(match_ends_in_stars("*"));
    assert_false(match_ends_in_stars("*.png"));
}

static void a_spiteful_pattern_takes_no_time(void **state)
{
    (void)state;
    char pattern[401], name[256];
    for (size_t i = 0; i < 400; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[398] = '*', pattern[399] = 'b', pattern[400] = '\0';
    memset(name, 'a', 255);
    name[255] = '\0';
    const clock_t start = clock();
    assert_false(match_path(pattern, name, MATCH_DOTS));
    assert_true(clock() - start < CLOCKS_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_match_as_a_shell_would),
        cmocka_unit_test(hidden_names_need_a_dot),
        cmocka_unit_test(directories_are_pruned_only_where_nothing_beneath_can_match),
        cmocka_unit_test(lists_look_at_names_or_at_paths),
        cmocka_unit_test(fixed_parts_are_found),
        cmocka_unit_test(a_spiteful_pattern_takes_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
