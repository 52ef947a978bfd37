/* SPDX-License-Identifier: MIT */
/* resize against a direct two-dimensional sum in double. */
#include <math.h>

#include "tests/quick.h"
#include "tests/stages/harness.h"

static const char *const kernels[] = {"nearest",  "box",      "linear",  "cubic",
                                      "mitchell", "lanczos2", "lanczos3"};
enum { NEAREST, BOX, LINEAR, CUBIC, MITCHELL, LANCZOS2, LANCZOS3, KERNELS };

static const double pi = 3.14159265358979323846;

static double lobe(double x)
{
    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

/* The kernels as textbooks print them, as functions of the distance. */
static double kernel_value(int kernel, double x)
{
    x = fabs(x);
    switch (kernel) {
    case LINEAR:
        return x < 1 ? 1 - x : 0;
    case CUBIC: /* Keys 1981, a = -1/2 */
        return x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
               : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                       : 0;
    case MITCHELL:
        return x < 1   ? 7.0 / 6 * x * x * x - 2 * x * x + 8.0 / 9
               : x < 2 ? -7.0 / 18 * x * x * x + 2 * x * x - 10.0 / 3 * x + 16.0 / 9
                       : 0;
    case LANCZOS2:
        return x < 2 ? lobe(x) * lobe(x / 2) : 0;
    default:
        return x < 3 ? lobe(x) * lobe(x / 3) : 0;
    }
}

/* One direction of the reference: output centre i lies at offset + (i + 1/2) scale. */
struct line {
    double offset, scale;
    uint32_t in;
};

static double weight(int kernel, const struct line *line, uint32_t i, uint32_t j)
{
    const double centre = line->offset + (i + 0.5) * line->scale;
    if (kernel == NEAREST)
        return floor(centre) == j ? 1 : 0;
    if (kernel == BOX) {
        const double left = fmax(centre - line->scale / 2, j),
                     right = fmin(centre + line->scale / 2, j + 1.0);
        return right > left ? right - left : 0;
    }
    if (line->scale == 1 && line->offset == 0)
        return i == j;
    return kernel_value(kernel, (j + 0.5 - centre) / (line->scale > 1 ? line->scale : 1));
}

static double to_linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double to_srgb(double v)
{
    return v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055;
}

/* The pixel at (x, y) of the result, in 0..1 (beyond, where a kernel overshoots). */
static void direct_sum(int kernel, bool linear, const struct shape *in, const void *src,
                       const struct line *across, const struct line *down, uint32_t x, uint32_t y,
                       double pixel[4])
{
    const unsigned channels = in->channels;
    const bool has_alpha = channels % 2 == 0;
    double total = 0, sums[4] = {0};
    for (uint32_t v = 0; v < in->height; v++) {
        const double by_row = weight(kernel, down, y, v);
        for (uint32_t u = 0; u < in->width && by_row != 0; u++) {
            const double w = by_row * weight(kernel, across, x, u);
            const size_t at = ((size_t)v * in->width + u) * channels;
            const double full = harness_full(in);
            const double alpha = has_alpha ? harness_get(in, src, at + channels - 1) / full : 1;
            total += w;
            for (unsigned c = 0; c < channels; c++) {
                double value = harness_get(in, src, at + c) / full;
                if (has_alpha && c == channels - 1)
                    value = 1;
                else if (linear)
                    value = to_linear(value);
                sums[c] += w * value * alpha;
            }
        }
    }
    const double alpha = has_alpha ? sums[channels - 1] / total : 1;
    for (unsigned c = 0; c < channels; c++) {
        pixel[c] = sums[c] / total;
        if (has_alpha && c == channels - 1)
            pixel[c] = fmin(fmax(alpha, 0), 1);
        else if (has_alpha)
            pixel[c] /= alpha;
        if (linear && !(has_alpha && c == channels - 1))
            pixel[c] = to_srgb(fmax(pixel[c], 0));
    }
}

/* How far a result may lie from the reference, in steps of its type. Whole samples: half a step is rounding,
 * and 8 bits are added up in fixed point, whose error grows as alpha falls. Colour under little alpha is a
 * quotient of small numbers, and nobody sees it: it is left out. */
static void check_pixel(const char *params, const struct shape *out, const void *dst, uint32_t x, uint32_t y,
                        const double expected[4])
{
    const bool has_alpha = out->channels % 2 == 0;
    const double full = harness_full(out), alpha = has_alpha ? expected[out->channels - 1] : 1;
    if (alpha < 0.05)
        return;
    const double allowed = out->sample == SAMPLE_F32   ? 2e-5
                           : out->sample == SAMPLE_U16 ? 0.6
                                                       : fmin(0.5 + 0.08 / alpha, 1);
    for (unsigned c = 0; c < out->channels; c++) {
        const size_t at = ((size_t)y * out->width + x) * out->channels + c;
        double want = expected[c] * full;
        if (out->sample != SAMPLE_F32)
            want = fmin(fmax(want, 0), full);
        const double got = harness_get(out, dst, at);
        if (!(fabs(got - want) <= allowed * (out->sample == SAMPLE_F32 ? fmax(1, fabs(want)) : 1)))
            fail_msg("%s: (%u, %u) channel %u of %u is %.9g, not %.9g", params, x, y, c, out->channels, got,
                     want);
    }
}

/* Every `step`th pixel of each row. */
static void compare_some(const char *params, int kernel, bool linear, const struct shape *in,
                         struct line across, struct line down, uint32_t step)
{
    struct shape out;
    void *src = harness_noise(in), *dst = harness_apply("resize", params, *in, src, &out);
    for (uint32_t y = 0; y < out.height; y++) {
        for (uint32_t x = 0; x < out.width; x += step) {
            double expected[4];
            direct_sum(kernel, linear, in, src, &across, &down, x, y, expected);
            check_pixel(params, &out, dst, x, y, expected);
        }
    }
    free(src);
    free(dst);
}

static void compare(const char *params, int kernel, bool linear, const struct shape *in, struct line across,
                    struct line down)
{
    compare_some(params, kernel, linear, in, across, down, 1);
}

static void every_kernel_is_the_direct_sum(void **state)
{
    (void)state;
    static const uint32_t sizes[][4] = {{40, 31, 13, 11}, {9, 12, 23, 30}, {33, 7, 10, 21},
                                        {7, 30, 7, 9},    {16, 12, 8, 24}, {50, 60, 1, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint32_t *size = sizes[i];
        const struct line across = {.scale = (double)size[0] / size[2], .in = size[0]};
        const struct line down = {.scale = (double)size[1] / size[3], .in = size[1]};
        for (int kernel = 0; kernel < KERNELS; kernel++) {
            for (unsigned kind = 0; kind < 12; kind++) {
                if (quick_skip(11))
                    continue;
                const struct shape in =
                    harness_shape(size[0], size[1], 1 + kind % 4, (enum sample)(kind / 4));
                char params[120];
                snprintf(params, sizeof params, "fit=fill,width=%u,height=%u,kernel=%s", size[2], size[3],
                         kernels[kernel]);
                compare(params, kernel, false, &in, across, down);
            }
        }
    }
}

/* Wider than a strip; so wide that a block has fewer rows than come out; and of so many samples to a sum that
 * their weights are too small for fixed point. */
static void wide_images_are_the_direct_sum(void **state)
{
    (void)state;
    static const uint32_t sizes[][4] = {{700, 40, 19, 37}, {12000, 10, 300, 11}, {12000, 10, 2, 11}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint32_t *size = sizes[i];
        const struct line across = {.scale = (double)size[0] / size[2], .in = size[0]};
        const struct line down = {.scale = (double)size[1] / size[3], .in = size[1]};
        for (unsigned channels = 1; channels <= 4; channels++) {
            if (quick_skip(5))
                continue;
            const struct shape in = harness_shape(size[0], size[1], channels, SAMPLE_U8);
            char params[120];
            snprintf(params, sizeof params, "fit=fill,width=%u,height=%u,kernel=cubic", size[2], size[3]);
            compare_some(params, CUBIC, false, &in, across, down, 1 + size[2] / 8);
        }
    }
}

static void cover_keeps_the_middle(void **state)
{
    (void)state;
    static const uint32_t sizes[][4] = {{60, 20, 8, 8}, {21, 50, 10, 7}, {10, 12, 30, 20}, {40, 30, 9, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const uint32_t *size = sizes[i];
        const double by_width = (double)size[0] / size[2], by_height = (double)size[1] / size[3];
        const double scale = fmin(by_width, by_height);
        const struct line across = {(size[0] - size[2] * scale) / 2, scale, size[0]};
        const struct line down = {(size[1] - size[3] * scale) / 2, scale, size[1]};
        for (int kernel = BOX; kernel < KERNELS; kernel++) {
            const struct shape in = harness_shape(size[0], size[1], 3, SAMPLE_U16);
            char params[120];
            snprintf(params, sizeof params, "fit=cover,width=%u,height=%u,kernel=%s", size[2], size[3],
                     kernels[kernel]);
            compare(params, kernel, false, &in, across, down);
        }
    }
}

static void linear_light_is_the_direct_sum(void **state)
{
    (void)state;
    const struct line across = {.scale = 20.0 / 7, .in = 20}, down = {.scale = 15.0 / 18, .in = 15};
    for (unsigned kind = 0; kind < 12; kind++) {
        const struct shape in = harness_shape(20, 15, 1 + kind % 4, (enum sample)(kind / 4));
        compare("fit=fill,width=7,height=18,kernel=linear,linear=true", LINEAR, true, &in, across, down);
    }
    /* Half black, half white is half the light: 188 of 255, not 128. */
    const struct shape in = harness_shape(2, 1, 1, SAMPLE_U8);
    const uint8_t src[] = {0, 255};
    struct shape out;
    uint8_t *dst = harness_apply("resize", "width=1,kernel=box,linear=true", in, src, &out);
    assert_int_equal(dst[0], 188);
    free(dst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_is_the_direct_sum),
        cmocka_unit_test(wide_images_are_the_direct_sum),
        cmocka_unit_test(cover_keeps_the_middle),
        cmocka_unit_test(linear_light_is_the_direct_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
