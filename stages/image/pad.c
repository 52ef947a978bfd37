/* SPDX-License-Identifier: MIT */
/* Adds a border, by sides or up to a size. The ways to fill it are those of `vips embed`: with one colour,
 * with the pixels at the edge, or with the image again, as it is or mirrored (the edge pixel twice, numpy's
 * "symmetric"). Pixels are moved, never computed. */
#include <string.h>

#include "stages/image/pixels.h"
#include "stages/stage.h"

/* Cell 3 * row + column of a 3 x 3 grid. */
#define GRAVITIES "north-west|north|north-east|west|centre|east|south-west|south|south-east"

enum {
    EXTEND_AUTO,
    EXTEND_BLACK,
    EXTEND_WHITE,
    EXTEND_BACKGROUND,
    EXTEND_COPY,
    EXTEND_REPEAT,
    EXTEND_MIRROR
};

struct pad_params {
    int64_t left, top, right, bottom; /* px */
    int64_t width, height;            /* px; -1 where not given */
    int gravity, extend;
    struct colour background;
};

struct pad_state {
    uint32_t *columns; /* the input column of each output column, where the border comes from the image */
    uint8_t *fill;     /* an output row of border, where it is one colour */
};

#define MAX_PX 4294967295.0

#define SIDE(side, text)                                                                                     \
    {                                                                                                        \
        .name = #side, .type = PARAM_INT, .offset = offsetof(struct pad_params, side), .min = 0,             \
        .max = MAX_PX, .initial = "0", .unit = "px", .help = text                                            \
    }

#define LENGTH(length, text)                                                                                 \
    {                                                                                                        \
        .name = #length, .type = PARAM_INT, .offset = offsetof(struct pad_params, length), .min = 1,         \
        .max = MAX_PX, .initial = "none", .choices = "none", .unit = "px", .help = text                      \
    }

static const struct param pad_table[] = {
    SIDE(left, "Columns to add on the left"),
    SIDE(top, "Rows to add above"),
    SIDE(right, "Columns to add on the right"),
    SIDE(bottom, "Rows to add below"),
    LENGTH(width, "Width of the result, instead of left and right"),
    LENGTH(height, "Height of the result, instead of top and bottom"),
    {.name = "gravity",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct pad_params, gravity),
     .initial = "centre",
     .choices = GRAVITIES,
     .unit = "",
     .help = "Where the image lies in a result of given width or height"},
    {.name = "extend",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct pad_params, extend),
     .initial = "auto",
     .choices = "auto|black|white|background|copy|repeat|mirror",
     .unit = "",
     .help = "What fills the border; black is transparent where there is alpha, white and background opaque; "
             "auto: background where one is given, else black"},
    {.name = "background",
     .type = PARAM_COLOUR,
     .offset = offsetof(struct pad_params, background),
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Colour of the border; grey images become RGB where it is not a grey; none is white with "
             "extend=background"},
    PARAM_END,
};

static int extend_of(const struct pad_params *params)
{
    if (params->extend != EXTEND_AUTO)
        return params->extend;
    return params->background.none ? EXTEND_BLACK : EXTEND_BACKGROUND;
}

static int pad_check(const void *values, struct error *error)
{
    const struct pad_params *params = values;
    if (params->width > 0 && (params->left > 0 || params->right > 0))
        return error_set(error, ERROR_USAGE, "give either width or left and right, not both");
    if (params->height > 0 && (params->top > 0 || params->bottom > 0))
        return error_set(error, ERROR_USAGE, "give either height or top and bottom, not both");
    if (params->width < 0 && params->height < 0 &&
        params->left + params->top + params->right + params->bottom == 0)
        return error_set(error, ERROR_USAGE, "needs a border: left, top, right, bottom, or width and height");
    if (!params->background.none && extend_of(params) != EXTEND_BACKGROUND)
        return error_set(error, ERROR_USAGE, "a background goes with extend=background");
    return 0;
}

/* On one axis: what comes before the image, and how long all of it is. `third` is 0, 1 or 2: the image at the
 * start, in the middle, at the end. */
static int64_t before(int64_t side, int64_t length, int third, int64_t image)
{
    return length < 0 ? side : (length - image) * third / 2;
}

static int64_t total(int64_t side, int64_t length, int64_t other_side, int64_t image)
{
    return length < 0 ? side + image + other_side : length;
}

static int64_t left_px(const struct pad_params *params, const struct shape *in)
{
    return before(params->left, params->width, params->gravity % 3, in->width);
}

static int64_t top_px(const struct pad_params *params, const struct shape *in)
{
    return before(params->top, params->height, params->gravity / 3, in->height);
}

static bool of_one_colour(const struct pad_params *params)
{
    return extend_of(params) <= EXTEND_BACKGROUND;
}

static int pad_plan(const void *values, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    const struct pad_params *params = values;
    const struct colour *back = &params->background;
    const int64_t width = total(params->left, params->width, params->right, in->width);
    const int64_t height = total(params->top, params->height, params->bottom, in->height);
    if (width < in->width || height < in->height)
        return error_set(error, ERROR_USAGE,
                         "the image of %ux%u px is larger than the %lldx%lld px asked for; resize or crop it "
                         "first",
                         in->width, in->height, (long long)width, (long long)height);
    if (width > UINT32_MAX || height > UINT32_MAX)
        return error_set(error, ERROR_LIMIT, "%lldx%lld px are more than an image can have", (long long)width,
                         (long long)height);
    plan->out.width = (uint32_t)width;
    plan->out.height = (uint32_t)height;
    if (extend_of(params) != EXTEND_BACKGROUND)
        plan->out.bits = in->bits;
    else if (in->channels < 3 && (back->red != back->green || back->green != back->blue))
        plan->out.channels = (uint8_t)(in->channels + 2);
    plan->begin_scratch_bytes =
        scratch_add(scratch_need(1, sizeof(struct pad_state)),
                    of_one_colour(params) ? scratch_need(plan->out.width, shape_pixel_bytes(&plan->out))
                                          : scratch_need(plan->out.width, sizeof(uint32_t)));
    return 0;
}

