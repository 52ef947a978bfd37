/* SPDX-License-Identifier: MIT */
/* ctest labels: native long */
/* The fast path of encoding: it applies where it should, in the planned memory; its rows are filtered as
 * section 12.7 of the PNG specification says; and what it writes does not depend on what memory held before.
 */
#include <limits.h>
#include <stdio.h>
#include <zlib.h>

#include "codec_exact.h"
#include "png_reference.h"
#include "stages/codec/deflate.h"
#include "stages/codec/png_private.h"
#include "stages/codec/png_rows.h"
#include "tests/quick.h"

extern const struct codec png_codec;

#define IMAGE(columns, rows, samples, type, depth)                                                           \
    {                                                                                                        \
        .width = columns, .height = rows, .channels = samples, .sample = type, .bits = depth                 \
    }
static const struct shape shapes[] = {
    IMAGE(37, 29, 1, SAMPLE_U8, 1),   IMAGE(37, 29, 1, SAMPLE_U8, 2),   IMAGE(37, 29, 1, SAMPLE_U8, 4),
    IMAGE(37, 29, 1, SAMPLE_U8, 8),   IMAGE(300, 90, 2, SAMPLE_U8, 8),  IMAGE(3, 700, 3, SAMPLE_U8, 8),
    IMAGE(700, 300, 3, SAMPLE_U8, 8), IMAGE(1, 1, 4, SAMPLE_U8, 8),     IMAGE(50000, 3, 4, SAMPLE_U8, 8),
    IMAGE(61, 40, 1, SAMPLE_U16, 16), IMAGE(61, 40, 2, SAMPLE_U16, 16), IMAGE(300, 200, 3, SAMPLE_U16, 16),
    IMAGE(61, 40, 4, SAMPLE_U16, 16),
};
#define SHAPES (sizeof shapes / sizeof *shapes)

enum kind { SMOOTH, NOISE, RUNS, DRAWING, KINDS };

/* Smooth with a little noise, noise alone, runs of three pixels, or rectangles. */
static uint8_t *make_pixels(const struct shape *shape, enum kind kind)
{
    size_t bytes = shape_bytes(shape), row_bytes = shape_row_bytes(shape);
    uint8_t *pixels = malloc(bytes);
    uint32_t seed = 5;
    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned x = (unsigned)(i % row_bytes), y = (unsigned)(i / row_bytes);
        unsigned value = x / 5 + y * 2 + (seed >> 30);
        if (kind == NOISE)
            value = seed >> 24;
        else if (kind == RUNS)
            value = x / (3 * (unsigned)shape_pixel_bytes(shape)) * 37 % 11 * (y % 7) * 5;
        else if (kind == DRAWING)
            value = (x / 240 * 7 + y / 9 * 5) % 11 * 23;
        if (shape->bits < 8)
            value = (value & ((1u << shape->bits) - 1)) * (255u / ((1u << shape->bits) - 1));
        pixels[i] = (uint8_t)value;
    }
    return pixels;
}

/* A save for each word, and then for each level. */
#define SAVES 15u
static struct codec_save save_number(unsigned number)
{
    return (struct codec_save){.compression = number < 5 ? (int)number : COMPRESSION_FAST,
                               .level = number < 5 ? -1 : (int)number - 5};
}

static bool applies(const struct codec_save *save)
{
    if (save->level < 0 && save->compression == COMPRESSION_FASTEST && deflate_has(DEFLATE_ISAL))
        return true;
    return deflate_has(DEFLATE_LIBDEFLATE);
}

static void write_file(const struct codec_save *save, const struct shape *shape, const uint8_t *pixels,
                       uint8_t filling, struct exact_file *file)
{
    struct codec_plan plan;
    assert_int_equal(png_plan(save, shape, 0, &plan, &file->error), 0);
    struct scratch scratch = {.base = exact_take(plan.scratch_bytes, filling),
                              .size_bytes = plan.scratch_bytes};
    file->bytes = exact_take(plan.out_bytes, filling);
    struct codec_encode job = {.save = save,
                               .shape = *shape,
                               .pixels = pixels,
                               .bytes = file->bytes,
                               .bytes_size = plan.out_bytes,
                               .scratch = &scratch};
    int code = png_encode_fast(&job, &file->error);
    exact_fence(scratch.base, plan.scratch_bytes);
    exact_fence(file->bytes, plan.out_bytes);
    free(scratch.base);
    file->length_bytes = code == 0 ? job.length_bytes : 0;
}

