/* SPDX-License-Identifier: MIT */
/* Places of files that need not exist. What does exist is compared with realpath. */
#include "pipeline/files/resolve.h"

#include "tests/pipeline/tree.h"

static void assert_place(const char *path, const char *wanted)
{
    char *here = realpath(".", NULL), whole[8192];
    char *place = resolve_place(path);
    assert_non_null(here);
    assert_non_null(place);
    snprintf(whole, sizeof whole, "%s/%s", here, wanted);
    assert_string_equal(place, whole);
    free(place);
    free(here);
}

static void what_exists_is_as_realpath_has_it(void **state)
{
    (void)state;
    tree_dir("real");
    tree_dir("real/deep");
    tree_file("real/deep/x", "1");
    assert_int_equal(symlink("real/deep", "link"), 0);
    static const char *const paths[] = {"real/deep/x", "./real//deep/./x", "link/x", "link/../deep/x",
                                        "real/../link/../../real/deep/x"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char *real = realpath(paths[i], NULL), *place = resolve_place(paths[i]);
        assert_non_null(real);
        assert_string_equal(place, real);
        free(place);
        place = resolve_place(real);
        assert_string_equal(place, real);
        free(place);
        free(real);
    }
}

static void what_does_not_exist_keeps_its_names(void **state)
{
    (void)state;
    tree_dir("real");
    tree_dir("real/deep");
    tree_file("real/deep/x", "1");
    assert_int_equal(symlink("real/deep", "link"), 0);
    assert_place("new", "new");
    assert_place("./new/./a//b", "new/a/b");
    assert_place("new/../b", "b");
    assert_place("new/sub/../../real/b", "real/b");
    assert_place("link/new/b", "real/deep/new/b");
    assert_place("link/../b", "real/b");
    assert_place("new/", "new/");
    assert_place("real/deep/", "real/deep/");
    assert_place("real/deep/x/y", "real/deep/x/y"); /* no directory: opening it says so */
}

static void a_link_at_the_end_is_not_followed(void **state)
{
    (void)state;
    assert_int_equal(symlink("elsewhere", "link"), 0);
    assert_place("link", "link");
}

static void there_is_nothing_above_the_root(void **state)
{
    (void)state;
    static const char *const paths[] = {"/../../nothing-here", "//nothing-here", "/none/../nothing-here"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char *place = resolve_place(paths[i]);
        assert_string_equal(place, "/nothing-here");
        free(place);
    }
    char *place = resolve_place("/");
    assert_string_equal(place, "/");
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_exists_is_as_realpath_has_it, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_exist_keeps_its_names, tree_setup, tree_teardown),
        cmocka_unit_test_setup_teardown(a_link_at_the_end_is_not_followed, tree_setup, tree_teardown),
        cmocka_unit_test(there_is_nothing_above_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
