/* SPDX-License-Identifier: MIT */
/* Deliberate delays between two steps that another process or thread may come between, so that tests meet in
 * seconds what chance would bring in months. Built only with FORKMILL_STALLS (the presets dev, asan and
 * tsan); elsewhere a marked place costs nothing. Switched on by the environment:
 *
 *   FORKMILL_STALLS=SEED[:PERMILLE[:MAX_US]]
 *
 * At each marked place a thread waits with a chance of PERMILLE in 1000 (100): it gives the CPU away, or
 * sleeps for up to MAX_US microseconds (200). Chance is a pseudo-random sequence of each thread's own, from
 * SEED and the thread's number. With it on, memory is spoiled before each item, too. */
#ifndef PIPELINE_STALL_H
#define PIPELINE_STALL_H

#include <stddef.h>

#include "stages/error.h"

enum stall_place {
    STALL_ANNOUNCE,  /* queue: the item is ready, its word does not say so */
    STALL_PLACE,     /* queue: an empty cell was seen and is not taken */
    STALL_PLACED,    /* queue: the cell is filled, nobody was told */
    STALL_CLAIM,     /* queue: a cell was read, its slot is not claimed */
    STALL_CLAIMED,   /* queue: the slot is claimed, its cell still points to it */
    STALL_SIGNAL,    /* queue: the event was counted, sleepers were not looked for */
    STALL_SLEEP,     /* queue: the last look is over, the sleep has not begun */
    STALL_JOIN,      /* board: an offer was seen, the helper's cell does not say so */
    STALL_JOINED,    /* board: the cell says so, the offer was not looked at again */
    STALL_RANGE,     /* rows: a range is done, the board does not say so */
    STALL_HAND_OUT,  /* admission: a free slot was chosen, its word still says FREE */
    STALL_LEAVE,     /* admission: the word says FREE, the books do not */
    STALL_FEED,      /* feeder: a piece is about to be read, without the lock */
    STALL_SEATED,    /* reader: the item is in its slot, not on its way */
    STALL_BEGIN,     /* worker: claimed, not begun */
    STALL_RAN,       /* worker: the work is done, not announced */
    STALL_ANNOUNCED, /* worker: the batch is announced, not placed */
    STALL_WRITTEN,   /* writer: the output is whole, the slot is not given back */
    STALL_RECOVER,   /* supervisor: a dead worker's word was read, its slot is not taken back */
    STALL_RECOVERED, /* supervisor: the slot is taken back, the item has no fate yet */
};

/* Reads the setting above; NULL or "" switches off. Call it while the process has one thread, before it
 * forks. ERROR_USAGE for a malformed one; ERROR_UNSUPPORTED for any in a build without stalls. */
int stall_configure(const char *text, struct error *error);

#ifdef FORKMILL_STALLS
void stall(enum stall_place place);

/* Fills what an item is about to be given with a byte that nobody knows: so that an output that holds bytes
 * of the item before, or counts on zeros, is another one each time. */
void stall_spoil(void *memory, size_t length);
#else
static inline void stall_spoil(void *memory, size_t length)
{
    (void)memory, (void)length;
}

static inline void stall(enum stall_place place)
{
    (void)place;
}
#endif

#endif
