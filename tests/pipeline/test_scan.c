/* SPDX-License-Identifier: MIT */
/* ctest labels: native (valgrind has no openat2, and without it links are not followed) */
#include "scanned.h"

#include <sys/socket.h>
#include <sys/un.h>

static void small_tree(void)
{
    tree_dir("in");
    tree_dir("in/b");
    tree_dir("in/b/deep");
    tree_dir("in/.git");
    tree_file("in/z.png", "z");
    tree_file("in/a.PNG", "a");
    tree_file("in/notes.txt", "n");
    tree_file("in/b/c.pgm", "c");
    tree_file("in/b/deep/d.png", "d");
    tree_file("in/.git/x.png", "x");
    tree_file("in/._z.png", "x");
}

static void a_directory_is_walked_in_order(void **state)
{
    (void)state;
    small_tree();
    assert_int_equal(scan_inputs(true, "in", NULL), 0);
    assert_string_equal(seen.text, "F a.PNG|in/a.PNG\nF b/c.pgm|in/b/c.pgm\nF b/deep/d.png|in/b/deep/d.png\n"
                                   "F z.png|in/z.png\n");
    assert_int_equal(seen.counts.files, 4);
    assert_int_equal(seen.counts.left_names, 1);
    assert_int_equal(seen.counts.left_hidden, 2);
    assert_int_equal(scan_inputs(false, "in/", NULL), 0);
    assert_string_equal(seen.text, "F a.PNG|in/a.PNG\nF z.png|in/z.png\n");
    assert_int_equal(seen.counts.left_directories, 1);
}

static void files_are_taken_whatever_their_name(void **state)
{
    (void)state;
    small_tree();
    assert_int_equal(scan_inputs(true, "in/notes.txt", "in/b/c.pgm", "./in/b/../z.png", "in/._z.png", NULL),
                     0);
    assert_string_equal(seen.text, "F notes.txt|in/notes.txt\nF c.pgm|in/b/c.pgm\nF z.png|./in/b/../z.png\n"
                                   "F ._z.png|in/._z.png\n");
}

static void globs_take_what_they_match(void **state)
{
    (void)state;
    small_tree();
    assert_int_equal(scan_inputs(true, "in/*.png", NULL), 0);
    assert_string_equal(seen.text, "F z.png|in/z.png\n");
    assert_int_equal(scan_inputs(true, "in/n*.txt", NULL), 0);
    assert_string_equal(seen.text, "F notes.txt|in/notes.txt\n");
    assert_int_equal(scan_inputs(true, "in/*", NULL), 0); /* by extension, directories walked */
    assert_string_equal(seen.text, "F a.PNG|in/a.PNG\nF b/c.pgm|in/b/c.pgm\nF b/deep/d.png|in/b/deep/d.png\n"
                                   "F z.png|in/z.png\n");
    assert_int_equal(scan_inputs(false, "in/*", NULL), 0);
    assert_string_equal(seen.text, "F a.PNG|in/a.PNG\nF z.png|in/z.png\n");
    assert_int_equal(scan_inputs(false, "i?/**/*.p[gn]*", NULL), 0);
    assert_string_equal(seen.text,
                        "F in/b/c.pgm|in/b/c.pgm\nF in/b/deep/d.png|in/b/deep/d.png\nF in/z.png|in/z.png\n");
    assert_int_equal(scan_inputs(true, "in/.g*/*.png", NULL), 0);
    assert_string_equal(seen.text, "F .git/x.png|in/.git/x.png\n");
    assert_int_equal(scan_inputs(true, "in/*.gif", NULL), 0);
    assert_string_equal(seen.text, "E in/*.gif\n");
}

static void what_exists_is_no_glob(void **state)
{
    (void)state;
    tree_file("a[1].png", "1");
    tree_file("a1.png", "2");
    tree_dir("d*");
    tree_file("d*/x.png", "3");
    assert_int_equal(scan_inputs(true, "a[1].png", "d*", "d\\*/*.png", NULL), 0);
    assert_string_equal(seen.text, "F a[1].png|a[1].png\nF x.png|d*/x.png\nF x.png|d*/x.png\n");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    small_tree();
    assert_int_equal(scan_inputs(true, "in", "nowhere", NULL), SCAN_NO_INPUT);
    assert_non_null(strstr(seen.reason, "nowhere"));
    assert_int_equal(scan_inputs(true, "nowhere/*.png", NULL), SCAN_NO_INPUT);
    assert_non_null(strstr(seen.reason, "nowhere"));
    assert_int_equal(scan_inputs(true, "in/z.png/x", NULL), SCAN_NO_INPUT);
    assert_int_equal(scan_inputs(true, "", NULL), SCAN_NO_INPUT);
    assert_int_equal(scan_inputs(true, NULL), ERROR_USAGE);
    struct scan_options options = {.files_from = "nolist"};
    assert_int_equal(scan_all(&options), SCAN_NO_INPUT);
    assert_non_null(strstr(seen.reason, "nolist"));
}

