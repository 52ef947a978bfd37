/* SPDX-License-Identifier: MIT */
/* Contrast limited adaptive histogram equalisation (Zuiderveld 1994, "Contrast limited adaptive histogram
 * equalization", Graphics Gems IV). At 8 bit it gives what OpenCV's CLAHE gives: the same tiles, clipping,
 * redistribution and blending between the four tiles around a pixel. Deeper samples use the same 256 bins,
 * with values between two bins mapped between what those become, so that a config means the same at every
 * depth (OpenCV takes 65536 bins at 16 bit, among which a limit per bin says something else). Every pixel
 * counts, whatever its alpha. */
#include <math.h>
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/image/luma.h"
#include "stages/image/tone.h"
#include "stages/simd.h"
#include "stages/stage.h"

#define BINS 256u

struct clahe_params {
    double clip_limit;
    int64_t tiles_x, tiles_y;
    int channels;
};

static const struct param clahe_table[] = {
    {.name = "clip_limit",
     .type = PARAM_REAL,
     .offset = offsetof(struct clahe_params, clip_limit),
     .min = 0,
     .max = 65536,
     .initial = "2",
     .unit = "",
     .help = "How many times the mean a bin of the histogram may hold; more gives more contrast, 0 does not "
             "clip"},
    {.name = "tiles_x",
     .type = PARAM_INT,
     .offset = offsetof(struct clahe_params, tiles_x),
     .min = 1,
     .max = 64,
     .initial = "8",
     .unit = "",
     .help = "Tiles across the image"},
    {.name = "tiles_y",
     .type = PARAM_INT,
     .offset = offsetof(struct clahe_params, tiles_y),
     .min = 1,
     .max = 64,
     .initial = "8",
     .unit = "",
     .help = "Tiles down the image"},
    {.name = "channels",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct clahe_params, channels),
     .initial = "luma",
     .choices = TONE_CHANNELS,
     .unit = "",
     .help = "Equalise luma, which keeps hues, or each colour on its own"},
    PARAM_END,
};

/* What begin makes. */
struct clahe_state {
    uint32_t tile_width, tile_height; /* px */
    float *tables;                    /* what each bin becomes, 0..255: planes x tiles_y x tiles_x x BINS */
    uint32_t *left, *right;           /* per column: where the tables of the tiles beside it begin */
    float *share;                     /* per column: how much of the right one */
};

/* One row of one plane. */
struct clahe_row {
    uint8_t *luma;
    float *values; /* in units of the sample type, floats within 0..1 */
    float *mapped; /* the same units */
};

/* The plane of luma, or the colour channels. */
static unsigned planes_of(const struct shape *in, int channels)
{
    return in->channels < 3 || channels == TONE_LUMA ? 1 : 3;
}

static size_t row_bytes(const struct shape *in)
{
    const size_t floats = scratch_need(in->width, sizeof(float));
    return scratch_add(scratch_need(in->width, shape_sample_bytes(in->sample)), scratch_add(floats, floats));
}

static int clahe_plan(const void *values, const struct shape *in, struct stage_plan *plan,
                      struct error *error)
{
    (void)error;
    const struct clahe_params *params = values;
    const size_t tiles = (size_t)(params->tiles_x * params->tiles_y);
    const size_t column = scratch_need(in->width, sizeof(uint32_t));
    plan->rows_scratch_bytes = row_bytes(in);
    plan->begin_scratch_bytes = scratch_need(1, sizeof(struct clahe_state)) +
                                scratch_need(planes_of(in, params->channels) * tiles * BINS, sizeof(float)) +
                                scratch_need((size_t)params->tiles_x * BINS, sizeof(uint64_t));
    plan->begin_scratch_bytes = scratch_add(plan->begin_scratch_bytes, row_bytes(in));
    for (int i = 0; i < 3; i++)
        plan->begin_scratch_bytes = scratch_add(plan->begin_scratch_bytes, column);
    return 0;
}

static void clahe_source_rows(const void *params, const struct shape *in, const struct shape *out,
                              uint32_t *first, uint32_t *last)
{
    (void)params, (void)out;
    *first = 0;
    *last = in->height;
}

static int row_open(struct clahe_row *row, const struct shape *in, struct scratch *scratch,
                    struct error *error)
{
    row->luma = scratch_alloc(scratch, in->width, shape_sample_bytes(in->sample));
    row->values = scratch_alloc(scratch, in->width, sizeof(float));
    row->mapped = scratch_alloc(scratch, in->width, sizeof(float));
    if (!row->luma || !row->values || !row->mapped)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    return 0;
}

/* One channel of `width` pixels as floats. */
SIMD_CLONES static void take_channel(const struct shape *in, unsigned channel, const uint8_t *src,
                                     float *values)
{
    const void *from = src;
    const uint16_t *deep = from;
    const float *real = from;
    const size_t step = in->channels;
    for (size_t x = 0; x < in->width; x++) {
        const size_t at = x * step + channel;
        values[x] = in->sample == SAMPLE_U8 ? src[at] : in->sample == SAMPLE_U16 ? deep[at] : real[at];
    }
}

