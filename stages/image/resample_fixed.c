/* SPDX-License-Identifier: MIT */
#include "stages/image/resample_fixed.h"

#include <math.h>

#include "stages/simd.h"

#define LANES RESAMPLE_LANES

/* Between the passes: steps of a level, and what is taken off so that the range lies around 0. */
#define MID_BITS 7u
#define MID_BIAS (RESAMPLE_MIDDLE << MID_BITS)

/* Sums of 32 bits hold 16-bit samples times weights whose magnitudes add up to this at most. */
#define WEIGHT_LIMIT 1.98

size_t resample_pairs_need(const struct resample_axis *axis, enum resample_kernel kernel)
{
    /* A window of n samples touches n / 2 + 1 pairs at most. */
    const size_t stride = resample_table_stride(axis, kernel) / 2 + 1;
    const size_t row_bytes = scratch_need(axis->out, sizeof(uint32_t));
    return scratch_add(scratch_add(row_bytes, row_bytes),
                       scratch_need((size_t)axis->out * stride, sizeof(int32_t)));
}

/* Do all weights fit as `bits` bits behind the point? */
static bool weights_fit(const struct resample_table *table, uint32_t outputs, unsigned bits)
{
    const float unit = (float)(1u << bits);
    for (uint32_t i = 0; i < outputs; i++) {
        const float *weights = table->weights + (size_t)i * table->stride;
        float sum = 0, most = 0;
        for (uint32_t k = 0; k < table->count[i]; k++) {
            const float size = fabsf(weights[k]);
            sum += size;
            most = size > most ? size : most;
        }
        if (most * unit > 32766.0f || sum * unit > (float)(WEIGHT_LIMIT * 32768))
            return false;
    }
    return true;
}

/* To the nearest, by way of positive numbers, for which the conversion is enough. */
static int32_t rounded(float sum)
{
    const int32_t lift = 1 << 17;
    return (int32_t)(sum + (float)lift + 0.5f) - lift;
}

/* What rounding a weight leaves goes on to the next, so that the sum is exact and of smooth samples nothing
 * is lost. */
static void make_line(struct resample_pairs *pairs, const struct resample_table *table, uint32_t i)
{
    const float *weights = table->weights + (size_t)i * table->stride;
    int32_t *line = pairs->weights + (size_t)i * pairs->stride;
    const uint32_t first = table->first[i], count = table->count[i];
    pairs->first[i] = first / 2;
    pairs->count[i] = (first + count - 1) / 2 - first / 2 + 1;
    const float unit = (float)(1u << pairs->bits);
    float exact = 0;
    int32_t given = 0;
    for (uint32_t p = 0; p < pairs->count[i]; p++)
        line[p] = 0;
    for (uint32_t k = 0; k < count; k++) {
        exact += weights[k] * unit;
        const int32_t upto = k + 1 < count ? rounded(exact) : (int32_t)1 << pairs->bits;
        const uint32_t weight = (uint32_t)(upto - given) & 0xffffu;
        line[(first % 2 + k) / 2] |= (int32_t)(weight << (first + k) % 2 * 16);
        given = upto;
    }
}

bool resample_pairs_make(struct resample_pairs *pairs, const struct resample_table *table, uint32_t outputs,
                         struct scratch *scratch)
{
    pairs->stride = table->stride / 2 + 1;
    pairs->first = scratch_alloc(scratch, outputs, sizeof *pairs->first);
    pairs->count = scratch_alloc(scratch, outputs, sizeof *pairs->count);
    pairs->weights = scratch_alloc(scratch, (size_t)outputs * pairs->stride, sizeof *pairs->weights);
    if (!pairs->first || !pairs->count || !pairs->weights)
        return false;
    pairs->bits = weights_fit(table, outputs, 15) ? 15 : 14;
    for (uint32_t i = 0; i < outputs; i++)
        make_line(pairs, table, i);
    return true;
}

static bool has_alpha(unsigned channels)
{
    return channels % 2 == 0;
}

unsigned resample_down_shift(const struct resample_pairs *down, unsigned channels)
{
    return has_alpha(channels) ? down->bits + 1 : down->bits - MID_BITS;
}

int32_t resample_down_start(const struct resample_pairs *down, unsigned channels)
{
    const unsigned shift = resample_down_shift(down, channels);
    return (1 << (shift - 1)) - (has_alpha(channels) ? 0 : MID_BIAS * (1 << shift));
}

unsigned resample_across_shift(const struct resample_pairs *across)
{
    return across->bits + MID_BITS;
}

static void load_plain(unsigned channels, const uint8_t *even, const uint8_t *odd, int16_t *pairs,
                       size_t samples)
{
    if (!has_alpha(channels)) {
        for (size_t i = 0; i < samples; i++) {
            pairs[2 * i] = even[i];
            pairs[2 * i + 1] = odd[i];
        }
        return;
    }
    for (size_t i = 0; i < samples; i++) {
        const size_t alpha = i - i % channels + channels - 1;
        pairs[2 * i] = (int16_t)(even[i] * (i == alpha ? 256 : even[alpha]) - 32768);
        pairs[2 * i + 1] = (int16_t)(odd[i] * (i == alpha ? 256 : odd[alpha]) - 32768);
    }
}

