/* SPDX-License-Identifier: MIT */
/* compare against closed forms, and against the sums of the SSIM paper over each window by itself. */
#include "array_harness.h"
#include "counterpart.h"

/* The item beside its counterpart: the code, and in *applied what was told and came out, which the caller
 * frees after 0. */
static int try_compare(const char *arguments, const struct shape *in, const void *src,
                       const struct shape *other, const void *other_src, struct applied *applied,
                       struct error *error)
{
    const struct stage *stage = stage_find("compare");
    void *params = harness_params(stage, arguments);
    struct stage_reference reference = counterpart_of(other, other_src);
    struct stage_plan plan;
    assert_int_equal(stage->check(params, NULL), 0);
    assert_int_equal(stage_plan_with(stage, params, in, &reference, &plan, error), 0);
    assert_true(plan.whole && plan.in_place);
    struct scratch scratch = {.base = harness_alloc(plan.rows_scratch_bytes),
                              .size_bytes = plan.rows_scratch_bytes};
    *applied = (struct applied){.out = plan.out, .dst = harness_alloc(shape_bytes(in))};
    applied->record =
        (struct record){.block = harness_alloc(plan.record_bytes), .size_bytes = plan.record_bytes};
    struct stage_run run = {.params = params,
                            .in = *in,
                            .out = plan.out,
                            .src = src,
                            .dst = applied->dst,
                            .record = &applied->record,
                            .reference = &reference};
    const int code = stage_run_whole(stage, &run, &scratch, error);
    harness_check_guard(scratch.base, plan.rows_scratch_bytes);
    harness_check_guard(applied->record.block, plan.record_bytes);
    free(scratch.base);
    free((uint8_t *)reference.bytes);
    harness_free_params(stage, params);
    if (code == 0)
        assert_true(shape_bytes(in) == 0 || memcmp(applied->dst, src, shape_bytes(in)) == 0);
    else
        array_free(applied);
    return code;
}

static struct applied compare(struct shape shape, const void *src, const void *other)
{
    struct applied applied;
    struct error error = {0};
    if (try_compare("reference=there", &shape, src, &shape, other, &applied, &error) != 0)
        fail_msg("%s", error.reason);
    return applied;
}

static void expect_near(const struct applied *applied, const char *name, double value, double allowed)
{
    const double told = array_told(applied, name);
    if (!(fabs(told - value) <= allowed))
        fail_msg("%s is %.17g, not %.17g", name, told, value);
}

static void the_same_is_equal(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        const struct shape array = ARRAY((enum sample)sample, 5, 700),
                           image = harness_shape(40, 30, 3, sample);
        for (unsigned images = 0; images < (sample < SAMPLE_IMAGE_COUNT ? 2u : 1u); images++) {
            const struct shape *shape = images ? &image : &array;
            uint8_t *src = harness_samples(shape, 9); /* NaN among floats of arrays */
            struct applied applied = compare(*shape, src, src);
            array_expect(&applied, "psnr", INFINITY);
            array_expect(&applied, "mse", 0);
            array_expect(&applied, "max_error", 0);
            array_expect(&applied, "equal", 1);
            if (images)
                array_expect(&applied, "ssim", 1);
            array_free(&applied);
            free(src);
        }
    }
}

/* Of flat images the variances are 0, and what is left of SSIM is its first factor. */
static void flat_images_have_closed_forms(void **state)
{
    (void)state;
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        const struct shape in = harness_shape(20, 15, 2, (enum sample)sample);
        const double full = harness_full(in.sample), one = full * 0.8, other = full * 0.6,
                     c1 = 1e-4 * full * full;
        uint8_t *src = harness_alloc(shape_bytes(&in)), *other_src = harness_alloc(shape_bytes(&in));
        for (size_t i = 0; i < 600; i++) {
            harness_put(src, in.sample, i, one);
            harness_put(other_src, in.sample, i, other);
        }
        struct applied applied = compare(in, src, other_src);
        expect_near(&applied, "max_error", full * 0.2, full * 1e-7);
        expect_near(&applied, "mse", full * full * 0.04, full * full * 1e-7);
        expect_near(&applied, "psnr", 20 * log10(5), 1e-5);
        expect_near(&applied, "ssim", (2 * one * other + c1) / (one * one + other * other + c1), 1e-7);
        array_expect(&applied, "equal", 0);
        array_free(&applied);
        free(src);
        free(other_src);
    }
}

