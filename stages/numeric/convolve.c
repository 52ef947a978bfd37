/* SPDX-License-Identifier: MIT */
/* Weighs each sample's neighbours by a mask.
 *
 * Images: as vips's conv, which does not turn the mask round (a correlation, then): sum of weight x sample,
 * divided by `scale`, plus `offset`; edges are extended; the mask's centre is at half its width and height,
 * rounded down. Colours count by their alpha, and alpha becomes the weighted mean of alpha. Where the weights
 * add up to 0, as in masks that find edges, it is the edges of what is seen over black, and alpha stays.
 *
 * Arrays: the convolution of numpy.convolve, which turns the mask round, along one axis, with zeros beyond
 * the ends: out[i] = sum of mask[k] x in[i - k]. `same` is the middle of `full`, as long as the input, also
 * where the mask is longer (as scipy.signal.convolve). Computed in double precision, weights in their order;
 * the result is f32 where that holds all values of the input's type (bool, 8 and 16 bit, f16, f32), else f64.
 *
 * A mask that is the product of a column and a row is not taken apart: the roundings would be others. */
#include "stages/numeric/convolve.h"
#include "stages/numeric/convolve_whole.h"

#include <math.h>
#include <string.h>

#include "stages/numeric/line.h"
#include "stages/numeric/number.h"
#include "stages/numeric/values.h"
#include "stages/numeric/wide.h"
#include "stages/simd.h"

static const struct param convolve_table[] = {
    {.name = "mask",
     .type = PARAM_LIST,
     .offset = offsetof(struct convolve_params, mask),
     .unit = "",
     .help =
         "The weights, row by row, each row a text: [\"1 2 1\", \"2 4 2\", \"1 2 1\"]; one row for arrays"},
    {.name = "scale",
     .type = PARAM_REAL,
     .offset = offsetof(struct convolve_params, scale),
     .min = 0,
     .max = 1e9,
     .initial = "1",
     .unit = "",
     .help = "What the sum is divided by; 0: by the sum of the weights, where that is not 0"},
    {.name = "offset",
     .type = PARAM_REAL,
     .offset = offsetof(struct convolve_params, offset),
     .min = -65536,
     .max = 65536,
     .initial = "0",
     .unit = "",
     .help = "What is added then: of an image a part of full scale, of an array a number"},
    {.name = "mode",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct convolve_params, mode),
     .initial = "same",
     .choices = "same|valid|full",
     .unit = "",
     .help = "Of an array: keep its length, or only what the mask covers wholly, or all it touches"},
    {.name = "axis",
     .type = PARAM_INT,
     .offset = offsetof(struct convolve_params, axis),
     .min = -SHAPE_MAX_RANK,
     .max = SHAPE_MAX_RANK - 1,
     .initial = "-1",
     .unit = "",
     .help = "Of an array: along which axis, -1 being the last"},
    PARAM_END,
};

int convolve_size(const struct convolve_params *params, size_t *width, size_t *height, struct error *error)
{
    *width = 0;
    *height = params->mask.count;
    for (size_t r = 0; r < *height; r++) {
        const char *text = params->mask.texts[r];
        double weight;
        size_t count = 0;
        int code;
        while ((code = number_next(&text, &weight)) == 1)
            count++;
        if (code < 0)
            return error_set(error, ERROR_USAGE, "mask: '%.40s' is no number", text);
        if (r > 0 && count != *width)
            return error_set(error, ERROR_USAGE, "mask: row %zu has %zu numbers, those before it %zu", r + 1,
                             count, *width);
        *width = count;
    }
    if (*width == 0)
        return error_set(error, ERROR_USAGE, "mask: give its rows, such as \"1 2 1\"");
    if (*width * *height > CONVOLVE_MOST)
        return error_set(error, ERROR_USAGE, "mask: %zu x %zu are too many numbers; at most %u", *width,
                         *height, CONVOLVE_MOST);
    return 0;
}

static int convolve_check(const void *params, struct error *error)
{
    size_t width, height;
    return convolve_size(params, &width, &height, error);
}

