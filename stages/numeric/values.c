/* SPDX-License-Identifier: MIT */
#include "stages/numeric/values.h"

#include <string.h>

#include "stages/image/simd.h"

#define LOADER(name, type)                                                                                   \
    SIMD_CLONES static void load_##name(const type *restrict src, double *restrict dst, size_t count)        \
    {                                                                                                        \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++) dst[i] = (double)src[i];                      \
    }
LOADER(u8, uint8_t)
LOADER(u16, uint16_t)
LOADER(u32, uint32_t)
LOADER(u64, uint64_t)
LOADER(i8, int8_t)
LOADER(i16, int16_t)
LOADER(i32, int32_t)
LOADER(i64, int64_t)
LOADER(f32, float)

/* The bits of binary16 moved to where binary32 has them make a number that is too small by 2^112, subnormal
 * ones included; what is infinite or NaN keeps all bits of the exponent. */
SIMD_CLONES static void load_f16(const uint16_t *restrict src, double *restrict dst, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t half = src[i];
        uint32_t bits = (half & 0x7fff) << 13;
        float value;
        memcpy(&value, &bits, sizeof value);
        value *= 0x1p112f;
        memcpy(&bits, &value, sizeof bits);
        bits |= ((half & 0x7c00) == 0x7c00 ? 0x7f800000u : 0) | (half & 0x8000) << 16;
        memcpy(&value, &bits, sizeof value);
        dst[i] = (double)value;
    }
}

void values_load(uint8_t sample, const void *src, double *dst, size_t count)
{
    switch (sample) {
    case SAMPLE_U8:
    case SAMPLE_BOOL:
        load_u8(src, dst, count);
        break;
    case SAMPLE_U16:
        load_u16(src, dst, count);
        break;
    case SAMPLE_U32:
        load_u32(src, dst, count);
        break;
    case SAMPLE_U64:
        load_u64(src, dst, count);
        break;
    case SAMPLE_I8:
        load_i8(src, dst, count);
        break;
    case SAMPLE_I16:
        load_i16(src, dst, count);
        break;
    case SAMPLE_I32:
        load_i32(src, dst, count);
        break;
    case SAMPLE_I64:
        load_i64(src, dst, count);
        break;
    case SAMPLE_F16:
        load_f16(src, dst, count);
        break;
    case SAMPLE_F32:
        load_f32(src, dst, count);
        break;
    default:
        memcpy(dst, src, count * sizeof *dst);
    }
}

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
