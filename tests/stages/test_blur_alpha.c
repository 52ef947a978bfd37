/* SPDX-License-Identifier: MIT */
/* The Gaussian of 8 bits with alpha: its parts beside plain loops, the whole of it beside the same in whole
 * numbers of 64 bits, to the byte, and beside the Gaussian in double. */
#include "stage_harness.h"

#include <math.h>

#include "stages/image/blur.h"
#include "stages/image/premul.h"
#include "tests/quick.h"

#define SAMPLES     320u
#define MOST_RADIUS BLUR_FIXED_MAX_RADIUS_PX

typedef void load_fn(const uint8_t *src, int16_t *dst, size_t width, unsigned channels);
typedef void store_fn(const float *src, float total, uint8_t *dst, size_t width, unsigned channels);

static load_fn *const loads[] = {premul_load, premul_load_plain};
static store_fn *const stores[] = {premul_store, premul_store_plain};

/* Every colour under every alpha, in rows of all lengths up to some vectors. */
static void every_pixel_goes_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256 * 256; i++) {
        const unsigned way = i % 2, channels = i / 2 % 2 ? 4 : 2, width = 1 + i % 19;
        const uint8_t colour = (uint8_t)(i >> 8), alpha = (uint8_t)i;
        uint8_t src[19 * 4], dst[19 * 4];
        int16_t loaded[19 * 4];
        float sums[19 * 4];
        for (unsigned s = 0; s < width * channels; s++)
            src[s] = s % channels == channels - 1 ? alpha : (uint8_t)(colour ^ (s % channels * 85));
        loads[way](src, loaded, width, channels);
        for (unsigned s = 0; s < width * channels; s++) {
            const unsigned value = s % channels == channels - 1 ? 255 : src[s];
            assert_int_equal(loaded[s], (int)(value * alpha) - PREMUL_OFFSET);
            sums[s] = (float)(loaded[s] + PREMUL_OFFSET) * BLUR_SUMS_TOTAL;
        }
        stores[1 - way](sums, BLUR_SUMS_TOTAL, dst, width, channels);
        for (unsigned s = 0; s < width * channels; s++)
            assert_int_equal(dst[s], alpha > 0 ? src[s] : 0);
    }
}

/* Sums of any size, in double, and the same from both ways; colours may be more than their alpha. */
static void colours_are_divided_by_alpha(void **state)
{
    (void)state;
    const double full = (double)PREMUL_FULL * BLUR_SUMS_TOTAL;
    uint32_t random = 1;
    for (unsigned round = 0; round < (quick() ? 40u : 4000u); round++) {
        const unsigned channels = round % 2 ? 4 : 2, width = 1 + round % 17;
        float sums[17 * 4];
        uint8_t dst[17 * 4], plain[17 * 4];
        for (unsigned s = width * channels; s-- > 0;) {
            random = random * 1664525 + 1013904223;
            const bool colour = s % channels != channels - 1;
            const double most = colour ? sums[s - s % channels + channels - 1] : full;
            const double part = (random >> 8) / (double)(1 << 24);
            /* As much of little alpha as of more. */
            sums[s] = (float)floor(colour ? most * 1.01 * part : most * pow(part, 4));
        }
        premul_store(sums, BLUR_SUMS_TOTAL, dst, width, channels);
        premul_store_plain(sums, BLUR_SUMS_TOTAL, plain, width, channels);
        assert_memory_equal(dst, plain, width * channels);
        for (unsigned s = 0; s < width * channels; s++) {
            const double alpha = sums[s - s % channels + channels - 1] / full * 255;
            double exact = alpha;
            if (s % channels != channels - 1)
                exact = fmin(255, sums[s] / full * 255 * 255 / alpha);
            if (s % channels != channels - 1 && dst[s - s % channels + channels - 1] == 0)
                exact = 0;
            assert_true(fabs(dst[s] - exact) < 0.5001);
        }
    }
}

static void gaussian_weights(double sigma, size_t radius, int16_t *weights)
{
    float parts[MOST_RADIUS + 1];
    double total = 0;
    for (size_t k = 0; k <= radius; k++)
        total += (k ? 2 : 1) * exp(-(double)(k * k) / (2 * sigma * sigma));
    for (size_t k = 0; k <= radius; k++)
        parts[k] = (float)(exp(-(double)(k * k) / (2 * sigma * sigma)) / total);
    blur_sums_weights(parts, radius, weights);
}

