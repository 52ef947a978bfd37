/* SPDX-License-Identifier: MIT */
/* What the contract promises for every stage of the registry, tried on every sample type, channel count and
 * some awkward sizes. A new stage is tested here without a line about it, unless it has parameters that must
 * be given: then `arguments` needs an entry. */
#include "stage_harness.h"

static const struct {
    const char *name, *arguments;
    bool instead; /* of the defaults */
} arguments[] = {
    /* The default fails, takes its time, or must be given. */
    {"fail", "rate=0", true},
    {"sleep", "ms=0.01", true},
    {"spin", "ms=0.01", true},
    {"primes", "n=100", true},
    {"sumsq", "n=5000", true},
    {"resize", "width=9,height=5,fit=fill", true},
    {"crop", "width=1,height=1", true},
    {"quantize", "colours=7", true},
    {"pad", "left=3,top=2,right=1,bottom=5", true},
    /* More ways through a stage than by its defaults. */
    {"linear", "a=-0.7,b=0.8", false},
    {"template", "factor=1.7", false},
    {"grayscale", "weights=rec601", false},
    {"gaussblur", "sigma=3.3", false},
    {"sharpen", "sigma=2,amount=3,threshold=0.1", false},
    {"cast", "type=u16", false},
    {"cast", "type=f32", false},
    {"flatten", "background=#123456", false},
    {"threshold", "method=otsu", false},
    {"pad", "width=50,height=40,gravity=north-east,extend=background,background=#123456", true},
    {"levels", "in_low=0.2,in_high=0.7,out_low=0.9,out_high=0.1,gamma=1.8", false},
    {"equalize", "channels=luma", false},
    {"clahe", "tiles_x=3,tiles_y=2,clip_limit=3,channels=each", false},
    {"quantize", "levels=5", true},
    {"quantize", "levels=5,dither=ordered", true},
    {"quantize", "levels=5,dither=floyd-steinberg", true},
    {"quantize", "colours=7,dither=ordered", true},
    {"quantize", "colours=7,dither=floyd-steinberg", true},
    {"median", "size=5", false},
    {"median", "size=9", false},
    {"erode", "size=7", false},
    {"erode", "size=5,shape=disc", false},
    {"dilate", "size=9,shape=cross", false},
    {"levels", "auto=true,low=10,high=70", false},
    {"pad", "left=40,top=20,right=1,bottom=40,extend=copy", true},
    {"pad", "left=40,top=20,right=1,bottom=40,extend=repeat", true},
    {"pad", "left=40,top=20,right=1,bottom=40,extend=mirror", true},
};

static const uint32_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {33, 17}};

/* One image of one stage, with what every check needs. */
struct trial {
    const struct stage *stage;
    const void *params;
    struct stage_plan plan;
    struct shape in;
    uint8_t *src;
    uint8_t *expected; /* the whole image in one call */
};

static void explain(const struct trial *trial, const char *what)
{
    char in[64], out[64];
    fail_msg("%s: %s -> %s: %s", trial->stage->name, shape_text(&trial->in, in, sizeof in),
             shape_text(&trial->plan.out, out, sizeof out), what);
}

/* Runs rows in ranges of `step` from the last to the first, each with scratch of exactly the planned size. */
static void run_ranges(const struct trial *trial, const uint8_t *src, uint8_t *dst, uint32_t step)
{
    const struct stage *stage = trial->stage;
    const size_t begin_bytes = trial->plan.begin_scratch_bytes, rows_bytes = trial->plan.rows_scratch_bytes;
    struct scratch kept = {.base = harness_alloc(begin_bytes), .size_bytes = begin_bytes};
    struct stage_run run = {.params = trial->params,
                            .in = trial->in,
                            .out = trial->plan.out,
                            .src = src,
                            .dst = dst,
                            .item = 1,
                            .attempt = 1};
    if (stage->begin)
        assert_int_equal(stage->begin(&run, &kept, NULL), 0);
    const uint32_t height = run.out.height;
    for (uint32_t done = 0; done < height; done += step) {
        const uint32_t last = height - done, first = last > step ? last - step : 0;
        struct scratch scratch = {.base = harness_alloc(rows_bytes), .size_bytes = rows_bytes};
        assert_int_equal(stage->rows(&run, first, last, &scratch, NULL), 0);
        harness_check_guard(scratch.base, rows_bytes);
        free(scratch.base);
    }
    harness_check_guard(kept.base, begin_bytes);
    free(kept.base);
}

