/* SPDX-License-Identifier: MIT */
/* Turns and mirrors an image as its EXIF orientation says, so that it is upright without it (CIPA DC-008,
 * 4.6.4, tag Orientation). Pixels are moved, never computed. */
#include <string.h>

#include "stages/image/pixels.h"
#include "stages/stage.h"

/* Side of the square that is turned at a time, in pixels; see rotate.c. */
#define TILE_PX 128u

/* Orientation 5 to 8: the stored rows are columns of the upright image. */
static bool on_its_side(const struct shape *shape)
{
    return shape->orientation >= 5;
}

/* Of the stored image: is its first row the last row (or column) of the upright one, and its first column the
 * last column (or row)? */
static bool rows_reversed(const struct shape *shape)
{
    return shape->orientation == 3 || shape->orientation == 4 || shape->orientation == 6 ||
           shape->orientation == 7;
}

static bool columns_reversed(const struct shape *shape)
{
    return shape->orientation == 2 || shape->orientation == 3 || shape->orientation == 7 ||
           shape->orientation == 8;
}

static int orient_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)params, (void)error;
    plan->out.bits = in->bits;
    plan->out.orientation = in->orientation > 0;
    plan->in_place = in->orientation <= 2;
    if (on_its_side(in)) {
        plan->out.width = in->height;
        plan->out.height = in->width;
        plan->out.full_width = in->full_height;
        plan->out.full_height = in->full_width;
    }
    return 0;
}

static void orient_source_rows(const void *params, const struct shape *in, const struct shape *out,
                               uint32_t *first, uint32_t *last)
{
    (void)params, (void)out;
    uint32_t top = *first, bottom = *last;
    if (on_its_side(in)) {
        top = 0;
        bottom = in->height;
    } else if (rows_reversed(in)) {
        top = in->height - *last;
        bottom = in->height - *first;
    }
    *first = top;
    *last = bottom;
}

static void upright_rows(const struct stage_run *run, uint32_t first, uint32_t last)
{
    const size_t row_bytes = shape_row_bytes(&run->in), size = shape_pixel_bytes(&run->in);
    for (uint32_t y = first; y < last; y++) {
        const uint32_t from = rows_reversed(&run->in) ? run->in.height - 1 - y : y;
        const uint8_t *src = stage_src_row(run, from);
        uint8_t *dst = stage_dst_row(run, y);
        if (columns_reversed(&run->in))
            pixels_reverse(src, dst, run->in.width, size);
        else if (src != dst)
            memcpy(dst, src, row_bytes);
    }
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Output row y is input column y, or width - 1 - y, read downwards or upwards. */
static void turned_rows(const struct stage_run *run, uint32_t first, uint32_t last)
{
    const size_t size = shape_pixel_bytes(&run->in);
    const bool upwards = rows_reversed(&run->in), from_right = columns_reversed(&run->in);
    const ptrdiff_t down = upwards ? -(ptrdiff_t)run->in.width : run->in.width;
    const ptrdiff_t across = from_right ? -(ptrdiff_t)run->out.width : run->out.width;
    for (uint32_t y = first; y < last; y += TILE_PX) {
        const uint32_t columns = smaller(TILE_PX, last - y);
        for (uint32_t x = 0; x < run->out.width; x += TILE_PX) {
            const uint32_t lines = smaller(TILE_PX, run->out.width - x);
            /* The tile's input columns in ascending order are its output rows, from the last one up where
             * they are read from the right. */
            const uint32_t column = from_right ? run->in.width - y - columns : y;
            const uint32_t row = upwards ? run->in.height - 1 - x : x;
            const uint32_t target = from_right ? y + columns - 1 : y;
            pixels_transpose(stage_src_row(run, row) + column * size, down,
                             stage_dst_row(run, target) + x * size, across, columns, lines, size);
        }
    }
}

static int orient_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch, (void)error;
    if (on_its_side(&run->in))
        turned_rows(run, first, last);
    else
        upright_rows(run, first, last);
    return 0;
}

static const struct param orient_table[] = {PARAM_END};

const struct stage orient_stage = {
    .name = "orient",
    .group = "image",
    .summary = "Turn upright as EXIF says",
    .params = orient_table,
    .params_bytes = 0,
    .accepts = STAGE_ANY,
    .windows = true,
    .scale_free = true,
    .plan = orient_plan,
    .source_rows = orient_source_rows,
    .rows = orient_rows,
};