/* Each radius that there is, beside sums of 64 bits: noise, and the least and the greatest samples. */
static void sums_down_are_exact(void **state)
{
    (void)state;
    static int16_t rows[2 * MOST_RADIUS + 2][SAMPLES];
    uint32_t random = 7;
    for (size_t radius = 1; radius <= MOST_RADIUS; radius++) {
        const size_t start = 64, count = SAMPLES - start;
        const int16_t *taps[2 * MOST_RADIUS + 2];
        int16_t weights[BLUR_SUMS_WEIGHTS(MOST_RADIUS)];
        float down[2][2][SAMPLES]; /* ways, rows */
        gaussian_weights((double)radius / 3.2, radius, weights);
        for (size_t t = 0; t < 2 * radius + 2; t++) {
            taps[t] = rows[t];
            for (size_t i = 0; i < SAMPLES; i++) {
                random = random * 1664525 + 1013904223;
                const int noise = (int)(random >> 8) % 65026;
                rows[t][i] = (int16_t)((i < 80 ? 0 : i < 96 ? 65025 : noise) - PREMUL_OFFSET);
            }
        }
        blur_sums_down(down[0][0], down[0][1], taps, weights, radius, start, count);
        blur_sums_down_plain(down[1][0], down[1][1], taps, weights, radius, start, count);
        for (size_t i = 0; i < 2 * count; i++) {
            const size_t row = i / count, at = i % count;
            int64_t sum = 0;
            for (size_t t = 0; t <= 2 * radius; t++)
                sum += (int64_t)(rows[row + t][start + at] + PREMUL_OFFSET) * weights[1 + t];
            assert_true(down[0][row][at] == (float)sum);
            assert_true(down[1][row][at] == (float)sum);
        }
    }
}

/* Likewise, along rows of one to some dozens of vectors, of pixels of 2 and 4 samples. */
static void sums_across_are_exact(void **state)
{
    (void)state;
    enum { MARGIN = MOST_RADIUS * BLUR_SUMS_MAX_STEP, MOST = 1984 };
    static int16_t row[MARGIN + MOST + MARGIN + BLUR_SUMS_BEHIND];
    uint32_t random = 9;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        random = random * 1664525 + 1013904223;
        const int noise = (int)(random >> 8) % 65026;
        row[i] = (int16_t)((i % 600 < 150 ? 0 : i % 600 < 300 ? 65025 : noise) - PREMUL_OFFSET);
    }
    for (size_t radius = 1; radius <= MOST_RADIUS; radius++) {
        const size_t step = radius % 2 ? 4 : 2, count = radius % 4 < 2 ? MOST : radius * BLUR_SUMS_UNIT;
        int16_t weights[BLUR_SUMS_WEIGHTS(MOST_RADIUS)], across[2][MOST];
        gaussian_weights((double)radius / 3.2, radius, weights);
        blur_sums_across(across[0], row + MARGIN, step, weights, radius, count);
        blur_sums_across_plain(across[1], row + MARGIN, step, weights, radius, count);
        for (size_t i = 0; i < count; i++) {
            int64_t sum = BLUR_SUMS_TOTAL / 2;
            for (size_t k = 0; k <= 2 * radius; k++)
                sum += (int64_t)(row[MARGIN + i + k * step - radius * step] + PREMUL_OFFSET) * weights[1 + k];
            for (size_t way = 0; way < 2; way++)
                assert_int_equal(across[way][i] + PREMUL_OFFSET, sum / BLUR_SUMS_TOTAL);
        }
    }
}

/* Each value that a premultiplied sample can have: what blocks of one colour rely on. Sums across are the
 * same ones, rounded. */
static void one_colour_stays(void **state)
{
    (void)state;
    static const double sigmas[] = {0.3, 0.5, 1, 2, 5.5, 9};
    for (size_t s = 0; s < sizeof sigmas / sizeof *sigmas; s++) {
        const size_t radius = blur_radius_px(sigmas[s], SAMPLE_U8);
        int16_t weights[BLUR_SUMS_WEIGHTS(MOST_RADIUS)], row[SAMPLES];
        const int16_t *taps[2 * MOST_RADIUS + 2];
        float down[2][SAMPLES];
        gaussian_weights(sigmas[s], radius, weights);
        for (size_t t = 0; t < 2 * radius + 2; t++)
            taps[t] = row;
        for (int first = 0; first <= 65025; first += (int)SAMPLES * (quick() ? 20 : 1)) {
            for (int i = 0; i < (int)SAMPLES; i++)
                row[i] = (int16_t)((first + i <= 65025 ? first + i : 65025) - PREMUL_OFFSET);
            blur_sums_down(down[0], down[1], taps, weights, radius, 0, SAMPLES);
            for (size_t i = 0; i < SAMPLES; i++)
                assert_true(down[i % 2][i] == (float)((row[i] + PREMUL_OFFSET) * (double)BLUR_SUMS_TOTAL));
        }
    }
}

static size_t held(long position, long size)
{
    return (size_t)(position < 0 ? 0 : position >= size ? size - 1 : position);
}

