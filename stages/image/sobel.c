/* SPDX-License-Identifier: MIT */
/* Gradient magnitude by Sobel's kernels, as skimage.filters.sobel: each kernel divided by 4, the magnitude
 * divided by the square root of 2, so that no edge exceeds full scale. Each colour channel on its own (put
 * grayscale before it for one set of edges); with alpha, the edges of what is seen over black, and alpha is
 * kept. */
#include <math.h>

#include "stages/image/floatrow.h"
#include "stages/simd.h"
#include "stages/stage.h"

static const struct param sobel_table[] = {PARAM_END};

static size_t padded_floats(const struct shape *in)
{
    return ((size_t)in->width + 2) * in->channels;
}

static int sobel_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                      struct error *error)
{
    (void)params, (void)error;
    /* Three rows, their weighted sum and their difference. */
    const size_t row = scratch_need(padded_floats(in), sizeof(float));
    for (int i = 0; i < 5; i++)
        plan->rows_scratch_bytes = scratch_add(plan->rows_scratch_bytes, row);
    return 0;
}

static void sobel_source_rows(const void *params, const struct shape *in, const struct shape *out,
                              uint32_t *first, uint32_t *last)
{
    (void)params, (void)out;
    *first -= *first > 0;
    *last += *last < in->height;
}

SIMD_CLONES static void combine(const float *restrict above, const float *restrict here,
                                const float *restrict below, float *restrict sum, float *restrict difference,
                                size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        sum[i] = above[i] + 2 * here[i] + below[i];
        difference[i] = below[i] - above[i];
    }
}

/* `sum` and `difference` begin one pixel before the row. The magnitude takes the place of `out`. */
SIMD_CLONES static void magnitude(const float *restrict sum, const float *restrict difference,
                                  float *restrict out, size_t count, size_t channels)
{
    const float scale = 0.17677669529663687f; /* 1 / (4 x sqrt(2)) */
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float across = sum[i + 2 * channels] - sum[i];
        const float down = difference[i] + 2 * difference[i + channels] + difference[i + 2 * channels];
        out[i] = sqrtf(across * across + down * down) * scale;
    }
}

static void keep_alpha(const struct shape *shape, const uint8_t *src, uint8_t *dst)
{
    const size_t channels = shape->channels, count = shape->width * channels;
    const void *from = src;
    void *to = dst;
    for (size_t i = channels - 1; i < count; i += channels) {
        if (shape->sample == SAMPLE_U8)
            dst[i] = src[i];
        else if (shape->sample == SAMPLE_U16)
            ((uint16_t *)to)[i] = ((const uint16_t *)from)[i];
        else
            ((float *)to)[i] = ((const float *)from)[i];
    }
}

static int sobel_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    (void)error;
    const struct shape *shape = &run->in;
    const size_t padded = padded_floats(shape);
    const uint32_t bottom = shape->height - 1;
    float *rows[5];
    for (int i = 0; i < 5; i++) {
        rows[i] = scratch_alloc(scratch, padded, sizeof(float));
        if (!rows[i])
            return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    }
    float *sum = rows[3], *difference = rows[4];
    floatrow_load(shape, stage_src_row(run, first > 0 ? first - 1 : 0), rows[0], 1);
    floatrow_load(shape, stage_src_row(run, first), rows[1], 1);
    for (uint32_t y = first; y < last; y++) {
        floatrow_load(shape, stage_src_row(run, y < bottom ? y + 1 : bottom), rows[2], 1);
        combine(rows[0], rows[1], rows[2], sum, difference, padded);
        /* The upper row is done with: it holds the result until the rows move up. */
        magnitude(sum, difference, rows[0], padded - 2 * (size_t)shape->channels, shape->channels);
        floatrow_store(shape, rows[0], stage_dst_row(run, y));
        if (shape_has_alpha(shape))
            keep_alpha(shape, stage_src_row(run, y), stage_dst_row(run, y));
        float *free_row = rows[0];
        rows[0] = rows[1];
        rows[1] = rows[2];
        rows[2] = free_row;
    }
    return 0;
}

const struct stage sobel_stage = {
    .name = "sobel",
    .group = "image",
    .summary = "Find edges: gradient magnitude by Sobel's kernels; alpha is kept",
    .params = sobel_table,
    .params_bytes = 0,
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = sobel_plan,
    .source_rows = sobel_source_rows,
    .rows = sobel_rows,
};
