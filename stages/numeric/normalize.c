/* SPDX-License-Identifier: MIT */
/* Moves and scales the numbers of an array, all of them together or each line along an axis by itself:
 *
 *   minmax       the least becomes `low`, the greatest `high`
 *   zscore       mean 0, standard deviation 1 (that of numpy.std, divided by the count)
 *   percentile   two percentiles become `low` and `high`; what lies beyond them lies beyond these (clip after
 * it where that is not wanted)
 *
 * Where all are equal they become `low`, and 0 with zscore: 0 by default. NaN and infinities are left out
 * when the range is found, and stay what they are. Computed in double precision; the result is f32 where that
 * holds all values of the input's type (bool, 8 and 16 bit, f16, f32), else f64. */
#include <math.h>

#include "stages/numeric/moments.h"
#include "stages/numeric/quantile.h"
#include "stages/numeric/values.h"
#include "stages/numeric/wide.h"
#include "stages/simd.h"
#include "stages/stage.h"

enum { METHOD_MINMAX, METHOD_ZSCORE, METHOD_PERCENTILE };

#define NO_AXIS (-SHAPE_MAX_RANK - 1)

struct normalize_params {
    int method;
    int64_t axis; /* NO_AXIS: none */
    double low, high;
    double lower, upper;
};

static const struct param normalize_table[] = {
    {.name = "method",
     .type = PARAM_CHOICE,
     .offset = offsetof(struct normalize_params, method),
     .initial = "minmax",
     .choices = "minmax|zscore|percentile",
     .unit = "",
     .help = "What to go by: the extremes, mean and standard deviation, or two percentiles"},
    {.name = "axis",
     .type = PARAM_INT,
     .offset = offsetof(struct normalize_params, axis),
     .min = -SHAPE_MAX_RANK,
     .max = SHAPE_MAX_RANK - 1,
     .initial = "none",
     .choices = "none",
     .unit = "",
     .help = "Each line along this axis by itself, -1 being the last; none: the array as a whole"},
    {.name = "low",
     .type = PARAM_REAL,
     .offset = offsetof(struct normalize_params, low),
     .min = -1e30,
     .max = 1e30,
     .initial = "0",
     .unit = "",
     .help = "What the least becomes, with minmax and percentile"},
    {.name = "high",
     .type = PARAM_REAL,
     .offset = offsetof(struct normalize_params, high),
     .min = -1e30,
     .max = 1e30,
     .initial = "1",
     .unit = "",
     .help = "What the greatest becomes, with minmax and percentile"},
    {.name = "lower",
     .type = PARAM_REAL,
     .offset = offsetof(struct normalize_params, lower),
     .min = 0,
     .max = 100,
     .initial = "1",
     .unit = "%",
     .help = "The percentile that becomes low"},
    {.name = "upper",
     .type = PARAM_REAL,
     .offset = offsetof(struct normalize_params, upper),
     .min = 0,
     .max = 100,
     .initial = "99",
     .unit = "%",
     .help = "The percentile that becomes high"},
    PARAM_END,
};

/* out = (in - centre) / width x target + low; a width of 0 stands for lines whose numbers are all equal. */
struct fit {
    double centre, width;
};

struct normalize_state {
    struct lines lines;
    double target, low;
    struct fit fits[]; /* outer x inner */
};

struct normalize_room {
    double values[LINE_BLOCK];
};

static int normalize_check(const void *params, struct error *error)
{
    const struct normalize_params *normalize = params;
    if (normalize->method == METHOD_PERCENTILE && normalize->lower >= normalize->upper)
        return error_set(error, ERROR_USAGE, "lower (%g) must be below upper (%g)", normalize->lower,
                         normalize->upper);
    return 0;
}

static int find_lines(const struct normalize_params *params, const struct shape *in, struct lines *lines,
                      struct error *error)
{
    *lines = (struct lines){.outer = 1, .length = shape_samples(in), .inner = 1};
    return params->axis == NO_AXIS ? 0 : lines_along(in, params->axis, lines, error);
}

static size_t state_need(const struct lines *lines)
{
    return scratch_add(scratch_need(lines->outer * lines->inner, sizeof(struct fit)),
                       scratch_need(1, sizeof(struct normalize_state)));
}

static int normalize_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                          struct error *error)
{
    const struct normalize_params *normalize = params;
    struct lines lines;
    TRY(find_lines(normalize, in, &lines, error));
    plan->out.sample = (uint8_t)values_real(in->sample);
    plan->out.bits = shape_sample_bits(plan->out.sample);
    plan->begin_scratch_bytes =
        scratch_add(state_need(&lines), normalize->method == METHOD_PERCENTILE
                                            ? scratch_need(1, sizeof(struct quantile_room))
                                            : scratch_need(1, sizeof(struct line_room)));
    plan->rows_scratch_bytes = scratch_need(1, sizeof(struct normalize_room));
    return 0;
}