static void include_and_exclude_choose(void **state)
{
    (void)state;
    small_tree();
    char *in = "in";
    struct param_list inputs = {&in, 1}, include = {(char *[]){"*.txt", "b/**"}, 2};
    struct scan_options options = {.inputs = &inputs, .recursive = true, .include = &include};
    assert_int_equal(scan_all(&options), 0);
    assert_string_equal(seen.text, "F b/c.pgm|in/b/c.pgm\nF b/deep/d.png|in/b/deep/d.png\n"
                                   "F notes.txt|in/notes.txt\n");
    assert_int_equal(seen.counts.left_rules, 2);
    struct param_list exclude = {(char *[]){"deep/", "a.*"}, 2};
    options = (struct scan_options){.inputs = &inputs, .recursive = true, .exclude = &exclude};
    assert_int_equal(scan_all(&options), 0);
    assert_string_equal(seen.text, "F b/c.pgm|in/b/c.pgm\nF z.png|in/z.png\n");
    assert_int_equal(seen.counts.left_rules, 2);
}

static void odd_names_survive(void **state)
{
    (void)state;
    tree_dir("-in");
    tree_file("-in/two\nlines.png", "1");
    tree_file("-in/-dash.png", "2");
    tree_file("-in/\xff\xfe.png", "3");
    tree_file("-in/ .png", "4");
    assert_int_equal(scan_inputs(true, "-in", NULL), 0);
    assert_string_equal(seen.text, "F  .png|-in/ .png\nF -dash.png|-in/-dash.png\n"
                                   "F two\nlines.png|-in/two\nlines.png\nF \xff\xfe.png|-in/\xff\xfe.png\n");
}

/* The journal tells a run's output directory; one that is given as the input is meant. */
static void outputs_of_other_runs_are_pointed_out(void **state)
{
    (void)state;
    small_tree();
    tree_file("in/" SCAN_JOURNAL_NAME, "");
    tree_dir("in/b/thumbs");
    tree_file("in/b/thumbs/" SCAN_JOURNAL_NAME, "");
    tree_file("in/b/thumbs/t.png", "t");
    tree_dir("in/b/thumbs/sub");
    tree_file("in/b/thumbs/sub/u.png", "u");
    assert_int_equal(scan_inputs(true, "in/b", NULL), 0);
    assert_non_null(strstr(seen.text, "\nH in/b/thumbs\nF thumbs/sub/u.png|in/b/thumbs/sub/u.png\n"
                                      "F thumbs/t.png|in/b/thumbs/t.png\n"));
    assert_string_equal(seen.reason,
                        "is the output directory of another run; --exclude thumbs leaves it out");
    const uint64_t files = seen.counts.files;
    assert_int_equal(seen.counts.notes, 0);
    assert_int_equal(scan_inputs(true, "in", NULL), 0);
    assert_non_null(strstr(seen.reason, "--exclude b/thumbs leaves"));
    assert_null(strstr(seen.text, "H in\n"));
    struct param_list inputs = {(char *[]){"in/b"}, 1}, exclude = {(char *[]){"thumbs"}, 1};
    assert_int_equal(
        scan_all(&(struct scan_options){.inputs = &inputs, .recursive = true, .exclude = &exclude}), 0);
    assert_int_equal(seen.counts.files, files - 2);
    assert_null(strstr(seen.text, "H "));
    assert_int_equal(scan_inputs(true, "in/b/thumbs", NULL), 0);
    assert_null(strstr(seen.text, "H "));
    /* It is nothing that a glob could be said to have matched. */
    assert_int_equal(scan_inputs(true, "in/*/thumbs/*.pgm", NULL), 0);
    assert_non_null(strstr(seen.text, "H in/b/thumbs\nE in/*/thumbs/*.pgm\n"));
}

