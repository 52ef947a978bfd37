/* SPDX-License-Identifier: MIT */
/* trim against boxes drawn by hand, and against a walk over all pixels. */
#include <math.h>

#include "stage_harness.h"

/* What comes out must be this box of what went in. */
static void expect_box(const char *arguments, const struct shape *in, const void *src, uint32_t left,
                       uint32_t top, uint32_t width, uint32_t height)
{
    struct shape out;
    uint8_t *dst = harness_apply("trim", arguments, in, src, &out);
    const size_t pixel = shape_pixel_bytes(in);
    if (out.width != width || out.height != height)
        fail_msg("trim:%s gives %ux%u px, not %ux%u", arguments, out.width, out.height, width, height);
    for (uint32_t y = 0; y < height; y++)
        assert_memory_equal(dst + y * width * pixel,
                            (const uint8_t *)src + ((top + y) * (size_t)in->width + left) * pixel,
                            width * pixel);
    free(dst);
}

static const uint8_t drawn[5 * 7] = {
    250, 250, 250, 250, 250, 250, 250, /* */
    250, 250, 250, 9,   250, 250, 250, /* */
    250, 240, 250, 250, 250, 77,  250, /* 240 is within 0.04 of 250 */
    250, 250, 8,   250, 250, 250, 250, /* */
    250, 250, 250, 250, 250, 250, 250,
};

static void a_drawn_box_is_found(void **state)
{
    (void)state;
    const struct shape in = harness_shape(7, 5, 1, SAMPLE_U8);
    expect_box("", &in, drawn, 2, 1, 4, 3);
    expect_box("background=corner", &in, drawn, 2, 1, 4, 3);
    expect_box("background=#fafafa", &in, drawn, 2, 1, 4, 3);
    expect_box("threshold=0", &in, drawn, 1, 1, 5, 3);
    expect_box("threshold=0.039", &in, drawn, 1, 1, 5, 3); /* 9.9 */
    expect_box("threshold=0.9", &in, drawn, 2, 1, 2, 3);
    expect_box("margin=1", &in, drawn, 1, 0, 6, 5);
    expect_box("margin=4000000000", &in, drawn, 0, 0, 7, 5);
    expect_box("background=black", &in, drawn, 0, 0, 7, 5);
    expect_box("background=red", &in, drawn, 0, 0, 7, 5); /* its green and blue are 0, its red is not */
}

static void all_background_stays_as_it_is(void **state)
{
    (void)state;
    static const uint8_t clear[4 * 6] = {1, 2, 3, 0, 9, 8, 7, 0, 1, 1, 1, 0};
    const struct shape in = harness_shape(7, 5, 1, SAMPLE_U8), rgba = harness_shape(3, 2, 4, SAMPLE_U8);
    expect_box("threshold=1", &in, drawn, 0, 0, 7, 5);
    expect_box("threshold=1,margin=2", &in, drawn, 0, 0, 7, 5);
    expect_box("", &rgba, clear, 0, 0, 3, 2);
    expect_box("background=white", &rgba, clear, 0, 0, 3, 2);
}

static void one_pixel_is_enough(void **state)
{
    (void)state;
    for (uint32_t at = 1; at < 35; at++) {
        uint8_t pixels[35] = {0};
        const struct shape in = harness_shape(7, 5, 1, SAMPLE_U8);
        pixels[at] = 255;
        expect_box("", &in, pixels, at % 7, at / 7, 1, 1);
    }
}

static void transparent_pixels_are_background(void **state)
{
    (void)state;
    const struct shape in = harness_shape(5, 1, 2, SAMPLE_U8);
    static const uint8_t hidden[] = {0, 0, 200, 0, 90, 255, 255, 0, 13, 0};
    expect_box("", &in, hidden, 2, 0, 1, 1);
    /* Black at alpha 20 over white is 235, at 10 it is 245, at 255 it is 0. */
    static const uint8_t faint[] = {255, 255, 0, 10, 0, 20, 77, 0, 255, 200};
    expect_box("", &in, faint, 2, 0, 1, 1);
    /* From a corner of nothing, alpha is what counts: 10 is within 0.04, 11 is not. */
    static const uint8_t shadow[] = {255, 0, 0, 10, 0, 0, 255, 11, 0, 9};
    expect_box("", &in, shadow, 3, 0, 1, 1);
}

static void nan_is_no_background(void **state)
{
    (void)state;
    const struct shape in = harness_shape(4, 1, 1, SAMPLE_F32);
    const float pixels[] = {0, 0, NAN, 0}, corner[] = {NAN, 0, 0, 0};
    expect_box("threshold=1", &in, pixels, 2, 0, 1, 1);
    expect_box("", &in, corner, 0, 0, 4, 1);
}

/* A few specks on a colour: the box by looking at each pixel. */
static void specks_are_found_as_by_a_plain_walk(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int round = 0; round < 600; round++) {
        const uint8_t sample = (uint8_t)(round % 3);
        const unsigned channels = (unsigned)round / 3 % 4 + 1, colours = channels < 3 ? 1 : 3;
        const struct shape in =
            harness_shape(1 + (uint32_t)round % 23, 1 + (uint32_t)round % 17, channels, sample);
        uint8_t *src = harness_alloc(shape_bytes(&in));
        uint32_t left = in.width, top = in.height, right = 0, bottom = 0;
        for (uint32_t y = 0; y < in.height; y++) {
            for (uint32_t x = 0; x < in.width; x++) {
                const bool speck = (seed = seed * 1664525u + 1013904223u) >> 16 < 3000 && x + y > 0;
                const unsigned which = (seed >> 8) % colours;
                for (unsigned c = 0; c < channels; c++)
                    harness_put(src, sample, (y * in.width + x) * channels + c,
                                (c == colours          ? 1
                                 : speck && c == which ? 0
                                                       : 0.8) *
                                    harness_full(sample));
                left = speck && x < left ? x : left;
                top = speck && y < top ? y : top;
                right = speck && x >= right ? x + 1 : right;
                bottom = speck && y >= bottom ? y + 1 : bottom;
            }
        }
        if (right == 0)
            expect_box("", &in, src, 0, 0, in.width, in.height);
        else
            expect_box("", &in, src, left, top, right - left, bottom - top);
        free(src);
    }
}

static void bits_stay(void **state)
{
    (void)state;
    struct shape in = harness_shape(7, 5, 1, SAMPLE_U8);
    struct stage_plan plan;
    in.bits = 1;
    void *params = harness_params(stage_find("trim"), "");
    assert_int_equal(stage_plan(stage_find("trim"), params, &in, &plan, NULL), 0);
    assert_int_equal(plan.out.bits, 1);
    harness_free_params(stage_find("trim"), params);
}

static void what_is_no_colour_is_refused(void **state)
{
    (void)state;
    const struct stage *stage = stage_find("trim");
    struct error error = {0};
    void *params = harness_params(stage, "");
    assert_int_equal(param_parse(param_find(stage->params, "background"), "whit", params, &error),
                     ERROR_USAGE);
    assert_non_null(strstr(error.reason, "'whit' is not a colour like #ff8800 or white, or corner"));
    harness_free_params(stage, params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drawn_box_is_found),
        cmocka_unit_test(all_background_stays_as_it_is),
        cmocka_unit_test(one_pixel_is_enough),
        cmocka_unit_test(transparent_pixels_are_background),
        cmocka_unit_test(nan_is_no_background),
        cmocka_unit_test(specks_are_found_as_by_a_plain_walk),
        cmocka_unit_test(bits_stay),
        cmocka_unit_test(what_is_no_colour_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
