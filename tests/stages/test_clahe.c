/* SPDX-License-Identifier: MIT */
/* clahe against its definition in double, which makes the histogram of a tile anew for each pixel; against
 * plain equalisation where there is one tile; and 16 bit and floats against 8 bit. */
#include "stage_harness.h"

#include <math.h>

struct scene {
    const uint8_t *src;
    long width, height, channels, channel;
    long across, down;
    double limit;
};

static long mirrored(long at, long length)
{
    while (at < 0 || at >= length) {
        if (length == 1)
            return 0;
        at = at < 0 ? -at : 2 * (length - 1) - at;
    }
    return at;
}

/* What `value` becomes in tile (i, j) of tiles of w x h pixels. */
static double in_tile(const struct scene *scene, long i, long j, long w, long h, unsigned value)
{
    long counts[256] = {0}, excess = 0, sum = 0;
    i = i < 0 ? 0 : i >= scene->across ? scene->across - 1 : i;
    j = j < 0 ? 0 : j >= scene->down ? scene->down - 1 : j;
    for (long y = j * h; y < (j + 1) * h; y++) {
        for (long x = i * w; x < (i + 1) * w; x++) {
            const long at = mirrored(y, scene->height) * scene->width + mirrored(x, scene->width);
            counts[scene->src[at * scene->channels + scene->channel]]++;
        }
    }
    const long most = scene->limit > 0 ? (long)fmax(floor(scene->limit * (double)(w * h) / 256), 1) : w * h;
    for (int v = 0; v < 256; v++) {
        excess += counts[v] > most ? counts[v] - most : 0;
        counts[v] = counts[v] > most ? most : counts[v];
    }
    /* Each bin gets its part, and of the rest every so manieth one more. */
    const long rest = excess % 256, step = rest > 0 ? 256 / rest : 1;
    for (unsigned v = 0; v <= value; v++)
        sum += counts[v] + excess / 256 + (v % step == 0 && v / step < rest);
    return nearbyint((double)sum * 255 / (double)(w * h));
}

/* Unrounded. */
static double expected(const struct scene *scene, long x, long y)
{
    const bool even = scene->width % scene->across == 0 && scene->height % scene->down == 0;
    const long w = even ? scene->width / scene->across : scene->width / scene->across + 1;
    const long h = even ? scene->height / scene->down : scene->height / scene->down + 1;
    const unsigned value = scene->src[(y * scene->width + x) * scene->channels + scene->channel];
    const double u = (double)x / (double)w - 0.5, v = (double)y / (double)h - 0.5;
    const long i = (long)floor(u), j = (long)floor(v);
    const double right = u - floor(u), below = v - floor(v);
    return (in_tile(scene, i, j, w, h, value) * (1 - right) + in_tile(scene, i + 1, j, w, h, value) * right) *
               (1 - below) +
           (in_tile(scene, i, j + 1, w, h, value) * (1 - right) +
            in_tile(scene, i + 1, j + 1, w, h, value) * right) *
               below;
}

static void each_channel_follows_the_definition(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        long across, down;
        double limit;
        uint32_t width, height;
    } cases[] = {
        {"channels=each,tiles_x=4,tiles_y=3,clip_limit=2", 4, 3, 2, 32, 24},
        {"channels=each,tiles_x=4,tiles_y=3,clip_limit=3.5", 4, 3, 3.5, 37, 24},
        {"channels=each,tiles_x=5,tiles_y=5,clip_limit=0", 5, 5, 0, 33, 29},
        {"channels=each", 8, 8, 2, 3, 30},
        {"channels=each,tiles_x=2,tiles_y=2,clip_limit=40", 2, 2, 40, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            struct shape in = harness_shape(cases[i].width, cases[i].height, channels, SAMPLE_U8), out;
            const unsigned colours = shape_has_alpha(&in) ? channels - 1 : channels;
            uint8_t *src = harness_image(&in, 3);
            uint8_t *dst = harness_apply("clahe", cases[i].arguments, &in, src, &out);
            for (size_t s = 0; s < shape_bytes(&in); s++) {
                const struct scene scene = {
                    src,           in.width,      in.height, channels, (long)(s % channels), cases[i].across,
                    cases[i].down, cases[i].limit};
                const long p = (long)(s / channels);
                if (s % channels >= colours)
                    assert_int_equal(dst[s], src[s]);
                else if (fabs(dst[s] - expected(&scene, p % scene.width, p / scene.width)) > 0.5 + 1e-4)
                    fail_msg("%s: %u became %u, not %g", cases[i].arguments, src[s], dst[s],
                             expected(&scene, p % scene.width, p / scene.width));
            }
            free(dst);
            free(src);
        }
    }
}

