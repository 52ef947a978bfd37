/* SPDX-License-Identifier: MIT */
#include "stages/numeric/sumsq.h"

#include <math.h>

#include "stages/numeric/half.h"
#include "stages/shape.h"
#include "stages/simd.h"

/* Added up at a time; sums of so many squares of 8 bit fit 32 bits. */
#define PIECE 4096u

/* Up to 192 bits: squares of 64 bit have 128. */
struct total {
    unsigned __int128 low;
    uint64_t high;
};

static void add(struct total *total, unsigned __int128 value)
{
    total->low += value;
    total->high += total->low < value;
}

#define SUM(type, square_type, sum_type)                                                                     \
    do {                                                                                                     \
        const type *x = samples;                                                                             \
        sum_type sum = 0;                                                                                    \
        _Pragma("omp simd reduction(+ : sum)") for (size_t i = 0; i < count; i++) sum +=                     \
            (square_type)x[i] * (square_type)x[i];                                                           \
        return sum;                                                                                          \
    } while (0)

/* At most PIECE of 8 or 16 bit. A signed sample as unsigned has the right square modulo 2^32, and it fits. */
SIMD_CLONES static uint64_t sum_short(uint8_t sample, const void *samples, size_t count)
{
    switch ((enum sample)sample) {
    case SAMPLE_I8:
        SUM(int8_t, uint32_t, uint32_t);
    case SAMPLE_U16:
        SUM(uint16_t, uint32_t, uint64_t);
    case SAMPLE_I16:
        SUM(int16_t, uint32_t, uint64_t);
    default:
        SUM(uint8_t, uint32_t, uint32_t);
    }
}

/* At most PIECE numbers; false where one does not fit 32 bits, as `narrow`. The sum modulo 2^64 and that of
 * the upper halves tell all 76 bits: what is missing between them is the sum of the lower halves. */
#define SUM_32(type, narrow, wide_type)                                                                      \
    do {                                                                                                     \
        const type *x = samples;                                                                             \
        uint64_t sum = 0, upper = 0, cut = 0;                                                                \
        _Pragma("omp simd reduction(+ : sum, upper) reduction(| : cut)") for (size_t i = 0; i < count; i++)  \
        {                                                                                                    \
            const wide_type number = (narrow)x[i];                                                           \
            const uint64_t square = (uint64_t)(number * number);                                             \
            sum += square;                                                                                   \
            upper += square >> 32;                                                                           \
            cut |= (uint64_t)((wide_type)x[i] ^ number);                                                     \
        }                                                                                                    \
        *result = ((unsigned __int128)upper << 32) + (sum - (upper << 32));                                  \
        return cut == 0;                                                                                     \
    } while (0)

SIMD_CLONES static bool sum_narrow(uint8_t sample, const void *samples, size_t count,
                                   unsigned __int128 *result)
{
    switch ((enum sample)sample) {
    case SAMPLE_U32:
        SUM_32(uint32_t, uint32_t, uint64_t);
    case SAMPLE_I32:
        SUM_32(int32_t, int32_t, int64_t);
    case SAMPLE_U64:
        SUM_32(uint64_t, uint32_t, uint64_t);
    default:
        SUM_32(int64_t, int32_t, int64_t);
    }
}

static void add_wide(struct total *total, uint8_t sample, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t x = sample == SAMPLE_I64 && numbers[i] >> 63 ? 0 - numbers[i] : numbers[i];
        add(total, (unsigned __int128)x * x);
    }
}

/* The nearest double: what is shifted out of 128 bits leaves a trace that decides ties. */
static struct sumsq result_of(const struct total *total)
{
    unsigned __int128 value = total->low;
    int shift = 0;
    if (total->high > 0) {
        shift = 64 - __builtin_clzll(total->high);
        const bool lost = value << (128 - shift) != 0;
        value = value >> shift | (unsigned __int128)total->high << (128 - shift) | lost;
    }
    struct sumsq result = {.real = ldexp((double)value, shift)};
    result.exact = total->high == 0 && value <= INT64_MAX;
    result.integer = result.exact ? (int64_t)value : 0;
    return result;
}

static struct sumsq sum_integers(uint8_t sample, const uint8_t *samples, size_t count)
{
    const size_t bytes = shape_sample_bytes(sample);
    struct total total = {0};
    bool wide = false; /* once a piece was, the others are taken to be */
    for (size_t done = 0, part; done < count; done += part) {
        const uint8_t *at = samples + done * bytes;
        unsigned __int128 sum = 0;
        part = count - done < PIECE ? count - done : PIECE;
        if (bytes < sizeof(uint32_t))
            sum = sum_short(sample, at, part);
        else
            wide = wide || !sum_narrow(sample, at, part, &sum);
        if (wide)
            add_wide(&total, sample, (const uint64_t *)(const void *)at, part);
        else
            add(&total, sum);
    }
    return result_of(&total);
}

/* So many sums side by side, which vectors need and which errors like. */
#define LANES       16u
#define FLOAT_PIECE 512u

#define SUM_FLOATS(type, number)                                                                             \
    do {                                                                                                     \
        const type *x = samples;                                                                             \
        for (; i + LANES <= count; i += LANES) {                                                             \
            _Pragma("omp simd") for (size_t k = 0; k < LANES; k++)                                           \
            {                                                                                                \
                const double value = number(x[i + k]);                                                       \
                lanes[k] += value * value;                                                                   \
            }                                                                                                \
        }                                                                                                    \
        for (size_t k = 0; i + k < count; k++)                                                               \
            lanes[k] += (double)number(x[i + k]) * (double)number(x[i + k]);                                 \
    } while (0)

/* At most FLOAT_PIECE: sums of 32, and four times two of them. */
SIMD_CLONES static double sum_floats(uint8_t sample, const void *samples, size_t count)
{
    double lanes[LANES] = {0};
    size_t i = 0;
    if (sample == SAMPLE_F16)
        SUM_FLOATS(uint16_t, half_to_double);
    else if (sample == SAMPLE_F32)
        SUM_FLOATS(float, (double));
    else
        SUM_FLOATS(double, );
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t k = 0; k < half; k++)
            lanes[k] += lanes[k + half];
    }
    return lanes[0];
}

/* Pieces are added with what each addition lost (Neumaier 1974), so their number does not matter. */
static struct sumsq sum_all_floats(uint8_t sample, const uint8_t *samples, size_t count)
{
    const size_t bytes = shape_sample_bytes(sample);
    double sum = 0, lost = 0;
    for (size_t done = 0, part; done < count; done += part) {
        part = count - done < FLOAT_PIECE ? count - done : FLOAT_PIECE;
        const double piece = sum_floats(sample, samples + done * bytes, part), next = sum + piece;
        lost += sum > piece ? sum - next + piece : piece - next + sum;
        sum = next;
    }
    return (struct sumsq){.real = isfinite(sum) ? sum + lost : sum};
}

struct sumsq sumsq_samples(uint8_t sample, const void *samples, size_t count)
{
    return shape_sample_is_float(sample) ? sum_all_floats(sample, samples, count)
                                         : sum_integers(sample, samples, count);
}
