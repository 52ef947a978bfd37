/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain_bands.h"

#include "pipeline/engine/chain_plan.h"

/* Bands of few rows would have the stages load the rows around them over and over, those of many take memory.
 * No size between these made a difference beyond that. */
#define WINDOWS_BYTES   ((size_t)4 << 20)
#define MOST_BAND_ROWS  128u
#define LEAST_BAND_ROWS 16u

/* Bytes of a row of any number of channels: what is planned must not depend on how many it turns out to have.
 */
static size_t widest_row(const struct shape *shape)
{
    return (size_t)shape->width * SHAPE_MAX_CHANNELS * shape_sample_bytes(shape->sample);
}

static void source_rows(const struct chain_bands *bands, unsigned i, uint32_t *first, uint32_t *last)
{
    const struct chain_band_stage *at = &bands->stages[i];
    const struct job_stage *link = &bands->job->stages[at->stage];
    stage_source_rows(link->stage, link->params, &at->in, &at->plan.out, first, last);
}

/* What the windows for `rows` rows in the middle of the image take. */
static size_t middle_bytes(const struct chain_bands *bands, uint32_t rows)
{
    uint32_t first = (bands->out.height - rows) / 2, last = first + rows;
    size_t bytes = 0;
    for (unsigned i = bands->count; i-- > 0;) {
        source_rows(bands, i, &first, &last);
        bytes = scratch_add(bytes, (last - first) * widest_row(&bands->stages[i].in));
    }
    return bytes;
}

static void choose_band(struct chain_bands *bands)
{
    uint32_t rows = bands->count > 0 ? MOST_BAND_ROWS : LEAST_BAND_ROWS;
    while (rows > LEAST_BAND_ROWS && (rows > bands->out.height || middle_bytes(bands, rows) > WINDOWS_BYTES))
        rows /= 2;
    bands->band_rows = rows < bands->out.height ? rows : bands->out.height;
}

bool chain_bands_advance(const struct chain_bands *bands, struct chain_window *windows, uint32_t first,
                         uint32_t last)
{
    for (unsigned i = bands->count; i-- > 0;) {
        struct chain_window *window = &windows[i];
        source_rows(bands, i, &first, &last);
        if (first < window->first)
            return false;
        window->first = first;
        window->fresh = window->last > first ? window->last : first;
        window->last = last > window->fresh ? last : window->fresh;
        /* The stage before has to make what is new, and nothing where nothing is. */
        if (window->fresh == window->last) {
            while (i-- > 0)
                windows[i].fresh = windows[i].last;
            return true;
        }
        first = window->fresh;
        last = window->last;
    }
    return true;
}

/* Walks through all bands for the size of the windows. */
static bool measure(struct chain_bands *bands)
{
    struct chain_window windows[JOB_MAX_STAGES] = {0};
    uint32_t last;
    choose_band(bands);
    for (uint32_t first = 0; first < bands->out.height; first = last) {
        last = bands->out.height - first < bands->band_rows ? bands->out.height : first + bands->band_rows;
        if (!chain_bands_advance(bands, windows, first, last))
            return false;
        for (unsigned i = 0; i < bands->count; i++) {
            const uint32_t rows = windows[i].last - windows[i].first;
            if (rows > bands->stages[i].window_rows)
                bands->stages[i].window_rows = rows;
        }
    }
    return true;
}

static void add_up(struct chain_bands *bands)
{
    size_t kept = bands->streamed ? scratch_need(bands->band_rows, shape_row_bytes(&bands->out)) : 0,
           most = 0;
    for (unsigned i = 0; i < bands->count; i++) {
        const struct chain_band_stage *at = &bands->stages[i];
        const size_t rows_bytes = scratch_need(1, at->plan.rows_scratch_bytes);
        kept = scratch_add(kept, scratch_need(at->window_rows, shape_row_bytes(&at->in)));
        kept = scratch_add(kept, scratch_need(1, at->plan.begin_scratch_bytes));
        most = rows_bytes > most ? rows_bytes : most;
    }
    bands->scratch_bytes = scratch_add(kept, most);
}

