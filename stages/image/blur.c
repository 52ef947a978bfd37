/* SPDX-License-Identifier: MIT */
/* The kernel is the sampled Gaussian exp(-k*k / (2*sigma*sigma)), normalised to sum 1, which is also what
 * scipy.ndimage.gaussian_filter and vips's gaussmat use. */
#include "stages/image/blur.h"

#include <math.h>

#include "stages/fetch.h"
#include "stages/image/floatrow.h"
#include "stages/simd.h"

/* At this many sigma the Gaussian is below 1e-13. */
#define BLUR_REACH 8.0

/* Floats that one sweep of the taps works on: the sums stay in the first-level cache. */
#define BLUR_CHUNK 2048u

static double gaussian(size_t distance, double sigma)
{
    const double k = (double)distance;
    return exp(-k * k / (2 * sigma * sigma));
}

size_t blur_radius_px(double sigma_px, uint8_t sample)
{
    const double levels = sample == SAMPLE_U8 ? 255 : 65535;
    const size_t reach = (size_t)ceil(BLUR_REACH * sigma_px);
    double total = 1;
    for (size_t k = 1; k <= reach; k++)
        total += 2 * gaussian(k, sigma_px);
    /* Two sides, two directions; added from the outside, small ones first. */
    double cut = 0;
    size_t radius = reach;
    while (radius > 0) {
        cut += 4 * gaussian(radius, sigma_px);
        if (cut * levels > 0.5 * total)
            break;
        radius--;
    }
    return radius;
}

static uint32_t ring_rows(size_t radius, uint32_t height)
{
    return 2 * radius + 1 < height ? (uint32_t)(2 * radius + 1) : height;
}

static size_t row_samples(const struct shape *in)
{
    return (size_t)in->width * in->channels;
}

static size_t padded_samples(const struct shape *in, size_t radius)
{
    return (in->width + 2 * radius) * in->channels;
}

/* In 16 bits, not in floats. */
static bool is_whole(const struct shape *in, size_t radius)
{
    return in->sample == SAMPLE_U8 && radius >= BLUR_FIXED_MIN_RADIUS_PX &&
           radius <= BLUR_FIXED_MAX_RADIUS_PX;
}

static size_t rows_scratch_bytes(const struct shape *in, size_t radius)
{
    const bool whole = is_whole(in, radius);
    if (whole && shape_has_alpha(in))
        return blur_alpha_scratch_bytes(in, radius);
    const size_t size = whole ? sizeof(uint16_t) : sizeof(float);
    size_t bytes = scratch_need(ring_rows(radius, in->height) * row_samples(in), size);
    bytes = scratch_add(bytes, scratch_need(padded_samples(in, radius), size));
    bytes = scratch_add(bytes, scratch_need(row_samples(in), size));
    return scratch_add(bytes, scratch_need(2 * radius + 1, sizeof(void *)));
}

void blur_plan(double sigma_px, const struct shape *in, struct stage_plan *plan)
{
    const size_t radius = blur_radius_px(sigma_px, in->sample);
    plan->begin_scratch_bytes = scratch_need(1, sizeof(struct blur_kernel) + (radius + 1) * sizeof(float));
    /* Who turns out to have alpha and fewer channels may need more than without alpha. */
    struct shape fewer = *in;
    for (fewer.channels = 1; fewer.channels <= in->channels; fewer.channels++) {
        const size_t bytes = rows_scratch_bytes(&fewer, radius);
        if (bytes > plan->rows_scratch_bytes)
            plan->rows_scratch_bytes = bytes;
    }
}

void blur_source_rows(double sigma_px, const struct shape *in, uint32_t *first, uint32_t *last)
{
    const size_t radius = blur_radius_px(sigma_px, in->sample);
    *first = *first > radius ? *first - (uint32_t)radius : 0;
    *last = in->height - *last > radius ? *last + (uint32_t)radius : in->height;
}

