/* SPDX-License-Identifier: MIT */
/* convolve against naive sums: images by vips's definition, arrays by numpy.convolve's. */
#include "array_harness.h"
#include "trial.h"

#define WIDTH  23
#define HEIGHT 11

/* No symmetry, and an even width: a mask turned round or off its centre shows. */
static const double mask[3][4] = {{1, 2, -3, 4}, {0, 5, 6, 0}, {-7, 8, 1, 2}};
#define MASK "mask=1 2 -3 4,mask=0 5 6 0,mask=-7 8 1 2"
#define SUM  19

static double at(const struct shape *in, const uint8_t *src, long x, long y, size_t c)
{
    x = x < 0 ? 0 : x >= WIDTH ? WIDTH - 1 : x;
    y = y < 0 ? 0 : y >= HEIGHT ? HEIGHT - 1 : y;
    return harness_get(src, in->sample, ((size_t)y * WIDTH + (size_t)x) * in->channels + c);
}

static double weighed(const struct shape *in, const uint8_t *src, size_t pixel, size_t c, bool by_alpha)
{
    double sum = 0;
    for (int r = 0; r < 3; r++) {
        for (int k = 0; k < 4; k++) {
            const long x = (long)(pixel % WIDTH) + k - 2, y = (long)(pixel / WIDTH) + r - 1;
            const double alpha =
                by_alpha ? at(in, src, x, y, in->channels - 1u) / harness_full(in->sample) : 1;
            sum += mask[r][k] * alpha * at(in, src, x, y, c);
        }
    }
    return sum;
}

static double limited(const struct shape *in, double value)
{
    const double full = harness_full(in->sample);
    if (in->sample == SAMPLE_F32)
        return value;
    return value < 0 ? 0 : value > full ? full : value;
}

static void images_are_weighed_as_by_vips(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < SAMPLE_IMAGE_COUNT * SHAPE_MAX_CHANNELS; kind++) {
        const struct shape in =
            harness_shape(WIDTH, HEIGHT, kind % SHAPE_MAX_CHANNELS + 1, kind / SHAPE_MAX_CHANNELS);
        const double full = harness_full(in.sample);
        struct shape out;
        uint8_t *src = harness_image(&in, 400 + kind);
        uint8_t *dst = harness_apply("convolve", MASK ",scale=30,offset=0.125", &in, src, &out);
        for (size_t s = 0; s < (size_t)WIDTH * HEIGHT * in.channels; s++) {
            const size_t pixel = s / in.channels, c = s % in.channels;
            double expected = weighed(&in, src, pixel, c, false) / 30 + 0.125 * full;
            double allowed = full * 1e-6 + (full > 1 ? 0.5 : 0);
            if (shape_has_alpha(&in)) {
                const double alpha = weighed(&in, src, pixel, in.channels - 1u, false) / SUM;
                expected = alpha;
                if (c + 1 < in.channels)
                    expected = (alpha > 0 ? weighed(&in, src, pixel, c, true) / 30 / (alpha / full) : 0) +
                               0.125 * full;
                if (alpha < full / 16 && fabs(alpha) > 0)
                    continue; /* small divisors make rounding large */
                allowed *= 2;
            }
            assert_true(fabs(harness_get(dst, in.sample, s) - limited(&in, expected)) <= allowed);
        }
        free(dst);
        free(src);
    }
}

/* A mask of `side` x `side` whole numbers, as text, each times `unit`. */
static void mask_text(const int *weights, size_t side, double unit, char *text, size_t bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < side * side; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%g",
                                 i % side ? " "
                                 : i      ? ",mask="
                                          : "mask=",
                                 unit * weights[i]);
}

/* The sum around a sample of an image that is 3 rows high. */
static int exact_sum(const uint8_t *src, size_t width, size_t channels, size_t sample, const int *weights,
                     long side)
{
    const long y = (long)(sample / channels / width), x = (long)(sample / channels % width);
    int sum = 0;
    for (long i = 0; i < side * side; i++) {
        const long row = y + i / side - side / 2, column = x + i % side - side / 2, right = (long)width - 1;
        const long at = (row < 0   ? 0
                         : row > 2 ? 2
                                   : row) *
                            (right + 1) +
                        (column < 0       ? 0
                         : column > right ? right
                                          : column);
        sum += weights[i] * src[(size_t)at * channels + sample % channels];
    }
    return sum;
}

/* Whole numbers over 8 bits, to the last bit: one part, parts that are added up, the greatest and the least
 * weight of one, nothing at all, and what is done in floats. The same in halves is done in floats, too. */
