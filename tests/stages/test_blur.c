/* SPDX-License-Identifier: MIT */
/* gaussblur and sharpen against the whole two-dimensional sum in double, with a kernel cut where nothing is
 * left of it. */
#include "stage_harness.h"

#include <math.h>

#include "stages/image/blur.h"
#include "tests/quick.h"

#define WIDTH  41
#define HEIGHT 23

static size_t held(long position, long size)
{
    return (size_t)(position < 0 ? 0 : position >= size ? size - 1 : position);
}

static double part_of_alpha(const struct shape *shape, const uint8_t *src, size_t pixel)
{
    if (!shape_has_alpha(shape))
        return 1;
    return harness_get(src, shape->sample, (pixel + 1) * shape->channels - 1) / harness_full(shape->sample);
}

/* Channel `c` at (x, y): the mean of neighbours by Gaussian weight, colours weighted by alpha, too. */
static double blurred(const struct shape *shape, const uint8_t *src, double sigma, long x, long y, size_t c)
{
    const long reach = (long)ceil(7 * sigma);
    const bool colour = !shape_has_alpha(shape) || c + 1 < shape->channels;
    double sum = 0, weights = 0;
    for (long dy = -reach; dy <= reach; dy++) {
        for (long dx = -reach; dx <= reach; dx++) {
            const size_t pixel = held(y + dy, HEIGHT) * WIDTH + held(x + dx, WIDTH);
            double weight = exp(-(double)(dx * dx + dy * dy) / (2 * sigma * sigma));
            if (colour)
                weight *= part_of_alpha(shape, src, pixel);
            sum += weight * harness_get(src, shape->sample, pixel * shape->channels + c);
            weights += weight;
        }
    }
    return weights > 0 ? sum / weights : 0;
}

/* What cutting the kernel may change: half a level, more where little alpha is left to divide by. */
static double tolerance_at(const struct shape *shape, double alpha)
{
    const double rounding = shape->sample == SAMPLE_F32 ? 1e-6 : 0.5;
    const double cut = shape->sample == SAMPLE_F32 ? 0.5 / 65535 : 0.5;
    return rounding + 2 * cut / (alpha > 1e-9 ? alpha : 1e-9);
}

static void blur_is_the_gaussian_mean(void **state)
{
    (void)state;
    static const struct {
        double sigma;
        const char *arguments;
    } cases[] = {{0.4, "sigma=0.4"}, {1, "sigma=1"}, {2.5, "sigma=2.5"}, {4, "sigma=4"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned kind = 0; kind < SAMPLE_IMAGE_COUNT * SHAPE_MAX_CHANNELS; kind++) {
            const struct shape in =
                harness_shape(WIDTH, HEIGHT, kind % SHAPE_MAX_CHANNELS + 1, kind / SHAPE_MAX_CHANNELS);
            struct shape out;
            uint8_t *src = harness_image(&in, 100 + kind);
            uint8_t *dst = harness_apply("gaussblur", cases[i].arguments, &in, src, &out);
            /* Every seventh sample, all channels and both edges among them. */
            for (size_t s = 0; s < (size_t)WIDTH * HEIGHT * in.channels; s += quick() ? 77 : 7) {
                const size_t pixel = s / in.channels, c = s % in.channels;
                const long x = (long)(pixel % WIDTH), y = (long)(pixel / WIDTH);
                const bool colour = !shape_has_alpha(&in) || c + 1 < in.channels;
                const double alpha =
                    !shape_has_alpha(&in) || !colour
                        ? 1
                        : blurred(&in, src, cases[i].sigma, x, y, in.channels - 1u) / harness_full(in.sample);
                const double exact = blurred(&in, src, cases[i].sigma, x, y, c);
                const double got = harness_get(dst, in.sample, s);
                if (fabs(got - exact) > tolerance_at(&in, alpha))
                    fail_msg("sigma %g, %u channels: (%ld, %ld) is %g, not %g", cases[i].sigma, in.channels,
                             x, y, got, exact);
            }
            free(dst);
            free(src);
        }
    }
}

