/* SPDX-License-Identifier: MIT */
/* Black and white: full scale where luma (rec709) is above a level, else 0, as ImageMagick's `-threshold`.
 * The level is given, or found by Otsu's method ("A threshold selection method from gray-level histograms",
 * 1979) with the histogram that skimage.filters.threshold_otsu takes: one bin per value for integers, 256
 * bins from least to greatest for floats. The best bin's upper edge is the level (scikit-image: its middle,
 * which splits the bin). Every pixel counts, whatever its alpha. */
#include <math.h>
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/image/luma.h"
#include "stages/simd.h"
#include "stages/stage.h"

enum { METHOD_VALUE, METHOD_OTSU };

#define DEFAULT_VALUE 0.5

struct threshold_params {
    double value;
    int method;
};

static const struct param threshold_table[] = {
    {.name = "value",
     .type = PARAM_REAL,
     .offset = offsetof(struct threshold_params, value),
     .min = 0,
     .max = 1,
     .initial = "0.5",
     .unit = "of full scale",
     .help = "Luma above this becomes white, the rest black (method=value)"},
    {.name = "method",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct threshold_params, method),
     .initial = "value",
     .choices = "value|otsu",
     .unit = "",
     .help = "Compare with `value`, or with the level that Otsu's method finds in each image"},
    PARAM_END,
};

struct threshold_state {
    float level; /* in the units of the sample type */
};

static size_t bins_of(const struct shape *in)
{
    return in->sample == SAMPLE_U16 ? 65536 : 256;
}

static int threshold_check(const void *values, struct error *error)
{
    const struct threshold_params *params = values;
    if (params->method == METHOD_OTSU && params->value != DEFAULT_VALUE)
        return error_set(error, ERROR_USAGE, "give either value or method=otsu, which finds it");
    return 0;
}

static int threshold_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                          struct error *error)
{
    (void)error;
    const struct threshold_params *threshold = params;
    plan->out.sample = SAMPLE_U8;
    plan->out.channels = shape_has_alpha(in) ? 2 : 1;
    plan->out.bits = shape_has_alpha(in) ? 8 : 1;
    /* A row of luma, as it comes and as floats. */
    const size_t row = scratch_add(scratch_need(in->width, shape_sample_bytes(in->sample)),
                                   scratch_need(in->width, sizeof(float)));
    plan->rows_scratch_bytes = row;
    plan->begin_scratch_bytes = scratch_need(1, sizeof(struct threshold_state));
    if (threshold->method == METHOD_OTSU) {
        plan->begin_scratch_bytes = scratch_add(plan->begin_scratch_bytes, row);
        plan->begin_scratch_bytes =
            scratch_add(plan->begin_scratch_bytes, scratch_need(bins_of(in), sizeof(uint64_t)));
    }
    return 0;
}

static void threshold_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                  uint32_t *first, uint32_t *last)
{
    (void)out;
    if (((const struct threshold_params *)params)->method == METHOD_OTSU) {
        *first = 0;
        *last = in->height;
    }
}

/* A row of luma as floats, by way of the sample type, so that levels are those that grayscale gives. */
struct luma_buffer {
    uint8_t *samples;
    float *values;
};

static int luma_open(struct luma_buffer *buffer, const struct shape *in, struct scratch *scratch,
                     struct error *error)
{
    buffer->samples = scratch_alloc(scratch, in->width, shape_sample_bytes(in->sample));
    buffer->values = scratch_alloc(scratch, in->width, sizeof(float));
    if (!buffer->samples || !buffer->values)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    return 0;
}

static const float *luma_values(struct luma_buffer *buffer, const struct stage_run *run, uint32_t y)
{
    luma_row(&run->in, LUMA_REC709, stage_src_row(run, y), buffer->samples, 1);
    floatrow_convert(run->in.sample, buffer->samples, buffer->values, run->in.width);
    return buffer->values;
}

/* The bin after which a cut makes the greatest variance between the two classes; the first of equals. */
static size_t otsu_bin(const uint64_t *counts, size_t bins)
{
    double total = 0, moment = 0;
    for (size_t i = 0; i < bins; i++) {
        total += (double)counts[i];
        moment += (double)counts[i] * (double)i;
    }
    double low = 0, low_moment = 0, best = -1;
    size_t best_bin = 0;
    for (size_t i = 0; i < bins; i++) {
        low += (double)counts[i];
        low_moment += (double)counts[i] * (double)i;
        if (counts[i] == 0 || low == total)
            continue; /* no other variance than one bin before, or no second class */
        const double apart = low_moment / low - (moment - low_moment) / (total - low);
        const double variance = low * (total - low) * apart * apart;
        if (variance > best) {
            best = variance;
            best_bin = i;
        }
    }
    return best_bin;
}

