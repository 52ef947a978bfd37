/* SPDX-License-Identifier: MIT */
/* equalize against its definition, which counts the pixels anew for each. */
#include "stage_harness.h"

#include <math.h>

/* What `value` becomes where the samples are `values`. */
static double equalised(const double *values, size_t count, double value, double full)
{
    double least = INFINITY;
    for (size_t i = 0; i < count; i++)
        least = fmin(least, values[i]);
    size_t of_least = 0, up_to = 0;
    for (size_t i = 0; i < count; i++) {
        of_least += values[i] <= least;
        up_to += values[i] <= value;
    }
    if (of_least == count)
        return value;
    return floor(full * (double)(up_to - of_least) / (double)(count - of_least) + 0.5);
}

/* Noise of low contrast, so that there is something to do. */
static uint8_t *dull_image(const struct shape *shape, uint32_t seed)
{
    uint8_t *pixels = harness_image(shape, seed);
    const size_t samples = (size_t)shape->width * shape->height * shape->channels;
    for (size_t i = 0; i < samples; i++) {
        const double value = harness_get(pixels, shape->sample, i);
        if (!(shape_has_alpha(shape) && i % shape->channels == shape->channels - 1u))
            harness_put(pixels, shape->sample, i, floor(value / 5 + harness_full(shape->sample) / 3));
    }
    return pixels;
}

static void each_channel_follows_the_definition(void **state)
{
    (void)state;
    for (unsigned sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
        for (unsigned channels = 1; channels <= 4; channels++) {
            struct shape in = harness_shape(23, 19, channels, sample), out;
            const unsigned colours = shape_has_alpha(&in) ? channels - 1 : channels;
            const size_t pixels = 23 * 19;
            double values[23 * 19];
            uint8_t *src = dull_image(&in, channels);
            uint8_t *dst = harness_apply("equalize", "", &in, src, &out);
            for (unsigned c = 0; c < channels; c++) {
                for (size_t p = 0; p < pixels; p++)
                    values[p] = harness_get(src, in.sample, p * channels + c);
                for (size_t p = 0; p < pixels; p++) {
                    const double want = c < colours
                                            ? equalised(values, pixels, values[p], harness_full(in.sample))
                                            : values[p];
                    assert_int_equal(harness_get(dst, in.sample, p * channels + c), want);
                }
            }
            free(dst);
            free(src);
        }
    }
}

/* Colours move by as much as luma does; luma is what grayscale makes of the image. */
static void luma_moves_all_colours(void **state)
{
    (void)state;
    for (unsigned sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
        for (unsigned channels = 3; channels <= 4; channels++) {
            struct shape in = harness_shape(23, 19, channels, sample), grey, out;
            const size_t pixels = 23 * 19;
            const double full = harness_full(in.sample);
            double values[23 * 19];
            uint8_t *src = dull_image(&in, channels);
            uint8_t *luma = harness_apply("grayscale", "", &in, src, &grey);
            uint8_t *dst = harness_apply("equalize", "channels=luma", &in, src, &out);
            for (size_t p = 0; p < pixels; p++)
                values[p] = harness_get(luma, in.sample, p * grey.channels);
            for (size_t i = 0; i < pixels * channels; i++) {
                const double before = values[i / channels], value = harness_get(src, in.sample, i);
                const double want = value + equalised(values, pixels, before, full) - before;
                assert_int_equal(harness_get(dst, in.sample, i),
                                 i % channels == 3 ? value : fmin(fmax(want, 0), full));
            }
            free(dst);
            free(luma);
            free(src);
        }
    }
}

static void grey_is_the_same_either_way(void **state)
{
    (void)state;
    struct shape in = harness_shape(40, 30, 2, SAMPLE_U8), out;
    uint8_t *src = dull_image(&in, 3);
    uint8_t *each = harness_apply("equalize", "channels=each", &in, src, &out);
    uint8_t *luma = harness_apply("equalize", "channels=luma", &in, src, &out);
    assert_memory_equal(each, luma, shape_bytes(&in));
    free(luma);
    free(each);
    free(src);
}

static void one_value_stays(void **state)
{
    (void)state;
    for (unsigned sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
        struct shape in = harness_shape(5, 5, 3, sample), out;
        static const char *const channels[] = {"channels=each", "channels=luma"};
        for (int i = 0; i < 2; i++) {
            uint8_t *src = harness_alloc(shape_bytes(&in));
            memset(src, 0xcc, shape_bytes(&in));
            uint8_t *dst = harness_apply("equalize", channels[i], &in, src, &out);
            assert_memory_equal(dst, src, shape_bytes(&in));
            free(dst);
            free(src);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_channel_follows_the_definition),
        cmocka_unit_test(luma_moves_all_colours),
        cmocka_unit_test(grey_is_the_same_either_way),
        cmocka_unit_test(one_value_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
