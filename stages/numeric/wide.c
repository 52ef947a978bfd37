/* SPDX-License-Identifier: MIT */
#include "stages/numeric/wide.h"

#include "stages/numeric/half.h"
#include "stages/shape.h"
#include "stages/simd.h"

enum wide wide_of(uint8_t sample)
{
    switch ((enum sample)sample) {
    case SAMPLE_U32:
    case SAMPLE_I64:
        return WIDE_I64;
    case SAMPLE_U64:
        return WIDE_U64;
    case SAMPLE_F16:
    case SAMPLE_F32:
    case SAMPLE_F64:
        return WIDE_F64;
    default:
        return WIDE_I32;
    }
}

int64_t wide_least(uint8_t sample)
{
    return shape_sample_is_signed(sample) ? INT64_MIN >> (64 - shape_sample_bits(sample)) : 0;
}

uint64_t wide_most(uint8_t sample)
{
    if (sample == SAMPLE_BOOL)
        return 1;
    return UINT64_MAX >> (64 - shape_sample_bits(sample) + shape_sample_is_signed(sample));
}

/* to[i] = `value` of from[i], for `count` of them. */
#define EACH(to_type, to, from_type, from, value)                                                            \
    do {                                                                                                     \
        to_type *to_ = (to);                                                                                 \
        const from_type *from_ = (from);                                                                     \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++)                                               \
        {                                                                                                    \
            const from_type x = from_[i];                                                                    \
            to_[i] = (to_type)(value);                                                                       \
        }                                                                                                    \
    } while (0)

SIMD_CLONES static void load_integers(uint8_t sample, const void *src, size_t count, union wide_piece *piece)
{
    switch ((enum sample)sample) {
    case SAMPLE_U8:
    case SAMPLE_BOOL:
        EACH(int32_t, piece->i32, uint8_t, src, x);
        break;
    case SAMPLE_U16:
        EACH(int32_t, piece->i32, uint16_t, src, x);
        break;
    case SAMPLE_I8:
        EACH(int32_t, piece->i32, int8_t, src, x);
        break;
    case SAMPLE_I16:
        EACH(int32_t, piece->i32, int16_t, src, x);
        break;
    case SAMPLE_I32:
        EACH(int32_t, piece->i32, int32_t, src, x);
        break;
    case SAMPLE_U32:
        EACH(int64_t, piece->i64, uint32_t, src, x);
        break;
    case SAMPLE_I64:
        EACH(int64_t, piece->i64, int64_t, src, x);
        break;
    case SAMPLE_U64:
        EACH(uint64_t, piece->u64, uint64_t, src, x);
        break;
    default:
        break;
    }
}

/* For these no AVX-512: Bochs, by which tests/avx512.sh checks the rest, is wrong about its instructions for
 * unsigned integers of 64 bit. */
SIMD_CLONES static void u64_to_f64(const uint64_t *from, size_t count, double *to)
{
    EACH(double, to, uint64_t, from, x);
}

SIMD_CLONES static void f64_to_u64(const double *from, size_t count, uint64_t *to)
{
    EACH(uint64_t, to, double, from, x < 0x1p64 ? (uint64_t)x : UINT64_MAX);
}

SIMD_CLONES_512 static void load_f64(uint8_t sample, const void *src, size_t count, double *values)
{
    switch ((enum sample)sample) {
    case SAMPLE_U8:
    case SAMPLE_BOOL:
        EACH(double, values, uint8_t, src, x);
        break;
    case SAMPLE_U16:
        EACH(double, values, uint16_t, src, x);
        break;
    case SAMPLE_U32:
        EACH(double, values, uint32_t, src, x);
        break;
    case SAMPLE_U64:
        u64_to_f64(src, count, values);
        break;
    case SAMPLE_I8:
        EACH(double, values, int8_t, src, x);
        break;
    case SAMPLE_I16:
        EACH(double, values, int16_t, src, x);
        break;
    case SAMPLE_I32:
        EACH(double, values, int32_t, src, x);
        break;
    case SAMPLE_I64:
        EACH(double, values, int64_t, src, x);
        break;
    case SAMPLE_F16:
        EACH(double, values, uint16_t, src, half_to_double(x));
        break;
    case SAMPLE_F32:
        EACH(double, values, float, src, x);
        break;
    default:
        EACH(double, values, double, src, x);
    }
}

