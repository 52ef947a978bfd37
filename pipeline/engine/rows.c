/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/rows.h"

#include <sched.h>
#include <time.h>

#include "pipeline/shared/clock.h"
#include "pipeline/shared/stall.h"

/* Fewer rows than this are not worth handing out, nor are images of fewer bytes: waking a worker costs as
 * much as a stage on a small image. */
#define LEAST_ROWS  16u
#define LEAST_BYTES ((size_t)1 << 20)

static bool idle_worker(const struct rows *rows)
{
    for (uint32_t i = rows->pool_first; i < rows->pool_last; i++) {
        if (i != rows->place &&
            atomic_load_explicit(&rows->machine->workers[i].doing, memory_order_relaxed) == WORKER_IDLE)
            return true;
    }
    return false;
}

static bool wanted(void *context, const struct chain_rows *at)
{
    const struct rows *rows = context;
    return shape_rows(&at->run.out) >= 2 * LEAST_ROWS && shape_bytes(&at->run.in) >= LEAST_BYTES &&
           queue_fill(rows->in) == 0 && idle_worker(rows);
}

static int do_range(const struct rows *rows, const struct chain_rows *at, uint32_t rows_each, int range,
                    struct scratch *scratch, struct error *error)
{
    uint32_t first = (uint32_t)range * rows_each, height = shape_rows(&at->run.out);
    uint32_t last = height - first < rows_each ? height : first + rows_each;
    size_t mark = scratch->used_bytes;
    uint64_t before = rows->machine->rings ? clock_ns() : 0;
    int code = at->stage->rows(&at->run, first, last, scratch, error);
    if (rows->machine->rings)
        machine_note(rows->machine, rows->place, TRACE_ROWS, at->slot, at->step, before, clock_ns());
    scratch->used_bytes = mark;
    return code;
}

/* What others took and have not done: done again where the taker is gone. True: nothing is left. */
static bool settle(const struct rows *rows, const struct chain_rows *at, uint64_t offer,
                   struct scratch *scratch, int *code, struct error *error)
{
    struct board *board = &rows->machine->boards[rows->place];
    bool all = true;
    for (int i = 0; i < (int)(uint32_t)offer; i++) {
        uint32_t taker;
        enum board_range state = board_range_state(board, i, &taker);
        if (state == BOARD_DONE)
            continue;
        bool gone = state == BOARD_TAKEN &&
                    (taker >= rows->machine->worker_count ||
                     !board_helped_by(&rows->machine->workers[taker].helping, rows->place, offer));
        if (gone && board_take_over(board, offer, taker, rows->place, i)) {
            *code = do_range(rows, at, board->rows_each, i, scratch, error);
            board_done(board, offer, rows->place, i);
        } else {
            all = false;
        }
        if (*code < 0)
            return true;
    }
    return all;
}

static bool any_helper(const struct machine *machine, uint32_t leader, uint64_t offer)
{
    for (uint32_t i = 0; i < machine->worker_count; i++) {
        if (board_helped_by(&machine->workers[i].helping, leader, offer))
            return true;
    }
    return false;
}

/* Helpers finish a range in well under a millisecond as a rule: give way first, then sleep. */
static void wait_a_little(const struct rows *rows, unsigned *turns)
{
    if ((*turns)++ < 64)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    rows->beat(rows->beat_context);
}

static int lead(void *context, struct chain_rows *at, struct scratch *scratch, struct error *error)
{
    struct rows *rows = context;
    struct board *board = &rows->machine->boards[rows->place];
    uint32_t height = shape_rows(&at->run.out);
    uint32_t rows_each = (height + BOARD_RANGES - 1) / BOARD_RANGES;
    rows_each = rows_each > LEAST_ROWS ? rows_each : LEAST_ROWS;
    if (at->stage->begin)
        TRY(at->stage->begin(&at->run, scratch, error));
    board->slot = at->slot;
    board->step = at->step;
    board->rows_each = rows_each;
    board->source = at->source;
    board->target = at->target;
    uint64_t offer = board_open(board, (height + rows_each - 1) / rows_each);
    queue_wake_all(rows->in);
    int code = 0, range;
    while (code == 0 && (range = board_take(board, offer, rows->place)) >= 0) {
        code = do_range(rows, at, rows_each, range, scratch, error);
        board_done(board, offer, rows->place, range);
    }
    unsigned turns = 0;
    while (code == 0 && !settle(rows, at, offer, scratch, &code, error)) {
        /* A range that a helper gave up is free again. */
        if ((range = board_take(board, offer, rows->place)) >= 0) {
            code = do_range(rows, at, rows_each, range, scratch, error);
            board_done(board, offer, rows->place, range);
        } else {
            wait_a_little(rows, &turns);
        }
    }
    board_close(board);
    while (any_helper(rows->machine, rows->place, offer))
        wait_a_little(rows, &turns);
    return code;
}

struct chain_sharing rows_sharing(struct rows *rows)
{
    return (struct chain_sharing){.context = rows, .apart = true, .wanted = wanted, .work = lead};
}

static void help_with(struct rows *rows, struct board *board, uint64_t offer, struct scratch *scratch)
{
    struct chain_rows at;
    struct error error = {0};
    if (chain_join(rows->machine, board->slot, board->step, board->source, board->target, &at, scratch,
                   &error) < 0)
        return;
    uint32_t rows_each = board->rows_each;
    if (rows_each == 0 || (shape_rows(&at.run.out) + rows_each - 1) / rows_each != (uint32_t)offer)
        return;
    if (at.stage->begin && at.stage->begin(&at.run, scratch, &error) < 0)
        return;
    int range;
    while ((range = board_take(board, offer, rows->place)) >= 0) {
        rows->beat(rows->beat_context);
        if (do_range(rows, &at, rows_each, range, scratch, &error) < 0) {
            /* The leader meets the same error, and knows whom to tell. */
            board_give_up(board, offer, rows->place, range);
            return;
        }
        stall(STALL_RANGE);
        board_done(board, offer, rows->place, range);
    }
}

static unsigned helpers_of(const struct machine *machine, uint32_t leader, uint64_t offer)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < machine->worker_count; i++)
        count += board_helped_by(&machine->workers[i].helping, leader, offer);
    return count;
}

bool rows_help(struct rows *rows, struct scratch *scratch)
{
    const struct machine *machine = rows->machine;
    board_helping *helping = &machine->workers[rows->place].helping;
    for (uint32_t leader = rows->pool_first; leader < rows->pool_last; leader++) {
        if (leader == rows->place)
            continue;
        struct board *board = &machine->boards[leader];
        uint64_t offer = board_join(board, leader, helping);
        if (!offer)
            continue;
        /* Scratch is planned for so many and no more. */
        bool welcome = helpers_of(machine, leader, offer) < ROWS_MOST_MEMBERS;
        if (welcome) {
            atomic_store_explicit(&machine->workers[rows->place].doing, WORKER_HELPING, memory_order_relaxed);
            help_with(rows, board, offer, scratch);
        }
        board_leave(helping);
        if (welcome)
            return true;
    }
    return false;
}

bool rows_bury(const struct machine *machine, uint32_t place)
{
    struct board *board = &machine->boards[place];
    board_leave(&machine->workers[place].helping);
    board_close(board);
    return !any_helper(machine, place, atomic_load(&board->word));
}
