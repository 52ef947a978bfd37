/* SPDX-License-Identifier: MIT */
/* ctest labels: native */
/* PNG written a few rows at a time is the file that is written as a whole, byte for byte, however rows come,
 * in the planned memory; and what has too little room says so. Content changes down the image, so that
 * sections choose differently. */
#include <stdio.h>

#include "codec_rows.h"
#include "stages/codec/deflate.h"

extern const struct codec png_codec;

static uint32_t seed = 1;

static unsigned dice(unsigned sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % sides;
}

#define IMAGE(columns, rows, samples, type, depth)                                                           \
    {                                                                                                        \
        .width = columns, .height = rows, .channels = samples, .sample = type, .bits = depth                 \
    }
static const struct shape shapes[] = {
    IMAGE(1, 1, 3, SAMPLE_U8, 8),        IMAGE(37, 29, 1, SAMPLE_U8, 1),    IMAGE(901, 300, 1, SAMPLE_U8, 4),
    IMAGE(3000, 700, 1, SAMPLE_U8, 2),   IMAGE(5000, 129, 3, SAMPLE_U8, 8), IMAGE(2800, 385, 3, SAMPLE_U8, 8),
    IMAGE(2, 9000, 4, SAMPLE_U8, 8),     IMAGE(1500, 400, 4, SAMPLE_U8, 8), IMAGE(900, 900, 2, SAMPLE_U8, 8),
    IMAGE(700, 500, 3, SAMPLE_U16, 16),  IMAGE(60000, 5, 4, SAMPLE_U8, 8),  IMAGE(4200, 260, 1, SAMPLE_U8, 8),
    IMAGE(1300, 300, 1, SAMPLE_U16, 16),
};
#define SHAPES (sizeof shapes / sizeof *shapes)

enum kind { SMOOTH, NOISE, RUNS, DRAWING, KINDS, CHANGING = KINDS };

/* Smooth with a little noise, noise alone, runs of three pixels, rectangles, or each of them in turn. */
static uint8_t *make_pixels(const struct shape *shape, enum kind kind)
{
    const size_t bytes = shape_bytes(shape), row_bytes = shape_row_bytes(shape);
    uint8_t *pixels = malloc(bytes);
    assert_non_null(pixels);
    for (size_t i = 0; i < bytes; i++) {
        const unsigned x = (unsigned)(i % row_bytes), y = (unsigned)(i / row_bytes), random = dice(65536);
        const enum kind now = kind == CHANGING ? (enum kind)(y / 100 % KINDS) : kind;
        unsigned value = x / 5 + y * 2 + random % 4;
        if (now == NOISE)
            value = random;
        else if (now == RUNS)
            value = x / (3 * (unsigned)shape_pixel_bytes(shape)) * 37 % 11 * (y % 7) * 5;
        else if (now == DRAWING)
            value = (x / 240 * 7 + y / 9 * 5) % 11 * 23;
        if (shape->bits < 8)
            value = (value & ((1u << shape->bits) - 1)) * (255u / ((1u << shape->bits) - 1));
        pixels[i] = (uint8_t)value;
    }
    return pixels;
}

static const struct codec_save fastest = {.compression = COMPRESSION_FASTEST, .level = -1};

static void the_same_file_as_a_whole(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_ISAL))
        skip();
    for (size_t i = 0; i < SHAPES; i++) {
        for (enum kind kind = 0; kind <= CHANGING; kind++) {
            if (quick_skip(9))
                continue;
            uint8_t *pixels = make_pixels(&shapes[i], kind);
            rows_put_check(&png_codec, &fastest, &shapes[i], pixels, NULL);
            free(pixels);
        }
    }
}

/* None of it is known when the pixels come; or all is. */
static void metadata_goes_before(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_ISAL))
        skip();
    static const struct codec_save bare = {.compression = COMPRESSION_FASTEST, .level = -1, .strip = true};
    uint8_t *block = exact_take(100000, 0), *text = exact_take(30000, 'x');
    struct meta meta = {.block = block, .size_bytes = 100000};
    uint8_t *pixels = make_pixels(&shapes[5], CHANGING);
    memcpy(text, "Comment\0", 8);
    rows_put_check(&png_codec, &fastest, &shapes[5], pixels, &meta);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(meta_put(&meta, "tEXt", 0, text, 10 + i * 10000), 0);
        rows_put_check(&png_codec, &fastest, &shapes[5], pixels, &meta);
    }
    rows_put_check(&png_codec, &bare, &shapes[5], pixels, &meta);
    free(pixels);
    free(text);
    free(block);
}

/* From nothing to one byte less than the file takes; with what trying takes beside it, it fits. */
static void too_little_room_is_said(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_ISAL))
        skip();
    struct rows_putting putting = {.codec = &png_codec, .save = &fastest, .shape = &shapes[5]};
    for (enum kind kind = 0; kind <= CHANGING; kind++) {
        uint8_t *pixels = make_pixels(&shapes[5], kind);
        putting.pixels = pixels;
        assert_int_equal(rows_put(&putting, SIZE_MAX, 0), 0);
        free(putting.block);
        const size_t length_bytes = putting.length_bytes;
        const size_t rooms[] = {0, 1, 32, 33, 56, 57, 58, 70, length_bytes / 2, length_bytes - 1};
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
            assert_int_equal(rows_put(&putting, rooms[i], 0), ERROR_ROOM);
            assert_int_equal(putting.error.code, ERROR_ROOM);
            assert_int_equal(putting.length_bytes, 0);
            free(putting.block);
        }
        assert_int_equal(rows_put(&putting, length_bytes + length_bytes / 2 + 65536, 0), 0);
        assert_int_equal(putting.length_bytes, length_bytes);
        free(putting.block);
        free(pixels);
    }
}

/* What has to be seen as a whole, or goes to a library that wants it so. */
static void others_are_not_written_by_rows(void **state)
{
    (void)state;
    static const struct codec_save saves[] = {
        {.compression = COMPRESSION_FAST, .level = -1},
        {.compression = COMPRESSION_SMALLEST, .level = -1},
        {.compression = COMPRESSION_FASTEST, .level = 3},
        {.compression = COMPRESSION_FASTEST, .level = -1, .reduce = true},
        {.compression = COMPRESSION_FASTEST, .level = -1, .interlace = true},
    };
    for (size_t i = 0; i < sizeof saves / sizeof *saves; i++) {
        struct codec_plan plan = {0};
        assert_int_equal(png_codec.plan(&saves[i], &shapes[5], 0, &plan, NULL), 0);
        assert_int_equal(plan.rows_scratch_bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_file_as_a_whole),
        cmocka_unit_test(metadata_goes_before),
        cmocka_unit_test(too_little_room_is_said),
        cmocka_unit_test(others_are_not_written_by_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
