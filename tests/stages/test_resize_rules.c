/* SPDX-License-Identifier: MIT */
/* resize against closed forms, and its rules for sizes, copies and combinations of parameters. */
#include <math.h>

#include "stages/image/resample.h"
#include "tests/quick.h"
#include "tests/stages/harness.h"

static const char *const kernels[] = {"nearest",  "box",      "linear",  "cubic",
                                      "mitchell", "lanczos2", "lanczos3"};
enum { BOX = 1, KERNELS = 7 };

static void a_constant_stays_constant(void **state)
{
    (void)state;
    static const char *const sizes[] = {"fit=fill,width=9,height=31", "scale=0.1", "scale=2.7",
                                        "fit=cover,width=5,height=3"};
    for (unsigned kind = 0; kind < 12 * 4 * KERNELS * 2; kind++) {
        if (quick_skip(11))
            continue;
        const struct shape in = harness_shape(29, 23, 1 + kind % 4, (enum sample)(kind / 4 % 3));
        const double values[] = {0.8, 1, 0.3, 0.5};
        char params[120];
        snprintf(params, sizeof params, "%s,kernel=%s,linear=%d", sizes[kind / 12 % 4],
                 kernels[kind / 48 % KERNELS], kind >= 48 * KERNELS);
        void *src = malloc(shape_bytes(&in));
        for (size_t i = 0; i < harness_samples(&in); i++)
            harness_set(&in, src, i, values[i % in.channels] * harness_full(&in));
        struct shape out;
        void *dst = harness_apply("resize", params, in, src, &out);
        for (size_t i = 0; i < harness_samples(&out); i++) {
            const double want = harness_get(&in, src, i % in.channels), got = harness_get(&out, dst, i);
            if (in.sample == SAMPLE_F32 ? fabs(got - want) > 3e-6 : got != want)
                fail_msg("%s: %.9g became %.9g", params, want, got);
        }
        free(src);
        free(dst);
    }
}

/* A symmetric kernel leaves a straight line straight, away from the edges, where samples lie symmetrically
 * around the output's centre. */
static void a_ramp_stays_a_ramp(void **state)
{
    (void)state;
    const struct shape in = harness_shape(80, 80, 1, SAMPLE_F32);
    float src[6400];
    for (int i = 0; i < 6400; i++)
        src[i] = (float)(i % 80) + 2 * (float)(i / 80);
    for (int kernel = BOX; kernel < KERNELS; kernel++) {
        char params[80];
        struct shape out;
        snprintf(params, sizeof params, "scale=0.25,kernel=%s", kernels[kernel]);
        float *dst = harness_apply("resize", params, in, src, &out);
        assert_int_equal(out.width, 20);
        for (int i = 0; i < 400; i++) {
            const int x = i % 20, y = i / 20;
            const double want = 4 * x + 1.5 + 2 * (4 * y + 1.5);
            if (x >= 3 && x < 17 && y >= 3 && y < 17 && fabs((double)dst[i] - want) > 1e-3)
                fail_msg("%s: %g, not %g", params, (double)dst[i], want);
        }
        free(dst);
    }
}

static void hidden_colour_never_bleeds(void **state)
{
    (void)state;
    static const char *const sizes[] = {"scale=0.3", "scale=3", "fit=cover,width=7,height=19"};
    const struct shape in = harness_shape(24, 24, 4, SAMPLE_U8);
    uint8_t src[24 * 24 * 4];
    for (int i = 0; i < 24 * 24; i++) {
        const bool inside = (i % 24 - 12) * (i % 24 - 12) + (i / 24 - 12) * (i / 24 - 12) < 64;
        memcpy(src + 4 * (size_t)i, inside ? (uint8_t[]){200, 0, 90, 255} : (uint8_t[]){0, 255, 0, 0}, 4);
    }
    for (int trial = 0; trial < 3 * 2 * (KERNELS - 1); trial++) {
        char params[80];
        struct shape out;
        snprintf(params, sizeof params, "%s,kernel=%s,linear=%d", sizes[trial % 3], kernels[1 + trial / 6],
                 trial / 3 % 2);
        uint8_t *dst = harness_apply("resize", params, in, src, &out);
        int seen = 0, clear = 0;
        for (size_t i = 0; i < harness_samples(&out); i += 4) {
            assert_int_equal(dst[i + 1], 0);
            clear += dst[i + 3] == 0;
            seen += dst[i + 3] > 0;
            if (dst[i + 3] > 0) {
                assert_in_range(dst[i], 199, 201);
                assert_in_range(dst[i + 2], 89, 91);
            }
        }
        assert_true(seen > 0 && (clear > 0 || trial % 3 == 2));
        free(dst);
    }
}