/* Row y of a plane. NaN fails the first comparison and becomes 0. */
static void row_load(struct clahe_row *row, const struct stage_run *run, unsigned plane, uint32_t y)
{
    const struct shape *in = &run->in;
    const size_t width = in->width;
    const uint8_t *src = stage_src_row(run, y);
    if (tone_by_luma(in, ((const struct clahe_params *)run->params)->channels)) {
        luma_row(in, LUMA_REC709, src, row->luma, 1);
        floatrow_convert(in->sample, row->luma, row->values, width);
    } else {
        take_channel(in, plane, src, row->values);
    }
    if (in->sample != SAMPLE_F32)
        return;
    for (size_t x = 0; x < width; x++) {
        const float value = row->values[x] > 0.0f ? row->values[x] : 0.0f;
        row->values[x] = value < 1.0f ? value : 1.0f;
    }
}

/* Length of a tile on one axis. OpenCV lengthens the image on both axes where either has a rest, even the one
 * that has none. */
static uint32_t tile_length(uint32_t length, uint32_t tiles, bool even)
{
    return even ? length / tiles : (length + tiles - length % tiles) / tiles;
}

/* Places beyond the end mirror the image about its last pixel. */
static uint32_t reflected(uint64_t at, uint32_t length)
{
    if (at < length || length == 1)
        return at < length ? (uint32_t)at : 0;
    const uint64_t period = 2 * (uint64_t)(length - 1);
    at %= period;
    return (uint32_t)(at < length ? at : period - at);
}

/* Cuts off what is above the limit and deals it out again, the rest at even distances. */
static void clip(uint64_t *counts, uint64_t limit)
{
    uint64_t excess = 0;
    for (unsigned i = 0; i < BINS; i++) {
        excess += counts[i] > limit ? counts[i] - limit : 0;
        counts[i] = counts[i] > limit ? limit : counts[i];
    }
    for (unsigned i = 0; i < BINS; i++)
        counts[i] += excess / BINS;
    const unsigned rest = (unsigned)(excess % BINS), step = rest > 0 ? BINS / rest : 1;
    for (unsigned i = 0; i < rest; i++)
        counts[i * step]++;
}

/* A tile's histogram to what its bins become. */
static void tabulate(const struct clahe_params *params, uint64_t *counts, uint64_t pixels, bool whole,
                     float *table)
{
    const float scale = 255.0f / (float)pixels;
    if (params->clip_limit > 0) {
        const double limit = floor(params->clip_limit * (double)pixels / BINS);
        clip(counts, limit > 1 ? (uint64_t)limit : 1);
    }
    uint64_t sum = 0;
    for (unsigned i = 0; i < BINS; i++) {
        sum += counts[i];
        const float level = (float)sum * scale;
        table[i] = fminf(whole ? rintf(level) : level, 255.0f);
    }
}

/* The tables of one row of tiles. */
static void tabulate_tiles(const struct stage_run *run, const struct clahe_state *state, unsigned plane,
                           uint32_t tile_y, struct clahe_row *row, uint64_t *counts, float *tables)
{
    const struct clahe_params *params = run->params;
    const uint64_t pixels = (uint64_t)state->tile_width * state->tile_height;
    const float to_bins = 255.0f / floatrow_full(run->in.sample);
    memset(counts, 0, (size_t)params->tiles_x * BINS * sizeof *counts);
    for (uint32_t j = 0; j < state->tile_height; j++) {
        row_load(row, run, plane, reflected((uint64_t)tile_y * state->tile_height + j, run->in.height));
        uint64_t x = 0;
        for (uint64_t *tile = counts; tile < counts + params->tiles_x * BINS; tile += BINS) {
            for (uint32_t i = 0; i < state->tile_width; i++, x++)
                tile[(size_t)(row->values[reflected(x, run->in.width)] * to_bins + 0.5f)]++;
        }
    }
    for (size_t i = 0; i < (size_t)params->tiles_x; i++)
        tabulate(params, counts + i * BINS, pixels, run->in.sample == SAMPLE_U8, tables + i * BINS);
}

/* The two tiles between whose centres place `at` lies, and how much of the second. */
static float between(uint32_t at, uint32_t tile, int64_t tiles, uint32_t *before, uint32_t *after)
{
    const float place = (float)at * (1.0f / (float)tile) - 0.5f, below = floorf(place);
    const int64_t first = (int64_t)below;
    *before = (uint32_t)(first > 0 ? first : 0);
    *after = (uint32_t)(first + 1 < tiles ? first + 1 : tiles - 1);
    return place - below;
}

