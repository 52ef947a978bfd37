/* SPDX-License-Identifier: MIT */
/* Looking ahead changes neither what is listed nor its order. The threads are told from outside that files
 * are slow. */
#include "tree.h"

#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "pipeline/run/lookahead.h"

#define FILES 300u
#define SLOW  1000000000u

static char input[] = "in";
static char *inputs[] = {input};
static const struct param_list list = {.texts = inputs, .count = 1};

static struct scan *open_scan(void)
{
    const struct scan_options options = {.inputs = &list, .recursive = true, .stop_fd = -1};
    struct scan *scan;
    struct error error = {0};
    assert_int_equal(scan_open(&scan, &options, &error), 0);
    return scan;
}

static int enter(void **state)
{
    (void)state;
    tree_enter();
    tree_dir("in");
    tree_dir("in/deep");
    for (unsigned i = 0; i < FILES; i++) {
        char path[64];
        snprintf(path, sizeof path, "in/%s%03u.png", i % 3 ? "" : "deep/", i);
        tree_file(path, "x");
    }
    assert_int_equal(mkfifo("in/150-fifo.png", 0600), 0);
    assert_int_equal(symlink("nowhere", "in/151-link.png"), 0);
    return 0;
}

/* A file that took so long, with or without having been waited for. */
static void open_one(struct lookahead *ahead, uint64_t took_ns, bool waits)
{
    const struct timespec instant = {.tv_nsec = 1};
    lookahead_begins(ahead);
    if (waits)
        nanosleep(&instant, NULL);
    lookahead_took(ahead, took_ns, true);
}

/* Files become slow at entry `from`, and stay so; their threads are as many as said. */
static void compare(unsigned threads, unsigned from)
{
    struct scan *plain = open_scan();
    struct lookahead ahead = {.scan = open_scan(), .most = threads};
    struct scan_entry expected, entry;
    unsigned count = 0;
    while (scan_next(plain, &expected)) {
        assert_false(lookahead_exhausted(&ahead));
        assert_true(lookahead_ready(&ahead, 0));
        assert_int_equal(lookahead_next(&ahead, &entry), 1);
        assert_int_equal(entry.kind, expected.kind);
        assert_string_equal(entry.path, expected.path);
        assert_string_equal(entry.rel, expected.rel);
        assert_string_equal(entry.shown, expected.shown);
        assert_string_equal(entry.reason.reason, expected.reason.reason);
        if (count++ >= from)
            open_one(&ahead, SLOW, true);
    }
    assert_int_equal(lookahead_next(&ahead, &entry), 0);
    assert_true(lookahead_exhausted(&ahead));
    assert_int_equal(count, FILES + 2);
    assert_int_equal(ahead.thread_count, from < count ? threads : 0);
    lookahead_close(&ahead);
    scan_close(ahead.scan);
    scan_close(plain);
}

/* With a ring every entry has its file, or none where the reader would get none, either. */
static void with_a_ring_each_entry_has_its_own_file(void **state)
{
    (void)state;
    struct scan *plain = open_scan();
    struct lookahead ahead = {.scan = open_scan(), .most = 3};
    struct scan_entry expected, entry;
    struct error error = {0};
    struct ahead_file file;
    unsigned count = 0;
    if (ahead_ring_open(&ahead.ring, &error) < 0) {
        print_message("not tried: no io_uring: %s\n", error.reason);
        scan_close(ahead.scan);
        scan_close(plain);
        return;
    }
    for (; scan_next(plain, &expected); count++) {
        struct stat st;
        assert_false(lookahead_exhausted(&ahead));
        assert_int_equal(lookahead_next(&ahead, &entry), 1);
        const struct scan_counts here = scan_counts(plain);
        assert_memory_equal(&ahead.counts, &here, sizeof here);
        assert_int_equal(entry.kind, expected.kind);
        assert_string_equal(entry.path, expected.path);
        assert_string_equal(entry.shown, expected.shown);
        if (count % 7 == 3)
            continue; /* refused for its name, say */
        lookahead_take(&ahead, &file);
        assert_int_equal(file.fd >= 0, entry.kind == SCAN_FILE);
        if (file.fd >= 0) {
            const int fd = scan_open_file(plain, expected.root, expected.path, &st, &error);
            assert_int_equal(st.st_ino, file.st.st_ino);
            close(fd);
        }
        lookahead_close_file(&ahead, file.fd);
        lookahead_take(&ahead, &file);
        assert_int_equal(file.fd, -1);
        open_one(&ahead, SLOW, true);
    }
    assert_int_equal(lookahead_next(&ahead, &entry), 0);
    assert_true(lookahead_exhausted(&ahead));
    assert_int_equal(count, FILES + 2);
    assert_int_equal(ahead.thread_count, 0);
    lookahead_close(&ahead);
    lookahead_close(&ahead);
    scan_close(ahead.scan);
    scan_close(plain);
}

