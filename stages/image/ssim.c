/* SPDX-License-Identifier: MIT */
/* Each row of a channel becomes five: both images, their squares and their product. Filtered across, they
 * wait in a ring until as many rows are there as the window is high. */
#include "stages/image/ssim.h"

#include <math.h>

#include "stages/error.h"
#include "stages/image/floatrow.h"
#include "stages/simd.h"

#define RADIUS 5u
#define TAPS   (2 * RADIUS + 1)

enum { ONE, OTHER, ONE_ONE, OTHER_OTHER, ONE_OTHER, MOMENTS };

/* exp(-x^2 / (2 x 1.5^2)) for x = 0 to 5, divided by the sum of all 11. */
static const double weights[RADIUS + 1] = {0.26601172486179431,  0.21300553771125366,   0.1093606895097,
                                           0.036000772128430822, 0.0075987581352391842, 0.001028380084479109};

/* What is worked in: doubles of a row, and of a row without the margins. */
struct room {
    size_t width, inner;
    double *one, *other, *product; /* width */
    double *ring;                  /* TAPS x MOMENTS x inner */
    double *filtered;              /* MOMENTS x inner */
};

size_t ssim_need(const struct shape *shape)
{
    const size_t width = shape->width;
    if (shape->width < TAPS || shape->height < TAPS)
        return 0;
    return scratch_add(
        scratch_add(scratch_need(3 * width, sizeof(double)),
                    scratch_need(shape_pixel_bytes(shape) / shape_sample_bytes(shape->sample) * width,
                                 sizeof(float))),
        scratch_need((TAPS + 1) * MOMENTS * (width - 2 * RADIUS), sizeof(double)));
}

/* dst[x] = the weighted sum of tap[0][x], tap[1][x], ... */
SIMD_CLONES static void filter(const double *const tap[TAPS], double *restrict dst, size_t count)
{
    const double *middle = tap[RADIUS];
    const double *l1 = tap[RADIUS - 1], *l2 = tap[RADIUS - 2], *l3 = tap[RADIUS - 3], *l4 = tap[RADIUS - 4],
                 *l5 = tap[RADIUS - 5];
    const double *r1 = tap[RADIUS + 1], *r2 = tap[RADIUS + 2], *r3 = tap[RADIUS + 3], *r4 = tap[RADIUS + 4],
                 *r5 = tap[RADIUS + 5];
#pragma omp simd
    for (size_t x = 0; x < count; x++) {
        double sum = middle[x] * weights[0];
        sum += (l1[x] + r1[x]) * weights[1];
        sum += (l2[x] + r2[x]) * weights[2];
        sum += (l3[x] + r3[x]) * weights[3];
        sum += (l4[x] + r4[x]) * weights[4];
        sum += (l5[x] + r5[x]) * weights[5];
        dst[x] = sum;
    }
}

static double *ring_row(const struct room *room, uint32_t y, unsigned moment)
{
    return room->ring + (y % TAPS * MOMENTS + moment) * room->inner;
}

static void filter_across(const struct room *room, const double *src, double *dst)
{
    const double *tap[TAPS];
    for (unsigned k = 0; k < TAPS; k++)
        tap[k] = src + k;
    filter(tap, dst, room->inner);
}

/* Takes up row y, whose samples are in room->one and room->other. */
static void take_row(const struct room *room, uint32_t y)
{
    const double *factors[MOMENTS][2] = {[ONE_ONE] = {room->one, room->one},
                                         [OTHER_OTHER] = {room->other, room->other},
                                         [ONE_OTHER] = {room->one, room->other}};
    filter_across(room, room->one, ring_row(room, y, ONE));
    filter_across(room, room->other, ring_row(room, y, OTHER));
    for (unsigned moment = ONE_ONE; moment < MOMENTS; moment++) {
        for (size_t x = 0; x < room->width; x++)
            room->product[x] = factors[moment][0][x] * factors[moment][1][x];
        filter_across(room, room->product, ring_row(room, y, moment));
    }
}

/* The sum of the similarities of one row, of whose window `last` is the last one. */
static double similarity_of_row(const struct room *room, uint32_t last, double full)
{
    const double c1 = 0.01 * full * (0.01 * full), c2 = 0.03 * full * (0.03 * full);
    double sum = 0;
    for (unsigned moment = 0; moment < MOMENTS; moment++) {
        const double *tap[TAPS];
        for (unsigned k = 0; k < TAPS; k++)
            tap[k] = ring_row(room, last + 1 + k, moment); /* the oldest first */
        filter(tap, room->filtered + moment * room->inner, room->inner);
    }
    const double *at = room->filtered;
    for (size_t x = 0; x < room->inner; x++, at++) {
        const double one = at[ONE * room->inner], other = at[OTHER * room->inner];
        const double variances =
            (at[ONE_ONE * room->inner] - one * one) + (at[OTHER_OTHER * room->inner] - other * other);
        const double covariance = at[ONE_OTHER * room->inner] - one * other;
        sum += (2 * one * other + c1) * (2 * covariance + c2) /
               ((one * one + other * other + c1) * (variances + c2));
    }
    return sum;
}

/* One channel of a row, by way of `samples`. */
static void load(const struct shape *shape, const uint8_t *image, uint32_t y, unsigned channel,
                 float *samples, double *row)
{
    floatrow_convert(shape->sample, image + y * shape_row_bytes(shape), samples,
                     (size_t)shape->width * shape->channels);
    for (size_t x = 0; x < shape->width; x++)
        row[x] = (double)samples[x * shape->channels + channel];
}

int ssim_of(const struct shape *shape, const uint8_t *one, const uint8_t *other, struct scratch *scratch,
            double *mean)
{
    struct room room = {.width = shape->width, .inner = shape->width - 2 * RADIUS};
    *mean = (double)NAN;
    if (shape->width < TAPS || shape->height < TAPS)
        return 0;
    room.one = scratch_alloc(scratch, 3 * room.width, sizeof *room.one);
    float *samples = scratch_alloc(scratch, room.width * shape->channels, sizeof *samples);
    room.ring = scratch_alloc(scratch, (TAPS + 1) * MOMENTS * room.inner, sizeof *room.ring);
    if (!room.one || !samples || !room.ring)
        return ERROR_INTERNAL;
    room.other = room.one + room.width;
    room.product = room.other + room.width;
    room.filtered = room.ring + TAPS * MOMENTS * room.inner;
    double total = 0;
    for (unsigned channel = 0; channel < shape->channels; channel++) {
        for (uint32_t y = 0; y < shape->height; y++) {
            load(shape, one, y, channel, samples, room.one);
            load(shape, other, y, channel, samples, room.other);
            take_row(&room, y);
            if (y + 1 >= TAPS)
                total += similarity_of_row(&room, y, (double)floatrow_full(shape->sample));
        }
    }
    *mean = total / ((double)room.inner * (shape->height - 2 * RADIUS) * shape->channels);
    return 0;
}
