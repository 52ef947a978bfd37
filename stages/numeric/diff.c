/* SPDX-License-Identifier: MIT */
/* Differences of neighbours along an axis, n times over, as numpy's diff: the type stays, so integers wrap,
 * and of bool it is whether neighbours differ. */
#include <string.h>

#include "stages/numeric/half.h"
#include "stages/numeric/lines.h"
#include "stages/simd.h"

#define MOST_TIMES 16

struct diff_params {
    int64_t axis, n;
};

static const struct param diff_table[] = {
    {.name = "axis",
     .type = PARAM_INT,
     .offset = offsetof(struct diff_params, axis),
     .min = -SHAPE_MAX_RANK,
     .max = SHAPE_MAX_RANK - 1,
     .initial = "-1",
     .unit = "",
     .help = "Along which axis, -1 being the last"},
    {.name = "n",
     .type = PARAM_INT,
     .offset = offsetof(struct diff_params, n),
     .min = 1,
     .max = MOST_TIMES,
     .initial = "1",
     .unit = "",
     .help = "How often; each time the axis gets shorter by one. Integers wrap: astype before it makes room"},
    PARAM_END,
};

/* For n > 1 the samples that so many results are made of lie in scratch. */
#define TILE 512u

static int diff_plan(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error)
{
    const struct diff_params *diff = params;
    const uint64_t n = (uint64_t)diff->n;
    struct lines lines;
    TRY(lines_along(in, diff->axis, &lines, error));
    uint64_t *dim = &plan->out.dims[lines.axis];
    *dim = *dim > n ? *dim - n : 0;
    if (n > 1)
        plan->rows_scratch_bytes = scratch_need((size_t)n + 1, TILE * shape_sample_bytes(in->sample));
    return 0;
}

#define SUBTRACT(type, difference)                                                                           \
    do {                                                                                                     \
        const type *a_ = after, *b_ = before;                                                                \
        type *to_ = to;                                                                                      \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++)                                               \
        {                                                                                                    \
            const type a = a_[i], b = b_[i];                                                                 \
            to_[i] = (type)(difference);                                                                     \
        }                                                                                                    \
    } while (0)

/* to = after - before; `to` may be `before`. */
SIMD_CLONES_512 static void subtract(uint8_t sample, const void *after, const void *before, void *to,
                                     size_t count)
{
    switch ((enum sample)sample) {
    case SAMPLE_U8:
    case SAMPLE_I8:
        SUBTRACT(uint8_t, a - b);
        break;
    case SAMPLE_U16:
    case SAMPLE_I16:
        SUBTRACT(uint16_t, a - b);
        break;
    case SAMPLE_U32:
    case SAMPLE_I32:
        SUBTRACT(uint32_t, a - b);
        break;
    case SAMPLE_U64:
    case SAMPLE_I64:
        SUBTRACT(uint64_t, a - b);
        break;
    case SAMPLE_F16:
        SUBTRACT(uint16_t, half_from_double(half_to_double(a) - half_to_double(b)));
        break;
    case SAMPLE_F32:
        SUBTRACT(float, a - b);
        break;
    case SAMPLE_F64:
        SUBTRACT(double, a - b);
        break;
    default:
        SUBTRACT(uint8_t, a != b);
    }
}

/* `count` results within one slab, in which samples of a line are `step` apart. */
static void differences(uint8_t sample, const uint8_t *src, uint8_t *dst, size_t count, size_t step, size_t n,
                        uint8_t *tiles)
{
    const size_t bytes = shape_sample_bytes(sample), tile_bytes = TILE * bytes;
    if (n == 1) {
        subtract(sample, src + step * bytes, src, dst, count);
        return;
    }
    for (size_t done = 0, part; done < count; done += part) {
        part = count - done < TILE ? count - done : TILE;
        for (size_t k = 0; k <= n; k++)
            memcpy(tiles + k * tile_bytes, src + (done + k * step) * bytes, part * bytes);
        for (size_t left = n; left > 0; left--) {
            for (size_t k = 0; k < left; k++)
                subtract(sample, tiles + (k + 1) * tile_bytes, tiles + k * tile_bytes, tiles + k * tile_bytes,
                         part);
        }
        memcpy(dst + done * bytes, tiles, part * bytes);
    }
}

/* Where the first of the samples lies that result `index` is made of. */
static size_t source_of(const struct lines *lines, size_t n, size_t index)
{
    const size_t slab = (lines->length - n) * lines->inner;
    return index / slab * lines->length * lines->inner + index % slab;
}

static void diff_source_rows(const void *params, const struct shape *in, const struct shape *out,
                             uint32_t *first, uint32_t *last)
{
    const struct diff_params *diff = params;
    const size_t n = (size_t)diff->n;
    struct lines lines;
    size_t begin, end;
    shape_span(out, *first, *last, &begin, &end);
    if (begin == end || lines_along(in, diff->axis, &lines, NULL) < 0)
        return;
    *first = (uint32_t)(source_of(&lines, n, begin) / SHAPE_BLOCK_SAMPLES);
    *last = (uint32_t)((source_of(&lines, n, end - 1) + n * lines.inner) / SHAPE_BLOCK_SAMPLES) + 1;
}

static int diff_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                     struct error *error)
{
    const struct diff_params *diff = run->params;
    const size_t n = (size_t)diff->n, bytes = shape_sample_bytes(run->in.sample);
    uint8_t *tiles = n > 1 ? scratch_alloc(scratch, n + 1, TILE * bytes) : NULL;
    struct lines lines;
    size_t begin, end;
    TRY(lines_along(&run->in, diff->axis, &lines, error));
    if (n > 1 && !tiles)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    shape_span(&run->out, first, last, &begin, &end);
    for (size_t count; begin < end; begin += count) {
        const size_t slab = (lines.length - n) * lines.inner, left = slab - begin % slab;
        count = end - begin < left ? end - begin : left;
        differences(run->in.sample, run->src + source_of(&lines, n, begin) * bytes, run->dst + begin * bytes,
                    count, lines.inner, n, tiles);
    }
    return 0;
}

const struct stage diff_stage = {
    .name = "diff",
    .group = "numeric",
    .summary = "Differences of neighbours along an axis",
    .params = diff_table,
    .params_bytes = sizeof(struct diff_params),
    .arrays = STAGE_ARRAYS,
    .plan = diff_plan,
    .source_rows = diff_source_rows,
    .rows = diff_rows,
};
