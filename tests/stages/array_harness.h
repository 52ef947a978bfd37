/* SPDX-License-Identifier: MIT */
/* Runs a stage over an array, or an image, for a test: in exactly the memory that was planned, and, unless it
 * is `whole`, in cuts of one block from the last to the first, which must give the same bytes. */
#ifndef TESTS_STAGES_ARRAY_HARNESS_H
#define TESTS_STAGES_ARRAY_HARNESS_H

#include <math.h>

#include "stage_harness.h"

/* A stage that was applied to something. */
struct applied {
    struct shape out;
    uint8_t *dst; /* out.dst; the caller frees */
    struct record record;
};

#define ARRAY(sample, ...)                                                                                   \
    shape_array(sample, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (uint64_t[]){__VA_ARGS__})

static inline struct applied array_run(const struct stage *stage, const void *params, const struct shape *in,
                                       const void *src, bool cut)
{
    struct stage_plan plan;
    struct error error = {0};
    if (stage_plan(stage, params, in, &plan, &error) < 0)
        fail_msg("%s: %s", stage->name, error.reason);
    const size_t bytes = shape_bytes(&plan.out);
    struct applied applied = {.out = plan.out, .dst = harness_alloc(bytes)};
    applied.record =
        (struct record){.block = harness_alloc(plan.record_bytes), .size_bytes = plan.record_bytes};
    struct scratch kept = {.base = harness_alloc(plan.begin_scratch_bytes),
                           .size_bytes = plan.begin_scratch_bytes};
    struct stage_run run = {.params = params,
                            .in = *in,
                            .out = plan.out,
                            .src = src,
                            .dst = applied.dst,
                            .record = plan.whole ? &applied.record : NULL};
    if (stage->begin)
        assert_int_equal(stage->begin(&run, &kept, NULL), 0);
    const uint32_t step = cut ? 1 : shape_rows(&plan.out);
    for (uint32_t last = shape_rows(&plan.out); last > 0;) {
        const uint32_t first = last > step ? last - step : 0;
        struct scratch scratch = {.base = harness_alloc(plan.rows_scratch_bytes),
                                  .size_bytes = plan.rows_scratch_bytes};
        assert_int_equal(stage->rows(&run, first, last, &scratch, NULL), 0);
        harness_check_guard(scratch.base, plan.rows_scratch_bytes);
        free(scratch.base);
        last = first;
    }
    harness_check_guard(kept.base, plan.begin_scratch_bytes);
    harness_check_guard(applied.dst, bytes);
    harness_check_guard(applied.record.block, plan.record_bytes);
    free(kept.base);
    return applied;
}

static inline void array_free(struct applied *applied)
{
    free(applied->dst);
    free(applied->record.block);
}

static inline struct applied array_apply_with(const struct stage *stage, const void *params, struct shape in,
                                              const void *src)
{
    struct stage_plan plan;
    /* As the pipeline has it: aligned, and not to be written. */
    uint8_t *aligned = harness_alloc(shape_bytes(&in));
    if (src) /* NULL: there are no samples */
        memcpy(aligned, src, shape_bytes(&in));
    struct applied applied = array_run(stage, params, &in, aligned, false);
    assert_int_equal(stage_plan(stage, params, &in, &plan, NULL), 0);
    if (!plan.whole) {
        struct applied cuts = array_run(stage, params, &in, aligned, true);
        assert_memory_equal(cuts.dst, applied.dst, shape_bytes(&plan.out));
        array_free(&cuts);
    }
    if (src)
        assert_memory_equal(aligned, src, shape_bytes(&in));
    free(aligned);
    return applied;
}

static inline struct applied array_apply(const char *name, const char *arguments, struct shape in,
                                         const void *src)
{
    const struct stage *stage = stage_find(name);
    assert_non_null(stage);
    void *params = harness_params(stage, arguments);
    assert_true(!stage->check || stage->check(params, NULL) == 0);
    struct applied applied = array_apply_with(stage, params, in, src);
    harness_free_params(stage, params);
    return applied;
}

/* What check or plan say to it. */
static inline int array_refused(const char *name, const char *arguments, struct shape in, struct error *error)
{
    const struct stage *stage = stage_find(name);
    struct stage_plan plan;
    assert_non_null(stage);
    void *params = harness_params(stage, arguments);
    int code = stage->check ? stage->check(params, error) : 0;
    if (code == 0)
        code = stage_plan(stage, params, &in, &plan, error);
    harness_free_params(stage, params);
    return code;
}

/* A number that was told; ends the test where there is none of that name. */
static inline struct record_field array_field(const struct applied *applied, const char *name)
{
    struct record_field field;
    for (size_t position = 0; record_next(&applied->record, &position, &field) == 1;) {
        if (strcmp(field.name, name) == 0)
            return field;
    }
    fail_msg("no field is called %s", name);
    return field;
}

static inline double array_told(const struct applied *applied, const char *name)
{
    const struct record_field field = array_field(applied, name);
    return field.type == RECORD_INT ? (double)field.integer : field.real;
}

static inline void array_expect(const struct applied *applied, const char *name, double value)
{
    const double told = array_told(applied, name);
    if (isnan(value) ? !isnan(told) : told != value)
        fail_msg("%s is %.17g, not %.17g", name, told, value);
}

#endif