static void check_file(const struct codec_save *save, const struct shape *shape, const uint8_t *pixels)
{
    struct exact_file file, again, whole;
    struct reference_image image;
    write_file(save, shape, pixels, 0xa5, &file);
    write_file(save, shape, pixels, 0x5a, &again);
    assert_int_equal(file.length_bytes > 0, applies(save));
    assert_int_equal(file.length_bytes, again.length_bytes);
    assert_memory_equal(file.bytes, again.bytes, file.length_bytes);
    assert_int_equal(exact_encode(&png_codec, save, shape, pixels, NULL, &whole), 0);
    if (applies(save)) {
        assert_int_equal(file.length_bytes, whole.length_bytes);
        assert_memory_equal(file.bytes, whole.bytes, file.length_bytes);
    }
    assert_int_equal(reference_decode(whole.bytes, whole.length_bytes, UINT64_MAX, &image), 0);
    assert_memory_equal(image.pixels, pixels, shape_bytes(shape));
    reference_free(&image);
    free(file.bytes);
    free(again.bytes);
    free(whole.bytes);
}

static void every_kind_and_save(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        for (enum kind kind = 0; kind < KINDS; kind++) {
            uint8_t *pixels = make_pixels(&shapes[i], kind);
            for (unsigned number = 0; number < SAVES; number++) {
                if (quick_skip(7))
                    continue;
                struct codec_save save = save_number(number);
                check_file(&save, &shapes[i], pixels);
            }
            free(pixels);
        }
    }
}

/* Tiles of 16 x 16 out of twelve, each of few colours in runs of three pixels: what repeats is found without
 * filters only. */
static uint8_t *lay_tiles(const struct shape *shape)
{
    uint8_t *pixels = malloc(shape_bytes(shape)), *to = pixels;
    for (unsigned y = 0; y < shape->height; y++) {
        for (unsigned x = 0; x < shape->width; x++, to += 4) {
            unsigned tile = (x / 16 * 31 + y / 16 * 17) * 2654435761u >> 28;
            unsigned colour = ((tile % 12 * 16 + y % 16) * 16 + x % 16 / 3) * 2246822519u >> 29;
            for (unsigned i = 0; i < 3; i++)
                to[i] = (uint8_t)(colour * (53 + 40 * i));
            to[3] = 255;
        }
    }
    return pixels;
}

static size_t length_at(const struct codec_save *save, const struct shape *shape, const uint8_t *pixels)
{
    struct exact_file file;
    write_file(save, shape, pixels, 0, &file);
    free(file.bytes);
    return file.length_bytes;
}

/* save.level 1 filters always, which makes such images a fourth larger and more. */
static void large_images_go_without_filters_where_that_is_better(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_LIBDEFLATE))
        skip();
    const struct shape shape = IMAGE(600, 400, 4, SAMPLE_U8, 8);
    uint8_t *pixels = lay_tiles(&shape);
    struct codec_save fast = {.compression = COMPRESSION_FAST, .level = -1}, filtered = {.level = 1};
    assert_in_range(length_at(&fast, &shape, pixels), 1, length_at(&filtered, &shape, pixels) * 4 / 5);
    free(pixels);
}

enum drawing { DISCS, LINES, SPECKS };

/* In grey on nothing: discs with a rim, slanting lines, or three pixels in 24 of noise. */
static uint8_t *draw(const struct shape *shape, enum drawing drawing)
{
    uint8_t *pixels = malloc(shape_bytes(shape)), *to = pixels;
    uint32_t seed = 7;
    for (int y = 0; y < (int)shape->height; y++) {
        for (int x = 0; x < (int)shape->width; x++, to += 4) {
            const int across = x % 200 - 100, down = y % 200 - 100, square = across * across + down * down;
            seed = seed * 1664525u + 1013904223u;
            const int disc = square < 2500   ? 40
                             : square < 2600 ? 150
                                             : 0,
                      line = (x + y) % 200 < 8 ? 30 : 0, specks = x % 24 < 3 ? (int)(seed >> 24) : 0;
            memset(to, drawing == DISCS ? disc : drawing == LINES ? line : specks, 3);
            to[3] = to[0] ? 255 : 0;
        }
    }
    return pixels;
}