int blur_begin(double sigma_px, struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const size_t radius = blur_radius_px(sigma_px, run->in.sample);
    struct blur_kernel *kernel =
        scratch_alloc(scratch, 1, sizeof(struct blur_kernel) + (radius + 1) * sizeof(float));
    if (!kernel)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    double total = 1;
    for (size_t k = 1; k <= radius; k++)
        total += 2 * gaussian(k, sigma_px);
    for (size_t k = 0; k <= radius; k++)
        kernel->weights[k] = (float)(gaussian(k, sigma_px) / total);
    kernel->radius_px = radius;
    const bool whole = is_whole(&run->in, radius);
    kernel->alpha = whole && shape_has_alpha(&run->in);
    kernel->fixed = whole && !kernel->alpha;
    if (kernel->fixed)
        blur_fixed_weights(kernel->weights, radius, kernel->fixed_weights);
    if (kernel->alpha)
        blur_sums_weights(kernel->weights, radius, kernel->alpha_weights);
    run->state = kernel;
    return 0;
}

int blur_open(struct blur_walk *walk, const struct stage_run *run, uint32_t first, uint32_t last,
              struct scratch *scratch, struct error *error)
{
    const struct blur_kernel *kernel = run->state;
    const size_t radius = kernel->radius_px;
    walk->run = run;
    walk->kernel = kernel;
    walk->ring_rows = ring_rows(radius, run->in.height);
    walk->first = first;
    walk->last = last;
    walk->loaded = first > radius ? first - (uint32_t)radius : 0;
    if (kernel->alpha)
        return blur_alpha_open(&walk->alpha, &run->in, kernel->alpha_weights, radius, scratch)
                   ? 0
                   : error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    const size_t bytes = kernel->fixed ? sizeof(uint16_t) : sizeof(float);
    walk->row_samples = row_samples(&run->in);
    walk->row_bytes = walk->row_samples * bytes;
    walk->ring = scratch_alloc(scratch, walk->ring_rows * walk->row_samples, bytes);
    walk->padded = scratch_alloc(scratch, padded_samples(&run->in, radius), bytes);
    walk->result = scratch_alloc(scratch, walk->row_samples, bytes);
    walk->taps = scratch_alloc(scratch, 2 * radius + 1, sizeof(void *));
    if (!walk->ring || !walk->padded || !walk->result || !walk->taps)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    return 0;
}

/* sum[i] += the next `pairs` pairs of taps; `pairs` is a constant where this is inlined. */
SIMD_INLINE void add_pairs(float *restrict sum, size_t count, const float *const *taps, const float *weights,
                           size_t offset, size_t pairs)
{
    const float *a[4], *b[4];
    float w[4];
    for (size_t p = 0; p < 4; p++) {
        const size_t used = p < pairs ? p : 0;
        a[p] = taps[2 * used] + offset;
        b[p] = taps[2 * used + 1] + offset;
        w[p] = weights[used];
    }
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        float value = sum[i] + w[0] * (a[0][i] + b[0][i]);
        if (pairs > 1)
            value += w[1] * (a[1][i] + b[1][i]);
        if (pairs > 2)
            value += w[2] * (a[2][i] + b[2][i]);
        if (pairs > 3)
            value += w[3] * (a[3][i] + b[3][i]);
        sum[i] = value;
    }
}

/* sum = weights[0] x taps[0] + weights[k] x (taps[2k - 1] + taps[2k]) for each k to `radius`. The order of
 * additions is fixed, whatever the chunk. */
SIMD_CLONES static void weigh(float *restrict sum, const float *const *taps, const float *weights,
                              size_t radius, size_t count)
{
    for (size_t start = 0; start < count; start += BLUR_CHUNK) {
        const size_t length = count - start < BLUR_CHUNK ? count - start : BLUR_CHUNK;
        float *restrict part = sum + start;
        const float *restrict centre = taps[0] + start;
        const float weight = weights[0];
#pragma omp simd
        for (size_t i = 0; i < length; i++)
            part[i] = weight * centre[i];
        size_t k = 1;
        for (; k + 3 <= radius; k += 4)
            add_pairs(part, length, taps + 2 * k - 1, weights + k, start, 4);
        const size_t left = radius + 1 - k;
        if (left == 3)
            add_pairs(part, length, taps + 2 * k - 1, weights + k, start, 3);
        else if (left == 2)
            add_pairs(part, length, taps + 2 * k - 1, weights + k, start, 2);
        else if (left == 1)
            add_pairs(part, length, taps + 2 * k - 1, weights + k, start, 1);
    }
}

