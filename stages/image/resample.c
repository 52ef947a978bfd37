/* SPDX-License-Identifier: MIT */
/* Windows and weights.
 *
 * Kernels: Mitchell and Netravali, "Reconstruction filters in computer graphics" (1988), with B = C = 1/3
 * for mitchell and B = 0, C = 1/2 (Catmull-Rom) for cubic; Lanczos as in Duchon, "Lanczos filtering in one
 * and two dimensions" (1979). Where the image is reduced the kernel is stretched by the factor, and what of
 * it falls outside the image is left out and the rest brought back to a sum of 1, as in Pillow. */
#include "stages/image/resample.h"

#include <math.h>

#define PI 3.14159265358979323846

struct resample_axis resample_axis_full(uint32_t in, uint32_t out)
{
    return (struct resample_axis){.in = in, .out = out, .origin = 0, .step = in, .den = 2.0 * out};
}

bool resample_axis_unscaled(const struct resample_axis *axis)
{
    return 2.0 * axis->step == axis->den;
}

bool resample_axis_same(const struct resample_axis *axis)
{
    return axis->in == axis->out && resample_axis_unscaled(axis);
}

struct resample_axis resample_axis_middle(uint32_t in, uint32_t out, uint32_t fit_in, uint32_t fit_out)
{
    /* Half of what is cut off lies before the first kept sample: (in - out * fit_in / fit_out) / 2. */
    struct resample_axis axis = {.in = in,
                                 .out = out,
                                 .origin = (double)in * fit_out - (double)out * fit_in,
                                 .step = fit_in,
                                 .den = 2.0 * fit_out};
    if (resample_axis_unscaled(&axis))
        axis.origin = 2.0 * axis.step * floor((in - out) / 2.0);
    return axis;
}

static double centre_of(const struct resample_axis *axis, uint32_t i)
{
    return (axis->origin + (2.0 * i + 1.0) * axis->step) / axis->den;
}

/* Source samples for each output sample. */
static double scale_of(const struct resample_axis *axis)
{
    return 2.0 * axis->step / axis->den;
}

/* How far the kernel reaches from its centre, in source samples. */
static double radius_of(const struct resample_axis *axis, enum resample_kernel kernel)
{
    static const double supports[] = {0, 0.5, 1, 2, 2, 2, 3};
    const double scale = scale_of(axis);
    return kernel == RESAMPLE_BOX || scale > 1 ? supports[kernel] * scale : supports[kernel];
}

static uint32_t clamped(double position, uint32_t low, uint32_t high)
{
    return position > low ? (position < high ? (uint32_t)position : high) : low;
}

void resample_window(const struct resample_axis *axis, enum resample_kernel kernel, uint32_t i,
                     uint32_t *first, uint32_t *last)
{
    if (resample_axis_same(axis)) {
        *first = i;
        *last = i + 1;
        return;
    }
    const double centre = centre_of(axis, i), radius = radius_of(axis, kernel);
    /* Box weighs every sample that it touches, the others those whose centres lie within the radius. */
    const double inset = kernel == RESAMPLE_BOX || kernel == RESAMPLE_NEAREST ? 0 : 0.5;
    *first = clamped(floor(centre - radius + inset), 0, axis->in - 1);
    *last = clamped(ceil(centre + radius - inset), *first + 1, axis->in);
}

static double sinc(double x)
{
    return fabs(x) < 1e-8 ? 1 : sin(PI * x) / (PI * x);
}

/* Mitchell and Netravali's equation 8 on 0 <= x < 2. */
static double bicubic(double x, double b, double c)
{
    if (x < 1)
        return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + (6 - 2 * b)) / 6;
    return ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x + (8 * b + 24 * c)) /
           6;
}

/* The kernel's value at a distance of x > 0 (in units of its own support), not normalised. */
static double kernel_at(enum resample_kernel kernel, double x)
{
    switch (kernel) {
    case RESAMPLE_LINEAR:
        return x < 1 ? 1 - x : 0;
    case RESAMPLE_CUBIC:
        return x < 2 ? bicubic(x, 0, 0.5) : 0;
    case RESAMPLE_MITCHELL:
        return x < 2 ? bicubic(x, 1.0 / 3, 1.0 / 3) : 0;
    case RESAMPLE_LANCZOS2:
        return x < 2 ? sinc(x) * sinc(x / 2) : 0;
    case RESAMPLE_NEAREST:
    case RESAMPLE_BOX:
    case RESAMPLE_LANCZOS3: /* by weigh_lanczos3 */
        break;
    }
    return 1;
}

static double weight_of(const struct resample_axis *axis, enum resample_kernel kernel, double centre,
                        uint32_t j)
{
    const double scale = scale_of(axis);
    if (kernel == RESAMPLE_BOX) {
        const double from = fmax(j, centre - scale / 2), to = fmin(j + 1.0, centre + scale / 2);
        return fmax(to - from, 0);
    }
    return kernel_at(kernel, fabs(j + 0.5 - centre) / fmax(scale, 1));
}

