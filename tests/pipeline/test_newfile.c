/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <errno.h>
#include <sys/syscall.h>

#include "pipeline/files/outfile.h"

static int put(struct outfile *root, const char *rel, const char *text, struct error *error)
{
    return outfile_write(root, rel, text, strlen(text), NULL, NULL, error);
}

static int rename_lacks, link_lacks; /* the errno of every renameat2 and linkat; 0: the real one is called */
static int links;                    /* calls of linkat so far */
static int named;                    /* names in the directory at the last one */
static bool by_name_only;            /* as before Linux 6.10 without privileges */

/* In place of libc's. */
int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    errno = rename_lacks;
    return rename_lacks ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    char path[64];
    links++;
    snprintf(path, sizeof path, "/proc/self/fd/%d/.", to);
    named = tree_names(path);
    errno = by_name_only && (flags & AT_EMPTY_PATH) ? ENOENT : link_lacks;
    return errno ? -1 : (int)syscall(SYS_linkat, from, old, to, new, flags);
}

static void a_file_has_no_name_before_it_is_whole(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    links = 0;
    assert_int_equal(put(root, "a", "1", &error), 0);
    if (links == 0) {
        print_message("a_file_has_no_name_before_it_is_whole: SKIPPED, not on this file system\n");
        outfile_close(root);
        skip();
    }
    assert_int_equal(named, 0);
    assert_int_equal(put(root, "b", "2", &error), 0);
    assert_int_equal(links, 2);
    assert_int_equal(named, 1);
    /* What is replaced needs a temporary name, and so will the next one, which has it from the beginning. */
    assert_int_equal(put(root, "a", "3", &error), 0);
    assert_int_equal(links, 4);
    assert_int_equal(put(root, "b", "4", &error), 0);
    assert_int_equal(links, 4);
    assert_int_equal(put(root, "d/c", "5", &error), 0);
    assert_int_equal(links, 5);
    tree_holds("out/a", "3");
    tree_holds("out/b", "4");
    tree_holds("out/d/c", "5");
    assert_int_equal(tree_names("out"), 3);
    outfile_close(root);
}

static void where_descriptors_cannot_be_linked_their_names_are(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    links = 0;
    by_name_only = true;
    assert_int_equal(put(root, "a", "1", &error), 0);
    const int tried = links;
    assert_int_equal(put(root, "b", "2", &error), 0);
    by_name_only = false;
    assert_true(tried == 2 || tried == 0); /* 0: by renameat2, on this file system */
    assert_int_equal(links, tried ? 3 : 0);
    assert_int_equal(named, tried ? 1 : named);
    tree_holds("out/a", "1");
    tree_holds("out/b", "2");
    assert_int_equal(tree_names("out"), 2);
    outfile_close(root);
}

static void without_linkat_a_file_has_a_temporary_name(void **state)
{
    (void)state;
    static const int causes[] = {EPERM, EACCES, ENOSYS, ENOENT, EXDEV, ELOOP};
    struct outfile *root;
    struct error error;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        assert_int_equal(outfile_open(&root, "out", &error), 0);
        link_lacks = causes[i];
        assert_int_equal(put(root, "new", "1", &error), 0);
        assert_int_equal(put(root, "new", "2", &error), 0);
        assert_int_equal(put(root, "d/new", "3", &error), 0);
        link_lacks = 0;
        tree_holds("out/new", "2");
        tree_holds("out/d/new", "3");
        assert_int_equal(tree_names("out"), 2);
        assert_int_equal(unlink("out/new"), 0);
        assert_int_equal(unlink("out/d/new"), 0);
        outfile_close(root);
    }
}

static void a_name_that_cannot_be_is_told(void **state)
{
    (void)state;
    static const int causes[][2] = {
        {ENOSPC, ERROR_DISK_FULL}, {EDQUOT, ERROR_DISK_FULL}, {EIO, ERROR_PASSING}};
    struct outfile *root;
    struct error error;
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    links = 0;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        link_lacks = causes[i][0];
        const int code = put(root, "new", "1", &error);
        link_lacks = 0;
        if (links > 0)
            assert_int_equal(code, causes[i][1]);
        else
            assert_int_equal(unlink("out/new"), 0); /* by renameat2, on this file system */
        assert_int_equal(tree_names("out"), 0);
    }
    outfile_close(root);
}

static void without_renameat2_targets_are_looked_at(void **state)
{
    (void)state;
    static const int causes[] = {EINVAL, ENOSYS, EOPNOTSUPP, EPERM};
    struct outfile *root;
    struct error error;
    struct stat st;
    tree_file("input", "precious");
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    tree_dir("out/d");
    assert_int_equal(link("input", "out/same"), 0);
    assert_int_equal(stat("input", &st), 0);
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        rename_lacks = causes[i];
        link_lacks = EPERM;
        assert_int_equal(put(root, "new", "1", &error), 0);
        assert_int_equal(put(root, "new", "2", &error), 0);
        tree_holds("out/new", "2");
        assert_int_equal(put(root, "d", "x", &error), ERROR_IO);
        assert_int_equal(outfile_write(root, "same", "x", 1, &st, NULL, &error), ERROR_IO);
        tree_holds("input", "precious");
        assert_int_equal(tree_names("out"), 3);
        assert_int_equal(unlink("out/new"), 0);
    }
    rename_lacks = link_lacks = 0;
    outfile_close(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_has_no_name_before_it_is_whole),
        TEST(where_descriptors_cannot_be_linked_their_names_are),
        TEST(without_linkat_a_file_has_a_temporary_name),
        TEST(a_name_that_cannot_be_is_told),
        TEST(without_renameat2_targets_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
