/* SPDX-License-Identifier: MIT */
/* sobel against the two 3 x 3 sums in double, and against edges whose gradient is known. */
#include "stage_harness.h"

#include <math.h>

#define WIDTH  29
#define HEIGHT 13

static double seen(const struct shape *shape, const uint8_t *src, long x, long y, size_t c)
{
    x = x < 0 ? 0 : x >= WIDTH ? WIDTH - 1 : x;
    y = y < 0 ? 0 : y >= HEIGHT ? HEIGHT - 1 : y;
    const size_t pixel = (size_t)(y * WIDTH + x);
    double value = harness_get(src, shape->sample, pixel * shape->channels + c);
    if (shape_has_alpha(shape))
        value *=
            harness_get(src, shape->sample, (pixel + 1) * shape->channels - 1) / harness_full(shape->sample);
    return value;
}

static void magnitude_is_that_of_the_gradient(void **state)
{
    (void)state;
    static const int kernel[3][3] = {{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}};
    for (unsigned kind = 0; kind < SAMPLE_IMAGE_COUNT * SHAPE_MAX_CHANNELS; kind++) {
        const struct shape in =
            harness_shape(WIDTH, HEIGHT, kind % SHAPE_MAX_CHANNELS + 1, kind / SHAPE_MAX_CHANNELS);
        struct shape out;
        uint8_t *src = harness_image(&in, 300 + kind);
        uint8_t *dst = harness_apply("sobel", "", &in, src, &out);
        for (size_t s = 0; s < (size_t)WIDTH * HEIGHT * in.channels; s++) {
            const size_t pixel = s / in.channels, c = s % in.channels;
            if (shape_has_alpha(&in) && c + 1 == in.channels)
                continue;
            double across = 0, down = 0;
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++) {
                    const double value =
                        seen(&in, src, (long)(pixel % WIDTH) + dx, (long)(pixel / WIDTH) + dy, c);
                    across += kernel[dy + 1][dx + 1] * value;
                    down += kernel[dx + 1][dy + 1] * value;
                }
            }
            const double exact = sqrt(across * across + down * down) / 4 / sqrt(2);
            assert_true(fabs(harness_get(dst, in.sample, s) - exact) <= (in.sample == SAMPLE_F32  ? 1e-6
                                                                         : in.sample == SAMPLE_U8 ? 0.5001
                                                                                                  : 0.51));
        }
        free(dst);
        free(src);
    }
}

/* A full-scale step gives full scale / sqrt(2) on both sides of it and nothing elsewhere, edges included. */
static void a_step_is_found(void **state)
{
    (void)state;
    const struct shape in = harness_shape(8, 4, 1, SAMPLE_U8);
    struct shape out;
    uint8_t *src = harness_alloc(shape_bytes(&in));
    for (size_t p = 0; p < 32; p++)
        src[p] = p % 8 < 4 ? 0 : 255;
    uint8_t *dst = harness_apply("sobel", "", &in, src, &out);
    for (size_t p = 0; p < 32; p++)
        assert_int_equal(dst[p], p % 8 == 3 || p % 8 == 4 ? 180 : 0);
    free(dst);
    free(src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(magnitude_is_that_of_the_gradient),
        cmocka_unit_test(a_step_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
