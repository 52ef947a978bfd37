/* SPDX-License-Identifier: MIT */
/* Tells count, extremes, mean, standard deviation, sum and percentiles of each item, as numpy's functions of
 * these names, and passes the item on. Values are those of the samples: 0 to 255 for an image of 8 bit, of
 * all its colours together, without alpha. A NaN makes the rest NaN, or is skipped; `count` is of the samples
 * that were taken, `nans` of those that are NaN. Nothing is taken from an empty array: count 0, the rest NaN.
 * std divides by count. Sums are made in double precision whatever the samples, those of integers exactly; a
 * whole number beyond 64 bits is told as the nearest double. */
#include <math.h>
#include <stdio.h>

#include "stages/numeric/moments.h"
#include "stages/numeric/number.h"
#include "stages/numeric/quantile.h"
#include "stages/stage.h"
#include "stages/synthetic/pass.h"

struct stats_params {
    struct param_list percentiles;
    bool skip_nan;
};

static const struct param stats_table[] = {
    {.name = "percentiles",
     .type = PARAM_LIST,
     .offset = offsetof(struct stats_params, percentiles),
     .unit = "%",
     .help = "Which percentiles to tell: 50 is the median, told as p50; none by default"},
    {.name = "skip_nan",
     .type = PARAM_BOOL,
     .offset = offsetof(struct stats_params, skip_nan),
     .initial = "false",
     .unit = "",
     .help = "Leave out what is NaN, where it would make all results NaN"},
    PARAM_END,
};

/* count, nans, min, max, mean, std, sum. */
#define FIXED_FIELDS 7u

static int stats_check(const void *params, struct error *error)
{
    const struct param_list *list = &((const struct stats_params *)params)->percentiles;
    if (list->count > QUANTILE_MOST)
        return error_set(error, ERROR_USAGE, "percentiles: %zu are asked for; at most %u", list->count,
                         QUANTILE_MOST);
    for (size_t i = 0; i < list->count; i++) {
        double percent;
        if (!number_parse(list->texts[i], &percent) || percent < 0 || percent > 100)
            return error_set(error, ERROR_USAGE, "percentiles: '%.40s' is no number from 0 to 100",
                             list->texts[i]);
    }
    return 0;
}

static int stats_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                      struct error *error)
{
    (void)error;
    const struct stats_params *stats = params;
    pass_plan(in, plan, true);
    plan->whole = true;
    plan->record_bytes = (FIXED_FIELDS + stats->percentiles.count) * RECORD_NUMBER_BYTES;
    plan->rows_scratch_bytes = stats->percentiles.count > 0 ? scratch_need(1, sizeof(struct quantile_room))
                                                            : scratch_need(1, sizeof(struct line_room));
    return 0;
}

/* A whole number where the samples are whole numbers. */
static int tell(struct record *record, const char *name, bool whole, moments_wide exact, double value)
{
    if (whole && exact >= INT64_MIN && exact <= INT64_MAX)
        return record_int(record, name, (int64_t)exact);
    return record_real(record, name, value);
}

static int tell_moments(struct record *record, const struct moments *moments, bool real, bool skip_nan)
{
    const bool whole = !real && moments->count > 0, lost = moments->dropped > 0 && !skip_nan;
    const uint64_t count = moments->count + (skip_nan ? 0 : moments->dropped);
    TRY(record_int(record, "count", (int64_t)count));
    TRY(record_int(record, "nans", (int64_t)moments->dropped));
    TRY(tell(record, "min", whole, moments->whole_min, lost ? NAN : moments->min));
    TRY(tell(record, "max", whole, moments->whole_max, lost ? NAN : moments->max));
    TRY(record_real(record, "mean", lost ? NAN : moments->mean));
    TRY(record_real(record, "std", lost ? NAN : moments->std));
    return tell(record, "sum", whole, moments->whole_sum, lost ? NAN : moments->sum);
}

static int tell_percentiles(struct record *record, const struct line *line, const struct param_list *list,
                            uint64_t count, struct quantile_room *room)
{
    double percents[QUANTILE_MOST], values[QUANTILE_MOST];
    for (size_t i = 0; i < list->count; i++)
        number_parse(list->texts[i], &percents[i]);
    quantile_of(line, LINE_DROP_NAN, count, percents, values, list->count, room);
    for (size_t i = 0; i < list->count; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%.15g", percents[i]);
        TRY(record_real(record, name, values[i]));
    }
    return 0;
}

static int collect(const struct stage_run *run, struct scratch *scratch)
{
    const struct stats_params *params = run->params;
    const struct line line = line_all(&run->in, run->src);
    const bool percentiles = params->percentiles.count > 0;
    void *room =
        scratch_alloc(scratch, 1, percentiles ? sizeof(struct quantile_room) : sizeof(struct line_room));
    if (!room)
        return ERROR_INTERNAL;
    const struct moments moments = moments_of(&line, LINE_DROP_NAN, room);
    TRY(tell_moments(run->record, &moments, shape_sample_is_float(line.sample), params->skip_nan));
    if (!percentiles)
        return 0;
    const uint64_t count = moments.dropped > 0 && !params->skip_nan ? 0 : moments.count;
    return tell_percentiles(run->record, &line, &params->percentiles, count, room);
}

static int stats_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                      struct error *error)
{
    if (run->record && collect(run, scratch) < 0)
        return error_set(error, ERROR_INTERNAL, "scratch or record is smaller than planned");
    pass_rows(run, first, last);
    return 0;
}

const struct stage stats_stage = {
    .name = "stats",
    .group = "numeric",
    .summary = "Tell count, min, max, mean, std, sum and percentiles, and change nothing",
    .params = stats_table,
    .params_bytes = sizeof(struct stats_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .records = true,
    .check = stats_check,
    .plan = stats_plan,
    .rows = stats_rows,
};
