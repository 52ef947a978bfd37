/* SPDX-License-Identifier: MIT */
#include "stages/image/resize_fixed.h"

#include <string.h>

#include "stages/fetch.h"

/* Samples of a strip; a multiple of four pixels, whatever the channels. */
#define STRIP      384u
#define STRIP_STEP (STRIP + RESAMPLE_FIXED_PAD)

/* Pairs of source rows that are added at once. */
#define GROUP 4u

/* Output rows in a block: more of them, and fewer source rows are loaded twice; but their samples between the
 * passes had better stay in a second-level cache. */
#define BLOCK_ROWS_MAX (2 * RESAMPLE_LANES)
#define BLOCK_COLUMNS  8192u

/* Output pixels that are summed up sideways before they are stored. */
#define CHUNK_PX 64u

/* Weights are off by less than a 32768th: of so many samples the sum is off by less than a tenth of a level,
 * unless the samples follow what the weights are off by. */
#define SAMPLES_MOST 256u

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

bool resize_fixed_serves(const struct resize_geometry *geometry)
{
    return geometry->kernel != RESAMPLE_NEAREST &&
           resample_table_stride(&geometry->x, geometry->kernel) <= SAMPLES_MOST &&
           resample_table_stride(&geometry->y, geometry->kernel) <= SAMPLES_MOST;
}

/* All sizes, which hang on geometry and channels alone. */
static void measure(struct resize_fixed *fixed, const struct resize_geometry *geometry, unsigned channels)
{
    resize_columns(geometry, &fixed->first, &fixed->last);
    fixed->first -= fixed->first % 2;
    const uint32_t columns = fixed->last - fixed->first;
    fixed->block_rows =
        geometry->y.out <= RESAMPLE_LANES || columns > BLOCK_COLUMNS ? RESAMPLE_LANES : BLOCK_ROWS_MAX;
    fixed->lane_columns = ((size_t)columns / 2 + columns % 2) * channels + RESAMPLE_FIXED_PAD;
    fixed->channels = channels;
}

/* What a call of `rows` works in. */
struct work {
    int16_t *pairs; /* GROUP strips */
    int32_t *sums;  /* a strip for each row of the block */
    int32_t *lanes; /* lane_columns for each RESAMPLE_LANES rows */
    int32_t *chunk;
};

size_t resize_fixed_need(const struct resize_geometry *geometry)
{
    return scratch_add(resample_pairs_need(&geometry->x, geometry->kernel),
                       resample_pairs_need(&geometry->y, geometry->kernel));
}

size_t resize_fixed_rows_need(const struct resize_geometry *geometry, unsigned channels)
{
    struct resize_fixed fixed;
    measure(&fixed, geometry, channels);
    const size_t strips = scratch_add(scratch_need(GROUP * 2 * STRIP_STEP, sizeof(int16_t)),
                                      scratch_need((size_t)fixed.block_rows * STRIP_STEP, sizeof(int32_t)));
    const size_t lanes = scratch_need(fixed.block_rows * fixed.lane_columns, sizeof(int32_t));
    return scratch_add(scratch_add(strips, lanes),
                       scratch_need((size_t)CHUNK_PX * channels * RESAMPLE_LANES, sizeof(int32_t)));
}

bool resize_fixed_make(struct resize_fixed *fixed, const struct resize_geometry *geometry, unsigned channels,
                       const struct resample_table *across, const struct resample_table *down,
                       struct scratch *scratch)
{
    measure(fixed, geometry, channels);
    fixed->rows = down;
    fixed->ops = resample_fixed_best();
    if (!resample_pairs_make(&fixed->across, across, geometry->x.out, scratch))
        return false;
    fixed->down = fixed->across;
    return across->weights == down->weights ||
           resample_pairs_make(&fixed->down, down, geometry->y.out, scratch);
}

/* A piece of the source, which is not there but for rows [top, bottom). */
struct piece {
    const struct stage_run *run;
    uint32_t top, bottom;
    size_t offset_bytes, samples;
};

/* A source row; where a pair has only one, the other weighs nothing. */
static const uint8_t *piece_row(const struct piece *piece, uint32_t row)
{
    static const uint8_t nothing[STRIP];
    return row >= piece->top && row < piece->bottom ? stage_src_row(piece->run, row) + piece->offset_bytes
                                                    : nothing;
}

static void load_group(const struct resize_fixed *fixed, const struct piece *piece, uint32_t pair,
                       uint32_t count, int16_t *pairs)
{
    for (uint32_t k = 0; k < count; k++, pairs += 2 * STRIP_STEP) {
        const uint32_t row = 2 * (pair + k);
        fixed->ops->load(fixed->channels, piece_row(piece, row), piece_row(piece, row + 1), pairs,
                         piece->samples);
        memset(pairs + 2 * piece->samples, 0, 2 * RESAMPLE_FIXED_PAD * sizeof *pairs);
    }
    for (uint32_t row = 2 * (pair + GROUP); row < smaller(2 * (pair + 2 * GROUP), piece->bottom); row++)
        fetch(stage_src_row(piece->run, row) + piece->offset_bytes, piece->samples);
}

