/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/board.h"

#include "pipeline/shared/stall.h"

/* A range's word: generation << 32, and below it FREE, DONE, or the taker's number + 2. */
#define RANGE_FREE  0u
#define RANGE_DONE  1u
#define RANGE_TAKER 2u

static uint64_t generation_of(uint64_t offer)
{
    return offer >> 32 << 32;
}

uint64_t board_open(struct board *board, uint32_t count)
{
    uint64_t generation = generation_of(atomic_load(&board->word)) + ((uint64_t)1 << 32);
    for (uint32_t i = 0; i < count; i++)
        atomic_store(&board->ranges[i], generation | RANGE_FREE);
    atomic_store(&board->word, generation | count);
    return generation | count;
}

bool board_is_open(const struct board *board, uint64_t offer)
{
    return atomic_load(&board->word) == offer;
}

static uint32_t count_of(uint64_t offer)
{
    uint32_t count = (uint32_t)offer;
    return count < BOARD_RANGES ? count : BOARD_RANGES;
}

bool board_has_free(const struct board *board, uint64_t offer)
{
    for (uint32_t i = 0; i < count_of(offer); i++) {
        if (atomic_load_explicit(&board->ranges[i], memory_order_relaxed) ==
            (generation_of(offer) | RANGE_FREE))
            return true;
    }
    return false;
}

static uint64_t helping_value(uint32_t leader, uint64_t offer)
{
    return generation_of(offer) | (leader + 1);
}

uint64_t board_join(const struct board *board, uint32_t leader, board_helping *helping)
{
    uint64_t offer = atomic_load(&board->word);
    if ((uint32_t)offer == 0 || !board_has_free(board, offer))
        return 0;
    stall(STALL_JOIN);
    atomic_store(helping, helping_value(leader, offer));
    stall(STALL_JOINED);
    if (board_is_open(board, offer))
        return offer;
    atomic_store(helping, 0);
    return 0;
}

void board_leave(board_helping *helping)
{
    atomic_store(helping, 0);
}

bool board_helped_by(const board_helping *helping, uint32_t leader, uint64_t offer)
{
    return atomic_load(helping) == helping_value(leader, offer);
}

int board_take(struct board *board, uint64_t offer, uint32_t taker)
{
    for (uint32_t i = 0; i < count_of(offer) && board_is_open(board, offer); i++) {
        uint64_t free_word = generation_of(offer) | RANGE_FREE;
        if (atomic_load_explicit(&board->ranges[i], memory_order_relaxed) == free_word &&
            atomic_compare_exchange_strong(&board->ranges[i], &free_word,
                                           generation_of(offer) | (RANGE_TAKER + taker)))
            return (int)i;
    }
    return -1;
}

static bool move_range(struct board *board, uint64_t offer, int range, uint32_t from, uint32_t to)
{
    uint64_t seen = generation_of(offer) | from;
    return atomic_compare_exchange_strong(&board->ranges[range], &seen, generation_of(offer) | to);
}

void board_done(struct board *board, uint64_t offer, uint32_t taker, int range)
{
    move_range(board, offer, range, RANGE_TAKER + taker, RANGE_DONE);
}

void board_give_up(struct board *board, uint64_t offer, uint32_t taker, int range)
{
    move_range(board, offer, range, RANGE_TAKER + taker, RANGE_FREE);
}

bool board_take_over(struct board *board, uint64_t offer, uint32_t from, uint32_t taker, int range)
{
    return move_range(board, offer, range, RANGE_TAKER + from, RANGE_TAKER + taker);
}

enum board_range board_range_state(const struct board *board, int range, uint32_t *taker)
{
    uint32_t state = (uint32_t)atomic_load(&board->ranges[range]);
    *taker = state - RANGE_TAKER;
    return state == RANGE_FREE ? BOARD_FREE : state == RANGE_DONE ? BOARD_DONE : BOARD_TAKEN;
}

void board_close(struct board *board)
{
    atomic_fetch_and(&board->word, ~(uint64_t)UINT32_MAX);
}
