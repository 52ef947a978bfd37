/* SPDX-License-Identifier: MIT */
/* levels against its formula in double, with percentiles from a sorted copy of the samples. */
#include "stage_harness.h"
#include "tests/quick.h"

#include <math.h>

static double stretched(double value, double in_low, double in_high, double out_low, double out_high,
                        double gamma)
{
    const double part = fmin(fmax((value - in_low) / (in_high - in_low), 0), 1);
    return out_low + (out_high - out_low) * pow(part, 1 / gamma);
}

/* Compares every sample of `dst`; alpha must be that of `src`. */
static void expect(const struct shape *in, const uint8_t *src, const uint8_t *dst, const double levels[5])
{
    const double full = harness_full(in->sample);
    const size_t samples = (size_t)in->width * in->height * in->channels;
    for (size_t i = 0; i < samples; i++) {
        const double value = harness_get(src, in->sample, i), got = harness_get(dst, in->sample, i);
        if (shape_has_alpha(in) && i % in->channels == in->channels - 1u) {
            assert_true(got == value);
            continue;
        }
        double exact = stretched(value / full, levels[0], levels[1], levels[2], levels[3], levels[4]) * full;
        if (in->sample != SAMPLE_F32)
            exact = fmin(fmax(exact, 0), full);
        if (fabs(got - exact) > (in->sample == SAMPLE_F32 ? 1e-6 : 0.5 + 1e-6))
            fail_msg("%g became %.9g, not %.9g", value, got, exact);
    }
}

static void levels_follow_the_formula(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        double levels[5];
    } cases[] = {
        {"", {0, 1, 0, 1, 1}},
        {"in_low=0.2,in_high=0.7", {0.2, 0.7, 0, 1, 1}},
        {"in_low=-0.5,in_high=1.5,gamma=0.5", {-0.5, 1.5, 0, 1, 0.5}},
        {"out_low=0.9,out_high=0.1,gamma=2.2", {0, 1, 0.9, 0.1, 2.2}},
        {"in_low=0.1,out_low=-0.3,out_high=1.4", {0.1, 1, -0.3, 1.4, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 1; channels <= 4; channels++) {
                if (quick_skip(7))
                    continue;
                struct shape in = harness_shape(150, 150, channels, sample), out;
                uint8_t *src = harness_image(&in, 9);
                uint8_t *dst = harness_apply("levels", cases[i].arguments, &in, src, &out);
                expect(&in, src, dst, cases[i].levels);
                free(dst);
                free(src);
            }
        }
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the finite colour samples, by linear interpolation. */
static double percentile(const struct shape *in, const uint8_t *src, double percent)
{
    const size_t samples = (size_t)in->width * in->height * in->channels;
    double *sorted = malloc(samples * sizeof *sorted);
    size_t count = 0;
    assert_non_null(sorted);
    for (size_t i = 0; i < samples; i++) {
        const double value = harness_get(src, in->sample, i);
        if (!(shape_has_alpha(in) && i % in->channels == in->channels - 1u) && isfinite(value))
            sorted[count++] = value;
    }
    qsort(sorted, count, sizeof *sorted, ascending);
    const double place = percent / 100 * (double)(count - 1), below = floor(place);
    const size_t at = (size_t)below, next = at + 1 < count ? at + 1 : at;
    const double result = sorted[at] + (sorted[next] - sorted[at]) * (place - below);
    free(sorted);
    return result;
}

static void auto_finds_percentiles(void **state)
{
    (void)state;
    static const double percents[][2] = {{2, 98}, {0, 100}, {13.7, 61}, {40, 40.5}};
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 1; channels <= 4; channels++) {
                struct shape in = harness_shape(31, 23, channels, sample), out;
                char arguments[64];
                const double full = harness_full(in.sample);
                uint8_t *src = harness_image(&in, 21 + channels);
                if (sample == SAMPLE_F32) {
                    /* Negative numbers and wide ranges; what is not finite does not count. */
                    for (size_t p = 0; p < 31u * 23 * channels; p++)
                        harness_put(src, in.sample, p, pow(harness_get(src, in.sample, p) * 3 - 1, 3));
                    harness_put(src, in.sample, 5 * channels, -INFINITY);
                    harness_put(src, in.sample, 6 * channels, INFINITY);
                    harness_put(src, in.sample, 7 * channels, NAN);
                }
                const double levels[5] = {percentile(&in, src, percents[i][0]) / full,
                                          percentile(&in, src, percents[i][1]) / full, 0, 1, 1};
                snprintf(arguments, sizeof arguments, "auto=true,low=%g,high=%g", percents[i][0],
                         percents[i][1]);
                uint8_t *dst = harness_apply("levels", arguments, &in, src, &out);
                expect(&in, src, dst, levels);
                free(dst);
                free(src);
            }
        }
    }
}

static void auto_leaves_one_value_alone(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        struct shape in = harness_shape(4, 4, 3, sample), out;
        uint8_t *src = harness_alloc(shape_bytes(&in));
        for (size_t i = 0; i < 48; i++)
            harness_put(src, in.sample, i, harness_full(in.sample) * 0.6);
        uint8_t *dst = harness_apply("levels", "auto=true", &in, src, &out);
        assert_memory_equal(dst, src, shape_bytes(&in));
        free(dst);
        free(src);
    }
    const float nothing[2] = {NAN, INFINITY};
    struct shape in = harness_shape(2, 1, 1, SAMPLE_F32), out;
    uint8_t *dst = harness_apply("levels", "auto=true", &in, (const uint8_t *)nothing, &out);
    assert_true(harness_get(dst, SAMPLE_F32, 0) == 0 && harness_get(dst, SAMPLE_F32, 1) == 1);
    free(dst);
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    const struct stage *levels = stage_find("levels");
    static const char *const bad[] = {"in_low=0.5,in_high=0.5", "in_low=1", "auto=true,in_low=0.1",
                                      "auto=true,in_high=0.9", "auto=true,low=50,high=50"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        void *params = harness_params(levels, bad[i]);
        assert_int_equal(levels->check(params, &error), ERROR_USAGE);
        assert_true(strlen(error.reason) > 0);
        harness_free_params(levels, params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_follow_the_formula),
        cmocka_unit_test(auto_finds_percentiles),
        cmocka_unit_test(auto_leaves_one_value_alone),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