static void what_is_no_file_is_noted(void **state)
{
    (void)state;
    tree_dir("in");
    assert_int_equal(mkfifo("in/fifo.png", 0666), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "in/socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    assert_int_equal(symlink("/dev", "in/loose.png"), 0);
    assert_int_equal(symlink(".", "in/loop"), 0);
    tree_file("in/.forkmill-12-3.tmp", "t");
    assert_int_equal(scan_inputs(true, "in", "in/fifo.png", "/dev/null", NULL), 0);
    assert_string_equal(
        seen.text, "N in/fifo.png\nN in/loop\nN in/loose.png\nN in/socket\nN in/fifo.png\nN /dev/null\n");
    assert_int_equal(seen.counts.notes, 6);
    assert_int_equal(seen.counts.errors, 0);
}

static void links_are_followed_beneath_the_root_only(void **state)
{
    (void)state;
    tree_dir("in");
    tree_dir("in/sub");
    tree_file("secret.png", "s");
    tree_file("in/sub/real.png", "r");
    assert_int_equal(symlink("sub/real.png", "in/a.png"), 0);
    assert_int_equal(symlink("../secret.png", "in/b.png"), 0);
    assert_int_equal(symlink("gone", "in/c.png"), 0);
    assert_int_equal(symlink("d.png", "in/d.png"), 0);
    assert_int_equal(symlink("../secret.png", "in/text"), 0);
    assert_int_equal(scan_inputs(true, "in", NULL), 0);
    assert_string_equal(
        seen.text, "F a.png|in/a.png\nE in/b.png\nE in/c.png\nE in/d.png\nF sub/real.png|in/sub/real.png\n");
    assert_int_equal(seen.counts.left_names, 1);
    assert_int_equal(scan_inputs(true, "in/b.png", NULL), 0); /* named, so the user means it */
    assert_string_equal(seen.text, "F b.png|in/b.png\n");
}

static void the_output_directory_is_left_out(void **state)
{
    (void)state;
    small_tree();
    struct stat st;
    assert_int_equal(stat("in/b", &st), 0);
    char *in = "in";
    struct param_list inputs = {&in, 1};
    struct scan_options options = {.inputs = &inputs,
                                   .recursive = true,
                                   .has_output = true,
                                   .output_dev = st.st_dev,
                                   .output_ino = st.st_ino};
    assert_int_equal(scan_all(&options), 0);
    assert_string_equal(seen.text, "F a.PNG|in/a.PNG\nF z.png|in/z.png\n");
}

static void write_list(const char *bytes, size_t length)
{
    int fd = open("list", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

static void lists_are_read_line_by_line(void **state)
{
    (void)state;
    small_tree();
    tree_file("cr.png\r", "c");
    char here[4096], list[8192];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(list, sizeof list,
             "in/z.png\n\n./in//./b/c.pgm\n%s/in/notes.txt\nin/b\nin/gone.png\n"
             "in/../in/z.png\ncr.png\r\nin/a.PNG",
             here);
    write_list(list, strlen(list));
    struct scan_options options = {.files_from = "list"};
    assert_int_equal(scan_all(&options), 0);
    char expected[16384];
    snprintf(expected, sizeof expected,
             "F in/z.png|in/z.png\nF in/b/c.pgm|./in//./b/c.pgm\nF %s/in/notes.txt|%s/in/notes.txt\n"
             "N in/b\nE in/gone.png\nE in/../in/z.png\nF cr.png\r|cr.png\r\nF in/a.PNG|in/a.PNG\n",
             here + 1, here);
    assert_string_equal(seen.text, expected);
}

static void lists_may_be_separated_by_nul(void **state)
{
    (void)state;
    tree_file("a\nb.png", "1");
    tree_file("c.png", "2");
    write_list("a\nb.png\0c.png", 13);
    struct scan_options options = {.files_from = "list", .null_separated = true};
    assert_int_equal(scan_all(&options), 0);
    assert_string_equal(seen.text, "F a\nb.png|a\nb.png\nF c.png|c.png\n");
    options.null_separated = false;
    assert_int_equal(scan_all(&options), 0);
    assert_int_equal(seen.counts.errors, 2);
    assert_int_equal(seen.counts.files, 0);
}

static void long_lines_fail_alone(void **state)
{
    (void)state;
    tree_file("c.png", "2");
    static char list[100000];
    memset(list, 'x', 60000);
    strcpy(list + 60000, "\nc.png\n");
    write_list(list, strlen(list));
    struct scan_options options = {.files_from = "list"};
    assert_int_equal(scan_all(&options), 0);
    assert_int_equal(seen.counts.errors, 1);
    assert_int_equal(seen.counts.files, 1);
    assert_non_null(strstr(seen.reason, "4095"));
}

/* Standard input that never ends is given up when the stop descriptor becomes readable. */
static void waiting_for_a_list_can_be_stopped(void **state)
{
    (void)state;
    tree_file("c.png", "2");
    int in[2], stop[2], saved = dup(0);
    assert_int_equal(pipe(in) | pipe(stop), 0);
    assert_int_equal(dup2(in[0], 0), 0);
    assert_int_equal(write(in[1], "c.png\nc.p", 9), 9);
    struct scan *scan;
    struct scan_entry entry;
    struct scan_options options = {.files_from = "-", .known = known, .stop_fd = stop[0]};
    assert_int_equal(scan_open(&scan, &options, NULL), 0);
    assert_int_equal(scan_next(scan, &entry), 1); /* before the list ends */
    assert_string_equal(entry.rel, "c.png");
    assert_int_equal(write(stop[1], "x", 1), 1);
    while (scan_next(scan, &entry))
        assert_int_equal(entry.kind, SCAN_ERROR); /* the half line */
    scan_close(scan);
    assert_int_equal(dup2(saved, 0), 0);
    for (int i = 0; i < 2; i++)
        close(in[i]), close(stop[i]);
    close(saved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_directory_is_walked_in_order),
        TEST(files_are_taken_whatever_their_name),
        TEST(globs_take_what_they_match),
        TEST(what_exists_is_no_glob),
        TEST(what_is_missing_is_named),
        TEST(include_and_exclude_choose),
        TEST(odd_names_survive),
        TEST(outputs_of_other_runs_are_pointed_out),
        TEST(what_is_no_file_is_noted),
        TEST(links_are_followed_beneath_the_root_only),
        TEST(the_output_directory_is_left_out),
        TEST(lists_are_read_line_by_line),
        TEST(lists_may_be_separated_by_nul),
        TEST(long_lines_fail_alone),
        TEST(waiting_for_a_list_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
