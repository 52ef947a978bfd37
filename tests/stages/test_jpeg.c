/* SPDX-License-Identifier: MIT */
/* JPEG files that are sound: hand-made ones of every layout, and the encoder's own. Equality of pixels with
 * Pillow's is tests/reference/compare_codecs.py's matter. */
#include <stdio.h>

#include "codec_rows.h"
#include "jpeg_made.h"
#include "tests/quick.h"

extern const struct codec jpeg_codec;

/* More than reading by rows takes beside what peek counts. */
#define ROWS_EXTRA_BYTES 8192

static void all_are(const struct exact *exact, unsigned value)
{
    for (size_t i = 0; i < shape_bytes(&exact->shape); i++)
        assert_int_equal(exact->pixels[i], value);
}

/* No differences anywhere means grey of 128 (T.81, A.3.1), and CMYK's ink or light of 128 each. */
static void check_flat(const struct made_frame *frame, int together)
{
    struct made made = made_file(frame, together);
    struct exact exact;
    const int code = exact_decode(&jpeg_codec, made.bytes, made.length_bytes, &exact_limits, &exact);
    rows_check(&jpeg_codec, ROWS_EXTRA_BYTES, made.bytes, made.length_bytes, &exact_limits, code, &exact);
    if (code == ERROR_UNSUPPORTED) {
        assert_non_null(strstr(exact.error.reason, "Fractional sampling"));
    } else {
        if (code < 0)
            fail_msg("%ux%u: %s", frame->width, frame->height, exact.error.reason);
        assert_int_equal(exact.shape.width, frame->width);
        assert_int_equal(exact.shape.height, frame->height);
        assert_int_equal(exact.shape.channels, frame->components == 1 ? 1 : 3);
        all_are(&exact, frame->components == 4 ? 63 : 128); /* 127 x 127 / 255 */
        assert_int_equal(exact.warnings, 0);
        exact_free(&exact);
    }
    free(made.bytes);
}

static void every_layout_is_read_in_the_planned_memory(void **state)
{
    (void)state;
    static const unsigned sizes[][2] = {{1, 1}, {17, 9}, {65, 40}, {9, 300}, {700, 8}};
    static const uint8_t factors[] = {0x11, 0x21, 0x12, 0x22, 0x41, 0x14, 0x42, 0x31, 0x44};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t f = 0; f < sizeof factors; f++) {
            for (unsigned kind = 0; kind < 12; kind++) {
                struct made_frame frame = {.marker = kind & 1 ? 0xc2 : 0xc0,
                                           .precision = 8,
                                           .width = sizes[s][0],
                                           .height = sizes[s][1],
                                           .components = kind < 4   ? 1
                                                         : kind < 8 ? 3
                                                                    : 4,
                                           .sampling = {factors[f], 0x11, 0x11, 0x11}};
                if (kind >= 8 && factors[f] < 0x41)
                    frame.sampling[3] = factors[f];
                unsigned blocks = 0;
                for (unsigned c = 0; c < frame.components; c++)
                    blocks += (unsigned)(frame.sampling[c] >> 4) * (frame.sampling[c] & 15);
                if (blocks > 10 && (kind & 2) && frame.components > 1)
                    continue; /* not allowed together: T.81, B.2.3 */
                if (!quick_skip(5))
                    check_flat(&frame, kind & 2);
            }
        }
    }
}

static void a_part_of_the_size_is_rounded_up(void **state)
{
    (void)state;
    for (unsigned width = 1; width < 40; width += 3) {
        struct made_frame frame = {0xc0, 8, width, 41 - width, 3, {0x22, 0x11, 0x11}};
        struct made made = made_file(&frame, 1);
        for (unsigned shrink = 1; shrink <= jpeg_codec.shrinks; shrink++) {
            struct codec_info info;
            assert_int_equal(
                jpeg_codec.peek(made.bytes, made.length_bytes, made.length_bytes, &exact_limits, &info, NULL),
                0);
            const struct shape want = codec_shrunk(&info.shape, shrink);
            struct exact exact = {.pixels = exact_take(shape_bytes(&want), 0)};
            struct scratch scratch = {.base = exact_take(info.scratch_bytes, 0),
                                      .size_bytes = info.scratch_bytes};
            struct codec_decode job = {.limits = &exact_limits,
                                       .bytes = made.bytes,
                                       .length_bytes = made.length_bytes,
                                       .pixels = exact.pixels,
                                       .pixels_bytes = shape_bytes(&want),
                                       .shrink = shrink,
                                       .scratch = &scratch};
            assert_int_equal(jpeg_codec.decode(&job, NULL), 0);
            exact_fence(exact.pixels, shape_bytes(&want));
            assert_int_equal(job.shape.width, (width + (1u << shrink) - 1) >> shrink);
            assert_int_equal(job.shape.full_width, width);
            assert_int_equal(job.shape.height, want.height);
            assert_int_equal(job.shape.full_height, want.full_height);
            assert_int_equal(job.shape.channels, want.channels);
            exact.shape = job.shape;
            all_are(&exact, 128);
            free(scratch.base);
            exact_free(&exact);
        }
        free(made.bytes);
    }
}

