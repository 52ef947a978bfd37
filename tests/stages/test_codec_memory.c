/* SPDX-License-Identifier: MIT */
/* ctest labels: native alone long
 * libwebp takes its memory from malloc: never more than peek and plan count as scratch. libjpeg starts with a
 * little and has the rest from scratch. malloc is replaced here by one that keeps the sum of what is out. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/codec.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REPLACED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REPLACED 0
#endif
#endif
#ifndef REPLACED
#define REPLACED 1
#endif

static size_t out_bytes, peak_bytes;

#if REPLACED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *block);

static void *counted(void *block)
{
    out_bytes += block ? malloc_usable_size(block) : 0;
    peak_bytes = out_bytes > peak_bytes ? out_bytes : peak_bytes;
    return block;
}

void *malloc(size_t size)
{
    return counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return counted(__libc_calloc(count, size));
}

void free(void *block)
{
    out_bytes -= block ? malloc_usable_size(block) : 0;
    __libc_free(block);
}
#endif

static const struct codec_limits limits = {
    .max_pixels = 1 << 24, .max_width = 1 << 14, .max_height = 1 << 14, .max_metadata_bytes = 1000};

/* What malloc gave at most while `codec` wrote and read one image, against what was promised. */
static void measure(const struct codec *codec, const struct codec_save *save, const struct shape *shape,
                    const uint8_t *pixels, size_t most[2], size_t promised[2])
{
    struct codec_plan plan;
    struct codec_info info;
    struct error error = {0};
    assert_int_equal(codec->plan(save, shape, 0, &plan, &error), 0);
    struct scratch scratch = {.base = aligned_alloc(64, scratch_need(1, plan.scratch_bytes)),
                              .size_bytes = plan.scratch_bytes};
    uint8_t *file = malloc(plan.out_bytes);
    struct codec_encode out = {.save = save,
                               .shape = *shape,
                               .pixels = pixels,
                               .bytes = file,
                               .bytes_size = plan.out_bytes,
                               .scratch = &scratch};
    size_t before = peak_bytes = out_bytes;
    if (codec->encode(&out, &error) < 0)
        fail_msg("%s", error.reason);
    assert_int_equal(out_bytes, before);
    most[0] = peak_bytes - before + scratch.used_bytes;
    promised[0] = plan.scratch_bytes;
    free(scratch.base);

    assert_int_equal(codec->peek(file, out.length_bytes, out.length_bytes, &limits, &info, &error), 0);
    uint8_t *again = malloc(shape_bytes(&info.shape));
    scratch = (struct scratch){.base = aligned_alloc(64, scratch_need(1, info.scratch_bytes)),
                               .size_bytes = info.scratch_bytes};
    struct codec_decode in = {.limits = &limits,
                              .bytes = file,
                              .length_bytes = out.length_bytes,
                              .pixels = again,
                              .pixels_bytes = shape_bytes(&info.shape),
                              .scratch = &scratch};
    before = peak_bytes = out_bytes;
    if (codec->decode(&in, &error) < 0)
        fail_msg("%s", error.reason);
    assert_int_equal(out_bytes, before);
    most[1] = peak_bytes - before + scratch.used_bytes;
    promised[1] = info.scratch_bytes;
    in.length_bytes /= 2;
    scratch.used_bytes = 0;
    assert_true(codec->decode(&in, &error) < 0);
    assert_int_equal(out_bytes, before); /* nor does damage leave anything out */
    free(scratch.base);
    free(again);
    free(file);
}

/* Noise of 8 bits, of 1 bit, or a picture of few colours: the worst cases of different parts of an encoder.
 */
static uint8_t *picture(const struct shape *shape, unsigned kind)
{
    uint8_t *pixels = malloc(shape_bytes(shape));
    uint32_t state = 99;
    for (size_t i = 0; i < shape_bytes(shape); i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(kind == 0 ? state >> 24 : kind == 1 ? (state >> 31) * 255 : (i / 977) % 7 * 40);
    }
    return pixels;
}

static void webp_takes_no_more_than_promised(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {3000, 3}, {200, 150}};
    const struct codec *webp = codec_for_name("x.webp");
    for (unsigned i = 0; i < 3 * 3 * 2 * 2 * 3; i++) {
        const uint32_t *size = sizes[i % 3];
        const struct shape shape = {
            .width = size[0], .height = size[1], .channels = i / 9 % 2 ? 4 : 3, .bits = 8};
        const struct codec_save save = {.quality = i % 2 ? 100 : 60,
                                        .lossless = i / 18 % 2,
                                        .level = -1,
                                        .compression = (int)(i / 36) * 2};
        uint8_t *pixels = picture(&shape, i / 3 % 3);
        size_t most[2], promised[2];
        measure(webp, &save, &shape, pixels, most, promised);
        assert_true(most[0] <= promised[0]);
        assert_true(most[1] <= promised[1]);
        free(pixels);
    }
}

static void jpeg_takes_little_beside_scratch(void **state)
{
    (void)state;
    const struct codec *jpeg = codec_for_name("x.jpg");
    for (unsigned i = 0; i < 5; i++) {
        const struct shape shape = {.width = 500, .height = 300, .channels = 3, .bits = 8};
        const struct codec_save save = {.quality = 100, .compression = (int)i};
        uint8_t *pixels = picture(&shape, 0);
        size_t most[2], promised[2];
        measure(jpeg, &save, &shape, pixels, most, promised);
        assert_true(most[0] <= promised[0] + 32768);
        assert_true(most[1] <= promised[1] + 32768);
        free(pixels);
    }
}