static void check_ranges(const struct trial *trial)
{
    const size_t bytes = shape_bytes(&trial->plan.out);
    static const uint32_t steps[] = {UINT32_MAX, 1, 3, 5};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (trial->plan.whole && i > 0)
            continue;
        uint8_t *dst = harness_alloc(bytes);
        memset(dst, i % 2 ? 0xff : 0x00, bytes);
        run_ranges(trial, trial->src, dst,
                   steps[i] < trial->plan.out.height ? steps[i] : trial->plan.out.height);
        if (memcmp(dst, trial->expected, bytes) != 0)
            explain(trial, "rows depend on how the image is cut, or bytes stay unwritten");
        harness_check_guard(dst, bytes);
        free(dst);
    }
}

/* dst == src must give the same as two buffers, which is only asked where rows are equal. */
static void check_in_place(const struct trial *trial)
{
    if (!trial->plan.in_place)
        return;
    const size_t bytes = shape_bytes(&trial->in);
    if (shape_row_bytes(&trial->in) != shape_row_bytes(&trial->plan.out))
        explain(trial, "in place, but rows differ");
    uint8_t *both = harness_alloc(bytes);
    memcpy(both, trial->src, bytes);
    run_ranges(trial, both, both, 3);
    if (memcmp(both, trial->expected, bytes) != 0)
        explain(trial, "in place differs");
    harness_check_guard(both, bytes);
    free(both);
}

/* Every other source row than those asked for may hold anything. */
static void check_source_rows(const struct trial *trial)
{
    const size_t row_bytes = shape_row_bytes(&trial->in), out_bytes = shape_row_bytes(&trial->plan.out);
    const uint32_t height = trial->plan.out.height;
    for (uint32_t y = 0; y < height && !trial->plan.whole; y++) {
        uint32_t first = y, last = y + 1;
        stage_source_rows(trial->stage, trial->params, &trial->in, &trial->plan.out, &first, &last);
        if (first >= last || last > trial->in.height)
            explain(trial, "source rows outside the image");
        uint8_t *poisoned = harness_alloc(shape_bytes(&trial->in));
        memset(poisoned, 0xff, shape_bytes(&trial->in));
        memcpy(poisoned + first * row_bytes, trial->src + first * row_bytes, (last - first) * row_bytes);
        uint8_t *dst = harness_alloc(shape_bytes(&trial->plan.out));
        struct trial one = *trial;
        struct scratch kept = {.base = harness_alloc(one.plan.begin_scratch_bytes),
                               .size_bytes = one.plan.begin_scratch_bytes};
        struct scratch scratch = {.base = harness_alloc(one.plan.rows_scratch_bytes),
                                  .size_bytes = one.plan.rows_scratch_bytes};
        struct stage_run run = {.params = one.params,
                                .in = one.in,
                                .out = one.plan.out,
                                .src = poisoned,
                                .dst = dst,
                                .item = 1,
                                .attempt = 1};
        if (one.stage->begin)
            assert_int_equal(one.stage->begin(&run, &kept, NULL), 0);
        assert_int_equal(one.stage->rows(&run, y, y + 1, &scratch, NULL), 0);
        if (memcmp(dst + y * out_bytes, trial->expected + y * out_bytes, out_bytes) != 0)
            explain(trial, "reads rows outside its source rows");
        free(kept.base);
        free(scratch.base);
        free(dst);
        free(poisoned);
    }
}

/* 1 where the stage works on the shape, 0 where its plan says that it does not. */
static unsigned try_shape(const struct stage *stage, const void *params, const struct shape *in)
{
    struct trial trial = {.stage = stage, .params = params, .in = *in};
    struct error error = {0};
    const int code = stage_plan(stage, params, in, &trial.plan, &error);
    if (code != 0) {
        if (code != ERROR_USAGE && code != ERROR_UNSUPPORTED && code != ERROR_LIMIT)
            explain(&trial, error.reason);
        assert_string_equal(error.stage, stage->name);
        return 0;
    }
    assert_true(shape_valid(&trial.plan.out));
    trial.src = harness_image(in, 77);
    const size_t bytes = shape_bytes(&trial.plan.out);
    trial.expected = harness_alloc(bytes);
    memset(trial.expected, 0xff, bytes);
    run_ranges(&trial, trial.src, trial.expected, trial.plan.out.height);
    check_ranges(&trial);
    check_in_place(&trial);
    check_source_rows(&trial);
    uint8_t *again = harness_image(in, 77);
    if (memcmp(again, trial.src, shape_bytes(in)) != 0)
        explain(&trial, "wrote its input");
    free(again);
    free(trial.expected);
    free(trial.src);
    return 1;
}