static void sizes_follow_the_rules(void **state)
{
    (void)state;
    static const struct {
        uint32_t width, height;
        const char *params;
        uint32_t out_width, out_height;
    } cases[] = {
        {6000, 4000, "width=256,height=256", 256, 171},
        {4000, 6000, "width=256,height=256", 171, 256},
        {6000, 4000, "width=300", 300, 200},
        {6000, 4000, "height=300", 450, 300},
        {48, 32, "width=256,height=256", 256, 171},
        {48, 32, "width=256,height=256,upscale=false", 48, 32},
        {480, 32, "width=256,height=256,upscale=false", 256, 17},
        {10000, 1, "width=10", 10, 1},
        {1, 10000, "width=100,height=100", 1, 100},
        {100, 50, "scale=0.5", 50, 25},
        {5, 5, "scale=0.5", 3, 3},
        {3, 3, "scale=0.01", 1, 1},
        {10, 20, "scale=2.5", 25, 50},
        {10, 20, "scale=2.5,upscale=no", 10, 20},
        {100, 50, "fit=cover,width=40,height=40", 40, 40},
        {100, 30, "fit=cover,width=40,height=40,upscale=false", 40, 30},
        {10, 20, "fit=cover,width=40,height=40,upscale=false", 10, 20},
        {10, 20, "fit=cover,width=40,height=40", 40, 40},
        {100, 50, "fit=fill,width=7,height=90", 7, 90},
        {100, 50, "fit=fill,width=7,height=90,upscale=false", 7, 50},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct shape in = harness_shape(cases[i].width, cases[i].height, 3, SAMPLE_U8);
        struct stage_plan plan;
        struct error error = {0};
        assert_int_equal(harness_plan("resize", cases[i].params, &in, &plan, &error), 0);
        if (plan.out.width != cases[i].out_width || plan.out.height != cases[i].out_height)
            fail_msg("%ux%u %s makes %ux%u", in.width, in.height, cases[i].params, plan.out.width,
                     plan.out.height);
    }
}

static void wrong_combinations_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *params, *says;
        int code;
    } cases[] = {
        {"kernel=box", "give width, height or both, or scale", ERROR_USAGE},
        {"scale=0.5,width=10", "either scale or width and height", ERROR_USAGE},
        {"fit=cover,width=10", "fit: cover needs both width and height", ERROR_USAGE},
        {"fit=fill,height=10", "fit: fill needs both width and height", ERROR_USAGE},
        {"fit=fill,scale=2", "fit: fill needs both", ERROR_USAGE},
        {"width=1000000", "would make an image of 1000000x100000000000 px", ERROR_LIMIT},
    };
    const struct shape in = harness_shape(1, 100000, 3, SAMPLE_U8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage_plan plan;
        struct error error = {0};
        assert_int_equal(harness_plan("resize", cases[i].params, &in, &plan, &error), cases[i].code);
        if (!strstr(error.reason, cases[i].says))
            fail_msg("%s says '%s'", cases[i].params, error.reason);
    }
}