/* Takes up the next stage. False where it has to see the image as a whole. */
static bool take_up(struct chain_bands *bands, const struct slot_ticket *ticket, unsigned stage)
{
    const struct job_stage *link = &bands->job->stages[stage];
    struct chain_band_stage *at = &bands->stages[bands->count];
    if (!link->stage->windows || link->stage->reference)
        return false;
    /* Whether it is left out could hang on a channel that may or may not come. */
    if (link->when && (link->when->min_samples || link->when->max_samples))
        return false;
    if (chain_leaves_out(bands->job, ticket, stage, &bands->out))
        return true;
    *at = (struct chain_band_stage){.stage = stage, .in = bands->out};
    if (stage_plan(link->stage, link->params, &at->in, &at->plan, NULL) < 0 || at->plan.whole ||
        at->plan.out.kind != SHAPE_IMAGE)
        return false;
    bands->out = at->plan.out;
    bands->count++;
    return true;
}

/* Do windows hold a small part of what they are windows of? */
static bool pays(const struct chain_bands *bands)
{
    for (unsigned i = 0; i < bands->count; i++) {
        if (bands->stages[i].window_rows > bands->stages[i].in.height / 2)
            return false;
    }
    return bands->count > 0 || bands->streamed;
}

/* May what comes out of the last stage go on to the encoder row by row? */
static bool may_stream(const struct job *job, const struct slot_ticket *ticket, const struct shape *out)
{
    struct codec_plan plan;
    return job_streams(job) && !ticket->packed_out[0] &&
           codec_plan_for(codec_all()[ticket->codec_out[0]], &job->outputs[0].save, out, 0, &plan, NULL) ==
               0 &&
           plan.rows_scratch_bytes > 0;
}

/* As far as the stages [0, last) go, at most. */
static void fill(const struct job *job, const struct slot_ticket *ticket, const struct shape *shape,
                 unsigned last, struct chain_bands *bands)
{
    bands->job = job;
    bands->count = 0;
    bands->out = *shape;
    for (bands->last = 0; bands->last < last && take_up(bands, ticket, bands->last); bands->last++)
        ;
}

bool chain_bands_choose(const struct job *job, const struct codec_info *info, struct slot_ticket *ticket)
{
    unsigned last = job->pools[0].last < job->trunk ? job->pools[0].last : job->trunk;
    const struct shape shape = codec_shrunk(&info->shape, ticket->shrink);
    struct chain_bands bands;
    if (!job->bands || !info->by_rows || ticket->packed_in || ticket->late)
        return false;
    do {
        fill(job, ticket, &shape, last, &bands);
        bands.streamed = bands.last == job->trunk && may_stream(job, ticket, &bands.out);
        if (measure(&bands) && pays(&bands)) {
            ticket->banded = (uint8_t)bands.last;
            ticket->streamed = bands.streamed;
            return true;
        }
        last = bands.count > 0 ? bands.stages[bands.count - 1].stage : 0;
    } while (last > 0);
    return false;
}

int chain_bands_plan(const struct job *job, const struct slot_ticket *ticket, const struct shape *shape,
                     struct chain_bands *bands, struct error *error)
{
    fill(job, ticket, shape, ticket->banded, bands);
    bands->streamed = ticket->streamed;
    if (bands->last < ticket->banded) {
        const struct job_stage *link = &job->stages[bands->last];
        struct stage_plan plan;
        TRY(stage_plan(link->stage, link->params, &bands->out, &plan, error));
        return error_set(error, ERROR_INTERNAL, "has to see the image as a whole");
    }
    if ((bands->count == 0 && !bands->streamed) || !measure(bands))
        return error_set(error, ERROR_INTERNAL, "cannot be done over bands of rows");
    add_up(bands);
    return 0;
}
