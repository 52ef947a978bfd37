/* SPDX-License-Identifier: MIT */
/* A bounded queue of slot numbers between processes, with any number of producers and consumers, that no
 * death can break.
 *
 * The truth about an item is its slot word (slot_word.h). A queue is only an array of cells that say where to
 * look: a producer first moves the word to QUEUED, then puts the slot's number and generation into an empty
 * cell; a consumer first moves the word to CLAIMED, then empties the cell. Whoever meets a cell whose word
 * has moved on empties it in passing. So a process killed between two steps leaves at worst a cell that the
 * next comer clears, or a QUEUED slot without a cell, which the supervisor finds by its owner.
 *
 * Order is first in, first out as far as one producer and one consumer can tell; with several it is
 * approximate, and no item waits for ever, because consumers start looking where the last one stopped.
 *
 * Waiting is a short spin, then a futex with a time limit: a lost wake-up costs that limit and nothing else.
 */
#ifndef PIPELINE_QUEUE_H
#define PIPELINE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/shared/slot_word.h"

/* In shared memory. Every field is atomic and may be written by any process. */
struct queue_shared {
    _Alignas(64) _Atomic uint32_t tail;   /* where producers start looking for an empty cell: a hint */
    _Alignas(64) _Atomic uint32_t head;   /* where consumers start looking for a full one: a hint */
    _Alignas(64) _Atomic uint32_t filled; /* grows whenever a cell is filled: consumers sleep on it */
    _Atomic uint32_t filled_sleepers;
    _Alignas(64) _Atomic uint32_t emptied; /* grows whenever a cell is emptied: producers sleep on it */
    _Atomic uint32_t emptied_sleepers;
    _Alignas(64) _Atomic uint32_t closed; /* enum queue_close */
    _Atomic uint64_t cells[];             /* 0: empty; else generation << 32 | slot + 1 */
};

enum queue_close {
    QUEUE_OPEN,
    QUEUE_DRAIN,   /* consumers take what is there, then see the end */
    QUEUE_DISCARD, /* consumers see the end at once */
};

/* A process's view; holds no shared state but pointers. Filled before fork and the same everywhere. */
struct queue {
    struct queue_shared *shared;
    slot_word *words; /* of all slots */
    uint32_t slot_count;
    uint32_t capacity;
    uint8_t index;    /* which queue this is: the slot word's `queue` */
    uint32_t spin_ns; /* how long spinning was worth lately; this and `waits` are a process's own */
    uint32_t spin_max_ns;
    uint32_t waits;
};

enum queue_result {
    QUEUE_OK = 1,
    QUEUE_TIMED_OUT = 0, /* nothing happened for one nap (event.h); call again */
    QUEUE_CLOSED = -1,   /* and, for consumers, empty */
    QUEUE_LOST = -2,     /* the word was not what the caller held: it has lost the slot */
};

/* Bytes that the shared part takes for this capacity. */
size_t queue_shared_bytes(uint32_t capacity);

/* Makes a view over zeroed shared memory; it never spins where only one CPU may be used. */
void queue_init(struct queue *queue, struct queue_shared *shared, slot_word *words, uint32_t slot_count,
                uint32_t capacity, uint8_t index, bool one_cpu);

/* Step one of handing an item on: moves the word from *seen to QUEUED in this queue, by `owner`.
 * QUEUE_OK or QUEUE_LOST. Does not block. */
enum queue_result queue_announce(struct queue *queue, uint32_t slot, uint64_t *seen, unsigned owner);

/* Step two: puts an announced slot into a cell. Blocks for at most a nap while the queue is full.
 * QUEUE_OK or QUEUE_TIMED_OUT. Wakes a consumer. */
enum queue_result queue_place(struct queue *queue, uint32_t slot, uint64_t seen);

/* Takes up to `max` items for `owner`; *taken slots and their words. Blocks for at most a nap while there is
 * none. After the first it goes on only while `more(context, slot)` agrees (NULL: never). */
enum queue_result queue_take(struct queue *queue, unsigned owner, uint32_t max,
                             bool (*more)(void *, uint32_t), void *context, uint32_t *slots, uint64_t *seen,
                             uint32_t *taken);

/* Is this announced slot in a cell? Only meaningful when its announcer is dead. */
bool queue_holds(const struct queue *queue, uint32_t slot, uint64_t seen);

/* Cells in use now; a snapshot. */
uint32_t queue_fill(const struct queue *queue);

/* Ends the queue for consumers and wakes everyone. */
void queue_close(struct queue *queue, enum queue_close how);

/* Wakes every sleeper to look again; after a death. */
void queue_wake_all(struct queue *queue);

#endif
