/* SPDX-License-Identifier: MIT */
/* resize on an image that was decoded to a part of its size: as large as on the whole, and close to it. */
#include <math.h>

#include "stage_harness.h"
#include "tests/quick.h"

static unsigned shrink_of(const char *arguments, uint32_t width, uint32_t height)
{
    const struct shape shape = harness_shape(width, height, 3, SAMPLE_U8);
    const struct stage *resize = stage_find("resize");
    void *params = harness_params(resize, arguments);
    const unsigned shrink = resize->shrink(params, &shape);
    harness_free_params(resize, params);
    return shrink;
}

static void at_least_twice_the_output_is_left(void **state)
{
    (void)state;
    assert_int_equal(shrink_of("width=100", 399, 300), 0);
    assert_int_equal(shrink_of("width=100", 400, 300), 1);
    assert_int_equal(shrink_of("width=100", 799, 600), 1);
    assert_int_equal(shrink_of("width=100", 800, 600), 2);
    assert_int_equal(shrink_of("width=100", 1600, 1200), 3);
    assert_int_equal(shrink_of("width=100,height=300,fit=fill", 1600, 1200), 1);
    /* 1600 x 400 over 100 x 100: the height decides. */
    assert_int_equal(shrink_of("width=100,height=100,fit=cover", 1600, 400), 1);
    assert_int_equal(shrink_of("scale=0.125", 800, 600), 2);
    assert_int_equal(shrink_of("width=100,kernel=nearest", 1600, 1200), 0);
    assert_int_equal(shrink_of("width=100,linear=true", 1600, 1200), 0);
    assert_int_equal(shrink_of("width=100", 50, 50), 0);
}

/* Edges, curves and fine waves, each sample the mean over its area, as a camera takes it. */
static double scene(double x, double y)
{
    const double wave = 40 * sin(0.11 * x + 0.0004 * y * y) * cos(0.07 * y);
    const double disc = hypot(x - 250, y - 160) < 120 ? 50 : 0, stripe = fmod(x + 0.5 * y, 97) < 48 ? 30 : 0;
    return 100 + wave + disc + stripe;
}

static uint8_t *whole_scene(const struct shape *shape)
{
    const unsigned across = quick() ? 1 : 4;
    uint8_t *pixels = harness_alloc(shape_bytes(shape));
    for (uint32_t y = 0; y < shape->height; y++) {
        for (uint32_t x = 0; x < shape->width; x++) {
            double sum = 0;
            for (unsigned i = 0; i < across * across; i++)
                sum += scene(x + (i % across + 0.5) / across, y + (i / across + 0.5) / across);
            pixels[(size_t)y * shape->width + x] = (uint8_t)(sum / (across * across) + 0.5);
        }
    }
    return pixels;
}

/* What a decoder makes of it: means of squares, the last ones filled up with the last column and row. */
static uint8_t *part_of(const struct shape *full, const uint8_t *pixels, const struct shape *part,
                        unsigned shrink)
{
    uint8_t *means = harness_alloc(shape_bytes(part));
    const uint32_t side = 1u << shrink;
    for (uint32_t y = 0; y < part->height; y++) {
        for (uint32_t x = 0; x < part->width; x++) {
            unsigned sum = 0;
            for (uint32_t i = 0; i < side * side; i++) {
                const uint32_t row = y * side + i / side, column = x * side + i % side;
                sum += pixels[(size_t)(row < full->height ? row : full->height - 1) * full->width +
                              (column < full->width ? column : full->width - 1)];
            }
            means[(size_t)y * part->width + x] = (uint8_t)((sum + side * side / 2) / (side * side));
        }
    }
    return means;
}

static void a_part_gives_the_size_of_the_whole_and_nearly_its_pixels(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{640, 480}, {641, 477}, {503, 331}};
    static const char *const arguments[] = {"width=40",
                                            "width=77,height=40",
                                            "scale=0.06",
                                            "width=30,height=30,fit=cover",
                                            "width=60,height=20,fit=fill",
                                            "width=61,kernel=mitchell"};
    for (size_t s = 0; s < 3; s++) {
        const struct shape full = harness_shape(sizes[s][0], sizes[s][1], 1, SAMPLE_U8);
        uint8_t *pixels = whole_scene(&full);
        for (size_t a = 0; a < sizeof arguments / sizeof *arguments; a++) {
            if (quick_skip(5))
                continue;
            const unsigned most = shrink_of(arguments[a], full.width, full.height);
            struct shape want_shape, got_shape;
            uint8_t *want = harness_apply("resize", arguments[a], &full, pixels, &want_shape);
            assert_in_range(most, 1, 3);
            for (unsigned shrink = 1; shrink <= most; shrink++) {
                const struct shape part = codec_shrunk(&full, shrink);
                uint8_t *means = part_of(&full, pixels, &part, shrink);
                uint8_t *got = harness_apply("resize", arguments[a], &part, means, &got_shape);
                assert_int_equal(got_shape.width, want_shape.width);
                assert_int_equal(got_shape.height, want_shape.height);
                assert_int_equal(got_shape.full_width, 0);
                double squares = 0;
                for (size_t i = 0; i < shape_bytes(&got_shape); i++)
                    squares += pow((double)got[i] - want[i], 2);
                const double psnr =
                    10 * log10(255.0 * 255 * (double)shape_bytes(&got_shape) / (squares + 1e-9));
                if (psnr < 40)
                    fail_msg("%s of %ux%u at 1/%u: %.1f dB", arguments[a], full.width, full.height,
                             1u << shrink, psnr);
                free(got);
                free(means);
            }
            free(want);
        }
        free(pixels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_least_twice_the_output_is_left),
        cmocka_unit_test(a_part_gives_the_size_of_the_whole_and_nearly_its_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
