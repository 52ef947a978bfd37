/* SPDX-License-Identifier: MIT */
/* Pillow's resampling of 8 bit samples: rows first, then columns, both rounded to bytes; weights in fixed
 * point of 22 bits, from a Lanczos window of three lobes as wide as the scale asks for. */
#include "stages/image/thumbnail.h"

#include <math.h>

#include "stages/error.h"
#include "stages/image/luma.h"

#define WEIGHT_BITS 22
#define LOBES       3.0
#define PI          3.14159265358979323846

/* The samples that one output sample is made of. */
struct window {
    uint32_t first, count;
    const int32_t *weights;
};

static double scale_of(uint32_t in, uint32_t out)
{
    return (double)in / out;
}

/* How many samples a window has at most. */
static size_t window_most(uint32_t in, uint32_t out)
{
    const double scale = scale_of(in, out);
    return 2 * (size_t)ceil(LOBES * (scale > 1 ? scale : 1)) + 1;
}

static size_t windows_need(uint32_t in, uint32_t out)
{
    return scratch_add(scratch_need(out, sizeof(struct window)),
                       scratch_add(scratch_need(out * window_most(in, out), sizeof(int32_t)),
                                   scratch_need(window_most(in, out), sizeof(double))));
}

static double sinc(double x)
{
    return x == 0 ? 1 : sin(PI * x) / (PI * x);
}

static double lanczos(double x)
{
    return x >= -LOBES && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

/* The windows of an axis, in scratch; NULL where that is too small. */
static const struct window *make_windows(uint32_t in, uint32_t out, struct scratch *scratch)
{
    const double scale = scale_of(in, out), wide = scale > 1 ? scale : 1, support = LOBES * wide;
    const size_t most = window_most(in, out);
    struct window *windows = scratch_alloc(scratch, out, sizeof *windows);
    int32_t *weights = scratch_alloc(scratch, out * most, sizeof *weights);
    double *parts = scratch_alloc(scratch, most, sizeof *parts);
    if (!windows || !weights || !parts)
        return NULL;
    for (uint32_t i = 0; i < out; i++, weights += most) {
        const double centre = (i + 0.5) * scale, from = centre - support + 0.5, to = centre + support + 0.5;
        const uint32_t first = from > 0 ? (uint32_t)from : 0, last = to < in ? (uint32_t)to : in;
        double sum = 0;
        for (uint32_t j = 0; j < last - first; j++) {
            parts[j] = lanczos((j + (double)first - centre + 0.5) * (1 / wide));
            sum += parts[j];
        }
        for (uint32_t j = 0; j < last - first; j++)
            weights[j] = (int32_t)round(parts[j] / sum * (1 << WEIGHT_BITS));
        windows[i] = (struct window){first, last - first, weights};
    }
    return windows;
}

/* The weighted sum of samples that are `step` bytes apart. */
static uint8_t weigh(const struct window *window, const uint8_t *samples, size_t step)
{
    int32_t sum = 1 << (WEIGHT_BITS - 1);
    samples += window->first * step;
    for (uint32_t j = 0; j < window->count; j++)
        sum += samples[j * step] * window->weights[j];
    sum = sum < 0 ? 0 : sum >> WEIGHT_BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

/* `count` grey samples of any type to bytes. */
static void narrow(uint8_t sample, const void *samples, uint8_t *grey, size_t count)
{
    const uint8_t *u8 = samples;
    const uint16_t *u16 = samples;
    const float *f32 = samples;
    for (size_t x = 0; x < count; x++) {
        if (sample == SAMPLE_U8)
            grey[x] = u8[x];
        else if (sample == SAMPLE_U16)
            grey[x] = (uint8_t)((u16[x] + 128u) / 257u);
        else
            grey[x] = (uint8_t)(f32[x] > 0 ? f32[x] < 1 ? f32[x] * 255.0f + 0.5f : 255.0f : 0.0f);
    }
}

size_t thumbnail_need(const struct shape *in, uint32_t width, uint32_t height)
{
    size_t need = scratch_add(windows_need(in->width, width), windows_need(in->height, height));
    need = scratch_add(need, scratch_need(in->width, shape_sample_bytes(in->sample)));
    need = scratch_add(need, scratch_need(in->width, 1));
    return scratch_add(need, scratch_need(in->height, width));
}

int thumbnail_make(const struct shape *in, const uint8_t *src, uint32_t width, uint32_t height, uint8_t *grey,
                   struct scratch *scratch)
{
    const struct window *columns = make_windows(in->width, width, scratch);
    const struct window *rows = make_windows(in->height, height, scratch);
    uint8_t *luma = scratch_alloc(scratch, in->width, shape_sample_bytes(in->sample));
    uint8_t *row = scratch_alloc(scratch, in->width, 1);
    uint8_t *narrowed = scratch_alloc(scratch, in->height, width);
    if (!columns || !rows || !luma || !row || !narrowed)
        return ERROR_INTERNAL;
    for (uint32_t y = 0; y < in->height; y++) {
        luma_row(in, LUMA_REC601, src + y * shape_row_bytes(in), luma, 1);
        narrow(in->sample, luma, row, in->width);
        for (uint32_t x = 0; x < width; x++)
            narrowed[(size_t)y * width + x] = in->width == width ? row[x] : weigh(columns + x, row, 1);
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++)
            grey[y * width + x] =
                in->height == height ? narrowed[(size_t)y * width + x] : weigh(rows + y, narrowed + x, width);
    }
    return 0;
}
