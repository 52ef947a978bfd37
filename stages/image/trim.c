/* SPDX-License-Identifier: MIT */
/* Cuts away a border of one colour, as `vips find_trim` (with line_art, so without a median filter) and
 * ImageMagick's -trim: what stays is the smallest box that holds every pixel that is not background. A pixel
 * is background where no channel of it, laid over the background, is further from it than the threshold; so
 * what is fully transparent always is. Where the background is taken from a corner that is fully transparent,
 * only alpha counts. An image that is all background stays as it is: of the tools, one gives nothing and one
 * a single pixel, and neither is what a batch wants to go on with. NaN is no background. */
#include <math.h>
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/stage.h"

struct trim_params {
    double threshold;
    struct colour background; /* none: the corner's */
    int64_t margin;
};

#define MAX_PX 4294967295.0

static const struct param trim_table[] = {
    {.name = "threshold",
     .type = PARAM_REAL,
     .offset = offsetof(struct trim_params, threshold),
     .min = 0,
     .max = 1,
     .initial = "0.04",
     .unit = "of full scale",
     .help = "How far from the background a channel may be; 0: the very same colour"},
    {.name = "background",
     .type = PARAM_COLOUR,
     .offset = offsetof(struct trim_params, background),
     .initial = "corner",
     .choices = "corner",
     .unit = "",
     .help = "Colour of the border; corner: that of the top left pixel"},
    {.name = "margin",
     .type = PARAM_INT,
     .offset = offsetof(struct trim_params, margin),
     .min = 0,
     .max = MAX_PX,
     .initial = "0",
     .unit = "px",
     .help = "How much of the border to keep on each side, where there is that much"},
    PARAM_END,
};

struct trim_state {
    uint32_t left, top;
};

/* What pixels are compared with, in the units of the samples. */
struct border {
    unsigned alpha;  /* the channel that is alpha; 0: there is none */
    unsigned colour; /* how far apart two colour channels are: 0 where there is one, for all three */
    bool nothing;
    double background[3];
    double full, limit;
};

static int trim_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    (void)params, (void)error;
    plan->out.bits = in->bits;
    plan->whole = true;
    plan->settles = true;
    plan->in_place = true;
    plan->begin_scratch_bytes = scratch_need(1, sizeof(struct trim_state));
    return 0;
}

static double sample_at(uint8_t sample, const uint8_t *samples, size_t index)
{
    const void *at = samples;
    if (sample == SAMPLE_U8)
        return samples[index];
    return sample == SAMPLE_U16 ? ((const uint16_t *)at)[index] : (double)((const float *)at)[index];
}

static struct border border_of(const struct stage_run *run)
{
    const struct trim_params *params = run->params;
    const double full = (double)floatrow_full(run->in.sample);
    const struct colour *named = &params->background;
    const bool corner = named->none;
    struct border border = {.alpha = shape_has_alpha(&run->in) ? run->in.channels - 1u : 0,
                            .colour = run->in.channels < 3 ? 0 : 1,
                            .full = full,
                            .limit = params->threshold * full};
    const uint16_t values[] = {named->red, named->green, named->blue};
    border.nothing = corner && border.alpha && sample_at(run->in.sample, run->src, border.alpha) <= 0;
    for (unsigned c = 0; c < 3; c++)
        border.background[c] = corner      ? sample_at(run->in.sample, run->src, c * border.colour)
                               : full == 1 ? values[c] / 65535.0
                                           : round(values[c] * (full / 65535));
    return border;
}

static bool background_at(const struct stage_run *run, const struct border *border, uint32_t x, uint32_t y)
{
    const uint8_t sample = run->in.sample;
    const uint8_t *pixel = run->src + ((size_t)y * run->in.width + x) * shape_pixel_bytes(&run->in);
    const double alpha = border->alpha ? sample_at(sample, pixel, border->alpha) / border->full : 1;
    if (alpha <= 0)
        return true;
    if (border->nothing)
        return alpha * border->full <= border->limit;
    for (unsigned c = 0; c < 3; c++) {
        const double value = sample_at(sample, pixel, c * border->colour);
        if (!(fabs(value - border->background[c]) * alpha <= border->limit))
            return false;
    }
    return true;
}

struct box {
    uint32_t left, top, right, bottom; /* right and bottom are the first beyond it */
};

/* The smallest box with all that is not background; left >= right where there is none. A row is looked at
 * from its ends, as far as it could widen the box, and then within the box until something is found. */
static struct box find_box(const struct stage_run *run, const struct border *border)
{
    struct box box = {.left = run->in.width};
    for (uint32_t y = 0; y < run->in.height; y++) {
        uint32_t from = 0, to = run->in.width;
        while (from < box.left && background_at(run, border, from, y))
            from++;
        const uint32_t least = from > box.right ? from : box.right;
        while (to > least && background_at(run, border, to - 1, y))
            to--;
        bool here = from < box.left || to > least;
        for (uint32_t x = box.left; !here && x < box.right; x++)
            here = !background_at(run, border, x, y);
        if (!here)
            continue;
        box.top = box.bottom ? box.top : y;
        box.bottom = y + 1;
        box.left = from;
        box.right = to > box.right ? to : box.right;
    }
    return box;
}

static uint32_t less(uint32_t at, int64_t margin)
{
    return margin < at ? at - (uint32_t)margin : 0;
}

static uint32_t more(uint32_t at, int64_t margin, uint32_t most)
{
    return margin < most - at ? at + (uint32_t)margin : most;
}

static int trim_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct trim_params *params = run->params;
    struct trim_state *state = scratch_alloc(scratch, 1, sizeof *state);
    if (!state)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    *state = (struct trim_state){0};
    run->state = state;
    const struct border border = border_of(run);
    const struct box box = find_box(run, &border);
    if (box.left >= box.right)
        return 0;
    state->left = less(box.left, params->margin);
    state->top = less(box.top, params->margin);
    run->out.width = more(box.right, params->margin, run->in.width) - state->left;
    run->out.height = more(box.bottom, params->margin, run->in.height) - state->top;
    return 0;
}

static int trim_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch, (void)error;
    const struct trim_state *state = run->state;
    const size_t in_row = shape_row_bytes(&run->in), out_row = shape_row_bytes(&run->out);
    const uint8_t *box = run->src + state->top * in_row + state->left * shape_pixel_bytes(&run->in);
    /* In place rows move towards the start, over what was moved before. */
    for (uint32_t y = first; y < last; y++)
        memmove(run->dst + y * out_row, box + y * in_row, out_row);
    return 0;
}

const struct stage trim_stage = {
    .name = "trim",
    .group = "image",
    .summary = "Cut away a border of one colour",
    .params = trim_table,
    .params_bytes = sizeof(struct trim_params),
    .accepts = STAGE_ANY,
    .plan = trim_plan,
    .begin = trim_begin,
    .rows = trim_rows,
};
