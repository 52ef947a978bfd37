/* SPDX-License-Identifier: MIT */
/* Scales an image with a choice of kernels.
 *
 * Rows are made in blocks. The source rows of a block are read once, a strip of columns at a time; each strip
 * is turned to floats in the first-level cache and added, weighted, to the sums of those output rows that it
 * is part of. When the block's sums are complete, each is reduced sideways to the width that comes out.
 *
 * Downwards first, because that pass sees every source sample: it runs along whole rows, where all channels
 * are alike to a vector unit, and the costlier sideways pass is left with the few rows that come out. No
 * output row depends on another, so cutting into ranges costs nothing and changes nothing. */
#include <string.h>

#include "stages/fetch.h"
#include "stages/image/pixels.h"
#include "stages/image/resize.h"
#include "stages/image/resize_fixed.h"
#include "stages/stage.h"

/* A strip of this many samples and its share of the sums stay in a first-level cache of 32 KiB. */
#define STRIP_SAMPLES 768u

/* Output rows in a block: the more, the fewer source rows are turned to floats twice; the memory for their
 * sums is what limits them in wide images. */
#define BLOCK_ROWS_MIN 4u
#define BLOCK_ROWS_MAX 16u
#define BLOCK_SAMPLES  (1u << 19)

static const struct param resize_table[] = {
    {.name = "width",
     .type = PARAM_INT,
     .offset = offsetof(struct resize_params, width),
     .min = 0,
     .max = 1000000,
     .initial = "0",
     .unit = "px",
     .help = "Width of the result or of the box it fits; 0: as height and the image's ratio give it"},
    {.name = "height",
     .type = PARAM_INT,
     .offset = offsetof(struct resize_params, height),
     .min = 0,
     .max = 1000000,
     .initial = "0",
     .unit = "px",
     .help = "Height of the result or of the box it fits; 0: as width and the image's ratio give it"},
    {.name = "scale",
     .type = PARAM_REAL,
     .offset = offsetof(struct resize_params, scale),
     .min = 0,
     .max = 1000,
     .initial = "0",
     .unit = "",
     .help = "Factor for both directions, instead of width and height"},
    {.name = "fit",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct resize_params, fit),
     .initial = "inside",
     .choices = "inside|cover|fill",
     .unit = "",
     .help = "inside: keep the ratio, fit in the box; cover: keep the ratio, fill the box, cut off what "
             "sticks out evenly; fill: exactly this size"},
    {.name = "kernel",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct resize_params, kernel),
     .initial = "lanczos3",
     .choices = RESAMPLE_KERNELS,
     .unit = "",
     .help = "How pixels are weighed; nearest copies, box takes the mean of the area, cubic is Catmull-Rom"},
    {.name = "linear",
     .type = PARAM_BOOL,
     .offset = offsetof(struct resize_params, linear),
     .initial = "false",
     .unit = "",
     .help = "Work in linear light, taking the samples as sRGB"},
    {.name = "upscale",
     .type = PARAM_BOOL,
     .offset = offsetof(struct resize_params, upscale),
     .initial = "true",
     .unit = "",
     .help =
         "Enlarge images that are smaller than asked for; false leaves them as they are, and of cover and "
         "fill only what cuts or reduces"},
    PARAM_END,
};

