/* SPDX-License-Identifier: MIT */
/* quantize against formulas, against a search of the colours that came out, and against loops for both
 * dithers. */
#include "stage_harness.h"

#include <math.h>

static size_t pixels_of(const struct shape *in)
{
    return (size_t)in->width * in->height;
}

static unsigned colours_of(const struct shape *in)
{
    return in->channels < 3 ? 1 : 3;
}

/* `value` to the nearest of `levels` levels. */
static double levelled(double value, double levels, double full)
{
    const double exact = floor(value / full * (levels - 1) + 0.5) / (levels - 1) * full;
    return full > 1 ? floor(exact + 0.5) : exact;
}

static void levels_follow_the_formula(void **state)
{
    (void)state;
    static const int levels[] = {2, 3, 4, 7, 16, 255, 256};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 1; channels <= 4; channels++) {
                char arguments[20];
                struct shape in = harness_shape(90, 60, channels, sample), out;
                const double full = harness_full(in.sample);
                uint8_t *src = harness_image(&in, 2);
                snprintf(arguments, sizeof arguments, "levels=%d", levels[i]);
                uint8_t *dst = harness_apply("quantize", arguments, &in, src, &out);
                for (size_t s = 0; s < pixels_of(&in) * channels; s++) {
                    const double value = harness_get(src, in.sample, s);
                    const bool alpha = s % channels >= colours_of(&in);
                    const double want = alpha ? value : levelled(value, levels[i], full);
                    assert_true(fabs(harness_get(dst, in.sample, s) - want) <= (full > 1 ? 0 : 1e-7));
                }
                free(dst);
                free(src);
            }
        }
    }
}

/* 0, 85, 170 and 255 are what 2 bits hold, and so on. */
static void grey_levels_take_few_bits(void **state)
{
    (void)state;
    static const int expected[][2] = {{2, 1}, {3, 8}, {4, 2}, {5, 8}, {6, 4}, {16, 4}, {17, 8}, {256, 8}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char arguments[20];
        struct shape in = harness_shape(1, 1, 1, SAMPLE_U8), out;
        static const uint8_t src[1] = {3};
        snprintf(arguments, sizeof arguments, "levels=%d", expected[i][0]);
        free(harness_apply("quantize", arguments, &in, src, &out));
        assert_int_equal(out.bits, expected[i][1]);
    }
}

/* The different colours of the pixels that can be seen; at most `most` of them are listed. */
static size_t list_colours(const struct shape *in, const uint8_t *pixels, double list[][3], size_t most)
{
    size_t count = 0;
    for (size_t p = 0; p < pixels_of(in); p++) {
        double colour[3] = {0};
        if (shape_has_alpha(in) && harness_get(pixels, in->sample, (p + 1) * in->channels - 1) == 0)
            continue;
        for (unsigned c = 0; c < colours_of(in); c++)
            colour[c] = harness_get(pixels, in->sample, p * in->channels + c);
        size_t i = 0;
        while (i < count && memcmp(list[i], colour, sizeof colour) != 0)
            i++;
        if (i == count && count < most)
            memcpy(list[count++], colour, sizeof colour);
    }
    return count;
}

static double distance(const struct shape *in, const uint8_t *pixels, size_t p, const double colour[3])
{
    double sum = 0;
    for (unsigned c = 0; c < colours_of(in); c++)
        sum += pow(harness_get(pixels, in->sample, p * in->channels + c) - colour[c], 2);
    return sum;
}

