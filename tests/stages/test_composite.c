/* SPDX-License-Identifier: MIT */
/* composite against values worked out by hand, and against "over" as Porter and Duff write it, in double
 * precision. */
#include "array_harness.h"

struct image {
    unsigned width, height, channels, most;
    const unsigned *samples;
};

/* The image over the item; the caller frees. */
static struct applied lay(const struct image *image, const char *arguments, struct shape in, const void *src)
{
    const struct stage *stage = stage_find("composite");
    void *params = harness_params(stage, arguments);
    struct param_file file =
        image_file("logo.pam", image->width, image->height, image->channels, image->most, image->samples);
    memcpy((char *)params + param_find(stage->params, "file")->offset, &file, sizeof file);
    assert_int_equal(stage->check(params, NULL), 0);
    struct applied applied = array_apply_with(stage, params, in, src);
    harness_free_params(stage, params);
    return applied;
}

static void expect_bytes(const struct image *image, const char *arguments, struct shape in,
                         const uint8_t *src, const uint8_t *expected)
{
    struct applied applied = lay(image, arguments, in, src);
    for (size_t i = 0; i < shape_bytes(&in); i++) {
        if (applied.dst[i] != expected[i])
            fail_msg("composite:%s: byte %zu is %u, not %u", arguments, i, applied.dst[i], expected[i]);
    }
    array_free(&applied);
}

static void places_are_those_of_words(void **state)
{
    (void)state;
    static const unsigned two[] = {1, 2};
    const struct image image = {2, 1, 1, 255, two};
    static const struct {
        const char *arguments;
        uint8_t expected[12]; /* 4 x 3 */
    } cases[] = {
        {"", {1, 2}},
        {"left=1,top=1", {0, 0, 0, 0, 0, 1, 2}},
        {"left=3,top=2", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
        {"left=-1", {2}},
        {"left=-2", {0}},
        {"left=4", {0}},
        {"top=-1", {0}},
        {"top=3", {0}},
        {"gravity=north-west", {1, 2}},
        {"gravity=north", {0, 1, 2}},
        {"gravity=north-east", {0, 0, 1, 2}},
        {"gravity=west", {0, 0, 0, 0, 1, 2}},
        {"gravity=centre", {0, 0, 0, 0, 0, 1, 2}},
        {"gravity=east", {0, 0, 0, 0, 0, 0, 1, 2}},
        {"gravity=south-west", {0, 0, 0, 0, 0, 0, 0, 0, 1, 2}},
        {"gravity=south", {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}},
        {"gravity=south-east", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2}},
        {"gravity=south-east,margin=1", {0, 0, 0, 0, 0, 1, 2}},
        {"gravity=north-west,margin=1", {0, 0, 0, 0, 0, 1, 2}},
        {"tile=true", {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}},
        {"tile=true,left=1,top=2", {2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1}},
        {"tile=true,left=-5,top=-7", {2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1}},
    };
    static const uint8_t item[12] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bytes(&image, cases[i].arguments, harness_shape(4, 3, 1, SAMPLE_U8), item, cases[i].expected);
}

static void values_are_blended(void **state)
{
    (void)state;
    const struct shape grey = harness_shape(1, 1, 1, SAMPLE_U8), clear = harness_shape(1, 1, 2, SAMPLE_U8),
                       rgba = harness_shape(1, 1, 4, SAMPLE_U8);
    static const unsigned light[] = {200}, half[] = {200, 51}, red[] = {255, 0, 0}, none[] = {9, 9, 9, 0};
    const struct image light_image = {1, 1, 1, 255, light}, half_image = {1, 1, 2, 255, half},
                       red_image = {1, 1, 3, 255, red}, none_image = {1, 1, 4, 255, none};
    expect_bytes(&light_image, "", grey, (uint8_t[]){100}, (uint8_t[]){200});
    expect_bytes(&light_image, "opacity=0.5", grey, (uint8_t[]){100}, (uint8_t[]){150});
    expect_bytes(&light_image, "opacity=0", grey, (uint8_t[]){100}, (uint8_t[]){100});
    expect_bytes(&half_image, "", grey, (uint8_t[]){100}, (uint8_t[]){120}); /* 0.2 of the way */
    expect_bytes(&half_image, "", clear, (uint8_t[]){100, 0}, (uint8_t[]){200, 51});
    /* a = 0.2 + 0.5 x 0.8 = 0.6 of 255, nearly: 0.8 x 127.5 + 51; c = (200 x 0.2 + 100 x 0.4) / 0.6 */
    expect_bytes(&half_image, "", clear, (uint8_t[]){100, 127}, (uint8_t[]){133, 153});
    expect_bytes(&red_image, "", grey, (uint8_t[]){0}, (uint8_t[]){54}); /* 0.2126 x 255 = 54.2 */
    expect_bytes(&red_image, "", rgba, (uint8_t[]){7, 7, 7, 0}, (uint8_t[]){255, 0, 0, 255});
    expect_bytes(&light_image, "", rgba, (uint8_t[]){7, 7, 7, 3}, (uint8_t[]){200, 200, 200, 255});
    expect_bytes(&none_image, "", rgba, (uint8_t[]){1, 2, 3, 0}, (uint8_t[]){1, 2, 3, 0});
    expect_bytes(&none_image, "", rgba, (uint8_t[]){1, 2, 3, 77}, (uint8_t[]){1, 2, 3, 77});
}