/* What Adobe's programs write is light, and a segment says so. */
static void adobe_cmyk_is_inverted(void **state)
{
    (void)state;
    const struct made_frame frame = {0xc0, 8, 20, 20, 4, {0x11, 0x11, 0x11, 0x11}};
    struct made made = {0};
    made_start(&made);
    made_segment(&made, 0xee, "Adobe\0\x64\0\0\0\0\0", 12);
    made_tables(&made);
    made_frame(&made, &frame);
    made_scan(&made, &frame, 0, 4, 0, 63, 0, 0);
    made_end(&made);
    struct exact exact;
    assert_int_equal(exact_decode(&jpeg_codec, made.bytes, made.length_bytes, &exact_limits, &exact), 0);
    all_are(&exact, 64); /* 128 x 128 / 255 */
    exact_free(&exact);
    free(made.bytes);
}

/* Noise, or only its two ends: nothing takes more bytes. */
static uint8_t *noise(const struct shape *shape, bool ends)
{
    uint8_t *pixels = malloc(shape_bytes(shape));
    uint32_t state = 12345;
    for (size_t i = 0; i < shape_bytes(shape); i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(ends ? (state >> 31) * 255 : state >> 24);
    }
    return pixels;
}

static void the_worst_pixels_fit_the_planned_file(void **state)
{
    (void)state;
    static const int qualities[] = {1, 50, 80, 89, 90, 95, 100};
    static const uint32_t sizes[][2] = {{1, 1}, {3, 150}, {203, 117}};
    for (unsigned i = 0; i < 2 * 2 * 7 * 3 * 5 * 4; i++) {
        const uint32_t *size = sizes[i / 28 % 3];
        if (quick_skip(11))
            continue;
        const struct shape shape = {
            .width = size[0], .height = size[1], .channels = i & 1 ? 3 : 1, .bits = 8};
        const struct codec_save save = {
            .quality = qualities[i / 4 % 7], .compression = (int)(i / 84 % 5), .subsampling = (int)(i / 420)};
        const bool fine = shape.channels == 1 || save.subsampling <= SUBSAMPLING_444;
        uint8_t *pixels = noise(&shape, i & 2);
        struct exact_file file;
        struct exact exact;
        if (exact_encode(&jpeg_codec, &save, &shape, pixels, NULL, &file) < 0)
            fail_msg("quality %d, compression %d: %s", (int)save.quality, save.compression,
                     file.error.reason);
        assert_int_equal(exact_decode(&jpeg_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
        assert_int_equal(exact.shape.channels, shape.channels);
        assert_int_equal(exact.warnings, 0);
        /* At quality 100 only roundings are left: half a step in each of two transforms and the colours. */
        for (size_t k = 0; fine && save.quality == 100 && k < shape_bytes(&shape); k++)
            assert_in_range(exact.pixels[k] + 6, pixels[k], pixels[k] + 12);
        exact_free(&exact);
        free(file.bytes);
        free(pixels);
    }
}

static void what_jpeg_cannot_hold_is_refused_with_advice(void **state)
{
    (void)state;
    struct codec_plan plan;
    struct error error;
    const struct codec_save save = {.quality = 85};
    struct shape shape = {.width = 4, .height = 4, .channels = 4, .bits = 8};
    assert_int_equal(jpeg_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "jpeg holds no alpha channel; put flatten last");
    shape.channels = 3;
    shape.sample = SAMPLE_U16;
    assert_int_equal(jpeg_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
    assert_string_equal(error.reason, "jpeg holds 8 bits a sample; put cast:type=u8 last");
    shape.sample = SAMPLE_U8;
    shape.width = 65501;
    assert_int_equal(jpeg_codec.plan(&save, &shape, 0, &plan, &error), ERROR_UNSUPPORTED);
}

/* The words make files smaller in this order, and do not touch a pixel. */
static void compression_changes_no_pixel(void **state)
{
    (void)state;
    const struct shape shape = {.width = 200, .height = 150, .channels = 3, .bits = 8};
    uint8_t *pixels = malloc(shape_bytes(&shape));
    for (size_t i = 0; i < shape_bytes(&shape); i++)
        pixels[i] = (uint8_t)(i / 3 % 200 + i / 600 + (i / 3 % 7) * (i % 3) * 3);
    struct exact_file files[5];
    struct exact first, other;
    for (int word = COMPRESSION_FASTEST; word <= COMPRESSION_SMALLEST; word++) {
        const struct codec_save save = {.quality = 80, .compression = word};
        assert_int_equal(exact_encode(&jpeg_codec, &save, &shape, pixels, NULL, &files[word]), 0);
        struct exact *exact = word ? &other : &first;
        assert_int_equal(
            exact_decode(&jpeg_codec, files[word].bytes, files[word].length_bytes, &exact_limits, exact), 0);
        if (word) {
            assert_memory_equal(exact->pixels, first.pixels, shape_bytes(&shape));
            assert_true(files[word].length_bytes <= files[word - 1].length_bytes);
            exact_free(exact);
        }
    }
    assert_true(files[COMPRESSION_BALANCED].length_bytes < files[COMPRESSION_FAST].length_bytes);
    for (int word = 0; word < 5; word++)
        free(files[word].bytes);
    exact_free(&first);
    free(pixels);
}

/* The frame header says so, and colour is as fine as that: lines of red and blue, one pixel each, stay lines
 * where they run along what is halved, and become their mean where they run across it. */
static void colour_is_stored_as_finely_as_asked_for(void **state)
{
    (void)state;
    static const struct {
        int quality, subsampling;
        uint8_t factors;
        bool across, down;
    } cases[] = {
        {85, SUBSAMPLING_AUTO, 0x22, false, false}, {90, SUBSAMPLING_AUTO, 0x11, true, true},
        {85, SUBSAMPLING_444, 0x11, true, true},    {85, SUBSAMPLING_422, 0x21, false, true},
        {95, SUBSAMPLING_420, 0x22, false, false},  {85, SUBSAMPLING_420, 0x22, false, false},
    };
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const struct shape shape = {.width = 64, .height = 48, .channels = 3, .bits = 8};
        const struct codec_save save = {.quality = cases[i / 2].quality,
                                        .subsampling = cases[i / 2].subsampling};
        const bool upright = i % 2 == 0;
        uint8_t *pixels = calloc(1, shape_bytes(&shape));
        for (unsigned p = 0; p < 64 * 48; p++)
            pixels[3 * p + (upright ? p % 64 % 2 : p / 64 % 2) * 2] = 255;
        struct exact_file file;
        struct exact exact;
        assert_int_equal(exact_encode(&jpeg_codec, &save, &shape, pixels, NULL, &file), 0);
        const uint8_t *frame = memmem(file.bytes, file.length_bytes, "\xff\xc0\0\x11\x8", 5);
        assert_non_null(frame);
        assert_int_equal(frame[11], cases[i / 2].factors);
        assert_int_equal(exact_decode(&jpeg_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
        const uint8_t *middle = exact.pixels + 3 * (24 * 64 + 32), *next = middle + (upright ? 3 : 3 * 64);
        const int apart = abs(middle[0] - next[0]);
        if (upright ? cases[i / 2].across : cases[i / 2].down)
            assert_in_range(apart, 150, 255);
        else
            assert_in_range(apart, 0, 60);
        exact_free(&exact);
        free(file.bytes);
        free(pixels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_is_read_in_the_planned_memory),
        cmocka_unit_test(a_part_of_the_size_is_rounded_up),
        cmocka_unit_test(adobe_cmyk_is_inverted),
        cmocka_unit_test(the_worst_pixels_fit_the_planned_file),
        cmocka_unit_test(what_jpeg_cannot_hold_is_refused_with_advice),
        cmocka_unit_test(compression_changes_no_pixel),
        cmocka_unit_test(colour_is_stored_as_finely_as_asked_for),
    };
    if (jpeg_codec.shrinks == 0) {
        print_message("skipped: this build lacks libjpeg\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
