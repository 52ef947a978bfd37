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
#ifndef PIPELINE_SLOT_H
#define PIPELINE_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "stages/stage.h"

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

/* Steps of an item: decode, the stages of the job in order, encode. */
#define SLOT_MAX_STEPS 66

/* What lies beside the word. The first part is written by the reader before the slot is first queued and
 * then only read. The second is written by whichever process owns the slot, so what the main process finds
 * there is a claim to be checked, not a fact. The pixels are in the slot's two buffers, see machine.h. */
struct slot {
    uint64_t item;               /* made of the item's name; see stage_run.item */
    uint32_t attempt;            /* 1 the first time */
    uint8_t codec_in, codec_out; /* indexes into codec_all() */
    bool small;                  /* may travel in a batch */
    uint64_t file_bytes;         /* of the input, in buffer 0 */
    uint64_t buffer_bytes[2];    /* committed for this item */
    uint64_t meta_bytes;
    uint64_t scratch_bytes;

    uint8_t current;    /* which buffer holds the item now */
    uint32_t step;      /* the step at work, or the last one */
    struct shape shape; /* of the pixels, between decode and encode */
    uint64_t meta_used;
    uint64_t length_bytes; /* of the encoded output */
    uint64_t pixels_in;    /* decoded */
    uint64_t step_ns[SLOT_MAX_STEPS];
    uint32_t warnings;
    char warning[160];
    struct error error; /* code 0: the item is sound so far */
};

#endif