static int resize_check(const void *values, struct error *error)
{
    const struct resize_params *params = values;
    const bool sized = params->width > 0 || params->height > 0;
    if (params->scale > 0 && sized)
        return error_set(error, ERROR_USAGE, "give either scale or width and height, not both");
    if (!sized && params->scale == 0)
        return error_set(error, ERROR_USAGE, "give width, height or both, or scale");
    if (params->fit != RESIZE_FIT_INSIDE && (params->width == 0 || params->height == 0))
        return error_set(error, ERROR_USAGE, "fit: %s needs both width and height",
                         params->fit == RESIZE_FIT_COVER ? "cover" : "fill");
    return 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Sizes of the sums of a block. The number of rows does not depend on the channels, so that an image with
 * fewer of them never needs more. */
struct block {
    uint32_t first, last; /* source columns */
    uint32_t rows;
    size_t row_samples, step; /* `step` includes padding */
};

static struct block block_of(const struct resize_geometry *geometry, unsigned channels)
{
    struct block block;
    resize_columns(geometry, &block.first, &block.last);
    const size_t columns = block.last - block.first;
    size_t rows = BLOCK_SAMPLES / (columns * SHAPE_MAX_CHANNELS);
    rows = rows < BLOCK_ROWS_MIN ? BLOCK_ROWS_MIN : rows > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : rows;
    block.rows = (uint32_t)smaller(rows, geometry->y.out);
    block.row_samples = columns * channels;
    block.step = scratch_need(block.row_samples + RESAMPLE_PAD, sizeof(float)) / sizeof(float);
    return block;
}

struct state {
    struct resize_geometry geometry;
    struct block block;
    struct resample_table x, y;
    struct resample_format format;
    const struct resample_ops *ops;
    struct resize_fixed fixed;
};

static bool in_fixed_point(const struct resize_geometry *geometry, uint8_t sample, bool linear)
{
    return sample == SAMPLE_U8 && !linear && resize_fixed_serves(geometry);
}

static int resize_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    struct resize_geometry geometry;
    TRY(resize_geometry(params, in, &geometry, error));
    plan->out.width = geometry.x.out;
    plan->out.height = geometry.y.out;
    plan->out.full_width = plan->out.full_height = 0;
    plan->in_place = geometry.same;
    if (geometry.kernel == RESAMPLE_NEAREST)
        plan->out.bits = in->bits;
    const bool linear = ((const struct resize_params *)params)->linear;
    size_t bytes = scratch_need(1, sizeof(struct state));
    bytes = scratch_add(bytes, resample_table_need(&geometry.x, geometry.kernel));
    bytes = scratch_add(bytes, resample_table_need(&geometry.y, geometry.kernel));
    if (in_fixed_point(&geometry, in->sample, linear)) {
        bytes = scratch_add(bytes, resize_fixed_need(&geometry));
        plan->rows_scratch_bytes = resize_fixed_rows_need(&geometry, in->channels);
    } else if (geometry.kernel != RESAMPLE_NEAREST) {
        const struct block block = block_of(&geometry, in->channels);
        bytes = scratch_add(bytes, resample_decode_need(in->sample, linear));
        plan->rows_scratch_bytes = scratch_add(
            scratch_need(block.rows * block.step, sizeof(float)),
            scratch_add(scratch_need(RESAMPLE_ROWS * STRIP_SAMPLES, sizeof(float)),
                        scratch_need((size_t)geometry.x.out * in->channels + RESAMPLE_PAD, sizeof(float))));
    }
    plan->begin_scratch_bytes = bytes;
    return 0;
}

static void resize_source_rows(const void *params, const struct shape *in, const struct shape *out,
                               uint32_t *first, uint32_t *last)
{
    (void)out;
    struct resize_geometry geometry;
    uint32_t unused, top, bottom;
    if (resize_geometry(params, in, &geometry, NULL) < 0)
        return;
    resample_window(&geometry.y, geometry.kernel, *first, &top, &unused);
    resample_window(&geometry.y, geometry.kernel, *last - 1, &unused, &bottom);
    *first = top;
    *last = bottom;
}

/* A square's two axes are often the same; on an icon a table takes as long as the resampling. */
static bool make_tables(struct state *state, struct scratch *scratch)
{
    const struct resize_geometry *geometry = &state->geometry;
    const struct resample_axis *x = &geometry->x, *y = &geometry->y;
    if (!resample_table_make(&state->x, x, geometry->kernel, scratch))
        return false;
    state->y = state->x;
    const bool same = x->in == y->in && x->out == y->out && x->origin == y->origin && x->step == y->step &&
                      x->den == y->den;
    return same || resample_table_make(&state->y, y, geometry->kernel, scratch);
}

static int resize_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct resize_params *params = run->params;
    struct state *state = scratch_alloc(scratch, 1, sizeof *state);
    if (!state)
        return error_set(error, ERROR_MEMORY, "scratch is smaller than planned");
    TRY(resize_geometry(params, &run->in, &state->geometry, error));
    const struct resize_geometry *geometry = &state->geometry;
    state->format = (struct resample_format){
        .channels = run->in.channels, .sample = run->in.sample, .linear = params->linear};
    bool fits = make_tables(state, scratch);
    if (fits && in_fixed_point(geometry, run->in.sample, params->linear)) {
        fits = resize_fixed_make(&state->fixed, geometry, run->in.channels, &state->x, &state->y, scratch);
    } else if (fits && geometry->kernel != RESAMPLE_NEAREST) {
        state->block = block_of(geometry, run->in.channels);
        state->ops = resample_ops_best();
        fits = resample_decode_make(&state->format, scratch);
    }
    if (!fits)
        return error_set(error, ERROR_MEMORY, "scratch is smaller than planned");
    run->state = state;
    return 0;
}

static void copy_rows(const struct stage_run *run, const struct state *state, uint32_t first, uint32_t last)
{
    const size_t out_row = shape_row_bytes(&run->out);
    const size_t pixel_bytes = shape_pixel_bytes(&run->in);
    for (uint32_t y = first; y < last; y++) {
        const uint8_t *src = stage_src_row(run, state->y.first[y]);
        uint8_t *dst = stage_dst_row(run, y);
        if (!resample_axis_unscaled(&state->geometry.x))
            pixels_pick(src, state->x.first, dst, run->out.width, pixel_bytes);
        else if (src != dst)
            memcpy(dst, src + state->x.first[0] * pixel_bytes, out_row);
    }
}

/* Adds source rows [from, from + count), whose strips lie in `strips` one STRIP_SAMPLES after the other, to
 * output row y's sum. */
