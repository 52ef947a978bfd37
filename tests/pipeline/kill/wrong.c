/* SPDX-License-Identifier: MIT */
/* Operations done wrong on purpose, each in a way that a queue could be built: the harness has to find them.
 */
#include "operations.h"
#include "pipeline/engine/recover.h"

#define VICTIM ((unsigned)SLOT_OWNER_WORKER + WORLD_VICTIM)

static slot_word *word_of(struct world *world, uint32_t item)
{
    return &world->machine.words[world->slots[item]];
}

static void one_queued(struct world *world)
{
    world_push(world, world_add(world), 0, SLOT_OWNER_READER);
}

static void one_running(struct world *world)
{
    world_move(world, world_add(world), SLOT_RUNNING, VICTIM);
}

/* A ring under a mutex that processes share, as textbooks have it. */
static void make_mutex(struct world *world)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&world->told->mutex, &attributes);
}

static void push_under_mutex(struct world *world)
{
    struct told *told = world->told;
    pthread_mutex_lock(&told->mutex);
    told->ring[told->ring_count++] = 0;
    slot_move(word_of(world, 0), &world->seen[0], SLOT_FREE, 0, SLOT_OWNER_NONE);
    pthread_mutex_unlock(&told->mutex);
}

static void pop_under_mutex(struct world *world)
{
    struct told *told = world->told;
    pthread_mutex_lock(&told->mutex);
    for (uint32_t i = 0; i < told->ring_count; i++)
        atomic_fetch_add(&told->results[told->ring[i]], 1);
    pthread_mutex_unlock(&told->mutex);
    if (told->ring_count == 0)
        world_finish(world);
}

static void empty_the_cell_first(struct world *world)
{
    for (uint32_t i = 0; i < world->machine.queues[0].capacity; i++) {
        if (atomic_exchange(&world->machine.queues[0].shared->cells[i], 0) != 0)
            slot_move(word_of(world, 0), &world->seen[0], SLOT_CLAIMED, 0, VICTIM);
    }
}

static void announce_in_the_readers_name(struct world *world)
{
    struct queue *queue = &world->machine.queues[0];
    queue_announce(queue, world->slots[0], &world->seen[0], SLOT_OWNER_READER);
    queue_place(queue, world->slots[0], world->seen[0]);
}

static void free_before_the_result(struct world *world)
{
    slot_move(word_of(world, 0), &world->seen[0], SLOT_FREE, 0, SLOT_OWNER_NONE);
    atomic_fetch_add(&world->told->results[0], 1);
}

static void result_before_the_word(struct world *world)
{
    atomic_fetch_add(&world->told->results[0], 1);
    slot_move(word_of(world, 0), &world->seen[0], SLOT_FREE, 0, SLOT_OWNER_NONE);
}

const struct operation operations_wrong[] = {
    {.name = "push under a shared mutex",
     .side = "producer",
     .prepare = one_running,
     .before = make_mutex,
     .act = push_under_mutex,
     .finish = pop_under_mutex,
     .fault = FAULT_STUCK},
    {.name = "empty the cell, then claim",
     .side = "consumer",
     .prepare = one_queued,
     .act = empty_the_cell_first,
     .fault = FAULT_STUCK},
    {.name = "announce in another's name",
     .side = "producer",
     .prepare = one_running,
     .act = announce_in_the_readers_name,
     .fault = FAULT_STUCK},
    {.name = "retire, then hand over",
     .side = "consumer",
     .prepare = one_running,
     .act = free_before_the_result,
     .fault = FAULT_LOST},
    {.name = "hand over, then retire",
     .side = "consumer",
     .prepare = one_running,
     .act = result_before_the_word,
     .fault = FAULT_DUPLICATED},
};
const unsigned operations_wrong_count = sizeof operations_wrong / sizeof *operations_wrong;
