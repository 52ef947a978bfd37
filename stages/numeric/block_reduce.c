/* SPDX-License-Identifier: MIT */
/* One value for each block of an array, as scikit-image's block_reduce. Blocks at the end that the array does
 * not fill are filled up with zeros, or dropped. Sums of integers become 64 bit and wrap; means and medians
 * of integers are f64; everything else keeps its type. Floats are added up in double, sample after sample in
 * C order, and rounded at the end. */
#include <stdlib.h>
#include <string.h>

#include "stages/numeric/fold.h"
#include "stages/numeric/wide.h"
#include "stages/stage.h"

enum reduce { REDUCE_SUM, REDUCE_MEAN, REDUCE_MIN, REDUCE_MAX, REDUCE_MEDIAN };

struct block_reduce_params {
    char *size;
    int func; /* enum reduce */
    int edge; /* 0: pad, 1: trim */
};

static const struct param block_reduce_table[] = {
    {.name = "size",
     .type = PARAM_TEXT,
     .offset = offsetof(struct block_reduce_params, size),
     .initial = "2",
     .unit = "",
     .help = "How many samples a block has along each axis, like 2x3; one number is for all axes"},
    {.name = "func",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct block_reduce_params, func),
     .initial = "sum",
     .choices = "sum|mean|min|max|median",
     .unit = "",
     .help = "What becomes of a block"},
    {.name = "edge",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct block_reduce_params, edge),
     .initial = "pad",
     .choices = "pad|trim",
     .unit = "",
     .help = "Fill up the last blocks with zeros, or drop those that are not full"},
    PARAM_END,
};

/* Of one block: what the scratch of a median is bounded by. */
#define MOST_SAMPLES ((size_t)1 << 20)
/* Samples in hand for medians, unless one block has more. */
#define MEDIAN_SAMPLES 8192u

/* A single value counts as one axis of length 1. */
struct grid {
    unsigned rank;
    size_t dims[SHAPE_MAX_RANK], sizes[SHAPE_MAX_RANK], blocks[SHAPE_MAX_RANK];
    size_t volume;  /* samples of a block */
    size_t abreast; /* blocks side by side that are worked on at a time */
};

/* The numbers of "2x3x4"; how many there are, or 0 where it is none of that. */
static unsigned parse_sizes(const char *text, size_t *sizes)
{
    for (unsigned count = 0; count < SHAPE_MAX_RANK;) {
        char *end;
        const unsigned long size = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
        if (size == 0 || size > MOST_SAMPLES)
            return 0;
        sizes[count++] = size;
        if (*end != 'x')
            return *end == '\0' ? count : 0;
        text = end + 1;
    }
    return 0;
}

static int block_reduce_check(const void *params, struct error *error)
{
    const char *size = ((const struct block_reduce_params *)params)->size;
    size_t sizes[SHAPE_MAX_RANK];
    if (size && parse_sizes(size, sizes) > 0)
        return 0;
    return error_set(error, ERROR_USAGE, "size: '%.40s' is not like 2, 2x2 or 1x4x4; each number 1 to %zu",
                     size ? size : "", MOST_SAMPLES);
}

static int lay_out(const struct block_reduce_params *params, const struct shape *in, struct grid *grid,
                   struct error *error)
{
    const unsigned given = parse_sizes(params->size, grid->sizes);
    char text[256];
    if (given != 1 && given != in->rank)
        return error_set(error, ERROR_USAGE, "size: %u numbers do not fit a %.120s", given,
                         shape_text(in, text, sizeof text));
    grid->rank = in->rank ? in->rank : 1;
    grid->volume = 1;
    for (unsigned i = 0; i < grid->rank; i++) {
        /* A single value has no axis to cut: trimmed, it is a block of its own. */
        const bool alone = in->rank == 0 && params->edge != 0;
        const size_t dim = in->rank ? in->dims[i] : 1, size = alone ? 1 : grid->sizes[given == 1 ? 0 : i];
        grid->sizes[i] = size;
        grid->dims[i] = dim;
        grid->blocks[i] = dim / size + (params->edge == 0 && dim % size > 0);
        grid->volume *= size;
        if (grid->volume > MOST_SAMPLES)
            return error_set(error, ERROR_USAGE, "size: a block has more than %zu samples", MOST_SAMPLES);
    }
    const size_t line = grid->sizes[grid->rank - 1];
    grid->abreast = line < WIDE_PIECE ? WIDE_PIECE / line : 1;
    if (params->func == REDUCE_MEDIAN && grid->abreast > 1 && grid->abreast * grid->volume > MEDIAN_SAMPLES)
        grid->abreast = grid->volume < MEDIAN_SAMPLES ? MEDIAN_SAMPLES / grid->volume : 1;
    return 0;
}

