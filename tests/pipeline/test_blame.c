/* SPDX-License-Identifier: MIT */
/* What becomes of an item whose attempt came to nothing, and when failures stop a run. */
#include "tree.h"

#include <errno.h>

#include "pipeline/engine/recover.h"
#include "pipeline/files/cause.h"

static struct ledger ledger;
static uint32_t told_attempts;
static char told_reason[sizeof((struct error *)0)->reason];

static void failed(void *context, const struct item *item, const struct error *error, uint32_t attempts)
{
    (void)context, (void)item;
    told_attempts = attempts;
    memcpy(told_reason, error->reason, sizeof told_reason);
}

static int open_ledger(void **state)
{
    (void)state;
    assert_int_equal(ledger_open(&ledger, 1, NULL), 0);
    ledger.failed = failed;
    told_attempts = 0;
    return 0;
}

static int close_ledger(void **state)
{
    (void)state;
    ledger_close(&ledger);
    return 0;
}

static struct item *found(void)
{
    const struct scan_entry entry = {.kind = SCAN_FILE, .path = "a", .rel = "a", .shown = "a"};
    struct item *item = ledger_found(&ledger, &entry);
    assert_non_null(item);
    return item;
}

static void what_may_pass_goes_round_again_and_the_last_time_alone(void **state)
{
    (void)state;
    static const enum error_code codes[] = {ERROR_CRASH, ERROR_PASSING};
    for (size_t i = 0; i < 2; i++) {
        const struct error cause = {.code = codes[i], .reason = "trouble"};
        const uint64_t failures = ledger.counts.failed;
        recover_blame(&ledger, found(), &cause, 2);
        assert_non_null(ledger.retry_first);
        recover_blame(&ledger, ledger_again(&ledger, false), &cause, 2);
        assert_null(ledger.retry_first);
        assert_non_null(ledger.alone_first);
        assert_int_equal(ledger.counts.failed, failures);
        recover_blame(&ledger, ledger_again(&ledger, true), &cause, 2);
        assert_int_equal(ledger.counts.failed, failures + 1);
        assert_int_equal(told_attempts, 3);
        assert_string_equal(told_reason, "trouble, in each of 3 attempts");
    }
    assert_int_equal(ledger.counts.retried, 4);
}

static void what_would_only_happen_again_fails_at_once(void **state)
{
    (void)state;
    static const enum error_code codes[] = {ERROR_CORRUPT, ERROR_UNSUPPORTED, ERROR_LIMIT,
                                            ERROR_MEMORY,  ERROR_IO,          ERROR_TIMEOUT,
                                            ERROR_STAGE,   ERROR_SANDBOX,     ERROR_INTERNAL};
    const size_t count = sizeof codes / sizeof *codes;
    for (size_t i = 0; i < count; i++) {
        const struct error cause = {.code = codes[i], .reason = "trouble"};
        recover_blame(&ledger, found(), &cause, 100);
        assert_int_equal(told_attempts, 1);
        assert_string_equal(told_reason, "trouble");
    }
    assert_int_equal(ledger.counts.failed, count);
    assert_int_equal(ledger.counts.retried, 0);
}

static void system_calls_fail_for_now_or_for_good(void **state)
{
    (void)state;
    static const int passing[] = {EINTR, EAGAIN, EIO, ESTALE, ETIMEDOUT},
                     lasting[] = {ENOENT, EACCES, EPERM, EROFS};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        assert_int_equal(cause_code(passing[i]), ERROR_PASSING);
    for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
        assert_int_equal(cause_code(lasting[i]), ERROR_IO);
    assert_int_equal(cause_code(ENOSPC), ERROR_DISK_FULL);
    assert_int_equal(cause_code(EDQUOT), ERROR_DISK_FULL);
    assert_int_equal(cause_code(EMFILE), ERROR_MEMORY);
    assert_string_equal(error_name(ERROR_PASSING), error_name(ERROR_IO));
}

static void end(unsigned done, unsigned bad)
{
    const struct error cause = {.code = ERROR_CORRUPT};
    for (unsigned i = 0; i < done; i++)
        ledger_done(&ledger, found(), 0, 0, 0, NULL);
    for (unsigned i = 0; i < bad; i++)
        ledger_failed(&ledger, found(), &cause);
}

static void a_part_is_judged_when_enough_have_ended(void **state)
{
    (void)state;
    assert_int_equal(settings_stop_of("10%", &ledger.most, NULL), 0);
    end(0, 19);
    assert_int_equal(ledger_stopped(&ledger), STOP_NONE);
    end(1, 0);
    assert_int_equal(ledger_stopped(&ledger), STOP_FAILURES);
}

static void a_part_is_exceeded_not_reached(void **state)
{
    (void)state;
    const struct error cause = {.code = ERROR_CORRUPT};
    assert_int_equal(settings_stop_of("10%", &ledger.most, NULL), 0);
    end(90, 10);
    assert_int_equal(ledger_stopped(&ledger), STOP_NONE);
    /* what failed in an earlier run was not tried in this one */
    for (unsigned i = 0; i < 50; i++)
        ledger_failed_before(&ledger, found(), &cause, 1);
    assert_int_equal(ledger_stopped(&ledger), STOP_NONE);
    end(0, 1);
    assert_int_equal(ledger_stopped(&ledger), STOP_FAILURES);
    assert_int_equal(ledger.counts.found, ledger.counts.done + ledger.counts.failed);
    assert_int_equal(ledger.open, 0);
}

static void every_end_is_counted_once(void **state)
{
    (void)state;
    end(3, 2);
    ledger_skipped(&ledger, found());
    ledger_unfinished(&ledger, found());
    const struct ledger_counts *counts = &ledger.counts;
    assert_int_equal(counts->found, counts->done + counts->failed + counts->skipped + 1);
    assert_int_equal(ledger.open, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_may_pass_goes_round_again_and_the_last_time_alone, open_ledger,
                                        close_ledger),
        cmocka_unit_test_setup_teardown(what_would_only_happen_again_fails_at_once, open_ledger,
                                        close_ledger),
        cmocka_unit_test(system_calls_fail_for_now_or_for_good),
        cmocka_unit_test_setup_teardown(a_part_is_judged_when_enough_have_ended, open_ledger, close_ledger),
        cmocka_unit_test_setup_teardown(a_part_is_exceeded_not_reached, open_ledger, close_ledger),
        cmocka_unit_test_setup_teardown(every_end_is_counted_once, open_ledger, close_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
