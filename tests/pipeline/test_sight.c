/* SPDX-License-Identifier: MIT */
/* What the main process makes of a worker's cell, which the worker may have filled with anything; and the
 * rings that a machine has for a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/config/config.h"
#include "pipeline/run/sight.h"

struct bench {
    struct diag diag;
    struct config config;
    struct machine machine;
    struct ledger ledger;
};

static void open_bench(struct bench *bench, const char *workers, const char *trace)
{
    static char *const no_environment[] = {NULL};
    const struct config_flag flags[] = {
        {param_find(settings_table, "workers"), workers, ""},
        {param_find(settings_table, "memory"), "1MiB", ""},
        {param_find(settings_table, "trace"), trace, ""},
    };
    struct error error;
    *bench = (struct bench){0};
    assert_int_equal(config_load(&bench->config, NULL, no_environment, flags, trace ? 3 : 2, &bench->diag),
                     0);
    assert_int_equal(machine_open(&bench->machine, &bench->config.job, &error), 0);
    assert_int_equal(ledger_open(&bench->ledger, bench->machine.slot_count, &error), 0);
}

static void close_bench(struct bench *bench)
{
    ledger_close(&bench->ledger);
    machine_close(&bench->machine);
    config_free(&bench->config);
    diag_free(&bench->diag);
}

/* Puts an item into slot 2, in the hands of worker 1. */
static struct item *seat(struct bench *bench)
{
    const struct scan_entry entry = {.path = "a.png", .shown = "in/a.png", .rel = "a.png"};
    struct item *item = ledger_found(&bench->ledger, &entry);
    assert_non_null(item);
    item->spent = 1;
    ledger_seat(&bench->ledger, 2, item);
    uint64_t seen = 0;
    assert_true(slot_move(&bench->machine.words[2], &seen, SLOT_RUNNING, 0, SLOT_OWNER_WORKER + 1));
    struct worker_cell *cell = &bench->machine.workers[1];
    atomic_store(&cell->slot, 2);
    atomic_store(&cell->doing, WORKER_BUSY);
    atomic_store(&cell->task, 4711);
    atomic_store(&cell->since_ns, 1000000000);
    machine_begin_step(&bench->machine, 2, 1, 3000000000);
    return item;
}

static void a_worker_at_work_is_seen(void **state)
{
    (void)state;
    struct bench bench;
    struct sight sight;
    char text[256];
    open_bench(&bench, "3", NULL);
    seat(&bench);
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 1));
    sight_text(&sight, &engine_process, 3500000000, text, sizeof text);
    assert_string_equal(text,
                        "worker 1 (pool main, pid 4711): encode of in/a.png for 0.500 s, the item for 2.5 s, "
                        "attempt 2");
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 0));
    sight_text(&sight, &engine_process, 3500000000, text, sizeof text);
    assert_string_equal(text, "worker 0 (pool main): not at work");
    assert_false(sight_take(&sight, &bench.machine, &bench.ledger, 3));
    close_bench(&bench);
}

static void a_cell_that_lies_names_no_item(void **state)
{
    (void)state;
    struct bench bench;
    struct sight sight;
    char text[256];
    open_bench(&bench, "3", NULL);
    seat(&bench);
    struct worker_cell *cell = &bench.machine.workers[1], *other = &bench.machine.workers[0];
    /* A slot that is another's, none at all, and one without an item. */
    atomic_store(&other->doing, WORKER_BUSY);
    atomic_store(&other->slot, 2);
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 0));
    assert_false(sight.running);
    atomic_store(&cell->slot, UINT32_MAX);
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 1));
    assert_false(sight.running);
    uint64_t seen = 0;
    assert_true(slot_move(&bench.machine.words[0], &seen, SLOT_RUNNING, 0, SLOT_OWNER_WORKER + 1));
    atomic_store(&cell->slot, 0);
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 1));
    assert_false(sight.running);
    /* Its own item, but a step and times that cannot be. */
    atomic_store(&cell->slot, 2);
    atomic_store(&cell->step, 99);
    atomic_store(&cell->since_ns, UINT64_MAX);
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 1));
    assert_true(sight.running);
    sight_text(&sight, &engine_thread, 3500000000, text, sizeof text);
    assert_non_null(strstr(text, "thread 4711): decode of in/a.png for 0.500 s, the item for 0.000 s"));
    atomic_store(&cell->doing, 77);
    assert_true(sight_take(&sight, &bench.machine, &bench.ledger, 1));
    assert_int_equal(sight.doing, WORKER_ABSENT);
    close_bench(&bench);
}

static void rings_are_there_only_for_a_trace(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, "3", NULL);
    assert_null(bench.machine.rings);
    machine_note(&bench.machine, 0, TRACE_STEP, 0, 0, 1, 2); /* nothing happens */
    size_t without = bench.machine.slot_offset;
    close_bench(&bench);

    open_bench(&bench, "3", "t.json");
    assert_non_null(bench.machine.rings);
    trace_label(bench.machine.labels[5], "in/b.png");
    machine_note(&bench.machine, MACHINE_RING_WRITER(&bench.machine), TRACE_WRITE, 5, 1, 10, 20);
    machine_note(&bench.machine, UINT32_MAX, TRACE_STEP, 5, 1, 10, 20);
    for (uint32_t i = 0; i < MACHINE_RINGS(&bench.machine); i++)
        assert_int_equal(trace_ring_waiting(&bench.machine.rings[i]), i == 4);
    struct trace_record record;
    trace_ring_take(&bench.machine.rings[4], &record);
    assert_string_equal(record.label, "in/b.png");
    assert_int_equal(record.slot, 5);
    assert_int_equal(record.end_ns, 20);
    assert_true(bench.machine.slot_offset - without < (size_t)33 << 20);
    close_bench(&bench);

    /* Many workers have small rings. */
    open_bench(&bench, "1024", "t.json");
    assert_in_range(bench.machine.rings[0].capacity, 16, 1024);
    assert_true(bench.machine.slot_offset < (size_t)64 << 20);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_at_work_is_seen),
        cmocka_unit_test(a_cell_that_lies_names_no_item),
        cmocka_unit_test(rings_are_there_only_for_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
