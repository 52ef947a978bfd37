/* SPDX-License-Identifier: MIT */
/* threshold against its definition, and Otsu's level against a search that counts pixels anew for each. */
#include "stage_harness.h"

static void levels_above_are_white(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        double level_u8, level_u16, level_f32;
    } cases[] = {
        {"", 127.5, 32767.5, 0.5},
        {"value=0.2", 51, 13107, 0.2f}, /* a level itself is not above it */
        {"value=0", 0, 0, 0},
        {"value=1", 255, 65535, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
            const struct shape in = harness_shape(256, 1, 1, sample);
            const double full = harness_full(in.sample);
            const double levels[] = {cases[i].level_u8, cases[i].level_u16, cases[i].level_f32};
            struct shape out;
            uint8_t *src = harness_alloc(shape_bytes(&in));
            for (size_t x = 0; x < 256; x++)
                harness_put(src, in.sample, x, (double)x / 255 * full);
            uint8_t *dst = harness_apply("threshold", cases[i].arguments, &in, src, &out);
            assert_int_equal(out.sample, SAMPLE_U8);
            assert_int_equal(out.bits, 1);
            for (size_t x = 0; x < 256; x++)
                assert_int_equal(dst[x], harness_get(src, in.sample, x) > levels[sample] ? 255 : 0);
            free(dst);
            free(src);
        }
    }
}

static void colours_are_compared_by_luma_and_alpha_is_kept(void **state)
{
    (void)state;
    /* Luma (rec709): green 182.4, blue 18.4. */
    static const uint16_t src16[8] = {0, 65535, 0, 65535, 0, 0, 65535, 130};
    static const uint8_t src8[8] = {0, 255, 0, 255, 0, 0, 255, 1};
    static const float src32[8] = {0, 1, 0, 1.5f, 0, 0, 1, 0.0039f};
    static const void *const sources[] = {src8, src16, src32};
    static const uint8_t expected[4] = {255, 255, 0, 1};
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        const struct shape in = harness_shape(2, 1, 4, sample);
        struct shape out;
        uint8_t *dst = harness_apply("threshold", "", &in, sources[sample], &out);
        assert_int_equal(out.channels, 2);
        assert_int_equal(out.bits, 8);
        assert_memory_equal(dst, expected, 4);
        free(dst);
    }
}

/* The level whose two classes lie farthest apart, by Otsu's criterion, in whole numbers of pixels. */
static long best_level(const uint8_t *src, const struct shape *shape, const long *levels, size_t level_count)
{
    const size_t pixels = (size_t)shape->width * shape->height;
    double best = -1;
    long best_at = 0;
    for (size_t l = 0; l < level_count; l++) {
        double low = 0, low_sum = 0, high = 0, high_sum = 0;
        for (size_t p = 0; p < pixels; p++) {
            const double value = harness_get(src, shape->sample, p);
            const bool below = value <= (double)levels[l];
            *(below ? &low : &high) += 1;
            *(below ? &low_sum : &high_sum) += value;
        }
        if (low == 0 || high == 0)
            continue;
        const double apart = low_sum / low - high_sum / high;
        if (low * high * apart * apart > best * (1 + 1e-12)) {
            best = low * high * apart * apart;
            best_at = levels[l];
        }
    }
    return best_at;
}

static void otsu_finds_the_best_level(void **state)
{
    (void)state;
    for (unsigned sample = SAMPLE_U8; sample <= SAMPLE_U16; sample++) {
        for (uint32_t seed = 1; seed <= 5; seed++) {
            const struct shape in = harness_shape(40, 30, 1, sample);
            struct shape out;
            /* Two humps whose place and weight depend on the seed. */
            uint8_t *src = harness_image(&in, seed);
            long levels[1200];
            for (size_t p = 0; p < 1200; p++) {
                const double noise = harness_get(src, in.sample, p);
                const double value =
                    p % (seed + 1) == 0 ? noise / 4 : noise / 3 + harness_full(in.sample) / 2;
                harness_put(src, in.sample, p, value);
                levels[p] = (long)harness_get(src, in.sample, p);
            }
            /* Ties go to the lowest level, so look from below. */
            for (size_t i = 1; i < 1200; i++) {
                for (size_t j = i; j > 0 && levels[j - 1] > levels[j]; j--) {
                    const long swapped = levels[j];
                    levels[j] = levels[j - 1];
                    levels[j - 1] = swapped;
                }
            }
            const long level = best_level(src, &in, levels, 1200);
            uint8_t *dst = harness_apply("threshold", "method=otsu", &in, src, &out);
            for (size_t p = 0; p < 1200; p++)
                assert_int_equal(dst[p], harness_get(src, in.sample, p) > (double)level ? 255 : 0);
            free(dst);
            free(src);
        }
    }
}

static void otsu_of_floats_divides_their_range(void **state)
{
    (void)state;
    const struct shape in = harness_shape(6, 1, 1, SAMPLE_F32);
    struct shape out;
    static const float src[6] = {-3, -2.5f, -3, 40, 41, 40};
    static const uint8_t expected[6] = {0, 0, 0, 255, 255, 255};
    uint8_t *dst = harness_apply("threshold", "method=otsu", &in, (const uint8_t *)src, &out);
    assert_memory_equal(dst, expected, 6);
    free(dst);
    const float odd[6] = {0.0f / 1, 0.1f, -__builtin_inff(), __builtin_inff(), __builtin_nanf(""), 0.9f};
    static const uint8_t split[6] = {0, 0, 0, 255, 0, 255};
    dst = harness_apply("threshold", "method=otsu", &in, (const uint8_t *)odd, &out);
    assert_memory_equal(dst, split, 6);
    free(dst);
}

static void otsu_of_one_value_is_black(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        const struct shape in = harness_shape(5, 5, 1, sample);
        struct shape out;
        uint8_t *src = harness_alloc(shape_bytes(&in));
        for (size_t p = 0; p < 25; p++)
            harness_put(src, in.sample, p, harness_full(in.sample));
        uint8_t *dst = harness_apply("threshold", "method=otsu", &in, src, &out);
        for (size_t p = 0; p < 25; p++)
            assert_int_equal(dst[p], 0);
        free(dst);
        free(src);
    }
}

static void a_level_beside_otsu_is_refused(void **state)
{
    (void)state;
    const struct stage *threshold = stage_find("threshold");
    struct error error = {0};
    void *params = harness_params(threshold, "method=otsu,value=0.2");
    assert_int_equal(threshold->check(params, &error), ERROR_USAGE);
    assert_non_null(strstr(error.reason, "either value or method=otsu"));
    harness_free_params(threshold, params);
    params = harness_params(threshold, "method=value,value=0.2");
    assert_int_equal(threshold->check(params, NULL), 0);
    harness_free_params(threshold, params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_above_are_white),
        cmocka_unit_test(colours_are_compared_by_luma_and_alpha_is_kept),
        cmocka_unit_test(otsu_finds_the_best_level),
        cmocka_unit_test(otsu_of_floats_divides_their_range),
        cmocka_unit_test(otsu_of_one_value_is_black),
        cmocka_unit_test(a_level_beside_otsu_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