static void add_rows(const struct state *state, uint32_t y, uint32_t from, uint32_t count,
                     const float *strips, float *sum, size_t samples)
{
    const struct resample_table *table = &state->y;
    const uint32_t top = table->first[y], bottom = top + table->count[y];
    const float *weights = table->weights + (size_t)y * table->stride;
    if (from >= bottom || from + count <= top)
        return;
    if (from >= top && from + RESAMPLE_ROWS <= bottom && count == RESAMPLE_ROWS) {
        state->ops->add(sum, strips, STRIP_SAMPLES, weights + (from - top), samples);
        return;
    }
    for (uint32_t k = 0; k < count; k++) {
        if (from + k >= top && from + k < bottom)
            state->ops->add_one(sum, strips + k * STRIP_SAMPLES, weights[from + k - top], samples);
    }
}

/* The strips of the next rows, while these are added. */
static void fetch_strips(const struct stage_run *run, uint32_t row, uint32_t bottom, size_t offset_bytes,
                         size_t strip_bytes)
{
    for (uint32_t k = 0; k < RESAMPLE_ROWS && row + k < bottom; k++)
        fetch(stage_src_row(run, row + k) + offset_bytes, strip_bytes);
}

/* The sums of output rows [first, last), at most a block of them. */
static void add_block(const struct stage_run *run, uint32_t first, uint32_t last, float *sums, float *strips)
{
    const struct state *state = run->state;
    const struct block *block = &state->block;
    const unsigned channels = run->in.channels;
    const uint32_t strip_px = STRIP_SAMPLES / channels;
    /* Windows are not in order: where phases meet they shrink to one row. */
    uint32_t top = UINT32_MAX, bottom = 0;
    for (uint32_t y = first; y < last; y++) {
        const uint32_t end = state->y.first[y] + state->y.count[y];
        top = state->y.first[y] < top ? state->y.first[y] : top;
        bottom = end > bottom ? end : bottom;
    }
    const size_t pixel_bytes = shape_pixel_bytes(&run->in);
    memset(sums, 0, (last - first) * block->step * sizeof *sums);
    for (uint32_t x = block->first; x < block->last; x += strip_px) {
        const uint32_t pixels = (uint32_t)smaller(strip_px, block->last - x);
        float *sum = sums + (size_t)(x - block->first) * channels;
        for (uint32_t row = top; row < bottom; row += RESAMPLE_ROWS) {
            const uint32_t count = (uint32_t)smaller(RESAMPLE_ROWS, bottom - row);
            for (uint32_t k = 0; k < count; k++)
                state->ops->load(&state->format, stage_src_row(run, row + k) + x * pixel_bytes,
                                 strips + k * STRIP_SAMPLES, pixels);
            fetch_strips(run, row + RESAMPLE_ROWS, bottom, x * pixel_bytes, pixels * pixel_bytes);
            for (uint32_t y = first; y < last; y++)
                add_rows(state, y, row, count, strips, sum + (y - first) * block->step,
                         (size_t)pixels * channels);
        }
    }
}

static int resize_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    const struct state *state = run->state;
    if (state->geometry.kernel == RESAMPLE_NEAREST) {
        copy_rows(run, state, first, last);
        return 0;
    }
    if (in_fixed_point(&state->geometry, run->in.sample, state->format.linear)) {
        if (!resize_fixed_rows(&state->fixed, run, first, last, scratch))
            return error_set(error, ERROR_MEMORY, "scratch is smaller than planned");
        return 0;
    }
    const struct block *block = &state->block;
    const unsigned channels = run->in.channels;
    float *sums = scratch_alloc(scratch, block->rows * block->step, sizeof *sums);
    float *strips = scratch_alloc(scratch, RESAMPLE_ROWS * STRIP_SAMPLES, sizeof *strips);
    float *out = scratch_alloc(scratch, (size_t)run->out.width * channels + RESAMPLE_PAD, sizeof *out);
    if (!sums || !strips || !out)
        return error_set(error, ERROR_MEMORY, "scratch is smaller than planned");
    for (uint32_t y = first; y < last; y += block->rows) {
        const uint32_t end = (uint32_t)smaller(last, (uint64_t)y + block->rows);
        add_block(run, y, end, sums, strips);
        for (uint32_t row = y; row < end; row++) {
            state->ops->dot(&state->x, run->out.width, block->first, channels, sums + (row - y) * block->step,
                            out);
            state->ops->store(&state->format, out, stage_dst_row(run, row), run->out.width);
        }
    }
    return 0;
}

const struct stage resize_stage = {
    .name = "resize",
    .group = "image",
    .summary = "Scale to a size, into a box, over a box, or by a factor",
    .params = resize_table,
    .params_bytes = sizeof(struct resize_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = resize_check,
    .plan = resize_plan,
    .shrink = resize_shrink,
    .source_rows = resize_source_rows,
    .begin = resize_begin,
    .rows = resize_rows,
};
