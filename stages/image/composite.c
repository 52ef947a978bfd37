/* SPDX-License-Identifier: MIT */
/* Lays an image from a file over the item: a watermark, a logo, a frame. Source over destination (Porter and
 * Duff 1984, "over") on encoded values, neither side premultiplied:
 *
 *   a = as + ad (1 - as)       c = (cs as + cd ad (1 - as)) / a
 *
 * with as the alpha of the file's pixel times `opacity`. The result has the item's channels and sample type:
 * what is laid over it is converted, full scale to full scale, grey to three equal channels, colour over a
 * grey item to its luma (BT.709, as grayscale's default). Colours are rounded once, to the nearest; where
 * nothing is laid over a pixel, or nothing that can be seen, it stays as it was. */
#include <string.h>

#include "stages/image/floatrow.h"
#include "stages/stage.h"

/* In this order each gravity is 3 * row + column of a 3 x 3 grid, after `none`. */
#define GRAVITIES "none|north-west|north|north-east|west|centre|east|south-west|south|south-east"
enum { GRAVITY_NONE };

struct composite_params {
    struct param_file file;
    int64_t left, top; /* px; less than LEAST_PX where not given */
    int gravity;
    int64_t margin;
    double opacity;
    bool tile;
};

#define LEAST_PX (-2147483648.0)
#define MOST_PX  2147483647.0

#define CORNER(side, text)                                                                                   \
    {                                                                                                        \
        .name = #side, .type = PARAM_INT, .offset = offsetof(struct composite_params, side),                 \
        .min = LEAST_PX, .max = MOST_PX, .initial = "none", .choices = "none", .unit = "px", .help = text    \
    }

static const struct param composite_table[] = {
    {.name = "file",
     .type = PARAM_FILE,
     .offset = offsetof(struct composite_params, file),
     .unit = "",
     .help = "The image to lay over the item, such as logo.png"},
    CORNER(left, "Column of the item where the image begins, may be negative; 0 without it and gravity"),
    CORNER(top, "Row of the item where the image begins, may be negative; 0 without it and gravity"),
    {.name = "gravity",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct composite_params, gravity),
     .initial = "none",
     .choices = GRAVITIES,
     .unit = "",
     .help = "Where the image lies, instead of left and top"},
    {.name = "margin",
     .type = PARAM_INT,
     .offset = offsetof(struct composite_params, margin),
     .min = 0,
     .max = MOST_PX,
     .initial = "0",
     .unit = "px",
     .help = "How far from the edges that gravity names"},
    {.name = "opacity",
     .type = PARAM_REAL,
     .offset = offsetof(struct composite_params, opacity),
     .min = 0,
     .max = 1,
     .initial = "1",
     .unit = "",
     .help = "What the alpha of the image is multiplied with"},
    {.name = "tile",
     .type = PARAM_BOOL,
     .offset = offsetof(struct composite_params, tile),
     .initial = "false",
     .unit = "",
     .help = "Repeat the image in all directions until the item is covered"},
    PARAM_END,
};

/* The image is unpacked for each item. */
static const struct codec_limits limits = {.max_pixels = 1 << 26,
                                           .max_width = INT32_MAX,
                                           .max_height = INT32_MAX,
                                           .max_metadata_bytes = 1 << 24,
                                           .max_elements = 1 << 28,
                                           .max_file_bytes = 1 << 30};

struct composite_state {
    struct shape shape; /* of the image from the file */
    const uint8_t *samples;
    int64_t left, top;
};

/* What is in the file; *codec reads it. */
static int look_at(const struct param_file *file, const struct codec **codec, struct codec_info *info,
                   struct error *error)
{
    if (!file->path || !file->bytes)
        return error_set(error, ERROR_USAGE, "file: none was read");
    *codec = codec_sniff(file->bytes, file->length_bytes);
    if (!*codec || !((*codec)->kinds & CODEC_IMAGES) || (*codec)->late)
        return error_set(error, ERROR_UNSUPPORTED, "file: %.100s is no image", file->path);
    struct error inner = {0};
    const size_t head = file->length_bytes < CODEC_HEAD_BYTES ? file->length_bytes : CODEC_HEAD_BYTES;
    const int code = (*codec)->peek(file->bytes, head, file->length_bytes, &limits, info, &inner);
    if (code < 0)
        return error_set(error, (enum error_code)code, "file: %.60s: %.120s", file->path, inner.reason);
    if (info->shape.kind != SHAPE_IMAGE)
        return error_set(error, ERROR_UNSUPPORTED, "file: %.100s is no image", file->path);
    return 0;
}

