/* SPDX-License-Identifier: MIT */
/* Tells how many samples fall into each of `bins` intervals of equal width, and passes the item on. The edges
 * are those of numpy.linspace(low, high, bins + 1) in double precision, and samples are told apart by them as
 * numpy.histogram does: a bin holds its lower edge, the last one its upper edge, too. Without a range it is
 * that of the samples (finite ones), or 0 to full scale for images of 8 and 16 bit; where both ends are
 * equal, 0.5 more to each side. What lies beyond, NaN included, is told as `outside`.
 *
 * One column for each bin, so that a table has the same columns for every item. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stages/numeric/moments.h"
#include "stages/simd.h"
#include "stages/stage.h"
#include "stages/synthetic/pass.h"

struct histogram_params {
    int64_t bins;
    double low, high; /* NaN: not given */
};

static const struct param histogram_table[] = {
    {.name = "bins",
     .type = PARAM_INT,
     .offset = offsetof(struct histogram_params, bins),
     .min = 1,
     .max = 1024,
     .initial = "10",
     .unit = "",
     .help = "How many intervals, told as h0, h1 and so on"},
    {.name = "low",
     .type = PARAM_REAL,
     .offset = offsetof(struct histogram_params, low),
     .initial = "auto",
     .choices = "auto",
     .unit = "",
     .help = "Where the first begins; auto: at the least sample, at 0 for images of 8 and 16 bit"},
    {.name = "high",
     .type = PARAM_REAL,
     .offset = offsetof(struct histogram_params, high),
     .initial = "auto",
     .choices = "auto",
     .unit = "",
     .help = "Where the last ends; auto: at the greatest sample, at full scale for such images"},
    PARAM_END,
};

/* low, high, outside. */
#define FIXED_FIELDS 3u

struct histogram_room {
    struct line_room line;
    uint32_t indices[LINE_BLOCK];
    double edges[1024 + 2]; /* bins + 1, and infinity behind them */
    uint64_t counts[1024 + 1];
};

static int histogram_check(const void *params, struct error *error)
{
    const struct histogram_params *histogram = params;
    if (histogram->low > histogram->high)
        return error_set(error, ERROR_USAGE, "low is %g, above high, which is %g", histogram->low,
                         histogram->high);
    if (isinf(histogram->high - histogram->low))
        return error_set(error, ERROR_USAGE, "low and high are too far apart");
    return 0;
}

static int histogram_plan(const void *params, const struct shape *in, struct stage_plan *plan,
                          struct error *error)
{
    (void)error;
    pass_plan(in, plan, true);
    plan->whole = true;
    plan->record_bytes =
        (FIXED_FIELDS + (size_t)((const struct histogram_params *)params)->bins) * RECORD_NUMBER_BYTES;
    plan->rows_scratch_bytes = scratch_need(1, sizeof(struct histogram_room));
    return 0;
}

/* ERROR_STAGE where a given end lies beyond the samples' own other end, or the span has no double. */
static int find_range(const struct stage_run *run, const struct line *line, struct line_room *room,
                      double *low, double *high, struct error *error)
{
    const struct histogram_params *params = run->params;
    const bool levels = run->in.kind == SHAPE_IMAGE && run->in.sample != SAMPLE_F32;
    *low = 0;
    *high = run->in.sample == SAMPLE_U8 ? 255 : 65535;
    if (!levels && (isnan(params->low) || isnan(params->high))) {
        const struct moments moments = moments_of(line, LINE_DROP_NOT_FINITE, room);
        *low = moments.count > 0 ? moments.min : 0;
        *high = moments.count > 0 ? moments.max : 1;
    }
    *low = isnan(params->low) ? *low : params->low;
    *high = isnan(params->high) ? *high : params->high;
    if (*low > *high)
        return error_set(error, ERROR_STAGE, "no range: it would go from %g to %g; give both low and high",
                         *low, *high);
    if (*low == *high) {
        *low -= 0.5;
        *high += 0.5;
    }
    if (!isfinite(*high - *low))
        return error_set(error, ERROR_STAGE, "the samples from %g to %g span too much; give low and high",
                         *low, *high);
    return 0;
}

