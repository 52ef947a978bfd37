/* SPDX-License-Identifier: MIT */
/* The median in constant time of Perreault and Hebert ("Median filtering in constant time", 2007). Each
 * column has a histogram of the `size` samples around the row, of which one leaves and one joins for the next
 * row. The window's histogram is the sum of those of its columns: of 16 coarse bins, moved with every step,
 * and of 16 times 16 fine ones, of which only those of the coarse bin that holds the median are brought up to
 * date. */
#include <string.h>

#include "stages/image/median.h"
#include "stages/simd.h"

#define STRIP_PX 512u
#define BINS     16u

/* No column holds more than MEDIAN_MAX_SIZE samples, no window more than its square. */
struct column {
    uint8_t coarse[BINS];
    uint8_t fine[BINS][BINS];
};

struct window {
    uint16_t coarse[BINS];
    uint16_t fine[BINS][BINS];
    size_t known[BINS]; /* the place that each set of fine bins was brought up to, plus 1; 0 for none */
};

/* One channel of one strip. */
struct strip {
    const struct stage_run *run;
    size_t size, columns; /* the columns with margins */
    size_t *offsets;      /* of their samples in a row */
    struct column *counts;
};

static size_t columns_of(size_t size, const struct shape *in)
{
    return (in->width < STRIP_PX ? in->width : STRIP_PX) + size - 1;
}

size_t median_columns_bytes(size_t size, const struct shape *in)
{
    return scratch_add(scratch_need(columns_of(size, in), sizeof(struct column)),
                       scratch_need(columns_of(size, in), sizeof(size_t)));
}

static const uint8_t *source_row(const struct stage_run *run, int64_t y)
{
    const int64_t bottom = (int64_t)run->in.height - 1;
    return stage_src_row(run, (uint32_t)(y < 0 ? 0 : y < bottom ? y : bottom));
}

static void join(const struct strip *strip, int64_t y)
{
    const uint8_t *row = source_row(strip->run, y);
    for (size_t i = 0; i < strip->columns; i++) {
        const uint8_t value = row[strip->offsets[i]];
        strip->counts[i].coarse[value / BINS]++;
        strip->counts[i].fine[value / BINS][value % BINS]++;
    }
}

static void leave(const struct strip *strip, int64_t y)
{
    const uint8_t *row = source_row(strip->run, y);
    for (size_t i = 0; i < strip->columns; i++) {
        const uint8_t value = row[strip->offsets[i]];
        strip->counts[i].coarse[value / BINS]--;
        strip->counts[i].fine[value / BINS][value % BINS]--;
    }
}

SIMD_INLINE void add(uint16_t *restrict sum, const uint8_t *restrict bins)
{
    for (unsigned i = 0; i < BINS; i++)
        sum[i] = (uint16_t)(sum[i] + bins[i]);
}

SIMD_INLINE void exchange(uint16_t *restrict sum, const uint8_t *restrict in, const uint8_t *restrict out)
{
    for (unsigned i = 0; i < BINS; i++)
        sum[i] = (uint16_t)(sum[i] + in[i] - out[i]);
}

/* Fine bins of the window at place x, by steps or anew, whichever is less work. */
SIMD_INLINE void bring_up(struct window *window, const struct strip *strip, unsigned bin, size_t x)
{
    const struct column *counts = strip->counts;
    size_t from = window->known[bin];
    if (from == 0 || 2 * (x + 1 - from) > strip->size) {
        memset(window->fine[bin], 0, sizeof window->fine[bin]);
        for (size_t i = x; i < x + strip->size; i++)
            add(window->fine[bin], counts[i].fine[bin]);
    } else {
        for (; from <= x; from++)
            exchange(window->fine[bin], counts[from + strip->size - 1].fine[bin], counts[from - 1].fine[bin]);
    }
    window->known[bin] = x + 1;
}

/* Moves along one row; `dst` is its first sample. */
SIMD_CLONES static void columns_row(const struct strip *strip, uint8_t *dst, size_t channels)
{
    const size_t size = strip->size;
    const unsigned half = (unsigned)(size * size / 2);
    struct window window = {0};
    for (size_t i = 0; i < size; i++)
        add(window.coarse, strip->counts[i].coarse);
    for (size_t x = 0; x + size <= strip->columns; x++) {
        if (x > 0)
            exchange(window.coarse, strip->counts[x + size - 1].coarse, strip->counts[x - 1].coarse);
        unsigned below = 0, bin = 0, value = 0;
        while (below + window.coarse[bin] <= half)
            below += window.coarse[bin++];
        bring_up(&window, strip, bin, x);
        while (below + window.fine[bin][value] <= half)
            below += window.fine[bin][value++];
        dst[x * channels] = (uint8_t)(bin * BINS + value);
    }
}

int median_columns_rows(const struct stage_run *run, size_t size, uint32_t first, uint32_t last,
                        struct scratch *scratch, struct error *error)
{
    const size_t channels = run->in.channels, radius = size / 2, most = columns_of(size, &run->in);
    struct strip strip = {.run = run, .size = size};
    strip.counts = scratch_alloc(scratch, most, sizeof *strip.counts);
    strip.offsets = scratch_alloc(scratch, most, sizeof *strip.offsets);
    if (!strip.counts || !strip.offsets)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (size_t x = 0; x < run->in.width; x += STRIP_PX) {
        const size_t left = run->in.width - x;
        strip.columns = (left < STRIP_PX ? left : STRIP_PX) + size - 1;
        for (size_t c = 0; c < channels; c++) {
            for (size_t i = 0; i < strip.columns; i++) {
                const size_t at = x + i < radius ? 0 : x + i - radius;
                strip.offsets[i] = (at < run->in.width ? at : run->in.width - (size_t)1) * channels + c;
            }
            memset(strip.counts, 0, strip.columns * sizeof *strip.counts);
            for (size_t i = 0; i < size; i++)
                join(&strip, (int64_t)first + (int64_t)i - (int64_t)radius);
            for (uint32_t y = first; y < last; y++) {
                if (y > first) {
                    leave(&strip, (int64_t)y - 1 - (int64_t)radius);
                    join(&strip, (int64_t)y + (int64_t)radius);
                }
                columns_row(&strip, stage_dst_row(run, y) + x * channels + c, channels);
            }
        }
    }
    return 0;
}
