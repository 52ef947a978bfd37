/* SPDX-License-Identifier: MIT */
#include "stages/codec/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

int array_check(const struct shape *shape, const struct codec_limits *limits, struct error *error)
{
    uint64_t bytes = shape_sample_bytes(shape->sample), samples = shape_samples(shape);
    for (unsigned i = 0; i < shape->rank; i++) {
        if (shape->dims[i] != 0 && __builtin_mul_overflow(bytes, shape->dims[i], &bytes))
            bytes = UINT64_MAX;
    }
    if (bytes >= SIZE_MAX / 2)
        return error_set(error, ERROR_CORRUPT, "impossible shape: its bytes cannot be counted");
    if (samples > limits->max_elements)
        return error_set(error, ERROR_LIMIT,
                         "%" PRIu64 " elements, over max_elements %" PRIu64 "; raise it with --max-elements",
                         samples, limits->max_elements);
    return 0;
}

/* One sample; `size` and `swapped` are constants wherever it is called. */
INLINE void move(uint8_t *to, const uint8_t *from, size_t size, bool swapped)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (size) {
    case 2:
        memcpy(&two, from, size);
        two = swapped ? __builtin_bswap16(two) : two;
        memcpy(to, &two, size);
        break;
    case 4:
        memcpy(&four, from, size);
        four = swapped ? __builtin_bswap32(four) : four;
        memcpy(to, &four, size);
        break;
    case 8:
        memcpy(&eight, from, size);
        eight = swapped ? __builtin_bswap64(eight) : eight;
        memcpy(to, &eight, size);
        break;
    default:
        *to = *from;
    }
}

/* A grid of samples to be transposed: rows lie in `to` one after the other, columns in `from`. */
struct grid {
    const uint8_t *from;
    uint8_t *to;
    size_t rows, columns;
    size_t from_step, to_step; /* samples from one column to the next in `from`, from row to row in `to` */
};

/* Columns of one block straight to their rows. */
INLINE void transpose_block(uint8_t *to, size_t to_step, const uint8_t *from, size_t from_step, size_t height,
                            size_t width, size_t size, bool swapped)
{
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++)
            move(to + (y * to_step + x) * size, from + (x * from_step + y) * size, size, swapped);
    }
}

/* In squares of 128 bytes a side, by way of a small copy: so of both sides whole cache lines are used at
 * once, whatever the distance between them, and columns are walked in the copy alone. */
#define SIDE_BYTES 128

INLINE void transpose(const struct grid *grid, size_t size, bool swapped)
{
    const size_t side = SIDE_BYTES / size;
    uint8_t square[SIDE_BYTES * SIDE_BYTES];
    for (size_t top = 0; top < grid->rows; top += side) {
        const size_t height = grid->rows - top < side ? grid->rows - top : side;
        for (size_t left = 0; left < grid->columns; left += side) {
            const size_t width = grid->columns - left < side ? grid->columns - left : side;
            const uint8_t *from = grid->from + (left * grid->from_step + top) * size;
            uint8_t *to = grid->to + (top * grid->to_step + left) * size;
            const bool whole = height == side && width == side;
            for (size_t x = 0; x < width && whole; x++)
                memcpy(square + x * SIDE_BYTES, from + x * grid->from_step * size, SIDE_BYTES);
            if (whole)
                transpose_block(to, grid->to_step, square, side, side, side, size, swapped);
            else
                transpose_block(to, grid->to_step, from, grid->from_step, height, width, size, swapped);
        }
    }
}

static void transpose_grid(const struct grid *grid, size_t size, bool swapped)
{
    if (size == 1)
        transpose(grid, 1, false);
    else if (size == 2 && swapped)
        transpose(grid, 2, true);
    else if (size == 2)
        transpose(grid, 2, false);
    else if (size == 4 && swapped)
        transpose(grid, 4, true);
    else if (size == 4)
        transpose(grid, 4, false);
    else if (swapped)
        transpose(grid, 8, true);
    else
        transpose(grid, 8, false);
}

static void swap_line(uint8_t *to, const uint8_t *from, size_t count, size_t size)
{
    switch (size) {
    case 2:
        for (size_t i = 0; i < count; i++)
            move(to + 2 * i, from + 2 * i, 2, true);
        break;
    case 4:
        for (size_t i = 0; i < count; i++)
            move(to + 4 * i, from + 4 * i, 4, true);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            move(to + 8 * i, from + 8 * i, 8, true);
    }
}

