/* SPDX-License-Identifier: MIT */
/* Values below min become min, those above max become max, as numpy's clip; NaN stays NaN. Of images min and
 * max are parts of full scale, and alpha is left alone; of arrays they mean themselves. The type stays: for
 * integers min is rounded up and max down, for floats both to the nearest value of the type. */
#include <math.h>

#include "stages/image/point.h"
#include "stages/numeric/half.h"
#include "stages/numeric/wide.h"
#include "stages/simd.h"
#include "stages/stage.h"

struct clip_params {
    double min, max; /* NaN: none */
};

static const struct param clip_table[] = {
    {.name = "min",
     .type = PARAM_REAL,
     .offset = offsetof(struct clip_params, min),
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Smaller values become this, of images in parts of full scale"},
    {.name = "max",
     .type = PARAM_REAL,
     .offset = offsetof(struct clip_params, max),
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Larger values become this, of images in parts of full scale"},
    PARAM_END,
};

static int clip_check(const void *params, struct error *error)
{
    const struct clip_params *clip = params;
    if (isnan(clip->min) && isnan(clip->max))
        return error_set(error, ERROR_USAGE, "give min, max, or both");
    if (clip->min > clip->max)
        return error_set(error, ERROR_USAGE, "min %.15g is larger than max %.15g", clip->min, clip->max);
    return 0;
}

/* The limits as values of the sample type, for whichever sort of type it is; without a parameter they lie at
 * the end of the range. */
struct limits {
    int64_t least, most;
    uint64_t least_u64, most_u64;
    double least_f64, most_f64;
};

static double as_float(double value, uint8_t sample)
{
    return sample == SAMPLE_F16   ? half_to_double(half_from_double(value))
           : sample == SAMPLE_F32 ? (double)(float)value
                                  : value;
}

static int64_t to_i64(double value)
{
    return value < -0x1p63 ? INT64_MIN : value < 0x1p63 ? (int64_t)value : INT64_MAX;
}

static uint64_t to_u64(double value)
{
    return value > 0 ? value < 0x1p64 ? (uint64_t)value : UINT64_MAX : 0;
}

/* False: no value of the type lies within the limits. */
static bool find_limits(const struct clip_params *clip, uint8_t sample, struct limits *limits)
{
    double min = isnan(clip->min) ? (double)-INFINITY : clip->min;
    double max = isnan(clip->max) ? (double)INFINITY : clip->max;
    if (shape_sample_is_float(sample)) {
        limits->least_f64 = as_float(min, sample);
        limits->most_f64 = as_float(max, sample);
        return limits->least_f64 < (double)INFINITY && limits->most_f64 > (double)-INFINITY;
    }
    const int64_t least = wide_least(sample);
    const uint64_t most = wide_most(sample);
    min = ceil(min);
    max = floor(max);
    if (min > max || min >= (double)most + 1 || max < (double)least)
        return false;
    /* The largest integers of 64 bit are no doubles, and so not made of one. */
    limits->least = to_i64(fmax(min, (double)least));
    limits->least_u64 = to_u64(min);
    limits->most = max < (double)most ? to_i64(max) : to_i64((double)most);
    limits->most_u64 = max < (double)most ? to_u64(max) : most;
    return true;
}

static int clip_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    struct limits limits;
    if (in->kind == SHAPE_IMAGE)
        point_plan(in, plan);
    else if (!find_limits(params, in->sample, &limits))
        return error_set(error, ERROR_USAGE, "no value of %s lies within min and max",
                         shape_sample_name(in->sample));
    plan->in_place = true;
    return 0;
}

static double clip_map(const void *params, double value)
{
    const struct clip_params *clip = params;
    value = value < clip->min ? clip->min : value;
    return value > clip->max ? clip->max : value;
}

static int clip_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    return run->in.kind == SHAPE_ARRAY ? 0 : point_begin(run, clip_map, scratch, error);
}

/* Comparisons with NaN are false, so it stays. */
#define CLIP(type, least_value, most_value)                                                                  \
    do {                                                                                                     \
        const type *from = src, least = (type)(least_value), most = (type)(most_value);                      \
        type *to = dst;                                                                                      \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++)                                               \
        {                                                                                                    \
            const type x = from[i] < least ? least : from[i];                                                \
            to[i] = x > most ? most : x;                                                                     \
        }                                                                                                    \
    } while (0)

SIMD_INLINE void clip_halves(const uint16_t *from, uint16_t *to, size_t count, double least, double most)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const double value = half_to_double(from[i]), x = value < least ? least : value;
        to[i] = half_from_double(x > most ? most : x);
    }
}

SIMD_CLONES_512 static void clip_samples(uint8_t sample, const void *src, void *dst, size_t count,
                                         const struct limits *limits)
{
    switch ((enum sample)sample) {
    case SAMPLE_U8:
        CLIP(uint8_t, limits->least, limits->most);
        break;
    case SAMPLE_U16:
        CLIP(uint16_t, limits->least, limits->most);
        break;
    case SAMPLE_U32:
        CLIP(uint32_t, limits->least, limits->most);
        break;
    case SAMPLE_U64:
        CLIP(uint64_t, limits->least_u64, limits->most_u64);
        break;
    case SAMPLE_I8:
        CLIP(int8_t, limits->least, limits->most);
        break;
    case SAMPLE_I16:
        CLIP(int16_t, limits->least, limits->most);
        break;
    case SAMPLE_I32:
        CLIP(int32_t, limits->least, limits->most);
        break;
    case SAMPLE_I64:
        CLIP(int64_t, limits->least, limits->most);
        break;
    case SAMPLE_F16:
        clip_halves(src, dst, count, limits->least_f64, limits->most_f64);
        break;
    case SAMPLE_F32:
        CLIP(float, limits->least_f64, limits->most_f64);
        break;
    case SAMPLE_F64:
        CLIP(double, limits->least_f64, limits->most_f64);
        break;
    default:
        break;
    }
}

static int clip_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch;
    const size_t sample_bytes = shape_sample_bytes(run->in.sample);
    struct limits limits = {0};
    size_t begin, end;
    if (run->in.kind == SHAPE_IMAGE) {
        point_rows(run, clip_map, first, last);
        return 0;
    }
    if (!find_limits(run->params, run->in.sample, &limits))
        return error_set(error, ERROR_INTERNAL, "no such limits");
    shape_span(&run->in, first, last, &begin, &end);
    clip_samples(run->in.sample, run->src + begin * sample_bytes, run->dst + begin * sample_bytes,
                 end - begin, &limits);
    return 0;
}

const struct stage clip_stage = {
    .name = "clip",
    .group = "numeric",
    .summary = "Limit values to a range; NaN stays NaN, alpha is left alone",
    .params = clip_table,
    .params_bytes = sizeof(struct clip_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_INTEGERS | STAGE_FLOATS,
    .check = clip_check,
    .plan = clip_plan,
    .begin = clip_begin,
    .rows = clip_rows,
};