static void whole_numbers_are_exact(void **state)
{
    (void)state;
    static const struct {
        long side;
        int scale, weights[25];
    } cases[] = {
        {3, 45, {1, 2, 3, 4, 5, 6, 7, 8, 9}},
        {3, 1, {-1, -1, -1, -1, 9, -1, -1, -1, -1}},
        {3, 7, {128, 0, -128, 127, 0, -127, 64, 65, -128}},
        {3, 3, {-1, 0, 0, 0, -2, 0, 0, 0, 1}},
        {3, 5, {0}},
        {3, 300, {129, 1, 1, 1, 129, 1, 1, 1, 1}},
        {5, 325, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25}},
        {5, 9, {100, -90, 80, -70, 60, -50, 40, -30, 20, -10, 0, 10, -20, 30, -40, 50, -60, 70, -80, 90, 1}},
        {1, 2, {1}},
    };
    static const uint32_t widths[] = {1, 2, 37, 900};
    for (size_t i = 0; i < sizeof cases / sizeof *cases * 8; i++) {
        const int *weights = cases[i / 8].weights, scale = cases[i / 8].scale;
        const unsigned channels = i % 2 ? 3 : 1;
        const struct shape in = harness_shape(widths[i / 2 % 4], 3, channels, SAMPLE_U8);
        uint8_t *src = harness_image(&in, 500 + (unsigned)i);
        for (int half = 0; half < 2; half++) {
            char text[400], arguments[500];
            const double unit = half ? 0.5 : 1;
            struct shape out;
            mask_text(weights, (size_t)cases[i / 8].side, unit, text, sizeof text);
            snprintf(arguments, sizeof arguments, "%s,scale=%g,offset=0.2", text, unit * scale);
            uint8_t *dst = harness_apply("convolve", arguments, &in, src, &out);
            for (size_t s = 0; s < shape_bytes(&in); s++) {
                const int sum = exact_sum(src, in.width, channels, s, weights, cases[i / 8].side);
                const double level = floor((double)sum / scale + 51 + 0.5);
                if (dst[s] != (int)limited(&in, level))
                    fail_msg("%s: sample %zu of width %u is %d, not %g", arguments, s, in.width, dst[s],
                             level);
            }
            free(dst);
        }
        free(src);
    }
}

/* Cuts, source rows and scratch, with masks of several rows, some of them higher than the image. */
static void the_contract_is_kept(void **state)
{
    (void)state;
    static const char *const masks[] = {MASK ",scale=0",
                                        "mask=1,mask=2,mask=3,mask=4,mask=5,mask=6,mask=7,mask=8",
                                        "mask=0 0 0,mask=0 0 0", "mask=0.5 1,mask=2 3"};
    static const uint32_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {33, 17}};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        const struct stage *stage = stage_find("convolve");
        void *params = harness_params(stage, masks[i]);
        for (unsigned kind = 0; kind < 4 * SAMPLE_IMAGE_COUNT * SHAPE_MAX_CHANNELS; kind++) {
            const struct shape in =
                harness_shape(sizes[kind % 4][0], sizes[kind % 4][1], kind / 4 % SHAPE_MAX_CHANNELS + 1,
                              kind / 4 / SHAPE_MAX_CHANNELS);
            assert_int_equal(try_shape(stage, params, &in), 1);
        }
        harness_free_params(stage, params);
    }
}

/* Weights that add up to 0: alpha stays; a level area has no edges, whatever its alpha at both sides. */
static void edges_keep_alpha(void **state)
{
    (void)state;
    const struct shape in = harness_shape(4, 1, 2, SAMPLE_U8);
    const uint8_t pixels[] = {100, 255, 100, 255, 100, 0, 100, 255};
    const uint8_t expected[] = {0, 255, 0, 255, 0, 0, 100, 255};
    struct shape out;
    uint8_t *dst = harness_apply("convolve", "mask=-1 1 0", &in, pixels, &out);
    assert_memory_equal(dst, expected, sizeof expected); /* premultiplied: 100 100 0 100 */
    free(dst);
}

static void a_scale_of_0_keeps_the_level(void **state)
{
    (void)state;
    const struct shape in = harness_shape(5, 4, 3, SAMPLE_U16);
    struct shape out;
    uint16_t pixels[5 * 4 * 3];
    for (size_t i = 0; i < 5 * 4 * 3; i++)
        pixels[i] = (uint16_t)(20000 + i % 3);
    uint8_t *dst =
        harness_apply("convolve", "mask=1 2 1,mask=2 4 2,mask=1 2 1,scale=0", &in, (void *)pixels, &out);
    assert_memory_equal(dst, pixels, sizeof pixels);
    free(dst);
}

static void expect_f64(const char *arguments, const double *values, size_t count, const double *expected,
                       size_t expected_count)
{
    struct applied applied = array_apply("convolve", arguments, ARRAY(SAMPLE_F64, count), values);
    assert_int_equal(applied.out.dims[0], expected_count);
    assert_memory_equal(applied.dst, expected, expected_count * sizeof *expected);
    array_free(&applied);
}

