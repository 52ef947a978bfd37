/* SPDX-License-Identifier: MIT */
#include "stages/numeric/moments.h"

#include <math.h>

#include "stages/simd.h"

/* Independent sums that a block is added up in: enough for four vectors of AVX2 in flight. */
#define LANES 16u

/* What is known of some samples. */
struct part {
    double count, sum;
    double squares; /* of the deviations from their mean */
};

/* One walk down a line. parts[k] stands for 2^k blocks where bit k of `blocks` is set. */
struct walk {
    struct moments moments;
    struct part parts[64];
    uint64_t blocks;
};

/* Adds up pairs of lanes until one is left. */
SIMD_INLINE double fold(const double *lanes)
{
    double sums[LANES];
    for (size_t i = 0; i < LANES; i++)
        sums[i] = lanes[i];
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++)
            sums[i] += sums[i + half];
    }
    return sums[0];
}

/* Returns the sum and widens [*low, *high]. */
SIMD_CLONES static double sum_and_range(const double *restrict values, size_t count, double *low,
                                        double *high)
{
    double sums[LANES] = {0}, lows[LANES], highs[LANES];
    for (size_t l = 0; l < LANES; l++) {
        lows[l] = *low;
        highs[l] = *high;
    }
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
#pragma omp simd
        for (size_t l = 0; l < LANES; l++) {
            const double value = values[i + l];
            sums[l] += value;
            lows[l] = value < lows[l] ? value : lows[l];
            highs[l] = value > highs[l] ? value : highs[l];
        }
    }
    for (size_t l = 0; i + l < count; l++) {
        const double value = values[i + l];
        sums[l] += value;
        lows[l] = value < lows[l] ? value : lows[l];
        highs[l] = value > highs[l] ? value : highs[l];
    }
    for (size_t l = 0; l < LANES; l++) {
        *low = lows[l] < *low ? lows[l] : *low;
        *high = highs[l] > *high ? highs[l] : *high;
    }
    return fold(sums);
}

/* The sum of squared deviations from `mean`, freed of the rounding of the mean itself: the deviations add up
 * to what it is off. */
SIMD_CLONES static double squares_about(const double *restrict values, size_t count, double mean)
{
    double squares[LANES] = {0}, offs[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
#pragma omp simd
        for (size_t l = 0; l < LANES; l++) {
            const double off = values[i + l] - mean;
            offs[l] += off;
            squares[l] += off * off;
        }
    }
    for (size_t l = 0; i + l < count; l++) {
        const double off = values[i + l] - mean;
        offs[l] += off;
        squares[l] += off * off;
    }
    const double off = fold(offs);
    return fold(squares) - off * off / (double)count;
}

static struct part join(const struct part *a, const struct part *b)
{
    const double count = a->count + b->count, apart = b->sum / b->count - a->sum / a->count;
    return (struct part){.count = count,
                         .sum = a->sum + b->sum,
                         .squares = a->squares + b->squares + apart * apart * (a->count * b->count / count)};
}

/* A block without samples that count stands for itself, so that the tree does not depend on the samples. */
static void push(struct walk *walk, struct part part)
{
    unsigned level = 0;
    for (; walk->blocks >> level & 1; level++)
        part = part.count > 0 && walk->parts[level].count > 0 ? join(&walk->parts[level], &part)
               : part.count > 0                               ? part
                                                              : walk->parts[level];
    walk->parts[level] = part;
    walk->blocks++;
}

/* Dropped samples give way to those behind them; how many are left. x - x is 0 for finite numbers alone. */
SIMD_CLONES static size_t drop_from(double *values, size_t count, enum line_drop drop)
{
    const bool finite = drop == LINE_DROP_NOT_FINITE;
    size_t bad = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        bad += (finite ? values[i] - values[i] : values[i]) != (finite ? 0 : values[i]);
    if (bad == 0)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (finite ? isfinite(values[i]) : !isnan(values[i]))
            values[kept++] = values[i];
    }
    return kept;
}

static void add_floats(struct walk *walk, double *values, size_t count, enum line_drop drop)
{
    struct moments *moments = &walk->moments;
    const size_t kept = drop_from(values, count, drop);
    struct part part = {.count = (double)kept};
    part.sum = sum_and_range(values, kept, &moments->min, &moments->max);
    if (kept > 0)
        part.squares = squares_about(values, kept, part.sum / part.count);
    moments->count += kept;
    moments->dropped += count - kept;
    push(walk, part);
}

/* Up to 32 bits: the sum of a block is an integer below 2^53, and exact. */
static void add_integers(struct walk *walk, const double *values, size_t count)
{
    struct moments *moments = &walk->moments;
    struct part part = {.count = (double)count};
    part.sum = sum_and_range(values, count, &moments->min, &moments->max);
    part.squares = squares_about(values, count, part.sum / part.count);
    moments->whole_sum += (int64_t)part.sum;
    moments->count += count;
    push(walk, part);
}

