/* SPDX-License-Identifier: MIT */
/* Pixels: every kind of PNG, written by libpng from samples made here, must decode to what the samples say.
 */
#include <stdio.h>

#include "codec_exact.h"
#include "png_reference.h"

extern const struct codec png_codec;

#define W 19
#define H 11

enum { GREY = PNG_COLOR_TYPE_GRAY, PALETTE = PNG_COLOR_TYPE_PALETTE, RGB = PNG_COLOR_TYPE_RGB };

static unsigned channels_of(int colour)
{
    return colour == GREY || colour == PALETTE   ? 1
           : colour == RGB                       ? 3
           : colour == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                 : 4;
}

/* Sample values of the file, before any expansion. */
static unsigned sample_at(unsigned x, unsigned y, unsigned c, int depth)
{
    unsigned mix = (x * 2654435761u + y * 40503u + c * 69069u) ^ (x * y + 77u * c);
    return (mix >> 7) & ((1u << depth) - 1);
}

static png_color colour_at(unsigned index)
{
    return (png_color){(png_byte)(index * 7 + 3), (png_byte)(255 - index), (png_byte)(index * index)};
}

static png_byte alpha_at(unsigned index)
{
    return (png_byte)(index * 37 + 5);
}

/* Palettes are full, and have alpha for half of their entries. */
static void write_file(struct reference_bytes *to, int colour, int depth, bool interlaced, bool transparent)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color palette[256];
    png_byte alpha[256], row[W * 8];
    png_color_16 key = {.red = (png_uint_16)sample_at(3, 2, 0, depth),
                        .green = (png_uint_16)sample_at(3, 2, 1, depth),
                        .blue = (png_uint_16)sample_at(3, 2, 2, depth),
                        .gray = (png_uint_16)sample_at(3, 2, 0, depth)};
    assert_int_equal(setjmp(png_jmpbuf(png)), 0);
    png_set_write_fn(png, to, reference_write, reference_flush);
    png_set_IHDR(png, info, W, H, depth, colour, interlaced, 0, 0);
    for (unsigned i = 0; i < 256; i++) {
        palette[i] = colour_at(i);
        alpha[i] = alpha_at(i);
    }
    if (colour == PALETTE)
        png_set_PLTE(png, info, palette, 1 << depth);
    if (transparent)
        png_set_tRNS(png, info, alpha, (1 << depth) / 2, colour == PALETTE ? NULL : &key);
    png_write_info(png, info);
    if (depth < 8)
        png_set_packing(png);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++) {
        for (unsigned y = 0; y < H; y++) {
            for (unsigned x = 0, at = 0; x < W; x++) {
                for (unsigned c = 0; c < channels_of(colour); c++) {
                    unsigned sample = sample_at(x, y, c, depth);
                    if (depth == 16)
                        row[at++] = (png_byte)(sample >> 8);
                    row[at++] = (png_byte)sample;
                }
            }
            png_write_row(png, row);
        }
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* What the decoded pixel must hold; returns the channels. */
static unsigned expected_at(unsigned x, unsigned y, int colour, int depth, bool transparent, unsigned out[4])
{
    unsigned channels = channels_of(colour), full = depth == 16 ? 65535 : 255;
    bool keyed = true;
    if (colour == PALETTE) {
        unsigned index = sample_at(x, y, 0, depth);
        png_color entry = colour_at(index);
        out[0] = entry.red;
        out[1] = entry.green;
        out[2] = entry.blue;
        out[3] = index < (1u << depth) / 2 ? alpha_at(index) : 255;
        return transparent ? 4 : 3;
    }
    for (unsigned c = 0; c < channels; c++) {
        unsigned sample = sample_at(x, y, c, depth);
        keyed &= sample == sample_at(3, 2, c, depth);
        out[c] = depth < 8 ? sample * 255 / ((1u << depth) - 1) : sample;
    }
    if (transparent)
        out[channels++] = keyed ? 0 : full;
    return channels;
}

static void check_case(int colour, int depth, bool interlaced, bool transparent)
{
    struct reference_bytes file = {0};
    struct exact exact;
    write_file(&file, colour, depth, interlaced, transparent);
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
    assert_int_equal(exact.warnings, 0);
    assert_int_equal(exact.shape.width, W);
    assert_int_equal(exact.shape.height, H);
    bool few = depth < 8 && colour == GREY && !transparent;
    assert_int_equal(exact.shape.bits, few ? depth : depth == 16 ? 16 : 8);
    assert_int_equal(exact.shape.bits, exact.info.shape.bits);
    assert_int_equal(exact.shape.channels, exact.info.shape.channels);
    unsigned want[4] = {0};
    size_t at = 0;
    for (unsigned y = 0; y < H; y++) {
        for (unsigned x = 0; x < W; x++) {
            unsigned channels = expected_at(x, y, colour, depth, transparent, want);
            assert_int_equal(exact.shape.channels, channels);
            for (unsigned c = 0; c < channels; c++, at++) {
                uint16_t wide;
                memcpy(&wide, exact.pixels + at * (depth == 16 ? 2 : 0), sizeof wide);
                assert_int_equal(depth == 16 ? wide : exact.pixels[at], want[c]);
            }
        }
    }
    exact_free(&exact);
    free(file.bytes);
}

static void every_kind_decodes_to_its_samples(void **state)
{
    (void)state;
    static const int depths[] = {1, 2, 4, 8, 16};
    unsigned cases = 0;
    for (int colour = 0; colour <= 6; colour++) {
        for (unsigned i = 0; i < 5; i++) {
            int depth = depths[i];
            if (colour == 1 || colour == 5 || (colour == PALETTE && depth == 16) ||
                (colour != GREY && colour != PALETTE && depth < 8))
                continue;
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                check_case(colour, depth, interlaced, false);
                cases++;
                if (!(colour & PNG_COLOR_MASK_ALPHA)) {
                    check_case(colour, depth, interlaced, true);
                    cases++;
                }
            }
        }
    }
    assert_int_equal(cases, 15 * 2 + 11 * 2); /* 15 kinds, 11 of them without alpha of their own */
}

