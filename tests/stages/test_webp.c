/* SPDX-License-Identifier: MIT */
/* WebP: what goes in comes out, and what is damaged or of another sort is refused. Equality of lossy pixels
 * with Pillow's is tests/reference/compare_codecs.py's matter. */
#include <stdio.h>

#include "codec_exact.h"

extern const struct codec webp_codec;

static const struct codec_limits small_limits = {
    .max_pixels = 300000, .max_width = 100000, .max_height = 100000, .max_metadata_bytes = 1 << 20};

static uint8_t *picture(const struct shape *shape)
{
    uint8_t *pixels = malloc(shape_bytes(shape));
    uint32_t state = 5;
    for (size_t i = 0; i < shape_bytes(shape); i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(i % 300 / 2 + (state >> 28));
    }
    return pixels;
}

/* Grey becomes colour, which WebP has alone; the colours of clear pixels stay. */
static void without_loss_every_sample_stays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * 5 * 3; i++) {
        if (quick_skip(7))
            continue;
        static const uint32_t sizes[][2] = {{1, 1}, {31, 7}, {64, 65}};
        const unsigned channels = i % 4 + 1;
        const struct shape shape = {
            .width = sizes[i / 20][0], .height = sizes[i / 20][1], .channels = (uint8_t)channels, .bits = 8};
        const struct codec_save save = {.lossless = true, .level = -1, .compression = (int)(i / 4 % 5)};
        uint8_t *pixels = picture(&shape);
        if (channels % 2 == 0)
            pixels[channels - 1] = 0;
        struct exact_file file;
        struct exact exact;
        assert_int_equal(exact_encode(&webp_codec, &save, &shape, pixels, NULL, &file), 0);
        assert_int_equal(exact_decode(&webp_codec, file.bytes, file.length_bytes, &small_limits, &exact), 0);
        assert_int_equal(exact.shape.channels, channels % 2 ? 3 : 4);
        const unsigned out = exact.shape.channels;
        for (size_t k = 0; k < (size_t)shape.width * shape.height; k++) {
            for (unsigned c = 0; c < 3; c++)
                assert_int_equal(exact.pixels[k * out + c], pixels[k * channels + (channels >= 3 ? c : 0)]);
            if (out == 4)
                assert_int_equal(exact.pixels[k * 4 + 3], pixels[k * channels + channels - 1]);
        }
        exact_free(&exact);
        free(file.bytes);
        free(pixels);
    }
}

static const uint8_t exif[26] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0";

/* With EXIF, or alone. */
static struct exact_file encoded(uint32_t side, unsigned channels, bool lossless, bool with_exif)
{
    const struct shape shape = {
        .width = side, .height = side, .channels = (uint8_t)channels, .bits = 8, .orientation = 6};
    const struct codec_save save = {.lossless = lossless, .level = -1, .quality = 70};
    uint8_t block[128] __attribute__((aligned(8)));
    struct meta meta = {.block = block, .size_bytes = sizeof block};
    uint8_t *pixels = picture(&shape);
    struct exact_file file;
    if (with_exif)
        assert_int_equal(meta_put(&meta, "eXIf", 0, exif, sizeof exif), 0);
    assert_int_equal(exact_encode(&webp_codec, &save, &shape, pixels, &meta, &file), 0);
    free(pixels);
    return file;
}

static int verdict(const uint8_t *bytes, size_t length_bytes, struct exact *exact)
{
    const int code = exact_decode(&webp_codec, bytes, length_bytes, &small_limits, exact);
    if (code == 0)
        exact_free(exact);
    return code;
}

static void every_truncation_fails(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 8; kind++) {
        struct exact_file file = encoded(14, kind & 1 ? 4 : 3, kind & 2, kind & 4);
        struct exact exact;
        assert_int_equal(verdict(file.bytes, file.length_bytes, &exact), 0);
        assert_int_equal(exact.shape.orientation, kind & 4 ? 6 : 0);
        for (size_t length = 0; length < file.length_bytes; length++) {
            if (!quick_skip(29))
                assert_int_equal(verdict(file.bytes, length, &exact), ERROR_CORRUPT);
        }
        /* The container says that all is there, and it is not. Without EXIF, a chunk of 34 bytes, the image
         * is. */
        const size_t whole = file.length_bytes - (kind & 4 ? 34 : 0);
        for (size_t length = 40; length < whole; length += 2) {
            if (quick_skip(29))
                continue;
            file.bytes[4] = (uint8_t)(length - 8);
            file.bytes[5] = (uint8_t)((length - 8) >> 8);
            assert_int_equal(verdict(file.bytes, length, &exact), ERROR_CORRUPT);
        }
        free(file.bytes);
    }
}