/* What malloc gave beside the planned scratch is back, wherever reading or writing by rows is given up. */
static void give_up_reading(const struct codec *codec, const uint8_t *file, size_t length_bytes,
                            const struct codec_info *info, uint32_t rows)
{
    struct error error = {0};
    struct scratch scratch = {.base = aligned_alloc(64, scratch_need(1, info->scratch_bytes)),
                              .size_bytes = info->scratch_bytes};
    uint8_t *row = malloc(shape_row_bytes(&info->shape));
    struct codec_decode job = {
        .limits = &limits, .bytes = file, .length_bytes = length_bytes, .scratch = &scratch};
    const size_t before = peak_bytes = out_bytes;
    int code = codec->open(&job, &error);
    for (uint32_t y = 0; y < rows && code == 0; y++)
        code = codec->rows(&job, row, 1, &error);
    if (code == 0 && rows == info->shape.height)
        code = codec->close(&job, &error);
    assert_true(code == 0 || code == ERROR_CORRUPT);
    codec->leave(&job);
    assert_int_equal(out_bytes, before);
    assert_true(peak_bytes - before <= 32768);
    free(row);
    free(scratch.base);
}

static void give_up_writing(const struct codec *codec, const struct codec_save *save,
                            const struct shape *shape, const uint8_t *pixels, size_t room_bytes,
                            uint32_t rows)
{
    struct codec_plan plan = {0};
    struct error error = {0};
    assert_int_equal(codec->plan(save, shape, 0, &plan, NULL), 0);
    struct scratch scratch = {.base = aligned_alloc(64, scratch_need(1, plan.rows_scratch_bytes)),
                              .size_bytes = plan.rows_scratch_bytes};
    uint8_t *file = malloc(room_bytes);
    struct codec_encode job = {
        .save = save, .shape = *shape, .bytes = file, .bytes_size = room_bytes, .scratch = &scratch};
    const size_t before = peak_bytes = out_bytes;
    int code = codec->begin(&job, &error);
    for (uint32_t y = 0; y < rows && code == 0; y++)
        code = codec->put(&job, pixels + y * shape_row_bytes(shape), 1, &error);
    if (code == 0 && rows == shape->height)
        code = codec->finish(&job, &error);
    assert_true(code == 0 || code == ERROR_ROOM);
    codec->abandon(&job);
    assert_int_equal(out_bytes, before);
    assert_true(peak_bytes - before <= 32768);
    free(file);
    free(scratch.base);
}

static void jpeg_by_rows_leaves_nothing_behind(void **state)
{
    (void)state;
    const struct codec *jpeg = codec_for_name("x.jpg");
    const struct shape shape = {.width = 700, .height = 600, .channels = 3, .bits = 8};
    uint8_t *pixels = picture(&shape, 2);
    for (unsigned i = 0; i < 5; i++) {
        const struct codec_save save = {.quality = 80, .compression = (int)i};
        struct codec_plan plan = {0};
        struct codec_info info;
        assert_int_equal(jpeg->plan(&save, &shape, 0, &plan, NULL), 0);
        struct scratch scratch = {.base = aligned_alloc(64, scratch_need(1, plan.scratch_bytes)),
                                  .size_bytes = plan.scratch_bytes};
        struct codec_encode out = {.save = &save,
                                   .shape = shape,
                                   .pixels = pixels,
                                   .bytes = malloc(plan.out_bytes),
                                   .bytes_size = plan.out_bytes,
                                   .scratch = &scratch};
        assert_int_equal(jpeg->encode(&out, NULL), 0);
        assert_int_equal(jpeg->peek(out.bytes, out.length_bytes, out.length_bytes, &limits, &info, NULL), 0);
        assert_true(info.by_rows);
        for (uint32_t rows = 0; rows <= 600; rows += 200) {
            give_up_reading(jpeg, out.bytes, out.length_bytes, &info, rows);
            give_up_reading(jpeg, out.bytes, out.length_bytes / 2, &info, rows);
            give_up_writing(jpeg, &save, &shape, pixels, plan.out_bytes, rows);
            give_up_writing(jpeg, &save, &shape, pixels, out.length_bytes / 2, rows);
        }
        free(scratch.base);
        free(out.bytes);
    }
    free(pixels);
}

static int ready(void **state)
{
    (void)state;
    struct codec_plan plan;
    const struct codec_save save = {.quality = 50};
    const struct shape shape = {.width = 1, .height = 1, .channels = 3, .bits = 8};
    if (!REPLACED)
        print_message("the sanitizer has its own malloc\n");
    return REPLACED && codec_for_name("x.webp")->plan(&save, &shape, 0, &plan, NULL) == 0 &&
                   codec_for_name("x.jpg")->plan(&save, &shape, 0, &plan, NULL) == 0
               ? 0
               : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(webp_takes_no_more_than_promised),
        cmocka_unit_test(jpeg_takes_little_beside_scratch),
        cmocka_unit_test(jpeg_by_rows_leaves_nothing_behind),
    };
    if (ready(NULL) != 0) {
        print_message("skipped: malloc cannot be counted here, or this build lacks a library\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
