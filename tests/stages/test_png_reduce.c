/* SPDX-License-Identifier: MIT */
/* save.reduce: files have the least colour type and depth that hold their pixels, libpng finds the same
 * pixels in them, and what else they hold stays valid. */
#include <stdio.h>

#include "codec_exact.h"
#include "png_reference.h"
#include "tests/quick.h"

extern const struct codec png_codec;

enum { WIDTH = 97, HEIGHT = 61, TYPE = 25, DEPTH = 24 /* where they lie in a file */ };

/* 16-bit samples of a pixel; number is y * WIDTH + x. */
typedef void (*painter)(unsigned number, uint16_t rgba[4]);

static void set(uint16_t rgba[4], unsigned red, unsigned green, unsigned blue, unsigned alpha)
{
    rgba[0] = (uint16_t)(red % 256 * 257);
    rgba[1] = (uint16_t)(green % 256 * 257);
    rgba[2] = (uint16_t)(blue % 256 * 257);
    rgba[3] = (uint16_t)(alpha % 256 * 257);
}

#define PAINTER(name, red, green, blue, alpha)                                                               \
    static void name(unsigned n, uint16_t rgba[4])                                                           \
    {                                                                                                        \
        set(rgba, red, green, blue, alpha);                                                                  \
    }
PAINTER(black_white, n % 3 ? 255 : 0, n % 3 ? 255 : 0, n % 3 ? 255 : 0, 255)
PAINTER(grey_85, n % 4 * 85, n % 4 * 85, n % 4 * 85, 255)
PAINTER(grey_17, n % 16 * 17, n % 16 * 17, n % 16 * 17, 255)
PAINTER(grey_3, n % 3 * 50, n % 3 * 50, n % 3 * 50, 255)
PAINTER(grey_256, n, n, n, 255)
PAINTER(grey_clear, n, n, n, n / 256)
PAINTER(colours, n, n / 256, 7, 255)
PAINTER(clear_colours, n, n / 256, 7, n / 16)
PAINTER(colours_2, n % 2 * 200, 9, 9, 255)
PAINTER(colours_3, n % 3 * 100, 9, 9, 255)
PAINTER(colours_16, n % 16, 9, 9, 255)
PAINTER(colours_17, n % 17, 9, 9, 255)
PAINTER(colours_256, n % 256, 9, 9, 255)
PAINTER(colours_257, n % 257 % 256, n % 257 / 256, 9, 255)
PAINTER(clear_5, n % 5 * 50, 9, 9, n % 5 * 20)
PAINTER(hidden_3, n % 3, n % 3, 4, 0) /* colours that nobody sees stay, too */
PAINTER(last_differs, n == WIDTH * HEIGHT - 1 ? 7 : n, n, n, n == WIDTH * HEIGHT - 1 ? 254 : 255)

static void fine_grey(unsigned n, uint16_t rgba[4])
{
    rgba[0] = rgba[1] = rgba[2] = (uint16_t)(n * 11);
    rgba[3] = 65535;
}

static void fine_colours(unsigned n, uint16_t rgba[4])
{
    fine_grey(n, rgba);
    rgba[1] = (uint16_t)(n * 7);
}

