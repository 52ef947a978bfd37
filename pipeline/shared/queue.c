/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/queue.h"

#include <limits.h>

#include "pipeline/shared/clock.h"
#include "pipeline/shared/event.h"
#include "pipeline/shared/stall.h"

/* Longest and shortest spin. A wake-up on another core takes 20 to 35 us on a virtual machine. */
#define SPIN_MOST_NS  50000u
#define SPIN_LEAST_NS 1000u
/* Looks between two at the clock: 0.2 to 1 us. */
#define SPIN_TURNS 16u
#define SPIN_PROBE 32u

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Producers that sleep because the queue was full are woken when half of it is empty: they find room for
 * several items then, and consumers have the other half meanwhile. */
static void signal_room(struct queue *queue, int count)
{
    struct queue_shared *shared = queue->shared;
    atomic_fetch_add(&shared->emptied, 1);
    stall(STALL_SIGNAL);
    if (atomic_load(&shared->emptied_sleepers) > 0 && 2 * queue_fill(queue) <= queue->capacity)
        event_wake(&shared->emptied, &shared->emptied_sleepers, count);
}

/* Spins until `event` differs from `seen`, for at most `limit_ns`. */
static bool spin_for(_Atomic uint32_t *event, uint32_t seen, uint32_t limit_ns)
{
    const uint64_t start_ns = clock_ns();
    do {
        for (unsigned i = 0; i < SPIN_TURNS; i++) {
            if (atomic_load_explicit(event, memory_order_relaxed) != seen)
                return true;
            pause_briefly();
        }
    } while (clock_ns() - start_ns < limit_ns);
    return false;
}

/* Waits until `event` differs from `seen`: spins as long as spinning has paid lately, then sleeps.
 *
 * Two that hand items to and fro and both sleep never find spinning worth while, because each waits for the
 * other to wake. So one wait in SPIN_PROBE spins for as long as a wake-up takes, whatever the experience. */
static void wait_for(struct queue *queue, _Atomic uint32_t *event, _Atomic uint32_t *sleepers, uint32_t seen)
{
    if (queue->spin_max_ns > 0) {
        const bool probe = queue->waits++ % SPIN_PROBE == 0;
        if (spin_for(event, seen, probe ? queue->spin_max_ns : queue->spin_ns)) {
            queue->spin_ns =
                probe || queue->spin_ns * 2 > queue->spin_max_ns ? queue->spin_max_ns : queue->spin_ns * 2;
            return;
        }
        queue->spin_ns = queue->spin_ns / 2 > SPIN_LEAST_NS ? queue->spin_ns / 2 : SPIN_LEAST_NS;
    }
    event_sleep(event, sleepers, seen);
}

static uint64_t cell_of(uint32_t slot, uint64_t seen)
{
    return seen >> 32 << 32 | (slot + 1);
}

size_t queue_shared_bytes(uint32_t capacity)
{
    return sizeof(struct queue_shared) + capacity * sizeof(_Atomic uint64_t);
}

void queue_init(struct queue *queue, struct queue_shared *shared, slot_word *words, uint32_t slot_count,
                uint32_t capacity, uint8_t index, bool one_cpu)
{
    *queue = (struct queue){.shared = shared,
                            .words = words,
                            .slot_count = slot_count,
                            .capacity = capacity,
                            .index = index,
                            .spin_ns = SPIN_LEAST_NS,
                            .spin_max_ns = one_cpu ? 0 : SPIN_MOST_NS};
}

enum queue_result queue_announce(struct queue *queue, uint32_t slot, uint64_t *seen, unsigned owner)
{
    stall(STALL_ANNOUNCE);
    return slot_move(&queue->words[slot], seen, SLOT_QUEUED, queue->index, owner) ? QUEUE_OK : QUEUE_LOST;
}

/* How far from `start` the first cell is that is full, or empty; the capacity where there is none.
 *
 * One walk is not enough: while it passes the first cells they may change, and the next ones after them, and
 * the walk would take the later for the first. What happened before the cell it found is in sight by then, so
 * it looks again at those before, until there is nothing new. That keeps one producer's items in order. */
static uint32_t first_cell(const struct queue *queue, uint32_t start, bool full)
{
    uint32_t found = queue->capacity, end;
    do {
        end = found;
        for (uint32_t i = 0; i < end && found == end; i++) {
            const _Atomic uint64_t *place = &queue->shared->cells[(start + i) % queue->capacity];
            if ((atomic_load_explicit(place, memory_order_acquire) != 0) == full)
                found = i;
        }
    } while (found < end);
    return found;
}

/* Puts the cell into the first empty place. A place that another producer takes first costs another look;
 * that as many as there are go that way means that consumers are at work, and a wait for them is short. */
