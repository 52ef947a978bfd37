/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain_bands_run.h"

#include <string.h>

/* A stage at work; behind the last one, where its rows go. */
struct band {
    struct stage_run run;
    uint8_t *window; /* what it reads */
    uint32_t window_rows;
    const struct stage *stage;
    unsigned step;
    bool begun;
};

struct walk {
    const struct chain_bands *bands;
    const struct chain_bands_task *task;
    struct band at[JOB_MAX_STAGES + 1];
    struct chain_window windows[JOB_MAX_STAGES + 1];
    uint32_t decoded; /* rows */
    unsigned step;    /* at work */
};

static int no_room(struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
}

static void begin_step(struct walk *walk, unsigned step)
{
    walk->step = step;
    walk->task->begin_step(walk->task->context, step);
}

static int open_target(struct walk *walk, struct error *error)
{
    const struct chain_bands *bands = walk->bands;
    struct band *at = &walk->at[bands->count];
    *at = (struct band){.run.in = bands->out,
                        .window = walk->task->dst,
                        .window_rows = bands->out.height,
                        .step = 1 + bands->job->stage_count};
    if (bands->streamed) {
        at->window_rows = bands->band_rows;
        at->window = scratch_alloc(walk->task->scratch, bands->band_rows, shape_row_bytes(&bands->out));
    }
    if (bands->count > 0)
        walk->at[bands->count - 1].run.dst = at->window;
    return at->window ? 0 : no_room(error);
}

static int open_walk(struct walk *walk, struct error *error)
{
    const struct chain_bands *bands = walk->bands;
    for (unsigned i = 0; i < bands->count; i++) {
        const struct chain_band_stage *planned = &bands->stages[i];
        const struct job_stage *link = &bands->job->stages[planned->stage];
        struct band *at = &walk->at[i];
        *at = (struct band){.run = walk->task->like,
                            .window_rows = planned->window_rows,
                            .stage = link->stage,
                            .step = 1 + planned->stage};
        at->run.params = link->params;
        at->run.in = planned->in;
        at->run.out = planned->plan.out;
        at->window = scratch_alloc(walk->task->scratch, planned->window_rows, shape_row_bytes(&planned->in));
        if (!at->window)
            return no_room(error);
        at->run.src = at->window;
        if (i > 0)
            walk->at[i - 1].run.dst = at->window;
    }
    return open_target(walk, error);
}

/* Rows that are needed further on move to the front of their window. */
static void slide(struct band *at, const struct chain_window *old, const struct chain_window *now)
{
    const size_t row_bytes = shape_row_bytes(&at->run.in);
    if (now->first > old->first && old->last > now->first)
        memmove(at->window, at->window + (now->first - old->first) * row_bytes,
                (old->last - now->first) * row_bytes);
    at->run.src_row = now->first;
}

/* Up to row `last`, which goes to its place in the first window; what lies before row `from` goes nowhere. */
static int decode(struct walk *walk, uint32_t from, uint32_t last, struct error *error)
{
    const struct chain_bands_task *task = walk->task;
    const struct band *at = &walk->at[0];
    const uint32_t first = walk->windows[0].first;
    while (walk->decoded < last) {
        const bool wanted = walk->decoded >= from;
        const uint32_t left = (wanted ? last : from) - walk->decoded;
        const uint32_t count = left < at->window_rows ? left : at->window_rows;
        const size_t row = wanted ? walk->decoded - first : 0;
        begin_step(walk, 0);
        TRY(task->codec->rows(task->decode, at->window + row * shape_row_bytes(&at->run.in), count, error));
        walk->decoded += count;
    }
    return 0;
}

static int run_rows(struct walk *walk, struct band *at, uint32_t first, uint32_t last, struct error *error)
{
    const struct chain_bands_task *task = walk->task;
    begin_step(walk, at->step);
    /* Not before there are rows: a stage that needs all of them may look at them. */
    if (!at->begun && at->stage->begin)
        TRY(at->stage->begin(&at->run, task->scratch, error));
    at->begun = true;
    const size_t mark = task->scratch->used_bytes;
    TRY(at->stage->rows(&at->run, first, last, task->scratch, error));
    task->scratch->used_bytes = mark;
    return 0;
}

/* Output rows [first, last). */
static int make_band(struct walk *walk, uint32_t first, uint32_t last, struct error *error)
{
    const struct chain_bands *bands = walk->bands;
    const unsigned count = bands->count;
    struct chain_window old[JOB_MAX_STAGES];
    memcpy(old, walk->windows, count * sizeof *old);
    if (!chain_bands_advance(bands, walk->windows, first, last))
        return error_set(error, ERROR_INTERNAL, "goes back to rows that are gone");
    walk->windows[count] = (struct chain_window){bands->streamed ? first : 0, last, first};
    for (unsigned i = 0; i <= count; i++) {
        if (walk->windows[i].last - walk->windows[i].first > walk->at[i].window_rows)
            return no_room(error);
        if (i < count)
            slide(&walk->at[i], &old[i], &walk->windows[i]);
        if (i > 0)
            walk->at[i - 1].run.dst_row = walk->windows[i].first;
    }
    TRY(decode(walk, walk->windows[0].fresh, walk->windows[0].last, error));
    for (unsigned i = 1; i <= count; i++) {
        const struct chain_window *made = &walk->windows[i];
        if (made->fresh < made->last)
            TRY(run_rows(walk, &walk->at[i - 1], made->fresh, made->last, error));
    }
    if (!bands->streamed)
        return 0;
    begin_step(walk, walk->at[count].step);
    return walk->task->put(walk->task->context, walk->at[count].window, last - first, error);
}

/* The rest of the image, unseen, `rows` at a time. */
static int drain(const struct chain_bands_task *task, uint32_t y, uint8_t *room, uint32_t rows,
                 struct error *error)
{
    const uint32_t height = task->decode->shape.height;
    task->begin_step(task->context, 0);
    for (uint32_t count; y < height; y += count) {
        count = height - y < rows ? height - y : rows;
        TRY(task->codec->rows(task->decode, room, count, error));
    }
    return task->codec->close(task->decode, error);
}

int chain_bands_drain(const struct chain_bands_task *task, struct error *error)
{
    uint8_t *row = scratch_alloc(task->scratch, 1, shape_row_bytes(&task->decode->shape));
    return row ? drain(task, 0, row, 1, error) : no_room(error);
}

static int make_bands(struct walk *walk, struct error *error)
{
    const struct chain_bands *bands = walk->bands;
    uint32_t last;
    for (uint32_t first = 0; first < bands->out.height; first = last) {
        last = bands->out.height - first < bands->band_rows ? bands->out.height : first + bands->band_rows;
        TRY(make_band(walk, first, last, error));
    }
    return 0;
}

int chain_bands_run(const struct chain_bands *bands, const struct chain_bands_task *task, struct error *error)
{
    struct walk walk = {.bands = bands, .task = task};
    struct error found = {0};
    TRY(open_walk(&walk, error));
    const int code = make_bands(&walk, &found);
    const unsigned step = walk.step;
    if (code < 0 && step == 0) {
        if (error)
            *error = found;
        return code;
    }
    /* What is wrong with the file goes before what a stage had to say of its rows. */
    TRY(drain(task, walk.decoded, walk.at[0].window, walk.at[0].window_rows, error));
    if (code < 0) {
        task->begin_step(task->context, step);
        if (error)
            *error = found;
    }
    return code;
}
