/* SPDX-License-Identifier: MIT */
/* Cuts an image into tiles of equal size, row by row; those at the right and lower edges may be smaller. Each
 * becomes an output of its own. */
#include "stages/stage.h"

struct tile_params {
    int64_t width, height, overlap;
    int partial;
};

enum { TILE_KEEP, TILE_DROP };

static const struct param tile_table[] = {
    {.name = "width",
     .type = PARAM_INT,
     .offset = offsetof(struct tile_params, width),
     .min = 1,
     .max = 65535,
     .initial = "256",
     .unit = "px",
     .help = "Columns of a tile"},
    {.name = "height",
     .type = PARAM_INT,
     .offset = offsetof(struct tile_params, height),
     .min = 1,
     .max = 65535,
     .initial = "256",
     .unit = "px",
     .help = "Rows of a tile"},
    {.name = "overlap",
     .type = PARAM_INT,
     .offset = offsetof(struct tile_params, overlap),
     .min = 0,
     .max = 65534,
     .initial = "0",
     .unit = "px",
     .help = "Columns and rows that neighbours share"},
    {.name = "partial",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct tile_params, partial),
     .initial = "keep",
     .choices = "keep|drop",
     .unit = "",
     .help = "What becomes of smaller tiles at the edges"},
    PARAM_END,
};

static int tile_check(const void *params, struct error *error)
{
    const struct tile_params *tile = params;
    if (tile->overlap >= tile->width || tile->overlap >= tile->height)
        return error_set(error, ERROR_USAGE, "overlap must be less than width and height");
    return 0;
}

/* How many tiles of `size`, each `step` behind the last, cover `total`. */
static uint32_t tiles_along(uint32_t total, uint32_t size, uint32_t step, int partial)
{
    if (total <= size)
        return total == size || partial == TILE_KEEP;
    const uint32_t more = total - size;
    return 1 + (partial == TILE_KEEP ? (more + step - 1) / step : more / step);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool tile_piece(const void *params, const struct shape *in, uint32_t index, struct stage_box *box)
{
    const struct tile_params *tile = params;
    const uint32_t width = (uint32_t)tile->width, height = (uint32_t)tile->height;
    const uint32_t across = width - (uint32_t)tile->overlap, down = height - (uint32_t)tile->overlap;
    const uint32_t cols = tiles_along(in->width, width, across, tile->partial);
    const uint32_t rows = tiles_along(in->height, height, down, tile->partial);
    if (cols == 0 || index / cols >= rows)
        return false;
    box->row = index / cols;
    box->col = index % cols;
    box->left = box->col * across;
    box->top = box->row * down;
    box->width = least(width, in->width - box->left);
    box->height = least(height, in->height - box->top);
    return true;
}

/* Files of an item are written one after the other and kept in memory until then. */
#define MOST_TILES 65536u

static int tile_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    struct stage_box box;
    if (tile_piece(params, in, MOST_TILES, &box))
        return error_set(error, ERROR_LIMIT, "would make more than %u tiles", MOST_TILES);
    if (!tile_piece(params, in, 0, &box))
        return error_set(error, ERROR_UNSUPPORTED, "%ux%u is smaller than a tile, and partial is drop",
                         in->width, in->height);
    plan->out.width = box.width;
    plan->out.height = box.height;
    return 0;
}

const struct stage tile_stage = {
    .name = "tile",
    .group = "image",
    .summary = "Cut into tiles, each an output of its own; the last stage of a chain",
    .params = tile_table,
    .params_bytes = sizeof(struct tile_params),
    .accepts = STAGE_ANY,
    .check = tile_check,
    .plan = tile_plan,
    .piece = tile_piece,
};
