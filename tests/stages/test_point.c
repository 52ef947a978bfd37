/* SPDX-License-Identifier: MIT */
/* Stages that work on one pixel at a time, against their formulas in double. */
#include "stage_harness.h"

#include <math.h>

static double clamped(double value, double full)
{
    return value < 0 ? 0 : value > full ? full : value;
}

/* Every level of an integer type once, as one row of grey. */
static uint8_t *ramp(enum sample sample, struct shape *shape)
{
    *shape = harness_shape(sample == SAMPLE_U8 ? 256 : 65536, 1, 1, sample);
    uint8_t *pixels = harness_alloc(shape_bytes(shape));
    for (uint32_t i = 0; i < shape->width; i++)
        harness_put(pixels, shape->sample, i, i);
    return pixels;
}

static double linear_formula(double value)
{
    return -0.7 * value + 0.8;
}

static double brighten_formula(double value)
{
    return 3 * value - 0.25;
}

static double gamma_formula(double value)
{
    return pow(value, 1 / 2.2);
}

static double invert_formula(double value)
{
    return 1 - value;
}

static void levels_follow_the_formula(void **state)
{
    (void)state;
    static const struct {
        const char *name, *arguments;
        double (*formula)(double);
    } cases[] = {
        {"linear", "a=-0.7,b=0.8", linear_formula},
        {"linear", "a=3,b=-0.25", brighten_formula},
        {"gamma", "exponent=2.2", gamma_formula},
        {"invert", "", invert_formula},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
            struct shape in, out;
            uint8_t *src = ramp((enum sample)sample, &in);
            uint8_t *dst = harness_apply(cases[i].name, cases[i].arguments, &in, src, &out);
            const double full = harness_full(in.sample);
            for (uint32_t x = 0; x < in.width; x++) {
                const double exact = clamped(cases[i].formula(x / full) * full, full);
                const double got = harness_get(dst, out.sample, x);
                if (fabs(got - exact) > 0.5 + 1e-6)
                    fail_msg("%s of %u is %g, not %g", cases[i].name, x, got, exact);
            }
            free(dst);
            free(src);
        }
    }
}

/* A 16-bit image too small for a table, and floats, are computed sample by sample. */
static void small_images_and_floats_follow_it_too(void **state)
{
    (void)state;
    for (int sample = SAMPLE_U16; sample <= SAMPLE_F32; sample++) {
        struct shape in = harness_shape(16, 16, 4, (enum sample)sample), out;
        const double full = harness_full(in.sample);
        uint8_t *src = harness_image(&in, 5);
        uint8_t *dst = harness_apply("gamma", "exponent=2.2", &in, src, &out);
        for (size_t i = 0; i < 16 * 16 * 4; i++) {
            const double value = harness_get(src, in.sample, i);
            const double exact = i % 4 == 3 ? value : gamma_formula(value / full) * full;
            assert_true(fabs(harness_get(dst, out.sample, i) - exact) <= (full > 1 ? 0.5 + 1e-6 : 1e-6));
        }
        free(dst);
        free(src);
    }
}

static void floats_are_not_clamped_by_linear(void **state)
{
    (void)state;
    const struct shape in = harness_shape(2, 1, 1, SAMPLE_F32);
    struct shape out;
    const float src[2] = {2.0f, -1.0f};
    uint8_t *dst = harness_apply("linear", "a=2,b=0.5", &in, (const uint8_t *)src, &out);
    assert_true(harness_get(dst, SAMPLE_F32, 0) == 4.5);
    assert_true(harness_get(dst, SAMPLE_F32, 1) == -1.5);
    free(dst);
}

static void alpha_is_left_alone(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"linear", "a=-1,b=0.9"}, {"gamma", ""}, {"invert", ""}, {"sharpen", "amount=5"}, {"sobel", ""}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 2; channels <= 4; channels += 2) {
                const struct shape in = harness_shape(19, 11, channels, (enum sample)sample);
                struct shape out;
                uint8_t *src = harness_image(&in, 9);
                uint8_t *dst = harness_apply(names[i][0], names[i][1], &in, src, &out);
                for (size_t p = channels - 1; p < 19 * 11 * channels; p += channels)
                    assert_true(harness_get(src, in.sample, p) == harness_get(dst, in.sample, p));
                free(dst);
                free(src);
            }
        }
    }
}

