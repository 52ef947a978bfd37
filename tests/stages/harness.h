/* SPDX-License-Identifier: MIT */
/* Runs a stage for a test, and holds every run to the contract of stages/stage.h on the way. */
#ifndef TESTS_STAGES_HARNESS_H
#define TESTS_STAGES_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stages/stage.h"

/* Fills a parameter block from "key=value,key=value". Free with harness_free. */
static inline void *harness_params(const struct stage *stage, const char *text)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    void *params = calloc(1, stage->params_bytes);
    param_defaults(stage->params, params);
    for (char *pair = strtok(copy, ","); pair; pair = strtok(NULL, ",")) {
        char *value = strchr(pair, '=');
        assert_non_null(value);
        *value++ = '\0';
        const struct param *param = param_find(stage->params, pair);
        struct error error = {0};
        if (!param || param_parse(param, value, params, &error) < 0)
            fail_msg("%s=%s: %s", pair, value, param ? error.reason : "unknown");
    }
    return params;
}

static inline void harness_free(const struct stage *stage, void *params)
{
    param_free(stage->params, params);
    free(params);
}

/* check and plan; the code of whichever failed. */
static inline int harness_plan(const char *name, const char *text, const struct shape *in,
                               struct stage_plan *plan, struct error *error)
{
    const struct stage *stage = stage_find(name);
    assert_non_null(stage);
    void *params = harness_params(stage, text);
    int code = stage->check ? stage->check(params, error) : 0;
    if (code == 0)
        code = stage_plan(stage, params, in, plan, error);
    harness_free(stage, params);
    return code;
}

/* One range of rows, from a copy of the input in which all but the promised source rows are 0xff (NaN in
 * f32), with scratch of exactly the planned size. */
static inline void harness_range(const struct stage *stage, struct stage_run *run, struct scratch *scratch,
                                 uint32_t first, uint32_t last)
{
    const uint8_t *src = run->src;
    const size_t row_bytes = shape_row_bytes(&run->in), all_bytes = shape_bytes(&run->in);
    const size_t kept_bytes = scratch->used_bytes;
    uint32_t top = first, bottom = last;
    struct error error = {0};
    stage_source_rows(stage, run->params, &run->in, &run->out, &top, &bottom);
    assert_true(top < bottom && bottom <= run->in.height);
    uint8_t *poisoned = malloc(all_bytes);
    memset(poisoned, 0xff, all_bytes);
    memcpy(poisoned + top * row_bytes, src + top * row_bytes, (bottom - top) * row_bytes);
    run->src = poisoned;
    if (stage->rows(run, first, last, scratch, &error) < 0)
        fail_msg("%s: %s", stage->name, error.reason);
    run->src = src;
    scratch->used_bytes = kept_bytes;
    free(poisoned);
}

/* The whole output in ranges of `cut` rows, the last one first. */
static inline uint8_t *harness_cut(const struct stage *stage, struct stage_run run,
                                   const struct stage_plan *plan, uint32_t cut)
{
    const size_t bytes = scratch_add(plan->begin_scratch_bytes, plan->rows_scratch_bytes);
    struct scratch scratch = {.size_bytes = bytes};
    scratch.base = aligned_alloc(SCRATCH_ALIGN, scratch_need(1, bytes + 1));
    memset(scratch.base, 0xff, bytes);
    struct error error = {0};
    run.dst = malloc(shape_bytes(&run.out));
    memset(run.dst, 0x5a, shape_bytes(&run.out));
    if (stage->begin && stage->begin(&run, &scratch, &error) < 0)
        fail_msg("%s: %s", stage->name, error.reason);
    assert_true(scratch.used_bytes <= plan->begin_scratch_bytes);
    for (uint32_t last = run.out.height; last > 0;) {
        const uint32_t first = last > cut ? last - cut : 0;
        harness_range(stage, &run, &scratch, first, last);
        last = first;
    }
    free(scratch.base);
    return run.dst;
}

