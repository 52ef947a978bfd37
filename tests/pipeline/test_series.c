/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/report/series.h"

/* A pool that is busy all the time and one that is starved: their sums follow from the time alone. */
static void feed(struct series *series, uint64_t at_ns)
{
    const struct series_pool pools[2] = {{.busy_ns = at_ns}, {.starved_ns = 2 * at_ns, .blocked_ns = 7}};
    series_add(series, at_ns, 2, pools);
}

static void points_stay_bounded_and_true(void **state)
{
    (void)state;
    struct series series = {0};
    const uint64_t tick_ns = 100000000, ticks = 100000;
    for (uint64_t i = 0; i < ticks; i++) {
        if (series_due(&series, i * tick_ns))
            feed(&series, i * tick_ns);
    }
    assert_in_range(series.count, SERIES_MAX_POINTS / 2, SERIES_MAX_POINTS);
    assert_int_equal(series.at_ns[0], 0);
    for (unsigned i = 0; i < series.count; i++) {
        if (i > 0)
            assert_true(series.at_ns[i] > series.at_ns[i - 1]);
        assert_int_equal(series.pools[2 * i].busy_ns, series.at_ns[i]);
        assert_int_equal(series.pools[2 * i + 1].starved_ns, 2 * series.at_ns[i]);
        assert_int_equal(series.pools[2 * i + 1].blocked_ns, 7);
    }
    /* Evenly spread, to the end. */
    const uint64_t last_ns = series.at_ns[series.count - 1];
    assert_true(ticks * tick_ns - last_ns <= 2 * series.interval_ns);
    assert_in_range(series.at_ns[series.count / 2], last_ns / 2 - last_ns / 50, last_ns / 2 + last_ns / 50);
    series_free(&series);
    assert_int_equal(series.count, 0);
    assert_null(series.at_ns);
}

static void points_keep_their_distance(void **state)
{
    (void)state;
    struct series series = {0};
    assert_true(series_due(&series, 3));
    feed(&series, 3);
    assert_false(series_due(&series, 4));
    assert_true(series_due(&series, 3 + series.interval_ns));
    /* Another number of pools than before cannot be kept, and is not. */
    series_add(&series, 1000000000, 1, &(struct series_pool){.busy_ns = 1});
    assert_int_equal(series.count, 1);
    series_free(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_stay_bounded_and_true),
        cmocka_unit_test(points_keep_their_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
