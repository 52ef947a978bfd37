/* SPDX-License-Identifier: MIT */
/* The board alone: what each word says after each step, and threads that take every range exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "pipeline/shared/board.h"

static void ranges_are_taken_once_and_done(void **state)
{
    (void)state;
    static struct board board; /* a sanitizer's stack does not keep its alignment */
    board = (struct board){0};
    uint32_t taker;
    uint64_t offer = board_open(&board, 3);
    assert_true(board_is_open(&board, offer));
    for (int i = 0; i < 3; i++)
        assert_int_equal(board_take(&board, offer, 7), i);
    assert_int_equal(board_take(&board, offer, 7), -1);
    assert_false(board_has_free(&board, offer));
    board_done(&board, offer, 7, 1);
    assert_int_equal(board_range_state(&board, 1, &taker), BOARD_DONE);
    assert_int_equal(board_range_state(&board, 2, &taker), BOARD_TAKEN);
    assert_int_equal(taker, 7);
    board_give_up(&board, offer, 7, 2);
    assert_int_equal(board_range_state(&board, 2, &taker), BOARD_FREE);
    assert_int_equal(board_take(&board, offer, 8), 2);
}

static void a_late_hand_changes_nothing(void **state)
{
    (void)state;
    static struct board board;
    board = (struct board){0};
    uint32_t taker;
    uint64_t first = board_open(&board, 2);
    assert_int_equal(board_take(&board, first, 1), 0);
    board_close(&board);
    assert_int_equal(board_take(&board, first, 1), -1);
    uint64_t second = board_open(&board, 2);
    assert_true(first != second);
    assert_int_equal(board_take(&board, second, 1), 0);
    board_done(&board, first, 1, 0); /* of the offer before */
    assert_int_equal(board_range_state(&board, 0, &taker), BOARD_TAKEN);
    assert_false(board_take_over(&board, first, 1, 2, 0));
    assert_true(board_take_over(&board, second, 1, 2, 0));
    board_done(&board, second, 1, 0); /* it was taken over */
    assert_int_equal(board_range_state(&board, 0, &taker), BOARD_TAKEN);
    assert_int_equal(taker, 2);
}

static void helpers_are_seen_while_they_help(void **state)
{
    (void)state;
    static struct board board;
    board = (struct board){0};
    board_helping cell = 0;
    assert_int_equal(board_join(&board, 4, &cell), 0);
    uint64_t offer = board_open(&board, 1);
    assert_true(board_join(&board, 4, &cell) == offer);
    assert_true(board_helped_by(&cell, 4, offer));
    assert_false(board_helped_by(&cell, 5, offer));
    board_close(&board);
    assert_false(board_is_open(&board, offer));
    assert_true(board_helped_by(&cell, 4, offer));
    board_leave(&cell);
    assert_false(board_helped_by(&cell, 4, offer));
    assert_int_equal(board_join(&board, 4, &cell), 0);
    assert_int_equal(cell, 0);
}

/* A leader opens and closes offers over one plain buffer while helpers come and go: nobody may touch the
 * buffer when the leader has it to itself. */
#define OFFERS  2000
#define HELPERS 3u

struct play {
    struct board board;
    board_helping cells[HELPERS + 1];
    uint32_t work[BOARD_RANGES]; /* plain: the board's words must order it */
    _Atomic int over;
};

struct player {
    struct play *play;
    uint32_t number;
};

static void take_all(struct play *play, uint64_t offer, uint32_t taker)
{
    int range;
    while ((range = board_take(&play->board, offer, taker)) >= 0) {
        play->work[range]++;
        board_done(&play->board, offer, taker, range);
    }
}

static void *help(void *context)
{
    struct player *player = context;
    struct play *play = player->play;
    while (!atomic_load(&play->over)) {
        uint64_t offer = board_join(&play->board, 0, &play->cells[player->number]);
        if (!offer)
            continue;
        take_all(play, offer, player->number);
        board_leave(&play->cells[player->number]);
    }
    return NULL;
}

static bool any_helper(const struct play *play, uint64_t offer)
{
    for (uint32_t i = 1; i <= HELPERS; i++) {
        if (board_helped_by(&play->cells[i], 0, offer))
            return true;
    }
    return false;
}

static void the_leader_has_the_buffer_to_itself_after_closing(void **state)
{
    (void)state;
    static struct play play;
    play = (struct play){0};
    struct player players[HELPERS];
    pthread_t threads[HELPERS];
    for (uint32_t i = 0; i < HELPERS; i++) {
        players[i] = (struct player){&play, i + 1};
        pthread_create(&threads[i], NULL, help, &players[i]);
    }
    for (int i = 0; i < OFFERS; i++) {
        memset(play.work, 0, sizeof play.work);
        uint64_t offer = board_open(&play.board, BOARD_RANGES);
        take_all(&play, offer, 0);
        for (int range = 0; range < (int)BOARD_RANGES; range++) {
            uint32_t taker;
            while (board_range_state(&play.board, range, &taker) != BOARD_DONE)
                ;
        }
        board_close(&play.board);
        while (any_helper(&play, offer))
            ;
        for (unsigned range = 0; range < BOARD_RANGES; range++)
            assert_int_equal(play.work[range], 1);
    }
    atomic_store(&play.over, 1);
    for (uint32_t i = 0; i < HELPERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_taken_once_and_done),
        cmocka_unit_test(a_late_hand_changes_nothing),
        cmocka_unit_test(helpers_are_seen_while_they_help),
        cmocka_unit_test(the_leader_has_the_buffer_to_itself_after_closing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
