/* SPDX-License-Identifier: MIT */
/* What is lowered where address space is limited, in which order, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/shared/machine.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* Two pools, one worker each, without tees, tables and tiles: a slot is twice the memory, and metadata. */
static struct job some_job(void)
{
    struct job job = {.pool_count = 2};
    job.settings.memory_bytes = GIB;
    job.settings.queue = 16;
    job.settings.batch = 8;
    job.pools[0] = (struct job_pool){.workers = 1, .queue = 16};
    job.pools[1] = (struct job_pool){.workers = 1, .queue = 5, .own_queue = true};
    return job;
}

static uint64_t reserved(const struct job *job)
{
    return machine_arena_bytes(job) + 2 * job->settings.memory_bytes;
}

static void what_fits_stays(void **state)
{
    (void)state;
    struct job job = some_job();
    /* 2 x 8 of reader and writer, 16 before the writer, 16 and 5 before the pools, 8 of each worker. */
    const uint64_t slots = 16 + 16 + 16 + 5 + 8 + 8;
    assert_true(machine_arena_bytes(&job) >= slots * 2 * GIB);
    assert_true(machine_arena_bytes(&job) < slots * 2 * GIB + GIB);
    machine_fit_bytes(&job, 200 * GIB);
    assert_string_equal(job.lowered, "");
    assert_int_equal(job.settings.queue, 16);
    assert_int_equal(job.settings.batch, 8);
    assert_true(job.settings.memory_bytes == GIB);
}

static void queues_and_batches_come_before_memory(void **state)
{
    (void)state;
    struct job job = some_job();
    /* Halved once: 8 + 8 + 8 + 5 + 4 + 4 slots of 2 GiB, and 2 GiB of scratch. */
    machine_fit_bytes(&job, 90 * GIB);
    assert_int_equal(job.settings.queue, 8);
    assert_int_equal(job.settings.batch, 4);
    assert_int_equal(job.pools[0].queue, 8);
    assert_int_equal(job.pools[1].queue, 5);
    assert_true(job.settings.memory_bytes == GIB);
    assert_string_equal(
        job.lowered, "lowered: memory 1 GiB, queue 8, batch 4, to fit 90 GiB of address space (ulimit -v)");
    job = some_job();
    machine_fit_bytes(&job, 8 * GIB);
    assert_int_equal(job.settings.queue, 1);
    assert_int_equal(job.settings.batch, 1);
    assert_int_equal(job.pools[1].queue, 5);
    assert_true(reserved(&job) <= 7 * GIB);
    /* Steps are of a sixteenth and whole MiB; no more is given up than the last one took. */
    assert_true(reserved(&job) > 6 * GIB);
    assert_true(job.settings.memory_bytes % MIB == 0);
}

static void what_was_given_is_not_lowered(void **state)
{
    (void)state;
    struct job job = some_job();
    job.own_memory = true;
    machine_fit_bytes(&job, 8 * GIB);
    /* Nothing helps: all is as it was. */
    assert_string_equal(job.lowered, "");
    assert_int_equal(job.settings.queue, 16);
    assert_int_equal(job.pools[0].queue, 16);
    job = some_job();
    job.own_queue = job.own_batch = true;
    machine_fit_bytes(&job, 8 * GIB);
    assert_int_equal(job.settings.queue, 16);
    assert_int_equal(job.settings.batch, 8);
    assert_int_equal(job.pools[0].queue, 16);
    assert_true(job.settings.memory_bytes < 64 * MIB);
    assert_true(reserved(&job) <= 7 * GIB);
    static const uint64_t too_little[] = {0, 1, MIB, 256 * MIB, 300 * MIB};
    for (size_t i = 0; i < sizeof too_little / sizeof *too_little; i++) {
        job = some_job();
        machine_fit_bytes(&job, too_little[i]);
        assert_string_equal(job.lowered, "");
        assert_true(job.settings.memory_bytes == GIB);
    }
    job.settings.memory_bytes = SIZE_MAX / 2;
    job.own_queue = job.own_batch = job.own_memory = true;
    machine_fit_bytes(&job, UINT64_MAX - 1);
    assert_string_equal(job.lowered, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays),
        cmocka_unit_test(queues_and_batches_come_before_memory),
        cmocka_unit_test(what_was_given_is_not_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