/* Where pixels are only moved, those that cannot be seen are moved too, and the depth stays. */
static void copies_are_exact(void **state)
{
    (void)state;
    static const char *const params[] = {"width=15", "scale=1,linear=true", "width=900,upscale=false",
                                         "fit=cover,width=15,height=11,kernel=mitchell"};
    for (unsigned kind = 0; kind < 48; kind++) {
        struct shape in = harness_shape(15, 11, 1 + kind % 4, (enum sample)(kind / 4 % 3)), out;
        in.bits = kind % 12 == 0 ? 2 : in.bits;
        void *src = harness_noise(&in), *dst = harness_apply("resize", params[kind / 12], in, src, &out);
        assert_memory_equal(&in, &out, sizeof in);
        assert_memory_equal(src, dst, shape_bytes(&in));
        free(src);
        free(dst);
    }
    /* Unscaled, the middle lies on whole pixels. */
    const struct shape in = harness_shape(8, 3, 1, SAMPLE_U8);
    const uint8_t src[24] = {[8] = 10, 11, 12, 13, 14, 15, 16, 17};
    struct shape out;
    uint8_t *dst = harness_apply("resize", "fit=cover,width=5,height=9,upscale=false", in, src, &out);
    assert_memory_equal(dst + 5, src + 9, 5);
    free(dst);
}

static void nearest_keeps_depth_others_do_not(void **state)
{
    (void)state;
    struct shape in = harness_shape(15, 11, 1, SAMPLE_U8);
    struct stage_plan plan;
    in.bits = 4;
    assert_int_equal(harness_plan("resize", "width=30,kernel=nearest", &in, &plan, NULL), 0);
    assert_int_equal(plan.out.bits, 4);
    assert_int_equal(harness_plan("resize", "width=30,kernel=box", &in, &plan, NULL), 0);
    assert_int_equal(plan.out.bits, 8);
}

/* One long row or column to one pixel, and one pixel to many. */
static void extreme_ratios(void **state)
{
    (void)state;
    static uint8_t src[60000];
    for (int i = 0; i < 60000; i++)
        src[i] = (uint8_t)(i % 200);
    for (int kernel = BOX; kernel < KERNELS; kernel++) {
        struct shape out;
        char params[80];
        snprintf(params, sizeof params, "fit=fill,width=1,height=1,kernel=%s", kernels[kernel]);
        uint8_t *wide = harness_apply("resize", params, harness_shape(60000, 1, 1, SAMPLE_U8), src, &out);
        uint8_t *tall = harness_apply("resize", params, harness_shape(1, 60000, 1, SAMPLE_U8), src, &out);
        assert_in_range(wide[0], 99, 100);
        assert_in_range(tall[0], 99, 100);
        free(wide);
        free(tall);
        snprintf(params, sizeof params, "fit=fill,width=40,height=300,kernel=%s", kernels[kernel]);
        uint8_t *large = harness_apply("resize", params, harness_shape(1, 1, 3, SAMPLE_U8), src + 50, &out);
        for (size_t i = 0; i < 40 * 300; i++)
            assert_memory_equal(large + 3 * i, src + 50, 3);
        free(large);
    }
}

static void whole_samples_saturate_floats_do_not(void **state)
{
    (void)state;
    const float edge[] = {0, 0, 0, 0, 1, 1, 1, 1};
    const uint8_t edge_u8[] = {0, 0, 0, 0, 255, 255, 255, 255};
    struct shape out;
    float *real =
        harness_apply("resize", "fit=fill,width=32,height=1", harness_shape(8, 1, 1, SAMPLE_F32), edge, &out);
    uint8_t *whole = harness_apply("resize", "fit=fill,width=32,height=1", harness_shape(8, 1, 1, SAMPLE_U8),
                                   edge_u8, &out);
    int over = 0, under = 0;
    for (int i = 0; i < 32; i++) {
        over += real[i] > 1.01f;
        under += real[i] < -0.01f;
        const double want = fmin(fmax((double)real[i], 0), 1) * 255;
        assert_true(fabs(whole[i] - want) <= 0.51);
    }
    assert_true(over > 0 && under > 0);
    free(real);
    free(whole);
}

