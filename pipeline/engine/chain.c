/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/shared/clock.h"

unsigned chain_steps(const struct job *job)
{
    return job->stage_count + 2;
}

void chain_pool_steps(const struct job *job, unsigned pool, unsigned *first, unsigned *last)
{
    *first = pool == 0 ? 0 : job->pools[pool].first + 1;
    *last = pool + 1 == job->pool_count ? chain_steps(job) : job->pools[pool].last + 1;
}

const char *chain_step_name(const struct job *job, unsigned step)
{
    if (step == 0)
        return "decode";
    return step <= job->stage_count ? job->stages[step - 1].stage->name : "encode";
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int at_step(const struct job *job, unsigned step, int code, struct error *error)
{
    if (code < 0 && error)
        snprintf(error->stage, sizeof error->stage, "%s", chain_step_name(job, step));
    return code;
}

/* What a stage needs when several members share its rows, each with a scratch of its own. */
static size_t stage_scratch(const struct stage_plan *plan, unsigned members)
{
    size_t each =
        scratch_add(scratch_need(1, plan->begin_scratch_bytes), scratch_need(1, plan->rows_scratch_bytes));
    size_t total = each;
    for (unsigned i = 1; i < members && !plan->whole; i++)
        total = scratch_add(total, each);
    return total;
}

int chain_plan(const struct job *job, const struct codec *out, const struct codec_info *info,
               size_t file_bytes, struct chain_need *need, struct error *error)
{
    struct shape shape = info->shape;
    unsigned current = 1;
    *need = (struct chain_need){{file_bytes, shape_bytes(&shape)}, info->meta_bytes, info->scratch_bytes};
    for (unsigned i = 0; i < job->stage_count; i++) {
        struct stage_plan plan;
        TRY(stage_plan(job->stages[i].stage, job->stages[i].params, &shape, &plan, error));
        shape = plan.out;
        if (!plan.in_place)
            current ^= 1;
        need->buffer_bytes[current] = larger(need->buffer_bytes[current], shape_bytes(&shape));
        need->scratch_bytes = larger(need->scratch_bytes, stage_scratch(&plan, job->row_members));
    }
    struct codec_plan plan;
    int code = codec_plan_for(out, &job->settings.save, &shape, info->meta_bytes, &plan, error);
    TRY(at_step(job, job->stage_count + 1, code, error));
    need->buffer_bytes[current ^ 1] = larger(need->buffer_bytes[current ^ 1], plan.out_bytes);
    need->scratch_bytes = larger(need->scratch_bytes, plan.scratch_bytes);
    return 0;
}

size_t chain_need_total(const struct chain_need *need)
{
    size_t total = scratch_add(need->scratch_bytes, arena_round(need->meta_bytes));
    for (unsigned i = 0; i < 2; i++)
        total = scratch_add(total, arena_round(need->buffer_bytes[i]));
    return total;
}

int chain_need_check(const struct chain_need *need, uint64_t memory_bytes, struct error *error)
{
    size_t total = chain_need_total(need);
    if (total <= memory_bytes)
        return 0;
    return error_set(error, ERROR_LIMIT, "needs %.1f MiB, over memory %.1f MiB; raise it with --memory",
                     (double)total / 1048576, (double)memory_bytes / 1048576);
}

/* One slot at work in this process, with everything that bounds it copied out of shared memory. */
struct chain_work {
    const struct machine *machine;
    struct slot *slot;
    uint32_t index;
    uint8_t *buffer[2];
    size_t buffer_bytes[2];
    struct meta meta;
    struct scratch *scratch;
    const struct chain_sharing *sharing;
    struct shape shape;
    unsigned current;
    size_t length_bytes;
};

static void keep_warning(struct slot *slot, unsigned count, const char *text)
{
    if (count && slot->warnings == 0)
        snprintf(slot->warning, sizeof slot->warning, "%s", text);
    slot->warnings += count;
}

static int decode(struct chain_work *work, struct error *error)
{
    const struct codec *codec = codec_all()[work->slot->codec_in];
    struct codec_decode job = {
        .limits = &work->machine->limits,
        .bytes = work->buffer[work->current],
        .length_bytes = work->length_bytes,
        .pixels = work->buffer[work->current ^ 1],
        .pixels_bytes = work->buffer_bytes[work->current ^ 1],
        .meta = work->machine->job->settings.save.strip ? NULL : &work->meta,
        .found_at = SIZE_MAX,
        .scratch = work->scratch,
    };
    TRY(codec->decode(&job, error));
    keep_warning(work->slot, job.warnings, job.warning);
    work->current ^= 1;
    work->shape = job.shape;
    work->slot->pixels_in = (uint64_t)job.shape.width * job.shape.height;
    return 0;
}

static int encode(struct chain_work *work, struct error *error)
{
    const struct codec *codec = codec_all()[work->slot->codec_out];
    struct codec_encode job = {
        .save = &work->machine->job->settings.save,
        .shape = work->shape,
        .pixels = work->buffer[work->current],
        .meta = &work->meta,
        .bytes = work->buffer[work->current ^ 1],
        .bytes_size = work->buffer_bytes[work->current ^ 1],
        .file = work->buffer[work->current ^ 1],
        .scratch = work->scratch,
    };
    TRY(codec->encode(&job, error));
    keep_warning(work->slot, job.warnings, job.warning);
    work->current ^= 1;
    work->length_bytes = job.length_bytes;
    return 0;
}

/* Everything about one stage on the image at hand. */
static int prepare(const struct chain_work *work, unsigned step, struct chain_rows *at, struct error *error)
{
    const struct job_stage *stage = &work->machine->job->stages[step - 1];
    *at = (struct chain_rows){.slot = work->index, .step = step, .stage = stage->stage};
    TRY(stage_plan(stage->stage, stage->params, &work->shape, &at->plan, error));
    at->source = (uint8_t)work->current;
    at->target = (uint8_t)(at->plan.in_place ? work->current : work->current ^ 1);
    at->run = (struct stage_run){
        .params = stage->params,
        .in = work->shape,
        .out = at->plan.out,
        .src = work->buffer[at->source],
        .item = work->slot->item,
        .attempt = work->slot->attempt,
    };
    return 0;
}

static int run_stage(struct chain_work *work, unsigned step, struct error *error)
{
    struct chain_rows at;
    const struct chain_sharing *sharing = work->sharing;
    TRY(prepare(work, step, &at, error));
    bool shared = sharing && !at.plan.whole && sharing->wanted(sharing->context, &at);
    if (shared && sharing->apart && at.target == at.source) {
        /* In place is never apart; the other buffer serves where it was given room enough. */
        if (shape_bytes(&at.run.out) <= work->buffer_bytes[at.source ^ 1])
            at.target = at.source ^ 1;
        else
            shared = false;
    }
    if (shape_bytes(&at.run.out) > work->buffer_bytes[at.target])
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    at.run.dst = work->buffer[at.target];
    if (shared) {
        work->slot->shape = work->shape; /* where those who join find it */
        TRY(sharing->work(sharing->context, &at, work->scratch, error));
    } else {
        TRY(stage_run_whole(at.stage, &at.run, work->scratch, error));
    }
    work->shape = at.run.out;
    work->current = at.target;
    return 0;
}

/* Copies the slot's claims and checks them against what the machine reserved. */
static int take_up(struct chain_work *work, const struct machine *machine, uint32_t index, unsigned first,
                   struct scratch *scratch, struct error *error)
{
    struct slot *slot = &machine->slots[index];
    *work = (struct chain_work){
        .machine = machine, .slot = slot, .index = index, .scratch = scratch, .current = slot->current & 1};
    for (unsigned i = 0; i < 2; i++) {
        work->buffer[i] = machine_buffer(machine, index, i);
        work->buffer_bytes[i] = slot->buffer_bytes[i];
    }
    work->meta =
        (struct meta){machine_buffer(machine, index, MACHINE_META), slot->meta_bytes, slot->meta_used};
    work->shape = slot->shape;
    work->length_bytes = slot->file_bytes;
    unsigned codecs = 0;
    while (codec_all()[codecs])
        codecs++;
    bool sound =
        work->buffer_bytes[0] <= machine->buffer_bytes && work->buffer_bytes[1] <= machine->buffer_bytes &&
        work->meta.size_bytes <= machine->meta_bytes && work->meta.used_bytes <= work->meta.size_bytes &&
        slot->codec_in < codecs && slot->codec_out < codecs;
    if (first == 0)
        sound = sound && work->length_bytes <= work->buffer_bytes[work->current];
    else
        sound = sound && shape_valid(&work->shape) &&
                shape_bytes(&work->shape) <= work->buffer_bytes[work->current];
    return sound ? 0 : error_set(error, ERROR_INTERNAL, "the slot holds impossible sizes");
}

int chain_join(const struct machine *machine, uint32_t index, unsigned step, unsigned source, unsigned target,
               struct chain_rows *at, struct scratch *scratch, struct error *error)
{
    struct chain_work work;
    if (index >= machine->slot_count || step == 0 || step > machine->job->stage_count || source > 1 ||
        target > 1 || source == target)
        return error_set(error, ERROR_INTERNAL, "an impossible offer of rows");
    TRY(take_up(&work, machine, index, step, scratch, error));
    work.current = source;
    TRY(prepare(&work, step, at, error));
    if (at->plan.whole || shape_bytes(&at->run.in) > work.buffer_bytes[source] ||
        shape_bytes(&at->run.out) > work.buffer_bytes[target])
        return error_set(error, ERROR_INTERNAL, "an impossible offer of rows");
    at->target = (uint8_t)target;
    at->run.dst = work.buffer[target];
    size_t planned = work.slot->scratch_bytes;
    scratch->used_bytes = 0;
    scratch->size_bytes = planned < scratch->size_bytes ? planned : scratch->size_bytes;
    return 0;
}

int chain_run(const struct machine *machine, uint32_t index, unsigned first, unsigned last,
              struct scratch *scratch, const struct chain_sharing *sharing)
{
    const struct job *job = machine->job;
    struct slot *slot = &machine->slots[index];
    struct chain_work work;
    struct error error = {0};
    int code = take_up(&work, machine, index, first, scratch, &error);
    work.sharing = sharing;
    uint64_t before = clock_ns();
    for (unsigned step = first; step < last && code == 0; step++) {
        slot->step = step;
        machine_begin_step(machine, index, step, before);
        scratch->used_bytes = 0;
        if (step == 0)
            code = decode(&work, &error);
        else if (step <= job->stage_count)
            code = run_stage(&work, step, &error);
        else
            code = encode(&work, &error);
        code = at_step(job, step, code, &error);
        uint64_t now = clock_ns();
        slot->step_ns[step] = now - before;
        if (machine->rings)
            machine_note(machine, machine_worker_of(machine, index), TRACE_STEP, index, step, before, now);
        before = now;
    }
    slot->current = (uint8_t)work.current;
    slot->shape = work.shape;
    slot->meta_used = work.meta.used_bytes;
    slot->length_bytes = work.length_bytes;
    if (code < 0) {
        error.code = code;
        slot->error = error;
    }
    return code;
}