/* The span of finite values, *low > *high where there are none. */
static void luma_span(struct luma_buffer *buffer, const struct stage_run *run, float *low, float *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (uint32_t y = 0; y < run->in.height; y++) {
        const float *values = luma_values(buffer, run, y);
        for (uint32_t x = 0; x < run->in.width; x++) {
            if (!isfinite(values[x]))
                continue;
            *low = values[x] < *low ? values[x] : *low;
            *high = values[x] > *high ? values[x] : *high;
        }
    }
}

static float otsu_level(struct luma_buffer *buffer, const struct stage_run *run, uint64_t *counts)
{
    const size_t bins = bins_of(&run->in);
    float low, high;
    luma_span(buffer, run, &low, &high);
    if (!(low < high))
        return high; /* one value: nothing is above it */
    const bool real = run->in.sample == SAMPLE_F32;
    const double start = real ? (double)low : 0;
    const double step = real ? ((double)high - (double)low) / (double)bins : 1;
    memset(counts, 0, bins * sizeof *counts);
    for (uint32_t y = 0; y < run->in.height; y++) {
        const float *values = luma_values(buffer, run, y);
        for (uint32_t x = 0; x < run->in.width; x++) {
            if (!isfinite(values[x]))
                continue;
            const size_t bin = (size_t)(((double)values[x] - start) / step);
            counts[bin < bins ? bin : bins - 1]++;
        }
    }
    const double bin = (double)otsu_bin(counts, bins);
    return (float)(real ? start + (bin + 1) * step : bin);
}

static int threshold_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct threshold_params *params = run->params;
    struct threshold_state *state = scratch_alloc(scratch, 1, sizeof *state);
    if (!state)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    run->state = state;
    if (params->method == METHOD_VALUE) {
        state->level = (float)(params->value * (double)floatrow_full(run->in.sample));
        return 0;
    }
    struct luma_buffer buffer;
    TRY(luma_open(&buffer, &run->in, scratch, error));
    uint64_t *counts = scratch_alloc(scratch, bins_of(&run->in), sizeof *counts);
    if (!counts)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    state->level = otsu_level(&buffer, run, counts);
    return 0;
}

SIMD_CLONES static void compare(const float *restrict values, float level, uint8_t *restrict dst,
                                size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = values[i] > level ? 255 : 0;
}

/* `grey` and the input's alpha, rounded to 8 bit, side by side. */
static void join_alpha(const struct shape *in, const uint8_t *src, const uint8_t *grey, uint8_t *dst)
{
    const size_t channels = in->channels;
    const void *samples = src;
    for (size_t x = 0; x < in->width; x++) {
        const size_t alpha = (x + 1) * channels - 1;
        dst[2 * x] = grey[x];
        if (in->sample == SAMPLE_U8) {
            dst[2 * x + 1] = src[alpha];
        } else if (in->sample == SAMPLE_U16) {
            dst[2 * x + 1] = (uint8_t)((((const uint16_t *)samples)[alpha] + 128u) / 257u);
        } else {
            float value = ((const float *)samples)[alpha];
            value = value > 0.0f ? value : 0.0f;
            dst[2 * x + 1] = (uint8_t)((value < 1.0f ? value : 1.0f) * 255.0f + 0.5f);
        }
    }
}

static int threshold_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                          struct error *error)
{
    const float level = ((const struct threshold_state *)run->state)->level;
    struct luma_buffer buffer;
    TRY(luma_open(&buffer, &run->in, scratch, error));
    for (uint32_t y = first; y < last; y++) {
        const float *values = luma_values(&buffer, run, y);
        const uint8_t *src = stage_src_row(run, y);
        uint8_t *dst = stage_dst_row(run, y);
        if (!shape_has_alpha(&run->in)) {
            compare(values, level, dst, run->in.width);
            continue;
        }
        compare(values, level, buffer.samples, run->in.width); /* its luma is in `values` by now */
        join_alpha(&run->in, src, buffer.samples, dst);
    }
    return 0;
}

const struct stage threshold_stage = {
    .name = "threshold",
    .group = "image",
    .summary = "Turn to black and white at a level, given or found by Otsu's method",
    .params = threshold_table,
    .params_bytes = sizeof(struct threshold_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = threshold_check,
    .plan = threshold_plan,
    .source_rows = threshold_source_rows,
    .begin = threshold_begin,
    .rows = threshold_rows,
};
