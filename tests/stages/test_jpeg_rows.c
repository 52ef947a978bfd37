/* SPDX-License-Identifier: MIT */
/* JPEG a few rows at a time is what it is as a whole: pixels, metadata, verdicts and files. Small and odd
 * files are read so in test_jpeg.c and test_jpeg_damage.c, too. */
#include <stdio.h>
#include <zlib.h>

#include "codec_rows.h"
#include "jpeg_made.h"

extern const struct codec jpeg_codec;

/* Smooth with some noise; different down the image. */
static uint8_t *make_pixels(const struct shape *shape)
{
    const size_t bytes = shape_bytes(shape), row_bytes = shape_row_bytes(shape);
    uint8_t *pixels = malloc(bytes);
    assert_non_null(pixels);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] =
            (uint8_t)(i % row_bytes / 4 + i / row_bytes * 2 + rows_dice(1 + (unsigned)(i * 60 / bytes)));
    return pixels;
}

static const struct {
    struct shape shape;
    struct codec_save save;
} images[] = {
    {{.width = 700, .height = 523, .channels = 3, .bits = 8}, {.quality = 80}},
    {{.width = 700, .height = 523, .channels = 3, .bits = 8},
     {.quality = 80, .subsampling = SUBSAMPLING_422}},
    {{.width = 611, .height = 600, .channels = 3, .bits = 8}, {.quality = 92}},
    {{.width = 1111, .height = 1000, .channels = 1, .bits = 8}, {.quality = 75}},
    {{.width = 700, .height = 523, .channels = 3, .bits = 8}, {.quality = 80, .interlace = true}},
    {{.width = 640, .height = 560, .channels = 3, .bits = 8},
     {.quality = 70, .compression = COMPRESSION_BALANCED}},
    {{.width = 640, .height = 560, .channels = 3, .bits = 8},
     {.quality = 96, .compression = COMPRESSION_SMALLEST}},
    {{.width = 60000, .height = 7, .channels = 3, .bits = 8}, {.quality = 80}},
    {{.width = 50, .height = 8000, .channels = 3, .bits = 8}, {.quality = 80}},
};
#define IMAGES (sizeof images / sizeof *images)

static void compare(const uint8_t *bytes, size_t length_bytes, int wanted)
{
    struct exact whole;
    const int code = exact_decode(&jpeg_codec, bytes, length_bytes, &exact_limits, &whole);
    assert_int_equal(code, wanted);
    assert_true(whole.info.by_rows || !whole.info.shape.width);
    rows_check(&jpeg_codec, 0, bytes, length_bytes, &exact_limits, code, &whole);
    if (code == 0)
        exact_free(&whole);
}

/* In exactly the memory that peek says. */
static void large_images_are_read_by_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < IMAGES; i++) {
        struct exact_file file;
        if (quick_skip(3))
            continue;
        uint8_t *pixels = make_pixels(&images[i].shape);
        assert_int_equal(exact_encode(&jpeg_codec, &images[i].save, &images[i].shape, pixels, NULL, &file),
                         0);
        compare(file.bytes, file.length_bytes, 0);
        for (unsigned part = 1; part < 20; part++) {
            if (quick_skip(9))
                continue;
            compare(file.bytes, file.length_bytes * part / 20 + part, ERROR_CORRUPT);
        }
        compare(file.bytes, file.length_bytes - 1, ERROR_CORRUPT);
        compare(file.bytes, file.length_bytes - 2, ERROR_CORRUPT);
        free(file.bytes);
        free(pixels);
    }
}

static void so_are_scans_one_by_one_and_cmyk(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 8; kind++) {
        const struct made_frame frame = {.marker = kind & 1 ? 0xc2 : 0xc0,
                                         .precision = 8,
                                         .width = 700,
                                         .height = 530,
                                         .components = kind & 2 ? 4 : 3,
                                         .sampling = {0x22, 0x11, 0x11, kind & 2 ? 0x22 : 0}};
        struct made made = made_file(&frame, kind & 4);
        compare(made.bytes, made.length_bytes, 0);
        made_put(&made, "abc", 3);
        compare(made.bytes, made.length_bytes, 0);
        compare(made.bytes, made.length_bytes - 9, ERROR_CORRUPT);
        free(made.bytes);
    }
}

