/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "pipeline/report/summary.h"

#define S 1000000000ull

/* A run of ten seconds with two workers: shares in percent. */
static struct summary run(unsigned busy, unsigned starved, unsigned blocked)
{
    const uint64_t percent_ns = 2 * 10 * S / 100;
    return (struct summary){
        .engine = "process",
        .output = "out",
        .found = 100,
        .done = 100,
        .wall_ns = 10 * S,
        .bytes_in = 120000000,
        .bytes_out = 44000000,
        .pixels = 612000000,
        .memory_bytes = 2147483648,
        .peak_in_flight_bytes = 220200960,
        .pool_count = 1,
        .pools = {{.name = "main",
                   .workers = 2,
                   .items = 100,
                   .busy_ns = busy * percent_ns,
                   .starved_ns = starved * percent_ns,
                   .blocked_ns = blocked * percent_ns}},
        .reader = {.busy_ns = S, .blocked_ns = 9 * S},
        .writer = {.busy_ns = 2 * S, .starved_ns = 8 * S},
    };
}

static void assert_verdict(const struct summary *summary, enum summary_bound bound, const char *words)
{
    char text[256];
    assert_int_equal(summary_verdict(summary, text, sizeof text), bound);
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, text);
    assert_int_equal(summary_verdict(summary, NULL, 0), bound);
}

static void verdicts_name_the_limit(void **state)
{
    (void)state;
    struct summary s = run(97, 2, 1);
    assert_verdict(&s, SUMMARY_CPU, "CPU-bound: workers busy 97 %, reader waiting; more workers would help");
    s.cpus = 2;
    assert_verdict(&s, SUMMARY_CPU, "as many workers as CPUs allowed (2)");
    s.cpus = 8;
    s.pools[1] = s.pools[0];
    s.pools[1].busy_ns = s.pools[1].starved_ns = 10 * S;
    s.pool_count = 2;
    strcpy(s.pools[0].name, "decode");
    assert_verdict(&s, SUMMARY_CPU, "more workers of pool decode would help");

    s = run(97, 2, 1);
    s.engine = "serial";
    s.alone = true;
    s.cpus = 8;
    assert_verdict(&s, SUMMARY_CPU, "workers busy 97 %, reader waiting; engine serial has no more than one");

    s = run(60, 40, 0);
    s.cpus = 2;
    s.cpu_ns = 2 * s.wall_ns * 92 / 100;
    assert_verdict(&s, SUMMARY_CPU,
                   "CPU-bound: all CPUs allowed are busy 92 %, for workers, reader and writer");
    s.cpus = 3;
    assert_verdict(&s, SUMMARY_BALANCED, "balanced: workers busy 60 %, starved 40 %");

    s = run(40, 60, 0);
    s.reader = (struct summary_reader){.busy_ns = 9 * S, .listing_ns = S};
    assert_verdict(&s, SUMMARY_READER, "I/O-bound: workers starved 60 %, the reader is the limit");
    s.reader = (struct summary_reader){.busy_ns = S, .memory_ns = 9 * S};
    assert_verdict(&s, SUMMARY_MEMORY, "waited for memory 90 %");
    s.reader = (struct summary_reader){.busy_ns = S, .listing_ns = 9 * S};
    assert_verdict(&s, SUMMARY_LISTING, "names of inputs 90 %");
    s.reader = (struct summary_reader){.busy_ns = S, .blocked_ns = 9 * S};
    assert_verdict(&s, SUMMARY_BALANCED, "busy 40 %, starved 60 %");

    s = run(45, 0, 55);
    s.writer = (struct summary_writer){.busy_ns = 95 * S, .starved_ns = 5 * S};
    assert_verdict(&s, SUMMARY_WRITER, "workers blocked 55 %, writing files is the limit (writer busy 95 %)");

    /* The writer holds the places that the reader waits for, so that workers have nothing to do. */
    s = run(28, 71, 1);
    s.reader = (struct summary_reader){.busy_ns = 5 * S, .blocked_ns = 5 * S};
    s.writer = (struct summary_writer){.busy_ns = 96 * S / 10, .starved_ns = 4 * S / 10};
    assert_verdict(&s, SUMMARY_WRITER, "workers starved 71 %, writing files is the limit (writer busy 96 %)");
    s.reader = (struct summary_reader){.busy_ns = 99 * S / 10, .blocked_ns = S / 10};
    assert_verdict(&s, SUMMARY_READER, "the reader is the limit");

    s = run(70, 15, 15);
    assert_verdict(&s, SUMMARY_BALANCED, "balanced");

    s = run(97, 2, 1);
    s.done = 0;
    assert_verdict(&s, SUMMARY_UNKNOWN, "nothing was processed");
    s = run(97, 2, 1);
    s.wall_ns = S / 100;
    assert_verdict(&s, SUMMARY_UNKNOWN, "too short");
    s = (struct summary){.done = 3, .wall_ns = S};
    assert_verdict(&s, SUMMARY_UNKNOWN, "nothing was processed");
}

