/* SPDX-License-Identifier: MIT */
/* Another type for the samples of an array, as numpy's astype, with a say in what happens to values that the
 * type does not hold:
 *
 *             too large for an integer    NaN, infinity         too large for a float
 *   error     the item fails              the item fails        the item fails
 *   saturate  the nearest end of range    0, an end of range    the largest finite value
 *   wrap      modulo 2^bits               0                     infinity
 *
 * wrap is ECMAScript's ToInt32 and its kin (ECMA-262, 7.1.6) for floats, and what numpy does with integers.
 * To bool goes whatever is not 0, NaN included. Between floats NaN and infinity stay, and rounding is to
 * nearest, ties to even. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stages/numeric/wide.h"
#include "stages/simd.h"
#include "stages/stage.h"

enum casting { CASTING_ERROR, CASTING_SATURATE, CASTING_WRAP };
enum rounding { ROUNDING_TRUNCATE, ROUNDING_NEAREST };

struct astype_params {
    int type;     /* index into `types` */
    int casting;  /* enum casting */
    int rounding; /* enum rounding */
};

/* In the order of the choices: the names that shapes have, then numpy's. */
static const uint8_t types[] = {SAMPLE_U8,  SAMPLE_U16, SAMPLE_U32, SAMPLE_U64, SAMPLE_I8,  SAMPLE_I16,
                                SAMPLE_I32, SAMPLE_I64, SAMPLE_F16, SAMPLE_F32, SAMPLE_F64, SAMPLE_U8,
                                SAMPLE_U16, SAMPLE_U32, SAMPLE_U64, SAMPLE_I8,  SAMPLE_I16, SAMPLE_I32,
                                SAMPLE_I64, SAMPLE_F16, SAMPLE_F32, SAMPLE_F64, SAMPLE_BOOL};

static const struct param astype_table[] = {
    {.name = "type",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct astype_params, type),
     .initial = NULL,
     .choices = "u8|u16|u32|u64|i8|i16|i32|i64|f16|f32|f64|uint8|uint16|uint32|uint64|int8|int16|int32|int64|"
                "float16|float32|float64|bool",
     .unit = "",
     .help = "What the samples become; the names of numpy mean the same"},
    {.name = "casting",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct astype_params, casting),
     .initial = "error",
     .choices = "error|saturate|wrap",
     .unit = "",
     .help =
         "What a value becomes that the type does not hold: an error that names it, the nearest value, or "
         "the value modulo 2^bits (infinity among floats)"},
    {.name = "rounding",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct astype_params, rounding),
     .initial = "truncate",
     .choices = "truncate|nearest",
     .unit = "",
     .help = "From floats to integers: towards zero, as numpy, or to nearest with ties to even"},
    PARAM_END,
};

static int astype_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)error;
    plan->out.sample = types[((const struct astype_params *)params)->type];
    plan->out.bits = shape_sample_bits(plan->out.sample);
    plan->in_place = shape_sample_bytes(in->sample) == shape_sample_bytes(plan->out.sample);
    plan->rows_scratch_bytes = scratch_need(1, sizeof(union wide_piece));
    return 0;
}

SIMD_CLONES static void round_to_nearest(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rint(values[i]);
}

/* Whole numbers modulo 2^64, in place; what has no remainder becomes 0. */
static void wrap_floats(union wide_piece *piece, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double x = piece->f64[i];
        if (!(fabs(x) < 0x1p63))
            x = isfinite(x) ? fmod(x, 0x1p64) : 0;
        if (fabs(x) < 0x1p63)
            piece->u64[i] = (uint64_t)(int64_t)x;
        else
            piece->u64[i] = x < 0 ? 0 - (uint64_t)-x : (uint64_t)x;
    }
}

/* "(3, 17)" of the sample with this number in C order. */
static void place_text(const struct shape *shape, size_t index, char *text, size_t size)
{
    uint64_t place[SHAPE_MAX_RANK];
    size_t used = (size_t)snprintf(text, size, "(");
    for (unsigned i = shape->rank; i-- > 0; index /= shape->dims[i])
        place[i] = index % shape->dims[i];
    for (unsigned i = 0; i < shape->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, i ? ", " : "", place[i]);
    if (used < size)
        snprintf(text + used, size - used, ")");
}

static int refuse(const struct stage_run *run, size_t index, const union wide_piece *piece, size_t i,
                  struct error *error)
{
    char place[192], value[32];
    place_text(&run->in, index, place, sizeof place);
    switch (wide_of(run->in.sample)) {
    case WIDE_I32:
        snprintf(value, sizeof value, "%" PRId32, piece->i32[i]);
        break;
    case WIDE_I64:
        snprintf(value, sizeof value, "%" PRId64, piece->i64[i]);
        break;
    case WIDE_U64:
        snprintf(value, sizeof value, "%" PRIu64, piece->u64[i]);
        break;
    case WIDE_F64:
        snprintf(value, sizeof value, "%.9g", piece->f64[i]);
        break;
    }
    return error_set(error, ERROR_STAGE, "element %.100s is %s, which %s does not hold; see casting", place,
                     value, shape_sample_name(run->out.sample));
}

/* The piece, `count` values from sample `index` on, to the output's type. */
static int convert(const struct stage_run *run, size_t index, union wide_piece *piece, size_t count,
                   struct error *error)
{
    const struct astype_params *params = run->params;
    const uint8_t to = run->out.sample;
    enum wide wide = wide_of(run->in.sample);
    const bool to_integer = !shape_sample_is_float(to) && to != SAMPLE_BOOL;
    if (wide == WIDE_F64 && to_integer && params->rounding == ROUNDING_NEAREST)
        round_to_nearest(piece->f64, count);
    if (params->casting == CASTING_WRAP && wide == WIDE_F64 && to_integer) {
        wrap_floats(piece, count);
        wide = WIDE_U64;
    } else if (params->casting == CASTING_SATURATE && to != SAMPLE_BOOL) {
        wide_saturate(wide, piece, count, to);
    } else if (params->casting == CASTING_ERROR && to != SAMPLE_BOOL) {
        const size_t i = wide_outside(wide, piece, count, to);
        if (i < count)
            return refuse(run, index + i, piece, i, error);
    }
    wide_store(wide, piece, count, to, run->dst + index * shape_sample_bytes(to));
    return 0;
}

static int astype_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    const size_t in_bytes = shape_sample_bytes(run->in.sample);
    size_t begin, end;
    shape_span(&run->in, first, last, &begin, &end);
    if (run->in.sample == run->out.sample) {
        if (run->dst != run->src)
            memcpy(run->dst + begin * in_bytes, run->src + begin * in_bytes, (end - begin) * in_bytes);
        return 0;
    }
    union wide_piece *piece = scratch_alloc(scratch, 1, sizeof *piece);
    if (!piece)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    for (size_t count; begin < end; begin += count) {
        count = end - begin < WIDE_PIECE ? end - begin : WIDE_PIECE;
        wide_load(run->in.sample, run->src + begin * in_bytes, count, piece);
        TRY(convert(run, begin, piece, count, error));
    }
    return 0;
}

const struct stage astype_stage = {
    .name = "astype",
    .group = "numeric",
    .summary = "Change the sample type of an array; values stay what they are",
    .params = astype_table,
    .params_bytes = sizeof(struct astype_params),
    .arrays = STAGE_ARRAYS,
    .plan = astype_plan,
    .rows = astype_rows,
};
