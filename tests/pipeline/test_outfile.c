/* SPDX-License-Identifier: MIT */
/* ctest labels: alone */
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "pipeline/files/beneath.h"
#include "pipeline/files/outfile.h"
#include "tests/quick.h"

static int put(struct outfile *root, const char *rel, const char *text, struct error *error)
{
    return outfile_write(root, rel, text, strlen(text), NULL, NULL, error);
}

static void a_signal_leaves_nothing_of_the_trial(void **state)
{
    (void)state;
    assert_int_equal(mkdir("trial", 0777), 0);
    for (useconds_t i = 0; i < (quick() ? 20 : 200); i++) {
        pid_t child = fork();
        if (child == 0) {
            struct outfile *root;
            while (outfile_open(&root, "trial", NULL) == 0)
                outfile_close(root);
            _exit(1);
        }
        usleep(500 + i * 3);
        kill(child, SIGTERM);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(tree_names("trial"), 0);
    }
}

static void outputs_arrive_whole_and_alone(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    struct stat st, target;
    assert_int_equal(outfile_open(&root, "out//deep/er/", &error), 0);
    assert_int_equal(tree_names("out/deep/er"), 0);
    assert_true(outfile_directory(root, &st) >= 0);
    assert_int_equal(stat("out/deep/er", &target), 0);
    assert_int_equal(st.st_ino, target.st_ino);
    assert_int_equal(put(root, "a.png", "one", &error), 0);
    assert_int_equal(put(root, "x/y/b.png", "two", &error), 0);
    assert_int_equal(put(root, "x/y/c\n.png", "", &error), 0);
    assert_int_equal(put(root, "x/d.png", "four", &error), 0);
    assert_int_equal(put(root, "a.png", "again", &error), 0);
    tree_holds("out/deep/er/a.png", "again");
    tree_holds("out/deep/er/x/y/b.png", "two");
    tree_holds("out/deep/er/x/y/c\n.png", "");
    tree_holds("out/deep/er/x/d.png", "four");
    assert_int_equal(tree_names("out/deep/er") + tree_names("out/deep/er/x") + tree_names("out/deep/er/x/y"),
                     6);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(stat("out/deep/er/a.png", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0666 & ~mask);
    outfile_close(root);
}

static void names_as_long_as_they_may_be(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    char name[260];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    assert_int_equal(put(root, name, "x", &error), 0);
    name[255] = 'n', name[256] = '\0';
    assert_int_equal(put(root, name, "x", &error), ERROR_UNSUPPORTED);
    assert_int_equal(tree_names("out"), 1);
    outfile_close(root);
}

static void impossible_targets_are_refused(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    struct stat st;
    tree_file("input", "precious");
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    tree_dir("out/d");
    tree_file("out/f", "f");
    assert_int_equal(put(root, "d", "x", &error), ERROR_IO);
    assert_non_null(strstr(error.reason, "directory"));
    assert_int_equal(put(root, "f/x", "x", &error), ERROR_IO);
    assert_int_equal(put(root, "d/ok", "x", &error), 0); /* the cache survives a failure */
    static const char *const unsound[] = {"", "/abs", "../up", "a/../../up", "..", "a/"};
    for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++)
        assert_int_equal(put(root, unsound[i], "x", &error), ERROR_UNSUPPORTED);
    assert_int_equal(link("input", "out/same"), 0);
    assert_int_equal(stat("input", &st), 0);
    assert_int_equal(outfile_write(root, "same", "x", 1, &st, NULL, &error), ERROR_IO);
    assert_non_null(strstr(error.reason, "replace the input"));
    tree_holds("input", "precious");
    assert_int_equal(symlink("../input", "out/link"), 0);
    assert_int_equal(put(root, "link", "x", &error), 0); /* replaces the link, not what it leads to */
    tree_holds("input", "precious");
    assert_int_equal(tree_names("out"), 4);
    outfile_close(root);
}

static void links_are_followed_beneath_the_output_and_no_further(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    /* Without openat2 (valgrind has none) no link is followed, which is safe as well. */
    assert_int_equal(symlink(".", "here"), 0);
    int here = beneath_open(AT_FDCWD, "here", O_PATH | O_DIRECTORY, true);
    if (here < 0)
        skip();
    close(here);
    tree_dir("elsewhere");
    tree_file("elsewhere/a", "precious");
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    assert_int_equal(put(root, "real/sub/a", "1", &error), 0);
    assert_int_equal(symlink("real/sub", "out/inside"), 0);
    assert_int_equal(put(root, "inside/b", "2", &error), 0);
    tree_holds("out/real/sub/b", "2");
    assert_int_equal(symlink("../elsewhere", "out/outside"), 0);
    assert_int_equal(put(root, "outside/a", "x", &error), ERROR_IO);
    assert_non_null(strstr(error.reason, "leads out of the output directory"));
    assert_int_equal(put(root, "outside/new/a", "x", &error), ERROR_IO);
    tree_holds("elsewhere/a", "precious");
    assert_int_equal(tree_names("elsewhere"), 1);
    outfile_close(root);
}

static void a_directory_removed_meanwhile_is_made_again(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    assert_int_equal(put(root, "d/a", "1", &error), 0);
    assert_int_equal(unlink("out/d/a"), 0);
    assert_int_equal(rmdir("out/d"), 0);
    assert_int_equal(put(root, "d/b", "2", &error), 0);
    tree_holds("out/d/b", "2");
    outfile_close(root);
}