static void pixels_get_the_nearest_colour(void **state)
{
    (void)state;
    static double list[300][3];
    static const unsigned most[] = {2, 9, 256};
    for (size_t m = 0; m < 3; m++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 1; channels <= 4; channels++) {
                char arguments[20];
                struct shape in = harness_shape(70, 50, channels, sample), out;
                uint8_t *src = harness_image(&in, 4);
                snprintf(arguments, sizeof arguments, "colours=%u", most[m]);
                uint8_t *dst = harness_apply("quantize", arguments, &in, src, &out);
                const size_t count = list_colours(&in, dst, list, 300);
                assert_true(count <= most[m] && count > most[m] / 2);
                for (size_t p = 0; p < pixels_of(&in); p++) {
                    double chosen[3] = {0}, best = INFINITY;
                    for (unsigned c = 0; c < colours_of(&in); c++)
                        chosen[c] = harness_get(dst, in.sample, p * channels + c);
                    for (size_t i = 0; i < count; i++)
                        best = fmin(best, distance(&in, src, p, list[i]));
                    assert_true(distance(&in, src, p, chosen) <= best * (1 + 1e-5));
                    if (shape_has_alpha(&in))
                        assert_true(harness_get(dst, in.sample, (p + 1) * channels - 1) ==
                                    harness_get(src, in.sample, (p + 1) * channels - 1));
                }
                free(dst);
                free(src);
            }
        }
    }
}

/* 200 colours, each one step of 8 bit from the next; what diffuses is nothing. */
static void few_colours_stay(void **state)
{
    (void)state;
    static const char *const arguments[] = {"colours=200", "colours=256,dither=floyd-steinberg"};
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            struct shape in = harness_shape(40, 15, channels, sample), out;
            uint8_t *src = harness_alloc(shape_bytes(&in));
            for (size_t p = 0; p < 600; p++) {
                for (unsigned c = 0; c < channels; c++)
                    harness_put(src, in.sample, p * channels + c,
                                (double)(c == 0 ? 3 + p * 7 % 200 : 100 + c) * harness_full(in.sample) / 255);
            }
            for (int i = 0; i < 2; i++) {
                uint8_t *dst = harness_apply("quantize", arguments[i], &in, src, &out);
                assert_memory_equal(dst, src, shape_bytes(&in));
                free(dst);
            }
            free(src);
        }
    }
}

/* Two clouds far apart become their means; what cannot be seen has no part in it. */
static void boxes_become_means(void **state)
{
    (void)state;
    /* Three of (10, 20, 30) and one of (14, 20, 34); two of (200, 90, 40) and one of (200, 93, 40); a clear
     * one. */
    static const uint8_t src[8 * 4] = {10,  20, 30, 255, 200, 90, 40, 9, 10,  20, 30, 1,   14, 20, 34, 255,
                                       200, 93, 40, 255, 90,  90, 90, 0, 200, 90, 40, 255, 10, 20, 30, 7};
    static const uint8_t low[3] = {11, 20, 31}, high[3] = {200, 91, 40};
    struct shape in = harness_shape(8, 1, 4, SAMPLE_U8), out;
    uint8_t *dst = harness_apply("quantize", "colours=2", &in, src, &out);
    for (size_t p = 0; p < 8; p++) {
        assert_int_equal(dst[4 * p + 3], src[4 * p + 3]);
        if (src[4 * p + 3] > 0)
            assert_memory_equal(dst + 4 * p, src[4 * p] < 100 ? low : high, 3);
    }
    free(dst);
}

/* Of k / 64 grey, k of every 64 pixels are white: each rank of the matrix occurs once. */
static void ordered_dither_keeps_the_mean(void **state)
{
    (void)state;
    for (int k = 0; k <= 64; k++) {
        struct shape in = harness_shape(16, 8, 1, SAMPLE_F32), out;
        float src[128];
        for (size_t p = 0; p < 128; p++)
            src[p] = (float)k / 64;
        uint8_t *dst = harness_apply("quantize", "levels=2,dither=ordered", &in, (const uint8_t *)src, &out);
        int white[2] = {0};
        for (size_t p = 0; p < 128; p++)
            white[p % 16 / 8] += harness_get(dst, SAMPLE_F32, p) == 1;
        assert_int_equal(white[0], k);
        assert_int_equal(white[1], k);
        free(dst);
    }
}