/* What the cut takes away, measured as the header promises: less than half a level at an edge. */
static void the_cut_is_below_half_a_level(void **state)
{
    (void)state;
    static const double sigmas[] = {0.1, 0.5, 1, 2, 7.3, 20, 50, 100};
    for (size_t i = 0; i < sizeof sigmas / sizeof *sigmas; i++) {
        for (unsigned sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
            const double sigma = sigmas[i], full = harness_full((uint8_t)sample);
            const long radius = (long)blur_radius_px(sigma, (uint8_t)sample);
            double inside = 0, all = 0;
            for (long k = -(long)(9 * sigma) - 1; k <= (long)(9 * sigma) + 1; k++) {
                const double weight = exp(-(double)(k * k) / (2 * sigma * sigma));
                all += weight;
                inside += labs(k) <= radius ? weight : 0;
            }
            const double kept = inside / all;
            assert_true((1 - kept * kept) * full < 0.5);
            assert_true((double)radius <= 4.8 * sigma + 1); /* and not more than it takes */
        }
    }
}

/* One direction of the Gaussian of `radius`, in double: `lines` of `length` samples. */
static void blur_lines(const double *src, double *dst, size_t lines, size_t length, size_t step, size_t next,
                       double sigma, long radius)
{
    for (size_t line = 0; line < lines; line++) {
        for (size_t i = 0; i < length; i++) {
            double sum = 0, weights = 0;
            for (long k = -radius; k <= radius; k++) {
                const double weight = exp(-(double)(k * k) / (2 * sigma * sigma));
                sum += weight * src[line * next + held((long)i + k, (long)length) * step];
                weights += weight;
            }
            dst[line * next + i * step] = sum / weights;
        }
    }
}

/* Black and white at random: what errs by most in fixed point. */
static uint8_t *noise(const struct shape *in)
{
    uint8_t *src = harness_image(in, 77);
    for (size_t i = 0; i < shape_bytes(in); i++)
        src[i] = src[i] & 1 ? 255 : 0;
    return src;
}

/* Grey of 8 bit beside the cut Gaussian in double: half a level for rounding, and what blur.h says of fixed
 * point, up to the radius that it goes to. Sharpened, the error of the blur counts `amount` times. */
static void eight_bits_keep_the_promise(void **state)
{
    (void)state;
    static const struct {
        double sigma, amount; /* an amount of 0 is the blur alone */
        const char *arguments;
    } cases[] = {
        {0.3, 0, "sigma=0.3"},
        {1, 0, "sigma=1"},
        {2, 0, "sigma=2"},
        {5, 0, "sigma=5"},
        {9, 0, "sigma=9"},
        {12, 0, "sigma=12"},
        {1, 1, "sigma=1,amount=1"},
        {1, 100, "sigma=1,amount=100"},
        {2, 0.3, "sigma=2,amount=0.3"},
        {9, 2, "sigma=9,amount=2"},
    };
    const struct shape in = harness_shape(WIDTH, HEIGHT, 1, SAMPLE_U8);
    uint8_t *src = noise(&in);
    double exact[WIDTH * HEIGHT], across[WIDTH * HEIGHT], levels[WIDTH * HEIGHT];
    bool fixed = false, floats = false;
    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        levels[i] = src[i];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double sigma = cases[i].sigma, amount = cases[i].amount;
        const size_t radius = blur_radius_px(sigma, SAMPLE_U8);
        const bool is_fixed = radius <= BLUR_FIXED_MAX_RADIUS_PX;
        const double error = is_fixed ? (double)(radius + 1) / 64 : 1e-4;
        fixed = fixed || is_fixed;
        floats = floats || !is_fixed;
        blur_lines(levels, across, HEIGHT, WIDTH, 1, WIDTH, sigma, (long)radius);
        blur_lines(across, exact, WIDTH, HEIGHT, WIDTH, 1, sigma, (long)radius);
        struct shape out;
        uint8_t *dst =
            harness_apply(amount > 0 ? "sharpen" : "gaussblur", cases[i].arguments, &in, src, &out);
        for (size_t s = 0; s < WIDTH * HEIGHT; s++) {
            double want = amount > 0 ? levels[s] + amount * (levels[s] - exact[s]) : exact[s];
            want = want < 0 ? 0 : want > 255 ? 255 : want;
            if (fabs(dst[s] - want) > 0.501 + (amount > 0 ? amount : 1) * error)
                fail_msg("%s: sample %zu is %d, not %g", cases[i].arguments, s, dst[s], want);
        }
        free(dst);
    }
    assert_true(fixed && floats);
    free(src);
}