/* SSIM of the window around (x, y) of one channel. */
static double naive_window(const struct shape *in, const uint8_t *a, const uint8_t *b, uint32_t x, uint32_t y,
                           unsigned channel)
{
    double sum = 0, ma = 0, mb = 0, va = 0, vb = 0, covariance = 0;
    const double full = harness_full(in->sample), c1 = pow(0.01 * full, 2), c2 = pow(0.03 * full, 2);
    for (int pass = 0; pass < 2; pass++) {
        for (int dy = -5; dy <= 5; dy++) {
            for (int dx = -5; dx <= 5; dx++) {
                const size_t at = ((size_t)((int)y + dy) * in->width + (size_t)((int)x + dx)) * in->channels;
                const double weight = exp(-(dx * dx + dy * dy) / 4.5);
                const double one = harness_get(a, in->sample, at + channel),
                             other = harness_get(b, in->sample, at + channel);
                if (pass == 0) {
                    sum += weight;
                    ma += weight * one;
                    mb += weight * other;
                } else {
                    va += weight / sum * (one - ma) * (one - ma);
                    vb += weight / sum * (other - mb) * (other - mb);
                    covariance += weight / sum * (one - ma) * (other - mb);
                }
            }
        }
        if (pass == 0) {
            ma /= sum;
            mb /= sum;
        }
    }
    return (2 * ma * mb + c1) * (2 * covariance + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

static void ssim_is_that_of_the_paper(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{11, 11}, {11, 30}, {37, 12}, {33, 29}};
    for (unsigned i = 0; i < 4 * 3 * 4; i++) {
        const unsigned channels = i / 12 + 1;
        const struct shape in =
            harness_shape(sizes[i % 4][0], sizes[i % 4][1], channels, (enum sample)(i / 4 % 3));
        uint8_t *src = harness_image(&in, i + 1), *other = harness_image(&in, i + 1);
        for (size_t at = 0; at < in.width * in.height * channels; at += 3)
            harness_put(other, in.sample, at, harness_full(in.sample) / 4);
        double total = 0;
        for (unsigned c = 0; c < channels; c++) {
            for (uint32_t y = 5; y < in.height - 5; y++) {
                for (uint32_t x = 5; x < in.width - 5; x++)
                    total += naive_window(&in, src, other, x, y, c);
            }
        }
        struct applied applied = compare(in, src, other);
        expect_near(&applied, "ssim", total / ((in.width - 10) * (in.height - 10) * channels), 1e-10);
        array_free(&applied);
        free(src);
        free(other);
    }
}

static void small_images_have_no_ssim(void **state)
{
    (void)state;
    static const uint8_t black[40 * 10] = {0}, speck[40 * 10] = {3};
    struct applied applied = compare(harness_shape(40, 10, 1, SAMPLE_U8), speck, black);
    array_expect(&applied, "ssim", NAN);
    array_expect(&applied, "mse", 9.0 / 400);
    array_expect(&applied, "max_error", 3);
    array_free(&applied);
    applied = compare(harness_shape(10, 40, 1, SAMPLE_U8), speck, speck);
    array_expect(&applied, "ssim", 1);
    array_free(&applied);
}

static void arrays_are_compared_by_the_range_of_the_reference(void **state)
{
    (void)state;
    static const double numbers[] = {1, 2, 3, 4}, others[] = {-3, 2, 3, 7};
    struct applied applied = compare(ARRAY(SAMPLE_F64, 4), numbers, others);
    array_expect(&applied, "mse", (16 + 9) / 4.0);
    array_expect(&applied, "max_error", 4);
    expect_near(&applied, "psnr", 20 * log10(10 / 2.5), 1e-9);
    array_free(&applied);
    static const int64_t low[] = {INT64_MIN, 5}, high[] = {INT64_MAX, 5};
    applied = compare(ARRAY(SAMPLE_I64, 2), low, high);
    array_expect(&applied, "max_error", 18446744073709551615.0);
    array_expect(&applied, "equal", 0);
    array_free(&applied);
    static const uint64_t big[] = {1ull << 63 | 1, 0}, bigger[] = {1ull << 63 | 2, 0};
    applied = compare(ARRAY(SAMPLE_U64, 2), big, bigger);
    array_expect(&applied, "max_error", 1); /* doubles cannot tell the two apart */
    array_expect(&applied, "mse", 0.5);
    array_free(&applied);
    applied = compare(ARRAY(SAMPLE_U64, 0), big, bigger);
    array_expect(&applied, "equal", 1);
    array_expect(&applied, "psnr", INFINITY);
    array_free(&applied);
}

static void nan_is_like_nan_and_nothing_else(void **state)
{
    (void)state;
    static const float one[] = {NAN, INFINITY, 1, 5}, same[] = {NAN, INFINITY, 1, 4},
                       other[] = {0, INFINITY, 1, 9};
    struct applied applied = compare(ARRAY(SAMPLE_F32, 4), one, same);
    array_expect(&applied, "max_error", 1);
    array_expect(&applied, "mse", 0.25);
    expect_near(&applied, "psnr", 20 * log10(3 / 0.5), 1e-9);
    array_free(&applied);
    applied = compare(ARRAY(SAMPLE_F32, 4), one, other);
    array_expect(&applied, "max_error", NAN);
    array_expect(&applied, "mse", NAN);
    array_expect(&applied, "psnr", NAN);
    array_expect(&applied, "equal", 0);
    array_free(&applied);
}

static void shapes_that_differ_are_both_named(void **state)
{
    (void)state;
    static const uint8_t samples[400] = {0};
    const struct shape shapes[] = {harness_shape(4, 3, 3, SAMPLE_U8),
                                   harness_shape(3, 4, 3, SAMPLE_U8),
                                   harness_shape(4, 3, 4, SAMPLE_U8),
                                   harness_shape(4, 3, 3, SAMPLE_U16),
                                   ARRAY(SAMPLE_U8, 3, 4, 3),
                                   ARRAY(SAMPLE_U8, 36),
                                   ARRAY(SAMPLE_I8, 36),
                                   ARRAY(SAMPLE_U8, 35)};
    const size_t count = sizeof shapes / sizeof *shapes;
    for (size_t i = 0; i < count * count; i++) {
        const struct shape *in = &shapes[i / count], *other = &shapes[i % count];
        struct applied applied;
        struct error error = {0};
        char text[100];
        const int code = try_compare("reference=there", in, samples, other, samples, &applied, &error);
        assert_int_equal(code, in == other ? 0 : ERROR_UNSUPPORTED);
        if (code == 0) {
            array_free(&applied);
            continue;
        }
        assert_non_null(strstr(error.reason, shape_text(in, text, sizeof text)));
        assert_non_null(strstr(error.reason, shape_text(other, text, sizeof text)));
    }
}

static void too_far_off_fails(void **state)
{
    (void)state;
    const struct shape in = harness_shape(4, 1, 1, SAMPLE_U8);
    static const uint8_t one[] = {0, 0, 0, 0}, other[] = {51, 51, 51, 51}; /* 20 log10(5) = 13.98 dB */
    struct applied applied;
    struct error error = {0};
    assert_int_equal(try_compare("reference=there,fail_below=13.9", &in, one, &in, other, &applied, &error),
                     0);
    array_free(&applied);
    assert_int_equal(try_compare("reference=there,fail_below=1000", &in, one, &in, one, &applied, &error), 0);
    array_free(&applied);
    assert_int_equal(try_compare("reference=there,fail_below=14", &in, one, &in, other, &applied, &error),
                     ERROR_STAGE);
    assert_non_null(strstr(error.reason, "13.98"));
    const struct shape array = ARRAY(SAMPLE_F32, 1);
    const float number = 1, nan = NAN;
    assert_int_equal(
        try_compare("reference=there,fail_below=0", &array, &number, &array, &nan, &applied, &error),
        ERROR_STAGE);
}

static void a_directory_must_be_given(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(array_refused("compare", "", ARRAY(SAMPLE_U8, 3), &error), ERROR_USAGE);
    assert_int_equal(array_refused("compare", "reference=", ARRAY(SAMPLE_U8, 3), &error), ERROR_USAGE);
    /* While a config is looked at there is no counterpart yet. */
    assert_int_equal(array_refused("compare", "reference=there", ARRAY(SAMPLE_U8, 3), &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_equal),
        cmocka_unit_test(flat_images_have_closed_forms),
        cmocka_unit_test(ssim_is_that_of_the_paper),
        cmocka_unit_test(small_images_have_no_ssim),
        cmocka_unit_test(arrays_are_compared_by_the_range_of_the_reference),
        cmocka_unit_test(nan_is_like_nan_and_nothing_else),
        cmocka_unit_test(shapes_that_differ_are_both_named),
        cmocka_unit_test(too_far_off_fails),
        cmocka_unit_test(a_directory_must_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