static uint8_t result_type(int func, uint8_t sample)
{
    if (func == REDUCE_MIN || func == REDUCE_MAX || shape_sample_is_float(sample))
        return sample;
    if (func != REDUCE_SUM)
        return SAMPLE_F64;
    return shape_sample_is_signed(sample) || sample == SAMPLE_BOOL ? SAMPLE_I64 : SAMPLE_U64;
}

static int block_reduce_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                             struct error *error)
{
    const struct block_reduce_params *reduce = params;
    struct grid grid;
    TRY(lay_out(reduce, in, &grid, error));
    for (unsigned i = 0; i < in->rank; i++)
        plan->out.dims[i] = grid.blocks[i];
    plan->out.sample = result_type(reduce->func, in->sample);
    plan->out.bits = shape_sample_bits(plan->out.sample);
    plan->rows_scratch_bytes = scratch_need(3, sizeof(union wide_piece));
    if (reduce->func == REDUCE_MEDIAN)
        plan->rows_scratch_bytes =
            scratch_add(plan->rows_scratch_bytes, scratch_need(grid.abreast * grid.volume, sizeof(double)));
    return 0;
}

/* Blocks side by side at work. `type` is what they are folded in: i64, u64 or f64. */
struct work {
    const struct stage_run *run;
    const struct grid *grid;
    uint8_t type;
    union wide_piece *loaded, *values, *results;
    double *collected; /* for the median: all samples of each block */
    size_t count;      /* of the blocks */
    size_t filled;     /* samples of each that were collected */
};

/* The next `each` samples of each block are in work->values. */
static void take(struct work *work, size_t each)
{
    const int func = ((const struct block_reduce_params *)work->run->params)->func;
    const enum fold fold = func == REDUCE_MIN ? FOLD_MIN : func == REDUCE_MAX ? FOLD_MAX : FOLD_SUM;
    if (work->collected) {
        for (size_t i = 0; i < work->count; i++)
            memcpy(work->collected + i * work->grid->volume + work->filled, work->values->f64 + i * each,
                   each * sizeof(double));
        work->filled += each;
    } else if (work->type == SAMPLE_I64) {
        fold_i64(fold, work->results->i64, work->count, work->values->i64, each);
    } else if (work->type == SAMPLE_U64) {
        fold_u64(fold, work->results->u64, work->count, work->values->u64, each);
    } else {
        fold_f64(fold, work->results->f64, work->count, work->values->f64, each);
    }
}

/* Samples [begin, end) of the input's line at `line`, zeros where it has ended, or all over where it is NULL.
 * They belong to blocks side by side; or to one, whose line may take several pieces. */
static void take_line(struct work *work, const uint8_t *line, size_t begin, size_t end)
{
    const uint8_t sample = work->run->in.sample;
    const size_t length = line ? work->grid->dims[work->grid->rank - 1] : 0;
    for (size_t count; begin < end; begin += count) {
        count = end - begin < WIDE_PIECE ? end - begin : WIDE_PIECE;
        const size_t there = begin >= length ? 0 : length - begin < count ? length - begin : count;
        const uint8_t *src = there ? line + begin * shape_sample_bytes(sample) : NULL;
        if (work->type == SAMPLE_F64) {
            wide_load_f64(sample, src, there, work->values->f64);
        } else {
            wide_load(sample, src, there, work->loaded);
            wide_store(wide_of(sample), work->loaded, there, work->type, work->values);
        }
        memset(work->values->u64 + there, 0, (count - there) * sizeof(uint64_t));
        take(work, count / work->count);
    }
}

/* All lines of the blocks whose first axes but the last are at `at`, and whose last starts at `block`. */
static void take_blocks(struct work *work, const size_t *at, size_t block)
{
    const struct grid *grid = work->grid;
    const unsigned leading = grid->rank - 1;
    const size_t begin = block * grid->sizes[leading], end = begin + work->count * grid->sizes[leading];
    const size_t line_bytes = grid->dims[leading] * shape_sample_bytes(work->run->in.sample);
    size_t within[SHAPE_MAX_RANK] = {0};
    for (;;) {
        size_t number = 0;
        bool there = true;
        for (unsigned i = 0; i < leading; i++) {
            const size_t index = at[i] * grid->sizes[i] + within[i];
            there = there && index < grid->dims[i];
            number = number * grid->dims[i] + index;
        }
        take_line(work, there ? work->run->src + number * line_bytes : NULL, begin, end);
        unsigned axis = leading;
        while (axis > 0 && ++within[axis - 1] == grid->sizes[axis - 1])
            within[--axis] = 0;
        if (axis == 0)
            return;
    }
}

