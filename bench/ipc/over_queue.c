/* SPDX-License-Identifier: MIT */
/* forkmill's queue as a run uses it: a value lies in a slot, and each slot goes FREE, FILLING, QUEUED,
 * CLAIMED, FREE. So a value costs what an item's passage through one queue costs, its way back to FREE
 * included. */
#include "transport.h"

#include <sched.h>
#include <stdlib.h>

#include "pipeline/shared/arena.h"
#include "pipeline/shared/queue.h"

/* In the arena beside the slot word, on lines of its own as a slot's description is. */
struct payload {
    _Alignas(128) uint64_t value;
};

struct over_queue {
    struct arena arena;
    struct payload *payloads;
    struct queue queue; /* each side of the fork has its own copy */
    uint32_t next;      /* sender's: the slot whose turn it is */
};

static size_t aligned(size_t bytes)
{
    return (bytes + 127) / 128 * 128;
}

static void over_queue_open(struct channel *channel)
{
    struct over_queue *over = calloc(1, sizeof *over);
    struct error error = {0};
    /* Full queue, the receiver's hands full, and one in the sender's. */
    const uint32_t slots = channel->capacity + TRANSPORT_MOST + 1;
    const size_t words = aligned(slots * sizeof(slot_word)), payloads = slots * sizeof(struct payload);
    const size_t bytes = arena_round(words + payloads + queue_shared_bytes(channel->capacity));
    if (!over || arena_open(&over->arena, bytes, bytes, &error) < 0 ||
        arena_commit(&over->arena, 0, bytes, &error) < 0)
        transport_die("arena");
    uint8_t *base = over->arena.base;
    over->payloads = (struct payload *)(void *)(base + words);
    cpu_set_t set;
    const bool one_cpu = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
    queue_init(&over->queue, (struct queue_shared *)(void *)(base + words + payloads),
               (slot_word *)(void *)base, slots, channel->capacity, 0, one_cpu);
    channel->state = over;
}

static void over_queue_send(struct channel *channel, uint64_t value)
{
    struct over_queue *over = channel->state;
    struct queue *queue = &over->queue;
    const uint32_t slot = over->next;
    over->next = slot + 1 < queue->slot_count ? slot + 1 : 0;
    uint64_t seen = atomic_load_explicit(&queue->words[slot], memory_order_acquire);
    while (slot_unpack(seen).state != SLOT_FREE) { /* the receiver is about to free it */
        sched_yield();
        seen = atomic_load_explicit(&queue->words[slot], memory_order_acquire);
    }
    if (!slot_move(&queue->words[slot], &seen, SLOT_FILLING, 0, SLOT_OWNER_READER))
        transport_die("slot");
    over->payloads[slot].value = value;
    if (queue_announce(queue, slot, &seen, SLOT_OWNER_READER) != QUEUE_OK)
        transport_die("announce");
    while (queue_place(queue, slot, seen) != QUEUE_OK)
        ;
}

static bool always(void *context, uint32_t slot)
{
    (void)context, (void)slot;
    return true;
}

static unsigned over_queue_receive(struct channel *channel, uint64_t *values, unsigned most)
{
    struct over_queue *over = channel->state;
    struct queue *queue = &over->queue;
    uint32_t slots[TRANSPORT_MOST], taken;
    uint64_t seen[TRANSPORT_MOST];
    while (queue_take(queue, SLOT_OWNER_WORKER, most, always, NULL, slots, seen, &taken) != QUEUE_OK)
        ;
    for (uint32_t i = 0; i < taken; i++) {
        values[i] = over->payloads[slots[i]].value;
        if (!slot_move(&queue->words[slots[i]], &seen[i], SLOT_FREE, 0, SLOT_OWNER_NONE))
            transport_die("slot");
    }
    return taken;
}

static void over_queue_close(struct channel *channel)
{
    struct over_queue *over = channel->state;
    arena_close(&over->arena);
    free(over);
}

const struct transport transport_queue = {
    .name = "forkmill queue",
    .open = over_queue_open,
    .send = over_queue_send,
    .receive = over_queue_receive,
    .close = over_queue_close,
};