static void weights_add_up_to_one(void **state)
{
    (void)state;
    static uint8_t memory[1 << 20] __attribute__((aligned(SCRATCH_ALIGN)));
    static const uint32_t sizes[][2] = {{1000, 7}, {7, 1000}, {13, 12}, {1, 9}, {999, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int kernel = 0; kernel < KERNELS; kernel++) {
            const struct resample_axis axis = resample_axis_full(sizes[i][0], sizes[i][1]);
            struct scratch scratch = {memory, resample_table_need(&axis, (enum resample_kernel)kernel), 0};
            struct resample_table table;
            assert_true(scratch.size_bytes <= sizeof memory);
            assert_true(resample_table_make(&table, &axis, (enum resample_kernel)kernel, &scratch));
            for (uint32_t o = 0; o < axis.out; o++) {
                double sum = 0;
                for (uint32_t k = 0; k < table.count[o]; k++)
                    sum += (double)table.weights[(size_t)o * table.stride + k];
                assert_true(table.first[o] + table.count[o] <= axis.in);
                assert_true(fabs(sum - 1) < 1e-6);
            }
            scratch = (struct scratch){memory, scratch.size_bytes - 1, 0};
            assert_false(resample_table_make(&table, &axis, (enum resample_kernel)kernel, &scratch));
        }
    }
}

/* Whatever instructions the machine has, the bytes are those of the plainest ones. */
static void instruction_sets_agree(void **state)
{
    (void)state;
    const struct resample_ops *plain = resample_ops_plain(), *best = resample_ops_best();
    for (unsigned kind = 0; kind < 24; kind++) {
        struct resample_format format = {
            .channels = (uint8_t)(1 + kind % 4), .sample = (uint8_t)(kind / 4 % 3), .linear = kind >= 12};
        static uint8_t memory[1 << 19] __attribute__((aligned(SCRATCH_ALIGN)));
        struct scratch scratch = {memory, sizeof memory, 0};
        assert_true(resample_decode_make(&format, &scratch));
        const struct shape row =
            harness_shape(133, RESAMPLE_ROWS, format.channels, (enum sample)format.sample);
        const size_t count = 133u * format.channels, bytes = count * sizeof(float);
        void *src = harness_noise(&row);
        float *a = malloc(RESAMPLE_ROWS * bytes), *b = malloc(RESAMPLE_ROWS * bytes);
        plain->load(&format, src, a, 133 * RESAMPLE_ROWS);
        best->load(&format, src, b, 133 * RESAMPLE_ROWS);
        assert_memory_equal(a, b, RESAMPLE_ROWS * bytes);
        const float weights[] = {0.3f, -0.11f, 0.7f, 0.1f};
        float *c = calloc(count + RESAMPLE_PAD, sizeof *c), *d = calloc(count + RESAMPLE_PAD, sizeof *d);
        plain->add(c, a, count, weights, count);
        best->add(d, a, count, weights, count);
        plain->add_one(c, a, 0.77f, count);
        best->add_one(d, a, 0.77f, count);
        assert_memory_equal(c, d, bytes);
        const struct resample_axis axis = resample_axis_full(133, 20);
        struct resample_table table;
        assert_true(resample_table_make(&table, &axis, RESAMPLE_LANCZOS3, &scratch));
        float e[20 * 4 + RESAMPLE_PAD], f[20 * 4 + RESAMPLE_PAD];
        plain->dot(&table, 20, 0, format.channels, c, e);
        best->dot(&table, 20, 0, format.channels, c, f);
        assert_memory_equal(e, f, 20u * format.channels * sizeof(float));
        uint8_t g[20 * 4 * sizeof(float)], h[20 * 4 * sizeof(float)];
        plain->store(&format, e, g, 20);
        best->store(&format, f, h, 20);
        assert_memory_equal(g, h, 20u * format.channels * shape_sample_bytes(format.sample));
        free(src), free(a), free(b), free(c), free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_stays_constant),
        cmocka_unit_test(a_ramp_stays_a_ramp),
        cmocka_unit_test(hidden_colour_never_bleeds),
        cmocka_unit_test(sizes_follow_the_rules),
        cmocka_unit_test(wrong_combinations_are_refused),
        cmocka_unit_test(copies_are_exact),
        cmocka_unit_test(nearest_keeps_depth_others_do_not),
        cmocka_unit_test(extreme_ratios),
        cmocka_unit_test(whole_samples_saturate_floats_do_not),
        cmocka_unit_test(weights_add_up_to_one),
        cmocka_unit_test(instruction_sets_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