/* The stream of the rows as they are. The caller frees it. */
static uint8_t *unfiltered_stream(enum deflate_library library, int level, const struct shape *shape,
                                  const uint8_t *pixels, size_t *length_bytes)
{
    const size_t row_bytes = shape_row_bytes(shape), raw_bytes = (row_bytes + 1) * shape->height;
    uint8_t *raw = calloc(1, raw_bytes), *stream = malloc(raw_bytes);
    struct scratch scratch = exact_scratch(deflate_scratch(library, level), 0);
    for (size_t y = 0; y < shape->height; y++)
        memcpy(raw + y * (row_bytes + 1) + 1, pixels + y * row_bytes, row_bytes);
    struct deflater *deflater = deflate_begin(library, level, stream, raw_bytes, &scratch);
    assert_non_null(deflater);
    assert_true(deflate_more(deflater, raw, raw_bytes, true));
    *length_bytes = deflate_length(deflater);
    free(scratch.base);
    free(raw);
    return stream;
}

/* Whose stream is it that IDAT holds? `fits`: ISA-L's is up to a third longer than libdeflate's. */
static void check_library(const struct shape *shape, uint8_t *pixels, bool fits,
                          enum deflate_library expected)
{
    const struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1};
    struct exact_file file;
    size_t lengths[DEFLATE_LIBRARIES];
    uint8_t *streams[DEFLATE_LIBRARIES];
    for (enum deflate_library library = 0; library < DEFLATE_LIBRARIES; library++)
        streams[library] =
            unfiltered_stream(library, library == DEFLATE_ISAL ? 2 : 5, shape, pixels, &lengths[library]);
    assert_int_equal(lengths[DEFLATE_ISAL] * 3 <= lengths[DEFLATE_LIBDEFLATE] * 4, fits);
    check_file(&save, shape, pixels);
    write_file(&save, shape, pixels, 0, &file);
    assert_int_equal(file.length_bytes, PNG_IHDR_END + lengths[expected] + 2 * PNG_CHUNK_EXTRA);
    assert_memory_equal(file.bytes + PNG_IHDR_END + 8, streams[expected], lengths[expected]);
    for (enum deflate_library library = 0; library < DEFLATE_LIBRARIES; library++)
        free(streams[library]);
    free(file.bytes);
    free(pixels);
}

static void flat_drawings_go_to_isal_where_that_costs_little(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_LIBDEFLATE) || !deflate_has(DEFLATE_ISAL))
        skip();
#ifndef __x86_64__
    skip(); /* elsewhere ISA-L makes other streams */
#endif
    const struct shape shape = IMAGE(1000, 800, 4, SAMPLE_U8, 8);
    check_library(&shape, draw(&shape, DISCS), true, DEFLATE_ISAL);
    check_library(&shape, draw(&shape, LINES), false, DEFLATE_LIBDEFLATE);
    check_library(&shape, draw(&shape, SPECKS), true, DEFLATE_LIBDEFLATE); /* not flat */
}

/* A slope with noise on it; every pixel stands for `wide` of them. */
static uint8_t *slope(const struct shape *shape, unsigned wide)
{
    uint8_t *pixels = malloc(shape_bytes(shape)), *to = pixels;
    uint32_t seed = 11;
    for (unsigned y = 0; y < shape->height; y++) {
        for (unsigned x = 0; x < shape->width; x++, to += 3) {
            for (unsigned i = 0; i < 3; i++) {
                seed = seed * 1664525u + 1013904223u;
                to[i] = x % wide ? to[(int)i - 3] : (uint8_t)((x + y) / 8 + (seed >> 28));
            }
        }
    }
    return pixels;
}

/* The filters that rows have, a bit for each. Frees the pixels. */
static unsigned filters_of(const struct codec_save *save, const struct shape *shape, uint8_t *pixels)
{
    struct exact_file file;
    const size_t row_bytes = shape_row_bytes(shape) + 1;
    uLongf raw_bytes = row_bytes * shape->height;
    uint8_t *raw = malloc(raw_bytes);
    unsigned filters = 0;
    write_file(save, shape, pixels, 0, &file);
    assert_int_equal(uncompress(raw, &raw_bytes, file.bytes + PNG_IHDR_END + 8,
                                file.length_bytes - PNG_IHDR_END - 2 * PNG_CHUNK_EXTRA),
                     Z_OK);
    for (size_t y = 0; y < shape->height; y++)
        filters |= 1u << raw[y * row_bytes];
    free(raw);
    free(file.bytes);
    free(pixels);
    return filters;
}

static void noise_may_be_averaged(void **state)
{
    (void)state;
    if (!deflate_has(DEFLATE_LIBDEFLATE))
        skip();
    const struct shape shape = IMAGE(300, 200, 3, SAMPLE_U8, 8);
    static const int words[] = {COMPRESSION_FAST, COMPRESSION_BALANCED};
    const unsigned harder = PNG_FILTER_AVG | PNG_FILTER_PAETH;
    for (size_t i = 0; i < 2; i++) {
        const struct codec_save save = {.compression = words[i], .level = -1};
        assert_true(filters_of(&save, &shape, slope(&shape, 1)) << 3 & harder);
        assert_false(filters_of(&save, &shape, slope(&shape, 2)) << 3 & harder);
    }
}