/* The place in an image of `length` that place `at`, which may lie outside, is filled from. */
static uint32_t inside(int64_t at, uint32_t length, int extend)
{
    if (extend == EXTEND_MIRROR) {
        const int64_t period = 2 * (int64_t)length;
        at = (at % period + period) % period;
        return (uint32_t)(at < length ? at : period - 1 - at);
    }
    if (extend == EXTEND_REPEAT)
        return (uint32_t)((at % length + length) % length);
    return (uint32_t)(at < 0 ? 0 : at < length ? at : length - 1);
}

static void pad_source_rows(const void *values, const struct shape *in, const struct shape *out,
                            uint32_t *first, uint32_t *last)
{
    (void)out;
    const struct pad_params *params = values;
    const int64_t top = top_px(params, in);
    const int64_t from = *first - top, to = *last - top;
    if (extend_of(params) >= EXTEND_REPEAT && (from < 0 || to > in->height)) {
        *first = 0;
        *last = in->height;
        return;
    }
    *first = inside(from, in->height, EXTEND_COPY);
    *last = inside(to - 1, in->height, EXTEND_COPY) + 1;
}

/* One pixel of border. */
static void fill_pixel(const struct pad_params *params, const struct shape *out, uint8_t *pixel)
{
    static const struct colour white = {.red = 65535, .green = 65535, .blue = 65535};
    const struct colour *colour = params->background.none ? &white : &params->background;
    const uint16_t levels[] = {colour->red, colour->green, colour->blue};
    void *samples = pixel;
    memset(pixel, 0, shape_pixel_bytes(out));
    if (extend_of(params) == EXTEND_BLACK)
        return;
    for (unsigned c = 0; c < out->channels; c++) {
        const bool alpha = shape_has_alpha(out) && c + 1 == out->channels;
        const uint16_t level = alpha ? 65535 : levels[c];
        if (out->sample == SAMPLE_U8)
            pixel[c] = (uint8_t)((level + 128u) / 257u);
        else if (out->sample == SAMPLE_U16)
            ((uint16_t *)samples)[c] = level;
        else
            ((float *)samples)[c] = (float)level / 65535.0f;
    }
}

static int pad_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct pad_params *params = run->params;
    const size_t size = shape_pixel_bytes(&run->out);
    struct pad_state *state = scratch_alloc(scratch, 1, sizeof *state);
    const bool fill = of_one_colour(params);
    void *row = scratch_alloc(scratch, run->out.width, fill ? size : sizeof(uint32_t));
    if (!state || !row)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    *state = (struct pad_state){.columns = fill ? NULL : row, .fill = fill ? row : NULL};
    uint8_t pixel[4 * SHAPE_MAX_CHANNELS];
    if (fill)
        fill_pixel(params, &run->out, pixel);
    for (uint32_t x = 0; x < run->out.width; x++) {
        if (fill)
            memcpy(state->fill + x * size, pixel, size);
        else
            state->columns[x] = inside(x - left_px(params, &run->in), run->in.width, extend_of(params));
    }
    run->state = state;
    return 0;
}

/* Grey of `size` bytes to RGB, with alpha behind where there is one. */
static void spread(const struct shape *in, const uint8_t *src, uint8_t *dst)
{
    const size_t size = shape_sample_bytes(in->sample);
    for (uint32_t x = 0; x < in->width; x++) {
        for (int c = 0; c < 3; c++, dst += size)
            memcpy(dst, src, size);
        src += size;
        if (shape_has_alpha(in)) {
            memcpy(dst, src, size);
            dst += size;
            src += size;
        }
    }
}

static int pad_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                    struct error *error)
{
    (void)scratch, (void)error;
    const struct pad_params *params = run->params;
    const struct pad_state *state = run->state;
    const int64_t left = left_px(params, &run->in), top = top_px(params, &run->in);
    const size_t size = shape_pixel_bytes(&run->out);
    const size_t in_row = shape_row_bytes(&run->in), out_row = shape_row_bytes(&run->out);
    const size_t margin = (size_t)left, end = margin + run->in.width, after = run->out.width - end;
    for (uint32_t y = first; y < last; y++) {
        const int64_t at = y - top;
        const uint8_t *src = stage_src_row(run, inside(at, run->in.height, extend_of(params)));
        uint8_t *dst = stage_dst_row(run, y);
        if (state->fill && (at < 0 || at >= run->in.height)) {
            memcpy(dst, state->fill, out_row);
            continue;
        }
        if (run->in.channels == run->out.channels)
            memcpy(dst + margin * size, src, in_row);
        else
            spread(&run->in, src, dst + margin * size);
        if (state->fill) {
            memcpy(dst, state->fill, margin * size);
            memcpy(dst + end * size, state->fill, after * size);
        } else {
            pixels_pick(src, state->columns, dst, margin, size);
            pixels_pick(src, state->columns + end, dst + end * size, after, size);
        }
    }
    return 0;
}

const struct stage pad_stage = {
    .name = "pad",
    .group = "image",
    .summary = "Add a border of a colour, of edge pixels, or of the image repeated or mirrored",
    .params = pad_table,
    .params_bytes = sizeof(struct pad_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = pad_check,
    .plan = pad_plan,
    .source_rows = pad_source_rows,
    .begin = pad_begin,
    .rows = pad_rows,
};