/* How an array is convolved: out[j] is made of in[j + first - k] for each k. */
struct geometry {
    struct lines in, out;
    size_t first;
};

static int find_geometry(const struct convolve_params *params, size_t width, const struct shape *in,
                         struct shape *out, struct geometry *geometry, struct error *error)
{
    TRY(lines_along(in, params->axis, &geometry->in, error));
    const unsigned axis = geometry->in.axis;
    const uint64_t length = in->dims[axis];
    *out = *in;
    if (params->mode == CONVOLVE_VALID && length > 0 && length < width)
        return error_set(error, ERROR_UNSUPPORTED,
                         "the mask has %zu numbers and the axis %llu: nothing is wholly covered", width,
                         (unsigned long long)length);
    if (params->mode == CONVOLVE_VALID && length > 0)
        out->dims[axis] = length - width + 1;
    if (params->mode == CONVOLVE_FULL && length > 0 &&
        __builtin_add_overflow(length, width - 1, &out->dims[axis]))
        return error_set(error, ERROR_LIMIT, "the axis would be too long");
    out->sample = (uint8_t)values_real(in->sample);
    out->bits = shape_sample_bits(out->sample);
    if (shape_bytes(out) >= SIZE_MAX / 2)
        return error_set(error, ERROR_LIMIT, "the result would be too large");
    TRY(lines_along(out, axis, &geometry->out, error));
    geometry->first = params->mode == CONVOLVE_SAME   ? (width - 1) / 2
                      : params->mode == CONVOLVE_FULL ? 0
                                                      : width - 1;
    return 0;
}

struct array_room {
    double sums[LINE_BLOCK];
    double values[LINE_BLOCK + CONVOLVE_MOST];
};

static int convolve_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    struct geometry geometry;
    size_t width, height;
    TRY(convolve_size(params, &width, &height, error));
    plan->begin_scratch_bytes =
        scratch_need(1, sizeof(struct convolve_mask) + width * height * sizeof(double));
    if (in->kind == SHAPE_IMAGE) {
        convolve_image_plan(width, height, in, plan);
        return 0;
    }
    if (height != 1)
        return error_set(error, ERROR_UNSUPPORTED, "a mask for arrays has one row; this one has %zu", height);
    plan->rows_scratch_bytes = scratch_need(1, sizeof(struct array_room));
    return find_geometry(params, width, in, &plan->out, &geometry, error);
}

static void convolve_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                 uint32_t *first, uint32_t *last)
{
    size_t width, height;
    (void)out;
    if (convolve_size(params, &width, &height, NULL) == 0 && in->kind == SHAPE_IMAGE) {
        convolve_image_source_rows(height, in, first, last);
        return;
    }
    *first = 0;
    *last = shape_rows(in);
}

static int convolve_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct convolve_params *params = run->params;
    size_t width, height;
    TRY(convolve_size(params, &width, &height, error));
    struct convolve_mask *mask = scratch_alloc(scratch, 1, sizeof *mask + width * height * sizeof(double));
    if (!mask)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    *mask = (struct convolve_mask){.width = width, .height = height, .offset = params->offset};
    double size = 0, *weight = mask->weights;
    for (size_t r = 0; r < height; r++) {
        const char *text = params->mask.texts[r];
        while (number_next(&text, weight) == 1) {
            mask->sum += *weight;
            size += fabs(*weight++);
        }
    }
    if (fabs(mask->sum) <= 1e-12 * size)
        mask->sum = 0;
    mask->scale = params->scale != 0 ? params->scale : mask->sum != 0 ? mask->sum : 1;
    mask->whole = run->in.kind == SHAPE_IMAGE && convolve_is_whole(mask, &run->in);
    run->state = mask;
    return 0;
}

SIMD_CLONES static void add_weighted(double *restrict sums, const double *restrict values, double weight,
                                     size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sums[i] += weight * values[i];
}

SIMD_CLONES static void scale_sums(double *sums, size_t count, double scale, double offset)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sums[i] = sums[i] / scale + offset;
}