static void what_is_small_or_may_be_salvaged_is_read_as_a_whole(void **state)
{
    (void)state;
    static const struct codec_load load = {.on_corrupt = CODEC_SALVAGE};
    struct codec_limits lenient = exact_limits;
    struct codec_info info;
    lenient.load = &load;
    struct made_frame frame = {0xc0, 8, 700, 523, 3, {0x22, 0x11, 0x11}};
    for (unsigned small = 0; small < 2; small++) {
        frame.height = small ? 400 : 523;
        struct made made = made_file(&frame, 1);
        assert_int_equal(
            jpeg_codec.peek(made.bytes, made.length_bytes, made.length_bytes, &exact_limits, &info, NULL), 0);
        assert_int_equal(info.by_rows, !small);
        assert_int_equal(
            jpeg_codec.peek(made.bytes, made.length_bytes, made.length_bytes, &lenient, &info, NULL), 0);
        assert_false(info.by_rows);
        free(made.bytes);
    }
}

static void decode_part(const struct exact_file *file, unsigned shrink, bool by_rows, uint8_t *pixels,
                        size_t pixels_bytes, struct shape *shape)
{
    struct codec_info info;
    struct error error = {0};
    assert_int_equal(
        jpeg_codec.peek(file->bytes, file->length_bytes, file->length_bytes, &exact_limits, &info, NULL), 0);
    struct scratch scratch = exact_scratch(info.scratch_bytes, 0x5a);
    struct codec_decode job = {.limits = &exact_limits,
                               .bytes = file->bytes,
                               .length_bytes = file->length_bytes,
                               .pixels = pixels,
                               .pixels_bytes = pixels_bytes,
                               .shrink = shrink,
                               .scratch = &scratch};
    rows_tested = (struct rows_tested){&jpeg_codec, 0};
    assert_int_equal(by_rows ? rows_decode(&job, &error) : jpeg_codec.decode(&job, &error), 0);
    exact_fence(scratch.base, info.scratch_bytes);
    exact_fence(pixels, pixels_bytes);
    *shape = job.shape;
    free(scratch.base);
}

static void a_part_of_the_size_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < IMAGES; i++) {
        struct exact_file file;
        if (quick_skip(4))
            continue;
        uint8_t *pixels = make_pixels(&images[i].shape);
        assert_int_equal(exact_encode(&jpeg_codec, &images[i].save, &images[i].shape, pixels, NULL, &file),
                         0);
        for (unsigned shrink = 1; shrink <= jpeg_codec.shrinks; shrink++) {
            const struct shape want = codec_shrunk(&images[i].shape, shrink);
            const size_t bytes = shape_bytes(&want);
            uint8_t *whole = exact_take(bytes, 1), *rows = exact_take(bytes, 2);
            struct shape shapes[2];
            decode_part(&file, shrink, false, whole, bytes, &shapes[0]);
            decode_part(&file, shrink, true, rows, bytes, &shapes[1]);
            rows_same_shape(&shapes[0], &shapes[1]);
            assert_memory_equal(rows, whole, bytes);
            free(whole);
            free(rows);
        }
        free(file.bytes);
        free(pixels);
    }
}

static void the_same_file_as_a_whole(void **state)
{
    (void)state;
    static const struct shape small[] = {{.width = 1, .height = 1, .channels = 3, .bits = 8},
                                         {.width = 17, .height = 33, .channels = 1, .bits = 8},
                                         {.width = 16, .height = 16, .channels = 3, .bits = 8}};
    for (size_t i = 0; i < IMAGES; i++) {
        if (quick_skip(3))
            continue;
        uint8_t *pixels = make_pixels(&images[i].shape);
        rows_put_check(&jpeg_codec, &images[i].save, &images[i].shape, pixels, NULL);
        for (size_t k = 0; k < sizeof small / sizeof *small; k++)
            rows_put_check(&jpeg_codec, &images[i].save, &small[k], pixels, NULL);
        free(pixels);
    }
}

/* EXIF, and a profile that is packed to a tenth or less of its size, so that it needs more room than could be
 * known from the metadata; as much of it as `profile_bytes` say. */
