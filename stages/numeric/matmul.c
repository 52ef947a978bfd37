/* SPDX-License-Identifier: MIT */
/* Multiplies the last axis of an array by a matrix from a file, as numpy.matmul(array, matrix) with a matrix
 * of two dimensions: out[..., j] = sum of array[..., k] x matrix[k, j], added up in order of k in double
 * precision. The result is f32 where that holds all values of the array's type (bool, 8 and 16 bit, f16,
 * f32), else f64, whatever the type of the matrix. */
#include <string.h>

#include "stages/numeric/matmul_kernel.h"
#include "stages/numeric/values.h"
#include "stages/numeric/wide.h"
#include "stages/stage.h"

struct matmul_params {
    struct param_file matrix;
};

static const struct param matmul_table[] = {
    {.name = "matrix",
     .type = PARAM_FILE,
     .offset = offsetof(struct matmul_params, matrix),
     .unit = "",
     .help = "A file with an array of two dimensions, with as many rows as the last axis is long"},
    PARAM_END,
};

/* Most numbers of a matrix: it is unpacked to doubles for each item. */
#define MATRIX_MOST (1u << 26)

/* Columns that are computed before they are stored, and about how many numbers of the array are in hand. */
#define COLUMNS   512u
#define IN_HAND   32768u
#define ROWS_MOST 64u

static const struct codec_limits limits = {
    .max_elements = MATRIX_MOST, .max_metadata_bytes = 1 << 20, .max_file_bytes = (uint64_t)MATRIX_MOST * 32};

struct matmul_state {
    size_t depth, columns;
    const double *panels;
};

static int matmul_check(const void *params, struct error *error)
{
    if (!((const struct matmul_params *)params)->matrix.path)
        return error_set(error, ERROR_USAGE, "matrix: give a file, such as matrix.npy");
    return 0;
}

/* What the matrix is; *codec reads it. */
static int look_at(const struct param_file *file, const struct codec **codec, struct codec_info *info,
                   struct error *error)
{
    if (!file->path || !file->bytes)
        return error_set(error, ERROR_USAGE, "matrix: no file was read");
    if (codec_gzip_name(file->path))
        return error_set(error, ERROR_UNSUPPORTED, "matrix: %.100s is packed; unpack it", file->path);
    *codec = codec_for_name(file->path);
    if (!*codec)
        *codec = codec_sniff(file->bytes, file->length_bytes);
    if (!*codec || !((*codec)->kinds & CODEC_ARRAYS))
        return error_set(error, ERROR_UNSUPPORTED, "matrix: %.100s is no file of an array", file->path);
    struct error inner = {0};
    const int code =
        (*codec)->peek(file->bytes, file->length_bytes, file->length_bytes, &limits, info, &inner);
    if (code < 0)
        return error_set(error, (enum error_code)code, "matrix: %.60s: %.120s", file->path, inner.reason);
    const struct shape *shape = &info->shape;
    if (shape->kind != SHAPE_ARRAY || shape->rank != 2)
        return error_set(error, ERROR_UNSUPPORTED, "matrix: %.60s has %u dimensions; it takes 2", file->path,
                         (unsigned)shape->rank);
    if (shape->dims[0] > MATRIX_MOST || shape->dims[1] > MATRIX_MOST)
        return error_set(error, ERROR_LIMIT, "matrix: %.60s is too long or too wide", file->path);
    return 0;
}

static size_t panels_of(size_t columns)
{
    return (columns + MATMUL_PANEL - 1) / MATMUL_PANEL;
}

/* Rows of the array in hand at a time. */
static size_t rows_in_hand(size_t depth)
{
    const size_t rows = IN_HAND / (depth + 1) / MATMUL_ROWS * MATMUL_ROWS;
    return rows > ROWS_MOST ? ROWS_MOST : rows < MATMUL_ROWS ? MATMUL_ROWS : rows;
}

