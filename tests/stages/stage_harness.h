/* SPDX-License-Identifier: MIT */
/* What tests of stages share: images and arrays from a fixed generator, parameters from text, and a run in
 * exactly the memory that was planned. Failing calls end the test. */
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

#include "half.h"
#include "image_file.h"
#include "matrix_file.h"
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

/* In place of reading a file: a name in .npy is a matrix of 11 x 3 numbers, another one an image of 5 x 3 px
 * with alpha. */
static inline void harness_read(const struct param *param, const char *path, void *params)
{
    const size_t length = strlen(path);
    double numbers[33];
    unsigned samples[60];
    for (int i = 0; i < 33; i++)
        numbers[i] = i * 5 % 7 - 2.5;
    for (unsigned i = 0; i < 60; i++)
        samples[i] = i % 8 == 3 ? 0 : i * 83 % 256;
    struct param_file file = length > 4 && strcmp(path + length - 4, ".npy") == 0
                                 ? matrix_file(path, 11, 3, numbers)
                                 : image_file(path, 5, 3, 4, 255, samples);
    param_free((const struct param[]){*param, PARAM_END}, params);
    memcpy((char *)params + param->offset, &file, sizeof file);
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
        if (param->type == PARAM_FILE)
            harness_read(param, value, params);
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

/* One line for each type: its number, the C type, what the value is, and how a double is stored. The values
 * of 64 bit beyond 2^53 are rounded. */
#define HARNESS_SAMPLES(X)                                                                                   \
    X(SAMPLE_U8, uint8_t, (double)value, (uint8_t)number)                                                    \
    X(SAMPLE_U16, uint16_t, (double)value, (uint16_t)number)                                                 \
    X(SAMPLE_U32, uint32_t, (double)value, (uint32_t)number)                                                 \
    X(SAMPLE_U64, uint64_t, (double)value, (uint64_t)number)                                                 \
    X(SAMPLE_I8, int8_t, (double)value, (int8_t)number)                                                      \
    X(SAMPLE_I16, int16_t, (double)value, (int16_t)number)                                                   \
    X(SAMPLE_I32, int32_t, (double)value, (int32_t)number)                                                   \
    X(SAMPLE_I64, int64_t, (double)value, (int64_t)number)                                                   \
    X(SAMPLE_F16, uint16_t, half_value(value), half_of(number))                                              \
    X(SAMPLE_F32, float, (double)value, (float)number)                                                       \
    X(SAMPLE_F64, double, (double)value, number)                                                             \
    X(SAMPLE_BOOL, uint8_t, (double)value, (uint8_t)(number != 0))

static inline double harness_get(const void *samples, uint8_t sample, size_t index)
{
    switch ((enum sample)sample) {
#define HARNESS_GET(SAMPLE, type, get, put)                                                                  \
    case SAMPLE: {                                                                                           \
        const type value = ((const type *)samples)[index];                                                   \
        return get;                                                                                          \
    }
        HARNESS_SAMPLES(HARNESS_GET)
    default:
        fail_msg("no sample type %u", sample);
        return 0;
    }
}

static inline void harness_put(void *samples, uint8_t sample, size_t index, double number)
{
    switch ((enum sample)sample) {
#define HARNESS_PUT(SAMPLE, type, get, put)                                                                  \
    case SAMPLE:                                                                                             \
        ((type *)samples)[index] = put;                                                                      \
        return;
        HARNESS_SAMPLES(HARNESS_PUT)
    default:
        fail_msg("no sample type %u", sample);
    }
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

/* An array of small numbers, negative ones and fractions too where the type has them; here and there the ends
 * of the type's range, infinities and NaN. */
static inline uint8_t *harness_array(const struct shape *shape, uint32_t seed)
{
    const size_t bytes = shape_sample_bytes(shape->sample), count = (size_t)shape_samples(shape);
    uint8_t *samples = harness_alloc(shape_bytes(shape));
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        const uint32_t kind = (seed >> 8) & 31;
        double number = (seed >> 16) % 128;
        if (shape_sample_is_float(shape->sample))
            number = kind == 0   ? (double)NAN
                     : kind == 1 ? (double)-INFINITY
                     : kind == 2 ? (double)INFINITY
                     : kind == 3 ? -0.0
                                 : number / 8 - 8;
        else if (shape->sample == SAMPLE_BOOL)
            number = number > 40;
        else if (shape_sample_is_signed(shape->sample))
            number -= 64;
        harness_put(samples, shape->sample, i, number);
        if (shape_sample_is_float(shape->sample) || shape->sample == SAMPLE_BOOL || kind > 1)
            continue;
        /* All ones and all but the topmost: the largest, or -1 and the largest. With that bit alone: half of
         * the range, or the smallest. */
        memset(samples + i * bytes, kind == 0 ? 0xff : seed >> 31 ? 0xff : 0, bytes);
        if (kind == 1)
            samples[i * bytes + bytes - 1] ^= 0x80; /* little endian; elsewhere just another number */
    }
    return samples;
}

/* Whichever the shape asks for. */
static inline uint8_t *harness_samples(const struct shape *shape, uint32_t seed)
{
    return shape->kind == SHAPE_ARRAY ? harness_array(shape, seed) : harness_image(shape, seed);
}

/* One stage over the whole of `src`: the code of its plan, begin or rows, with *error filled (it may be
 * NULL). After 0 *dst is the result, which the caller frees, and *out its shape. `record` may be NULL. */
static inline int harness_try(const char *name, const char *arguments, const struct shape *in,
                              const void *src, struct record *record, struct shape *out, void **dst,
                              struct error *error)
{
    const struct stage *stage = stage_find(name);
    assert_non_null(stage);
    void *params = harness_params(stage, arguments);
    struct stage_plan plan = {0};
    int code = stage->check ? stage->check(params, error) : 0;
    if (code == 0)
        code = stage_plan(stage, params, in, &plan, error);
    const size_t scratch_bytes = plan.begin_scratch_bytes + plan.rows_scratch_bytes;
    struct scratch scratch = {.base = harness_alloc(scratch_bytes), .size_bytes = scratch_bytes};
    uint8_t *result = harness_alloc(shape_bytes(&plan.out));
    struct stage_run run = {.params = params,
                            .in = *in,
                            .out = plan.out,
                            .src = src,
                            .dst = result,
                            .item = 1,
                            .attempt = 1,
                            .record = record};
    if (code == 0)
        code = stage_run_whole(stage, &run, &scratch, error);
    harness_check_guard(scratch.base, scratch_bytes);
    harness_check_guard(result, shape_bytes(&plan.out));
    free(scratch.base);
    harness_free_params(stage, params);
    *out = run.out;
    *dst = result;
    if (code != 0)
        free(result);
    return code;
}

/* The same where it must work; returns the result. */
static inline void *harness_apply(const char *name, const char *arguments, const struct shape *in,
                                  const void *src, struct shape *out)
{
    struct error error = {0};
    void *dst;
    if (harness_try(name, arguments, in, src, NULL, out, &dst, &error) != 0)
        fail_msg("%s:%s: %s", name, arguments, error.reason);
    return dst;
}

#endif