static void hidden_nan_is_not_mixed_in(void **state)
{
    (void)state;
    const struct shape in = harness_shape(2, 1, 2, SAMPLE_F32);
    static const unsigned grey[] = {255, 255, 255, 0};
    const struct image image = {2, 1, 2, 255, grey};
    const float src[] = {NAN, 0, NAN, 1};
    struct applied applied = lay(&image, "opacity=0.5", in, src);
    float dst[4];
    memcpy(dst, applied.dst, sizeof dst);
    assert_true(dst[0] == 1 && dst[1] == 0.5f);
    assert_true(isnan(dst[2]) && dst[3] == 1); /* nothing lies over it */
    array_free(&applied);
}

/* Channel c of `colours` of a pixel as a part of full scale. */
static double colour_of(const double *pixel, unsigned channels, unsigned colours, unsigned c)
{
    if (channels >= 3 && colours == 1)
        return 0.2126 * pixel[0] + 0.7152 * pixel[1] + 0.0722 * pixel[2];
    return pixel[channels < 3 ? 0 : c];
}

static void expect_over(const double *source, unsigned from, const double *below, unsigned channels,
                        double opacity, double *result)
{
    const unsigned colours = channels < 3 ? 1 : 3;
    const double as = (from % 2 ? 1 : source[from - 1]) * opacity, ad = channels % 2 ? 1 : below[colours];
    const double alpha = as + ad * (1 - as);
    for (unsigned c = 0; c < channels; c++) {
        if (c == colours)
            result[c] = alpha;
        else
            result[c] = as == 0
                            ? below[c]
                            : (colour_of(source, from, colours, c) * as + below[c] * ad * (1 - as)) / alpha;
    }
}

/* All pairs of channels and depths. Integers are rounded once, so they are within half a step, and what
 * floats lose. */
static void all_pairs_are_as_the_formula_says(void **state)
{
    (void)state;
    enum { WIDTH = 9, HEIGHT = 7 };
    for (unsigned pair = 0; pair < 3 * 2 * 16; pair++) {
        const uint8_t sample = (uint8_t)(pair % 3);
        const unsigned channels = pair / 3 % 4 + 1, from = pair / 12 % 4 + 1, most = pair / 48 ? 65535 : 255;
        const struct shape in = harness_shape(WIDTH, HEIGHT, channels, sample),
                           other = harness_shape(WIDTH, HEIGHT, from, most > 255 ? SAMPLE_U16 : SAMPLE_U8);
        uint8_t *src = harness_image(&in, pair + 1), *over = harness_image(&other, pair + 500);
        unsigned samples[WIDTH * HEIGHT * SHAPE_MAX_CHANNELS];
        for (size_t i = 0; i < (size_t)WIDTH * HEIGHT * from; i++)
            samples[i] = (unsigned)harness_get(over, other.sample, i);
        const struct image image = {WIDTH, HEIGHT, from, most, samples};
        struct applied applied = lay(&image, "opacity=0.75", in, src);
        const double full = harness_full(sample), allowed = sample == SAMPLE_F32 ? 1e-6 : 0.5 + full * 1e-6;
        for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
            double source[4], below[4], expected[4];
            for (unsigned c = 0; c < from; c++)
                source[c] = samples[i * from + c] / (double)most;
            for (unsigned c = 0; c < channels; c++)
                below[c] = harness_get(src, sample, i * channels + c) / full;
            expect_over(source, from, below, channels, 0.75, expected);
            for (unsigned c = 0; c < channels; c++) {
                const double got = harness_get(applied.dst, sample, i * channels + c);
                if (!(fabs(got - expected[c] * full) <= allowed))
                    fail_msg("%u over %u channels, %s: %.9g, not %.9g", from, channels,
                             shape_sample_name(sample), got, expected[c] * full);
            }
        }
        array_free(&applied);
        free(src);
        free(over);
    }
}

static void wrong_wishes_are_refused(void **state)
{
    (void)state;
    const struct shape in = harness_shape(4, 3, 1, SAMPLE_U8);
    struct error error = {0};
    assert_int_equal(array_refused("composite", "", in, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "file:"));
    assert_int_equal(array_refused("composite", "file=a.pam,left=1,gravity=centre", in, &error), ERROR_USAGE);
    assert_int_equal(array_refused("composite", "file=a.pam,top=-5,gravity=centre", in, &error), ERROR_USAGE);
    assert_int_equal(array_refused("composite", "file=a.pam,margin=2", in, &error), ERROR_USAGE);
    assert_int_equal(array_refused("composite", "file=matrix.npy", in, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "matrix.npy is no image"));
    assert_int_equal(array_refused("composite", "file=a.pam,left=0,top=-5", in, &error), 0);
}

/* A file that ends early is found out when it is unpacked, and named. */
static void damage_is_told(void **state)
{
    (void)state;
    const struct stage *stage = stage_find("composite");
    const struct shape in = harness_shape(4, 3, 1, SAMPLE_U8);
    struct param_file *file;
    struct stage_plan plan;
    struct error error = {0};
    void *params = harness_params(stage, "file=logo.pam");
    file = (void *)((char *)params + param_find(stage->params, "file")->offset);
    file->length_bytes--;
    int code = stage_plan(stage, params, &in, &plan, &error);
    if (code == 0) {
        struct scratch scratch = {.base = harness_alloc(plan.begin_scratch_bytes),
                                  .size_bytes = plan.begin_scratch_bytes};
        struct stage_run run = {.params = params, .in = in, .out = plan.out};
        code = stage->begin(&run, &scratch, &error);
        free(scratch.base);
    }
    assert_int_equal(code, ERROR_CORRUPT);
    assert_non_null(strstr(error.reason, "logo.pam"));
    harness_free_params(stage, params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_those_of_words),  cmocka_unit_test(values_are_blended),
        cmocka_unit_test(hidden_nan_is_not_mixed_in), cmocka_unit_test(all_pairs_are_as_the_formula_says),
        cmocka_unit_test(wrong_wishes_are_refused),   cmocka_unit_test(damage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
