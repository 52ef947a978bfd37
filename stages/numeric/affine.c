/* SPDX-License-Identifier: MIT */
#include "stages/numeric/affine.h"

#include <float.h>
#include <math.h>

#include "stages/numeric/half.h"
#include "stages/numeric/wide.h"
#include "stages/simd.h"

static int check_fits(const char *name, double value, uint8_t sample, struct error *error)
{
    const double rounded = sample == SAMPLE_F16   ? half_to_double(half_from_double(value))
                           : sample == SAMPLE_F32 ? (double)(float)value
                                                  : value;
    if (isfinite(rounded))
        return 0;
    return error_set(error, ERROR_USAGE, "%s: %.15g is more than %s holds; put astype before it", name, value,
                     shape_sample_name(sample));
}

int affine_plan(double a, double b, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    plan->in_place = true;
    if (!shape_sample_is_float(in->sample))
        plan->rows_scratch_bytes = scratch_need(1, sizeof(union wide_piece));
    TRY(check_fits("a", a, in->sample, error));
    return check_fits("b", b, in->sample, error);
}

SIMD_CLONES static void affine_f32(const float *src, float *dst, size_t count, float a, float b)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = a * src[i] + b;
}

SIMD_CLONES static void affine_f64(const double *src, double *dst, size_t count, double a, double b)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = a * src[i] + b;
}

/* A double holds the product of two halves, and the sum: each is rounded once. */
SIMD_CLONES_512 static void affine_f16(const uint16_t *src, uint16_t *dst, size_t count, double a, double b)
{
    a = half_to_double(half_from_double(a));
    b = half_to_double(half_from_double(b));
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = half_from_double(half_to_double(half_from_double(a * half_to_double(src[i]))) + b);
}

SIMD_CLONES static void affine_rounded(double *values, size_t count, double a, double b)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rint(a * values[i] + b);
}

static int affine_integers(const struct stage_run *run, double a, double b, size_t begin, size_t end,
                           struct scratch *scratch, struct error *error)
{
    const uint8_t sample = run->in.sample;
    const size_t sample_bytes = shape_sample_bytes(sample);
    union wide_piece *piece = scratch_alloc(scratch, 1, sizeof *piece);
    if (!piece)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (size_t count; begin < end; begin += count) {
        count = end - begin < WIDE_PIECE ? end - begin : WIDE_PIECE;
        wide_load_f64(sample, run->src + begin * sample_bytes, count, piece->f64);
        affine_rounded(piece->f64, count, a, b);
        wide_saturate(WIDE_F64, piece, count, sample);
        wide_store(WIDE_F64, piece, count, sample, run->dst + begin * sample_bytes);
    }
    return 0;
}

/* |a| and |b| are at most 2^63, so 128 bits hold the result. */
static void affine_exact(uint8_t sample, const void *src, void *dst, size_t count, double a, double b)
{
    const __int128 factor = (__int128)a, offset = (__int128)b;
    const __int128 least = wide_least(sample), most = wide_most(sample);
    for (size_t i = 0; i < count; i++) {
        const __int128 x =
            sample == SAMPLE_I64 ? (__int128)((const int64_t *)src)[i] : (__int128)((const uint64_t *)src)[i];
        __int128 result = factor * x + offset;
        result = result > least ? result : least;
        ((uint64_t *)dst)[i] = (uint64_t)(result < most ? result : most);
    }
}

static bool is_whole(double value)
{
    return value == trunc(value) && fabs(value) < 0x1p63;
}

int affine_rows(const struct stage_run *run, double a, double b, uint32_t first, uint32_t last,
                struct scratch *scratch, struct error *error)
{
    const size_t sample_bytes = shape_sample_bytes(run->in.sample);
    size_t begin, end;
    shape_span(&run->in, first, last, &begin, &end);
    const void *src = run->src + begin * sample_bytes;
    void *dst = run->dst + begin * sample_bytes;
    switch ((enum sample)run->in.sample) {
    case SAMPLE_F16:
        affine_f16(src, dst, end - begin, a, b);
        return 0;
    case SAMPLE_F32:
        affine_f32(src, dst, end - begin, (float)a, (float)b);
        return 0;
    case SAMPLE_F64:
        affine_f64(src, dst, end - begin, a, b);
        return 0;
    case SAMPLE_I64:
    case SAMPLE_U64:
        if (is_whole(a) && is_whole(b)) {
            affine_exact(run->in.sample, src, dst, end - begin, a, b);
            return 0;
        }
        break;
    default:
        break;
    }
    return affine_integers(run, a, b, begin, end, scratch, error);
}
