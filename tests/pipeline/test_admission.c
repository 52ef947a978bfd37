/* SPDX-License-Identifier: MIT */
/* What fits the budget comes in. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "pipeline/run/admission.h"

#define MIB ((size_t)1 << 20)
/* Those of an item that is neither branched nor cut up. */
#define PARTS (SLOT_BUFFER_1 + 1u)

static struct job job;
static struct machine machine;
static struct admission admission;

static void open_with(size_t memory_bytes)
{
    struct error error = {0};
    job = (struct job){.pools[0] = {.workers = 1, .queue = 2}, .pool_count = 1};
    job.settings.queue = 2;
    job.settings.batch = 1;
    job.settings.memory_bytes = memory_bytes;
    assert_int_equal(machine_open(&machine, &job, &error), 0);
    assert_int_equal(admission_open(&admission, &machine, &error), 0);
}

static void close_all(void)
{
    admission_close(&admission);
    machine_close(&machine);
}

/* Parts that are rounded up to a huge page where there is room for it, and budgets from just enough to much
 * more: an item that is alone never waits, for nobody would ever wake it. */
static void an_item_that_fits_comes_in_at_once(void **state)
{
    (void)state;
    for (unsigned part = 0; part < PARTS; part++) {
        for (size_t spare = 0; spare <= 14 * MIB; spare += MIB / 2) {
            struct error error = {0};
            struct slot_need need = {.scratch_bytes = 66 * MIB};
            uint64_t seen;
            for (unsigned i = 0; i < PARTS; i++)
                need.part_bytes[i] = MIB / 2 + (i == part ? MIB : 1);
            open_with(chain_need_total(&need) + spare);
            alarm(20);
            const int slot = admission_enter(&admission, &need, &seen, &error);
            assert_true(slot >= 0);
            assert_true(admission.committed_bytes + admission.scratch_bytes <= admission.budget_bytes);
            admission_leave(&admission, (uint32_t)slot, seen);
            /* And again, over pages that are warm. */
            need.part_bytes[part] -= 1;
            assert_true(admission_enter(&admission, &need, &seen, &error) >= 0);
            alarm(0);
            close_all();
        }
    }
}

static void an_item_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct error error = {0};
    struct slot_need need = {.scratch_bytes = 3 * MIB, .part_bytes = {2 * MIB}};
    uint64_t seen;
    open_with(chain_need_total(&need) - 1);
    assert_int_equal(admission_enter(&admission, &need, &seen, &error), ERROR_LIMIT);
    close_all();
}

/* What a thread waits for at the door. */
struct visit {
    struct slot_need need;
    uint64_t seen;
    _Atomic int slot; /* -1 while it waits */
};

static void *visit(void *context)
{
    struct visit *visit = context;
    struct error error = {0};
    visit->slot = admission_enter(&admission, &visit->need, &visit->seen, &error);
    return NULL;
}

static bool waits(void)
{
    pthread_mutex_lock(&admission.lock);
    const bool waits = admission.waiting;
    pthread_mutex_unlock(&admission.lock);
    return waits;
}

/* One worker, one large item in flight that has been handled for this share of its stay; does the next one
 * come in beside it? */
static bool is_let_in_ahead(size_t item_bytes, bool spare_cpus, bool slow)
{
    struct error error = {0};
    struct visit second = {.need = {.part_bytes = {item_bytes}}, .slot = -1};
    uint64_t seen;
    pthread_t thread;
    open_with(2048 * MIB);
    admission.spare_cpus = spare_cpus;
    const int before = admission_enter(&admission, &second.need, &seen, &error);
    assert_true(before >= 0);
    admission_handled(&admission, (uint32_t)before, slow ? UINT64_MAX / 32 : 0);
    admission_leave(&admission, (uint32_t)before, seen);
    const int first = admission_enter(&admission, &second.need, &seen, &error);
    assert_int_equal(first, before); /* its pages are warm */
    alarm(20);
    assert_int_equal(pthread_create(&thread, NULL, visit, &second), 0);
    while (second.slot < 0 && !waits())
        sched_yield();
    const bool ahead = second.slot >= 0;
    admission_leave(&admission, (uint32_t)first, seen);
    pthread_join(thread, NULL);
    alarm(0);
    assert_true(second.slot >= 0);
    if (!ahead)
        assert_int_equal(second.slot, first);
    admission_leave(&admission, (uint32_t)second.slot, second.seen);
    close_all();
    return ahead;
}

static void a_large_item_comes_in_ahead_only_where_that_helps(void **state)
{
    (void)state;
    assert_false(is_let_in_ahead(20 * MIB, false, false));
    assert_true(is_let_in_ahead(20 * MIB, true, false));
    assert_true(is_let_in_ahead(20 * MIB, false, true));
    assert_true(is_let_in_ahead(10 * MIB, false, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_that_fits_comes_in_at_once),
        cmocka_unit_test(an_item_that_does_not_fit_is_refused),
        cmocka_unit_test(a_large_item_comes_in_ahead_only_where_that_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