static char *printed(const struct summary *summary, int verbosity)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    summary_print(summary, to, verbosity);
    fclose(to);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void people_get_counts_and_failures(void **state)
{
    (void)state;
    struct summary s = run(97, 2, 1);
    char *text = printed(&s, 0);
    assert_has(text, "items     100 done, 0 failed, 0 skipped, of 100\n");
    assert_has(text, "time      10.0 s, 10.0 items/s, 61.2 MP/s, read 120 MB, wrote 44.0 MB\n");
    assert_has(text, "pool main busy 97 %, starved 2 %, blocked 1 %; 2 workers, 100 items\n");
    assert_has(text, "memory    210 MiB in flight at most, of 2 GiB\n");
    assert_null(strstr(text, "left out"));
    assert_null(strstr(text, "failed:"));
    assert_null(strstr(text, "steps"));
    free(text);
    s.steps[0] = (struct summary_step){"decode", 3 * S};
    s.steps[1] = (struct summary_step){"encode", S};
    s.step_count = 2;
    text = printed(&s, 1);
    assert_has(text, "steps     decode 75 % (3.0 s), encode 25 % (1.0 s)\n");
    free(text);
    text = printed(&s, -1);
    assert_string_equal(text, "");
    free(text);

    struct error error = {.code = ERROR_CRASH, .stage = "decode", .reason = "killed by\nsignal 9"};
    summary_fail(&s, "in/\x1bx.png", &error, 3);
    error = (struct error){.code = ERROR_IO, .reason = "gone"};
    for (int i = 0; i < 1500; i++)
        summary_fail(&s, "in/y.png", &error, 1);
    s.listing = (struct scan_counts){.left_names = 12, .left_hidden = 3};
    s.deaths = 1, s.retries = 2;
    assert_int_equal(s.failed, 1501);
    assert_int_equal(s.failure_count, SUMMARY_KEPT_FAILURES);
    text = printed(&s, 0);
    assert_has(text, "left out  12 with another extension, 3 hidden\n");
    assert_has(text, "workers   1 died, 0 retired; 2 items sent round again\n");
    assert_has(text, "  in/\\x1bx.png: decode: killed by\\nsignal 9\n  in/y.png: gone\n");
    assert_has(text, "  and 1481 more\n");
    free(text);
    s.output = "o\tut", s.journal = true;
    text = printed(&s, -1);
    assert_has(text, "  and 1481 more; all of them: forkmill report --failed o\\tut\n");
    free(text);
    text = printed(&s, -1);
    assert_int_equal(strncmp(text, "failed:\n", 8), 0);
    free(text);
    s.failures_in_sight = true;
    text = printed(&s, 0);
    assert_has(text, "items     100 done, 1501 failed");
    assert_null(strstr(text, "failed:"));
    free(text);
    summary_free(&s);
    assert_int_equal(s.failure_count, 0);
}

static json_int_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void programs_get_json(void **state)
{
    (void)state;
    struct summary s = run(97, 2, 1);
    struct error error = {.code = ERROR_CORRUPT, .stage = "decode", .reason = "bad \"chunk\""};
    summary_fail(&s, "in/\xff\\.png", &error, 1);
    summary_fail(&s, "in/new\nline\\.png", &error, 1);
    s.exit_code = 1;
    s.steps[0] = (struct summary_step){"decode", 3 * S};
    s.step_count = 1;
    series_add(&s.series, 5, 1, &(struct series_pool){1, 2, 3});
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_int_equal(summary_print_json(&s, to), 0);
    fclose(to);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_int_equal(text[size - 1], '\n');
    assert_int_equal(number(root, "exit_code"), 1);
    assert_int_equal(number(root, "wall_ns"), 10 * S);
    assert_int_equal(number(json_object_get(root, "items"), "failed"), 2);
    assert_int_equal(number(root, "failures_omitted"), 0);
    assert_string_equal(json_string_value(json_object_get(root, "bound")), "cpu");
    assert_true(json_is_null(json_object_get(root, "workers_from")));
    const json_t *pool = json_array_get(json_object_get(root, "pools"), 0);
    assert_int_equal(number(pool, "busy_ns"), 19400000000);
    const json_t *step = json_array_get(json_object_get(root, "steps"), 0);
    assert_string_equal(json_string_value(json_object_get(step, "name")), "decode");
    assert_int_equal(number(step, "ns"), 3 * S);
    const json_t *point = json_array_get(json_object_get(root, "series"), 0);
    assert_int_equal(json_array_size(point), 4);
    assert_int_equal(json_integer_value(json_array_get(point, 0)), 5);
    assert_int_equal(json_integer_value(json_array_get(point, 3)), 3);
    const json_t *first = json_array_get(json_object_get(root, "failures"), 0);
    const json_t *second = json_array_get(json_object_get(root, "failures"), 1);
    assert_string_equal(json_string_value(json_object_get(first, "path")), "in/\\xff\\\\.png");
    assert_true(json_is_true(json_object_get(first, "escaped")));
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "corrupt");
    assert_string_equal(json_string_value(json_object_get(first, "reason")), "bad \"chunk\"");
    assert_string_equal(json_string_value(json_object_get(second, "path")), "in/new\nline\\.png");
    assert_null(json_object_get(second, "escaped"));
    json_decref(root);
    free(text);

    to = fopen("/dev/full", "w");
    assert_non_null(to);
    assert_int_equal(summary_print_json(&s, to), ERROR_IO);
    fclose(to);
    summary_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_name_the_limit),
        cmocka_unit_test(people_get_counts_and_failures),
        cmocka_unit_test(programs_get_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
