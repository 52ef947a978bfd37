/* SPDX-License-Identifier: MIT */
/* Verdicts over reports made by hand, and what the page makes of hostile text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/bench/bench.h"
#include "pipeline/bench/bench_chart.h"

#define RUNS 3u

static struct bench_report report;

static int start(void **state)
{
    (void)state;
    report = (struct bench_report){.plan = {.repeat = RUNS, .warmup = 1}, .machine = {.allowed = 2}};
    strcpy(report.machine.cpu, "cpu <&>");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bench_free(&report);
    return 0;
}

/* Three runs around `wall_s`, the outer ones `noise` of it away; all workers busy. */
static struct bench_row *add(const char *name, int engine, unsigned workers, double wall_s, double noise)
{
    const double times_s[RUNS] = {wall_s * (1 + noise), wall_s, wall_s * (1 - noise)};
    struct bench_row *row = &report.rows[report.row_count++];
    *row = (struct bench_row){.cell = {engine, name, workers}, .count = RUNS};
    row->samples = calloc(RUNS, sizeof *row->samples);
    for (unsigned i = 0; i < RUNS; i++) {
        row->samples[i].wall_ns = (uint64_t)(times_s[i] * 1e9);
        row->samples[i].user_ns = (uint64_t)(times_s[i] * 1e9 * workers);
        row->samples[i].summary =
            json_pack("{s:s,s:s,s:[{s:s,s:i}],s:[{s:s}],s:[[i,i,i,i],[i,i,i,i]]}", "bound", "cpu", "verdict",
                      "CPU-bound: workers busy 97 %; more workers would help", "steps", "name", "<b>&\"'",
                      "ns", 1000, "pools", "name", "main", "series", 0, 0, 0, 0, 1000, 900, 50, 50);
    }
    return row;
}

static struct bench_row *serial(double wall_s)
{
    return add("serial", 3, 1, wall_s, 0.01);
}

static struct bench_row *process(unsigned workers, double wall_s)
{
    return add("process", 0, workers, wall_s, 0.01);
}

