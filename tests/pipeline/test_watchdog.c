/* SPDX-License-Identifier: MIT */
/* When a run that stands still is spoken of. Times in units of 0.1 s, the supervisor's tick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/run/watchdog.h"

#define TICK_NS 100000000u
#define START   1000u

/* Asks at every tick of (from, to]; the ticks at which it barks are summed, so that one number says which. */
static unsigned barks(struct watchdog *watchdog, unsigned from, unsigned to, uint64_t ended, bool open,
                      unsigned *sum)
{
    unsigned count = 0;
    *sum = 0;
    for (unsigned tick = from + 1; tick <= to; tick++) {
        if (watchdog_barks(watchdog, (uint64_t)tick * TICK_NS, ended, open)) {
            count++;
            *sum += tick;
        }
    }
    return count;
}

static void a_standstill_is_told_ever_more_rarely(void **state)
{
    (void)state;
    struct watchdog watchdog = {.limit_ns = 20 * (uint64_t)TICK_NS};
    unsigned sum;
    /* The first look is at START + 1; then after 20, 40, 80 ticks. */
    assert_int_equal(barks(&watchdog, START, START + 101, 3, true, &sum), 3);
    assert_int_equal(sum, 3 * (START + 1) + 20 + 40 + 80);
    /* An item ends, and all begins anew. */
    assert_int_equal(barks(&watchdog, START + 101, START + 122, 4, true, &sum), 1);
    assert_int_equal(sum, START + 122);
}

static void a_run_that_goes_on_or_has_nothing_to_do_is_no_standstill(void **state)
{
    (void)state;
    struct watchdog watchdog = {.limit_ns = 20 * (uint64_t)TICK_NS}, off = {0};
    unsigned sum;
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(barks(&watchdog, START + 10 * i, START + 10 * (i + 1), i, true, &sum), 0);
    assert_int_equal(barks(&watchdog, START + 500, START + 900, 50, false, &sum), 0);
    /* The wait begins when an item is open again. */
    assert_int_equal(barks(&watchdog, START + 900, START + 919, 50, true, &sum), 0);
    assert_int_equal(barks(&watchdog, START + 919, START + 920, 50, true, &sum), 1);
    assert_int_equal(barks(&off, START, START + 5000, 0, true, &sum), 0);
}

static void time_in_which_the_program_was_stopped_does_not_count(void **state)
{
    (void)state;
    struct watchdog watchdog = {.limit_ns = 20 * (uint64_t)TICK_NS};
    unsigned sum;
    assert_int_equal(barks(&watchdog, START, START + 11, 0, true, &sum), 0);
    /* 10 of 20 ticks are over; then an hour without a look. */
    assert_int_equal(barks(&watchdog, START + 36011, START + 36020, 0, true, &sum), 0);
    assert_int_equal(barks(&watchdog, START + 36020, START + 36022, 0, true, &sum), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_standstill_is_told_ever_more_rarely),
        cmocka_unit_test(a_run_that_goes_on_or_has_nothing_to_do_is_no_standstill),
        cmocka_unit_test(time_in_which_the_program_was_stopped_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