static int composite_check(const void *values, struct error *error)
{
    const struct composite_params *params = values;
    if (!params->file.path)
        return error_set(error, ERROR_USAGE, "file: give an image, such as logo.png");
    if (params->gravity != GRAVITY_NONE &&
        ((double)params->left >= LEAST_PX || (double)params->top >= LEAST_PX))
        return error_set(error, ERROR_USAGE, "give either gravity or left and top, not both");
    if (params->gravity == GRAVITY_NONE && params->margin > 0)
        return error_set(error, ERROR_USAGE, "a margin goes with gravity");
    /* What is no image is so for every item. */
    const struct codec *codec;
    struct codec_info info;
    struct error inner = {0};
    if (params->file.bytes && look_at(&params->file, &codec, &info, &inner) < 0)
        return error_set(error, ERROR_USAGE, "%s", inner.reason);
    return 0;
}

/* Floats of one row of the image, as `load` leaves it: the item's colours, then alpha. */
static size_t row_floats(const struct shape *item, uint32_t width)
{
    return (size_t)width * ((item->channels < 3 ? 1 : 3) + 1u);
}

static int composite_plan(const void *values, const struct shape *in, struct stage_plan *plan,
                          struct error *error)
{
    const struct codec *codec;
    struct codec_info info;
    TRY(look_at(&((const struct composite_params *)values)->file, &codec, &info, error));
    const struct shape *shape = &info.shape;
    size_t need = scratch_need(1, sizeof(struct composite_state));
    need = scratch_add(need, scratch_need(1, shape_bytes(shape)));
    plan->begin_scratch_bytes = scratch_add(need, scratch_need(1, info.scratch_bytes));
    plan->rows_scratch_bytes =
        scratch_add(scratch_need(row_floats(in, shape->width), sizeof(float)),
                    scratch_need((size_t)shape->width * shape->channels, sizeof(float)));
    plan->in_place = true;
    return 0;
}

/* Where the image begins on one axis. `third` is 0, 1 or 2: at the start, in the middle, at the end. */
static int64_t origin(const struct composite_params *params, int64_t given, int third, int64_t image,
                      int64_t item)
{
    if (params->gravity == GRAVITY_NONE)
        return (double)given >= LEAST_PX ? given : 0;
    return third == 0 ? params->margin : third == 1 ? (item - image) / 2 : item - image - params->margin;
}

static int unpack(const struct param_file *file, const struct codec *codec, const struct codec_info *info,
                  struct composite_state *state, uint8_t *room, struct scratch *scratch, struct error *error)
{
    struct codec_decode job = {.limits = &limits,
                               .bytes = file->bytes,
                               .length_bytes = file->length_bytes,
                               .pixels = room,
                               .pixels_bytes = shape_bytes(&info->shape),
                               .found_at = SIZE_MAX,
                               .scratch = scratch};
    struct error inner = {0};
    const int code = codec->decode(&job, &inner);
    if (code < 0)
        return error_set(error, (enum error_code)code, "file: %.60s: %.120s", file->path, inner.reason);
    if (job.shape.kind != SHAPE_IMAGE || job.shape.width != info->shape.width ||
        job.shape.channels > info->shape.channels || shape_bytes(&job.shape) > shape_bytes(&info->shape))
        return error_set(error, ERROR_CORRUPT, "file: %.60s is not what its header says", file->path);
    state->shape = job.shape;
    state->samples = job.found_at == SIZE_MAX ? room : file->bytes + job.found_at;
    return 0;
}

static int composite_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct composite_params *params = run->params;
    const struct codec *codec = NULL;
    struct codec_info info;
    TRY(look_at(&params->file, &codec, &info, error));
    struct composite_state *state = scratch_alloc(scratch, 1, sizeof *state);
    uint8_t *room = scratch_alloc(scratch, 1, shape_bytes(&info.shape));
    struct scratch inner = {.base = scratch_alloc(scratch, 1, info.scratch_bytes),
                            .size_bytes = info.scratch_bytes};
    if (!state || !room || !inner.base)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    TRY(unpack(&params->file, codec, &info, state, room, &inner, error));
    const int cell = params->gravity - 1;
    state->left = origin(params, params->left, cell % 3, state->shape.width, run->in.width);
    state->top = origin(params, params->top, cell / 3, state->shape.height, run->in.height);
    run->state = state;
    return 0;
}

/* Within 0 and `most`; NaN becomes 0. */
static float clamped(float value, float most)
{
    return value > 0 ? value < most ? value : most : 0;
}