static void constant_images_stay(void **state)
{
    (void)state;
    static const char *const names[] = {"gaussblur", "sharpen"};
    static const char *const sigmas[] = {"sigma=0.4", "sigma=2", "sigma=9", "sigma=30"};
    for (size_t n = 0; n < 8; n++) {
        for (int sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
            for (int level = 0; level < 256; level += 17) {
                const struct shape in = harness_shape(9, 9, 3, (enum sample)sample);
                struct shape out;
                uint8_t *src = harness_alloc(shape_bytes(&in));
                memset(src, level, shape_bytes(&in));
                uint8_t *dst = harness_apply(names[n / 4], sigmas[n % 4], &in, src, &out);
                assert_memory_equal(dst, src, shape_bytes(&in));
                free(dst);
                free(src);
            }
        }
    }
}

/* Red beside fully transparent green: no green may show, however far it is blurred. */
static void hidden_colours_do_not_bleed(void **state)
{
    (void)state;
    const struct shape in = harness_shape(32, 5, 4, SAMPLE_U8);
    struct shape out;
    static const uint8_t red[4] = {200, 0, 0, 255}, hidden[4] = {0, 255, 0, 0};
    uint8_t *src = harness_alloc(shape_bytes(&in));
    for (size_t p = 0; p < 32 * 5; p++)
        memcpy(src + 4 * p, p % 32 < 16 ? red : hidden, 4);
    uint8_t *dst = harness_apply("gaussblur", "sigma=2", &in, src, &out);
    bool soft = false;
    for (size_t p = 0; p < 32 * 5; p++) {
        assert_int_equal(dst[4 * p + 1], 0);
        if (dst[4 * p + 3] > 2) /* of less alpha a colour is less exact */
            assert_int_equal(dst[4 * p], 200);
        soft = soft || (dst[4 * p + 3] > 0 && dst[4 * p + 3] < 255);
    }
    assert_true(soft);
    free(dst);
    dst = harness_apply("sharpen", "sigma=2,amount=4", &in, src, &out);
    assert_memory_equal(dst, src, shape_bytes(&in)); /* nothing that is seen differs from its surroundings */
    free(dst);
    free(src);
}