static const struct {
    painter paint;
    uint8_t channels, bits;
    int type, depth;
} cases[] = {
    {black_white, 4, 8, 0, 1},    {black_white, 3, 16, 0, 1},   {black_white, 2, 8, 0, 1},
    {black_white, 1, 16, 0, 1},   {black_white, 1, 4, 0, 1},    {grey_85, 3, 8, 0, 2},
    {grey_85, 1, 4, 0, 2},        {grey_17, 1, 8, 0, 4},        {grey_17, 4, 16, 0, 4},
    {grey_3, 1, 8, 0, 8},         {grey_3, 3, 8, 3, 2},         {grey_256, 3, 8, 0, 8},
    {grey_256, 2, 16, 0, 8},      {grey_clear, 4, 8, 4, 8},     {grey_clear, 2, 16, 4, 8},
    {colours, 4, 8, 2, 8},        {colours, 3, 16, 2, 8},       {clear_colours, 4, 8, 6, 8},
    {clear_colours, 4, 16, 6, 8}, {colours_2, 3, 8, 3, 1},      {colours_3, 4, 8, 3, 2},
    {colours_16, 3, 16, 3, 4},    {colours_17, 4, 8, 3, 8},     {colours_256, 3, 8, 3, 8},
    {colours_257, 3, 8, 2, 8},    {clear_5, 4, 8, 3, 4},        {clear_5, 4, 16, 3, 4},
    {hidden_3, 4, 8, 3, 2},       {last_differs, 4, 8, 6, 8},   {fine_grey, 1, 16, 0, 16},
    {fine_grey, 4, 16, 0, 16},    {fine_colours, 3, 16, 2, 16}, {fine_colours, 4, 16, 2, 16},
};
#define CASES (sizeof cases / sizeof *cases)

static struct shape shape_of(uint32_t width, uint32_t height, uint8_t channels, uint8_t bits)
{
    return (struct shape){.width = width,
                          .height = height,
                          .channels = channels,
                          .sample = bits == 16 ? SAMPLE_U16 : SAMPLE_U8,
                          .bits = bits};
}

static uint8_t *paint(const struct shape *shape, painter how)
{
    uint8_t *pixels = malloc(shape_bytes(shape));
    size_t at = 0;
    for (unsigned number = 0; number < shape->width * shape->height; number++) {
        uint16_t rgba[4];
        how(number, rgba);
        for (unsigned channel = 0; channel < shape->channels; channel++) {
            bool alpha = shape->channels % 2 == 0 && channel + 1u == shape->channels;
            uint16_t sample = rgba[alpha ? 3 : channel];
            if (shape->sample == SAMPLE_U8)
                pixels[at++] = (uint8_t)(sample >> 8);
            else
                memcpy(pixels + at, &sample, 2), at += 2;
        }
    }
    return pixels;
}

/* A pixel in 16 bits and four channels, whatever it is stored as. */
static uint64_t pixel_at(const uint8_t *pixels, size_t number, unsigned channels, unsigned sample_bytes)
{
    uint16_t sample[4] = {0}, rgba[4];
    for (unsigned channel = 0; channel < channels; channel++) {
        const uint8_t *from = pixels + (number * channels + channel) * sample_bytes;
        if (sample_bytes == 2)
            memcpy(&sample[channel], from, 2);
        else
            sample[channel] = (uint16_t)(*from * 257);
    }
    for (unsigned i = 0; i < 3; i++)
        rgba[i] = sample[channels < 3 ? 0 : i];
    rgba[3] = channels % 2 == 0 ? sample[channels - 1] : 65535;
    return (uint64_t)rgba[0] << 48 | (uint64_t)rgba[1] << 32 | (uint64_t)rgba[2] << 16 | rgba[3];
}

static void check_same(const struct shape *shape, const uint8_t *pixels, const uint8_t *others,
                       unsigned channels, unsigned sample_bytes)
{
    unsigned own_bytes = (unsigned)shape_sample_bytes(shape->sample);
    for (size_t i = 0; i < (size_t)shape->width * shape->height; i++)
        if (pixel_at(pixels, i, shape->channels, own_bytes) != pixel_at(others, i, channels, sample_bytes))
            fail_msg("pixel %zu is another", i);
}