/* Dimensions of 1 do not matter to the order; how many others there are, and which. */
static unsigned long_dims(const struct shape *shape, uint64_t *dims)
{
    unsigned rank = 0;
    for (unsigned i = 0; i < shape->rank; i++) {
        if (shape->dims[i] != 1)
            dims[rank++] = shape->dims[i];
    }
    return rank;
}

/* The first index and the last span grids; the others count through them, the second fastest. */
static void unpack_fortran(const struct array_layout *layout, const uint64_t *dims, unsigned rank,
                           const uint8_t *from, uint8_t *to)
{
    const size_t size = shape_sample_bytes(layout->shape.sample);
    const size_t samples = shape_samples(&layout->shape);
    const unsigned last = rank - 1;
    size_t from_steps[SHAPE_MAX_RANK], to_steps[SHAPE_MAX_RANK], index[SHAPE_MAX_RANK] = {0};
    if (samples == 0)
        return;
    from_steps[0] = to_steps[last] = 1;
    for (unsigned i = 0; i < last; i++) {
        from_steps[i + 1] = from_steps[i] * dims[i];
        to_steps[last - i - 1] = to_steps[last - i] * dims[last - i];
    }
    struct grid grid = {
        .rows = dims[0], .columns = dims[last], .from_step = from_steps[last], .to_step = to_steps[0]};
    for (size_t left = samples / (dims[0] * dims[last]); left > 0; left--) {
        size_t from_at = 0, to_at = 0;
        for (unsigned i = 1; i < last; i++) {
            from_at += index[i] * from_steps[i];
            to_at += index[i] * to_steps[i];
        }
        grid.from = from + from_at * size;
        grid.to = to + to_at * size;
        transpose_grid(&grid, size, layout->swapped);
        for (unsigned i = 1; i < last && ++index[i] == dims[i]; i++)
            index[i] = 0;
    }
}

bool array_in_order(const struct array_layout *layout)
{
    uint64_t dims[SHAPE_MAX_RANK];
    return !layout->fortran || long_dims(&layout->shape, dims) < 2;
}

bool array_ready(const struct array_layout *layout, const uint8_t *from)
{
    if (!array_in_order(layout) || (layout->swapped && shape_sample_bytes(layout->shape.sample) > 1))
        return false;
    uint8_t bits = 0;
    for (size_t i = 0, end = shape_bytes(&layout->shape); layout->shape.sample == SAMPLE_BOOL && i < end; i++)
        bits |= from[i];
    return bits <= 1;
}

void array_unpack(const struct array_layout *layout, const uint8_t *from, uint8_t *to)
{
    const size_t size = shape_sample_bytes(layout->shape.sample), bytes = shape_bytes(&layout->shape);
    uint64_t dims[SHAPE_MAX_RANK];
    const unsigned rank = long_dims(&layout->shape, dims);
    if (layout->fortran && rank > 1)
        unpack_fortran(layout, dims, rank, from, to);
    else if (layout->swapped && size > 1)
        swap_line(to, from, bytes / size, size);
    else if (to != from && bytes > 0)
        memcpy(to, from, bytes);
    for (size_t i = 0; layout->shape.sample == SAMPLE_BOOL && i < bytes; i++)
        to[i] = to[i] != 0;
}

int array_begin(struct codec_decode *job, const struct array_layout *layout, struct error *error)
{
    job->shape = layout->shape;
    job->warnings = 0;
    job->warning[0] = '\0';
    if (shape_bytes(&layout->shape) > job->pixels_bytes)
        return error_set(error, ERROR_MEMORY, "more room for samples needed than was planned");
    return 0;
}

void array_warn_of_rest(struct codec_decode *job, uint64_t rest_bytes)
{
    if (rest_bytes == 0)
        return;
    job->warnings = 1;
    snprintf(job->warning, sizeof job->warning, "%" PRIu64 " bytes after the end of the array", rest_bytes);
}

int array_take(struct codec_decode *job, const struct array_layout *layout, size_t at, size_t end,
               struct error *error)
{
    TRY(array_begin(job, layout, error));
    if (at % SCRATCH_ALIGN == 0 && array_ready(layout, job->bytes + at))
        job->found_at = at;
    else
        array_unpack(layout, job->bytes + at, job->pixels);
    array_warn_of_rest(job, end - at - shape_bytes(&layout->shape));
    return 0;
}
