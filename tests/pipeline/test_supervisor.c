/* SPDX-License-Identifier: MIT */
/* The supervisor with a crew that does nothing but end at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pipeline/engine/supervisor.h"

struct crew {
    int descriptor;
    uint32_t started, reported;
};

static bool start(struct crew *crew, uint32_t place)
{
    assert_int_equal(place, 0);
    crew->started++;
    return true;
}

static bool kill_member(struct crew *crew, uint32_t place)
{
    (void)crew, (void)place;
    return true;
}

static int descriptor(const struct crew *crew)
{
    return crew->descriptor;
}

static struct ledger ledger;
static struct machine machine;

/* A member ends in order when its queue was closed, as a worker does. */
static int next(struct crew *crew, struct engine_report *report)
{
    if (crew->reported == crew->started || !atomic_load(&machine.queues[0].shared->closed) ||
        crew->started > 100)
        return 0;
    crew->reported++;
    *report = (struct engine_report){0};
    return 1;
}

static const struct engine at_once = {
    .name = "at once", .start = start, .kill = kill_member, .descriptor = descriptor, .next = next};

static void tick(void *context)
{
    (void)context;
    ledger_finish(&ledger);
}

/* A worker killed between claiming an item and emptying its cell leaves the cell behind. When the item was
 * done by another and the run ends before anybody came past the cell, it is nobody's work. */
static void a_cell_left_behind_needs_no_successor(void **state)
{
    (void)state;
    struct error error = {0};
    struct job job = {.pools[0] = {.workers = 1, .queue = 2}, .pool_count = 1};
    job.settings.queue = 2;
    job.settings.batch = 1;
    job.settings.memory_bytes = 1 << 20;
    job.settings.grace_ms = 1000;
    struct admission admission;
    assert_int_equal(machine_open(&machine, &job, &error), 0);
    assert_int_equal(admission_open(&admission, &machine, &error), 0);
    assert_int_equal(ledger_open(&ledger, machine.slot_count, &error), 0);
    atomic_store(&machine.queues[0].shared->cells[1], (uint64_t)1 << 32 | 1);
    struct crew crew = {.descriptor = eventfd(1, 0)};
    struct supervisor supervisor = {
        .machine = &machine,
        .ledger = &ledger,
        .admission = &admission,
        .engine = &at_once,
        .crew = &crew,
        .places = 1,
        .signal_fd = -1,
        .stop_fd = eventfd(0, EFD_NONBLOCK),
        .tick = tick,
    };
    assert_int_equal(supervisor_run(&supervisor, &error), 0);
    assert_int_equal(crew.started, 1);
    assert_false(supervisor.abandoned);
    close(crew.descriptor);
    close(supervisor.stop_fd);
    ledger_close(&ledger);
    admission_close(&admission);
    machine_close(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_cell_left_behind_needs_no_successor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
