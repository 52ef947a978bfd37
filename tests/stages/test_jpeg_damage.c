/* SPDX-License-Identifier: MIT */
/* JPEG files that are damaged, hostile or of a sort that is not read. */
#include <stdio.h>

#include "codec_rows.h"
#include "jpeg_made.h"
#include "salvage.h"
#include "tests/quick.h"

extern const struct codec jpeg_codec;

/* More than reading by rows takes beside what peek counts. */
#define ROWS_EXTRA_BYTES 8192

static const struct made_frame plain = {0xc0, 8, 20, 12, 3, {0x22, 0x11, 0x11}};

/* Small enough that no mutated size takes long. */
static const struct codec_limits small_limits = {
    .max_pixels = 300000, .max_width = 100000, .max_height = 100000, .max_metadata_bytes = 1 << 20};

/* A photograph's header before few pixels: JFIF, EXIF with an orientation, a profile in two parts, XMP. */
static struct exact_file encoded(bool progressive)
{
    uint8_t exif[26] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", profile[132] = {0};
    uint8_t pixels[30 * 20 * 3], chunk[512] = "ICC Profile\0";
    const struct shape shape = {.width = 30, .height = 20, .channels = 3, .bits = 8, .orientation = 6};
    const struct codec_save save = {.quality = 70, .interlace = progressive};
    struct meta meta = {.block = malloc(4096), .size_bytes = 4096};
    profile[3] = sizeof profile;
    memcpy(profile + 16, "RGB ", 4);
    memcpy(profile + 36, "acsp", 4);
    /* A zlib stream of one stored block, its Adler-32 by the definition in RFC 1950. */
    memcpy(chunk + 13, "\x78\x01\x01\x84\0\x7b\xff", 7);
    memcpy(chunk + 20, profile, sizeof profile);
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < sizeof profile; i++) {
        a = (a + profile[i]) % 65521;
        b = (b + a) % 65521;
    }
    const uint8_t adler[4] = {(uint8_t)(b >> 8), (uint8_t)b, (uint8_t)(a >> 8), (uint8_t)a};
    memcpy(chunk + 20 + sizeof profile, adler, 4);
    assert_int_equal(meta_put(&meta, "iCCP", META_RGB_ONLY, chunk, 24 + sizeof profile), 0);
    assert_int_equal(meta_put(&meta, "eXIf", 0, exif, sizeof exif), 0);
    assert_int_equal(meta_put(&meta, "iTXt", 0, (const uint8_t *)"XML:com.adobe.xmp\0\0\0\0\0<x/>", 26), 0);
    assert_int_equal(meta_put(&meta, "pHYs", 0, (const uint8_t *)"\0\0\x2e\x23\0\0\x2e\x23\1", 9), 0);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 90 * 13);
    struct exact_file file;
    assert_int_equal(exact_encode(&jpeg_codec, &save, &shape, pixels, &meta, &file), 0);
    assert_int_equal(file.warnings, 0);
    free(meta.block);
    return file;
}

static int verdict(const uint8_t *bytes, size_t length_bytes, struct exact *exact)
{
    const int code = exact_decode(&jpeg_codec, bytes, length_bytes, &small_limits, exact);
    check_salvage(&jpeg_codec, &small_limits, bytes, length_bytes, exact, code);
    rows_check(&jpeg_codec, ROWS_EXTRA_BYTES, bytes, length_bytes, &small_limits, code, exact);
    if (code == 0)
        exact_free(exact);
    return code;
}

static void every_truncation_fails(void **state)
{
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        struct exact_file file = encoded(progressive);
        struct exact exact;
        assert_int_equal(verdict(file.bytes, file.length_bytes, &exact), 0);
        assert_int_equal(exact.warnings, 0);
        for (size_t length = 0; length < file.length_bytes; length += quick() ? 17 : 1)
            assert_int_equal(verdict(file.bytes, length, &exact), ERROR_CORRUPT);
        free(file.bytes);
    }
}

/* What a change makes of a file cannot always be seen; that nothing else happens can: exact_decode compares
 * two runs and watches the memory around them. */
static void every_changed_byte_is_survived(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0x10, 0xff};
    unsigned refused = 0;
    for (int progressive = 0; progressive < 2; progressive++) {
        struct exact_file file = encoded(progressive);
        struct exact exact;
        for (size_t at = 0; at < file.length_bytes; at++) {
            for (size_t c = 0; c < sizeof changes; c++) {
                if (quick_skip(29))
                    continue;
                file.bytes[at] ^= changes[c];
                refused += verdict(file.bytes, file.length_bytes, &exact) < 0;
                file.bytes[at] ^= changes[c];
            }
        }
        free(file.bytes);
    }
    assert_true(refused > (quick() ? 10 : 100));
}