/* Applies the stage and returns the pixels, which the caller frees, and *out. Whole and in ranges of 1, 3 and
 * 7 rows it must give the same bytes; so must working in place where the plan allows it. */
static inline void *harness_apply(const char *name, const char *text, struct shape in, const void *pixels,
                                  struct shape *out)
{
    const struct stage *stage = stage_find(name);
    struct stage_plan plan;
    struct error error = {0};
    assert_non_null(stage);
    void *params = harness_params(stage, text);
    if ((stage->check && stage->check(params, &error) < 0) ||
        stage_plan(stage, params, &in, &plan, &error) < 0)
        fail_msg("%s:%s: %s", name, text, error.reason);
    struct stage_run run = {
        .params = params, .in = in, .out = plan.out, .src = pixels, .item = 1, .attempt = 1};
    uint8_t *whole = harness_cut(stage, run, &plan, plan.out.height);
    const size_t bytes = shape_bytes(&plan.out);
    for (uint32_t cut = 1; cut <= 7 && !plan.whole; cut += cut == 1 ? 2 : 4) {
        uint8_t *cuts = harness_cut(stage, run, &plan, cut);
        if (memcmp(whole, cuts, bytes) != 0)
            fail_msg("%s:%s: ranges of %u rows change the result", name, text, cut);
        free(cuts);
    }
    if (plan.in_place) {
        const size_t scratch_bytes = scratch_add(plan.begin_scratch_bytes, plan.rows_scratch_bytes);
        struct scratch scratch = {.size_bytes = scratch_bytes};
        scratch.base = aligned_alloc(SCRATCH_ALIGN, scratch_need(1, scratch_bytes + 1));
        run.dst = malloc(bytes);
        memcpy(run.dst, pixels, bytes);
        run.src = run.dst;
        assert_int_equal(stage_run_whole(stage, &run, &scratch, &error), 0);
        assert_memory_equal(run.dst, whole, bytes);
        free(run.dst);
        free(scratch.base);
    }
    harness_free(stage, params);
    *out = plan.out;
    return whole;
}

static inline struct shape harness_shape(uint32_t width, uint32_t height, unsigned channels,
                                         enum sample sample)
{
    return (struct shape){.width = width,
                          .height = height,
                          .channels = (uint8_t)channels,
                          .sample = (uint8_t)sample,
                          .bits = shape_sample_bits((uint8_t)sample)};
}

/* Sample i as a number, whatever its type. */
static inline double harness_get(const struct shape *shape, const void *pixels, size_t i)
{
    if (shape->sample == SAMPLE_U8)
        return ((const uint8_t *)pixels)[i];
    if (shape->sample == SAMPLE_U16)
        return ((const uint16_t *)pixels)[i];
    return (double)((const float *)pixels)[i];
}

static inline void harness_set(const struct shape *shape, void *pixels, size_t i, double value)
{
    if (shape->sample == SAMPLE_U8)
        ((uint8_t *)pixels)[i] = (uint8_t)value;
    else if (shape->sample == SAMPLE_U16)
        ((uint16_t *)pixels)[i] = (uint16_t)value;
    else
        ((float *)pixels)[i] = (float)value;
}

static inline double harness_full(const struct shape *shape)
{
    return shape->sample == SAMPLE_U8 ? 255 : shape->sample == SAMPLE_U16 ? 65535 : 1;
}

static inline size_t harness_samples(const struct shape *shape)
{
    return (size_t)shape->width * shape->height * shape->channels;
}

/* Noise over the full range, the same every time; every sixth sample is at an end of the range. */
static inline void *harness_noise(const struct shape *shape)
{
    void *pixels = malloc(shape_bytes(shape));
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < harness_samples(shape); i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const unsigned pick = (unsigned)(state >> 40) % 12;
        const double unit = pick == 0 ? 0 : pick == 1 ? 1 : (double)(state >> 11) / 9007199254740992.0;
        harness_set(shape, pixels, i, unit * harness_full(shape));
    }
    return pixels;
}

#endif
