/* SPDX-License-Identifier: MIT */
/* The queue alone: capacity, order, stale cells, closing, and many producers and consumers in threads, which
 * is how ThreadSanitizer sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include "pipeline/shared/queue.h"
#include "pipeline/shared/stall.h"
#include "tests/quick.h"

#define SLOTS 64u

struct bench {
    slot_word words[SLOTS];
    struct queue_shared *shared;
    struct queue queue;
};

static void open_bench(struct bench *bench, uint32_t capacity)
{
    *bench = (struct bench){0};
    size_t bytes = (queue_shared_bytes(capacity) + 127) / 128 * 128;
    bench->shared = aligned_alloc(128, bytes);
    assert_non_null(bench->shared);
    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)bench->shared)[i] = 0;
    queue_init(&bench->queue, bench->shared, bench->words, SLOTS, capacity, 3, false);
}

static void close_bench(struct bench *bench)
{
    free(bench->shared);
}

/* Moves a slot to FILLING by the reader, as admission does. */
static uint64_t fill(struct bench *bench, uint32_t slot)
{
    uint64_t seen = atomic_load(&bench->words[slot]);
    assert_true(slot_move(&bench->words[slot], &seen, SLOT_FILLING, 0, SLOT_OWNER_READER));
    return seen;
}

static uint64_t push(struct bench *bench, uint32_t slot)
{
    uint64_t seen = fill(bench, slot);
    assert_int_equal(queue_announce(&bench->queue, slot, &seen, SLOT_OWNER_READER), QUEUE_OK);
    assert_int_equal(queue_place(&bench->queue, slot, seen), QUEUE_OK);
    return seen;
}

static void items_come_out_in_order(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 4);
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 3; i++)
            push(&bench, round * 3 + i);
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t slot, taken;
            uint64_t seen;
            assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 1, NULL, NULL, &slot, &seen, &taken),
                             QUEUE_OK);
            assert_int_equal(slot, round * 3 + i);
            assert_int_equal(slot_unpack(seen).state, SLOT_CLAIMED);
            assert_int_equal(slot_unpack(seen).owner, SLOT_OWNER_WRITER);
        }
    }
    close_bench(&bench);
}

static void a_full_queue_refuses_until_there_is_room(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    push(&bench, 0);
    uint64_t seen = fill(&bench, 1);
    assert_int_equal(queue_announce(&bench.queue, 1, &seen, SLOT_OWNER_READER), QUEUE_OK);
    assert_int_equal(queue_place(&bench.queue, 1, seen), QUEUE_TIMED_OUT);
    assert_int_equal(queue_fill(&bench.queue), 1);
    assert_false(queue_holds(&bench.queue, 1, seen));
    uint32_t slot, taken;
    uint64_t taken_seen;
    assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 9, NULL, NULL, &slot, &taken_seen, &taken),
                     QUEUE_OK);
    assert_int_equal(taken, 1);
    assert_int_equal(queue_place(&bench.queue, 1, seen), QUEUE_OK);
    assert_true(queue_holds(&bench.queue, 1, seen));
    close_bench(&bench);
}

static void a_cell_that_points_to_the_past_is_cleared(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    uint64_t seen = push(&bench, 5);
    /* As the supervisor takes an item back from the hand of the dead. */
    assert_true(slot_move(&bench.words[5], &seen, SLOT_FILLING, 0, SLOT_OWNER_SUPERVISOR));
    push(&bench, 6);
    uint32_t slots[2], taken;
    uint64_t words[2];
    assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 2, NULL, NULL, slots, words, &taken),
                     QUEUE_OK);
    assert_int_equal(taken, 1);
    assert_int_equal(slots[0], 6);
    assert_int_equal(queue_fill(&bench.queue), 0);
    close_bench(&bench);
}

static void garbage_in_a_cell_is_cleared(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    atomic_store(&bench.shared->cells[0], 0xffffffffffffffffu);
    atomic_store(&bench.shared->head, 0xfffffff0u);
    push(&bench, 7);
    uint32_t slot, taken;
    uint64_t seen;
    assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 1, NULL, NULL, &slot, &seen, &taken),
                     QUEUE_OK);
    assert_int_equal(slot, 7);
    close_bench(&bench);
}

static void announcing_what_one_does_not_hold_is_noticed(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    uint64_t stale = fill(&bench, 0), seen = stale;
    assert_true(slot_move(&bench.words[0], &seen, SLOT_FREE, 0, SLOT_OWNER_NONE));
    assert_int_equal(queue_announce(&bench.queue, 0, &stale, SLOT_OWNER_READER), QUEUE_LOST);
    close_bench(&bench);
}

static void closing_drains_or_discards(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    push(&bench, 0);
    uint32_t slot, taken;
    uint64_t seen;
    queue_close(&bench.queue, QUEUE_DRAIN);
    assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 1, NULL, NULL, &slot, &seen, &taken),
                     QUEUE_OK);
    assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 1, NULL, NULL, &slot, &seen, &taken),
                     QUEUE_CLOSED);
    push(&bench, 1);
    queue_close(&bench.queue, QUEUE_DISCARD);
    assert_int_equal(queue_take(&bench.queue, SLOT_OWNER_WRITER, 1, NULL, NULL, &slot, &seen, &taken),
                     QUEUE_CLOSED);
    close_bench(&bench);
}

/* Every slot travels ROUNDS times: a producer owns it, pushes it, a consumer takes it and frees it. */
#define ROUNDS (quick() ? 30u : 300u)
#define CROWD  4u

struct crowd {
    struct bench *bench;
    uint64_t payload[SLOTS]; /* plain memory: the slot word must order it */
    _Atomic uint64_t sum, taken;
    unsigned number;
};