/* The sums of a strip for output rows [first, last). */
static void add_strip(const struct resize_fixed *fixed, const struct piece *piece, uint32_t first,
                      uint32_t last, const struct work *work)
{
    const struct resample_pairs *down = &fixed->down;
    const int32_t start = resample_down_start(down, fixed->channels);
    /* In whole pairs of pixels, as they are turned. */
    const size_t samples = piece->samples + piece->samples % (2 * fixed->channels);
    for (uint32_t pair = piece->top / 2; 2 * pair < piece->bottom; pair += GROUP) {
        const uint32_t count = smaller(GROUP, (piece->bottom + 1) / 2 - pair);
        load_group(fixed, piece, pair, count, work->pairs);
        for (uint32_t y = first; y < last; y++) {
            const uint32_t from = larger(pair, down->first[y]);
            const uint32_t end = smaller(pair + count, down->first[y] + down->count[y]);
            if (from < end)
                fixed->ops->add(work->sums + (y - first) * STRIP_STEP, from == down->first[y] ? &start : NULL,
                                work->pairs + (size_t)(from - pair) * 2 * STRIP_STEP, 2 * STRIP_STEP,
                                down->weights + (size_t)y * down->stride + (from - down->first[y]),
                                end - from, samples);
        }
    }
}

/* The strip's sums of output rows [first, last) to the lanes of all of them. Lanes that no row is left for
 * repeat the last. */
static void turn_strip(const struct resize_fixed *fixed, uint32_t rows, size_t column, size_t samples,
                       const struct work *work)
{
    const unsigned shift = resample_down_shift(&fixed->down, fixed->channels);
    for (uint32_t row = 0; row < rows; row += RESAMPLE_LANES) {
        const int32_t *sums[RESAMPLE_LANES];
        for (uint32_t lane = 0; lane < RESAMPLE_LANES; lane++)
            sums[lane] = work->sums + (size_t)smaller(row + lane, rows - 1) * STRIP_STEP;
        fixed->ops->turn(sums, fixed->channels, shift,
                         work->lanes + row * fixed->lane_columns + column * RESAMPLE_LANES, samples);
    }
}

/* Output rows [first, last), at most a block, to their samples between the passes. */
static void go_down(const struct resize_fixed *fixed, const struct stage_run *run, uint32_t first,
                    uint32_t last, const struct work *work)
{
    const unsigned channels = fixed->channels;
    struct piece piece = {.run = run, .top = UINT32_MAX};
    /* Windows are not in order: where phases meet they shrink to one row. */
    for (uint32_t y = first; y < last; y++) {
        piece.top = smaller(piece.top, fixed->rows->first[y]);
        piece.bottom = larger(piece.bottom, fixed->rows->first[y] + fixed->rows->count[y]);
    }
    const uint32_t strip_px = STRIP / channels;
    for (uint32_t x = fixed->first, count; x < fixed->last; x += count) {
        count = smaller(strip_px, fixed->last - x);
        piece.offset_bytes = (size_t)x * channels;
        piece.samples = (size_t)count * channels;
        add_strip(fixed, &piece, first, last, work);
        turn_strip(fixed, last - first, (size_t)(x - fixed->first) / 2 * channels, piece.samples, work);
    }
}

/* Output rows [first, last), at most RESAMPLE_LANES, from their lanes. */
static void go_across(const struct resize_fixed *fixed, const struct stage_run *run, uint32_t first,
                      uint32_t last, const int32_t *lanes, int32_t *chunk)
{
    const unsigned channels = fixed->channels;
    const bool has_alpha = channels % 2 == 0;
    const unsigned shift = has_alpha ? 0 : resample_across_shift(&fixed->across);
    for (uint32_t x = 0, end; x < run->out.width; x = end) {
        end = x + smaller(CHUNK_PX, run->out.width - x);
        fixed->ops->dot(&fixed->across, x, end, fixed->first / 2, channels, lanes, chunk);
        if (has_alpha)
            resample_straighten(&fixed->across, channels, chunk, end - x);
        uint8_t *dst[RESAMPLE_LANES];
        for (uint32_t y = first; y < last; y++)
            dst[y - first] = stage_dst_row(run, y) + (size_t)x * channels;
        fixed->ops->pack(chunk, shift, has_alpha ? 0 : RESAMPLE_MIDDLE, dst, last - first,
                         (size_t)(end - x) * channels);
    }
}

bool resize_fixed_rows(const struct resize_fixed *fixed, const struct stage_run *run, uint32_t first,
                       uint32_t last, struct scratch *scratch)
{
    const struct work work = {
        .pairs = scratch_alloc(scratch, GROUP * 2 * STRIP_STEP, sizeof(int16_t)),
        .sums = scratch_alloc(scratch, (size_t)fixed->block_rows * STRIP_STEP, sizeof(int32_t)),
        .lanes = scratch_alloc(scratch, fixed->block_rows * fixed->lane_columns, sizeof(int32_t)),
        .chunk = scratch_alloc(scratch, (size_t)CHUNK_PX * fixed->channels * RESAMPLE_LANES, sizeof(int32_t)),
    };
    if (!work.pairs || !work.sums || !work.lanes || !work.chunk)
        return false;
    for (uint32_t y = first, end; y < last; y = end) {
        end = y + smaller(fixed->block_rows, last - y);
        go_down(fixed, run, y, end, &work);
        for (uint32_t row = 0; row < end - y; row += RESAMPLE_LANES)
            go_across(fixed, run, y + row, y + smaller(end - y, row + RESAMPLE_LANES),
                      work.lanes + row * fixed->lane_columns, work.chunk);
    }
    return true;
}