static void normalize_source_rows(const void *params, const struct shape *in, const struct shape *out,
                                  uint32_t *first, uint32_t *last)
{
    (void)params, (void)out;
    *first = 0;
    *last = shape_rows(in);
}

static struct fit fit_line(const struct normalize_params *params, const struct line *line, void *room)
{
    const struct moments moments = moments_of(line, LINE_DROP_NOT_FINITE, room);
    if (params->method == METHOD_ZSCORE)
        return (struct fit){moments.mean, moments.min == moments.max ? 0 : moments.std};
    if (params->method == METHOD_MINMAX)
        return (struct fit){moments.min, moments.max - moments.min};
    const double percents[] = {params->lower, params->upper};
    double values[2];
    quantile_of(line, LINE_DROP_NOT_FINITE, moments.count, percents, values, 2, room);
    return (struct fit){values[0], values[1] - values[0]};
}

static int normalize_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const struct normalize_params *params = run->params;
    struct lines lines;
    TRY(find_lines(params, &run->in, &lines, error));
    const size_t count = lines.outer * lines.inner;
    struct normalize_state *state = scratch_alloc(scratch, 1, sizeof *state + count * sizeof(struct fit));
    void *room = scratch_alloc(scratch, 1,
                               params->method == METHOD_PERCENTILE ? sizeof(struct quantile_room)
                                                                   : sizeof(struct line_room));
    if (!state || !room)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    state->lines = lines;
    state->low = params->method == METHOD_ZSCORE ? 0 : params->low;
    state->target = params->method == METHOD_ZSCORE ? 1 : params->high - params->low;
    for (size_t i = 0; i < count && lines.length > 0; i++) {
        const struct line line = line_along(&run->in, run->src, &lines, i);
        state->fits[i] = fit_line(params, &line, room);
    }
    run->state = state;
    return 0;
}

/* NaN and infinities come out as they went in, if with the sign of a falling range. */
SIMD_INLINE double fitted(double value, double centre, double width, double target, double low)
{
    const double off = value - centre;
    const double part = width == 0 ? off - off : off / width;
    return isfinite(value) ? part * target + low : value;
}

/* A run of one line. */
SIMD_CLONES static void fit_run(double *values, size_t count, struct fit fit, double target, double low)
{
    for (size_t i = 0; i < count; i++)
        values[i] = fitted(values[i], fit.centre, fit.width, target, low);
}

/* One sample of each of `count` lines. */
SIMD_CLONES static void fit_each(double *restrict values, size_t count, const struct fit *restrict fits,
                                 double target, double low)
{
    for (size_t i = 0; i < count; i++)
        values[i] = fitted(values[i], fits[i].centre, fits[i].width, target, low);
}

/* `count` samples from number `first` of the array. */
static void fit_block(const struct normalize_state *state, size_t first, double *values, size_t count)
{
    const struct lines *lines = &state->lines;
    for (size_t done = 0, length; done < count; done += length) {
        const size_t at = first + done;
        if (lines->inner == 1) {
            length = lines->length - at % lines->length;
            length = length < count - done ? length : count - done;
            fit_run(values + done, length, state->fits[at / lines->length], state->target, state->low);
        } else {
            const size_t outer = at / (lines->inner * lines->length), inner = at % lines->inner;
            length = lines->inner - inner;
            length = length < count - done ? length : count - done;
            fit_each(values + done, length, state->fits + outer * lines->inner + inner, state->target,
                     state->low);
        }
    }
}

static int normalize_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                          struct error *error)
{
    const size_t in_bytes = shape_sample_bytes(run->in.sample);
    const size_t out_bytes = shape_sample_bytes(run->out.sample);
    struct normalize_room *room = scratch_alloc(scratch, 1, sizeof *room);
    size_t begin, end;
    if (!room)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    shape_span(&run->out, first, last, &begin, &end);
    for (size_t i = begin; i < end; i += LINE_BLOCK) {
        const size_t count = end - i < LINE_BLOCK ? end - i : LINE_BLOCK;
        wide_load_f64(run->in.sample, run->src + i * in_bytes, count, room->values);
        fit_block(run->state, i, room->values, count);
        values_store(run->out.sample, room->values, run->dst + i * out_bytes, count);
    }
    return 0;
}

const struct stage normalize_stage = {
    .name = "normalize",
    .group = "numeric",
    .summary = "Scale an array to a range, or to mean 0 and standard deviation 1",
    .params = normalize_table,
    .params_bytes = sizeof(struct normalize_params),
    .arrays = STAGE_ARRAYS,
    .gives = STAGE_GIVES_ARRAY,
    .check = normalize_check,
    .plan = normalize_plan,
    .source_rows = normalize_source_rows,
    .begin = normalize_begin,
    .rows = normalize_rows,
};
