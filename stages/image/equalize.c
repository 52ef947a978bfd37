/* SPDX-License-Identifier: MIT */
/* Histogram equalisation as OpenCV's equalizeHist does it: value v becomes
 *
 *     full x (pixels up to v - pixels of the least value) / (all pixels - pixels of the least value)
 *
 * rounded to nearest, so that the least value becomes 0 and the greatest full scale, at 8 and at 16 bit.
 * Pillow's ImageOps.equalize counts the pixels below v and divides by a whole number of pixels per level,
 * which comes close in large images. An image of one value stays as it is. Every pixel counts, whatever its
 * alpha. */
#include <string.h>

#include "stages/image/histogram.h"
#include "stages/image/luma.h"
#include "stages/image/tone.h"
#include "stages/stage.h"

struct equalize_params {
    int channels;
};

static const struct param equalize_table[] = {
    {.name = "channels",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct equalize_params, channels),
     .initial = "each",
     .choices = TONE_CHANNELS,
     .unit = "",
     .help = "Equalise each colour on its own, as Pillow and ImageMagick, or luma, which keeps hues"},
    PARAM_END,
};

/* New values for each colour channel, or by how much each luma moves the colours. */
struct equalize_state {
    void *tables[3];
    float *shifts;
};

static unsigned tables_of(const struct shape *in, int channels)
{
    return in->channels < 3 || channels == TONE_LUMA ? 1 : 3;
}

static int equalize_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    (void)error;
    const int channels = ((const struct equalize_params *)params)->channels;
    const size_t bins = histogram_bins(in->sample), size = shape_sample_bytes(in->sample);
    plan->begin_scratch_bytes = scratch_need(1, sizeof(struct equalize_state)) +
                                scratch_need(bins, sizeof(uint64_t)) +
                                tables_of(in, channels) * scratch_need(bins, size);
    if (tone_by_luma(in, channels)) {
        const size_t luma = scratch_need(in->width, size);
        plan->begin_scratch_bytes += scratch_need(bins, sizeof(float));
        plan->begin_scratch_bytes = scratch_add(plan->begin_scratch_bytes, luma);
        plan->rows_scratch_bytes = scratch_add(luma, scratch_need(in->width, sizeof(float)));
    }
    return 0;
}

static void equalize_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                 uint32_t *first, uint32_t *last)
{
    (void)params, (void)out;
    *first = 0;
    *last = in->height;
}

static void count(uint8_t sample, const void *samples, size_t number, size_t step, uint64_t *counts)
{
    if (sample == SAMPLE_U8)
        histogram_add_u8(samples, number, step, counts);
    else
        histogram_add_u16(samples, number, step, counts);
}

static void count_channel(const struct stage_run *run, unsigned channel, uint64_t *counts)
{
    const uint8_t *samples = run->src + channel * shape_sample_bytes(run->in.sample);
    const size_t pixels = (size_t)run->in.width * run->in.height;
    memset(counts, 0, histogram_bins(run->in.sample) * sizeof *counts);
    count(run->in.sample, samples, pixels, run->in.channels, counts);
}

static void count_luma(const struct stage_run *run, uint8_t *luma, uint64_t *counts)
{
    memset(counts, 0, histogram_bins(run->in.sample) * sizeof *counts);
    for (uint32_t y = 0; y < run->in.height; y++) {
        luma_row(&run->in, LUMA_REC709, stage_src_row(run, y), luma, 1);
        count(run->in.sample, luma, run->in.width, 1, counts);
    }
}

static void put(uint8_t sample, void *table, size_t at, uint64_t value)
{
    if (sample == SAMPLE_U8)
        ((uint8_t *)table)[at] = (uint8_t)value;
    else
        ((uint16_t *)table)[at] = (uint16_t)value;
}

/* A pixel count times full scale fits: an image has less than 2^46 pixels, or its bytes would not. */
static void equalise(uint8_t sample, const uint64_t *counts, uint64_t pixels, void *table)
{
    const size_t bins = histogram_bins(sample);
    size_t least = 0;
    while (least + 1 < bins && counts[least] == 0)
        least++;
    const uint64_t spread = pixels - counts[least];
    uint64_t above = 0;
    for (size_t v = 0; v < bins; v++) {
        above += v > least ? counts[v] : 0;
        put(sample, table, v, spread == 0 ? v : (2 * (bins - 1) * above + spread) / (2 * spread));
    }
}

