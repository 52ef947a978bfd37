/* SPDX-License-Identifier: MIT */
/* Turns an image clockwise by right angles. Pixels are moved, never computed. */
#include "stages/image/pixels.h"
#include "stages/stage.h"

enum { ANGLE_90, ANGLE_180, ANGLE_270 };

/* Side of the square that is turned at a time, in pixels; read and written it takes 128 KiB of 8-bit RGBA.
 * Measured on 24 million pixels of 8-bit RGB against 32: 1.2 to 1.4 times as fast. */
#define TILE_PX 128u

struct rotate_params {
    int angle;
};

static const struct param rotate_table[] = {
    {.name = "angle",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct rotate_params, angle),
     .initial = "90",
     .choices = "90|180|270",
     .unit = "degrees",
     .help = "How far to turn, clockwise"},
    PARAM_END,
};

static int rotate_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)error;
    plan->out.bits = in->bits;
    if (((const struct rotate_params *)params)->angle != ANGLE_180) {
        plan->out.width = in->height;
        plan->out.height = in->width;
    }
    return 0;
}

/* A quarter turn makes rows of columns, so each output row needs every input row. */
static void rotate_source_rows(const void *params, const struct shape *in, const struct shape *out,
                               uint32_t *first, uint32_t *last)
{
    (void)out;
    uint32_t top = 0, bottom = in->height;
    if (((const struct rotate_params *)params)->angle == ANGLE_180) {
        top = in->height - *last;
        bottom = in->height - *first;
    }
    *first = top;
    *last = bottom;
}

static void rows_of_half_turn(const struct stage_run *run, uint32_t first, uint32_t last)
{
    for (uint32_t y = first; y < last; y++)
        pixels_reverse(stage_src_row(run, run->in.height - 1 - y), stage_dst_row(run, y), run->in.width,
                       shape_pixel_bytes(&run->in));
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Output row y is input column y read upwards (90), or column width - 1 - y read downwards (270). */
static void rows_of_quarter_turn(const struct stage_run *run, uint32_t first, uint32_t last, bool left)
{
    const size_t size = shape_pixel_bytes(&run->in);
    const ptrdiff_t down = run->in.width, across = run->out.width;
    for (uint32_t y = first; y < last; y += TILE_PX) {
        const uint32_t columns = smaller(TILE_PX, last - y);
        for (uint32_t x = 0; x < run->out.width; x += TILE_PX) {
            const uint32_t lines = smaller(TILE_PX, run->out.width - x);
            if (left) {
                /* The tile's input columns in ascending order are its output rows from the last one up. */
                const uint8_t *src = stage_src_row(run, x) + (run->in.width - y - columns) * size;
                uint8_t *dst = stage_dst_row(run, y + columns - 1) + x * size;
                pixels_transpose(src, down, dst, -across, columns, lines, size);
            } else {
                const uint8_t *src = stage_src_row(run, run->in.height - 1 - x) + y * size;
                uint8_t *dst = stage_dst_row(run, y) + x * size;
                pixels_transpose(src, -down, dst, across, columns, lines, size);
            }
        }
    }
}

static int rotate_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch, (void)error;
    const int angle = ((const struct rotate_params *)run->params)->angle;
    if (angle == ANGLE_180)
        rows_of_half_turn(run, first, last);
    else
        rows_of_quarter_turn(run, first, last, angle == ANGLE_270);
    return 0;
}

const struct stage rotate_stage = {
    .name = "rotate",
    .group = "image",
    .summary = "Turn clockwise by 90, 180 or 270 degrees",
    .params = rotate_table,
    .params_bytes = sizeof(struct rotate_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .plan = rotate_plan,
    .source_rows = rotate_source_rows,
    .rows = rotate_rows,
};