static void places_that_cannot_be_written_are_named(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    tree_file("file", "x");
    static const char *const places[] = {"file", "file/out", "/proc/forkmill", ""};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        assert_true(outfile_open(&root, places[i], &error) < 0);
        assert_null(root);
        assert_non_null(strstr(error.reason, places[i]));
    }
}

/* A write that stops half-way: the file-size limit stands in for a device that fails. */
static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    struct rlimit limit, small;
    static char bytes[100000];
    assert_int_equal(outfile_open(&root, "out", &error), 0);
    assert_int_equal(put(root, "a", "old", &error), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 5000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int code = outfile_write(root, "a", bytes, sizeof bytes, NULL, NULL, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(code, ERROR_IO);
    tree_holds("out/a", "old");
    assert_int_equal(tree_names("out"), 1);
    outfile_close(root);
}

static void a_full_disk_says_so(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error;
    static char bytes[300000];
    tree_dir("small");
    if (mount("tmpfs", "small", "tmpfs", 0, "size=128k,nr_inodes=5") < 0) {
        print_message("a_full_disk_says_so: SKIPPED, mounting a tmpfs: %s\n", strerror(errno));
        skip();
    }
    assert_int_equal(outfile_open(&root, "small/out", &error), 0);
    assert_int_equal(put(root, "a", "old", &error), 0);
    int big = outfile_write(root, "a", bytes, sizeof bytes, NULL, NULL, &error);
    tree_holds("small/out/a", "old");
    int names = tree_names("small/out");
    int inodes = 0;
    for (int i = 0; i < 10 && inodes == 0; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d/x", i);
        inodes = put(root, name, "", &error);
    }
    outfile_close(root);
    int unmounted = umount("small");
    assert_int_equal(big, ERROR_DISK_FULL);
    assert_int_equal(names, 1);
    assert_int_equal(inodes, ERROR_DISK_FULL);
    assert_int_equal(unmounted, 0);
}

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Writes a file; what is said of it is so. */
static void assert_described(struct outfile *root, const char *name)
{
    struct outfile_made made;
    struct stat there;
    char path[128];
    assert_int_equal(outfile_write(root, name, name, strlen(name), NULL, &made, NULL), 0);
    snprintf(path, sizeof path, "durable/%s", name);
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(made.size_bytes, there.st_size);
    assert_true(ns_of(made.changed) >= ns_of(there.st_mtim));
    assert_true(ns_of(made.changed) - ns_of(there.st_mtim) <= (made.about ? OUTFILE_ABOUT_NS : 0));
}

/* More directories than are kept in mind at once, made on the way and found. */
static void durable_outputs_are_forced_with_their_directories(void **state)
{
    (void)state;
    struct outfile *root;
    char name[64];
    assert_int_equal(outfile_open(&root, "durable", NULL), 0);
    outfile_make_durable(root);
    for (int i = 0; i < 40; i++) {
        /* Of the second the time may be known from the clock. */
        for (int j = 0; j < 2; j++) {
            snprintf(name, sizeof name, "d%d/e/f%d", i % 25, j);
            assert_described(root, name);
        }
    }
    const int before = tree_names("/proc/self/fd");
    assert_int_equal(outfile_sync(root, NULL), 0);
    assert_true(tree_names("/proc/self/fd") < before);
    assert_int_equal(outfile_sync(root, NULL), 0);
    outfile_close(root);
}

static void a_file_is_copied_whole_or_not_at_all(void **state)
{
    (void)state;
    struct outfile *root;
    struct error error = {0};
    tree_file("source", "what it holds");
    int fd = open("source", O_RDONLY);
    assert_int_equal(outfile_open(&root, "aside", NULL), 0);
    assert_int_equal(outfile_copy(root, "deep/er/copy", fd, &error), 0);
    tree_holds("aside/deep/er/copy", "what it holds");
    close(fd);
    /* of /proc, where files say that they are empty and are not */
    fd = open("/proc/self/oom_score_adj", O_RDONLY);
    assert_int_equal(outfile_copy(root, "proc", fd, &error), 0);
    struct stat copied;
    assert_int_equal(stat("aside/proc", &copied), 0);
    assert_true(copied.st_size > 0);
    close(fd);
    assert_int_equal(link("source", "aside/same"), 0);
    fd = open("source", O_RDONLY);
    assert_int_equal(outfile_copy(root, "same", fd, &error), ERROR_IO);
    tree_holds("source", "what it holds");
    close(fd);
    fd = open("aside", O_RDONLY | O_DIRECTORY);
    assert_true(outfile_copy(root, "directory", fd, &error) < 0);
    assert_int_equal(access("aside/directory", F_OK), -1);
    close(fd);
    outfile_close(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outputs_arrive_whole_and_alone),
        TEST(durable_outputs_are_forced_with_their_directories),
        TEST(a_file_is_copied_whole_or_not_at_all),
        TEST(names_as_long_as_they_may_be),
        TEST(impossible_targets_are_refused),
        TEST(links_are_followed_beneath_the_output_and_no_further),
        TEST(a_directory_removed_meanwhile_is_made_again),
        TEST(places_that_cannot_be_written_are_named),
        TEST(a_failed_write_leaves_nothing),
        TEST(a_full_disk_says_so),
        TEST(a_signal_leaves_nothing_of_the_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
