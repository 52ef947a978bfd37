/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/bench/bench_stats.h"

#define COUNT(values) (unsigned)(sizeof(values) / sizeof *(values))

/* Quartiles as R's quantile(x) gives them: 2, 3, 4 for 1 to 5; 1.75, 2.5, 3.25 for 1 to 4. */
static void quartiles_are_those_of_the_textbook(void **state)
{
    (void)state;
    const double odd[] = {5, 1, 4, 2, 3}, even[] = {4, 1, 3, 2}, one[] = {7};
    struct bench_stats stats = bench_stats_of(odd, COUNT(odd));
    assert_true(stats.median == 3 && stats.min == 1 && stats.max == 5 && stats.low == 2 && stats.high == 4);
    assert_int_equal(stats.count, 5);
    assert_true(bench_stats_spread(&stats) > 1.333 && bench_stats_spread(&stats) < 1.334);
    stats = bench_stats_of(even, COUNT(even));
    assert_true(stats.median == 2.5 && stats.low == 1.75 && stats.high == 3.25);
    stats = bench_stats_of(one, 1);
    assert_true(stats.median == 7 && stats.low == 7 && stats.high == 7 && stats.min == 7 && stats.max == 7);
    assert_true(bench_stats_spread(&stats) == 0);
    stats = bench_stats_of(NULL, 0);
    assert_int_equal(stats.count, 0);
    assert_true(stats.median == 0 && bench_stats_spread(&stats) == 0);
}

static void the_run_in_the_middle_is_found(void **state)
{
    (void)state;
    const double odd[] = {9, 1, 5, 7, 3}, even[] = {1, 2, 9, 10};
    assert_int_equal(bench_stats_median_at(odd, COUNT(odd)), 2);
    /* The median is 5.5; 2 and 9 are as near, the first one counts. */
    assert_int_equal(bench_stats_median_at(even, COUNT(even)), 1);
}

static void only_differences_that_the_runs_bear_out_count(void **state)
{
    (void)state;
    const double slow[] = {1.10, 1.11, 1.12}, fast[] = {1.00, 1.01, 1.02}, wide[] = {0.9, 1.05, 1.3};
    const double sharp[] = {1.0, 1.0, 1.0}, near[] = {1.009, 1.009, 1.009}, far[] = {1.02, 1.02, 1.02};
    struct bench_stats a = bench_stats_of(slow, 3), b = bench_stats_of(fast, 3), c = bench_stats_of(wide, 3);
    assert_false(bench_stats_alike(&a, &b));
    assert_true(bench_stats_alike(&a, &c));
    assert_true(bench_stats_alike(&c, &b));
    a = bench_stats_of(sharp, 3), b = bench_stats_of(near, 3), c = bench_stats_of(far, 3);
    assert_true(bench_stats_alike(&a, &b));
    assert_false(bench_stats_alike(&a, &c));
    assert_false(bench_stats_alike(&c, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quartiles_are_those_of_the_textbook),
        cmocka_unit_test(the_run_in_the_middle_is_found),
        cmocka_unit_test(only_differences_that_the_runs_bear_out_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
