/* SPDX-License-Identifier: MIT */
/* Damaged PNG files: what libpng refuses is refused, what it takes gives the same pixels. */
#include <stdio.h>

#include "codec_exact.h"
#include "png_reference.h"
#include "salvage.h"
#include "tests/quick.h"

extern const struct codec png_codec;

struct kind {
    int colour, depth, interlace;
    bool palette_alpha, meta;
};

/* A small file with every sort of chunk that the codec looks at. */
static struct reference_bytes make(const struct kind *kind)
{
    struct reference_bytes file = {0};
    uint8_t palette[12] = {1, 2, 3, 40, 50, 60, 70, 80, 90, 255, 254, 253}, alpha[2] = {0, 128};
    reference_start(&file, 5, 3, kind->depth, kind->colour, kind->interlace);
    if (kind->meta) {
        reference_chunk(&file, "gAMA", "\0\0\xb1\x8f", 4);
        reference_chunk(&file, "sRGB", "\0", 1);
        reference_chunk(&file, "pHYs", "\0\0\x0b\x13\0\0\x0b\x13\1", 9);
        reference_chunk(&file, "tEXt", "Title\0two words", 15);
        reference_deflated(&file, "zTXt", "Comment\0", 9, "long long long long text", 24);
    }
    if (kind->colour == PNG_COLOR_TYPE_PALETTE) {
        reference_chunk(&file, "PLTE", palette, sizeof palette);
        if (kind->palette_alpha)
            reference_chunk(&file, "tRNS", alpha, sizeof alpha);
    }
    unsigned samples = kind->colour == PNG_COLOR_TYPE_RGB_ALPHA ? 4
                       : kind->colour == PNG_COLOR_TYPE_RGB     ? 3
                                                                : 1;
    size_t pass[7][2] = {{1, 1}, {1, 1}, {2, 0}, {1, 1},
                         {3, 1}, {2, 2}, {5, 1}}; /* of 5x3, columns and rows */
    uint8_t raw[256] = {0};
    size_t length = 0;
    if (kind->interlace) {
        for (unsigned i = 0; i < 7; i++)
            length += pass[i][1] * (1 + (pass[i][0] * samples * (unsigned)kind->depth + 7) / 8);
    } else {
        length = 3 * (1 + (5 * samples * (unsigned)kind->depth + 7) / 8);
    }
    reference_deflated(&file, "IDAT", NULL, 0, raw, length);
    reference_chunk(&file, "IEND", NULL, 0);
    return file;
}

static const struct kind kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1, 0, false, false},       {PNG_COLOR_TYPE_PALETTE, 2, 0, true, true},
    {PNG_COLOR_TYPE_PALETTE, 2, 1, false, true},     {PNG_COLOR_TYPE_RGB, 8, 0, false, true},
    {PNG_COLOR_TYPE_RGB_ALPHA, 16, 1, false, false},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* Small enough that no mutated size takes long. */
static const struct codec_limits small_limits = {
    .max_pixels = 1000000, .max_width = 1000000, .max_height = 1000000, .max_metadata_bytes = 1 << 20};

/* The same verdict and pixels as libpng's. Returns whether the file was taken. */
static bool compare(const uint8_t *bytes, size_t length_bytes)
{
    struct exact exact;
    struct reference_image reference;
    int code = exact_decode(&png_codec, bytes, length_bytes, &small_limits, &exact);
    if (code < 0)
        check_salvage(&png_codec, &small_limits, bytes, length_bytes, &exact, code);
    int theirs = reference_decode(bytes, length_bytes, small_limits.max_pixels, &reference);
    if ((code < 0) != (theirs < 0))
        fail_msg("verdicts differ: %s", code < 0 ? exact.error.reason : "only libpng refuses");
    if (code < 0)
        return false;
    assert_int_equal(exact.shape.width, reference.width);
    assert_int_equal(exact.shape.height, reference.height);
    assert_int_equal(exact.shape.channels, reference.channels);
    assert_memory_equal(exact.pixels, reference.pixels, shape_bytes(&exact.shape));
    reference_free(&reference);
    exact_free(&exact);
    return true;
}

static void every_truncation_fails(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct reference_bytes file = make(&kinds[k]);
        assert_true(compare(file.bytes, file.length_bytes));
        for (size_t length = 0; length < file.length_bytes; length += quick() ? 7 : 1)
            assert_false(compare(file.bytes, length));
        free(file.bytes);
    }
}

static void every_changed_byte_gets_the_verdict_of_libpng(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0x20, 0xff, 0x04};
    for (size_t k = 0; k < KINDS; k++) {
        struct reference_bytes file = make(&kinds[k]);
        for (size_t at = 0; at < file.length_bytes; at++) {
            for (size_t c = 0; c < sizeof changes; c++) {
                if (quick_skip(13))
                    continue;
                file.bytes[at] ^= changes[c];
                compare(file.bytes, file.length_bytes);
                file.bytes[at] ^= changes[c];
            }
        }
        free(file.bytes);
    }
}