static struct bench_row *thread(unsigned workers, double wall_s)
{
    return add("thread", 1, workers, wall_s, 0.01);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void speedup_is_counted_from_serial(void **state)
{
    (void)state;
    serial(8);
    struct bench_row *row = process(2, 5);
    bench_conclude(&report);
    assert_true(row->speedup > 1.5999 && row->speedup < 1.6001);
    assert_true(row->efficiency > 0.7999 && row->efficiency < 0.8001);
    assert_int_equal(row->median_at, 1);
    assert_true(row->cpu_s.median > 9.999 && row->cpu_s.median < 10.001);
    bench_free(&report);
    report.rows[0] = (struct bench_row){0};
    row = process(2, 5);
    bench_conclude(&report);
    assert_true(row->speedup == 0 && row->efficiency == 0);
}

static void among_equals_processes_are_preferred(void **state)
{
    (void)state;
    serial(8), process(1, 8.1), process(2, 4.03), thread(1, 8.1), thread(2, 4);
    bench_conclude(&report);
    const struct bench_verdict *verdict = &report.verdict;
    assert_int_equal(verdict->row, 2);
    assert_int_equal(verdict->bound, BENCH_CPU);
    assert_false(verdict->by_fastest);
    assert_string_equal(verdict->limit,
                        "CPU-bound: workers busy 97 %. 2.00 of 2 allowed cores were kept busy.");
    assert_has(verdict->choice, "Take engine process: 4.03 s (median of 3 runs, which lie 2 % apart), 1.99 "
                                "times as fast as serial. As fast, as far as these runs can tell: thread, 2 "
                                "workers (-0.7 %).");
    assert_has(verdict->workers, "Give it 2 workers, at an efficiency of 0.99; there are no more cores");
}

static void a_real_difference_decides(void **state)
{
    (void)state;
    serial(8), process(2, 4.4), thread(2, 4);
    bench_conclude(&report);
    assert_int_equal(report.verdict.row, 2);
    assert_null(strstr(report.verdict.choice, "As fast"));
}

static void workers_that_gain_nothing_are_not_recommended(void **state)
{
    (void)state;
    report.machine.allowed = 8;
    serial(8), process(1, 8), process(2, 4), process(4, 3.99);
    bench_conclude(&report);
    assert_int_equal(report.verdict.row, 2);
    assert_has(report.verdict.workers,
               "Give it 2 workers, at an efficiency of 1.00: with 4 it took 0.2 % less");
    bench_free(&report);
    serial(8), process(2, 4), process(4, 5);
    bench_conclude(&report);
    assert_has(report.verdict.workers, "with 4 it took 25.0 % longer.");
    bench_free(&report);
    serial(8), process(2, 4);
    bench_conclude(&report);
    assert_has(report.verdict.workers, "more were not tried, and 8 cores are allowed.");
    bench_free(&report);
    serial(4), process(1, 8), process(2, 8);
    bench_conclude(&report);
    assert_int_equal(report.verdict.row, 0);
    assert_has(report.verdict.workers, "One thread alone");
}

static void an_unquiet_machine_is_said_to_be(void **state)
{
    (void)state;
    serial(8);
    /* By the median threads look better; their fastest runs are equal, within 5 %. */
    add("process", 0, 2, 6, 0.4), add("thread", 1, 2, 5, 0.29);
    bench_conclude(&report);
    assert_true(report.verdict.by_fastest);
    assert_int_equal(report.verdict.row, 1);
    assert_has(report.verdict.choice, "fastest of 3 runs), 2.20 times as fast as serial");
    assert_has(report.verdict.choice, "not quiet: runs of one kind lie up to 80 % apart");
    bench_free(&report);

    serial(8);
    struct bench_row *row = process(2, 6);
    for (unsigned i = 0; i < RUNS; i++) {
        row->samples[i].user_ns /= 2;
        row->samples[i].idle_ns = row->samples[i].user_ns / 4;
    }
    bench_conclude(&report);
    assert_int_equal(report.verdict.bound, BENCH_CPU);
    assert_has(report.verdict.limit, "ready for more: something else was using the cores");
}

static void stages_that_wait_are_not_called_computing(void **state)
{
    (void)state;
    serial(8);
    struct bench_row *row = process(2, 4);
    for (unsigned i = 0; i < RUNS; i++) {
        row->samples[i].user_ns = 10000000;
        row->samples[i].idle_ns = 2 * row->samples[i].wall_ns - 500000000;
    }
    bench_conclude(&report);
    assert_int_equal(report.verdict.bound, BENCH_IO);
    assert_string_equal(report.verdict.limit,
                        "I/O-bound: workers are busy and wait inside their stages. 0.00 of "
                        "2 allowed cores were kept busy.");
    assert_has(report.verdict.workers, "more were not tried, and what waits needs no core");
}

static char *page(void)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    assert_int_equal(bench_html(&report, to), 0);
    fclose(to);
    return text;
}

static void names_cannot_break_out_of_the_page(void **state)
{
    (void)state;
    char *command[] = {"forkmill", "bench", "-i", "</code><script>alert(1)</script>", "\xff\x1b[2J\"'&"};
    report.command = command;
    report.command_count = 5;
    serial(8), process(2, 4);
    bench_conclude(&report);
    char *text = page();
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "\x1b"));
    assert_null(strstr(text, "<b>&\""));
    assert_has(text, "&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_has(text, "\\xff\\x1b[2J&quot;&#39;&amp;");
    assert_has(text, "&lt;b&gt;&amp;&quot;&#39;");
    assert_has(text, "cpu &lt;&amp;&gt;");
    free(text);
}

static void a_page_without_serial_says_so(void **state)
{
    (void)state;
    process(1, 8), process(2, 4);
    bench_conclude(&report);
    char *text = page();
    assert_has(text, "was left out");
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    free(text);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(bench_html(&report, full), ERROR_IO);
    assert_int_equal(bench_json(&report, full), ERROR_IO);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(speedup_is_counted_from_serial, start, stop),
        cmocka_unit_test_setup_teardown(among_equals_processes_are_preferred, start, stop),
        cmocka_unit_test_setup_teardown(a_real_difference_decides, start, stop),
        cmocka_unit_test_setup_teardown(workers_that_gain_nothing_are_not_recommended, start, stop),
        cmocka_unit_test_setup_teardown(an_unquiet_machine_is_said_to_be, start, stop),
        cmocka_unit_test_setup_teardown(stages_that_wait_are_not_called_computing, start, stop),
        cmocka_unit_test_setup_teardown(names_cannot_break_out_of_the_page, start, stop),
        cmocka_unit_test_setup_teardown(a_page_without_serial_says_so, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