/* Row y of the image as the item's colours in the units of its samples, and alpha from 0 to 1. */
static void load(const struct composite_state *state, const struct shape *item, float opacity, uint32_t y,
                 float *samples, float *row)
{
    const struct shape *shape = &state->shape;
    const unsigned from = shape->channels, colours = item->channels < 3 ? 1 : 3;
    const float in_full = floatrow_full(shape->sample), full = floatrow_full(item->sample);
    floatrow_convert(shape->sample, state->samples + y * shape_row_bytes(shape), samples,
                     (size_t)shape->width * from);
    for (size_t x = 0; x < shape->width; x++) {
        const float *pixel = samples + x * from;
        float *to = row + x * (colours + 1);
        for (unsigned c = 0; c < colours; c++)
            to[c] = pixel[from < 3 ? 0 : c] * full / in_full;
        if (from >= 3 && colours == 1)
            to[0] = (0.2126f * pixel[0] + 0.7152f * pixel[1] + 0.0722f * pixel[2]) * full / in_full;
        to[colours] = opacity * (shape_has_alpha(shape) ? clamped(pixel[from - 1] / in_full, 1) : 1.0f);
    }
}

static float sample_at(uint8_t sample, const uint8_t *samples, size_t index)
{
    const void *at = samples;
    if (sample == SAMPLE_U8)
        return samples[index];
    return sample == SAMPLE_U16 ? ((const uint16_t *)at)[index] : ((const float *)at)[index];
}

/* Rounded and within the range; NaN becomes 0. Floats as they are. */
static void store(uint8_t sample, float value, uint8_t *samples, size_t index)
{
    void *at = samples;
    if (sample == SAMPLE_F32)
        ((float *)at)[index] = value;
    else if (sample == SAMPLE_U16)
        ((uint16_t *)at)[index] = (uint16_t)(clamped(value, 65535) + 0.5f);
    else
        samples[index] = (uint8_t)(clamped(value, 255) + 0.5f);
}

/* One pixel over another, which lies at `dst`. */
static void over(const struct shape *item, const float *source, uint8_t *dst)
{
    const unsigned colours = item->channels < 3 ? 1 : 3;
    const float full = floatrow_full(item->sample), as = source[colours];
    const bool has_alpha = shape_has_alpha(item);
    if (as <= 0)
        return;
    const float under =
        has_alpha ? clamped(sample_at(item->sample, dst, colours) / full, 1) * (1 - as) : 1 - as;
    const float alpha = has_alpha ? as + under : 1;
    for (unsigned c = 0; c < colours; c++) {
        const float below = under > 0 ? sample_at(item->sample, dst, c) * under : 0;
        store(item->sample, (source[c] * as + below) / alpha, dst, c);
    }
    if (has_alpha)
        store(item->sample, alpha * full, dst, colours);
}

/* Where `at`, which may lie outside, falls in a repeated `length`. */
static uint32_t repeated(int64_t at, uint32_t length)
{
    const int64_t rest = at % (int64_t)length;
    return (uint32_t)(rest < 0 ? rest + length : rest);
}

static int composite_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                          struct error *error)
{
    const struct composite_params *params = run->params;
    const struct composite_state *state = run->state;
    const struct shape *item = &run->in, *image = &state->shape;
    const size_t row_bytes = shape_row_bytes(item), pixel_bytes = shape_pixel_bytes(item);
    const unsigned stride = (item->channels < 3 ? 1 : 3) + 1;
    float *row = scratch_alloc(scratch, row_floats(item, image->width), sizeof *row);
    float *samples = scratch_alloc(scratch, (size_t)image->width * image->channels, sizeof *samples);
    if (!row || !samples)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    /* Where the image begins and ends in a row of the item. */
    const int64_t begin = params->tile || state->left < 0 ? 0 : state->left;
    const int64_t right = state->left + image->width;
    const int64_t end = params->tile || right > item->width ? item->width : right;
    for (uint32_t y = first; y < last; y++) {
        uint8_t *dst = stage_dst_row(run, y);
        const int64_t line = y - state->top;
        if (run->dst != run->src)
            memcpy(dst, stage_src_row(run, y), row_bytes);
        if (!params->tile && (line < 0 || line >= image->height))
            continue;
        load(state, item, (float)params->opacity, repeated(line, image->height), samples, row);
        uint32_t at = repeated(begin - state->left, image->width);
        for (int64_t x = begin; x < end; x++) {
            over(item, row + at * stride, dst + (size_t)x * pixel_bytes);
            at = at + 1 < image->width ? at + 1 : 0;
        }
    }
    return 0;
}

const struct stage composite_stage = {
    .name = "composite",
    .group = "image",
    .summary = "Lay an image from a file over the item, such as a watermark",
    .params = composite_table,
    .params_bytes = sizeof(struct composite_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = composite_check,
    .plan = composite_plan,
    .begin = composite_begin,
    .rows = composite_rows,
};