/* With CRCs made good after each change, the damage reaches the code behind them. */
static void every_changed_byte_with_its_crc_made_good(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x08};
    unsigned taken = 0, refused = 0;
    for (size_t k = 0; k < KINDS; k++) {
        struct reference_bytes file = make(&kinds[k]);
        for (size_t chunk = 8; chunk < file.length_bytes;) {
            size_t length = png_get_uint_32(file.bytes + chunk);
            uint8_t *crc = file.bytes + chunk + 8 + length;
            for (size_t at = chunk + 4; at < chunk + 8 + length; at++) {
                for (size_t c = 0; c < sizeof changes; c++) {
                    if (quick_skip(13))
                        continue;
                    if (quick_skip(13))
                        continue;
                    file.bytes[at] ^= changes[c];
                    png_save_uint_32(crc, (png_uint_32)crc32(0, file.bytes + chunk + 4, (uInt)(length + 4)));
                    *(compare(file.bytes, file.length_bytes) ? &taken : &refused) += 1;
                    file.bytes[at] ^= changes[c];
                }
            }
            png_save_uint_32(crc, (png_uint_32)crc32(0, file.bytes + chunk + 4, (uInt)(length + 4)));
            chunk += length + 12;
        }
        free(file.bytes);
    }
    assert_true(quick() || (taken > 100 && refused > 100));
}

static void check_message(const void *bytes, size_t length_bytes, int code, const char *text)
{
    struct exact exact;
    assert_int_equal(exact_decode(&png_codec, bytes, length_bytes, &small_limits, &exact), code);
    assert_string_equal(exact.error.reason, text);
}

static void messages_say_what_is_wrong(void **state)
{
    (void)state;
    struct reference_bytes file = make(&kinds[3]);
    check_message("", 0, ERROR_CORRUPT, "file is empty");
    check_message(file.bytes, 20, ERROR_CORRUPT, "file ends early, after 20 bytes");
    check_message(file.bytes, file.length_bytes - 1, ERROR_CORRUPT, "file ends early, after 185 bytes");
    check_message("GIF89a, in truth", 16, ERROR_CORRUPT, "not a PNG file");
    file.bytes[5] = ' ';
    check_message(file.bytes, file.length_bytes, ERROR_CORRUPT,
                  "PNG signature is damaged, as by a transfer that converts text");
    file.bytes[5] = '\n';
    file.bytes[30] ^= 1;
    check_message(file.bytes, file.length_bytes, ERROR_CORRUPT, "IHDR: CRC error");
    file.bytes[30] ^= 1;
    file.bytes[file.length_bytes - 20] ^= 1;
    check_message(file.bytes, file.length_bytes, ERROR_CORRUPT, "IDAT: incorrect data check");
    free(file.bytes);
}

static void bytes_after_the_end_are_a_warning(void **state)
{
    (void)state;
    struct reference_bytes file = make(&kinds[3]);
    struct exact exact;
    reference_append(&file, "abc", 3);
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &small_limits, &exact), 0);
    assert_int_equal(exact.warnings, 1);
    assert_string_equal(exact.warning, "3 bytes after the end of the image");
    exact_free(&exact);
    free(file.bytes);
}

/* Where the plan's memory is not given, that is an error and not a crash. */
static void too_little_memory_is_an_error(void **state)
{
    (void)state;
    struct reference_bytes file = make(&kinds[1]);
    struct codec_info info;
    assert_int_equal(
        png_codec.peek(file.bytes, file.length_bytes, file.length_bytes, &small_limits, &info, NULL), 0);
    size_t need = 0;
    for (size_t scratch_bytes = 0; scratch_bytes <= info.scratch_bytes; scratch_bytes += 512) {
        struct scratch scratch = exact_scratch(scratch_bytes, 0);
        uint8_t pixels[5 * 3 * 4];
        struct error error = {0};
        struct codec_decode job = {.limits = &small_limits,
                                   .bytes = file.bytes,
                                   .length_bytes = file.length_bytes,
                                   .pixels = pixels,
                                   .pixels_bytes = sizeof pixels,
                                   .scratch = &scratch};
        int code = png_codec.decode(&job, &error);
        exact_fence(scratch.base, scratch_bytes);
        if (code < 0)
            assert_int_equal(error.code, ERROR_MEMORY);
        else if (need == 0)
            need = scratch_bytes;
        if (code == 0) {
            scratch.used_bytes = 0;
            job.pixels_bytes--;
            assert_int_equal(png_codec.decode(&job, &error), ERROR_MEMORY);
        }
        free(scratch.base);
    }
    assert_in_range(need, 1024, info.scratch_bytes);
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(every_changed_byte_gets_the_verdict_of_libpng),
        cmocka_unit_test(every_changed_byte_with_its_crc_made_good),
        cmocka_unit_test(messages_say_what_is_wrong),
        cmocka_unit_test(bytes_after_the_end_are_a_warning),
        cmocka_unit_test(too_little_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
