/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "pipeline/files/sweep.h"
#include "pipeline/journal/journal.h"
#include "pipeline/journal/journal_db.h"
#include "pipeline/journal/journal_lock.h"
#include "pipeline/journal/journal_name.h"
#include "pipeline/journal/journal_outputs.h"

static int enter(void **state)
{
    (void)state;
    tree_enter();
    tree_dir("out");
    return 0;
}

static int leave(void **state)
{
    (void)state;
    tree_leave();
    return 0;
}

static struct journal *open_journal(struct journal_past *past, uint8_t config)
{
    static const char *const steps[] = {"decode", "encode"};
    struct journal_options options = {
        .output = "out",
        .directory = open("out", O_PATH | O_DIRECTORY),
        .steps = steps,
        .step_count = 2,
        .digest = {{config}, {config, 1}},
    };
    struct journal *journal = NULL;
    struct error error = {0};
    *past = (struct journal_past){0};
    int code = journal_open(&journal, &options, past, &error);
    if (code < 0)
        print_message("%s\n", error.reason);
    assert_int_equal(code, 0);
    return journal;
}

static void close_journal(struct journal *journal)
{
    const struct journal_end end = {.how = "finished"};
    assert_int_equal(journal_close(journal, &end, NULL), 0);
}

static void put(struct journal *journal, const char *name, const struct error *error)
{
    static const uint64_t step_ns[] = {12, 34};
    const struct journal_row row = {.shown = name,
                                    .rel = name,
                                    .size_bytes = 5,
                                    .mtime_ns = -7,
                                    .attempts = 2,
                                    .error = error,
                                    .step_ns = step_ns,
                                    .outputs = "0 0 x",
                                    .outputs_bytes = 6,
                                    .record = (const uint8_t *)"rec",
                                    .record_bytes = 3};
    assert_int_equal(journal_put(journal, &row, NULL), 0);
}

static enum journal_fate find(struct journal *journal, const char *name, uint64_t size_bytes,
                              int64_t mtime_ns, struct journal_found *found)
{
    enum journal_fate fate;
    assert_int_equal(journal_find(journal, name, name, size_bytes, mtime_ns, &fate, found, NULL), 0);
    return fate;
}

static void rows_hold_for_the_same_file_and_config_in_a_later_run(void **state)
{
    (void)state;
    struct journal_past past;
    struct journal_found found = {0};
    const struct error corrupt = {ERROR_CORRUPT, "stage", "why"};
    struct journal *journal = open_journal(&past, 1);
    assert_true(past.fresh && !past.unclean && !journal_has_past(journal));
    put(journal, "good", NULL);
    put(journal, "bad", &corrupt);
    assert_int_equal(find(journal, "good", 5, -7, &found), JOURNAL_NOTHING); /* this run's own */
    close_journal(journal);

    journal = open_journal(&past, 1);
    assert_true(!past.fresh && !past.unclean && journal_has_past(journal));
    assert_int_equal(find(journal, "good", 5, -7, &found), JOURNAL_DONE);
    assert_int_equal(found.attempts, 2);
    assert_int_equal(found.outputs_bytes, 6);
    assert_memory_equal(found.outputs, "0 0 x", 6);
    assert_true(found.recorded && found.record_bytes == 3 && memcmp(found.record, "rec", 3) == 0);
    assert_int_equal(find(journal, "good", 6, -7, &found), JOURNAL_NOTHING);
    assert_int_equal(find(journal, "good", 5, -8, &found), JOURNAL_NOTHING);
    assert_int_equal(find(journal, "other", 5, -7, &found), JOURNAL_NOTHING);
    assert_int_equal(find(journal, "bad", 5, -7, &found), JOURNAL_FAILED);
    assert_int_equal(found.error.code, ERROR_CORRUPT);
    assert_string_equal(found.error.stage, "stage");
    assert_string_equal(found.error.reason, "why");
    close_journal(journal);

    journal = open_journal(&past, 2);
    assert_int_equal(find(journal, "good", 5, -7, &found), JOURNAL_NOTHING);
    assert_int_equal(find(journal, "bad", 5, -7, &found), JOURNAL_NOTHING);
    close_journal(journal);
    journal_found_free(&found);
}