static void grayscale_weighs_colours(void **state)
{
    (void)state;
    static const double weights[2][3] = {{0.2126, 0.7152, 0.0722}, {0.299, 0.587, 0.114}};
    for (int w = 0; w < 2; w++) {
        for (int sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 3; channels <= 4; channels++) {
                const struct shape in = harness_shape(64, 64, channels, (enum sample)sample);
                struct shape out;
                uint8_t *src = harness_image(&in, 3);
                uint8_t *dst =
                    harness_apply("grayscale", w ? "weights=rec601" : "weights=rec709", &in, src, &out);
                assert_int_equal(out.channels, channels - 2);
                /* 16-bit fixed point weights are off by up to 0.35 of 65536. */
                const double tolerance = sample == SAMPLE_F32 ? 1e-6 : sample == SAMPLE_U8 ? 0.502 : 0.9;
                for (size_t p = 0; p < 64 * 64; p++) {
                    double luma = 0;
                    for (size_t c = 0; c < 3; c++)
                        luma += weights[w][c] * harness_get(src, in.sample, p * channels + c);
                    assert_true(fabs(harness_get(dst, in.sample, p * out.channels) - luma) <= tolerance);
                    if (channels == 4)
                        assert_true(harness_get(dst, in.sample, p * 2 + 1) ==
                                    harness_get(src, in.sample, p * 4 + 3));
                }
                free(dst);
                free(src);
            }
        }
    }
}

/* 8-bit luma to the last bit, for rows of all lengths up to several vectors: weights to the nearest of 65536,
 * one rounding. */
static void luma_has_one_rounding(void **state)
{
    (void)state;
    static const double weights[2][3] = {{0.2126, 0.7152, 0.0722}, {0.299, 0.587, 0.114}};
    for (uint32_t width = 1; width <= 140; width++) {
        const struct shape in = harness_shape(width, 3, 3, SAMPLE_U8);
        uint8_t *src = harness_image(&in, width);
        for (int w = 0; w < 2; w++) {
            struct shape out;
            uint8_t *dst =
                harness_apply("grayscale", w ? "weights=rec601" : "weights=rec709", &in, src, &out);
            for (size_t p = 0; p < (size_t)width * 3; p++) {
                double luma = 0;
                for (size_t c = 0; c < 3; c++)
                    luma += round(weights[w][c] * 65536) * src[3 * p + c];
                assert_int_equal(dst[p], (int)floor(luma / 65536 + 0.5));
            }
            free(dst);
        }
        free(src);
    }
}

static void grey_pixels_keep_their_value(void **state)
{
    (void)state;
    for (int sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
        struct shape grey, out;
        uint8_t *levels = ramp((enum sample)sample, &grey);
        const struct shape in = harness_shape(grey.width, 1, 3, (enum sample)sample);
        uint8_t *src = harness_alloc(shape_bytes(&in));
        for (uint32_t i = 0; i < grey.width * 3; i++)
            harness_put(src, in.sample, i, i / 3);
        for (int w = 0; w < 2; w++) {
            uint8_t *dst =
                harness_apply("grayscale", w ? "weights=rec601" : "weights=rec709", &in, src, &out);
            assert_memory_equal(dst, levels, shape_bytes(&grey));
            free(dst);
        }
        free(src);
        free(levels);
    }
}

static void cast_keeps_full_scale(void **state)
{
    (void)state;
    struct shape in, out, back;
    uint8_t *src = ramp(SAMPLE_U16, &in);
    uint8_t *dst = harness_apply("cast", "type=u8", &in, src, &out);
    for (uint32_t i = 0; i < 65536; i++)
        assert_int_equal(dst[i], (int)floor(i / 257.0 + 0.5));
    free(dst);
    dst = harness_apply("cast", "type=f32", &in, src, &out);
    for (uint32_t i = 0; i < 65536; i++)
        assert_true(fabs(harness_get(dst, SAMPLE_F32, i) - i / 65535.0) < 1e-7);
    uint8_t *again = harness_apply("cast", "type=u16", &out, dst, &back);
    assert_memory_equal(again, src, shape_bytes(&in));
    free(again);
    free(dst);
    free(src);
    src = ramp(SAMPLE_U8, &in);
    dst = harness_apply("cast", "type=u16", &in, src, &out);
    for (uint32_t i = 0; i < 256; i++)
        assert_true(harness_get(dst, SAMPLE_U16, i) == i * 257.0);
    again = harness_apply("cast", "type=u8", &out, dst, &back);
    assert_memory_equal(again, src, 256);
    free(again);
    free(dst);
    dst = harness_apply("cast", "type=f32", &in, src, &out);
    again = harness_apply("cast", "type=u8", &out, dst, &back);
    assert_memory_equal(again, src, 256);
    free(again);
    free(dst);
    free(src);
}

static void odd_floats_become_levels(void **state)
{
    (void)state;
    const struct shape in = harness_shape(5, 1, 1, SAMPLE_F32);
    struct shape out;
    const float src[5] = {NAN, -1, 2, INFINITY, -INFINITY};
    static const double expected[5] = {0, 0, 1, 1, 0};
    for (int sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
        uint8_t *dst =
            harness_apply("cast", sample ? "type=u16" : "type=u8", &in, (const uint8_t *)src, &out);
        for (size_t i = 0; i < 5; i++)
            assert_true(harness_get(dst, out.sample, i) == expected[i] * harness_full(out.sample));
        free(dst);
    }
}