static int clahe_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct clahe_params *params = run->params;
    const struct shape *in = &run->in;
    const uint32_t across = (uint32_t)params->tiles_x, down = (uint32_t)params->tiles_y;
    const unsigned planes = planes_of(in, params->channels);
    const bool even = in->width % across == 0 && in->height % down == 0;
    struct clahe_row row;
    TRY(row_open(&row, in, scratch, error));
    struct clahe_state *state = scratch_alloc(scratch, 1, sizeof *state);
    uint64_t *counts = scratch_alloc(scratch, (size_t)across * BINS, sizeof *counts);
    float *tables = scratch_alloc(scratch, (size_t)planes * across * down * BINS, sizeof *tables);
    uint32_t *left = scratch_alloc(scratch, in->width, sizeof *left);
    uint32_t *right = scratch_alloc(scratch, in->width, sizeof *right);
    float *share = scratch_alloc(scratch, in->width, sizeof *share);
    if (!state || !counts || !tables || !left || !right || !share)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    *state = (struct clahe_state){.tile_width = tile_length(in->width, across, even),
                                  .tile_height = tile_length(in->height, down, even),
                                  .tables = tables,
                                  .left = left,
                                  .right = right,
                                  .share = share};
    for (unsigned plane = 0; plane < planes; plane++) {
        for (uint32_t y = 0; y < down; y++)
            tabulate_tiles(run, state, plane, y, &row, counts,
                           tables + (size_t)(plane * down + y) * across * BINS);
    }
    for (uint32_t x = 0; x < in->width; x++) {
        share[x] = between(x, state->tile_width, across, &left[x], &right[x]);
        left[x] *= BINS;
        right[x] *= BINS;
    }
    run->state = state;
    return 0;
}

/* Four tables blended, at a whole bin, and between two. */
#define BLEND(at)                                                                                            \
    ((upper[left[x] at] * (1.0f - share[x]) + upper[right[x] at] * share[x]) * (1.0f - down) +               \
     (lower[left[x] at] * (1.0f - share[x]) + lower[right[x] at] * share[x]) * down)

SIMD_CLONES static void map_row(const struct clahe_state *state, const float *upper, const float *lower,
                                float down, const struct shape *in, struct clahe_row *row)
{
    const uint32_t *const left = state->left, *const right = state->right;
    const float *const share = state->share;
    const float to_bins = 255.0f / floatrow_full(in->sample), from_bins = floatrow_full(in->sample) / 255.0f;
    for (size_t x = 0; x < in->width; x++) {
        const float place = row->values[x] * to_bins;
        unsigned bin = (unsigned)place;
        if (in->sample == SAMPLE_U8) {
            row->mapped[x] = rintf(BLEND(+bin));
            continue;
        }
        bin = bin < BINS - 1 ? bin : BINS - 2;
        const float low = BLEND(+bin), high = BLEND(+bin + 1);
        const float value = (low + (high - low) * (place - (float)bin)) * from_bins;
        row->mapped[x] = in->sample == SAMPLE_U16 ? rintf(value) : value;
    }
}

/* Into one channel of `dst`. Nothing leaves the range: what is blended lies within it. */
static void row_store(const struct shape *in, const float *mapped, unsigned plane, uint8_t *dst)
{
    void *to = dst;
    for (size_t x = 0, i = plane; x < in->width; x++, i += in->channels) {
        if (in->sample == SAMPLE_U8)
            dst[i] = (uint8_t)mapped[x];
        else if (in->sample == SAMPLE_U16)
            ((uint16_t *)to)[i] = (uint16_t)fminf(mapped[x], 65535.0f);
        else
            ((float *)to)[i] = mapped[x];
    }
}

static int clahe_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    const struct clahe_params *params = run->params;
    const struct clahe_state *state = run->state;
    const struct shape *in = &run->in;
    const bool by_luma = tone_by_luma(in, params->channels);
    const size_t tile_row = (size_t)params->tiles_x * BINS;
    struct clahe_row row;
    TRY(row_open(&row, in, scratch, error));
    for (uint32_t y = first; y < last; y++) {
        const uint8_t *src = stage_src_row(run, y);
        uint8_t *dst = stage_dst_row(run, y);
        uint32_t above, below;
        const float down = between(y, state->tile_height, params->tiles_y, &above, &below);
        if (!by_luma)
            memcpy(dst, src, shape_row_bytes(in)); /* for alpha */
        for (unsigned plane = 0; plane < planes_of(in, params->channels); plane++) {
            const float *tables = state->tables + plane * (size_t)params->tiles_y * tile_row;
            row_load(&row, run, plane, y);
            map_row(state, tables + above * tile_row, tables + below * tile_row, down, in, &row);
            if (!by_luma) {
                row_store(in, row.mapped, plane, dst);
                continue;
            }
            for (size_t x = 0; x < in->width; x++)
                row.mapped[x] -= row.values[x];
            tone_shift_row(in, src, row.mapped, dst);
        }
    }
    return 0;
}

const struct stage clahe_stage = {
    .name = "clahe",
    .group = "image",
    .summary =
        "Raise contrast place by place: adaptive histogram equalisation with a limit; alpha is left alone",
    .params = clahe_table,
    .params_bytes = sizeof(struct clahe_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = clahe_plan,
    .source_rows = clahe_source_rows,
    .begin = clahe_begin,
    .rows = clahe_rows,
};