static void try_stage(const struct stage *stage, const char *text)
{
    void *params = harness_params(stage, text);
    if (stage->check && stage->check(params, NULL) != 0)
        fail_msg("%s does not take '%s'", stage->name, text);
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        unsigned worked = 0;
        for (unsigned channels = 1; channels <= SHAPE_MAX_CHANNELS; channels++) {
            for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
                const struct shape in =
                    harness_shape(sizes[size][0], sizes[size][1], channels, (enum sample)sample);
                worked += try_shape(stage, params, &in);
            }
        }
        /* What it accepts it must do for some shape at least; what it does not, for none. */
        if ((worked > 0) != ((stage->accepts & (1u << sample)) != 0))
            fail_msg("%s: accepts %x, but worked on %u shapes of sample type %u", stage->name, stage->accepts,
                     worked, sample);
    }
    harness_free_params(stage, params);
}

static bool has_required(const struct stage *stage)
{
    for (const struct param *param = stage->params; param->name; param++) {
        if (!param->initial && param->type != PARAM_TEXT && param->type != PARAM_LIST)
            return true;
    }
    return false;
}

static void every_stage_keeps_the_contract(void **state)
{
    (void)state;
    for (const struct stage *const *stage = stage_all(); *stage; stage++) {
        bool defaults = true;
        for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
            if (strcmp(arguments[i].name, (*stage)->name) == 0) {
                try_stage(*stage, arguments[i].arguments);
                defaults = defaults && !arguments[i].instead;
            }
        }
        if (defaults && has_required(*stage))
            fail_msg("%s needs parameters: give it an entry in `arguments`", (*stage)->name);
        if (defaults)
            try_stage(*stage, "");
    }
}

static void every_stage_describes_itself(void **state)
{
    (void)state;
    for (const struct stage *const *stage = stage_all(); *stage; stage++) {
        assert_ptr_equal(stage_find((*stage)->name), *stage);
        assert_true(strlen((*stage)->name) < sizeof((struct error *)0)->stage);
        assert_true(strcmp((*stage)->group, "image") == 0 || strcmp((*stage)->group, "synthetic") == 0);
        assert_int_not_equal((*stage)->summary[strlen((*stage)->summary) - 1], '.');
        for (const struct param *param = (*stage)->params; param->name; param++) {
            assert_non_null(param->unit);
            assert_true(strlen(param->help) > 0);
            assert_int_not_equal(param->help[strlen(param->help) - 1], '.');
            assert_true(param->offset < (*stage)->params_bytes);
        }
    }
}

/* An item is admitted by the plan for the most channels that its header allows, so what it takes with fewer
 * must fit: buffers that hold input and output in turn, and scratch. */
static void fewer_channels_never_cost_more(void **state)
{
    (void)state;
    for (const struct stage *const *stage = stage_all(); *stage; stage++) {
        if (has_required(*stage))
            continue;
        void *params = harness_params(*stage, "");
        for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
            size_t buffer = 0, scratch = 0;
            for (unsigned channels = 1; channels <= SHAPE_MAX_CHANNELS; channels++) {
                const struct shape in = harness_shape(400, 300, channels, (enum sample)sample);
                struct stage_plan plan;
                if (stage_plan(*stage, params, &in, &plan, NULL) != 0)
                    continue;
                const size_t in_bytes = shape_bytes(&in), out_bytes = shape_bytes(&plan.out);
                const size_t larger = in_bytes > out_bytes ? in_bytes : out_bytes;
                const size_t working = plan.begin_scratch_bytes + plan.rows_scratch_bytes;
                if (larger < buffer || working < scratch)
                    fail_msg("%s: %u channels need %zu + %zu bytes, fewer need %zu + %zu", (*stage)->name,
                             channels, larger, working, buffer, scratch);
                buffer = larger;
                scratch = working;
            }
        }
        harness_free_params(*stage, params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_keeps_the_contract),
        cmocka_unit_test(every_stage_describes_itself),
        cmocka_unit_test(fewer_channels_never_cost_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