/* Bayer's matrix of 2 x 2 is 0 2 3 1, and each larger one has four of the smaller within. */
static void ordered_dither_is_bayers(void **state)
{
    (void)state;
    static const int two[2][2] = {{0, 2}, {3, 1}};
    struct shape in = harness_shape(8, 8, 1, SAMPLE_F32), out;
    int rank[8][8] = {{0}};
    for (int k = 1; k <= 64; k++) {
        float src[64];
        for (size_t p = 0; p < 64; p++)
            src[p] = (float)k / 64;
        uint8_t *dst = harness_apply("quantize", "levels=2,dither=ordered", &in, (const uint8_t *)src, &out);
        for (size_t p = 0; p < 64; p++)
            rank[p / 8][p % 8] += harness_get(dst, SAMPLE_F32, p) == 0;
        free(dst);
    }
    for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 8; x++) {
            /* The brighter a pixel turns on, the lower its rank here. */
            const int want = 16 * two[y & 1][x & 1] + 4 * two[y >> 1 & 1][x >> 1 & 1] + two[y >> 2][x >> 2];
            assert_int_equal(63 - rank[y][x], want);
        }
    }
}

/* Floyd and Steinberg's weights over a plane of errors, each channel on its own. */
static void diffusion_follows_the_loop(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            struct shape in = harness_shape(31, 17, channels, sample), out;
            const double full = harness_full(in.sample);
            uint8_t *src = harness_image(&in, 12);
            uint8_t *dst = harness_apply("quantize", "levels=4,dither=floyd-steinberg", &in, src, &out);
            for (unsigned c = 0; c < colours_of(&in); c++) {
                float extra[18][33] = {{0}};
                for (size_t y = 0; y < 17; y++) {
                    for (size_t x = 0; x < 31; x++) {
                        const size_t s = (y * 31 + x) * channels;
                        float *here = &extra[y][x + 1], *below = &extra[y + 1][x + 1];
                        const float value = (float)harness_get(src, in.sample, s + c) + *here;
                        const float wanted = fminf(fmaxf(value, 0), (float)full);
                        const float got = (float)harness_get(dst, in.sample, s + c);
                        assert_true(fabs((double)got - levelled((double)wanted, 4, full)) <=
                                    (full > 1 ? 0 : 1e-7));
                        if (shape_has_alpha(&in) && harness_get(src, in.sample, s + channels - 1) == 0)
                            continue;
                        const float off = (wanted - got) / 16;
                        here[1] += 7 * off;
                        below[-1] += 3 * off;
                        below[0] += 5 * off;
                        below[1] += off;
                    }
                }
            }
            free(dst);
            free(src);
        }
    }
}

static void odd_floats_do_no_harm(void **state)
{
    (void)state;
    static const char *const arguments[] = {"levels=3", "colours=2", "colours=2,dither=floyd-steinberg",
                                            "levels=3,dither=ordered"};
    const float src[6] = {NAN, INFINITY, -INFINITY, 0.5f, 1e30f, -5};
    for (int i = 0; i < 4; i++) {
        struct shape in = harness_shape(6, 1, 1, SAMPLE_F32), out;
        uint8_t *dst = harness_apply("quantize", arguments[i], &in, (const uint8_t *)src, &out);
        for (size_t p = 0; p < 6; p++)
            assert_true(harness_get(dst, SAMPLE_F32, p) >= 0 && harness_get(dst, SAMPLE_F32, p) <= 1);
        free(dst);
    }
}

static void either_colours_or_levels(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "colours=3,levels=3", "dither=ordered"};
    const struct stage *quantize = stage_find("quantize");
    for (int i = 0; i < 3; i++) {
        struct error error = {0};
        void *params = harness_params(quantize, bad[i]);
        assert_int_equal(quantize->check(params, &error), ERROR_USAGE);
        harness_free_params(quantize, params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_follow_the_formula),
        cmocka_unit_test(grey_levels_take_few_bits),
        cmocka_unit_test(pixels_get_the_nearest_colour),
        cmocka_unit_test(few_colours_stay),
        cmocka_unit_test(boxes_become_means),
        cmocka_unit_test(ordered_dither_keeps_the_mean),
        cmocka_unit_test(ordered_dither_is_bayers),
        cmocka_unit_test(diffusion_follows_the_loop),
        cmocka_unit_test(odd_floats_do_no_harm),
        cmocka_unit_test(either_colours_or_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
