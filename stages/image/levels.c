/* SPDX-License-Identifier: MIT */
/* out = out_low + (out_high - out_low) x ((in - in_low) / (in_high - in_low)) ^ (1 / gamma), the part in
 * between clipped to 0..1: ImageMagick's `-level` and, where out_low and out_high are given, `+level`; with
 * gamma 1 scikit-image's rescale_intensity. With auto, in_low and in_high are percentiles of each image,
 * taken over all colour channels together so that no colour cast comes or goes: scikit-image's recipe of
 * numpy.percentile and rescale_intensity. */
#include <math.h>

#include "stages/image/histogram.h"
#include "stages/image/point.h"
#include "stages/stage.h"

struct levels_params {
    double in_low, in_high, out_low, out_high, gamma;
    bool automatic;
    double low, high; /* percent */
};

struct levels_state {
    struct levels_params found; /* the parameters with in_low and in_high of this image */
    void *table;                /* of point.h */
};

#define LEVEL(level, value, text)                                                                            \
    {                                                                                                        \
        .name = #level, .type = PARAM_REAL, .offset = offsetof(struct levels_params, level), .min = -65536,  \
        .max = 65536, .initial = value, .unit = "of full scale", .help = text                                \
    }

static const struct param levels_table[] = {
    LEVEL(in_low, "0", "Level that becomes out_low, as what lies below it"),
    LEVEL(in_high, "1", "Level that becomes out_high, as what lies above it"),
    LEVEL(out_low, "0", "Level that in_low becomes"),
    LEVEL(out_high, "1", "Level that in_high becomes; below out_low the image is inverted"),
    {.name = "gamma",
     .type = PARAM_REAL,
     .offset = offsetof(struct levels_params, gamma),
     .min = 0.001,
     .max = 1000,
     .initial = "1",
     .unit = "",
     .help = "Gamma between the ends: above 1 brightens"},
    {.name = "auto",
     .type = PARAM_BOOL,
     .offset = offsetof(struct levels_params, automatic),
     .initial = "false",
     .unit = "",
     .help = "Take in_low and in_high from each image: the percentiles low and high"},
    {.name = "low",
     .type = PARAM_REAL,
     .offset = offsetof(struct levels_params, low),
     .min = 0,
     .max = 100,
     .initial = "2",
     .unit = "%",
     .help = "Share of samples at or below in_low with auto"},
    {.name = "high",
     .type = PARAM_REAL,
     .offset = offsetof(struct levels_params, high),
     .min = 0,
     .max = 100,
     .initial = "98",
     .unit = "%",
     .help = "Share of samples at or below in_high with auto"},
    PARAM_END,
};

static int levels_check(const void *values, struct error *error)
{
    const struct levels_params *params = values;
    if (params->automatic && (params->in_low != 0 || params->in_high != 1))
        return error_set(error, ERROR_USAGE, "give either auto or in_low and in_high, not both");
    if (params->in_low >= params->in_high)
        return error_set(error, ERROR_USAGE,
                         "in_low must be below in_high; to invert, let out_high be below out_low");
    if (params->low >= params->high)
        return error_set(error, ERROR_USAGE, "low must be below high");
    return 0;
}

/* NaN fails the first comparison. */
static double levels_map(const void *values, double value)
{
    const struct levels_params *params = values;
    double part = (value - params->in_low) / (params->in_high - params->in_low);
    part = part > 0 ? part : 0;
    part = part < 1 ? part : 1;
    if (params->gamma != 1)
        part = pow(part, 1 / params->gamma);
    return params->out_low + (params->out_high - params->out_low) * part;
}

static int levels_plan(const void *values, const struct shape *in, struct stage_plan *plan,
                       struct error *error)
{
    (void)error;
    const struct levels_params *params = values;
    point_plan(in, plan);
    plan->begin_scratch_bytes =
        scratch_add(plan->begin_scratch_bytes, scratch_need(1, sizeof(struct levels_state)));
    if (params->automatic) {
        plan->in_place = false; /* a late caller would take the percentiles of what is done */
        plan->begin_scratch_bytes = scratch_add(plan->begin_scratch_bytes,
                                                scratch_need(histogram_bins(in->sample), sizeof(uint64_t)));
    }
    return 0;
}

static void levels_source_rows(const void *params, const struct shape *in, const struct shape *out,
                               uint32_t *first, uint32_t *last)
{
    (void)out;
    if (((const struct levels_params *)params)->automatic) {
        *first = 0;
        *last = in->height;
    }
}

/* Percentiles that are one value leave nothing to stretch: the whole scale is taken, as without auto. */
static void find_levels(const struct stage_run *run, uint64_t *counts, struct levels_params *found)
{
    const double parts[2] = {found->low / 100, found->high / 100};
    const double full = run->in.sample == SAMPLE_U8 ? 255 : run->in.sample == SAMPLE_U16 ? 65535 : 1;
    double values[2];
    histogram_percentiles(run, parts, counts, values);
    if (values[0] < values[1]) {
        found->in_low = values[0] / full;
        found->in_high = values[1] / full;
    }
}

static int levels_begin(struct stage_run *run, struct scratch *scratch, struct error *error)
{
    struct levels_state *state = scratch_alloc(scratch, 1, sizeof *state);
    if (!state)
        return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
    state->found = *(const struct levels_params *)run->params;
    if (state->found.automatic) {
        uint64_t *counts = scratch_alloc(scratch, histogram_bins(run->in.sample), sizeof *counts);
        if (!counts)
            return error_set(error, ERROR_INTERNAL, "scratch is smaller than planned");
        find_levels(run, counts, &state->found);
    }
    struct stage_run point = *run;
    point.params = &state->found;
    TRY(point_begin(&point, levels_map, scratch, error));
    state->table = point.state;
    run->state = state;
    return 0;
}

static int levels_rows(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                       struct error *error)
{
    (void)scratch, (void)error;
    const struct levels_state *state = run->state;
    struct stage_run point = *run;
    point.params = &state->found;
    point.state = state->table;
    point_rows(&point, levels_map, first, last);
    return 0;
}

const struct stage levels_stage = {
    .name = "levels",
    .group = "image",
    .summary = "Stretch a range of levels to another, given or found in each image; alpha is left alone",
    .params = levels_table,
    .params_bytes = sizeof(struct levels_params),
    .accepts = STAGE_ANY,
    .windows = true,
    .check = levels_check,
    .plan = levels_plan,
    .source_rows = levels_source_rows,
    .begin = levels_begin,
    .rows = levels_rows,
};
