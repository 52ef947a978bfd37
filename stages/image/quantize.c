/* SPDX-License-Identifier: MIT */
/* Fewer colours: each channel to evenly spaced levels as ImageMagick's `-posterize`, or the image to a
 * palette made for it, as Pillow's quantize. With Floyd and Steinberg's dither ("An adaptive algorithm for
 * spatial greyscale", 1976), row by row from the left, what a pixel is off by goes to those after it; with
 * ordered dither Bayer's 8 x 8 matrix (1973) is added before the choice. Distances are those of encoded
 * values. */
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/image/palette.h"
#include "stages/image/point.h"
#include "stages/stage.h"

enum { DITHER_NONE, DITHER_FLOYD_STEINBERG, DITHER_ORDERED };

struct quantize_params {
    int64_t colours, levels; /* -1 where not given */
    int dither;
};

static const struct param quantize_table[] = {
    {.name = "colours",
     .type = PARAM_INT,
     .offset = offsetof(struct quantize_params, colours),
     .min = 2,
     .max = PALETTE_MOST,
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Most colours of the result, chosen for each image by median cut"},
    {.name = "levels",
     .type = PARAM_INT,
     .offset = offsetof(struct quantize_params, levels),
     .min = 2,
     .max = 256,
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Evenly spaced levels of each channel, instead of colours"},
    {.name = "dither",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct quantize_params, dither),
     .initial = "none",
     .choices = "none|floyd-steinberg|ordered",
     .unit = "",
     .help = "Hide the steps; floyd-steinberg does an image in one piece, by one worker"},
    PARAM_END,
};

/* One call of rows. Channels count without alpha. */
struct quantizer {
    const struct stage_run *run;
    const struct palette *palette; /* NULL for levels */
    unsigned colours;
    float full;
    float spread; /* how far apart neighbours in the palette are, for ordered dither */
    float *row;
    float *carried, *coming; /* what this row and the next one got; a pixel of margin on both sides */
    float last[3];           /* the colour last looked for */
    unsigned found;
};

static int quantize_check(const void *values, struct error *error)
{
    const struct quantize_params *params = values;
    if ((params->colours < 0) == (params->levels < 0))
        return error_set(error, ERROR_USAGE, "give either colours or levels");
    return 0;
}

static unsigned colours_of(const struct shape *in)
{
    return in->channels < 3 ? 1 : 3;
}

/* Levels that fewer bits can hold, see shape.h. */
static uint8_t bits_of(int64_t levels)
{
    return levels == 2 ? 1 : levels == 4 ? 2 : 15 % (levels - 1) == 0 ? 4 : 8;
}

/* Is each sample a function of its value alone? */
static bool is_point(const struct quantize_params *params)
{
    return params->levels > 0 && params->dither == DITHER_NONE;
}

static int quantize_plan(const void *values, const struct shape *in, struct stage_plan *plan,
                         struct error *error)
{
    (void)error;
    const struct quantize_params *params = values;
    if (params->levels > 0 && in->channels == 1 && in->sample == SAMPLE_U8)
        plan->out.bits = bits_of(params->levels);
    if (is_point(params)) {
        point_plan(in, plan);
        return 0;
    }
    if (params->levels < 0)
        plan->begin_scratch_bytes = scratch_add(scratch_need(1, sizeof(struct palette)), palette_bytes(in));
    plan->whole = params->dither == DITHER_FLOYD_STEINBERG;
    plan->in_place = params->levels > 0 && !plan->whole;
    plan->rows_scratch_bytes = scratch_need((size_t)in->width * in->channels, sizeof(float));
    if (plan->whole) {
        const size_t error_row = scratch_need(((size_t)in->width + 2) * colours_of(in), sizeof(float));
        plan->rows_scratch_bytes = scratch_add(plan->rows_scratch_bytes, scratch_add(error_row, error_row));
    }
    return 0;
}

static void quantize_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                 uint32_t *first, uint32_t *last)
{
    (void)out;
    if (((const struct quantize_params *)params)->levels < 0) {
        *first = 0;
        *last = in->height;
    }
}

/* For point.h: to the nearest level. NaN fails the first comparison. */
static double level_map(const void *params, double value)
{
    const double steps = (double)(((const struct quantize_params *)params)->levels - 1);
    value = value > 0 ? value : 0;
    value = value < 1 ? value : 1;
    return (double)(int)(value * steps + 0.5) / steps;
}

static int quantize_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct quantize_params *params = run->params;
    run->state = NULL;
    if (is_point(params))
        return point_begin(run, level_map, scratch, error);
    if (params->levels > 0)
        return 0;
    struct palette *palette = scratch_alloc(scratch, 1, sizeof *palette);
    if (!palette)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    run->state = palette;
    return palette_make(run, (unsigned)params->colours, palette, scratch, error);
}

/* Places along one axis when `count` colours fill a space evenly. */
static unsigned per_axis(unsigned count, unsigned axes)
{
    unsigned places = 1;
    while (axes == 3 ? places * places * places < count : places < count)
        places++;
    return places;
}