static void sharpen_adds_the_difference(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < SAMPLE_IMAGE_COUNT * SHAPE_MAX_CHANNELS; kind++) {
        const struct shape in =
            harness_shape(WIDTH, HEIGHT, kind % SHAPE_MAX_CHANNELS + 1, kind / SHAPE_MAX_CHANNELS);
        const double full = harness_full(in.sample), threshold = 0.2 * full;
        struct shape out;
        uint8_t *src = harness_image(&in, 200 + kind);
        uint8_t *dst = harness_apply("sharpen", "sigma=1.5,amount=0.8,threshold=0.2", &in, src, &out);
        size_t below = 0, above = 0;
        for (size_t s = 0; s < (size_t)WIDTH * HEIGHT * in.channels; s += quick() ? 77 : 7) {
            const size_t pixel = s / in.channels, c = s % in.channels;
            const long x = (long)(pixel % WIDTH), y = (long)(pixel / WIDTH);
            if (shape_has_alpha(&in) && c + 1 == in.channels)
                continue;
            const double value = harness_get(src, in.sample, s), got = harness_get(dst, in.sample, s);
            const double alpha =
                shape_has_alpha(&in) ? blurred(&in, src, 1.5, x, y, in.channels - 1u) / full : 1;
            const double difference = value - blurred(&in, src, 1.5, x, y, c);
            const double slack = tolerance_at(&in, alpha);
            if (fabs(fabs(difference) - threshold) < slack)
                continue; /* too near to say */
            const bool spared = fabs(difference) < threshold || part_of_alpha(&in, src, pixel) == 0;
            double exact = value + (spared ? 0 : 0.8 * difference);
            if (in.sample != SAMPLE_F32)
                exact = exact < 0 ? 0 : exact > full ? full : exact;
            if (fabs(got - exact) > slack)
                fail_msg("%u channels: (%ld, %ld) is %g, not %g", in.channels, x, y, got, exact);
            below += spared;
            above += !spared;
        }
        assert_true(below > 0 && above > 0);
        free(dst);
        free(src);
    }
}

/* The rows of a narrow range, whose ring is shorter than the kernel, where the image is lower than it. */
static void images_smaller_than_the_kernel(void **state)
{
    (void)state;
    const struct shape in = harness_shape(3, 2, 1, SAMPLE_U8);
    struct shape out;
    static const uint8_t src[6] = {0, 0, 0, 255, 255, 255};
    uint8_t *dst = harness_apply("gaussblur", "sigma=100", &in, src, &out);
    /* Far rows are the edge rows held: half of the weight on either side, a little more on the own. */
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(dst[i], i < 3 ? 127 : 128);
    free(dst);
}

/* In whole numbers and in floats alike: where a result has no alpha to speak of, it has no colour. */
static void no_colour_is_left_where_alpha_is_stored_as_none(void **state)
{
    (void)state;
    static const char *const sigmas[] = {"sigma=2", "sigma=9.4", "sigma=9.7", "sigma=20"};
    for (unsigned kind = 0; kind < 4 * 4; kind++) {
        const unsigned channels = kind & 1 ? 4 : 2;
        const struct shape in = harness_shape(90, 70, channels, kind & 2 ? SAMPLE_U16 : SAMPLE_U8);
        const size_t samples = (size_t)90 * 70 * channels;
        void *src = calloc(1, shape_bytes(&in));
        for (size_t i = 0; i < samples; i++) {
            const bool seen = i / channels % 90 / 4 == 10 && i / channels / 90 / 4 == 8;
            if (seen || i % channels != channels - 1)
                harness_put(src, in.sample, i, floor((seen ? 1 : 0.8) * harness_full(in.sample)));
        }
        struct shape out;
        void *dst = harness_apply("gaussblur", sigmas[kind / 4], &in, src, &out);
        unsigned clear = 0;
        for (size_t i = 0; i < samples; i += channels) {
            if (harness_get(dst, out.sample, i + channels - 1) > 0)
                continue;
            clear++;
            for (unsigned c = 0; c + 1 < channels; c++) {
                if (harness_get(dst, out.sample, i + c) > 0)
                    fail_msg("%s, %u channels: a colour of %g without alpha", sigmas[kind / 4], channels,
                             harness_get(dst, out.sample, i + c));
            }
        }
        assert_true(clear > 0 || in.sample == SAMPLE_U16); /* which reaches much further */
        free(src);
        free(dst);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blur_is_the_gaussian_mean),
        cmocka_unit_test(the_cut_is_below_half_a_level),
        cmocka_unit_test(eight_bits_keep_the_promise),
        cmocka_unit_test(constant_images_stay),
        cmocka_unit_test(hidden_colours_do_not_bleed),
        cmocka_unit_test(sharpen_adds_the_difference),
        cmocka_unit_test(images_smaller_than_the_kernel),
        cmocka_unit_test(no_colour_is_left_where_alpha_is_stored_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
