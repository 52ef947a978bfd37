/* SPDX-License-Identifier: MIT */
/* Running sums, as numpy's cumsum: along an axis, or over all samples in C order, one after the other in the
 * type that comes out. Integers become i64 or u64 and wrap, bool becomes i64, floats keep their type. */
#include <string.h>

#include "stages/numeric/half.h"
#include "stages/numeric/lines.h"
#include "stages/numeric/wide.h"
#include "stages/simd.h"

#define NO_AXIS (-SHAPE_MAX_RANK - 1)

struct cumsum_params {
    int64_t axis; /* NO_AXIS: none */
};

static const struct param cumsum_table[] = {
    {.name = "axis",
     .type = PARAM_INT,
     .offset = offsetof(struct cumsum_params, axis),
     .min = -SHAPE_MAX_RANK,
     .max = SHAPE_MAX_RANK - 1,
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Along which axis, -1 being the last; none: over all samples, which makes the array flat"},
    PARAM_END,
};

static uint8_t sum_type(uint8_t sample)
{
    if (shape_sample_is_float(sample))
        return sample;
    return shape_sample_is_signed(sample) || sample == SAMPLE_BOOL ? SAMPLE_I64 : SAMPLE_U64;
}

static int cumsum_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    const int64_t axis = ((const struct cumsum_params *)params)->axis;
    const uint64_t count = shape_samples(in);
    struct lines lines;
    plan->out.sample = sum_type(in->sample);
    if (axis == NO_AXIS)
        plan->out = shape_array((enum sample)plan->out.sample, 1, &count);
    else
        TRY(lines_along(in, axis, &lines, error));
    plan->out.bits = shape_sample_bits(plan->out.sample);
    plan->in_place = plan->out.sample == in->sample;
    plan->whole = true;
    plan->rows_scratch_bytes = scratch_need(1, sizeof(union wide_piece));
    return 0;
}

/* The input's samples in the output's type. */
static int widen(const struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const size_t in_bytes = shape_sample_bytes(run->in.sample), total = shape_samples(&run->in);
    const size_t out_bytes = shape_sample_bytes(run->out.sample);
    union wide_piece *piece = scratch_alloc(scratch, 1, sizeof *piece);
    if (!piece)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    if (run->in.sample == run->out.sample) {
        if (run->dst != run->src && total > 0)
            memcpy(run->dst, run->src, total * in_bytes);
        return 0;
    }
    for (size_t done = 0, count; done < total; done += count) {
        count = total - done < WIDE_PIECE ? total - done : WIDE_PIECE;
        wide_load(run->in.sample, run->src + done * in_bytes, count, piece);
        wide_store(wide_of(run->in.sample), piece, count, run->out.sample, run->dst + done * out_bytes);
    }
    return 0;
}

/* Adds up one slab in place; `sum` is of the line's sum so far, `a`, and the next sample, `b`. A single line
 * keeps its sum in hand; many side by side are added row by row. */
#define ADD_UP(type, slab, sum)                                                                              \
    do {                                                                                                     \
        type *to = (slab);                                                                                   \
        if (lines->inner == 1) {                                                                             \
            type a = to[0];                                                                                  \
            for (size_t i = 1; i < lines->length; i++) {                                                     \
                const type b = to[i];                                                                        \
                a = (type)(sum);                                                                             \
                to[i] = a;                                                                                   \
            }                                                                                                \
            break;                                                                                           \
        }                                                                                                    \
        for (size_t i = 1; i < lines->length; i++) {                                                         \
            type *row = to + i * lines->inner;                                                               \
            const type *before = row - lines->inner;                                                         \
            _Pragma("omp simd") for (size_t j = 0; j < lines->inner; j++)                                    \
            {                                                                                                \
                const type a = before[j], b = row[j];                                                        \
                row[j] = (type)(sum);                                                                        \
            }                                                                                                \
        }                                                                                                    \
    } while (0)

SIMD_CLONES_512 static void add_up(uint8_t sample, void *slab, const struct lines *lines)
{
    switch ((enum sample)sample) {
    case SAMPLE_F16:
        ADD_UP(uint16_t, slab, half_from_double(half_to_double(a) + half_to_double(b)));
        break;
    case SAMPLE_F32:
        ADD_UP(float, slab, a + b);
        break;
    case SAMPLE_F64:
        ADD_UP(double, slab, a + b);
        break;
    default:
        ADD_UP(uint64_t, slab, a + b);
    }
}

static int cumsum_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)first, (void)last;
    const int64_t axis = ((const struct cumsum_params *)run->params)->axis;
    struct lines lines;
    TRY(widen(run, scratch, error));
    /* The output has the shape that was asked for, flat or not. */
    TRY(lines_along(&run->out, axis == NO_AXIS ? 0 : axis, &lines, error));
    const size_t slab_bytes = lines.length * lines.inner * shape_sample_bytes(run->out.sample);
    for (size_t i = 0; i < lines.outer; i++)
        add_up(run->out.sample, run->dst + i * slab_bytes, &lines);
    return 0;
}

const struct stage cumsum_stage = {
    .name = "cumsum",
    .group = "numeric",
    .summary = "Running sums along an axis; integers become 64 bit",
    .params = cumsum_table,
    .params_bytes = sizeof(struct cumsum_params),
    .arrays = STAGE_ARRAYS,
    .plan = cumsum_plan,
    .rows = cumsum_rows,
};