/* Saves, and sees that libpng and the codec find the same pixels. The file is the caller's. */
static void save_and_check(const struct codec_save *save, const struct shape *shape, const uint8_t *pixels,
                           const struct meta *meta, struct exact_file *file)
{
    struct reference_image image;
    struct exact exact;
    if (exact_encode(&png_codec, save, shape, pixels, meta, file) < 0)
        fail_msg("%s", file->error.reason);
    assert_int_equal(file->warnings, 0);
    assert_int_equal(reference_decode(file->bytes, file->length_bytes, UINT64_MAX, &image), 0);
    check_same(shape, pixels, image.pixels, image.channels, image.depth / 8);
    reference_free(&image);
    assert_int_equal(exact_decode(&png_codec, file->bytes, file->length_bytes, &exact_limits, &exact), 0);
    assert_int_equal(exact.warnings, 0);
    check_same(shape, pixels, exact.pixels, exact.shape.channels,
               (unsigned)shape_sample_bytes(exact.shape.sample));
    exact_free(&exact);
}

static struct codec_save save_number(unsigned number)
{
    return (struct codec_save){.compression = number < 5 ? (int)number : COMPRESSION_FAST,
                               .level = number == 5 ? 0 : -1,
                               .interlace = number == 6,
                               .reduce = true};
}

static void each_becomes_the_least_type_that_holds_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct shape shape = shape_of(WIDTH, HEIGHT, cases[i].channels, cases[i].bits);
        uint8_t *pixels = paint(&shape, cases[i].paint);
        for (unsigned number = 0; number < 7; number += quick() ? 3 : 1) {
            struct codec_save save = save_number(number);
            struct exact_file file;
            save_and_check(&save, &shape, pixels, NULL, &file);
            if (file.bytes[TYPE] != cases[i].type || file.bytes[DEPTH] != cases[i].depth)
                fail_msg("case %zu: type %d, depth %d", i, file.bytes[TYPE], file.bytes[DEPTH]);
            free(file.bytes);
        }
        free(pixels);
    }
}

static void only_when_asked(void **state)
{
    (void)state;
    struct shape shape = shape_of(WIDTH, HEIGHT, 4, 8);
    uint8_t *pixels = paint(&shape, black_white);
    struct codec_save save = save_number(COMPRESSION_FAST);
    struct exact_file file;
    save.reduce = false;
    save_and_check(&save, &shape, pixels, NULL, &file);
    assert_int_equal(file.bytes[TYPE], PNG_COLOR_TYPE_RGB_ALPHA);
    free(file.bytes);
    free(pixels);
}

static void a_palette_must_pay(void **state)
{
    (void)state;
    struct shape shape = shape_of(5, 4, 3, 8);
    uint8_t *pixels = paint(&shape, colours_16);
    struct codec_save save = save_number(COMPRESSION_FAST);
    struct exact_file file;
    save_and_check(&save, &shape, pixels, NULL, &file);
    assert_int_equal(file.bytes[TYPE], PNG_COLOR_TYPE_RGB);
    free(file.bytes);
    free(pixels);
}

static unsigned draw(uint32_t *seed, unsigned count)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % count;
}

/* Small images of any size with some random colours, in every shape. */
static void any_image_survives(void **state)
{
    (void)state;
    static const uint8_t bits[] = {8, 8, 16};
    uint32_t seed = 11;
    for (unsigned turn = 0; turn < (quick() ? 60 : 600); turn++) {
        struct shape shape =
            shape_of(1 + draw(&seed, 70), turn % 61 + 1, (uint8_t)(1 + turn % 4), bits[turn % 3]);
        struct codec_save save = save_number(draw(&seed, 7));
        uint8_t *pixels = malloc(shape_bytes(&shape)), colours_used[300 * 8];
        unsigned used = 1 + draw(&seed, 300), alike = draw(&seed, 4);
        for (size_t i = 0; i < sizeof colours_used; i += 8) {
            uint8_t base = (uint8_t)draw(&seed, 256);
            for (size_t k = 0; k < 8; k++)
                colours_used[i + k] = alike ? base : (uint8_t)draw(&seed, 256);
            if (alike > 1 && shape.channels % 2 == 0)
                memset(colours_used + i + shape_pixel_bytes(&shape) - shape_sample_bytes(shape.sample), 255,
                       shape_sample_bytes(shape.sample));
        }
        for (size_t at = 0; at < shape_bytes(&shape); at += shape_pixel_bytes(&shape))
            memcpy(pixels + at, colours_used + draw(&seed, used) * 8, shape_pixel_bytes(&shape));
        struct exact_file file;
        save_and_check(&save, &shape, pixels, NULL, &file);
        free(file.bytes);
        free(pixels);
    }
}