static int matmul_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    const struct codec *codec;
    struct codec_info info;
    TRY(look_at(&((const struct matmul_params *)params)->matrix, &codec, &info, error));
    const size_t depth = info.shape.dims[0], columns = info.shape.dims[1];
    if (in->rank == 0)
        return error_set(error, ERROR_UNSUPPORTED, "a single value has no axis to multiply");
    if (in->dims[in->rank - 1] != depth)
        return error_set(error, ERROR_UNSUPPORTED, "the last axis has %llu numbers, the matrix %zu rows",
                         (unsigned long long)in->dims[in->rank - 1], depth);
    plan->out.dims[in->rank - 1] = columns;
    plan->out.sample = (uint8_t)values_real(in->sample);
    plan->out.bits = shape_sample_bits(plan->out.sample);
    if (shape_bytes(&plan->out) >= SIZE_MAX / 2)
        return error_set(error, ERROR_LIMIT, "the result would be too large");
    size_t need = scratch_need(1, sizeof(struct matmul_state));
    need = scratch_add(need, scratch_need(panels_of(columns) * depth, MATMUL_PANEL * sizeof(double)));
    need = scratch_add(need, scratch_need(1, shape_bytes(&info.shape)));
    need = scratch_add(need, scratch_need(1, info.scratch_bytes));
    plan->begin_scratch_bytes = scratch_add(need, scratch_need(columns, sizeof(double)));
    const size_t rows = rows_in_hand(depth);
    plan->rows_scratch_bytes =
        scratch_add(scratch_need(rows * depth, sizeof(double)), scratch_need(rows * COLUMNS, sizeof(double)));
    return 0;
}

static void matmul_source_rows(const void *params, const struct shape *in, const struct shape *out,
                               uint32_t *first, uint32_t *last)
{
    const uint64_t depth = in->dims[in->rank - 1], columns = out->dims[out->rank - 1];
    size_t begin, end;
    (void)params;
    shape_span(out, *first, *last, &begin, &end);
    *first = 0;
    *last = 1;
    if (begin == end || depth == 0)
        return;
    *first = (uint32_t)(begin / columns * depth / SHAPE_BLOCK_SAMPLES);
    *last = (uint32_t)((((end - 1) / columns + 1) * depth - 1) / SHAPE_BLOCK_SAMPLES + 1);
}

/* Unpacks the samples of the matrix to `room`, or points *samples to where they lie in the file as they are.
 */
static int unpack(const struct codec *codec, const struct codec_info *info, const struct param_file *file,
                  uint8_t *room, struct scratch *scratch, const uint8_t **samples, struct error *error)
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
        return error_set(error, (enum error_code)code, "matrix: %.60s: %.120s", file->path, inner.reason);
    if (job.shape.kind != SHAPE_ARRAY || job.shape.rank != 2 || job.shape.sample != info->shape.sample ||
        memcmp(job.shape.dims, info->shape.dims, 2 * sizeof *job.shape.dims) != 0)
        return error_set(error, ERROR_CORRUPT, "matrix: %.60s is not what its header says", file->path);
    if (job.found_at != SIZE_MAX)
        *samples = file->bytes + job.found_at;
    return 0;
}

static void make_panels(const struct shape *matrix, const uint8_t *samples, double *row, double *panels)
{
    const size_t depth = matrix->dims[0], columns = matrix->dims[1],
                 width = panels_of(columns) * MATMUL_PANEL;
    const size_t row_bytes = columns * shape_sample_bytes(matrix->sample);
    for (size_t k = 0; k < depth; k++) {
        wide_load_f64(matrix->sample, samples + k * row_bytes, columns, row);
        for (size_t j = 0; j < width; j++)
            panels[(j / MATMUL_PANEL * depth + k) * MATMUL_PANEL + j % MATMUL_PANEL] =
                j < columns ? row[j] : 0;
    }
}

static int matmul_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct param_file *file = &((const struct matmul_params *)run->params)->matrix;
    const struct codec *codec = NULL;
    struct codec_info info;
    TRY(look_at(file, &codec, &info, error));
    const size_t depth = info.shape.dims[0], columns = info.shape.dims[1];
    struct matmul_state *state = scratch_alloc(scratch, 1, sizeof *state);
    double *panels = scratch_alloc(scratch, panels_of(columns) * depth, MATMUL_PANEL * sizeof *panels);
    double *row = scratch_alloc(scratch, columns, sizeof *row);
    uint8_t *room = scratch_alloc(scratch, 1, shape_bytes(&info.shape));
    struct scratch inner = {.base = scratch_alloc(scratch, 1, info.scratch_bytes),
                            .size_bytes = info.scratch_bytes};
    if (!state || !panels || !row || !room || !inner.base)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    const uint8_t *samples = room;
    TRY(unpack(codec, &info, file, room, &inner, &samples, error));
    make_panels(&info.shape, samples, row, panels);
    *state = (struct matmul_state){depth, columns, panels};
    run->state = state;
    return 0;
}