/* Rectangles of one colour, opaque, transparent and between, with hidden colours, some of noise. */
static void draw(const struct shape *in, uint8_t *pixels, uint32_t random)
{
    const size_t channels = in->channels;
    memset(pixels, 0, shape_bytes(in));
    for (unsigned shape = 0; shape < 12; shape++) {
        uint32_t of[9];
        for (size_t i = 0; i < 9; i++) {
            random = random * 1664525 + 1013904223;
            of[i] = random >> 8;
        }
        const uint32_t left = of[0] % in->width, top = of[1] % in->height;
        const uint32_t right = left + of[2] % (in->width - left) + 1, bottom = top + of[3] % 40 + 1;
        const uint8_t alphas[] = {0, 255, 255, (uint8_t)of[4]};
        for (uint32_t y = top; y < bottom && y < in->height; y++) {
            for (uint32_t x = left; x < right; x++) {
                uint8_t *pixel = pixels + (y * (size_t)in->width + x) * channels;
                for (size_t c = 0; c < channels; c++) {
                    random = random * 1664525 + 1013904223;
                    pixel[c] = (uint8_t)(shape % 4 == 3 ? random >> 16 : of[5 + c]);
                }
                if (shape % 8 != 7)
                    pixel[channels - 1] = alphas[shape % 4];
            }
        }
    }
}

/* The walk of blur_alpha.h without its blocks: every pixel, both directions. */
static void blur_plainly(const struct shape *in, const uint8_t *src, uint8_t *dst, const int16_t *weights,
                         long radius)
{
    const long width = in->width, height = in->height, channels = in->channels;
    int64_t *across = malloc(shape_bytes(in) * sizeof *across);
    float sums[4];
    for (long y = 0; y < height; y++) {
        for (long i = 0; i < width * channels; i++) {
            int64_t sum = BLUR_SUMS_TOTAL / 2;
            for (long k = -radius; k <= radius; k++) {
                const uint8_t *pixel =
                    src + ((size_t)(y * width) + held(i / channels + k, width)) * in->channels;
                const int value = i % channels == channels - 1 ? 255 : pixel[i % channels];
                sum += (int64_t)value * pixel[channels - 1] * weights[1 + radius + k];
            }
            across[y * width * channels + i] = sum / BLUR_SUMS_TOTAL;
        }
    }
    for (long p = 0; p < width * height; p++) {
        for (long c = 0; c < channels; c++) {
            int64_t sum = 0;
            for (long k = -radius; k <= radius; k++)
                sum += across[((long)held(p / width + k, height) * width + p % width) * channels + c] *
                       weights[1 + radius + k];
            sums[c] = (float)sum;
        }
        premul_store_plain(sums, BLUR_SUMS_TOTAL, dst + p * channels, 1, in->channels);
    }
    free(across);
}

static void blocks_of_one_colour_change_nothing(void **state)
{
    (void)state;
    static const struct {
        double sigma;
        const char *arguments;
        uint32_t width, height;
    } cases[] = {{0.3, "sigma=0.3", 1, 5},   {0.5, "sigma=0.5", 15, 9}, {1, "sigma=1", 16, 90},
                 {2, "sigma=2", 33, 70},     {2, "sigma=2", 250, 60},   {4.5, "sigma=4.5", 97, 80},
                 {5.5, "sigma=5.5", 130, 7}, {9, "sigma=9", 300, 90}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases * 6; i++) {
        if (quick_skip(7))
            continue;
        const unsigned of = i / 6, channels = i % 2 ? 4 : 2;
        const struct shape in = harness_shape(cases[of].width, cases[of].height, channels, SAMPLE_U8);
        const size_t radius = blur_radius_px(cases[of].sigma, SAMPLE_U8);
        int16_t weights[BLUR_SUMS_WEIGHTS(MOST_RADIUS)];
        gaussian_weights(cases[of].sigma, radius, weights);
        uint8_t *src = harness_alloc(shape_bytes(&in)), *want = harness_alloc(shape_bytes(&in));
        struct shape out;
        draw(&in, src, i);
        blur_plainly(&in, src, want, weights, (long)radius);
        uint8_t *dst = harness_apply("gaussblur", cases[of].arguments, &in, src, &out);
        for (size_t s = 0; s < shape_bytes(&in); s++)
            if (dst[s] != want[s])
                fail_msg("%s, %u x %u x %u: sample %zu is %d, not %d", cases[of].arguments, in.width,
                         in.height, channels, s, dst[s], want[s]);
        free(dst);
        free(want);
        free(src);
    }
}