static int equalize_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const uint8_t sample = run->in.sample;
    const int channels = ((const struct equalize_params *)run->params)->channels;
    const size_t bins = histogram_bins(sample), size = shape_sample_bytes(sample);
    const uint64_t pixels = (uint64_t)run->in.width * run->in.height;
    const bool by_luma = tone_by_luma(&run->in, channels);
    struct equalize_state *state = scratch_alloc(scratch, 1, sizeof *state);
    uint64_t *counts = scratch_alloc(scratch, bins, sizeof *counts);
    if (!state || !counts)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    *state = (struct equalize_state){0};
    for (unsigned c = 0; c < tables_of(&run->in, channels); c++) {
        uint8_t *luma = by_luma ? scratch_alloc(scratch, run->in.width, size) : NULL;
        state->tables[c] = scratch_alloc(scratch, bins, size);
        if (!state->tables[c] || (by_luma && !luma))
            return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
        if (by_luma)
            count_luma(run, luma, counts);
        else
            count_channel(run, c, counts);
        equalise(sample, counts, pixels, state->tables[c]);
    }
    if (by_luma) {
        state->shifts = scratch_alloc(scratch, bins, sizeof(float));
        if (!state->shifts)
            return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
        for (size_t v = 0; v < bins; v++)
            state->shifts[v] = (float)(sample == SAMPLE_U8 ? ((uint8_t *)state->tables[0])[v]
                                                           : ((uint16_t *)state->tables[0])[v]) -
                               (float)v;
    }
    run->state = state;
    return 0;
}

#define LOOK_UP(name, type)                                                                                  \
    static void name(void *const tables[3], const type *src, type *dst, size_t pixels, unsigned channels)    \
    {                                                                                                        \
        const type *const red = tables[0], *const green = tables[1], *const blue = tables[2];                \
        if (channels < 3) {                                                                                  \
            for (size_t i = 0; i < pixels * channels; i++)                                                   \
                dst[i] = channels == 1 || i % 2 == 0 ? red[src[i]] : src[i];                                 \
            return;                                                                                          \
        }                                                                                                    \
        for (size_t x = 0; x < pixels; x++, src += channels, dst += channels) {                              \
            dst[0] = red[src[0]];                                                                            \
            dst[1] = green[src[1]];                                                                          \
            dst[2] = blue[src[2]];                                                                           \
            if (channels == 4)                                                                               \
                dst[3] = src[3];                                                                             \
        }                                                                                                    \
    }

LOOK_UP(look_up_u8, uint8_t)
LOOK_UP(look_up_u16, uint16_t)

static int rows_by_luma(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                        struct error *error)
{
    const float *shifts = ((const struct equalize_state *)run->state)->shifts;
    const size_t width = run->in.width;
    uint8_t *luma = scratch_alloc(scratch, width, shape_sample_bytes(run->in.sample));
    float *shift = scratch_alloc(scratch, width, sizeof *shift);
    if (!luma || !shift)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    const void *samples = luma;
    const uint16_t *luma16 = samples;
    for (uint32_t y = first; y < last; y++) {
        const uint8_t *src = stage_src_row(run, y);
        luma_row(&run->in, LUMA_REC709, src, luma, 1);
        for (size_t x = 0; x < width; x++)
            shift[x] = shifts[run->in.sample == SAMPLE_U8 ? luma[x] : luma16[x]];
        tone_shift_row(&run->in, src, shift, stage_dst_row(run, y));
    }
    return 0;
}

static int equalize_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                         struct error *error)
{
    const struct equalize_state *state = run->state;
    if (state->shifts)
        return rows_by_luma(run, first, last, scratch, error);
    const size_t pixels = (last - first) * (size_t)run->in.width;
    const void *src = stage_src_row(run, first);
    void *dst = stage_dst_row(run, first);
    if (run->in.sample == SAMPLE_U8)
        look_up_u8(state->tables, src, dst, pixels, run->in.channels);
    else
        look_up_u16(state->tables, src, dst, pixels, run->in.channels);
    return 0;
}

const struct stage equalize_stage = {
    .name = "equalize",
    .group = "image",
    .summary = "Spread the tones evenly: histogram equalisation; alpha is left alone",
    .params = equalize_table,
    .params_bytes = sizeof(struct equalize_params),
    .accepts = STAGE_8_16,
    .windows = true,
    .plan = equalize_plan,
    .source_rows = equalize_source_rows,
    .begin = equalize_begin,
    .rows = equalize_rows,
};