static uint8_t *ring_row(const struct blur_walk *walk, uint32_t y)
{
    return walk->ring + (y % walk->ring_rows) * walk->row_bytes;
}

/* What the taps point at, weighed. */
static void weigh_taps(const struct blur_walk *walk, uint8_t *to)
{
    const struct blur_kernel *kernel = walk->kernel;
    const void *taps = walk->taps;
    void *sum = to;
    if (kernel->fixed)
        blur_fixed_weigh(sum, taps, kernel->fixed_weights, kernel->radius_px, walk->row_samples);
    else
        weigh(sum, taps, kernel->weights, kernel->radius_px, walk->row_samples);
}

static void load_row(struct blur_walk *walk, uint32_t y, const uint8_t *src)
{
    const struct shape *in = &walk->run->in;
    const size_t radius = walk->kernel->radius_px, pixel = walk->row_bytes / in->width;
    const uint8_t *row = walk->padded + radius * pixel;
    void *padded = walk->padded;
    if (walk->kernel->fixed)
        blur_fixed_load(in, src, padded, radius);
    else
        floatrow_load(in, src, padded, radius);
    walk->taps[0] = row;
    for (size_t k = 1; k <= radius; k++) {
        walk->taps[2 * k - 1] = row - k * pixel;
        walk->taps[2 * k] = row + k * pixel;
    }
    weigh_taps(walk, ring_row(walk, y));
}

/* All source rows that row `y` is made of. */
static void load_rows(struct blur_walk *walk, uint32_t y)
{
    const struct shape *in = &walk->run->in;
    const uint32_t bottom = in->height - 1, radius = (uint32_t)walk->kernel->radius_px;
    const uint32_t needed = bottom - y > radius ? y + radius : bottom;
    for (; walk->loaded <= needed; walk->loaded++) {
        const uint8_t *src = stage_src_row(walk->run, walk->loaded);
        if (walk->loaded < bottom)
            fetch(src + shape_row_bytes(in), shape_row_bytes(in));
        if (walk->kernel->alpha)
            blur_alpha_load(&walk->alpha, src, walk->loaded);
        else
            load_row(walk, walk->loaded, src);
    }
}

/* Sums of alpha are made of two rows at a time, where both are asked for. */
static void sum_alpha(struct blur_walk *walk, uint32_t y)
{
    if ((y - walk->first) % 2 != 0)
        return;
    load_rows(walk, y + 1 < walk->last ? y + 1 : y);
    blur_alpha_sum(&walk->alpha, y);
}

void *blur_row(struct blur_walk *walk, uint32_t y)
{
    if (walk->kernel->alpha) {
        sum_alpha(walk, y);
        return blur_alpha_row(&walk->alpha, y);
    }
    const uint32_t bottom = walk->run->in.height - 1;
    const size_t radius = walk->kernel->radius_px;
    load_rows(walk, y);
    walk->taps[0] = ring_row(walk, y);
    for (uint32_t k = 1; k <= radius; k++) {
        walk->taps[2 * k - 1] = ring_row(walk, y > k ? y - k : 0);
        walk->taps[2 * k] = ring_row(walk, bottom - y > k ? y + k : bottom);
    }
    weigh_taps(walk, walk->result);
    void *result = walk->result;
    floatrow_straighten(&walk->run->in, result);
    return result;
}

void blur_store(struct blur_walk *walk, uint32_t y, uint8_t *dst)
{
    if (walk->kernel->alpha) {
        sum_alpha(walk, y);
        blur_alpha_store(&walk->alpha, y, dst);
        return;
    }
    const void *row = blur_row(walk, y);
    if (walk->kernel->fixed)
        blur_fixed_store(row, dst, walk->row_samples);
    else
        floatrow_store(&walk->run->out, row, dst);
}