/* sinc(x) sinc(x/3) with one sine: sin 3a = 3 sin a - 4 sin^3 a. */
static double lanczos3(double x, double sine)
{
    if (fabs(x) >= 3)
        return 0;
    const double squared = sine * sine;
    return fabs(x) < 1e-6 ? 1 : (3 - 4 * squared) * squared / (PI * PI / 3 * x * x);
}

/* The distances to the centre are equal steps, so the sines are had by turning a vector by the same angle
 * each time: on an icon the calls of sin took as long as the resampling. */
static double weigh_lanczos3(const struct resample_axis *axis, double centre, uint32_t first, uint32_t last,
                             float *weights)
{
    const double scale = fmax(scale_of(axis), 1), begin = (first + 0.5 - centre) / scale;
    const double turn_sine = sin(PI / 3 / scale), turn_cosine = cos(PI / 3 / scale);
    double sine = sin(PI / 3 * begin), cosine = cos(PI / 3 * begin), sum = 0;
    for (uint32_t j = first; j < last; j++) {
        const double weight = lanczos3((j + 0.5 - centre) / scale, sine);
        const double turned = sine * turn_cosine + cosine * turn_sine;
        cosine = cosine * turn_cosine - sine * turn_sine;
        sine = turned;
        weights[j - first] = (float)weight;
        sum += weight;
    }
    return sum;
}

/* The weights of source samples [first, last), not brought to a sum of 1 yet; their sum. */
static double weigh_line(const struct resample_axis *axis, enum resample_kernel kernel, double centre,
                         uint32_t first, uint32_t last, float *weights)
{
    if (kernel == RESAMPLE_LANCZOS3)
        return weigh_lanczos3(axis, centre, first, last, weights);
    double sum = 0;
    for (uint32_t j = first; j < last; j++) {
        const double weight = weight_of(axis, kernel, centre, j);
        weights[j - first] = (float)weight;
        sum += weight;
    }
    return sum;
}

uint32_t resample_table_stride(const struct resample_axis *axis, enum resample_kernel kernel)
{
    if (kernel == RESAMPLE_NEAREST || resample_axis_same(axis))
        return 1;
    /* An interval of length l holds at most l + 1 whole numbers; one more for rounding of its ends. */
    const double most = floor(2 * radius_of(axis, kernel)) + 3;
    return most < axis->in ? (uint32_t)most : axis->in;
}

size_t resample_table_need(const struct resample_axis *axis, enum resample_kernel kernel)
{
    const size_t row_bytes = scratch_need(axis->out, sizeof(uint32_t));
    const size_t weights_bytes =
        scratch_need((size_t)axis->out * resample_table_stride(axis, kernel), sizeof(float));
    return scratch_add(scratch_add(row_bytes, row_bytes), weights_bytes);
}

/* Fills one line of the table. Kernels are 0 at whole distances, which arrives here as 1e-17: samples that
 * cannot be seen in the sum are cut off at both ends, so that equal phases give exact copies. */
static void make_line(struct resample_table *table, const struct resample_axis *axis,
                      enum resample_kernel kernel, uint32_t i)
{
    uint32_t first, last;
    resample_window(axis, kernel, i, &first, &last);
    float *weights = table->weights + (size_t)i * table->stride;
    if (last - first == 1) {
        weights[0] = 1;
        table->first[i] = first;
        table->count[i] = 1;
        return;
    }
    const double centre = centre_of(axis, i);
    const double sum = weigh_line(axis, kernel, centre, first, last, weights);
    const double dust = 1e-9 * sum;
    uint32_t skip = 0;
    while (last - first > 1 && fabs((double)weights[last - first - 1]) < dust)
        last--;
    while (last - first - skip > 1 && fabs((double)weights[skip]) < dust)
        skip++;
    table->first[i] = first + skip;
    table->count[i] = last - first - skip;
    for (uint32_t k = 0; k < table->count[i]; k++)
        weights[k] = (float)((double)weights[k + skip] / sum);
}

bool resample_table_make(struct resample_table *table, const struct resample_axis *axis,
                         enum resample_kernel kernel, struct scratch *scratch)
{
    table->stride = resample_table_stride(axis, kernel);
    table->first = scratch_alloc(scratch, axis->out, sizeof(uint32_t));
    table->count = scratch_alloc(scratch, axis->out, sizeof(uint32_t));
    table->weights = scratch_alloc(scratch, (size_t)axis->out * table->stride, sizeof(float));
    if (!table->first || !table->count || !table->weights)
        return false;
    for (uint32_t i = 0; i < axis->out; i++)
        make_line(table, axis, kernel, i);
    return true;
}