/* `count` blocks side by side, the first of which is output sample `index`. */
static void reduce(struct work *work, size_t index)
{
    const struct grid *grid = work->grid;
    const struct block_reduce_params *params = work->run->params;
    const enum fold fold = params->func == REDUCE_MIN   ? FOLD_MIN
                           : params->func == REDUCE_MAX ? FOLD_MAX
                                                        : FOLD_SUM;
    const unsigned leading = grid->rank - 1;
    size_t at[SHAPE_MAX_RANK], rest = index / grid->blocks[leading];
    for (unsigned i = leading; i-- > 0; rest /= grid->blocks[i])
        at[i] = rest % grid->blocks[i];
    work->filled = 0;
    if (work->type == SAMPLE_I64)
        fold_begin_i64(fold, work->results->i64, work->count);
    else if (work->type == SAMPLE_U64)
        fold_begin_u64(fold, work->results->u64, work->count);
    else
        fold_begin_f64(fold, work->results->f64, work->count);
    take_blocks(work, at, index % grid->blocks[leading]);
    for (size_t i = 0; i < work->count; i++) {
        if (params->func == REDUCE_MEDIAN)
            work->results->f64[i] = fold_median(work->collected + i * grid->volume, grid->volume);
        else if (params->func == REDUCE_MEAN)
            work->results->f64[i] /= (double)grid->volume;
    }
    wide_store(work->type == SAMPLE_I64   ? WIDE_I64
               : work->type == SAMPLE_U64 ? WIDE_U64
                                          : WIDE_F64,
               work->results, work->count, work->run->out.sample,
               work->run->dst + index * shape_sample_bytes(work->run->out.sample));
}

/* By the first axis alone: samples of the others may lie anywhere within it. */
static void block_reduce_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                     uint32_t *first, uint32_t *last)
{
    struct grid grid;
    size_t begin, end;
    shape_span(out, *first, *last, &begin, &end);
    if (begin == end || lay_out(params, in, &grid, NULL) < 0)
        return;
    const size_t total = shape_samples(in), slab_in = total / grid.dims[0];
    const size_t slab_out = shape_samples(out) / grid.blocks[0];
    const size_t from = begin / slab_out * grid.sizes[0] * slab_in;
    size_t to = ((end - 1) / slab_out + 1) * grid.sizes[0] * slab_in;
    to = to < total ? to : total;
    *first = (uint32_t)(from / SHAPE_BLOCK_SAMPLES);
    *last = (uint32_t)((to - 1) / SHAPE_BLOCK_SAMPLES) + 1;
}

static int block_reduce_rows(const struct stage_run *run, uint32_t first, uint32_t last,
                             struct scratch *scratch, struct error *error)
{
    const struct block_reduce_params *params = run->params;
    struct grid grid;
    TRY(lay_out(params, &run->in, &grid, error));
    struct work work = {.run = run, .grid = &grid};
    const bool in_floats =
        params->func == REDUCE_MEAN || params->func == REDUCE_MEDIAN || shape_sample_is_float(run->in.sample);
    work.type = in_floats ? SAMPLE_F64 : run->in.sample == SAMPLE_U64 ? SAMPLE_U64 : SAMPLE_I64;
    work.loaded = scratch_alloc(scratch, 3, sizeof *work.loaded);
    if (params->func == REDUCE_MEDIAN)
        work.collected = scratch_alloc(scratch, grid.abreast * grid.volume, sizeof(double));
    if (!work.loaded || (params->func == REDUCE_MEDIAN && !work.collected))
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    work.values = work.loaded + 1;
    work.results = work.loaded + 2;
    size_t begin, end;
    shape_span(&run->out, first, last, &begin, &end);
    for (; begin < end; begin += work.count) {
        const size_t blocks = grid.blocks[grid.rank - 1], left = blocks - begin % blocks;
        work.count = end - begin < left ? end - begin : left;
        work.count = work.count < grid.abreast ? work.count : grid.abreast;
        reduce(&work, begin);
    }
    return 0;
}

const struct stage block_reduce_stage = {
    .name = "block_reduce",
    .group = "numeric",
    .summary = "One value for each block of an array: sum, mean, min, max or median",
    .params = block_reduce_table,
    .params_bytes = sizeof(struct block_reduce_params),
    .arrays = STAGE_ARRAYS,
    .check = block_reduce_check,
    .plan = block_reduce_plan,
    .source_rows = block_reduce_source_rows,
    .rows = block_reduce_rows,
};