void wide_load_f64(uint8_t sample, const void *src, size_t count, double *values)
{
    load_f64(sample, src, count, values);
}

void wide_load(uint8_t sample, const void *src, size_t count, union wide_piece *piece)
{
    if (shape_sample_is_float(sample))
        load_f64(sample, src, count, piece->f64);
    else
        load_integers(sample, src, count, piece);
}

/* From one wide type to all that are not special to it. */
#define STORE_CASES(from_type, from)                                                                         \
    case SAMPLE_U8:                                                                                          \
        EACH(uint8_t, dst, from_type, from, x);                                                              \
        break;                                                                                               \
    case SAMPLE_U16:                                                                                         \
        EACH(uint16_t, dst, from_type, from, x);                                                             \
        break;                                                                                               \
    case SAMPLE_U32:                                                                                         \
        EACH(uint32_t, dst, from_type, from, x);                                                             \
        break;                                                                                               \
    case SAMPLE_I8:                                                                                          \
        EACH(int8_t, dst, from_type, from, x);                                                               \
        break;                                                                                               \
    case SAMPLE_I16:                                                                                         \
        EACH(int16_t, dst, from_type, from, x);                                                              \
        break;                                                                                               \
    case SAMPLE_I32:                                                                                         \
        EACH(int32_t, dst, from_type, from, x);                                                              \
        break;                                                                                               \
    case SAMPLE_F16:                                                                                         \
        EACH(uint16_t, dst, from_type, from, half_from_double((double)x));                                   \
        break;                                                                                               \
    case SAMPLE_F32:                                                                                         \
        EACH(float, dst, from_type, from, x);                                                                \
        break;                                                                                               \
    case SAMPLE_F64:                                                                                         \
        EACH(double, dst, from_type, from, x);                                                               \
        break;                                                                                               \
    case SAMPLE_BOOL:                                                                                        \
        EACH(uint8_t, dst, from_type, from, x != 0);                                                         \
        break;

#define STORE_INTEGER(from_type, from)                                                                       \
    switch ((enum sample)sample) {                                                                           \
        STORE_CASES(from_type, from)                                                                         \
    case SAMPLE_U64:                                                                                         \
    case SAMPLE_I64:                                                                                         \
        EACH(uint64_t, dst, from_type, from, x);                                                             \
        break;                                                                                               \
    default:                                                                                                 \
        break;                                                                                               \
    }

SIMD_CLONES_512 static void store_i32(const int32_t *from, size_t count, uint8_t sample,
                                      void *dst){STORE_INTEGER(int32_t, from)}

SIMD_CLONES_512 static void store_i64(const int64_t *from, size_t count, uint8_t sample,
                                      void *dst){STORE_INTEGER(int64_t, from)}

SIMD_CLONES static void store_u64(const uint64_t *from, size_t count, uint8_t sample,
                                  void *dst){STORE_INTEGER(uint64_t, from)}

/* The largest integers of 64 bit lie between doubles: what was saturated arrives as the next power of two. */
SIMD_CLONES_512 static void store_f64(const double *from, size_t count, uint8_t sample, void *dst)
{
    switch ((enum sample)sample) {
        STORE_CASES(double, from)
    case SAMPLE_I64:
        EACH(int64_t, dst, double, from, x < 0x1p63 ? (int64_t)x : INT64_MAX);
        break;
    case SAMPLE_U64:
        f64_to_u64(from, count, dst);
        break;
    default:
        break;
    }
}

void wide_store(enum wide wide, const union wide_piece *piece, size_t count, uint8_t sample, void *dst)
{
    switch (wide) {
    case WIDE_I32:
        store_i32(piece->i32, count, sample, dst);
        break;
    case WIDE_I64:
        store_i64(piece->i64, count, sample, dst);
        break;
    case WIDE_U64:
        store_u64(piece->u64, count, sample, dst);
        break;
    case WIDE_F64:
        store_f64(piece->f64, count, sample, dst);
        break;
    }
}