/* What one caller of rows works in: rows of the array as doubles, and as many of the result. */
struct room {
    double *in, *out;
};

/* Rows [top, top + count) of the result, which are in hand, in columns [left, right): at most COLUMNS of
 * them, from a multiple of MATMUL_PANEL on. */
static void multiply(const struct matmul_state *state, const struct room *room, size_t count, size_t left,
                     size_t right)
{
    const double *panel = state->panels + left * state->depth;
    for (size_t column = left; column < right; column += MATMUL_PANEL) {
        for (size_t r = 0; r < count; r += MATMUL_ROWS)
            matmul_tile(room->in + r * state->depth, state->depth, panel,
                        room->out + r * COLUMNS + column - left, COLUMNS);
        panel += state->depth * MATMUL_PANEL;
    }
}

static void load_rows(const struct stage_run *run, size_t top, size_t count, double *in)
{
    const size_t depth = ((const struct matmul_state *)run->state)->depth;
    const size_t whole = (count + MATMUL_ROWS - 1) / MATMUL_ROWS * MATMUL_ROWS;
    if (depth > 0)
        wide_load_f64(run->in.sample, run->src + top * depth * shape_sample_bytes(run->in.sample),
                      count * depth, in);
    memset(in + count * depth, 0, (whole - count) * depth * sizeof *in);
}

/* Columns [from, to) of rows [top, bottom) of the result. */
static void fill(const struct stage_run *run, const struct room *room, size_t top, size_t bottom, size_t from,
                 size_t to)
{
    const struct matmul_state *state = run->state;
    const size_t most = rows_in_hand(state->depth), bytes = shape_sample_bytes(run->out.sample);
    for (size_t row = top, count; row < bottom; row += count) {
        count = bottom - row < most ? bottom - row : most;
        load_rows(run, row, count, room->in);
        for (size_t left = from / MATMUL_PANEL * MATMUL_PANEL; left < to; left += COLUMNS) {
            const size_t right = to - left < COLUMNS ? to : left + COLUMNS;
            const size_t start = left > from ? left : from;
            multiply(state, room, count, left, right);
            for (size_t r = 0; r < count; r++)
                values_store(run->out.sample, room->out + r * COLUMNS + start - left,
                             run->dst + ((row + r) * state->columns + start) * bytes, right - start);
        }
    }
}

/* A range of samples is the end of a row, whole rows, and the beginning of one. */
static int matmul_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    const struct matmul_state *state = run->state;
    const size_t most = rows_in_hand(state->depth), columns = state->columns;
    struct room room = {scratch_alloc(scratch, most * state->depth, sizeof(double)),
                        scratch_alloc(scratch, most * COLUMNS, sizeof(double))};
    size_t begin, end;
    if (!room.in || !room.out)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    shape_span(&run->out, first, last, &begin, &end);
    if (begin == end)
        return 0;
    const size_t top = begin / columns, bottom = end / columns, from = begin % columns, to = end % columns;
    if (top == bottom) {
        fill(run, &room, top, top + 1, from, to);
        return 0;
    }
    if (from > 0)
        fill(run, &room, top, top + 1, from, columns);
    fill(run, &room, top + (from > 0), bottom, 0, columns);
    if (to > 0)
        fill(run, &room, bottom, bottom + 1, 0, to);
    return 0;
}

const struct stage matmul_stage = {
    .name = "matmul",
    .group = "numeric",
    .summary = "Multiply the last axis of an array by a matrix from a file",
    .params = matmul_table,
    .params_bytes = sizeof(struct matmul_params),
    .arrays = STAGE_ARRAYS,
    .gives = STAGE_GIVES_ARRAY,
    .check = matmul_check,
    .plan = matmul_plan,
    .source_rows = matmul_source_rows,
    .begin = matmul_begin,
    .rows = matmul_rows,
};
