/* SPDX-License-Identifier: MIT */
/* erode and dilate against a loop over every pixel of the shape. */
#include "stage_harness.h"
#include "tests/quick.h"

#include <math.h>

static bool covers(const char *shape, long radius, long dx, long dy)
{
    if (strcmp(shape, "cross") == 0)
        return dx == 0 || dy == 0;
    return strcmp(shape, "square") == 0 || dx * dx + dy * dy <= radius * radius;
}

/* The extreme value of the pixels that exist. */
static double extreme(const struct shape *in, const uint8_t *src, const char *shape, long radius,
                      bool greatest, long x, long y, unsigned channel)
{
    double best = greatest ? -INFINITY : INFINITY;
    for (long dy = -radius; dy <= radius; dy++) {
        for (long dx = -radius; dx <= radius; dx++) {
            if (!covers(shape, radius, dx, dy) || x + dx < 0 || x + dx >= in->width || y + dy < 0 ||
                y + dy >= in->height)
                continue;
            const size_t pixel = (size_t)(y + dy) * in->width + (size_t)(x + dx);
            const double value = harness_get(src, in->sample, pixel * in->channels + channel);
            best = greatest ? fmax(best, value) : fmin(best, value);
        }
    }
    return best;
}

static void compare(const struct shape *in, const char *shape, int size, const uint8_t *src)
{
    for (int greatest = 0; greatest < 2; greatest++) {
        char arguments[40];
        struct shape out;
        snprintf(arguments, sizeof arguments, "size=%d,shape=%s", size, shape);
        uint8_t *dst = harness_apply(greatest ? "dilate" : "erode", arguments, in, src, &out);
        for (size_t i = 0; i < (size_t)in->width * in->height * in->channels; i++) {
            const long p = (long)(i / in->channels);
            const double want = extreme(in, src, shape, size / 2, greatest, p % in->width, p / in->width,
                                        (unsigned)(i % in->channels));
            if (harness_get(dst, in->sample, i) != want)
                fail_msg("%s of %ux%u: sample %zu is %g, not %g", arguments, in->width, in->height, i,
                         harness_get(dst, in->sample, i), want);
        }
        free(dst);
    }
}

static void every_shape_follows_the_loop(void **state)
{
    (void)state;
    static const char *const shapes[] = {"square", "cross", "disc"};
    static const int sizes[] = {3, 5, 7, 13, 17};
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (unsigned channels = 1; channels <= 4; channels++) {
                for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
                    const struct shape in = harness_shape(29, 23, channels, sample);
                    if (quick_skip(23))
                        continue;
                    uint8_t *src = harness_image(&in, 5);
                    for (size_t p = 0; sample == SAMPLE_F32 && p < 29u * 23 * channels; p++)
                        harness_put(src, in.sample, p, harness_get(src, in.sample, p) * 3 - 1.5);
                    compare(&in, shapes[s], sizes[i], src);
                    free(src);
                }
            }
        }
    }
}

/* Shapes larger than the image, and images of several strips. */
static void awkward_sizes_follow_it_too(void **state)
{
    (void)state;
    static const char *const shapes[] = {"square", "cross", "disc"};
    static const uint32_t sizes[][3] = {{1, 1, 9},   {1, 20, 9},    {20, 1, 9},
                                        {3, 4, 255}, {1027, 5, 33}, {513, 3, 3}};
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const struct shape in = harness_shape(sizes[i][0], sizes[i][1], 3, SAMPLE_U8);
            if (quick_skip(11))
                continue;
            uint8_t *src = harness_image(&in, 6);
            compare(&in, shapes[s], (int)sizes[i][2], src);
            free(src);
        }
    }
}

/* NaN is above infinity: it grows under dilation, and erosion keeps it only where there is nothing else. */
static void nan_is_the_greatest(void **state)
{
    (void)state;
    const float src[5] = {1, NAN, -INFINITY, 2, INFINITY};
    const struct shape in = harness_shape(5, 1, 1, SAMPLE_F32);
    struct shape out;
    uint8_t *dst = harness_apply("dilate", "", &in, (const uint8_t *)src, &out);
    for (size_t i = 0; i < 5; i++)
        assert_true(i < 3 ? isnan(harness_get(dst, SAMPLE_F32, i))
                          : harness_get(dst, SAMPLE_F32, i) == INFINITY);
    free(dst);
    static const float expected[5] = {1, -INFINITY, -INFINITY, -INFINITY, 2};
    dst = harness_apply("erode", "", &in, (const uint8_t *)src, &out);
    assert_memory_equal(dst, expected, sizeof expected);
    free(dst);
}

static void bits_stay(void **state)
{
    (void)state;
    static const uint8_t src[4] = {0, 255, 0, 0};
    struct shape in = harness_shape(4, 1, 1, SAMPLE_U8), out;
    in.bits = 1;
    free(harness_apply("dilate", "", &in, src, &out));
    assert_int_equal(out.bits, 1);
}

static void even_sizes_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"erode", "dilate"};
    for (int i = 0; i < 2; i++) {
        const struct stage *stage = stage_find(names[i]);
        struct error error = {0};
        void *params = harness_params(stage, "size=4");
        assert_int_equal(stage->check(params, &error), ERROR_USAGE);
        assert_non_null(strstr(error.reason, "3 or 5"));
        harness_free_params(stage, params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_follows_the_loop), cmocka_unit_test(awkward_sizes_follow_it_too),
        cmocka_unit_test(nan_is_the_greatest),          cmocka_unit_test(bits_stay),
        cmocka_unit_test(even_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
