/* SPDX-License-Identifier: MIT */
/* What is written decodes to the same pixels, with libpng and with the codec, inside the planned memory. */
#include <stdio.h>

#include "codec_exact.h"
#include "png_reference.h"
#include "tests/quick.h"

extern const struct codec png_codec;

enum content { FLAT, SMOOTH, NOISE, CONTENTS };

static uint8_t *make_pixels(const struct shape *shape, enum content content)
{
    size_t bytes = shape_bytes(shape), row = shape_row_bytes(shape);
    uint8_t *pixels = malloc(bytes);
    uint32_t seed = 1;
    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned value = content == FLAT     ? 40u
                         : content == SMOOTH ? (unsigned)(i % row / 3 + i / row)
                                             : seed >> 24;
        if (shape->bits < 8) /* on the grid of its few values */
            value = (value & ((1u << shape->bits) - 1)) * (255u / ((1u << shape->bits) - 1));
        pixels[i] = (uint8_t)value;
    }
    return pixels;
}

static size_t round_trip(const struct shape *shape, const uint8_t *pixels, const struct codec_save *save)
{
    struct exact_file file;
    struct exact exact;
    struct reference_image image;
    if (exact_encode(&png_codec, save, shape, pixels, NULL, &file) < 0)
        fail_msg("%s", file.error.reason);
    assert_int_equal(file.warnings, 0);
    assert_int_equal(reference_decode(file.bytes, file.length_bytes, UINT64_MAX, &image), 0);
    assert_int_equal(image.channels, shape->channels);
    assert_int_equal(image.depth, shape_sample_bits(shape->sample));
    assert_memory_equal(image.pixels, pixels, shape_bytes(shape));
    reference_free(&image);
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
    assert_memory_equal(&exact.shape, shape, sizeof *shape);
    assert_memory_equal(exact.pixels, pixels, shape_bytes(shape));
    assert_int_equal(file.bytes[24], shape->bits); /* depth in IHDR */
    assert_int_equal(file.bytes[28], save->interlace);
    exact_free(&exact);
    free(file.bytes);
    return file.length_bytes;
}

static const struct {
    uint8_t channels, sample, bits;
} kinds[] = {
    {1, SAMPLE_U8, 1},   {1, SAMPLE_U8, 2},   {1, SAMPLE_U8, 4},   {1, SAMPLE_U8, 8},
    {2, SAMPLE_U8, 8},   {3, SAMPLE_U8, 8},   {4, SAMPLE_U8, 8},   {1, SAMPLE_U16, 16},
    {2, SAMPLE_U16, 16}, {3, SAMPLE_U16, 16}, {4, SAMPLE_U16, 16},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void every_shape_content_and_setting(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {7, 5}, {64, 3}, {131, 70}};
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct shape shape = {.width = sizes[s][0],
                                  .height = sizes[s][1],
                                  .channels = kinds[k].channels,
                                  .sample = kinds[k].sample,
                                  .bits = kinds[k].bits};
            for (enum content content = FLAT; content < CONTENTS; content++) {
                if (quick_skip(23))
                    continue;
                uint8_t *pixels = make_pixels(&shape, content);
                struct codec_save save = {.level = -1};
                for (save.compression = COMPRESSION_FASTEST; save.compression <= COMPRESSION_SMALLEST;
                     save.compression++) {
                    save.interlace = false;
                    round_trip(&shape, pixels, &save);
                    save.interlace = true;
                    round_trip(&shape, pixels, &save);
                }
                save = (struct codec_save){.compression = COMPRESSION_FAST};
                for (save.level = 0; save.level <= 9; save.level += 3)
                    round_trip(&shape, pixels, &save);
                free(pixels);
            }
        }
    }
}

/* Noise does not compress: the bound must hold when zlib stores, for wide and for high images. */
static void incompressible_pixels_stay_in_the_plan(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1500, 1000}, {100000, 3}, {1, 100000}};
    for (size_t s = 0; s < 3; s++) {
        struct shape shape = {
            .width = sizes[s][0], .height = sizes[s][1], .channels = 4, .sample = SAMPLE_U16, .bits = 16};
        uint8_t *pixels = make_pixels(&shape, NOISE);
        struct codec_save save = {.compression = COMPRESSION_FAST};
        for (save.level = -1; save.level <= 6; save.level += 1 + 5 * (save.level > 0)) {
            if (!quick_skip(5))
                round_trip(&shape, pixels, &save);
        }
        free(pixels);
    }
}

