/* SPDX-License-Identifier: MIT */
/* Keeps a box of the image. As with `vips crop`, a box that leaves the image is an error, not clipped: a
 * smaller result than asked for would only be noticed later. */
#include <string.h>

#include "stages/stage.h"

/* In this order each gravity is 3 * row + column of a 3 x 3 grid, after `none`. */
#define GRAVITIES "none|north-west|north|north-east|west|centre|east|south-west|south|south-east"
enum { GRAVITY_NONE };

struct crop_params {
    int64_t left, top, width, height; /* px; left and top are -1 where not given */
    int gravity;
};

#define MAX_PX 4294967295.0

static const struct param crop_table[] = {
    {.name = "left",
     .type = PARAM_INT,
     .offset = offsetof(struct crop_params, left),
     .min = 0,
     .max = MAX_PX,
     .initial = "none",
     .choices = "none",
     .unit = "px",
     .help = "First column to keep, counted from 0; 0 when neither it nor gravity is given"},
    {.name = "top",
     .type = PARAM_INT,
     .offset = offsetof(struct crop_params, top),
     .min = 0,
     .max = MAX_PX,
     .initial = "none",
     .choices = "none",
     .unit = "px",
     .help = "First row to keep, counted from 0; 0 when neither it nor gravity is given"},
    {.name = "width",
     .type = PARAM_INT,
     .offset = offsetof(struct crop_params, width),
     .min = 1,
     .max = MAX_PX,
     .unit = "px",
     .help = "Columns to keep"},
    {.name = "height",
     .type = PARAM_INT,
     .offset = offsetof(struct crop_params, height),
     .min = 1,
     .max = MAX_PX,
     .unit = "px",
     .help = "Rows to keep"},
    {.name = "gravity",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct crop_params, gravity),
     .initial = "none",
     .choices = GRAVITIES,
     .unit = "",
     .help = "Where the box lies, instead of left and top"},
    PARAM_END,
};

static int crop_check(const void *values, struct error *error)
{
    const struct crop_params *params = values;
    if (params->width == 0 || params->height == 0)
        return error_set(error, ERROR_USAGE, "width and height must both be given");
    if (params->gravity != GRAVITY_NONE && (params->left >= 0 || params->top >= 0))
        return error_set(error, ERROR_USAGE, "give either gravity or left and top, not both");
    return 0;
}

/* Where the box begins on one axis. `third` is 0, 1 or 2: at the start, in the middle, at the end. */
static int64_t origin(int64_t given, int gravity, int third, int64_t size, int64_t image)
{
    if (gravity == GRAVITY_NONE)
        return given > 0 ? given : 0;
    return (image - size) * third / 2;
}

static void place(const struct crop_params *params, const struct shape *in, int64_t *left, int64_t *top)
{
    const int cell = params->gravity - 1;
    *left = origin(params->left, params->gravity, cell % 3, params->width, in->width);
    *top = origin(params->top, params->gravity, cell / 3, params->height, in->height);
}

static int crop_plan(const void *values, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    const struct crop_params *params = values;
    int64_t left, top;
    place(params, in, &left, &top);
    if (left < 0 || top < 0 || left + params->width > in->width || top + params->height > in->height)
        return error_set(
            error, ERROR_USAGE,
            "the box of %lldx%lld px at left %lld, top %lld does not fit in the image of %ux%u px",
            (long long)params->width, (long long)params->height, (long long)left, (long long)top, in->width,
            in->height);
    plan->out.width = (uint32_t)params->width;
    plan->out.height = (uint32_t)params->height;
    plan->out.bits = in->bits;
    return 0;
}

static void crop_source_rows(const void *params, const struct shape *in, const struct shape *out,
                             uint32_t *first, uint32_t *last)
{
    (void)out;
    int64_t left, top;
    place(params, in, &left, &top);
    *first += (uint32_t)top;
    *last += (uint32_t)top;
}

static int crop_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    (void)scratch, (void)error;
    int64_t left, top;
    place(run->params, &run->in, &left, &top);
    const size_t before = (size_t)left * shape_pixel_bytes(&run->in), bytes = shape_row_bytes(&run->out);
    for (uint32_t y = first; y < last; y++)
        memcpy(stage_dst_row(run, y), stage_src_row(run, y + (uint32_t)top) + before, bytes);
    return 0;
}

const struct stage crop_stage = {
    .name = "crop",
    .group = "image",
    .summary = "Keep a box, given by its corner or by gravity",
    .params = crop_table,
    .params_bytes = sizeof(struct crop_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = crop_check,
    .plan = crop_plan,
    .source_rows = crop_source_rows,
    .rows = crop_rows,
};
