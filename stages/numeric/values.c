/* SPDX-License-Identifier: MIT */
#include "stages/numeric/values.h"

#include <string.h>

#include "stages/simd.h"

SIMD_CLONES static void store_f32(const double *restrict src, float *restrict dst, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        dst[i] = (float)src[i];
}

void values_store(uint8_t sample, const double *src, void *dst, size_t count)
{
    if (sample == SAMPLE_F32)
        store_f32(src, dst, count);
    else
        memcpy(dst, src, count * sizeof *src);
}

enum sample values_real(uint8_t sample)
{
    const bool wide = shape_sample_is_float(sample) ? sample == SAMPLE_F64 : shape_sample_bytes(sample) > 2;
    return wide ? SAMPLE_F64 : SAMPLE_F32;
}