static void check(struct made *made, int code, const char *reason)
{
    struct exact exact;
    assert_int_equal(verdict(made->bytes, made->length_bytes, &exact), code);
    if (reason && strcmp(code < 0 ? exact.error.reason : exact.warning, reason) != 0)
        fail_msg("\"%s\" instead of \"%s\"", code < 0 ? exact.error.reason : exact.warning, reason);
    free(made->bytes);
    *made = (struct made){0};
}

static void what_is_not_read_is_named(void **state)
{
    (void)state;
    static const struct {
        struct made_frame frame;
        int code;
        const char *reason;
    } cases[] = {
        {{0xc3, 8, 9, 9, 1, {0x11}}, ERROR_UNSUPPORTED, "lossless JPEG (SOF3) is not supported"},
        {{0xc5, 8, 9, 9, 1, {0x11}}, ERROR_UNSUPPORTED, "hierarchical JPEG (SOF5) is not supported"},
        {{0xc9, 8, 9, 9, 1, {0x11}}, ERROR_UNSUPPORTED, "arithmetic coding (SOF9) is not supported"},
        {{0xca, 8, 9, 9, 1, {0x11}}, ERROR_UNSUPPORTED, "arithmetic coding (SOF10) is not supported"},
        {{0xc1, 12, 9, 9, 1, {0x11}}, ERROR_UNSUPPORTED, "12 bits a sample are not supported, only 8"},
        {{0xc0, 8, 9, 0, 1, {0x11}},
         ERROR_UNSUPPORTED,
         "the height follows the pixels (DNL), which is not supported"},
        {{0xc0, 8, 9, 9, 2, {0x11, 0x11}}, ERROR_UNSUPPORTED, "2 components are neither grey, RGB nor CMYK"},
        {{0xc0, 8, 0, 9, 1, {0x11}}, ERROR_CORRUPT, "SOF: a width of 0"},
        {{0xc0, 8, 9, 9, 1, {0x51}}, ERROR_CORRUPT, "SOF: sampling factors 5x1 are not 1 to 4"},
        {{0xc0, 8, 60000, 60, 1, {0x11}},
         ERROR_LIMIT,
         "3600000 pixels, over max_pixels 300000; raise it with --max-pixels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made made = made_file(&cases[i].frame, 1);
        check(&made, cases[i].code, cases[i].reason);
    }
    struct made made = {0};
    made_put(&made, "not a JPEG", 10);
    check(&made, ERROR_CORRUPT, "not a JPEG file");
    made_start(&made);
    made_end(&made);
    check(&made, ERROR_CORRUPT, "has no image");
    /* 500 x 500 pixels take 3969 blocks, which take as many bits. */
    const struct made_frame empty = {0xc0, 8, 500, 500, 1, {0x11}};
    made_start(&made);
    made_tables(&made);
    made_frame(&made, &empty);
    made_segment(&made, 0xda, "\1\1\0\0\77\0", 6);
    made_end(&made);
    check(&made, ERROR_CORRUPT, "promises 500x500 pixels, more than 140 bytes can hold");
}

static void a_component_without_a_scan_is_damage(void **state)
{
    (void)state;
    for (unsigned progressive = 0; progressive < 2; progressive++) {
        struct made_frame frame = plain;
        struct made made = {0};
        frame.marker = progressive ? 0xc2 : 0xc0;
        made_start(&made);
        made_tables(&made);
        made_frame(&made, &frame);
        made_scan(&made, &frame, 0, 1, 0, progressive ? 0 : 63, 0, 0);
        made_scan(&made, &frame, 2, 3, 0, progressive ? 0 : 63, 0, 0);
        made_end(&made);
        check(&made, ERROR_CORRUPT, "file ends early, before a component's first scan");
    }
}

/* Each coefficient apart, bit by bit: legal, and as slow as can be. */
static void more_than_500_scans_are_refused(void **state)
{
    (void)state;
    const struct made_frame frame = {0xc2, 8, 20, 12, 1, {0x11}};
    for (unsigned most = 500; most <= 501; most++) {
        struct made made = {0};
        made_start(&made);
        made_tables(&made);
        made_frame(&made, &frame);
        made_scan(&made, &frame, 0, 1, 0, 0, 0, 0);
        for (unsigned i = 1; i < most; i++) {
            const unsigned k = (i - 1) / 10 + 1, low = 9 - (i - 1) % 10;
            made_scan(&made, &frame, 0, 1, k, k, low == 9 ? 0 : low + 1, low);
        }
        made_end(&made);
        check(&made, most <= 500 ? 0 : ERROR_LIMIT, most <= 500 ? "" : "has more than 500 scans");
    }
}

static void harmless_oddities_are_warnings(void **state)
{
    (void)state;
    struct made made = made_file(&plain, 1);
    made_put(&made, "abc", 3);
    check(&made, 0, "3 bytes after the end of the image");
    made_start(&made);
    made_put(&made, "\xff\xfe\0\4xx\0\0", 8); /* a comment, and two bytes too many */
    made_tables(&made);
    made_frame(&made, &plain);
    made_scan(&made, &plain, 0, 3, 0, 63, 0, 0);
    made_end(&made);
    check(&made, 0, "Corrupt JPEG data: 2 extraneous bytes before marker 0xdb");
    made_start(&made);
    made_segment(&made, 0xe2, "ICC_PROFILE\0\1\2part", 18);
    made_tables(&made);
    made_frame(&made, &plain);
    made_scan(&made, &plain, 0, 3, 0, 63, 0, 0);
    made_end(&made);
    check(&made, 0, "colour profile: not all of its parts are there");
}

/* More metadata before the size than the head has: all of the file is asked for, and then it is read. */
static void a_long_header_asks_for_the_whole_file(void **state)
{
    (void)state;
    struct made made = {0};
    static uint8_t filling[40000];
    struct codec_info info;
    struct error error;
    made_start(&made);
    made_segment(&made, 0xed, filling, sizeof filling);
    made_segment(&made, 0xed, filling, sizeof filling);
    made_tables(&made);
    made_frame(&made, &plain);
    made_scan(&made, &plain, 0, 3, 0, 63, 0, 0);
    made_end(&made);
    assert_int_equal(
        jpeg_codec.peek(made.bytes, CODEC_HEAD_BYTES, made.length_bytes, &small_limits, &info, &error),
        ERROR_ROOM);
    assert_string_equal(error.reason,
                        "the header, with profile, EXIF and previews, is longer than 65536 bytes");
    assert_int_equal(
        jpeg_codec.peek(made.bytes, made.length_bytes, made.length_bytes, &small_limits, &info, &error), 0);
    assert_int_equal(info.shape.width, plain.width);
    free(made.bytes);
}

/* Where the plan's memory is not given, that is an error and not a crash. */
static void too_little_memory_is_an_error(void **state)
{
    (void)state;
    struct exact_file file = encoded(true);
    struct codec_info info;
    struct error error = {0};
    uint8_t pixels[30 * 20 * 3], meta_block[2048];
    assert_int_equal(
        jpeg_codec.peek(file.bytes, file.length_bytes, file.length_bytes, &small_limits, &info, NULL), 0);
    assert_int_equal(info.shape.orientation, 6);
    size_t need = 0;
    for (size_t scratch_bytes = 0; scratch_bytes <= info.scratch_bytes; scratch_bytes += 1024) {
        struct scratch scratch = exact_scratch(scratch_bytes, 0);
        struct meta meta = {.block = meta_block, .size_bytes = sizeof meta_block};
        struct codec_decode job = {.limits = &small_limits,
                                   .bytes = file.bytes,
                                   .length_bytes = file.length_bytes,
                                   .pixels = pixels,
                                   .pixels_bytes = sizeof pixels,
                                   .meta = &meta,
                                   .scratch = &scratch};
        const int code = jpeg_codec.decode(&job, &error);
        exact_fence(scratch.base, scratch_bytes);
        assert_true(code == 0 || code == ERROR_MEMORY);
        need = code == 0 && need == 0 ? scratch_bytes : need;
        if (code == 0) {
            scratch.used_bytes = meta.used_bytes = 0;
            job.pixels_bytes--;
            assert_int_equal(jpeg_codec.decode(&job, &error), ERROR_MEMORY);
        }
        free(scratch.base);
    }
    assert_in_range(need, 4096, info.scratch_bytes);
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(what_is_not_read_is_named),
        cmocka_unit_test(a_component_without_a_scan_is_damage),
        cmocka_unit_test(more_than_500_scans_are_refused),
        cmocka_unit_test(harmless_oddities_are_warnings),
        cmocka_unit_test(a_long_header_asks_for_the_whole_file),
        cmocka_unit_test(too_little_memory_is_an_error),
    };
    if (jpeg_codec.shrinks == 0) {
        print_message("skipped: this build lacks libjpeg\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