/* The halves of a pair of weights. */
static int32_t low_of(int32_t pair)
{
    return (int16_t)(pair & 0xffff);
}

static int32_t high_of(int32_t pair)
{
    return pair >> 16;
}

static void add_plain(int32_t *restrict sum, const int32_t *start, const int16_t *restrict pairs, size_t step,
                      const int32_t *weights, size_t pair_count, size_t samples)
{
    for (size_t p = 0; p < pair_count; p++, pairs += step) {
        const int32_t even = low_of(weights[p]), odd = high_of(weights[p]);
        if (p == 0 && start)
            for (size_t i = 0; i < samples; i++)
                sum[i] = *start + pairs[2 * i] * even + pairs[2 * i + 1] * odd;
        else
            for (size_t i = 0; i < samples; i++)
                sum[i] += pairs[2 * i] * even + pairs[2 * i + 1] * odd;
    }
}

static int32_t mid_of(int32_t sum, unsigned shift)
{
    const int32_t mid = sum >> shift;
    return mid < INT16_MIN ? INT16_MIN : mid > INT16_MAX ? INT16_MAX : mid;
}

static void turn_plain(const int32_t *const *rows, unsigned channels, unsigned shift, int32_t *lanes,
                       size_t samples)
{
    for (size_t at = 0, column = 0; at < samples; at += 2 * (size_t)channels) {
        for (unsigned c = 0; c < channels; c++, column++) {
            for (unsigned row = 0; row < LANES; row++) {
                const uint32_t even = (uint32_t)mid_of(rows[row][at + c], shift) & 0xffff;
                const uint32_t odd = (uint32_t)mid_of(rows[row][at + channels + c], shift);
                lanes[column * LANES + row] = (int32_t)(odd << 16 | even);
            }
        }
    }
}

static void dot_plain(const struct resample_pairs *across, uint32_t first, uint32_t last, uint32_t origin,
                      unsigned channels, const int32_t *lanes, int32_t *restrict sums)
{
    const int32_t start = 1 << (resample_across_shift(across) - 1);
    for (uint32_t x = first; x < last; x++) {
        const int32_t *weights = across->weights + (size_t)x * across->stride;
        const int32_t *pair = lanes + (size_t)(across->first[x] - origin) * channels * LANES;
        for (unsigned c = 0; c < channels; c++, sums += LANES) {
            for (unsigned row = 0; row < LANES; row++)
                sums[row] = start;
            for (uint32_t p = 0; p < across->count[x]; p++) {
                const int32_t *restrict from = pair + ((size_t)p * channels + c) * LANES;
                const int32_t even = low_of(weights[p]), odd = high_of(weights[p]);
                for (unsigned row = 0; row < LANES; row++)
                    sums[row] += low_of(from[row]) * even + high_of(from[row]) * odd;
            }
        }
    }
}

static void pack_plain(const int32_t *sums, unsigned shift, int32_t bias, uint8_t *const *dst, unsigned rows,
                       size_t samples)
{
    for (size_t i = 0; i < samples; i++, sums += LANES) {
        for (unsigned row = 0; row < rows; row++) {
            const int32_t level = (sums[row] >> shift) + bias;
            dst[row][i] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
    }
}

SIMD_CLONES static void straighten_lanes(unsigned channels, unsigned bits, int32_t *sums, size_t pixels)
{
    /* What rounding began with is taken off again where a quotient is to come. */
    const float zero = (float)MID_BIAS * (float)(1u << bits) - (float)(1u << (bits + MID_BITS - 1));
    const int32_t full = RESAMPLE_MIDDLE;
    for (size_t x = 0; x < pixels; x++, sums += channels * LANES) {
        int32_t *alpha = sums + (channels - 1) * LANES;
        float scale[LANES];
        for (unsigned row = 0; row < LANES; row++) {
            const int32_t level = (alpha[row] >> (bits + MID_BITS)) + full;
            const float sum = (float)alpha[row] + zero;
            scale[row] = level > 0 ? 256.0f / sum : 0.0f;
            alpha[row] = level;
        }
        for (int32_t *colour = sums; colour < alpha; colour += LANES) {
            for (unsigned row = 0; row < LANES; row++)
                colour[row] = (int32_t)(((float)colour[row] + zero) * scale[row] + 0.5f);
        }
    }
}

void resample_straighten(const struct resample_pairs *across, unsigned channels, int32_t *sums, size_t pixels)
{
    straighten_lanes(channels, across->bits, sums, pixels);
}

static const struct resample_fixed_ops ops_plain = {load_plain, add_plain, turn_plain, dot_plain, pack_plain};

const struct resample_fixed_ops *resample_fixed_plain(void)
{
    return &ops_plain;
}
