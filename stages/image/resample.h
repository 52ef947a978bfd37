/* SPDX-License-Identifier: MIT */
/* Resampling in one dimension: which source samples an output sample is made from, with what weights, and
 * the arithmetic on rows of floats. The resize stage puts the two dimensions together.
 *
 * Positions are in source samples; sample j covers [j, j + 1) and has its centre at j + 0.5, so that the
 * edges of the input and output coincide, as in vips and Pillow. */
#ifndef STAGES_IMAGE_RESAMPLE_H
#define STAGES_IMAGE_RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/scratch.h"
#include "stages/shape.h"

#define RESAMPLE_KERNELS "nearest|box|linear|cubic|mitchell|lanczos2|lanczos3"
enum resample_kernel {
    RESAMPLE_NEAREST,
    RESAMPLE_BOX, /* the mean over the area that the output sample covers */
    RESAMPLE_LINEAR,
    RESAMPLE_CUBIC, /* Catmull-Rom */
    RESAMPLE_MITCHELL,
    RESAMPLE_LANCZOS2,
    RESAMPLE_LANCZOS3,
};

/* Output sample i has its centre at (origin + (2 i + 1) step) / den. All three are whole numbers, so that a
 * centre is rounded once and `nearest` is exact. */
struct resample_axis {
    uint32_t in, out; /* samples */
    double origin, step, den;
};

/* `in` samples become `out`. */
struct resample_axis resample_axis_full(uint32_t in, uint32_t out);

/* The axis is scaled as if `fit_in` samples became `fit_out`, and the middle `out` of the result are kept.
 * Where nothing is scaled the middle is moved by half a sample if it must, onto whole samples. */
struct resample_axis resample_axis_middle(uint32_t in, uint32_t out, uint32_t fit_in, uint32_t fit_out);

/* Is each output sample exactly one input sample? */
bool resample_axis_unscaled(const struct resample_axis *axis);

/* And that of the same number, with none left over? */
bool resample_axis_same(const struct resample_axis *axis);

/* Output sample i is made of source samples [*first, *last), at least one, all within the input. */
void resample_window(const struct resample_axis *axis, enum resample_kernel kernel, uint32_t i,
                     uint32_t *first, uint32_t *last);

/* For each output sample its first source sample, how many follow each other, and their weights, which add
 * up to 1. */
struct resample_table {
    uint32_t *first, *count;
    float *weights; /* `stride` for each output sample */
    uint32_t stride;
};

/* Samples that an output sample is made of, at most. */
uint32_t resample_table_stride(const struct resample_axis *axis, enum resample_kernel kernel);

/* The scratch that a table takes. */
size_t resample_table_need(const struct resample_axis *axis, enum resample_kernel kernel);

/* Makes the table in scratch. False when scratch is too small. */
bool resample_table_make(struct resample_table *table, const struct resample_axis *axis,
                         enum resample_kernel kernel, struct scratch *scratch);

/* Between stored samples and the floats that are added up. Colour is premultiplied by alpha, and decoded to
 * linear light where asked; alpha runs from 0 to 1. */
struct resample_format {
    uint8_t channels, sample;
    bool linear;
    const float *decode; /* sRGB to linear for each stored value; NULL where not linear or sample is f32 */
};

/* Scratch for `decode`; 0 where there is no table. */
size_t resample_decode_need(uint8_t sample, bool linear);

/* Makes the table. False when scratch is too small. */
bool resample_decode_make(struct resample_format *format, struct scratch *scratch);

/* Floats that `dot` may read or write past the end of a row. */
#define RESAMPLE_PAD 4u

/* How many source rows `add` takes at once. */
#define RESAMPLE_ROWS 4u

/* The arithmetic. All functions of one set give the same bytes as those of another. */
struct resample_ops {
    /* `pixels` stored pixels to floats. */
    void (*load)(const struct resample_format *format, const uint8_t *src, float *dst, size_t pixels);
    /* sum[i] += weights[0] * rows[i], then weights[1] * rows[i + step], ...: RESAMPLE_ROWS terms in this
     * order, or one term. */
    void (*add)(float *sum, const float *rows, size_t step, const float *weights, size_t count);
    void (*add_one)(float *sum, const float *row, float weight, size_t count);
    /* One output row: out[i] = the weighted sum of row[first[i] - origin ...]. */
    void (*dot)(const struct resample_table *table, uint32_t outputs, uint32_t origin, unsigned channels,
                const float *row, float *out);
    /* Floats to stored samples: divides by alpha, encodes, rounds to the nearest, clamps to the range of
     * whole samples. Alpha is clamped to 0..1; where it is stored as 0, so is colour. Overwrites `row`. */
    void (*store)(const struct resample_format *format, float *row, uint8_t *dst, size_t pixels);
};

/* For any machine of the architecture. */
const struct resample_ops *resample_ops_plain(void);

/* The fastest for this machine. */
const struct resample_ops *resample_ops_best(void);

#endif