/* Sizes go the way that the words say. */
static void smaller_words_make_smaller_files(void **state)
{
    (void)state;
    if (quick())
        skip(); /* sizes, of what other tests here encode */
    struct shape shape = {.width = 300, .height = 200, .channels = 3, .sample = SAMPLE_U8, .bits = 8};
    uint8_t *pixels = make_pixels(&shape, SMOOTH);
    for (size_t i = 0; i < shape_bytes(&shape); i += 7) /* detail that repeats at a distance */
        pixels[i] ^= (uint8_t)(i % 1911 / 91);
    struct codec_save save = {.compression = COMPRESSION_FASTEST, .level = -1};
    size_t fastest = round_trip(&shape, pixels, &save);
    save.compression = COMPRESSION_BALANCED;
    size_t balanced = round_trip(&shape, pixels, &save);
    save.compression = COMPRESSION_SMALLEST;
    size_t smallest = round_trip(&shape, pixels, &save);
    assert_true(smallest <= balanced && balanced < fastest);
    save.level = 0;
    assert_true(round_trip(&shape, pixels, &save) > shape_bytes(&shape));
    free(pixels);
}

static void floats_are_refused_in_the_plan(void **state)
{
    (void)state;
    struct shape shape = {.width = 4, .height = 4, .channels = 3, .sample = SAMPLE_F32, .bits = 32};
    struct codec_save save = {.level = -1};
    struct codec_plan plan;
    struct error error = {0};
    assert_int_equal(png_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "png holds 8 or 16 bits a sample; put cast:type=u16 last");
}

/* A buffer or scratch smaller than planned is an error, never an overrun. */
static void too_little_room_is_an_error(void **state)
{
    (void)state;
    struct shape shape = {.width = 40, .height = 30, .channels = 3, .sample = SAMPLE_U8, .bits = 8};
    struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1};
    uint8_t *pixels = make_pixels(&shape, NOISE);
    struct codec_plan plan;
    struct error error;
    assert_int_equal(png_codec.plan(&save, &shape, 0, &plan, NULL), 0);
    assert_true(plan.out_bytes > 3000);
    for (size_t size = 0; size < 3000; size += 97) {
        struct scratch scratch = {.base = exact_take(plan.scratch_bytes, 0),
                                  .size_bytes = plan.scratch_bytes};
        struct codec_encode job = {.save = &save,
                                   .shape = shape,
                                   .pixels = pixels,
                                   .bytes = exact_take(size, 0),
                                   .bytes_size = size,
                                   .scratch = &scratch};
        /* Without a library that can tell, libpng runs out of what was planned. */
        assert_int_equal(png_codec.encode(&job, &error), plan.tells_room ? ERROR_ROOM : ERROR_INTERNAL);
        exact_fence(job.bytes, size);
        free(job.bytes);
        job.bytes = exact_take(plan.out_bytes, 0);
        job.bytes_size = plan.out_bytes;
        scratch.used_bytes = 0;
        scratch.size_bytes = size * 64;
        assert_int_equal(png_codec.encode(&job, &error), ERROR_MEMORY);
        exact_fence(job.bytes, plan.out_bytes);
        free(job.bytes);
        free(scratch.base);
    }
    free(pixels);
}

static void metadata_that_is_no_list_is_an_error(void **state)
{
    (void)state;
    struct shape shape = {.width = 2, .height = 2, .channels = 1, .sample = SAMPLE_U8, .bits = 8};
    struct codec_save save = {.level = -1};
    uint8_t pixels[4] = {0}, block[64];
    memset(block, 0xff, sizeof block);
    struct meta meta = {.block = block, .size_bytes = sizeof block, .used_bytes = sizeof block};
    struct exact_file file;
    assert_int_equal(exact_encode(&png_codec, &save, &shape, pixels, &meta, &file), ERROR_INTERNAL);
}

/* Tags of other formats are not chunks of a PNG. */
static void unknown_tags_are_not_written(void **state)
{
    (void)state;
    struct shape shape = {.width = 2, .height = 2, .channels = 1, .sample = SAMPLE_U8, .bits = 8};
    struct codec_save save = {.level = -1};
    uint8_t pixels[4] = {0}, block[256];
    struct meta meta = {.block = block, .size_bytes = sizeof block};
    struct exact_file file;
    assert_int_equal(meta_put(&meta, "PLTE", 0, (const uint8_t *)"abc", 3), 0);
    assert_int_equal(meta_put(&meta, "tEXt", 0, (const uint8_t *)"a\0b", 3), 0);
    assert_int_equal(exact_encode(&png_codec, &save, &shape, pixels, &meta, &file), 0);
    assert_null(memmem(file.bytes, file.length_bytes, "PLTE", 4));
    assert_non_null(memmem(file.bytes, file.length_bytes, "tEXta\0b", 7));
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_content_and_setting),
        cmocka_unit_test(incompressible_pixels_stay_in_the_plan),
        cmocka_unit_test(smaller_words_make_smaller_files),
        cmocka_unit_test(floats_are_refused_in_the_plan),
        cmocka_unit_test(too_little_room_is_an_error),
        cmocka_unit_test(metadata_that_is_no_list_is_an_error),
        cmocka_unit_test(unknown_tags_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
