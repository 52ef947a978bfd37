/* SPDX-License-Identifier: MIT */
/* A slot is a place in shared memory for one item in flight. Its word says, in 64 bits, who may touch the
 * rest of it; every change of that is one compare-and-swap, so a process killed at any instruction leaves
 * each slot in exactly one state.
 *
 *            reader            worker                 worker             writer
 *   FREE --> FILLING --> QUEUED --> CLAIMED --> RUNNING --> QUEUED ... --> CLAIMED --> FREE
 *
 * A dead worker's slots are found by their owner field; what it CLAIMED but had not begun costs the item
 * nothing, what it was RUNNING costs one attempt. */
#ifndef PIPELINE_SLOT_WORD_H
#define PIPELINE_SLOT_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum slot_state {
    SLOT_FREE,    /* nobody's; only the main process takes it */
    SLOT_FILLING, /* the main process's: being read, or being recovered */
    SLOT_QUEUED,  /* in a queue, or on its way into one by the hand of `owner` */
    SLOT_CLAIMED, /* taken out of a queue by `owner`, not begun */
    SLOT_RUNNING, /* `owner` is changing its buffers */
};

/* Owners. Workers are SLOT_OWNER_WORKER + their number. */
enum slot_owner {
    SLOT_OWNER_NONE,
    SLOT_OWNER_READER,
    SLOT_OWNER_WRITER,
    SLOT_OWNER_SUPERVISOR,
    SLOT_OWNER_WORKER
};

/* The word taken apart. `generation` grows with every change, so that a stale copy never compares equal. */
struct slot_view {
    uint32_t generation;
    uint16_t owner;
    uint8_t queue; /* which queue, while QUEUED */
    uint8_t state; /* enum slot_state */
};

typedef _Atomic uint64_t slot_word;

static inline uint64_t slot_pack(struct slot_view view)
{
    return (uint64_t)view.generation << 32 | (uint64_t)view.owner << 16 | (uint64_t)view.queue << 8 |
           view.state;
}

static inline struct slot_view slot_unpack(uint64_t word)
{
    return (struct slot_view){(uint32_t)(word >> 32), (uint16_t)(word >> 16), (uint8_t)(word >> 8),
                              (uint8_t)word};
}

/* The one way a slot changes hands: from exactly *seen to the new state, generation + 1. True: done, and
 * *seen is the new word. False: somebody else was first, and *seen is what is there now. Acquires what the
 * last owner wrote and releases what the caller wrote. */
static inline bool slot_move(slot_word *word, uint64_t *seen, enum slot_state state, unsigned queue,
                             unsigned owner)
{
    struct slot_view next = slot_unpack(*seen);
    next.generation++;
    next.owner = (uint16_t)owner;
    next.queue = (uint8_t)queue;
    next.state = (uint8_t)state;
    uint64_t packed = slot_pack(next);
    if (!atomic_compare_exchange_strong_explicit(word, seen, packed, memory_order_acq_rel,
                                                 memory_order_acquire))
        return false;
    *seen = packed;
    return true;
}

#endif