/* 64 bits, as keys. values[i] = keys[i] - base, rounded once: both halves of the difference are exact. */
SIMD_CLONES static void part_keys(const uint64_t *restrict keys, size_t count, uint64_t base,
                                  double *restrict values, uint64_t *low, uint64_t *high)
{
    const double base_low = (double)(uint32_t)base, base_high = (double)(uint32_t)(base >> 32);
    uint64_t lows = 0, highs = 0;
#pragma omp simd reduction(+ : lows, highs)
    for (size_t i = 0; i < count; i++) {
        const uint32_t low_half = (uint32_t)keys[i], high_half = (uint32_t)(keys[i] >> 32);
        lows += low_half;
        highs += high_half;
        values[i] = ((double)high_half - base_high) * 0x1p32 + ((double)low_half - base_low);
    }
    *low = lows;
    *high = highs;
}

SIMD_CLONES static void range_of_keys(const uint64_t *keys, size_t count, uint64_t *low, uint64_t *high)
{
    uint64_t least = *low, most = *high;
    for (size_t i = 0; i < count; i++) {
        least = keys[i] < least ? keys[i] : least;
        most = keys[i] > most ? keys[i] : most;
    }
    *low = least;
    *high = most;
}

/* Deviations are those from `base`, so that large numbers that lie close together are told apart. */
static void add_keys(struct walk *walk, const uint64_t *keys, size_t count, uint64_t base, double *values)
{
    struct moments *moments = &walk->moments;
    uint64_t least = (uint64_t)moments->whole_min, most = (uint64_t)moments->whole_max, low, high;
    range_of_keys(keys, count, &least, &most);
    moments->whole_min = least;
    moments->whole_max = most;
    part_keys(keys, count, base, values, &low, &high);
    moments->whole_sum += ((moments_wide)high << 32) + low;
    struct part part = {.count = (double)count};
    double none = 0;
    part.sum = sum_and_range(values, count, &none, &none);
    part.squares = squares_about(values, count, part.sum / part.count);
    moments->count += count;
    push(walk, part);
}

static void walk_floats(struct walk *walk, const struct line *line, enum line_drop drop,
                        struct line_room *room)
{
    for (size_t i = 0; i < line->count; i += LINE_BLOCK) {
        const size_t count = line->count - i < LINE_BLOCK ? line->count - i : LINE_BLOCK;
        line_values(line, i, count, room);
        add_floats(walk, room->values, count, drop);
    }
}

static void walk_integers(struct walk *walk, const struct line *line, struct line_room *room)
{
    struct moments *moments = &walk->moments;
    for (size_t i = 0; i < line->count; i += LINE_BLOCK) {
        const size_t count = line->count - i < LINE_BLOCK ? line->count - i : LINE_BLOCK;
        add_integers(walk, line_values(line, i, count, room), count);
    }
    moments->whole_min = (moments_wide)moments->min;
    moments->whole_max = (moments_wide)moments->max;
}

static void walk_keys(struct walk *walk, const struct line *line, struct line_room *room)
{
    struct moments *moments = &walk->moments;
    const uint64_t base = *line_keys(line, 0, 1, LINE_DROP_NAN, room);
    moments->whole_min = moments->whole_max = base;
    for (size_t i = 0; i < line->count; i += LINE_BLOCK) {
        const size_t count = line->count - i < LINE_BLOCK ? line->count - i : LINE_BLOCK;
        add_keys(walk, line_keys(line, i, count, LINE_DROP_NAN, room), count, base, room->values);
    }
    if (shape_sample_is_signed(line->sample)) {
        const moments_wide turn = (moments_wide)1 << 63;
        moments->whole_min -= turn;
        moments->whole_max -= turn;
        moments->whole_sum -= turn * (moments_wide)moments->count;
    }
}

/* From the smallest part to the largest. */
static struct part total(const struct walk *walk)
{
    struct part total = {0};
    for (unsigned level = 0; walk->blocks >> level; level++) {
        const struct part *part = &walk->parts[level];
        if ((walk->blocks >> level & 1) && part->count > 0)
            total = total.count > 0 ? join(part, &total) : *part;
    }
    return total;
}

struct moments moments_of(const struct line *line, enum line_drop drop, struct line_room *room)
{
    struct walk walk = {.moments = {.min = INFINITY, .max = -INFINITY}};
    struct moments *moments = &walk.moments;
    const bool real = shape_sample_is_float(line->sample);
    if (real)
        walk_floats(&walk, line, drop, room);
    else if (line->count > 0 && shape_sample_bytes(line->sample) < 8)
        walk_integers(&walk, line, room);
    else if (line->count > 0)
        walk_keys(&walk, line, room);
    if (moments->count == 0) {
        moments->min = moments->max = moments->sum = moments->mean = moments->std = NAN;
        return *moments;
    }
    const struct part part = total(&walk);
    if (!real) {
        moments->min = (double)moments->whole_min;
        moments->max = (double)moments->whole_max;
    }
    moments->sum = real ? part.sum : (double)moments->whole_sum;
    moments->mean = moments->sum / part.count;
    /* Rounding may leave less than nothing. */
    moments->std = part.squares < 0 ? 0 : sqrt(part.squares / part.count);
    return *moments;
}
