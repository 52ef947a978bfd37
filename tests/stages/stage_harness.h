/* SPDX-License-Identifier: MIT */
/* What tests of stages share: images from a fixed generator, parameters from text, and a run in exactly the
 * memory that was planned. Failing calls end the test. */
#ifndef TESTS_STAGES_STAGE_HARNESS_H
#define TESTS_STAGES_STAGE_HARNESS_H

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

#define HARNESS_GUARD_BYTES 64u
#define HARNESS_GUARD       0xa5

/* `bytes` of memory with a guard behind it. */
static inline uint8_t *harness_alloc(size_t bytes)
{
    const size_t size = (bytes + HARNESS_GUARD_BYTES + 63) / 64 * 64;
    uint8_t *memory = aligned_alloc(64, size);
    assert_non_null(memory);
    memset(memory, HARNESS_GUARD, size);
    return memory;
}

static inline void harness_check_guard(const uint8_t *memory, size_t bytes)
{
    for (size_t i = 0; i < HARNESS_GUARD_BYTES; i++)
        assert_int_equal(memory[bytes + i], HARNESS_GUARD);
}

/* A parameter block from "key=value,key=value" over the defaults; free with harness_free_params. */
static inline void *harness_params(const struct stage *stage, const char *arguments)
{
    void *params = calloc(1, stage->params_bytes + 1);
    assert_non_null(params);
    param_defaults(stage->params, params);
    char *copy = strdup(arguments), *rest = copy;
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        if (*word == '\0')
            continue;
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        const struct param *param = param_find(stage->params, word);
        assert_non_null(param);
        assert_int_equal(param_parse(param, value, params, NULL), 0);
    }
    free(copy);
    return params;
}

static inline void harness_free_params(const struct stage *stage, void *params)
{
    param_free(stage->params, params);
    free(params);
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

static inline double harness_full(uint8_t sample)
{
    return sample == SAMPLE_U8 ? 255 : sample == SAMPLE_U16 ? 65535 : 1;
}

static inline double harness_get(const uint8_t *pixels, uint8_t sample, size_t index)
{
    const void *samples = pixels;
    if (sample == SAMPLE_U8)
        return pixels[index];
    if (sample == SAMPLE_U16)
        return ((const uint16_t *)samples)[index];
    return (double)((const float *)samples)[index];
}

static inline void harness_put(uint8_t *pixels, uint8_t sample, size_t index, double value)
{
    void *samples = pixels;
    if (sample == SAMPLE_U8)
        pixels[index] = (uint8_t)value;
    else if (sample == SAMPLE_U16)
        ((uint16_t *)samples)[index] = (uint16_t)value;
    else
        ((float *)samples)[index] = (float)value;
}

/* Noise over the whole range, with runs of 0 and full scale among it (in alpha, too). */
static inline uint8_t *harness_image(const struct shape *shape, uint32_t seed)
{
    uint8_t *pixels = harness_alloc(shape_bytes(shape));
    const size_t count = shape_bytes(shape) / shape_sample_bytes(shape->sample);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        const uint32_t kind = (seed >> 8) & 7;
        const double part = kind == 0 ? 0 : kind == 1 ? 1 : (seed >> 16) / 65535.0;
        const double full = harness_full(shape->sample);
        harness_put(pixels, shape->sample, i, full > 1 ? (double)(uint32_t)(part * full) : part);
    }
    return pixels;
}

/* One stage over the whole of `src`; the caller frees the result. *out is its shape. */
static inline uint8_t *harness_apply(const char *name, const char *arguments, const struct shape *in,
                                     const uint8_t *src, struct shape *out)
{
    const struct stage *stage = stage_find(name);
    assert_non_null(stage);
    void *params = harness_params(stage, arguments);
    struct stage_plan plan;
    assert_int_equal(stage_plan(stage, params, in, &plan, NULL), 0);
    const size_t scratch_bytes = plan.begin_scratch_bytes + plan.rows_scratch_bytes;
    struct scratch scratch = {.base = harness_alloc(scratch_bytes), .size_bytes = scratch_bytes};
    uint8_t *dst = harness_alloc(shape_bytes(&plan.out));
    struct stage_run run = {
        .params = params, .in = *in, .out = plan.out, .src = src, .dst = dst, .item = 1, .attempt = 1};
    assert_int_equal(stage_run_whole(stage, &run, &scratch, NULL), 0);
    harness_check_guard(scratch.base, scratch_bytes);
    harness_check_guard(dst, shape_bytes(&plan.out));
    free(scratch.base);
    harness_free_params(stage, params);
    *out = plan.out;
    return dst;
}

#endif