static void interlaced_is_left_to_libpng(void **state)
{
    (void)state;
    struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1, .interlace = true};
    uint8_t *pixels = make_pixels(&shapes[3], SMOOTH);
    struct exact_file file;
    write_file(&save, &shapes[3], pixels, 0, &file);
    assert_int_equal(file.length_bytes, 0);
    free(file.bytes);
    free(pixels);
}

/* Section 9.4 of the specification, a byte at a time. */
static int guess(unsigned filter, int left, int above, int corner)
{
    int estimate = left + above - corner;
    int from_left = abs(estimate - left), from_above = abs(estimate - above),
        from_corner = abs(estimate - corner);
    switch (filter) {
    case 1:
        return left;
    case 2:
        return above;
    case 3:
        return (left + above) / 2;
    case 4:
        return from_left <= from_above && from_left <= from_corner ? left
               : from_above <= from_corner                         ? above
                                                                   : corner;
    default:
        return 0;
    }
}

/* The row filtered, and its sum of absolute differences. */
static unsigned filter_plainly(unsigned filter, const uint8_t *row, const uint8_t *above, size_t row_bytes,
                               size_t pixel_bytes, uint8_t *to)
{
    unsigned sum = 0;
    for (size_t i = 0; i < row_bytes; i++) {
        int left = i < pixel_bytes ? 0 : row[i - pixel_bytes],
            corner = i < pixel_bytes ? 0 : above[i - pixel_bytes];
        to[i] = (uint8_t)(row[i] - guess(filter, left, above[i], corner));
        sum += to[i] < 128 ? to[i] : 256u - to[i];
    }
    return sum;
}

static void check_rows(size_t row_bytes, size_t pixel_bytes, unsigned candidates, unsigned spread)
{
    struct png_filterer filterer;
    size_t scratch_bytes = png_filterer_scratch(row_bytes);
    struct scratch scratch = exact_scratch(scratch_bytes, 0x77);
    uint8_t *above = calloc(1, row_bytes), *row = malloc(row_bytes), *ours = malloc(row_bytes + 1);
    uint8_t *plain = malloc(row_bytes);
    uint32_t seed = 3;
    assert_true(png_filterer_begin(&filterer, row_bytes, pixel_bytes, &scratch));
    for (unsigned y = 0; y < 12; y++) {
        for (size_t i = 0; i < row_bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            row[i] = (uint8_t)((seed >> 24) % spread + (y % 3) * i);
        }
        unsigned best = 0, least = UINT_MAX;
        for (unsigned filter = 0; filter < PNG_FILTER_COUNT; filter++) {
            unsigned sum = filter_plainly(filter, row, above, row_bytes, pixel_bytes, plain);
            if (candidates >> filter & 1 && sum < least) {
                least = sum;
                best = filter;
            }
        }
        memcpy(filterer.row, row, row_bytes);
        png_filterer_apply(&filterer, candidates, ours);
        assert_int_equal(ours[0], best);
        filter_plainly(best, row, above, row_bytes, pixel_bytes, plain);
        assert_memory_equal(ours + 1, plain, row_bytes);

        memcpy(above, row, row_bytes);
    }
    exact_fence(scratch.base, scratch_bytes);
    free(scratch.base);
    free(above);
    free(row);
    free(ours);
    free(plain);
}

static void rows_get_the_filter_of_the_least_sum(void **state)
{
    (void)state;
    static const size_t pixel_bytes[] = {1, 2, 3, 4, 6, 8};
    static const size_t pixels[] = {1, 2, 11, 31, 700, 3001};
    static const unsigned sets[] = {31, 7, 1, 16, 24, 30}, spreads[] = {2, 9, 256};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            for (size_t k = 0; k < 6; k++)
                check_rows(pixels[j] * pixel_bytes[i], pixel_bytes[i], sets[k], spreads[(i + j + k) % 3]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_and_save),
        cmocka_unit_test(large_images_go_without_filters_where_that_is_better),
        cmocka_unit_test(flat_drawings_go_to_isal_where_that_costs_little),
        cmocka_unit_test(noise_may_be_averaged),
        cmocka_unit_test(interlaced_is_left_to_libpng),
        cmocka_unit_test(rows_get_the_filter_of_the_least_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