/* The part of [at, at + count) that lies within [0, size); `at` may be negative. */
static size_t overlap(ptrdiff_t at, size_t count, size_t size, size_t *skip)
{
    *skip = at < 0 ? (size_t)-at : 0;
    if (*skip >= count)
        return 0;
    const size_t start = at < 0 ? 0 : (size_t)at;
    if (start >= size)
        return 0;
    return count - *skip < size - start ? count - *skip : size - start;
}

/* Samples [at, at + count) of one slab of the input as numbers, zeros beyond its ends. */
static void load_span(const struct stage_run *run, size_t slab, size_t size, ptrdiff_t at, size_t count,
                      double *values)
{
    size_t skip;
    const size_t length = overlap(at, count, size, &skip);
    const size_t start = slab * size + (at < 0 ? 0 : (size_t)at);
    memset(values, 0, count * sizeof *values);
    if (length > 0)
        wide_load_f64(run->in.sample, run->src + start * shape_sample_bytes(run->in.sample), length,
                      values + skip);
}

/* Output samples [at, at + count) of a slab, `count` at most LINE_BLOCK. A slab is all that one number of the
 * outer axes holds: in it, going along the axis is going on by `inner` samples, and beyond the ends of the
 * axis is beyond the ends of the slab. */
static void convolve_span(const struct stage_run *run, const struct geometry *geometry, size_t slab,
                          size_t at, size_t count, struct array_room *room)
{
    const struct convolve_mask *mask = run->state;
    const size_t inner = geometry->in.inner, size = geometry->in.length * inner;
    const size_t reach = (mask->width - 1) * inner; /* from the first sample needed to the last */
    const ptrdiff_t base = (ptrdiff_t)(at + geometry->first * inner);
    const bool together = reach <= CONVOLVE_MOST;
    memset(room->sums, 0, count * sizeof *room->sums);
    if (together)
        load_span(run, slab, size, base - (ptrdiff_t)reach, count + reach, room->values);
    for (size_t k = 0; k < mask->width; k++) {
        if (!together)
            load_span(run, slab, size, base - (ptrdiff_t)(k * inner), count, room->values);
        add_weighted(room->sums, room->values + (together ? reach - k * inner : 0), mask->weights[k], count);
    }
    scale_sums(room->sums, count, mask->scale, mask->offset);
}

static int array_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    const struct convolve_mask *mask = run->state;
    const size_t out_bytes = shape_sample_bytes(run->out.sample);
    struct geometry geometry;
    struct shape out;
    size_t begin, end;
    TRY(find_geometry(run->params, mask->width, &run->in, &out, &geometry, error));
    struct array_room *room = scratch_alloc(scratch, 1, sizeof *room);
    if (!room)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    shape_span(&run->out, first, last, &begin, &end);
    const size_t slab_size = geometry.out.length * geometry.out.inner;
    for (size_t i = begin, count; i < end; i += count) {
        const size_t at = i % slab_size;
        count = slab_size - at < LINE_BLOCK ? slab_size - at : LINE_BLOCK;
        count = count < end - i ? count : end - i;
        convolve_span(run, &geometry, i / slab_size, at, count, room);
        values_store(run->out.sample, room->sums, run->dst + i * out_bytes, count);
    }
    return 0;
}

static int convolve_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                         struct error *error)
{
    if (run->in.kind == SHAPE_IMAGE)
        return convolve_image_rows(run, first, last, scratch, error);
    return array_rows(run, first, last, scratch, error);
}

const struct stage convolve_stage = {
    .name = "convolve",
    .group = "numeric",
    .summary = "Weigh each sample's neighbours by a mask: images in two dimensions, arrays along an axis",
    .params = convolve_table,
    .params_bytes = sizeof(struct convolve_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .windows = true,
    .check = convolve_check,
    .plan = convolve_plan,
    .source_rows = convolve_source_rows,
    .begin = convolve_begin,
    .rows = convolve_rows,
};
