/* SPDX-License-Identifier: MIT */
/* What the contract promises for every stage of the registry, tried on images of every sample type, channel
 * count and some awkward sizes, and on arrays of every sample type and rank. A new stage is tested here
 * without a line about it, unless it has parameters that must be given: then `arguments` needs an entry. */
#include "tests/quick.h"
#include "trial.h"

static const struct {
    const char *name, *arguments;
    bool instead; /* of the defaults */
} arguments[] = {
    /* The default fails, takes its time, or must be given. */
    {"fail", "rate=0", true},
    {"trespass", "rate=0", true},
    {"sleep", "ms=0.01", true},
    {"spin", "ms=0.01", true},
    {"primes", "n=100", true},
    {"sumsq", "n=5000", true},
    {"resize", "width=9,height=5,fit=fill", true},
    {"crop", "width=1,height=1", true},
    {"quantize", "colours=7", true},
    {"pad", "left=3,top=2,right=1,bottom=5", true},
    {"astype", "type=u8,casting=saturate", true},
    {"astype", "type=i16,casting=wrap", true},
    {"astype", "type=f32,casting=saturate", true},
    {"astype", "type=i64,casting=wrap,rounding=nearest", true},
    {"astype", "type=f16,casting=wrap", true},
    {"astype", "type=bool", true},
    {"clip", "min=0,max=1", true},
    {"clip", "max=0.3", true},
    {"cumsum", "axis=0", false},
    {"cumsum", "axis=-1", false},
    {"diff", "axis=0", false},
    {"diff", "axis=-2,n=3", false},
    {"block_reduce", "func=mean,size=3", false},
    {"block_reduce", "func=min,size=1x2,edge=trim", false},
    {"block_reduce", "func=max,size=2000", false},
    {"block_reduce", "func=sum,size=3,edge=trim", false},
    {"block_reduce", "func=median,size=2x3x1", false},
    {"block_reduce", "func=median,size=31", false},
    {"convolve", "mask=1 2 1 0,scale=0", true},
    {"convolve", "mask=-1 0 1,scale=2,offset=0.5,mode=full", true},
    {"convolve", "mask=1 2 3 4 5,axis=0,mode=valid", true},
    {"matmul", "matrix=matrix.npy", true},
    {"composite", "file=logo.pam", true},
    {"composite", "file=logo.pam,gravity=south-east,margin=2,opacity=0.6", true},
    {"composite", "file=logo.pam,left=-3,top=1,tile=true", true},
    {"compare", "reference=elsewhere", true},
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
    {"stats", "skip_nan=true,percentiles=50,percentiles=1", false},
    {"histogram", "bins=7,low=-1,high=100", false},
    {"normalize", "method=zscore,axis=-1", false},
    {"normalize", "method=percentile,axis=0", false},
    {"rfft", "output=complex", false},
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
    {"trim", "threshold=0.5,margin=1", false},
    {"trim", "background=black", false},
    {"levels", "auto=true,low=10,high=70", false},
    {"pad", "left=40,top=20,right=1,bottom=40,extend=copy", true},
    {"pad", "left=40,top=20,right=1,bottom=40,extend=repeat", true},
    {"pad", "left=40,top=20,right=1,bottom=40,extend=mirror", true},
};

/* Ways that arrays alone, or images alone, go through a stage that accepts both. */
static const char *const array_arguments[][2] = {{"primes", "mode=each"}};
static const char *const image_arguments[][2] = {
    {"hash", "kind=ahash"}, {"hash", "kind=dhash"}, {"hash", "kind=phash"}};

static const uint32_t sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {33, 17}};

/* Of arrays: a single value, none, one element, less and more than a block, and blocks that end within a
 * line. */
static const struct {
    unsigned rank;
    uint64_t dims[3];
} arrays[] = {
    {0, {0}},          {1, {0}},       {1, {1}},       {1, {37}},      {1, {3 * SHAPE_BLOCK_SAMPLES + 5}},
    {2, {0, 5}},       {2, {5, 0}},    {2, {1, 1}},    {2, {7, 11}},   {2, {130, 129}},
    {2, {3, 9000}},    {3, {3, 0, 2}}, {3, {1, 1, 1}}, {3, {4, 5, 3}}, {3, {40, 71, 3}},
    {3, {3, 31, 211}},
};

/* What a stage accepts it must do for some shape at least; what it does not, for none. */
static void expect_worked(const struct stage *stage, const char *kind, unsigned accepts, unsigned sample,
                          unsigned worked)
{
    if ((worked > 0) != ((accepts & (1u << sample)) != 0))
        fail_msg("%s: accepts %s %x, but worked on %u shapes of sample type %s", stage->name, kind, accepts,
                 worked, shape_sample_name((uint8_t)sample));
}

static void try_images(const struct stage *stage, const void *params)
{
    for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
        unsigned worked = 0;
        for (unsigned channels = 1; channels <= SHAPE_MAX_CHANNELS; channels++) {
            for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
                const struct shape in =
                    harness_shape(sizes[size][0], sizes[size][1], channels, (enum sample)sample);
                if (shape_samples(&in) > 6 && quick_skip(19))
                    continue;
                worked += try_shape(stage, params, &in);
            }
        }
        expect_worked(stage, "images", stage->accepts, sample, worked);
    }
}

static void try_arrays(const struct stage *stage, const void *params)
{
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        unsigned worked = 0;
        for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
            const struct shape in = shape_array((enum sample)sample, arrays[i].rank, arrays[i].dims);
            if (shape_samples(&in) > 1000 && quick_skip(37))
                continue;
            worked += try_shape(stage, params, &in);
        }
        expect_worked(stage, "arrays", stage->arrays, sample, worked);
    }
}

static void try_stage(const struct stage *stage, const char *text)
{
    void *params = harness_params(stage, text);
    if (stage->check && stage->check(params, NULL) != 0)
        fail_msg("%s does not take '%s'", stage->name, text);
    try_images(stage, params);
    try_arrays(stage, params);
    harness_free_params(stage, params);
}

static void ways_of_arrays_keep_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof array_arguments / sizeof *array_arguments; i++) {
        const struct stage *stage = stage_find(array_arguments[i][0]);
        void *params = harness_params(stage, array_arguments[i][1]);
        try_arrays(stage, params);
        harness_free_params(stage, params);
    }
}

static void ways_of_images_keep_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof image_arguments / sizeof *image_arguments; i++) {
        const struct stage *stage = stage_find(image_arguments[i][0]);
        void *params = harness_params(stage, image_arguments[i][1]);
        try_images(stage, params);
        harness_free_params(stage, params);
    }
}

static bool has_required(const struct stage *stage)
{
    for (const struct param *param = stage->params; param->name; param++) {
        if (param_required(param))
            return true;
    }
    return false;
}

static void every_stage_keeps_the_contract(void **state)
{
    (void)state;
    for (const struct stage *const *stage = stage_all(); *stage; stage++) {
        bool defaults = true;
        if ((*stage)->piece || (*stage)->command)
            continue; /* they have no rows */
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
        assert_true(strcmp((*stage)->group, "image") == 0 || strcmp((*stage)->group, "numeric") == 0 ||
                    strcmp((*stage)->group, "outside") == 0 || strcmp((*stage)->group, "synthetic") == 0);
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
        for (unsigned sample = 0; sample < SAMPLE_IMAGE_COUNT; sample++) {
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
        cmocka_unit_test(ways_of_arrays_keep_the_contract),
        cmocka_unit_test(ways_of_images_keep_the_contract),
        cmocka_unit_test(every_stage_describes_itself),
        cmocka_unit_test(fewer_channels_never_cost_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
