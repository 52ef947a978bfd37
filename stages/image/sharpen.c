/* SPDX-License-Identifier: MIT */
/* Unsharp mask: out = in + amount x (in - blurred), where the difference exceeds the threshold. As
 * skimage.filters.unsharp_mask (radius = sigma), and ImageMagick's `-unsharp 0xSIGMA+AMOUNT+0`. Colours are
 * compared with the blur of what is visible around them; alpha stays as it is, and so do the pixels that it
 * hides. */
#include <stdlib.h>

#include "stages/image/blur.h"
#include "stages/image/floatrow.h"
#include "stages/simd.h"
#include "stages/stage.h"

struct sharpen_params {
    double sigma_px, amount, threshold;
};

static const struct param sharpen_table[] = {
    {.name = "sigma",
     .type = PARAM_REAL,
     .offset = offsetof(struct sharpen_params, sigma_px),
     .min = BLUR_MIN_SIGMA_PX,
     .max = BLUR_MAX_SIGMA_PX,
     .initial = "1",
     .unit = "px",
     .help = "Standard deviation of the Gaussian that the image is compared with"},
    {.name = "amount",
     .type = PARAM_REAL,
     .offset = offsetof(struct sharpen_params, amount),
     .min = 0,
     .max = 100,
     .initial = "1",
     .unit = "",
     .help = "How much of the difference is added"},
    {.name = "threshold",
     .type = PARAM_REAL,
     .offset = offsetof(struct sharpen_params, threshold),
     .min = 0,
     .max = 1,
     .initial = "0",
     .unit = "of full scale",
     .help = "Differences up to this are left alone, so that noise is not sharpened"},
    PARAM_END,
};

static int sharpen_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                        struct error *error)
{
    (void)error;
    blur_plan(((const struct sharpen_params *)params)->sigma_px, in, plan);
    const size_t row = scratch_need((size_t)in->width * in->channels, sizeof(float));
    plan->rows_scratch_bytes = scratch_add(plan->rows_scratch_bytes, row);
    return 0;
}

static void sharpen_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                uint32_t *first, uint32_t *last)
{
    (void)out;
    blur_source_rows(((const struct sharpen_params *)params)->sigma_px, in, first, last);
}

static int sharpen_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    return blur_begin(((const struct sharpen_params *)run->params)->sigma_px, run, scratch, error);
}

/* row = row + amount x (row - blurred), where that differs enough. */
SIMD_CLONES static void unsharp(float *restrict row, const float *restrict blurred, size_t count,
                                float amount, float threshold)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const float difference = row[i] - blurred[i];
        const float size = difference < 0 ? -difference : difference;
        row[i] += amount * (size > threshold ? difference : 0.0f);
    }
}

/* The same of 8 bit, from a blur in fixed point. What is added is rounded with an offset that keeps it
 * positive, so that cutting off rounds down. */
SIMD_CLONES_512 static void unsharp_fixed(const uint8_t *restrict src, const uint16_t *restrict blurred,
                                          uint8_t *restrict dst, size_t count, float amount, float threshold)
{
    const float unit = amount / BLUR_FIXED_LEVEL;
    const int16_t limit = (int16_t)(threshold * BLUR_FIXED_LEVEL);
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const int16_t difference = (int16_t)(src[i] * (int)BLUR_FIXED_LEVEL - blurred[i]);
        const int16_t size = (int16_t)abs(difference);
        const int16_t used = (int16_t)(difference & -(size > limit));
        const int added = (int)((float)used * unit + 32768.5f) - 32768;
        const int16_t sum = (int16_t)(src[i] + added);
        const int16_t least = sum > 0 ? sum : 0;
        const int16_t limited = least < 255 ? least : 255;
        dst[i] = (uint8_t)limited;
    }
}

/* Gives alpha, and the colours under an alpha of 0, a difference of none. */
SIMD_INLINE void spare_pixels(const float *restrict row, float *restrict blurred, size_t width,
                              unsigned channels)
{
    const unsigned alpha = channels - 1;
#pragma omp simd
    for (size_t x = 0; x < width; x++) {
        const float *pixel = row + x * channels;
        float *out = blurred + x * channels;
        const bool visible = pixel[alpha] > 0;
        for (unsigned c = 0; c < alpha; c++)
            out[c] = visible ? out[c] : pixel[c];
        out[alpha] = pixel[alpha];
    }
}

SIMD_CLONES static void spare_alpha(const struct shape *shape, const float *row, float *blurred)
{
    if (shape->channels == 2)
        spare_pixels(row, blurred, shape->width, 2);
    else
        spare_pixels(row, blurred, shape->width, 4);
}

static int sharpen_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error)
{
    const struct sharpen_params *params = run->params;
    const struct shape *shape = &run->in;
    const size_t count = (size_t)shape->width * shape->channels;
    const float threshold = (float)params->threshold * floatrow_full(shape->sample);
    struct blur_walk walk;
    TRY(blur_open(&walk, run, first, last, scratch, error));
    float *row = scratch_alloc(scratch, count, sizeof(float));
    if (!row)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (uint32_t y = first; y < last; y++) {
        void *blurred = blur_row(&walk, y);
        if (walk.kernel->fixed) {
            unsharp_fixed(stage_src_row(run, y), blurred, stage_dst_row(run, y), count, (float)params->amount,
                          threshold);
            continue;
        }
        floatrow_convert(shape->sample, stage_src_row(run, y), row, count);
        if (shape_has_alpha(shape))
            spare_alpha(shape, row, blurred);
        unsharp(row, blurred, count, (float)params->amount, threshold);
        floatrow_store(shape, row, stage_dst_row(run, y));
    }
    return 0;
}

const struct stage sharpen_stage = {
    .name = "sharpen",
    .group = "image",
    .summary = "Sharpen with an unsharp mask; alpha is left alone",
    .params = sharpen_table,
    .params_bytes = sizeof(struct sharpen_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = sharpen_plan,
    .source_rows = sharpen_source_rows,
    .begin = sharpen_begin,
    .rows = sharpen_rows,
};
