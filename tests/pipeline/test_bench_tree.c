/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <stdbool.h>

#include "pipeline/bench/bench_tree.h"

static int enter(void **state)
{
    (void)state;
    tree_enter();
    for (int i = 0; i < 2; i++) {
        char path[32];
        const char *const parts[] = {"", "/deep", "/deep/er"};
        for (int j = 0; j < 3; j++) {
            snprintf(path, sizeof path, "%c%s", "ab"[i], parts[j]);
            tree_dir(path);
            strcat(path, "/x.png");
            tree_file(path, parts[j]);
        }
    }
    return 0;
}

static int leave(void **state)
{
    (void)state;
    tree_leave();
    return 0;
}

/* Compares a with b; NULL: they are the same. */
static const char *difference(const char *expected_path)
{
    static char text[128];
    struct bench_tree a = {0}, b = {0};
    struct error error = {0};
    const char *path = NULL, *how = NULL;
    assert_int_equal(bench_tree_read(&a, "a", &error), 0);
    assert_int_equal(bench_tree_read(&b, "b", &error), 0);
    bool same = bench_tree_same(&a, &b, &path, &how);
    assert_int_equal(same, a.hash == b.hash);
    if (!same) {
        assert_string_equal(path, expected_path);
        snprintf(text, sizeof text, "%s", how);
    }
    bench_tree_free(&a);
    bench_tree_free(&b);
    return same ? NULL : text;
}

static void equal_trees_are_the_same(void **state)
{
    (void)state;
    struct bench_tree a = {0};
    struct error error = {0};
    assert_null(difference(NULL));
    assert_int_equal(bench_tree_read(&a, "a", &error), 0);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.bytes, strlen("/deep") + strlen("/deep/er"));
    assert_string_equal(a.files[0].path, "deep/er/x.png");
    bench_tree_free(&a);
    /* What the program keeps for itself is no output. */
    tree_file("b/.forkmill.sqlite", "times");
    assert_null(difference(NULL));
}

static void every_difference_is_found_and_named(void **state)
{
    (void)state;
    tree_file("b/deep/new.png", "");
    assert_string_equal(difference("deep/new.png"), "is there and should not be");
    assert_int_equal(unlink("b/deep/new.png"), 0);
    assert_int_equal(unlink("b/deep/x.png"), 0);
    assert_string_equal(difference("deep/x.png"), "is missing");
    tree_file("b/deep/x.png", "/deeq");
    assert_string_equal(difference("deep/x.png"), "has other bytes");
    assert_int_equal(unlink("b/deep/x.png"), 0);
    tree_file("b/deep/x.png", "/deep!");
    assert_string_equal(difference("deep/x.png"), "has another length");
    assert_int_equal(unlink("b/deep/x.png"), 0);
    tree_file("b/deep/y.png", "/deep");
    assert_string_equal(difference("deep/x.png"), "is missing");
    /* The last name of all is missing. */
    assert_int_equal(unlink("b/deep/y.png"), 0);
    tree_file("b/deep/x.png", "/deep");
    assert_int_equal(unlink("b/x.png"), 0);
    assert_string_equal(difference("x.png"), "is missing");
}

static void removing_stays_inside(void **state)
{
    (void)state;
    struct error error = {0};
    struct bench_tree tree = {0};
    assert_int_equal(symlink("../b", "a/link"), 0);
    assert_int_equal(bench_tree_remove("a", &error), 0);
    assert_int_equal(access("a", F_OK), -1);
    assert_int_equal(access("b/deep/er/x.png", F_OK), 0);
    assert_int_equal(bench_tree_remove("a", &error), ERROR_IO);
    assert_int_equal(bench_tree_read(&tree, "a", &error), ERROR_IO);
    bench_tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_trees_are_the_same, enter, leave),
        cmocka_unit_test_setup_teardown(every_difference_is_found_and_named, enter, leave),
        cmocka_unit_test_setup_teardown(removing_stays_inside, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