/* Adam7 on images smaller than its pattern has empty passes. */
static void small_sizes_decode_interlaced(void **state)
{
    (void)state;
    for (uint32_t width = 1; width <= 9; width++) {
        for (uint32_t height = 1; height <= 9; height++) {
            struct shape shape = {
                .width = width, .height = height, .channels = 3, .sample = SAMPLE_U8, .bits = 8};
            struct codec_save save = {.compression = COMPRESSION_FAST, .level = -1, .interlace = true};
            uint8_t pixels[9 * 9 * 3];
            for (unsigned i = 0; i < sizeof pixels; i++)
                pixels[i] = (uint8_t)(i * 5 + width);
            struct exact_file file;
            struct exact exact;
            assert_int_equal(exact_encode(&png_codec, &save, &shape, pixels, NULL, &file), 0);
            assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact),
                             0);
            assert_memory_equal(exact.pixels, pixels, shape_bytes(&shape));
            exact_free(&exact);
            free(file.bytes);
        }
    }
}

static int peek_sized(uint32_t width, uint32_t height, const struct codec_limits *limits, struct error *error)
{
    struct reference_bytes file = {0};
    struct codec_info info;
    reference_start(&file, width, height, 8, RGB, 0);
    /* A file long enough to hold that many pixels, as far as its header can tell. */
    int code = png_codec.peek(file.bytes, file.length_bytes, UINT64_C(1) << 50, limits, &info, error);
    free(file.bytes);
    return code;
}

static void limits_name_the_value_and_the_setting(void **state)
{
    (void)state;
    struct codec_limits limits = {.max_pixels = 256000000, .max_width = 1000000, .max_height = 50000};
    struct error error = {0};
    assert_int_equal(peek_sized(20000, 20000, &limits, &error), ERROR_LIMIT);
    assert_string_equal(error.reason,
                        "400000000 pixels, over max_pixels 256000000; raise it with --max-pixels");
    assert_int_equal(peek_sized(1000001, 1, &limits, &error), ERROR_LIMIT);
    assert_string_equal(error.reason,
                        "1000001 pixels wide, over max_width 1000000; raise it with --max-width");
    assert_int_equal(peek_sized(1, 50001, &limits, &error), ERROR_LIMIT);
    assert_string_equal(error.reason, "50001 pixels high, over max_height 50000; raise it with --max-height");
    assert_int_equal(peek_sized(16000, 16000, &limits, &error), 0);
    assert_int_equal(peek_sized(0, 1, &limits, &error), ERROR_CORRUPT);
    assert_int_equal(peek_sized(0x80000000u, 1, &limits, &error), ERROR_CORRUPT);
}