static void add_metadata(struct meta *meta, size_t profile_bytes)
{
    static const uint8_t exif[26] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0";
    uint8_t *profile = calloc(1, profile_bytes), *chunk = calloc(1, profile_bytes + 1000);
    uLongf packed = profile_bytes + 900;
    profile[1] = (uint8_t)(profile_bytes >> 16);
    profile[2] = (uint8_t)(profile_bytes >> 8);
    profile[3] = (uint8_t)profile_bytes;
    memcpy(profile + 16, "RGB ", 4);
    memcpy(profile + 36, "acsp", 4);
    /* Half of it noise: just under 8 times. */
    for (size_t i = 200; i < profile_bytes / 5; i++)
        profile[i] = (uint8_t)rows_dice(256);
    memcpy(chunk, "ICC Profile\0", 12);
    assert_int_equal(compress2(chunk + 13, &packed, profile, profile_bytes, 9), Z_OK);
    assert_int_equal(meta_put(meta, "eXIf", 0, exif, sizeof exif), 0);
    assert_int_equal(meta_put(meta, "iCCP", META_RGB_ONLY, chunk, 13 + packed), 0);
    assert_int_equal(meta_put(meta, "pHYs", 0, (const uint8_t *)"\0\0\x2e\x23\0\0\x2e\x23\1", 9), 0);
    free(chunk);
    free(profile);
}

static void metadata_goes_before(void **state)
{
    (void)state;
    static const struct codec_save saves[] = {{.quality = 85}, {.quality = 85, .strip = true}};
    static const struct shape grey = {.width = 700, .height = 523, .channels = 1, .bits = 8};
    uint8_t *pixels = make_pixels(&images[0].shape);
    for (size_t profile_bytes = 1000; profile_bytes <= 256000; profile_bytes *= 4) {
        struct meta meta = {.block = exact_take(400000, 0), .size_bytes = 400000};
        add_metadata(&meta, profile_bytes);
        for (size_t i = 0; i < 2; i++) {
            rows_put_check(&jpeg_codec, &saves[i], &images[0].shape, pixels, &meta);
            rows_put_check(&jpeg_codec, &saves[i], &grey, pixels, &meta); /* a warning */
        }
        free(meta.block);
    }
    free(pixels);
}

/* From nothing to one byte less than the file takes. */
static void too_little_room_is_said(void **state)
{
    (void)state;
    struct meta meta = {.block = exact_take(100000, 0), .size_bytes = 100000};
    add_metadata(&meta, 64000);
    for (size_t i = 0; i < IMAGES; i++) {
        struct rows_putting putting = {.codec = &jpeg_codec,
                                       .save = &images[i].save,
                                       .shape = &images[i].shape,
                                       .meta = i % 2 ? &meta : NULL};
        if (quick_skip(3))
            continue;
        uint8_t *pixels = make_pixels(&images[i].shape);
        putting.pixels = pixels;
        assert_int_equal(rows_put(&putting, SIZE_MAX, 0), 0);
        free(putting.block);
        const size_t length_bytes = putting.length_bytes;
        const size_t rooms[] = {0,
                                1,
                                19,
                                20,
                                21,
                                100,
                                600,
                                meta.used_bytes,
                                length_bytes / 3,
                                length_bytes - 513,
                                length_bytes - 1};
        for (size_t k = 0; k < sizeof rooms / sizeof *rooms; k++) {
            assert_int_equal(rows_put(&putting, rooms[k], 0), ERROR_ROOM);
            assert_int_equal(putting.error.code, ERROR_ROOM);
            assert_int_equal(putting.length_bytes, 0);
            free(putting.block);
        }
        for (unsigned k = 0; k < 4; k++) {
            /* As much as there is of the metadata at begin may be set aside for it in vain. */
            const size_t aside = putting.meta ? meta.used_bytes : 0;
            assert_int_equal(rows_put(&putting, length_bytes + aside, 0), 0);
            assert_int_equal(putting.length_bytes, length_bytes);
            free(putting.block);
        }
        free(pixels);
    }
    free(meta.block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_images_are_read_by_rows),
        cmocka_unit_test(so_are_scans_one_by_one_and_cmyk),
        cmocka_unit_test(what_is_small_or_may_be_salvaged_is_read_as_a_whole),
        cmocka_unit_test(a_part_of_the_size_is_the_same),
        cmocka_unit_test(the_same_file_as_a_whole),
        cmocka_unit_test(metadata_goes_before),
        cmocka_unit_test(too_little_room_is_said),
    };
    if (jpeg_codec.shrinks == 0) {
        print_message("skipped: this build lacks libjpeg\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
