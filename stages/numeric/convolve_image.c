/* SPDX-License-Identifier: MIT */
/* Rows are kept in a ring as high as the mask: as floats, or in whole numbers where that is the same. Sums
 * are made in the order of the weights, row by row; weights of 0 are left out. Integers below 2^24, as most
 * masks make of 8 bit, come out exact. */
#include "stages/fetch.h"
#include "stages/image/floatrow.h"
#include "stages/numeric/convolve.h"
#include "stages/numeric/convolve_whole.h"
#include "stages/simd.h"

/* Floats that one sweep of the weights works on: the sums stay in the first-level cache. */
#define CHUNK 2048u

struct walk {
    const struct stage_run *run;
    const struct convolve_mask *mask;
    uint32_t loaded; /* source rows below this number are or were in the ring */
    size_t row_samples, padded_bytes, sample_bytes;
    uint8_t *ring;     /* of floats, or of int16_t */
    float *result;     /* or sums of whole numbers */
    const void **taps; /* where each weight that is not 0 finds its first sample */
    float *weights;
    int16_t *whole_weights, *parts;
};

static size_t padded_samples(size_t width, const struct shape *in)
{
    return (in->width + width / 2 * 2) * in->channels;
}

static size_t chunk_of(size_t row_samples)
{
    return row_samples < CONVOLVE_WHOLE_CHUNK ? row_samples : CONVOLVE_WHOLE_CHUNK;
}

/* Whether in whole numbers or not: the same image with alpha and fewer channels must not need more. */
void convolve_image_plan(size_t width, size_t height, const struct shape *in, struct stage_plan *plan)
{
    const size_t row = (size_t)in->width * in->channels;
    size_t rows = scratch_need(height * padded_samples(width, in), sizeof(float));
    rows = scratch_add(rows, scratch_need(row, sizeof(float)));
    rows = scratch_add(rows, scratch_need(chunk_of(row), sizeof(int16_t)));
    rows = scratch_add(rows, scratch_need(width * height, sizeof(void *)));
    rows = scratch_add(rows, scratch_need(width * height, sizeof(int16_t)));
    plan->rows_scratch_bytes = scratch_add(rows, scratch_need(width * height, sizeof(float)));
}

void convolve_image_source_rows(size_t height, const struct shape *in, uint32_t *first, uint32_t *last)
{
    const size_t above = height / 2, below = height - 1 - above;
    *first = *first > above ? *first - (uint32_t)above : 0;
    *last = in->height - *last > below ? *last + (uint32_t)below : in->height;
}

static int open_walk(struct walk *walk, const struct stage_run *run, uint32_t first, struct scratch *scratch,
                     struct error *error)
{
    const struct convolve_mask *mask = run->state;
    const size_t above = mask->height / 2, weights = mask->width * mask->height;
    *walk = (struct walk){.run = run, .mask = mask};
    walk->loaded = first > above ? first - (uint32_t)above : 0;
    walk->row_samples = (size_t)run->in.width * run->in.channels;
    walk->sample_bytes = mask->whole ? sizeof(int16_t) : sizeof(float);
    walk->padded_bytes = padded_samples(mask->width, &run->in) * walk->sample_bytes;
    walk->ring = scratch_alloc(scratch, mask->height, walk->padded_bytes);
    walk->result = scratch_alloc(scratch, walk->row_samples, sizeof(float));
    walk->parts = scratch_alloc(scratch, chunk_of(walk->row_samples), sizeof(int16_t));
    walk->taps = scratch_alloc(scratch, weights, sizeof(void *));
    walk->whole_weights = scratch_alloc(scratch, weights, sizeof(int16_t));
    walk->weights = scratch_alloc(scratch, weights, sizeof(float));
    if (!walk->ring || !walk->result || !walk->parts || !walk->taps || !walk->whole_weights || !walk->weights)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    return 0;
}

/* sum += the next `taps` weights, one after the other; `taps` is a constant where this is inlined. */
SIMD_INLINE void add_taps(float *restrict sum, size_t count, const float *const *taps, const float *weights,
                          size_t offset, size_t number)
{
    const float *at[4];
    float w[4];
    for (size_t t = 0; t < 4; t++) {
        at[t] = taps[t < number ? t : 0] + offset;
        w[t] = weights[t < number ? t : 0];
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        float value = sum[i] + w[0] * at[0][i];
        if (number > 1)
            value += w[1] * at[1][i];
        if (number > 2)
            value += w[2] * at[2][i];
        if (number > 3)
            value += w[3] * at[3][i];
        sum[i] = value;
    }
}