/* Premultiplied sums of the cut Gaussian in double, 1 for full alpha. */
static void blur_exactly(const struct shape *in, const uint8_t *src, double sigma, long radius, long x,
                         long y, double *sums)
{
    const size_t channels = in->channels;
    double total = 0;
    memset(sums, 0, 4 * sizeof *sums);
    for (long dy = -radius; dy <= radius; dy++) {
        for (long dx = -radius; dx <= radius; dx++) {
            const uint8_t *pixel =
                src + (held(y + dy, in->height) * in->width + held(x + dx, in->width)) * channels;
            const double weight = exp(-(double)(dx * dx + dy * dy) / (2 * sigma * sigma));
            for (size_t c = 0; c < channels; c++)
                sums[c] += weight * (c == channels - 1 ? 1 : pixel[c]) * pixel[channels - 1] / 255;
            total += weight;
        }
    }
    for (size_t c = 0; c < channels; c++)
        sums[c] /= total;
}

/* What blur_alpha.h says of alpha and of colours, in noise of all alphas and in black and white ones. */
static void the_error_is_what_is_promised(void **state)
{
    (void)state;
    static const struct {
        double sigma;
        const char *arguments;
    } cases[] = {{0.5, "sigma=0.5"}, {1, "sigma=1"}, {2, "sigma=2"}, {5, "sigma=5"}, {9, "sigma=9"}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases * 4; i++) {
        const double sigma = cases[i / 4].sigma;
        const size_t radius = blur_radius_px(sigma, SAMPLE_U8);
        const struct shape in = harness_shape(37, 29, i % 2 ? 4 : 2, SAMPLE_U8);
        struct shape out;
        uint8_t *src = harness_image(&in, 50 + i);
        for (size_t s = 0; i % 4 > 1 && s < shape_bytes(&in); s++)
            src[s] = src[s] & 1 ? 255 : 0;
        uint8_t *dst = harness_apply("gaussblur", cases[i / 4].arguments, &in, src, &out);
        const double error = (double)radius / 64 + 1.0 / 510; /* of a level of what is premultiplied */
        for (size_t p = 0; p < 37 * 29; p += quick() ? 31 : 1) {
            const uint8_t *got = dst + p * in.channels;
            double sums[4];
            blur_exactly(&in, src, sigma, (long)radius, (long)p % 37, (long)p / 37, sums);
            const double alpha = 255 * sums[in.channels - 1];
            if (fabs(got[in.channels - 1] - alpha) > 0.501 + error)
                fail_msg("sigma %g: alpha is %d, not %g", sigma, got[in.channels - 1], alpha);
            for (size_t c = 0; c + 1u < in.channels && got[in.channels - 1] > 0; c++) {
                const double colour = 255 * sums[c] / alpha;
                if (fabs(got[c] - colour) > 0.501 + 510 * error / alpha)
                    fail_msg("sigma %g, alpha %g: colour is %d, not %g", sigma, alpha, got[c], colour);
                if (sigma <= 2 && alpha >= 64 && fabs(got[c] - colour) > 1)
                    fail_msg("sigma %g, alpha %g: colour is %d, not %g", sigma, alpha, got[c], colour);
            }
        }
        free(dst);
        free(src);
    }
}

/* One colour under any alpha: it stays from an alpha of 3 on, and black and white always. */
static void one_colour_under_any_alpha(void **state)
{
    (void)state;
    const struct shape in = harness_shape(90, 40, 4, SAMPLE_U8);
    for (unsigned i = 0; i < 12; i++) {
        const uint8_t colour[3] = {(uint8_t)(i * 37), 0, 255};
        uint8_t *src = harness_image(&in, i);
        for (size_t p = 0; p < 90 * 40; p++) {
            memcpy(src + 4 * p, colour, 3);
            if (p % 90 > 30)
                src[4 * p + 3] = 0;
        }
        struct shape out;
        uint8_t *dst = harness_apply("gaussblur", i % 2 ? "sigma=2" : "sigma=5", &in, src, &out);
        for (size_t p = 0; p < 90 * 40; p++) {
            const uint8_t *pixel = dst + 4 * p;
            if (pixel[3] == 0) {
                assert_memory_equal(pixel, "\0\0\0", 3);
                continue;
            }
            assert_true(abs(pixel[0] - colour[0]) <= (pixel[3] < 3 ? 2 : 0));
            assert_int_equal(pixel[1], 0);
            assert_int_equal(pixel[2], 255);
        }
        free(dst);
        free(src);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pixel_goes_there_and_back),
        cmocka_unit_test(colours_are_divided_by_alpha),
        cmocka_unit_test(sums_down_are_exact),
        cmocka_unit_test(sums_across_are_exact),
        cmocka_unit_test(one_colour_stays),
        cmocka_unit_test(blocks_of_one_colour_change_nothing),
        cmocka_unit_test(the_error_is_what_is_promised),
        cmocka_unit_test(one_colour_under_any_alpha),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
