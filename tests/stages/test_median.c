/* SPDX-License-Identifier: MIT */
/* median against a count of the samples below and above, with every method: networks (3, 5), histograms of
 * columns (8 bit), sets of ranks (16 bit and floats). */
#include "stage_harness.h"
#include "tests/quick.h"

#include <math.h>

/* The median is the one sample with at most half of the others below it and at most half above. */
static bool is_median(const struct shape *in, const uint8_t *src, long radius, size_t index, double value)
{
    const long x = (long)(index / in->channels % in->width), y = (long)(index / in->channels / in->width);
    long below = 0, above = 0, count = 0;
    for (long j = y - radius; j <= y + radius; j++) {
        for (long i = x - radius; i <= x + radius; i++) {
            const long row = j < 0 ? 0 : j >= in->height ? in->height - 1 : j;
            const long column = i < 0 ? 0 : i >= in->width ? in->width - 1 : i;
            const size_t at = (size_t)(row * in->width + column) * in->channels + index % in->channels;
            const double other = harness_get(src, in->sample, at);
            below += other < value;
            above += other > value;
            count++;
        }
    }
    return below <= count / 2 && above <= count / 2 && below + above < count;
}

static void check(const struct shape *in, const uint8_t *src, int size, size_t step)
{
    char arguments[20], text[40];
    struct shape out;
    snprintf(arguments, sizeof arguments, "size=%d", size);
    uint8_t *dst = harness_apply("median", arguments, in, src, &out);
    for (size_t i = 0; i < (size_t)in->width * in->height * in->channels; i += step) {
        const double value = harness_get(dst, in->sample, i);
        if (!is_median(in, src, size / 2, i, value))
            fail_msg("%s of %s: %g is not the median at sample %zu", arguments,
                     shape_text(in, text, sizeof text), value, i);
    }
    free(dst);
}

/* Floats of both signs; every third image has few values, so that many samples are equal. */
static uint8_t *picture(const struct shape *in, uint32_t seed)
{
    uint8_t *src = harness_image(in, seed);
    for (size_t i = 0; i < (size_t)in->width * in->height * in->channels; i++) {
        double value = harness_get(src, in->sample, i);
        if (seed % 3 == 0)
            value = floor(value / harness_full(in->sample) * 5) / 5 * harness_full(in->sample);
        harness_put(src, in->sample, i, in->sample == SAMPLE_F32 ? value * 4 - 2 : value);
    }
    return src;
}

static void every_size_gives_medians(void **state)
{
    (void)state;
    static const int sizes[] = {3, 5, 7, 9, 15, 31};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            for (unsigned channels = 1; channels <= 4; channels++) {
                const struct shape in = harness_shape(37, 26, channels, sample);
                if (quick_skip(11))
                    continue;
                uint8_t *src = picture(&in, channels + (unsigned)s);
                check(&in, src, sizes[s], 1);
                free(src);
            }
        }
    }
}

/* Smaller than the square; of several strips and tiles; and the greatest square. */
static void every_shape_gives_medians(void **state)
{
    (void)state;
    static const uint32_t sizes[][4] = {
        {1, 1, 3, 1},    {1, 1, 7, 1},      {1, 30, 5, 1},     {30, 1, 5, 1},       {1, 30, 9, 1},
        {30, 1, 9, 1},   {2, 3, 99, 1},     {1050, 4, 5, 1},   {1050, 4, 3, 1},     {2, 9, 3, 1},
        {1100, 9, 3, 1}, {530, 300, 7, 61}, {300, 530, 7, 61}, {200, 210, 99, 997},
    };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            const struct shape in = harness_shape(sizes[s][0], sizes[s][1], 2, sample);
            uint8_t *src = picture(&in, 4 + (unsigned)s);
            check(&in, src, (int)sizes[s][2], sizes[s][3]);
            free(src);
        }
    }
}

/* One bright sample among dark ones is gone, an edge stays where it is. */
static void specks_go_and_edges_stay(void **state)
{
    (void)state;
    for (int size = 3; size <= 9; size += 2) {
        char arguments[20];
        struct shape in = harness_shape(20, 20, 1, SAMPLE_U8), out;
        uint8_t *src = harness_alloc(400);
        for (size_t p = 0; p < 400; p++)
            src[p] = p % 20 < 10 ? 10 : 200;
        src[10 * 20 + 4] = 255;
        snprintf(arguments, sizeof arguments, "size=%d", size);
        uint8_t *dst = harness_apply("median", arguments, &in, src, &out);
        for (size_t p = 0; p < 400; p++)
            assert_int_equal(dst[p], p % 20 < 10 ? 10 : 200);
        free(dst);
        free(src);
    }
}

/* NaN counts as greater than infinity: with few of them the median is that of all samples, with many it is
 * NaN. */
static void nan_has_a_rank(void **state)
{
    (void)state;
    static const char *const sizes[] = {"size=3", "size=5", "size=7"};
    for (int i = 0; i < 3; i++) {
        struct shape in = harness_shape(1, 1, 1, SAMPLE_F32), out;
        float one = NAN;
        uint8_t *dst = harness_apply("median", sizes[i], &in, (const uint8_t *)&one, &out);
        assert_true(isnan(harness_get(dst, SAMPLE_F32, 0)));
        free(dst);
        const float some[5] = {NAN, 1, 1, INFINITY, -INFINITY};
        in.width = 5;
        dst = harness_apply("median", sizes[i], &in, (const uint8_t *)some, &out);
        assert_true(harness_get(dst, SAMPLE_F32, 2) == 1);
        free(dst);
    }
}

static void even_sizes_are_refused(void **state)
{
    (void)state;
    const struct stage *median = stage_find("median");
    struct error error = {0};
    void *params = harness_params(median, "size=8");
    assert_int_equal(median->check(params, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "7 or 9"));
    harness_free_params(median, params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_gives_medians), cmocka_unit_test(every_shape_gives_medians),
        cmocka_unit_test(specks_go_and_edges_stay), cmocka_unit_test(nan_has_a_rank),
        cmocka_unit_test(even_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
