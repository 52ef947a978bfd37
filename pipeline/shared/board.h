/* SPDX-License-Identifier: MIT */
/* A board on which one worker, the leader, offers ranges of its item's rows to workers that are idle. Any of
 * them may die at any instruction.
 *
 * Each range is one word that moves FREE -> TAKEN by somebody -> DONE by compare-and-swap; a range whose
 * taker died is taken over by the leader and done again from the start, which is why ranges are never done in
 * place. A helper says in its own cell whom it helps before it looks at the board again, and the leader
 * closes the board before it looks at the cells: so either the helper sees the board closed or the leader
 * sees the helper, and the leader's buffers are never reused under a helper's hands. Generations keep a late
 * hand off the next offer. When a helper has died, the supervisor clears its cell; when a leader has died,
 * the supervisor closes its board and lets the helpers leave before it touches the item. */
#ifndef PIPELINE_BOARD_H
#define PIPELINE_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BOARD_RANGES 64u

/* In shared memory, one for each worker. */
struct board {
    _Alignas(128) _Atomic uint64_t word; /* generation << 32 | ranges on offer; 0 ranges: closed */
    _Atomic uint64_t ranges[BOARD_RANGES];
    /* What is on offer. Written by the leader before it opens the board, steady while anybody helps; to be
     * checked by helpers, as all that comes out of shared memory. */
    uint32_t slot, step, rows_each;
    uint8_t source, target; /* buffers of the slot */
};

/* What a helper's cell holds: whom it helps and with which offer; 0: nobody. */
typedef _Atomic uint64_t board_helping;

/* Offers `count` ranges, at most BOARD_RANGES, on a closed board. Returns the offer's word. Leader only. */
uint64_t board_open(struct board *board, uint32_t count);

/* Is this offer still open? */
bool board_is_open(const struct board *board, uint64_t offer);

/* Is there a range left to take? A hint. */
bool board_has_free(const struct board *board, uint64_t offer);

/* Helper: joins the offer that the board shows, if there is one with a free range. 0: there is not. */
uint64_t board_join(const struct board *board, uint32_t leader, board_helping *helping);
void board_leave(board_helping *helping);

/* Is a helper with this cell at work on the offer? */
bool board_helped_by(const board_helping *helping, uint32_t leader, uint64_t offer);

/* Takes a free range for `taker`, a worker's number; -1: none is left or the board is closed. */
int board_take(struct board *board, uint64_t offer, uint32_t taker);

/* The taker's range is done, or was given up and is free again. */
void board_done(struct board *board, uint64_t offer, uint32_t taker, int range);
void board_give_up(struct board *board, uint64_t offer, uint32_t taker, int range);

/* Leader: the state of a range. */
enum board_range { BOARD_FREE, BOARD_TAKEN, BOARD_DONE };
enum board_range board_range_state(const struct board *board, int range, uint32_t *taker);

/* Leader: takes over the range of a taker that is gone. */
bool board_take_over(struct board *board, uint64_t offer, uint32_t from, uint32_t taker, int range);

void board_close(struct board *board);

#endif