/* The examples of numpy.convolve's documentation, and a mask that is longer than the array. */
static void arrays_are_convolved_as_by_numpy(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3}, full[] = {0, 1, 2.5, 4, 1.5};
    expect_f64("mask=0 1 0.5,mode=full", values, 3, full, 5);
    expect_f64("mask=0 1 0.5,mode=same", values, 3, full + 1, 3);
    expect_f64("mask=0 1 0.5,mode=valid", values, 3, full + 2, 1);
    expect_f64("mask=1 1 0,mode=full,scale=0", values, 3, (const double[]){0.5, 1.5, 2.5, 1.5, 0}, 5);
    expect_f64("mask=2 2,offset=0.5,mode=full,scale=2", values, 3, (const double[]){1.5, 3.5, 5.5, 3.5}, 4);
    /* full: 1 3 6 6 5 3; its middle of length 3 begins at (4 - 1) / 2 */
    expect_f64("mask=1 1 1 1", values, 3, (const double[]){3, 6, 6}, 3);
}

/* Along each axis of (3, 4, 5000), so that both ways of fetching samples are gone: by the definition. */
static void axes_are_apart(void **state)
{
    (void)state;
    static const double weights[] = {3, -1, 2};
    const size_t dims[] = {3, 4, 5000}, steps[] = {20000, 5000, 1}, count = 60000;
    int16_t *values = calloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (int16_t)(i * 7919 % 2003 - 1000);
    for (size_t axis = 0; axis < 3; axis++) {
        char arguments[64];
        snprintf(arguments, sizeof arguments, "mask=3 -1 2,axis=%zu", axis);
        struct applied applied = array_apply("convolve", arguments, ARRAY(SAMPLE_I16, 3, 4, 5000), values);
        const void *raw = applied.dst;
        const float *got = raw;
        for (size_t i = 0; i < count; i++) {
            const size_t j = i / steps[axis] % dims[axis];
            double expected = 0;
            for (size_t k = 0; k < 3; k++) {
                if (j + 1 >= k && j + 1 - k < dims[axis])
                    expected += weights[k] * values[i + steps[axis] - k * steps[axis]];
            }
            assert_true((double)got[i] == expected);
        }
        array_free(&applied);
    }
    free(values);
}

static void nan_stays_in_reach(void **state)
{
    (void)state;
    const float values[] = {1, 1, 1, NAN, 1, 1, 1};
    struct applied applied = array_apply("convolve", "mask=1 1 1", ARRAY(SAMPLE_F32, 7), values);
    const void *raw = applied.dst;
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(!!isnan(((const float *)raw)[i]), i >= 2 && i <= 4);
    array_free(&applied);
}

static void nothing_stays_nothing(void **state)
{
    (void)state;
    static const char *const modes[] = {"mask=1 1,mode=same", "mask=1 1,mode=full", "mask=1 1,mode=valid"};
    for (size_t i = 0; i < 3; i++) {
        struct applied applied = array_apply("convolve", modes[i], ARRAY(SAMPLE_F32, 3, 0), NULL);
        assert_int_equal(applied.out.dims[1], 0);
        array_free(&applied);
    }
    const uint8_t one = 7;
    struct applied applied = array_apply("convolve", "mask=2", ARRAY(SAMPLE_U8, 1), &one);
    const void *raw = applied.dst;
    assert_true(*(const float *)raw == 14);
    array_free(&applied);
}

static void impossible_masks_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    const struct shape in = ARRAY(SAMPLE_F64, 3);
    static const char *const wrong[] = {"",           "mask=",        "mask=1 x", "mask=1 2,mask=1",
                                        "mask=1 inf", "mask=1,axis=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(array_refused("convolve", wrong[i], in, &error), ERROR_USAGE);
    assert_int_equal(array_refused("convolve", "mask=1,mask=2", in, &error), ERROR_UNSUPPORTED);
    assert_int_equal(array_refused("convolve", "mask=1 2 3 4,mode=valid", in, &error), ERROR_UNSUPPORTED);
    assert_int_equal(array_refused("convolve", "mask=1", shape_array(SAMPLE_F64, 0, NULL), &error),
                     ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_weighed_as_by_vips),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(the_contract_is_kept),
        cmocka_unit_test(edges_keep_alpha),
        cmocka_unit_test(a_scale_of_0_keeps_the_level),
        cmocka_unit_test(arrays_are_convolved_as_by_numpy),
        cmocka_unit_test(axes_are_apart),
        cmocka_unit_test(nan_stays_in_reach),
        cmocka_unit_test(nothing_stays_nothing),
        cmocka_unit_test(impossible_masks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
