/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/shared/pieces.h"

static size_t put(uint8_t *block, size_t size, size_t used, uint32_t output, const char *text)
{
    size_t room;
    uint8_t *to = piece_room(block, size, used, &room);
    assert_non_null(to);
    assert_true(room >= strlen(text) && (size_t)(to - block) % 64 == 0);
    memcpy(to, text, strlen(text));
    return piece_put(block, used, &(struct piece){.output = output, .length_bytes = strlen(text)});
}

static void pieces_come_back_in_order(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "one", "", "a text of exactly sixty-four bytes, which is what a line takes....!"};
    size_t need = 0, used = 0, position = 0;
    for (int i = 0; i < 3; i++)
        need += piece_need(strlen(texts[i]));
    uint8_t *block = malloc(need);
    for (int i = 0; i < 3; i++)
        used = put(block, need, used, (uint32_t)i, texts[i]);
    assert_int_equal(used, need);
    size_t room;
    assert_null(piece_room(block, need, used, &room));
    for (uint32_t i = 0; i < 3; i++) {
        struct piece piece;
        const uint8_t *bytes;
        assert_int_equal(piece_next(block, used, &position, &piece, &bytes), 1);
        assert_int_equal(piece.output, i);
        assert_int_equal(piece.length_bytes, strlen(texts[i]));
        assert_memory_equal(bytes, texts[i], piece.length_bytes);
    }
    struct piece piece;
    const uint8_t *bytes;
    assert_int_equal(piece_next(block, used, &position, &piece, &bytes), 0);
    free(block);
}

static void what_is_no_list_is_found_out(void **state)
{
    (void)state;
    uint8_t block[512] = {0};
    size_t used = put(block, sizeof block, 0, 0, "abc"), position = 0;
    struct piece piece;
    const uint8_t *bytes;
    assert_int_equal(piece_next(block, used - 1, &position, &piece, &bytes), -1);
    assert_int_equal(piece_next(block, 20, &position, &piece, &bytes), -1);
    position = used + 1;
    assert_int_equal(piece_next(block, used, &position, &piece, &bytes), -1);
    for (unsigned bit = 0; bit < 64; bit++) {
        piece = (struct piece){.length_bytes = (uint64_t)1 << bit};
        memcpy(block, &piece, sizeof piece);
        position = 0;
        int got = piece_next(block, used, &position, &piece, &bytes);
        assert_int_equal(got, bit <= 6 ? 1 : -1);
        assert_true(position <= used);
    }
    assert_true(piece_need(SIZE_MAX) == SIZE_MAX && piece_need(SIZE_MAX - 64) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_come_back_in_order),
        cmocka_unit_test(what_is_no_list_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