/* numpy.linspace. */
static void make_edges(double *edges, size_t bins, double low, double high)
{
    const double apart = high - low, step = apart / (double)bins;
    for (size_t i = 0; i < bins; i++)
        edges[i] = (step == 0 ? (double)i / (double)bins * apart : (double)i * step) + low;
    edges[bins] = high;
    edges[bins + 1] = INFINITY;
}

/* A first guess by one multiplication, as numpy makes it; `bins` for what lies outside. */
SIMD_CLONES static void guess(const double *restrict values, uint32_t *restrict indices, size_t count,
                              double low, double high, double bins)
{
    const double scale = bins / (high - low);
#pragma omp simd
    for (size_t i = 0; i < count; i++) {
        const double place = (values[i] - low) * scale;
        const double inside = values[i] >= low && values[i] <= high ? place : bins;
        indices[i] = (uint32_t)(int32_t)(inside < bins ? inside : bins);
    }
}

static void add_block(struct histogram_room *room, size_t bins, const double *values, size_t count)
{
    const double *edges = room->edges;
    guess(values, room->indices, count, edges[0], edges[bins], (double)bins);
    for (size_t i = 0; i < count; i++) {
        size_t index = room->indices[i];
        const double value = values[i];
        if (!(value >= edges[0] && value <= edges[bins])) {
            room->counts[bins]++;
            continue;
        }
        index -= index == bins;
        /* The guess may be off by the rounding of its arithmetic. */
        while (value < edges[index])
            index--;
        while (index + 1 < bins && value >= edges[index + 1])
            index++;
        room->counts[index]++;
    }
}

static int tell(struct record *record, const struct histogram_room *room, size_t bins)
{
    TRY(record_real(record, "low", room->edges[0]));
    TRY(record_real(record, "high", room->edges[bins]));
    TRY(record_int(record, "outside", (int64_t)room->counts[bins]));
    for (size_t i = 0; i < bins; i++) {
        char name[24];
        snprintf(name, sizeof name, "h%zu", i);
        TRY(record_int(record, name, (int64_t)room->counts[i]));
    }
    return 0;
}

static int collect(const struct stage_run *run, struct scratch *scratch, struct error *error)
{
    const size_t bins = (size_t)((const struct histogram_params *)run->params)->bins;
    const struct line line = line_all(&run->in, run->src);
    struct histogram_room *room = scratch_alloc(scratch, 1, sizeof *room);
    double low, high;
    if (!room)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    TRY(find_range(run, &line, &room->line, &low, &high, error));
    make_edges(room->edges, bins, low, high);
    memset(room->counts, 0, sizeof room->counts);
    for (size_t i = 0; i < line.count; i += LINE_BLOCK) {
        const size_t count = line.count - i < LINE_BLOCK ? line.count - i : LINE_BLOCK;
        add_block(room, bins, line_values(&line, i, count, &room->line), count);
    }
    if (tell(run->record, room, bins) < 0)
        return error_set(error, ERROR_INTERNAL, "the record is smaller than planned");
    return 0;
}

static int histogram_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                          struct error *error)
{
    if (run->record)
        TRY(collect(run, scratch, error));
    pass_rows(run, first, last);
    return 0;
}

const struct stage histogram_stage = {
    .name = "histogram",
    .group = "numeric",
    .summary = "Tell how many samples fall into each of a number of intervals, and change nothing",
    .params = histogram_table,
    .params_bytes = sizeof(struct histogram_params),
    .accepts = STAGE_ANY,
    .arrays = STAGE_ARRAYS,
    .records = true,
    .check = histogram_check,
    .plan = histogram_plan,
    .rows = histogram_rows,
};