SIMD_CLONES static void weigh_mask(float *restrict sum, size_t count, const float *const *taps,
                                   const float *weights, size_t number)
{
    for (size_t start = 0; start < count; start += CHUNK) {
        const size_t length = count - start < CHUNK ? count - start : CHUNK;
        float *restrict part = sum + start;
#pragma omp simd
        for (size_t i = 0; i < length; i++)
            part[i] = 0;
        size_t t = 0;
        for (; t + 4 <= number; t += 4)
            add_taps(part, length, taps + t, weights + t, start, 4);
        if (number - t == 3)
            add_taps(part, length, taps + t, weights + t, start, 3);
        else if (number - t == 2)
            add_taps(part, length, taps + t, weights + t, start, 2);
        else if (number - t == 1)
            add_taps(part, length, taps + t, weights + t, start, 1);
    }
}

SIMD_CLONES static void scale_row(float *row, size_t count, float scale, float offset)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        row[i] = row[i] / scale + offset;
}

/* The same of colours and alpha apart. */
static void scale_pixels(float *row, size_t count, size_t channels, float scale, float alpha_scale)
{
    for (size_t i = 0; i < count; i += channels) {
        for (size_t c = 0; c + 1 < channels; c++)
            row[i + c] /= scale;
        row[i + channels - 1] /= alpha_scale;
    }
}

static void add_to_colours(float *row, size_t count, size_t channels, float offset)
{
    for (size_t i = 0; i < count; i += channels) {
        for (size_t c = 0; c + 1 < channels; c++)
            row[i + c] += offset;
    }
}

static void load_row(const struct walk *walk, uint32_t y)
{
    const struct shape *in = &walk->run->in;
    const uint8_t *src = stage_src_row(walk->run, y);
    const size_t margin_px = walk->mask->width / 2;
    void *row = walk->ring + y % walk->mask->height * walk->padded_bytes;
    if (walk->mask->whole)
        convolve_whole_load(in, src, row, margin_px);
    else
        floatrow_load(in, src, row, margin_px);
    if (y + 1 < in->height)
        fetch(src + shape_row_bytes(in), shape_row_bytes(in));
}

/* Points `taps` at what output row `y` is made of; how many weights there are. */
static size_t aim(struct walk *walk, uint32_t y)
{
    const struct convolve_mask *mask = walk->mask;
    const size_t above = mask->height / 2, bottom = walk->run->in.height - 1;
    size_t number = 0;
    const size_t below = mask->height - 1 - above, needed = bottom - y > below ? y + below : bottom;
    for (; walk->loaded <= needed; walk->loaded++)
        load_row(walk, walk->loaded);
    for (size_t r = 0; r < mask->height; r++) {
        size_t row = y + r > above ? y + r - above : 0;
        row = row < bottom ? row : bottom;
        const uint8_t *samples = walk->ring + row % mask->height * walk->padded_bytes;
        for (size_t c = 0; c < mask->width; c++) {
            const double weight = mask->weights[r * mask->width + c];
            if (weight == 0)
                continue;
            walk->taps[number] = samples + c * walk->run->in.channels * walk->sample_bytes;
            walk->whole_weights[number] = mask->whole ? (int16_t)weight : 0;
            walk->weights[number++] = (float)weight;
        }
    }
    return number;
}

static void keep_alpha(const struct shape *shape, const uint8_t *src, float *row)
{
    const size_t channels = shape->channels, bytes = shape_sample_bytes(shape->sample);
    for (size_t x = 0; x < shape->width; x++) {
        const size_t at = (x + 1) * channels - 1;
        floatrow_convert(shape->sample, src + at * bytes, row + at, 1);
    }
}

int convolve_image_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error)
{
    const struct shape *in = &run->in;
    const size_t channels = in->channels;
    struct walk walk;
    TRY(open_walk(&walk, run, first, scratch, error));
    const struct convolve_mask *mask = walk.mask;
    const float offset = (float)(mask->offset * (double)floatrow_full(in->sample));
    for (uint32_t y = first; y < last; y++) {
        const size_t number = aim(&walk, y);
        const void *taps = walk.taps;
        if (mask->whole) {
            void *sums = walk.result;
            convolve_whole_row(taps, walk.whole_weights, number, (float)mask->scale, offset, walk.parts, sums,
                               stage_dst_row(run, y), walk.row_samples);
            continue;
        }
        weigh_mask(walk.result, walk.row_samples, taps, walk.weights, number);
        if (!shape_has_alpha(in)) {
            scale_row(walk.result, walk.row_samples, (float)mask->scale, offset);
        } else {
            scale_pixels(walk.result, walk.row_samples, channels, (float)mask->scale,
                         mask->sum == 0 ? 1 : (float)mask->sum);
            if (mask->sum == 0)
                keep_alpha(in, stage_src_row(run, y), walk.result);
            else
                floatrow_straighten(in, walk.result);
            add_to_colours(walk.result, walk.row_samples, channels, offset);
        }
        floatrow_store(in, walk.result, stage_dst_row(run, y));
    }
    return 0;
}