static void a_retracted_row_has_failed(void **state)
{
    (void)state;
    struct journal_past past;
    struct journal_found found = {0};
    const struct error refused = {ERROR_UNSUPPORTED, "", "another shape"};
    struct journal *journal = open_journal(&past, 1);
    put(journal, "one", NULL);
    put(journal, "two", NULL);
    assert_int_equal(journal_retract(journal, "one", &refused, NULL), 0);
    close_journal(journal);
    journal = open_journal(&past, 1);
    assert_int_equal(find(journal, "one", 5, -7, &found), JOURNAL_FAILED);
    assert_string_equal(found.error.reason, "another shape");
    assert_int_equal(find(journal, "two", 5, -7, &found), JOURNAL_DONE);
    close_journal(journal);
    journal_found_free(&found);
}

/* A child is killed with a transaction open: the journal is sound, and knows that the end was not clean. */
static void a_killed_run_is_found_out(void **state)
{
    (void)state;
    struct journal_past past;
    struct journal_found found = {0};
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct journal *journal = open_journal(&past, 1);
        for (char name[16], i = 0; i < 10; i++) {
            snprintf(name, sizeof name, "item-%d", i);
            put(journal, name, NULL);
        }
        usleep(300000);
        journal_tick(journal, NULL);
        put(journal, "late", NULL);
        if (write(told[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    char byte;
    struct error error = {0};
    assert_int_equal(read(told[0], &byte, 1), 1);
    int directory = open("out", O_PATH | O_DIRECTORY);
    assert_int_equal(journal_lock(directory, "out", &error), ERROR_BUSY);
    char process[32];
    snprintf(process, sizeof process, "process %d", (int)child);
    assert_non_null(strstr(error.reason, process));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    struct journal *journal = open_journal(&past, 1);
    assert_true(past.unclean && !past.fresh);
    assert_int_equal(find(journal, "item-9", 5, -7, &found), JOURNAL_DONE);
    assert_int_equal(find(journal, "late", 5, -7, &found), JOURNAL_NOTHING);
    assert_int_equal(journal_swept(journal, NULL), 0);
    close_journal(journal);
    journal = open_journal(&past, 1);
    assert_false(past.unclean);
    close_journal(journal);
    journal_found_free(&found);
    close(directory);
}

/* A lock of the process would go with the first descriptor that is closed, whoever opened it. */
static void the_lock_stays_whoever_opens_its_file(void **state)
{
    (void)state;
    int directory = open("out", O_PATH | O_DIRECTORY), lock = journal_lock(directory, "out", NULL);
    assert_true(lock >= 0);
    int other = open("out/" JOURNAL_LOCK_FILE, O_RDONLY);
    assert_true(other >= 0);
    close(other);
    pid_t child = fork();
    if (child == 0)
        _exit(journal_lock(directory, "out", NULL) == ERROR_BUSY && journal_lock_held("out") ? 0 : 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    journal_unlock(directory, lock);
    assert_false(journal_lock_held("out"));
    close(directory);
}

/* Children close what is not theirs; one that outlives the run does not hold its lock. */
static void children_do_not_keep_the_lock(void **state)
{
    (void)state;
    int directory = open("out", O_PATH | O_DIRECTORY), ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t run = fork();
    if (run == 0) {
        int lock = journal_lock(directory, "out", NULL);
        pid_t worker = fork();
        if (worker == 0) {
            worker = getpid();
            close(lock);
            if (write(ready[1], &worker, sizeof worker) < 0)
                _exit(1);
        }
        for (;;)
            pause();
    }
    pid_t worker;
    assert_int_equal(read(ready[0], &worker, sizeof worker), sizeof worker);
    assert_int_equal(journal_lock(directory, "out", NULL), ERROR_BUSY);
    kill(run, SIGKILL);
    waitpid(run, NULL, 0);
    int lock = journal_lock(directory, "out", NULL);
    assert_true(lock >= 0);
    kill(worker, SIGKILL);
    journal_unlock(directory, lock);
    assert_int_equal(access("out/" JOURNAL_LOCK_FILE, F_OK), -1);
    close(directory);
}

static void looking_changes_nothing(void **state)
{
    (void)state;
    struct journal_past past;
    struct journal_found found = {0};
    struct journal *journal = open_journal(&past, 1);
    struct stat before, after;
    put(journal, "good", NULL);
    close_journal(journal);
    assert_int_equal(stat("out/" JOURNAL_FILE, &before), 0);
    const struct journal_options options = {.output = "out", .directory = -1, .digest = {{1}, {1, 1}}};
    assert_int_equal(journal_open_to_look(&journal, &options, NULL), 0);
    assert_int_equal(find(journal, "good", 5, -7, &found), JOURNAL_DONE);
    close_journal(journal);
    assert_int_equal(stat("out/" JOURNAL_FILE, &after), 0);
    assert_int_equal(journal_mtime_ns(&before), journal_mtime_ns(&after));
    assert_int_equal(access("out/" JOURNAL_FILE "-wal", F_OK), -1);
    assert_int_equal(unlink("out/" JOURNAL_FILE), 0);
    assert_int_equal(journal_open_to_look(&journal, &options, NULL), 0);
    assert_null(journal);
    journal_found_free(&found);
}

static struct outfile_made made_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (struct outfile_made){.size_bytes = (uint64_t)st.st_size, .changed = st.st_mtim};
}

/* Of a time that is known from above only. */
static void outputs_stand_near_their_time(void **state)
{
    (void)state;
    static const struct {
        int64_t later_ns;
        bool stands;
    } cases[] = {{0, true}, {1, true}, {OUTFILE_ABOUT_NS, true}, {OUTFILE_ABOUT_NS + 1, false}, {-1, false}};
    int directory = open("out", O_PATH | O_DIRECTORY);
    tree_file("out/a", "12345");
    const struct outfile_made exact = made_of("out/a");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct journal_outputs list = {0};
        struct outfile_made made = exact;
        const int64_t ns =
            (int64_t)made.changed.tv_sec * 1000000000 + made.changed.tv_nsec + cases[i].later_ns;
        made.changed = (struct timespec){ns / 1000000000, ns % 1000000000};
        made.about = true;
        assert_int_equal(journal_outputs_add(&list, "a", "a", &made, NULL), 0);
        assert_int_equal(journal_outputs_stand(list.bytes, list.used_bytes, "a", directory), cases[i].stands);
        free(list.bytes);
    }
    close(directory);
}

static void outputs_stand_or_do_not(void **state)
{
    (void)state;
    struct journal_outputs list = {0};
    struct outfile_made made;
    int directory = open("out", O_PATH | O_DIRECTORY);
    tree_file("out/a", "12345");
    tree_file("beside", "12345");
    made = made_of("out/a");
    assert_int_equal(journal_outputs_add(&list, "own", "a", &made, NULL), 0);
    assert_true(journal_outputs_stand(list.bytes, list.used_bytes, "own", directory));
    assert_false(journal_outputs_stand(list.bytes, list.used_bytes - 1, "own", directory));
    made.size_bytes++;
    assert_int_equal(journal_outputs_add(&list, "own", "a", &made, NULL), 0);
    assert_false(journal_outputs_stand(list.bytes, list.used_bytes, "own", directory));
    static const char *const names[] = {"../beside", "x/../../beside", "..", ""};
    for (size_t i = 0; i < 4; i++) {
        list.used_bytes = 0;
        made = made_of("beside");
        assert_int_equal(journal_outputs_add(&list, "own", names[i], &made, NULL), 0);
        assert_false(journal_outputs_stand(list.bytes, list.used_bytes, "own", directory));
    }
    assert_int_equal(symlink("../beside", "out/link"), 0);
    list.used_bytes = 0;
    assert_int_equal(journal_outputs_add(&list, "own", "link", &made, NULL), 0);
    assert_false(journal_outputs_stand(list.bytes, list.used_bytes, "own", directory));
    static const char *const broken[] = {"x",
                                         "5",
                                         "5 ",
                                         "5 6",
                                         "-5 6 a",
                                         "5x6 a",
                                         " 5 6 a",
                                         "5 6~",
                                         "5 6~~ a",
                                         "5~ 6 a",
                                         "99999999999999999999999 1 a"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_false(journal_outputs_stand(broken[i], strlen(broken[i]) + 1, "own", directory));
    assert_true(journal_outputs_stand("", 0, "own", directory));
    tree_file("out/own", "123");
    made = made_of("out/own");
    list.used_bytes = 0;
    assert_int_equal(journal_outputs_add(&list, "own", "own", &made, NULL), 0);
    assert_null(memmem(list.bytes, list.used_bytes, "own", 3));
    assert_true(journal_outputs_stand(list.bytes, list.used_bytes, "own", directory));
    assert_false(journal_outputs_stand(list.bytes, list.used_bytes, "another", directory));
    free(list.bytes);
    close(directory);
}

static void assert_name(const char *shown, const char *rel, const char *path, size_t root_bytes)
{
    static struct journal_name name;
    journal_name_make(&name, "/here", shown, rel);
    assert_string_equal(name.path, path);
    assert_int_equal(name.root_bytes, root_bytes);
}

/* For UBSan: the least and the greatest time that a file may have. */
static void any_time_of_change_is_a_number(void **state)
{
    (void)state;
    static const int64_t seconds[] = {INT64_MIN, -1, 0, 9999999999, INT64_MAX};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        const struct stat at = {.st_mtim = {.tv_sec = seconds[i], .tv_nsec = 1}};
        const struct stat next = {.st_mtim = {.tv_sec = seconds[i], .tv_nsec = 2}};
        assert_int_equal((uint64_t)journal_mtime_ns(&next) - (uint64_t)journal_mtime_ns(&at), 1);
    }
    const struct stat before = {.st_mtim = {.tv_sec = -1, .tv_nsec = 999999999}};
    assert_int_equal(journal_mtime_ns(&before), -1);
}

static void names_do_not_depend_on_how_they_are_written(void **state)
{
    (void)state;
    assert_name("in/a/b.png", "a/b.png", "/here/in/a/b.png", 9);
    assert_name("./in//a/./b.png", "a/b.png", "/here/in/a/b.png", 9);
    assert_name("/here/in/a/b.png", "a/b.png", "/here/in/a/b.png", 9);
    assert_name("../x.png", "x.png", "/here/../x.png", 9);
    assert_name("x.png", "x.png", "/here/x.png", 6);
    assert_name("x.png", "y.png", "/here/x.png", 11);
    assert_name("ax.png", "x.png", "/here/ax.png", 12); /* the end of a name is no name */
    assert_name("/", "x", "", 0);
}

static void only_names_of_temporary_files_are_swept(void **state)
{
    (void)state;
    static const char *const ours[] = {
        ".forkmill-1-00ff00ff-0.tmp", ".forkmill-4194304-deadbeef-18446744073709551615.tmp",
        ".forkmill-77-spool.tmp", ".forkmill-0123456789abcdef-77-00ff00ff-aZ09bc.tmp"};
    static const char *const others[] = {".forkmill-.tmp",
                                         ".forkmill-1-00ff00f-0.tmp",
                                         ".forkmill-1-00ff00ff-.tmp",
                                         ".forkmill-1-00FF00FF-0.tmp",
                                         "forkmill-1-00ff00ff-0.tmp",
                                         ".forkmill-1-00ff00ff-0.tmp.png",
                                         ".forkmill-1-00ff00ff-0.png",
                                         ".forkmill-spool.tmp",
                                         ".forkmill-0123456789abcdef-77-00ff00ff-aZ09b.tmp",
                                         ".forkmill-0123456789abcdef-aZ09bc.tmp",
                                         ".forkmill-0123456789abcde-77-00ff00ff-aZ09bc.tmp",
                                         ".forkmill-journal.db",
                                         ".forkmill-journal.lock",
                                         ""};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(sweep_is_temp(ours[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(sweep_is_temp(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_hold_for_the_same_file_and_config_in_a_later_run, enter, leave),
        cmocka_unit_test_setup_teardown(a_retracted_row_has_failed, enter, leave),
        cmocka_unit_test_setup_teardown(a_killed_run_is_found_out, enter, leave),
        cmocka_unit_test_setup_teardown(the_lock_stays_whoever_opens_its_file, enter, leave),
        cmocka_unit_test_setup_teardown(children_do_not_keep_the_lock, enter, leave),
        cmocka_unit_test_setup_teardown(looking_changes_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(outputs_stand_near_their_time, enter, leave),
        cmocka_unit_test_setup_teardown(outputs_stand_or_do_not, enter, leave),
        cmocka_unit_test(any_time_of_change_is_a_number),
        cmocka_unit_test(names_do_not_depend_on_how_they_are_written),
        cmocka_unit_test(only_names_of_temporary_files_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
