/* SPDX-License-Identifier: MIT */
/* Streams compressed piece by piece: zlib reads them, however they are cut, and the same one comes out
 * wherever the compressor's memory lies. Streams inflated: none is taken that reaches beyond the window it
 * declares. */
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

/* The same as zlib's, however it is cut in two. */
static void a_checksum_goes_on_from_another(void **state)
{
    (void)state;
    uint8_t bytes[300];
    make(bytes, sizeof bytes);
    const uint32_t whole = (uint32_t)crc32(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++)
        assert_int_equal(deflate_crc32(deflate_crc32(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
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

/* zlib holds a stream to its window exactly where it is asked for one byte at a time. */
static bool zlib_takes(const uint8_t *stream, size_t stream_bytes, size_t count)
{
    z_stream zlib = {.next_in = (Bytef *)(uintptr_t)stream, .avail_in = (uInt)stream_bytes};
    int code = Z_OK;
    assert_int_equal(inflateInit2(&zlib, 0), Z_OK);
    for (size_t i = 0; i <= count && code == Z_OK; i++) {
        uint8_t byte;
        zlib.next_out = &byte;
        zlib.avail_out = 1;
        code = inflate(&zlib, Z_NO_FLUSH);
    }
    inflateEnd(&zlib);
    return code == Z_STREAM_END;
}

struct one_piece {
    const uint8_t *bytes;
    size_t length_bytes;
};

static bool next_piece(void *context, const uint8_t **piece, size_t *piece_bytes)
{
    struct one_piece *left = context;
    *piece = left->bytes;
    *piece_bytes = left->length_bytes;
    left->length_bytes = 0;
    return *piece_bytes > 0;
}

static bool we_take(const uint8_t *stream, size_t stream_bytes, uint8_t *out, size_t count)
{
    const size_t place_bytes = inflate_scratch();
    uint8_t *place = aligned_alloc(64, (place_bytes + 63) / 64 * 64);
    struct scratch scratch = {.base = place, .size_bytes = place_bytes};
    struct one_piece piece = {stream, stream_bytes};
    const struct inflate_source source = {next_piece, &piece};
    memset(place, 0xff, place_bytes);
    struct inflater *inflater = inflate_begin(&source, &scratch);
    assert_non_null(inflater);
    const bool taken =
        inflate_more(inflater, out, count / 2, false) && inflate_more(inflater, out, count - count / 2, true);
    free(place);
    return taken;
}

/* Streams with codes of their own are taken where their matches keep to the window, those with fixed codes
 * only where the window is as large as can be. */
static void matches_keep_to_the_window(void **state)
{
    enum { COUNT = 3000, STREAM_BYTES = 8192 };
    (void)state;
    if (!inflate_has())
        skip();
    uint8_t bytes[COUNT], out[COUNT], stream[STREAM_BYTES];
    unsigned kept = 0, strayed = 0;
    for (unsigned i = 0; i < 400; i++) {
        const bool fixed = i % 4 == 0;
        const unsigned bits = 8 + number_below(8),
                       reach = 1 + number_below(2u << bits < COUNT ? 2u << bits : COUNT);
        for (size_t at = 0; at < COUNT; at++)
            bytes[at] = (uint8_t)(at >= reach && number_below(20) ? bytes[at - reach] : number_below(24));
        z_stream zlib = {.next_in = bytes, .avail_in = COUNT, .next_out = stream, .avail_out = STREAM_BYTES};
        assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, 15, 9, fixed ? Z_FIXED : Z_DEFAULT_STRATEGY),
                         Z_OK);
        assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
        deflateEnd(&zlib);
        assert_int_equal(stream[2] >> 1 & 3, fixed ? 1 : 2);
        stream[0] = (uint8_t)((bits - 8) << 4 | 8);
        stream[1] = (uint8_t)(31 - (stream[0] << 8) % 31);
        const bool sound = zlib_takes(stream, zlib.total_out, COUNT);
        kept += sound;
        strayed += !sound;
        assert_int_equal(we_take(stream, zlib.total_out, out, COUNT), sound && (!fixed || bits == 15));
    }
    assert_true(kept > 50 && strayed > 50);
}

/* Not even as few bytes as the library takes ahead of those it needs. */
static void nothing_follows_a_stream(void **state)
{
    enum { COUNT = 300, AFTER = 20, STREAM_BYTES = 1024 };
    (void)state;
    if (!inflate_has())
        skip();
    for (size_t count = 2; count <= COUNT; count += 1 + count / 8) {
        uint8_t bytes[COUNT], out[COUNT], stream[STREAM_BYTES] = {0};
        uLongf stream_bytes = STREAM_BYTES - AFTER;
        make(bytes, count);
        assert_int_equal(compress2(stream, &stream_bytes, bytes, count, 9), Z_OK);
        for (size_t after = 0; after <= AFTER; after++)
            assert_int_equal(we_take(stream, stream_bytes + after, out, count), after == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zlib_reads_what_was_compressed),
        cmocka_unit_test(a_checksum_goes_on_from_another),
        cmocka_unit_test(the_place_of_memory_changes_no_byte),
        cmocka_unit_test(without_room_it_is_refused),
        cmocka_unit_test(matches_keep_to_the_window),
        cmocka_unit_test(nothing_follows_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
