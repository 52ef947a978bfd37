/* SPDX-License-Identifier: MIT */
/* What was committed can be used, stays what it is while more is committed beside it, and reads as zero after
 * it was given back: with huge pages, without, and across the border between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/shared/arena.h"

#define HUGE ARENA_HUGE_BYTES

static struct arena arena;

static int enter(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(arena_open(&arena, 16 * HUGE, 16 * HUGE, &error), 0);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static void commit(size_t offset, size_t length)
{
    struct error error;
    assert_int_equal(arena_commit(&arena, offset, length, &error), 0);
}

static bool holds(size_t offset, size_t length, int byte)
{
    for (size_t i = 0; i < length; i++) {
        if (arena.base[offset + i] != byte)
            return false;
    }
    return true;
}

static void test_begins_with_a_huge_page(void **state)
{
    (void)state;
    assert_int_equal((uintptr_t)arena.base % HUGE, 0);
}

static void test_growth_keeps_what_was_there(void **state)
{
    (void)state;
    const size_t sizes[] = {ARENA_GRAIN_BYTES, HUGE - ARENA_GRAIN_BYTES, HUGE, 3 * HUGE + ARENA_GRAIN_BYTES,
                            5 * HUGE};
    size_t have = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        commit(HUGE + have, sizes[i] - have);
        assert_true(holds(HUGE + have, sizes[i] - have, 0));
        memset(arena.base + HUGE + have, (int)i + 1, sizes[i] - have);
        for (size_t j = 0, from = 0; j <= i; from = sizes[j++])
            assert_true(holds(HUGE + from, sizes[j] - from, (int)j + 1));
        have = sizes[i];
    }
}

static void test_what_was_given_back_is_zero_again(void **state)
{
    (void)state;
    const size_t length = 2 * HUGE + ARENA_GRAIN_BYTES;
    commit(0, length);
    memset(arena.base, 7, length);
    arena_release(&arena, 0, length);
    commit(0, length);
    assert_true(holds(0, length, 0));
}

static void test_a_kernel_without_huge_pages(void **state)
{
    (void)state;
    arena.plain = true;
    commit(0, 2 * HUGE);
    memset(arena.base, 9, 2 * HUGE);
    assert_true(holds(0, 2 * HUGE, 9));
}

static void test_beyond_the_arena(void **state)
{
    (void)state;
    struct error error;
    assert_true(arena_commit(&arena, 15 * HUGE, 2 * HUGE, &error) < 0);
    assert_true(arena_commit(&arena, SIZE_MAX, 2 * HUGE, &error) < 0);
}

static void test_rounding(void **state)
{
    (void)state;
    assert_int_equal(arena_round(1), ARENA_GRAIN_BYTES);
    assert_int_equal(arena_round_huge(HUGE + 1), 2 * HUGE);
    assert_true(arena_round_huge(SIZE_MAX - 1) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_begins_with_a_huge_page, enter, leave),
        cmocka_unit_test_setup_teardown(test_growth_keeps_what_was_there, enter, leave),
        cmocka_unit_test_setup_teardown(test_what_was_given_back_is_zero_again, enter, leave),
        cmocka_unit_test_setup_teardown(test_a_kernel_without_huge_pages, enter, leave),
        cmocka_unit_test_setup_teardown(test_beyond_the_arena, enter, leave),
        cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
