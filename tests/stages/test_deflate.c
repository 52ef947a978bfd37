/* SPDX-License-Identifier: MIT */
/* Streams compressed piece by piece: zlib reads them, however they are cut, and the same one comes out
 * wherever the compressor's memory lies. */
#include <zlib.h>

#include "codec_exact.h"
#include "stages/codec/deflate.h"
#include "tests/quick.h"

#define LENGTH_BYTES ((size_t)4096)
#define ROOM_BYTES   (2 * LENGTH_BYTES + 1024)

static uint32_t numbers;

static uint32_t number_below(uint32_t limit)
{
    numbers = numbers * 1664525 + 1013904223; /* Numerical Recipes, 2nd ed., 7.1 */
    return (uint32_t)(((uint64_t)numbers * limit) >> 32);
}

/* What repeats soon, with a few bytes that do not, so that there are matches with the first bytes. */
static void make(uint8_t *bytes, size_t count)
{
    const size_t period = 1 + number_below(40);
    const uint32_t values = 1 + number_below(64);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(number_below(3) && i >= period ? bytes[i - period] : number_below(values));
}

/* In pieces of so many bytes, with its memory at `place`. Returns the stream's length; 0 where it failed. */
static size_t compress_at(uint8_t *place, size_t place_bytes, int level, const uint8_t *bytes, size_t count,
                          size_t piece_bytes, uint8_t *out)
{
    struct scratch scratch = {.base = place, .size_bytes = place_bytes};
    struct deflater *deflater = deflate_begin(DEFLATE_ISAL, level, out, ROOM_BYTES, &scratch);
    assert_non_null(deflater);
    for (size_t at = 0, piece; at < count; at += piece) {
        piece = count - at < piece_bytes ? count - at : piece_bytes;
        if (!deflate_more(deflater, bytes + at, piece, at + piece == count))
            return 0;
    }
    return deflate_length(deflater);
}

static void zlib_reads_what_was_compressed(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(LENGTH_BYTES), *out = malloc(ROOM_BYTES), *back = malloc(LENGTH_BYTES);
    if (!deflate_has(DEFLATE_ISAL))
        skip();
    for (int level = 0; level <= 2; level++) {
        const size_t place_bytes = deflate_scratch(DEFLATE_ISAL, level);
        uint8_t *place = aligned_alloc(64, (place_bytes + 63) / 64 * 64);
        for (size_t count = 1; count < LENGTH_BYTES; count += count < 40 ? 1 : count / 3) {
            make(bytes, count);
            for (size_t piece = 1; piece <= 2 * count; piece += piece < 20 ? 1 : piece) {
                const size_t length = compress_at(place, place_bytes, level, bytes, count, piece, out);
                uLongf back_bytes = LENGTH_BYTES;
                assert_int_not_equal(length, 0);
                assert_int_equal(uncompress(back, &back_bytes, out, length), Z_OK);
                assert_int_equal(back_bytes, count);
                assert_memory_equal(back, bytes, count);
            }
        }
        free(place);
    }
    free(bytes);
    free(out);
    free(back);
}

/* 64 KiB from place to place: by what is above the lower 16 bits of an address ISA-L's fault, of which
 * deflate_isal.c tells, took another course. */
static void the_place_of_memory_changes_no_byte(void **state)
{
    enum { PLACES = 200, STEP_BYTES = 1 << 16, STREAMS = 20 };
    (void)state;
    if (!deflate_has(DEFLATE_ISAL))
        skip();
    uint8_t *bytes = malloc(LENGTH_BYTES), *out = malloc(ROOM_BYTES), *first = malloc(ROOM_BYTES);
    for (int level = 0; level <= 2; level++) {
        const size_t place_bytes = deflate_scratch(DEFLATE_ISAL, level);
        uint8_t *places = aligned_alloc(64, PLACES * (size_t)STEP_BYTES + (place_bytes + 63) / 64 * 64);
        for (unsigned i = 0; i < STREAMS; i++) {
            const size_t count = 40 + number_below(200);
            size_t first_length = 0;
            make(bytes, count);
            for (unsigned at = 0; at < PLACES; at++) {
                const size_t length = compress_at(places + at * (size_t)STEP_BYTES, place_bytes, level, bytes,
                                                  count, count, out);
                if (at == 0) {
                    first_length = length;
                    memcpy(first, out, length);
                }
                assert_int_equal(length, first_length);
                assert_memory_equal(out, first, length);
            }
        }
        free(places);
    }
    free(bytes);
    free(out);
    free(first);
}

/* Whatever the room, the stream is whole or refused. */
static void without_room_it_is_refused(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_ISAL))
        skip();
    const size_t place_bytes = deflate_scratch(DEFLATE_ISAL, 1), count = 100;
    uint8_t *place = aligned_alloc(64, (place_bytes + 63) / 64 * 64);
    uint8_t bytes[100], whole[1024], *room = NULL;
    make(bytes, count);
    const size_t length = compress_at(place, place_bytes, 1, bytes, count, count, whole);
    unsigned fitted = 0;
    for (size_t room_bytes = 1; room_bytes < length + 64; room_bytes++) {
        struct scratch scratch = {.base = place, .size_bytes = place_bytes};
        room = malloc(room_bytes); /* of its own, so that what writes beyond is seen */
        struct deflater *deflater = deflate_begin(DEFLATE_ISAL, 1, room, room_bytes, &scratch);
        assert_non_null(deflater);
        if (deflate_more(deflater, bytes, count, true)) {
            assert_int_equal(deflate_length(deflater), length);
            assert_memory_equal(room, whole, length);
            fitted++;
        } else {
            assert_true(room_bytes < length + 16);
        }
        free(room);
    }
    assert_true(fitted > 0);
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zlib_reads_what_was_compressed),
        cmocka_unit_test(the_place_of_memory_changes_no_byte),
        cmocka_unit_test(without_room_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