static void the_order_is_that_of_the_scan(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 8; threads += 4) {
        compare(threads, 0);
        compare(threads, 100);
        compare(threads, UINT_MAX);
    }
}

/* Files that are slow for a while: the list is used up, and the scan goes on. */
static void quick_files_are_not_listed_ahead(void **state)
{
    (void)state;
    struct lookahead ahead = {.scan = open_scan(), .most = 2};
    struct scan_entry entry;
    for (int i = 0; i < 10; i++)
        open_one(&ahead, SLOW, true);
    assert_int_equal(lookahead_next(&ahead, &entry), 1);
    assert_true(ahead.count > 0);
    unsigned taken = 1;
    while (lookahead_next(&ahead, &entry)) {
        open_one(&ahead, 1000, true);
        taken++;
    }
    assert_int_equal(taken, FILES + 2);
    assert_int_equal(ahead.count, 0);
    lookahead_close(&ahead);
    scan_close(ahead.scan);
}

/* On a busy machine a file takes long because others have the processor. */
static void a_busy_machine_is_no_slow_disk(void **state)
{
    (void)state;
    struct lookahead ahead = {.scan = open_scan(), .most = 3};
    struct scan_entry entry;
    for (unsigned i = 0; i < FILES / 2; i++) {
        assert_int_equal(lookahead_next(&ahead, &entry), 1);
        open_one(&ahead, SLOW, false);
    }
    assert_int_equal(ahead.thread_count, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(lookahead_next(&ahead, &entry), 1);
        assert_true(ahead.thread_count == 0 || i >= 4);
        open_one(&ahead, SLOW, true);
    }
    assert_int_equal(lookahead_next(&ahead, &entry), 1);
    assert_int_equal(ahead.thread_count, 3);
    lookahead_close(&ahead);
    scan_close(ahead.scan);
}

/* The first files may be slow because all else is read for the first time, too. */
static void a_few_slow_files_are_no_slow_disk(void **state)
{
    (void)state;
    struct lookahead ahead = {.scan = open_scan(), .most = 3};
    struct scan_entry entry;
    for (unsigned i = 0; i < FILES / 2; i++) {
        assert_int_equal(lookahead_next(&ahead, &entry), 1);
        open_one(&ahead, i < 3 ? SLOW : 1000, i < 3);
    }
    assert_int_equal(ahead.thread_count, 0);
    lookahead_close(&ahead);
    scan_close(ahead.scan);
}

/* A run that is stopped leaves entries in the list. */
static void it_ends_at_any_entry(void **state)
{
    (void)state;
    for (unsigned stop = 0; stop < 40; stop += 3) {
        struct lookahead ahead = {.scan = open_scan(), .most = 3};
        struct scan_entry entry;
        for (unsigned i = 0; i < stop; i++) {
            assert_int_equal(lookahead_next(&ahead, &entry), 1);
            open_one(&ahead, SLOW, true);
        }
        lookahead_close(&ahead);
        lookahead_close(&ahead);
        scan_close(ahead.scan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_is_that_of_the_scan, enter, tree_teardown),
        cmocka_unit_test_setup_teardown(with_a_ring_each_entry_has_its_own_file, enter, tree_teardown),
        cmocka_unit_test_setup_teardown(quick_files_are_not_listed_ahead, enter, tree_teardown),
        cmocka_unit_test_setup_teardown(a_busy_machine_is_no_slow_disk, enter, tree_teardown),
        cmocka_unit_test_setup_teardown(a_few_slow_files_are_no_slow_disk, enter, tree_teardown),
        cmocka_unit_test_setup_teardown(it_ends_at_any_entry, enter, tree_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