/* Without clipping, one tile gives the share of pixels up to a value, whatever the sample type. */
static void one_tile_is_plain_equalisation(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        struct shape in = harness_shape(16, 16, 1, sample), out;
        const double unit = harness_full(in.sample) / 255;
        uint8_t *src = harness_alloc(shape_bytes(&in));
        for (size_t p = 0; p < 256; p++)
            harness_put(src, in.sample, p, (double)(50 + p / 8 * 3) * unit);
        uint8_t *dst = harness_apply("clahe", "tiles_x=1,tiles_y=1,clip_limit=0", &in, src, &out);
        for (size_t p = 0; p < 256; p++) {
            const double want = 255.0 * (double)(p / 8 + 1) / 32;
            assert_true(fabs(harness_get(dst, in.sample, p) / unit - want) <= 0.51);
        }
        free(dst);
        free(src);
    }
}

/* Colours move by as much as luma does, and luma by as much as grey of its value. */
static void luma_moves_all_colours(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        for (unsigned channels = 3; channels <= 4; channels++) {
            struct shape in = harness_shape(41, 30, channels, sample), grey, out;
            const double full = harness_full(in.sample);
            uint8_t *src = harness_image(&in, channels);
            uint8_t *luma = harness_apply("grayscale", "", &in, src, &grey);
            uint8_t *after = harness_apply("clahe", "", &grey, luma, &grey);
            uint8_t *dst = harness_apply("clahe", "", &in, src, &out);
            for (size_t i = 0; i < 41u * 30 * channels; i++) {
                const size_t p = i / channels * grey.channels;
                const double value = harness_get(src, in.sample, i);
                double want = value + harness_get(after, in.sample, p) - harness_get(luma, in.sample, p);
                if (sample != SAMPLE_F32)
                    want = fmin(fmax(want, 0), full);
                want = i % channels == 3 ? value : want;
                assert_true(fabs(harness_get(dst, in.sample, i) - want) <= (sample == SAMPLE_F32 ? 1e-6 : 0));
            }
            free(dst);
            free(after);
            free(luma);
            free(src);
        }
    }
}

/* The same picture at 8 bit, which rounds tables and results: up to 1 level may lie between. */
static void depths_agree(void **state)
{
    (void)state;
    for (unsigned sample = SAMPLE_U16; sample < SAMPLE_IMAGE_COUNT; sample++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            struct shape in = harness_shape(45, 31, channels, SAMPLE_U8), deep, out;
            uint8_t *src = harness_image(&in, 8);
            const char *type = sample == SAMPLE_U16 ? "type=u16" : "type=f32";
            uint8_t *wide = harness_apply("cast", type, &in, src, &deep);
            uint8_t *low = harness_apply("clahe", "channels=each,clip_limit=4", &in, src, &out);
            uint8_t *high = harness_apply("clahe", "channels=each,clip_limit=4", &deep, wide, &out);
            for (size_t s = 0; s < shape_bytes(&in); s++) {
                const double value = harness_get(high, deep.sample, s) / harness_full(deep.sample) * 255;
                assert_true(fabs(value - low[s]) <= 1.01);
            }
            free(high);
            free(low);
            free(wide);
            free(src);
        }
    }
}

static void odd_floats_do_no_harm(void **state)
{
    (void)state;
    const float src[6] = {-3, 0.25f, INFINITY, NAN, -INFINITY, 7};
    struct shape in = harness_shape(6, 1, 1, SAMPLE_F32), out;
    uint8_t *dst = harness_apply("clahe", "", &in, (const uint8_t *)src, &out);
    for (size_t i = 0; i < 6; i++)
        assert_true(harness_get(dst, SAMPLE_F32, i) >= 0 && harness_get(dst, SAMPLE_F32, i) <= 1);
    free(dst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_channel_follows_the_definition),
        cmocka_unit_test(one_tile_is_plain_equalisation),
        cmocka_unit_test(luma_moves_all_colours),
        cmocka_unit_test(depths_agree),
        cmocka_unit_test(odd_floats_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