static int quantizer_open(struct quantizer *quantizer, const struct stage_run *run, struct scratch *scratch,
                          struct error *error)
{
    const struct quantize_params *params = run->params;
    const unsigned colours = colours_of(&run->in);
    const size_t margins = ((size_t)run->in.width + 2) * colours;
    *quantizer = (struct quantizer){.run = run,
                                    .palette = run->state,
                                    .colours = colours,
                                    .full = floatrow_full(run->in.sample),
                                    .last = {-1, -1, -1}};
    quantizer->spread = quantizer->full / (run->state ? (float)per_axis(quantizer->palette->count, colours)
                                                      : (float)(params->levels - 1));
    quantizer->row = scratch_alloc(scratch, (size_t)run->in.width * run->in.channels, sizeof(float));
    if (!quantizer->row)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    if (params->dither != DITHER_FLOYD_STEINBERG)
        return 0;
    quantizer->carried = scratch_alloc(scratch, margins, sizeof(float));
    quantizer->coming = scratch_alloc(scratch, margins, sizeof(float));
    if (!quantizer->carried || !quantizer->coming)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    memset(quantizer->carried, 0, margins * sizeof(float));
    return 0;
}

/* What point.h makes of one sample. */
static float nearest_level(const struct quantizer *quantizer, float value)
{
    const double full = (double)quantizer->full;
    const double result = level_map(quantizer->run->params, (double)value / full) * full;
    return quantizer->run->in.sample == SAMPLE_F32 ? (float)result : (float)(int)(result + 0.5);
}

/* Replaces a colour, whose samples are within 0 and full scale, by what the result may have. */
static void choose(struct quantizer *quantizer, float *colour)
{
    const struct palette *palette = quantizer->palette;
    if (!palette) {
        for (unsigned c = 0; c < quantizer->colours; c++)
            colour[c] = nearest_level(quantizer, colour[c]);
        return;
    }
    float wanted[3] = {0};
    memcpy(wanted, colour, quantizer->colours * sizeof *colour);
    if (memcmp(wanted, quantizer->last, sizeof wanted) != 0) {
        quantizer->found = palette_nearest(palette, wanted);
        memcpy(quantizer->last, wanted, sizeof wanted);
    }
    for (unsigned c = 0; c < quantizer->colours; c++)
        colour[c] = palette->colours[c][quantizer->found];
}

/* Bayer's matrix: the bits of y, and of x ^ y, interleaved from the lowest up. From -0.5 to 0.5, without
 * both. */
static float bayer(uint32_t x, uint32_t y)
{
    unsigned rank = 0;
    for (unsigned bit = 0; bit < 3; bit++)
        rank = rank << 2 | ((x ^ y) >> bit & 1) << 1 | (y >> bit & 1);
    return ((float)rank + 0.5f) / 64 - 0.5f;
}

static void row_plain(struct quantizer *quantizer, uint32_t y, bool ordered)
{
    const size_t channels = quantizer->run->in.channels;
    for (uint32_t x = 0; x < quantizer->run->in.width; x++) {
        float *pixel = quantizer->row + x * channels;
        const float shift = ordered ? bayer(x, y) * quantizer->spread : 0;
        for (unsigned c = 0; c < quantizer->colours; c++)
            pixel[c] = palette_level(palette_level(pixel[c], quantizer->full) + shift, quantizer->full);
        choose(quantizer, pixel);
    }
}

/* A pixel that cannot be seen passes nothing on. */
static void row_diffused(struct quantizer *quantizer)
{
    const struct shape *in = &quantizer->run->in;
    const size_t channels = in->channels, colours = quantizer->colours;
    const float full = quantizer->full;
    memset(quantizer->coming, 0, ((size_t)in->width + 2) * colours * sizeof(float));
    for (size_t x = 0; x < in->width; x++) {
        float *pixel = quantizer->row + x * channels, wanted[3];
        float *here = quantizer->carried + (x + 1) * colours, *below = quantizer->coming + (x + 1) * colours;
        for (unsigned c = 0; c < colours; c++) {
            wanted[c] = palette_level(palette_level(pixel[c], full) + here[c], full);
            pixel[c] = wanted[c];
        }
        choose(quantizer, pixel);
        if (shape_has_alpha(in) && !(pixel[colours] > 0))
            continue;
        for (unsigned c = 0; c < colours; c++) {
            const float off = (wanted[c] - pixel[c]) / 16;
            here[colours + c] += 7 * off;
            (below - colours)[c] += 3 * off;
            below[c] += 5 * off;
            below[colours + c] += off;
        }
    }
    float *done = quantizer->carried;
    quantizer->carried = quantizer->coming;
    quantizer->coming = done;
}

static int quantize_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                         struct error *error)
{
    const struct quantize_params *params = run->params;
    struct quantizer quantizer;
    if (is_point(params)) {
        point_rows(run, level_map, first, last);
        return 0;
    }
    TRY(quantizer_open(&quantizer, run, scratch, error));
    for (uint32_t y = first; y < last; y++) {
        floatrow_convert(run->in.sample, stage_src_row(run, y), quantizer.row,
                         (size_t)run->in.width * run->in.channels);
        if (params->dither == DITHER_FLOYD_STEINBERG)
            row_diffused(&quantizer);
        else
            row_plain(&quantizer, y, params->dither == DITHER_ORDERED);
        floatrow_store(&run->out, quantizer.row, stage_dst_row(run, y));
    }
    return 0;
}

const struct stage quantize_stage = {
    .name = "quantize",
    .group = "image",
    .summary = "Reduce to a few colours, or to levels of each channel; alpha is left alone",
    .params = quantize_table,
    .params_bytes = sizeof(struct quantize_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = quantize_check,
    .plan = quantize_plan,
    .source_rows = quantize_source_rows,
    .begin = quantize_begin,
    .rows = quantize_rows,
};