struct member {
    struct crowd *crowd;
    unsigned number;
};

static void *produce(void *context)
{
    struct member *member = context;
    struct bench *bench = member->crowd->bench;
    struct queue queue = bench->queue;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t slot = member->number; slot < SLOTS; slot += CROWD) {
            uint64_t seen = atomic_load(&bench->words[slot]);
            while (slot_unpack(seen).state != SLOT_FREE)
                seen = atomic_load(&bench->words[slot]);
            slot_move(&bench->words[slot], &seen, SLOT_FILLING, 0, SLOT_OWNER_READER);
            member->crowd->payload[slot] = (uint64_t)round * SLOTS + slot;
            queue_announce(&queue, slot, &seen, SLOT_OWNER_READER);
            while (queue_place(&queue, slot, seen) != QUEUE_OK)
                ;
        }
    }
    return NULL;
}

static bool always(void *context, uint32_t slot)
{
    (void)context, (void)slot;
    return true;
}

static void *consume(void *context)
{
    struct member *member = context;
    struct bench *bench = member->crowd->bench;
    struct queue queue = bench->queue;
    uint32_t slots[3], taken;
    uint64_t seen[3];
    enum queue_result result;
    while ((result = queue_take(&queue, SLOT_OWNER_WORKER + member->number, 3, always, NULL, slots, seen,
                                &taken)) != QUEUE_CLOSED) {
        for (uint32_t i = 0; i < taken; i++) {
            atomic_fetch_add(&member->crowd->sum, member->crowd->payload[slots[i]]);
            atomic_fetch_add(&member->crowd->taken, 1);
            slot_move(&bench->words[slots[i]], &seen[i], SLOT_FREE, 0, SLOT_OWNER_NONE);
        }
    }
    return NULL;
}

static void a_crowd_loses_and_doubles_nothing(void **state)
{
    (void)state;
    static const uint32_t capacities[] = {1, 2, 64};
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        struct bench bench;
        open_bench(&bench, capacities[c]);
        struct crowd crowd = {.bench = &bench};
        struct member members[CROWD];
        pthread_t producers[CROWD], consumers[CROWD];
        for (unsigned i = 0; i < CROWD; i++) {
            members[i] = (struct member){&crowd, i};
            pthread_create(&producers[i], NULL, produce, &members[i]);
            pthread_create(&consumers[i], NULL, consume, &members[i]);
        }
        for (unsigned i = 0; i < CROWD; i++)
            pthread_join(producers[i], NULL);
        queue_close(&bench.queue, QUEUE_DRAIN);
        for (unsigned i = 0; i < CROWD; i++)
            pthread_join(consumers[i], NULL);
        uint64_t total = (uint64_t)ROUNDS * SLOTS;
        assert_int_equal(atomic_load(&crowd.taken), total);
        assert_int_equal(atomic_load(&crowd.sum), total * (total - 1) / 2);
        close_bench(&bench);
    }
}

/* Where stalls are built in, the same with delays at every marked place of the queue. */
static void a_crowd_with_stalls_loses_and_doubles_nothing(void **state)
{
    struct error error = {0};
    if (stall_configure("1:100:50", &error) < 0)
        assert_int_equal(error.code, ERROR_UNSUPPORTED);
    a_crowd_loses_and_doubles_nothing(state);
    stall_configure(NULL, &error);
}

/* A line of one producer and one consumer, long enough for each to overtake the other at every cell. */
#define LINE (quick() ? 10000u : 200000u)

static void *produce_line(void *context)
{
    struct bench *bench = context;
    struct queue queue = bench->queue;
    for (uint32_t i = 0; i < LINE; i++) {
        const uint32_t slot = i % SLOTS;
        uint64_t seen = atomic_load(&bench->words[slot]);
        while (slot_unpack(seen).state != SLOT_FREE)
            seen = atomic_load(&bench->words[slot]);
        slot_move(&bench->words[slot], &seen, SLOT_FILLING, 0, SLOT_OWNER_READER);
        queue_announce(&queue, slot, &seen, SLOT_OWNER_READER);
        while (queue_place(&queue, slot, seen) != QUEUE_OK)
            ;
    }
    queue_close(&queue, QUEUE_DRAIN);
    return NULL;
}

static void two_that_race_keep_the_order(void **state)
{
    (void)state;
    static const uint32_t capacities[] = {2, 5, 16};
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        struct bench bench;
        open_bench(&bench, capacities[c]);
        struct queue queue = bench.queue;
        pthread_t producer;
        assert_int_equal(pthread_create(&producer, NULL, produce_line, &bench), 0);
        uint32_t slots[3], taken, next = 0, astray = 0;
        uint64_t seen[3];
        while (queue_take(&queue, SLOT_OWNER_WRITER, 3, always, NULL, slots, seen, &taken) != QUEUE_CLOSED) {
            for (uint32_t i = 0; i < taken; i++) {
                astray += slots[i] != next++ % SLOTS;
                slot_move(&bench.words[slots[i]], &seen[i], SLOT_FREE, 0, SLOT_OWNER_NONE);
            }
        }
        pthread_join(producer, NULL);
        assert_int_equal(next, LINE);
        assert_int_equal(astray, 0);
        close_bench(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(a_full_queue_refuses_until_there_is_room),
        cmocka_unit_test(a_cell_that_points_to_the_past_is_cleared),
        cmocka_unit_test(garbage_in_a_cell_is_cleared),
        cmocka_unit_test(announcing_what_one_does_not_hold_is_noticed),
        cmocka_unit_test(closing_drains_or_discards),
        cmocka_unit_test(a_crowd_loses_and_doubles_nothing),
        cmocka_unit_test(a_crowd_with_stalls_loses_and_doubles_nothing),
        cmocka_unit_test(two_that_race_keep_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