/* iCCP with a profile for `space`; libpng calls a chunk of less than 81 bytes too short. */
static void put_profile(struct meta *meta, const char *space, uint32_t flags)
{
    uint8_t profile[256] = {[2] = 1, [8] = 2, [131] = 1, [139] = 144, [143] = 16}, chunk[300] = "name";
    for (unsigned i = 144; i < sizeof profile; i++)
        profile[i] = (uint8_t)(i * 2654435761u >> 13);
    memcpy(profile + 12, "mntr", 4);
    memcpy(profile + 16, space, 4);
    memcpy(profile + 20, "XYZ ", 4);
    memcpy(profile + 36, "acsp", 4);
    memcpy(profile + 68, "\0\0\xf6\xd6\0\1\0\0\0\0\xd3\x2d", 12);
    memcpy(profile + 132, "desc", 4);
    uLong length = sizeof chunk - 6;
    assert_int_equal(compress2(chunk + 6, &length, profile, sizeof profile, 9), Z_OK);
    assert_int_equal(meta_put(meta, "iCCP", flags, chunk, length + 6), 0);
}

static void check_profile(uint8_t channels, painter how, const char *space, uint32_t flags, bool strip,
                          int type)
{
    uint8_t block[1024];
    struct meta meta = {.block = block, .size_bytes = sizeof block};
    struct shape shape = shape_of(WIDTH, HEIGHT, channels, 8);
    uint8_t *pixels = paint(&shape, how);
    struct codec_save save = save_number(COMPRESSION_FAST);
    struct exact_file file;
    struct reference_image image;
    put_profile(&meta, space, flags);
    assert_int_equal(meta_put(&meta, "gAMA", 0, (const uint8_t *)"\0\0\xb1\x8f", 4), 0);
    assert_int_equal(meta_put(&meta, "tEXt", 0, (const uint8_t *)"Title\0text", 10), 0);
    save.strip = strip;
    save_and_check(&save, &shape, pixels, &meta, &file);
    assert_int_equal(file.bytes[TYPE], type);
    assert_int_equal(reference_decode(file.bytes, file.length_bytes, UINT64_MAX, &image), 0);
    png_textp texts;
    assert_int_equal(png_get_text(image.png, image.info, &texts, NULL), strip ? 0 : 1);
    assert_int_equal(png_get_valid(image.png, image.info, PNG_INFO_iCCP | PNG_INFO_gAMA),
                     strip ? 0 : PNG_INFO_iCCP | PNG_INFO_gAMA);
    reference_free(&image);
    free(file.bytes);
    free(pixels);
}

static void profiles_stay_valid(void **state)
{
    (void)state;
    check_profile(3, grey_256, "RGB ", META_RGB_ONLY, false, PNG_COLOR_TYPE_PALETTE);
    check_profile(4, grey_clear, "RGB ", META_RGB_ONLY, false, PNG_COLOR_TYPE_RGB_ALPHA);
    check_profile(4, colours_16, "RGB ", META_RGB_ONLY, false, PNG_COLOR_TYPE_PALETTE);
    check_profile(4, grey_clear, "RGB ", META_RGB_ONLY, true, PNG_COLOR_TYPE_GRAY_ALPHA);
    check_profile(2, grey_256, "GRAY", META_GREY_ONLY, false, PNG_COLOR_TYPE_GRAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_becomes_the_least_type_that_holds_it),
        cmocka_unit_test(only_when_asked),
        cmocka_unit_test(a_palette_must_pay),
        cmocka_unit_test(any_image_survives),
        cmocka_unit_test(profiles_stay_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
