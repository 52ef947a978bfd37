/* SPDX-License-Identifier: MIT */
/* The orientation in EXIF, in both byte orders and in hostile blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/codec/exif.h"

/* A directory of two entries, the second of which is the orientation 6. */
static const uint8_t little[38] =
    "II*\0\x08\0\0\0\2\0\x0f\1\2\0\1\0\0\0x\0\0\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0";
static const uint8_t big[38] = "MM\0*\0\0\0\x08\0\2\1\x0f\0\2\0\0\0\1x\0\0\0\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0";
static const uint8_t *const blocks[] = {little, big};

static void the_orientation_is_read_and_set(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(exif_orientation(blocks[i], sizeof little), 6);
        for (uint8_t value = 1; value <= 8; value++) {
            uint8_t copy[sizeof little];
            memcpy(copy, blocks[i], sizeof copy);
            exif_orient(copy, sizeof copy, value);
            assert_int_equal(exif_orientation(copy, sizeof copy), value);
            unsigned changed = 0;
            for (size_t k = 0; k < sizeof copy; k++)
                changed += copy[k] != blocks[i][k];
            assert_int_equal(changed, value != 6);
        }
    }
}

static void what_has_none_says_0_and_stays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t copy[sizeof little];
        memcpy(copy, blocks[i], sizeof copy);
        copy[i ? 23 : 22] = 0x13; /* another tag */
        assert_int_equal(exif_orientation(copy, sizeof copy), 0);
        uint8_t before[sizeof copy];
        memcpy(before, copy, sizeof copy);
        exif_orient(copy, sizeof copy, 3);
        assert_memory_equal(copy, before, sizeof copy);
        memcpy(copy, blocks[i], sizeof copy);
        copy[i ? 31 : 30] = 9; /* no such orientation */
        assert_int_equal(exif_orientation(copy, sizeof copy), 0);
    }
    assert_int_equal(exif_orientation((const uint8_t *)"", 0), 0);
}

/* Every length, with the directory said to be anywhere: nothing beyond the block is read, which a sanitizer
 * or valgrind would see. */
static void no_byte_beyond_the_block_is_touched(void **state)
{
    (void)state;
    for (size_t length = 0; length <= sizeof little; length++) {
        for (unsigned at = 0; at < 256; at++) {
            for (unsigned i = 0; i < 2; i++) {
                uint8_t *block = malloc(length + !length);
                memcpy(block, blocks[i], length);
                if (length >= 8)
                    block[i ? 7 : 4] = (uint8_t)at;
                if (length >= 8 && at > 200)
                    memset(block + 4, 0xff, 4);
                const uint8_t value = exif_orientation(block, length);
                assert_true(value <= 8);
                exif_orient(block, length, 1);
                free(block);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_orientation_is_read_and_set),
        cmocka_unit_test(what_has_none_says_0_and_stays),
        cmocka_unit_test(no_byte_beyond_the_block_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