static void a_claim_that_no_file_of_the_size_can_hold_is_refused(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct codec_info info;
    struct error error = {0};
    reference_start(&file, 7000, 7000, 8, RGB, 0);
    assert_int_equal(png_codec.peek(file.bytes, file.length_bytes, 100, &exact_limits, &info, &error),
                     ERROR_CORRUPT);
    assert_string_equal(error.reason, "promises 7000x7000 pixels, more than 100 bytes can hold");
    free(file.bytes);
}

/* A head that ends before the pixels cannot tell whether transparency comes. */
static void a_short_head_plans_for_transparency(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct codec_info info;
    reference_start(&file, 10, 10, 8, RGB, 0);
    size_t cut = file.length_bytes;
    reference_finish(&file, 310);
    assert_int_equal(png_codec.peek(file.bytes, cut, file.length_bytes, &exact_limits, &info, NULL), 0);
    assert_int_equal(info.shape.channels, 4);
    assert_int_equal(
        png_codec.peek(file.bytes, file.length_bytes, file.length_bytes, &exact_limits, &info, NULL), 0);
    assert_int_equal(info.shape.channels, 3);
    assert_int_equal(info.meta_bytes, 0);
    free(file.bytes);
}

/* A session of libpng, and the 86 KiB that ISA-L inflates with. */
static void an_icon_needs_little_scratch(void **state)
{
    (void)state;
    struct reference_bytes file = {0};
    struct exact exact;
    reference_start(&file, 48, 48, 8, PNG_COLOR_TYPE_RGB_ALPHA, 0);
    reference_finish(&file, 48 * 193);
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
    assert_in_range(exact.info.scratch_bytes, 1, 384 << 10);
    exact_free(&exact);
    free(file.bytes);
}

/* libpng asks for a larger buffer whenever a larger chunk comes; that must not add up. */
static void growing_chunks_stay_in_the_plan(void **state)
{
    (void)state;
    enum { SIDE = 1500, RAW = SIDE * (SIDE + 1) };
    struct reference_bytes file = {0};
    struct exact exact;
    uint8_t *raw = calloc(RAW, 1);
    for (size_t i = 0; i < RAW; i++) /* noise, that does not compress; every filter byte 0 */
        raw[i] = i % (SIDE + 1) ? (uint8_t)((i * 2654435761u) >> 23) : 0;
    uLong length = compressBound(RAW);
    uint8_t *stream = malloc(length);
    assert_int_equal(compress2(stream, &length, raw, RAW, 0), Z_OK);
    reference_start(&file, SIDE, SIDE, 8, GREY, 0);
    for (size_t at = 0, size = 1; at < length; size += 16) {
        size_t take = size < length - at ? size : length - at;
        reference_chunk(&file, "IDAT", stream + at, take);
        at += take;
    }
    reference_chunk(&file, "IEND", NULL, 0);
    assert_int_equal(exact_decode(&png_codec, file.bytes, file.length_bytes, &exact_limits, &exact), 0);
    for (size_t y = 0; y < SIDE; y++)
        assert_memory_equal(exact.pixels + y * SIDE, raw + y * (SIDE + 1) + 1, SIDE);
    exact_free(&exact);
    free(stream);
    free(raw);
    free(file.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_decodes_to_its_samples),
        cmocka_unit_test(small_sizes_decode_interlaced),
        cmocka_unit_test(limits_name_the_value_and_the_setting),
        cmocka_unit_test(a_claim_that_no_file_of_the_size_can_hold_is_refused),
        cmocka_unit_test(a_short_head_plans_for_transparency),
        cmocka_unit_test(an_icon_needs_little_scratch),
        cmocka_unit_test(growing_chunks_stay_in_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