/* All pairs of colour and alpha at 8 bit, over a background of three different levels. */
static void flatten_composites_exactly(void **state)
{
    (void)state;
    const struct shape in = harness_shape(256, 256, 4, SAMPLE_U8);
    struct shape out;
    uint8_t *src = harness_alloc(shape_bytes(&in));
    for (uint32_t i = 0; i < 65536; i++) {
        memset(src + 4 * i, (int)(i & 255), 3);
        src[4 * i + 3] = (uint8_t)(i >> 8);
    }
    uint8_t *dst = harness_apply("flatten", "background=#0080ff", &in, src, &out);
    assert_int_equal(out.channels, 3);
    static const int back[3] = {0, 128, 255};
    for (uint32_t i = 0; i < 65536; i++) {
        for (uint32_t c = 0; c < 3; c++) {
            const uint32_t sum = (i & 255) * (i >> 8) + (uint32_t)back[c] * (255 - (i >> 8));
            assert_int_equal(dst[3 * i + c], (2 * sum + 255) / 510);
        }
    }
    free(dst);
    free(src);
}

static void flatten_of_other_shapes(void **state)
{
    (void)state;
    for (int sample = SAMPLE_U16; sample < SAMPLE_IMAGE_COUNT; sample++) {
        for (unsigned channels = 2; channels <= 4; channels += 2) {
            const struct shape in = harness_shape(31, 31, channels, (enum sample)sample);
            const double full = harness_full(in.sample);
            struct shape out;
            uint8_t *src = harness_image(&in, 21);
            uint8_t *dst = harness_apply("flatten", "background=white", &in, src, &out);
            assert_int_equal(out.channels, channels - 1);
            for (size_t p = 0; p < 31 * 31; p++) {
                const double alpha = harness_get(src, in.sample, (p + 1) * channels - 1) / full;
                for (size_t c = 0; c < channels - 1; c++) {
                    const double exact =
                        harness_get(src, in.sample, p * channels + c) * alpha + full * (1 - alpha);
                    const double got = harness_get(dst, in.sample, p * (channels - 1) + c);
                    assert_true(fabs(got - exact) <= (full > 1 ? 0.5 + 1e-9 : 1e-6));
                }
            }
            free(dst);
            free(src);
        }
    }
    /* Grey over a colour needs colour. */
    const struct shape in = harness_shape(2, 1, 2, SAMPLE_U8);
    struct shape out;
    static const uint8_t src[4] = {200, 0, 200, 255};
    static const uint8_t expected[6] = {255, 0, 0, 200, 200, 200};
    uint8_t *dst = harness_apply("flatten", "background=red", &in, src, &out);
    assert_int_equal(out.channels, 3);
    assert_memory_equal(dst, expected, 6);
    free(dst);
}

/* New values need the sample's own bits; values that stay among the old ones keep theirs. */
static void bits_are_stated(void **state)
{
    (void)state;
    static const struct {
        const char *name, *arguments;
        int bits;
    } cases[] = {
        {"grayscale", "", 1}, {"invert", "", 1}, {"cast", "type=u8", 1},   {"flatten", "", 1},
        {"copy", "", 1},      {"sleep", "", 1},  {"spin", "", 1},          {"fail", "", 1},
        {"threshold", "", 1}, {"linear", "", 8}, {"gamma", "", 8},         {"gaussblur", "", 8},
        {"sharpen", "", 8},   {"sobel", "", 8},  {"cast", "type=u16", 16}, {"cast", "type=f32", 32},
    };
    struct shape in = harness_shape(8, 8, 1, SAMPLE_U8);
    in.bits = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct stage *stage = stage_find(cases[i].name);
        void *params = harness_params(stage, cases[i].arguments);
        struct stage_plan plan;
        assert_int_equal(stage_plan(stage, params, &in, &plan, NULL), 0);
        if (plan.out.bits != cases[i].bits)
            fail_msg("%s makes %d bits", cases[i].name, plan.out.bits);
        harness_free_params(stage, params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_follow_the_formula),
        cmocka_unit_test(small_images_and_floats_follow_it_too),
        cmocka_unit_test(floats_are_not_clamped_by_linear),
        cmocka_unit_test(alpha_is_left_alone),
        cmocka_unit_test(grayscale_weighs_colours),
        cmocka_unit_test(luma_has_one_rounding),
        cmocka_unit_test(grey_pixels_keep_their_value),
        cmocka_unit_test(cast_keeps_full_scale),
        cmocka_unit_test(odd_floats_become_levels),
        cmocka_unit_test(flatten_composites_exactly),
        cmocka_unit_test(flatten_of_other_shapes),
        cmocka_unit_test(bits_are_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