static void every_changed_byte_is_survived(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x90};
    unsigned refused = 0;
    for (unsigned kind = 0; kind < 8; kind++) {
        struct exact_file file = encoded(7, kind & 1 ? 4 : 3, kind & 2, kind & 4);
        struct exact exact;
        for (size_t at = 0; at < file.length_bytes; at++) {
            for (size_t c = 0; c < sizeof changes; c++) {
                if (quick_skip(19))
                    continue;
                file.bytes[at] ^= changes[c];
                refused += verdict(file.bytes, file.length_bytes, &exact) < 0;
                file.bytes[at] ^= changes[c];
            }
        }
        free(file.bytes);
    }
    assert_true(refused > (quick() ? 5 : 100));
}

static void what_is_not_read_is_named(void **state)
{
    (void)state;
    struct exact exact;
    uint8_t animation[] = "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x09\0\0\x09\0\0";
    assert_int_equal(verdict(animation, sizeof animation - 1, &exact), ERROR_UNSUPPORTED);
    assert_string_equal(exact.error.reason, "an animation, which is not supported");
    uint8_t none[] = "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x09\0\0\x09\0\0";
    assert_int_equal(verdict(none, sizeof none - 1, &exact), ERROR_CORRUPT);
    assert_string_equal(exact.error.reason, "has no image");
    uint8_t large[] = "RIFF\x12\0\0\0WEBPVP8L\x05\0\0\0\x2f\xff\xff\xff\x0f\0";
    assert_int_equal(verdict(large, sizeof large - 1, &exact), ERROR_LIMIT);
    assert_string_equal(exact.error.reason,
                        "268435456 pixels, over max_pixels 300000; raise it with --max-pixels");
    assert_int_equal(verdict((const uint8_t *)"RIFFxxxxWAVE", 12, &exact), ERROR_CORRUPT);
    assert_string_equal(exact.error.reason, "not a WebP file");
}

static void bytes_after_the_end_are_a_warning(void **state)
{
    (void)state;
    struct exact_file file = encoded(9, 3, false, false);
    struct exact exact;
    uint8_t longer[4096] = {0};
    memcpy(longer, file.bytes, file.length_bytes);
    assert_int_equal(verdict(longer, file.length_bytes + 3, &exact), 0);
    assert_string_equal(exact.warning, "3 bytes after the end of the image");
    free(file.bytes);
}

/* EXIF lies behind the pixels; without it nobody knows how the image lies. */
static void exif_beyond_the_head_asks_for_the_whole_file(void **state)
{
    (void)state;
    struct exact_file file = encoded(250, 4, true, true);
    struct codec_info info;
    struct error error;
    assert_true(file.length_bytes > CODEC_HEAD_BYTES);
    assert_int_equal(
        webp_codec.peek(file.bytes, CODEC_HEAD_BYTES, file.length_bytes, &small_limits, &info, &error),
        ERROR_ROOM);
    assert_int_equal(
        webp_codec.peek(file.bytes, file.length_bytes, file.length_bytes, &small_limits, &info, &error), 0);
    assert_int_equal(info.shape.orientation, 6);
    free(file.bytes);
}

static void what_webp_cannot_hold_is_refused_with_advice(void **state)
{
    (void)state;
    struct codec_plan plan;
    struct error error;
    const struct codec_save save = {.quality = 85};
    struct shape shape = {.width = 4, .height = 4, .channels = 4, .sample = SAMPLE_F32, .bits = 32};
    assert_int_equal(webp_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "webp holds 8 bits a sample; put cast:type=u8 last");
    shape.sample = SAMPLE_U8;
    shape.height = 16384;
    assert_int_equal(webp_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "webp holds up to 16383 pixels a side");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_loss_every_sample_stays),
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(what_is_not_read_is_named),
        cmocka_unit_test(bytes_after_the_end_are_a_warning),
        cmocka_unit_test(exif_beyond_the_head_asks_for_the_whole_file),
        cmocka_unit_test(what_webp_cannot_hold_is_refused_with_advice),
    };
    struct codec_plan plan;
    const struct shape shape = {.width = 1, .height = 1, .channels = 3, .bits = 8};
    if (webp_codec.plan(&(struct codec_save){0}, &shape, 0, &plan, NULL) < 0) {
        print_message("skipped: this build lacks libwebp\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