static bool try_place(struct queue *queue, uint64_t cell)
{
    struct queue_shared *shared = queue->shared;
    for (uint32_t looks = 0; looks < queue->capacity; looks++) {
        const uint32_t start = atomic_load_explicit(&shared->tail, memory_order_relaxed) % queue->capacity;
        const uint32_t ahead = first_cell(queue, start, false);
        if (ahead == queue->capacity)
            return false;
        const uint32_t at = (start + ahead) % queue->capacity;
        uint64_t empty = 0;
        stall(STALL_PLACE);
        if (atomic_compare_exchange_strong(&shared->cells[at], &empty, cell)) {
            atomic_store_explicit(&shared->tail, (at + 1) % queue->capacity, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

enum queue_result queue_place(struct queue *queue, uint32_t slot, uint64_t seen)
{
    struct queue_shared *shared = queue->shared;
    const uint64_t cell = cell_of(slot, seen);
    /* The consumers' event is their cache line: read only when there is a reason to wait for it. */
    if (!try_place(queue, cell)) {
        const uint32_t before = atomic_load(&shared->emptied);
        if (!try_place(queue, cell)) {
            wait_for(queue, &shared->emptied, &shared->emptied_sleepers, before);
            if (!try_place(queue, cell))
                return QUEUE_TIMED_OUT;
        }
    }
    stall(STALL_PLACED);
    event_signal(&shared->filled, &shared->filled_sleepers, 1);
    return QUEUE_OK;
}

/* Takes the slot that a cell points to, or clears the cell if it points to the past. */
static bool try_claim(struct queue *queue, _Atomic uint64_t *place, uint64_t cell, unsigned owner,
                      uint32_t *slot, uint64_t *seen)
{
    *slot = (uint32_t)cell - 1;
    bool claimed = false;
    if (*slot < queue->slot_count) {
        *seen = atomic_load_explicit(&queue->words[*slot], memory_order_acquire);
        struct slot_view view = slot_unpack(*seen);
        stall(STALL_CLAIM);
        if (view.state == SLOT_QUEUED && view.queue == queue->index && view.generation == cell >> 32)
            claimed = slot_move(&queue->words[*slot], seen, SLOT_CLAIMED, queue->index, owner);
    }
    stall(STALL_CLAIMED);
    atomic_compare_exchange_strong(place, &cell, 0);
    return claimed;
}

/* Takes from the first full cell on, as long as the next one is full too. Returns how many cells it emptied,
 * whether or not they held a live item. */
static uint32_t walk(struct queue *queue, unsigned owner, uint32_t max, bool (*more)(void *, uint32_t),
                     void *context, uint32_t *slots, uint64_t *seen, uint32_t *taken)
{
    struct queue_shared *shared = queue->shared;
    const uint32_t start = atomic_load_explicit(&shared->head, memory_order_relaxed) % queue->capacity;
    uint32_t emptied = 0;
    for (uint32_t i = first_cell(queue, start, true); i < queue->capacity && *taken < max; i++) {
        const uint32_t at = (start + i) % queue->capacity;
        const uint64_t cell = atomic_load_explicit(&shared->cells[at], memory_order_acquire);
        const uint32_t slot = (uint32_t)cell - 1;
        if (*taken > 0 && (cell == 0 || !more || slot >= queue->slot_count || !more(context, slot)))
            break;
        if (cell == 0)
            continue;
        if (try_claim(queue, &shared->cells[at], cell, owner, &slots[*taken], &seen[*taken]))
            ++*taken;
        emptied++;
        atomic_store_explicit(&shared->head, (at + 1) % queue->capacity, memory_order_relaxed);
    }
    return emptied;
}

enum queue_result queue_take(struct queue *queue, unsigned owner, uint32_t max,
                             bool (*more)(void *, uint32_t), void *context, uint32_t *slots, uint64_t *seen,
                             uint32_t *taken)
{
    struct queue_shared *shared = queue->shared;
    *taken = 0;
    /* The first look is for what is there, without the producers' cache line; the second is the one that may
     * be slept on, and the third is after the sleep. */
    for (int look = 0; look < 3; look++) {
        const uint32_t before = look > 0 ? atomic_load(&shared->filled) : 0;
        const uint32_t closed = atomic_load(&shared->closed);
        if (closed == QUEUE_DISCARD)
            return QUEUE_CLOSED;
        const uint32_t emptied = walk(queue, owner, max, more, context, slots, seen, taken);
        if (emptied)
            signal_room(queue, (int)emptied);
        if (*taken)
            return QUEUE_OK;
        if (closed == QUEUE_DRAIN)
            return QUEUE_CLOSED;
        if (look == 1)
            wait_for(queue, &shared->filled, &shared->filled_sleepers, before);
    }
    return QUEUE_TIMED_OUT;
}

bool queue_holds(const struct queue *queue, uint32_t slot, uint64_t seen)
{
    uint64_t cell = cell_of(slot, seen);
    for (uint32_t i = 0; i < queue->capacity; i++) {
        if (atomic_load(&queue->shared->cells[i]) == cell)
            return true;
    }
    return false;
}

uint32_t queue_fill(const struct queue *queue)
{
    uint32_t fill = 0;
    for (uint32_t i = 0; i < queue->capacity; i++)
        fill += atomic_load_explicit(&queue->shared->cells[i], memory_order_relaxed) != 0;
    return fill;
}

void queue_wake_all(struct queue *queue)
{
    struct queue_shared *shared = queue->shared;
    atomic_fetch_add(&shared->filled, 1);
    atomic_fetch_add(&shared->emptied, 1);
    event_wake(&shared->filled, &shared->filled_sleepers, INT_MAX);
    event_wake(&shared->emptied, &shared->emptied_sleepers, INT_MAX);
}

void queue_close(struct queue *queue, enum queue_close how)
{
    atomic_store(&queue->shared->closed, (uint32_t)how);
    queue_wake_all(queue);
}
