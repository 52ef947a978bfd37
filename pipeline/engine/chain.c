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

/* What a stage needs when each of several members has a scratch of its own for its rows. */
static size_t stage_scratch(const struct stage_plan *plan, unsigned members)
{
    size_t total = scratch_need(1, plan->begin_scratch_bytes);
    for (unsigned i = 0; i < (members > 1 ? members : 1); i++)
        total = scratch_add(total, scratch_need(1, plan->rows_scratch_bytes));
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
    int code = out->plan(&job->settings.save, &shape, info->meta_bytes, &plan, error);
    TRY(at_step(job, job->stage_count + 1, code, error));
    need->buffer_bytes[current ^ 1] = larger(need->buffer_bytes[current ^ 1], plan.out_bytes);
    need->scratch_bytes = larger(need->scratch_bytes, plan.scratch_bytes);
    return 0;
}

int chain_need_check(const struct chain_need *need, uint64_t memory_bytes, struct error *error)
{
    size_t total = scratch_add(need->scratch_bytes, arena_round(need->meta_bytes));
    for (unsigned i = 0; i < 2; i++)
        total = scratch_add(total, arena_round(need->buffer_bytes[i]));
    if (total <= memory_bytes)
        return 0;
    return error_set(error, ERROR_LIMIT, "needs %.1f MiB, over memory %.1f MiB; raise it with --memory",
                     (double)total / 1048576, (double)memory_bytes / 1048576);
}

/* One slot at work in this process, with everything that bounds it copied out of shared memory. */
struct chain_work {
    const struct machine *machine;
    struct slot *slot;
    uint8_t *buffer[2];
    size_t buffer_bytes[2];
    struct meta meta;
    struct scratch *scratch;
    const struct chain_team *team;
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
        .scratch = work->scratch,
    };
    TRY(codec->encode(&job, error));
    keep_warning(work->slot, job.warnings, job.warning);
    work->current ^= 1;
    work->length_bytes = job.length_bytes;
    return 0;
}

/* Rows of one image, dealt out to a team. */
struct share {
    const struct stage *stage;
    struct stage_run run;
    struct scratch *scratches; /* one for each member */
    struct error *errors;
    uint32_t rows_each;
    const struct machine *machine;
    uint32_t slot;
    unsigned step;
};

static void work_on_share(void *context, unsigned member, unsigned index)
{
    struct share *share = context;
    uint32_t first = index * share->rows_each, height = share->run.out.height;
    uint32_t last = height - first < share->rows_each ? height : first + share->rows_each;
    if (share->errors[member].code)
        return;
    share->scratches[member].used_bytes = 0;
    uint64_t before = share->machine->rings ? clock_ns() : 0;
    int code =
        share->stage->rows(&share->run, first, last, &share->scratches[member], &share->errors[member]);
    share->errors[member].code = code;
    if (share->machine->rings && member < share->machine->worker_count)
        machine_note(share->machine, member, TRACE_ROWS, share->slot, share->step, before, clock_ns());
}

/* Fewer rows than this are not worth handing out. */
#define SHARE_LEAST_ROWS 16u
/* Ranges for each member: enough that nobody waits long for the slowest. */
#define SHARE_RANGES       8u
#define SHARE_MOST_MEMBERS 64u

static int share_rows(const struct chain_work *work, const struct stage *stage, const struct stage_plan *plan,
                      struct stage_run *run, struct error *error)
{
    struct scratch *scratch = work->scratch;
    const struct chain_team *team = work->team;
    struct scratch scratches[SHARE_MOST_MEMBERS];
    struct error errors[SHARE_MOST_MEMBERS] = {0};
    unsigned members = team->members < SHARE_MOST_MEMBERS ? team->members : SHARE_MOST_MEMBERS;
    if (stage->begin)
        TRY(stage->begin(run, scratch, error));
    for (unsigned i = 0; i < members; i++) {
        void *base = scratch_alloc(scratch, 1, plan->rows_scratch_bytes);
        if (!base)
            return error_set(error, ERROR_INTERNAL, "needs more scratch than was planned");
        scratches[i] = (struct scratch){base, plan->rows_scratch_bytes, 0};
    }
    uint32_t rows_each = (run->out.height + members * SHARE_RANGES - 1) / (members * SHARE_RANGES);
    struct share share = {stage,
                          *run,
                          scratches,
                          errors,
                          rows_each > SHARE_LEAST_ROWS ? rows_each : SHARE_LEAST_ROWS,
                          work->machine,
                          (uint32_t)(work->slot - work->machine->slots),
                          work->slot->step};
    team->share(work_on_share, &share, members, (run->out.height + share.rows_each - 1) / share.rows_each);
    for (unsigned i = 0; i < members; i++) {
        if (errors[i].code) {
            *error = errors[i];
            return errors[i].code;
        }
    }
    return 0;
}

static int run_stage(struct chain_work *work, const struct job_stage *stage, struct error *error)
{
    struct stage_plan plan;
    TRY(stage_plan(stage->stage, stage->params, &work->shape, &plan, error));
    unsigned target = plan.in_place ? work->current : work->current ^ 1;
    if (shape_bytes(&plan.out) > work->buffer_bytes[target])
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    struct stage_run run = {
        .params = stage->params,
        .in = work->shape,
        .out = plan.out,
        .src = work->buffer[work->current],
        .dst = work->buffer[target],
        .item = work->slot->item,
        .attempt = work->slot->attempt,
    };
    if (work->team && !plan.whole && plan.out.height >= 2 * SHARE_LEAST_ROWS)
        TRY(share_rows(work, stage->stage, &plan, &run, error));
    else
        TRY(stage_run_whole(stage->stage, &run, work->scratch, error));
    work->shape = plan.out;
    work->current = target;
    return 0;
}

/* Copies the slot's claims and checks them against what the machine reserved. */
static int take_up(struct chain_work *work, const struct machine *machine, uint32_t index, unsigned first,
                   struct scratch *scratch, struct error *error)
{
    struct slot *slot = &machine->slots[index];
    *work = (struct chain_work){
        .machine = machine, .slot = slot, .scratch = scratch, .current = slot->current & 1};
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

int chain_run(const struct machine *machine, uint32_t index, unsigned first, unsigned last,
              struct scratch *scratch, const struct chain_team *team)
{
    const struct job *job = machine->job;
    struct slot *slot = &machine->slots[index];
    struct chain_work work;
    struct error error = {0};
    int code = take_up(&work, machine, index, first, scratch, &error);
    work.team = team;
    uint64_t before = clock_ns();
    for (unsigned step = first; step < last && code == 0; step++) {
        slot->step = step;
        machine_begin_step(machine, index, step, before);
        scratch->used_bytes = 0;
        if (step == 0)
            code = decode(&work, &error);
        else if (step <= job->stage_count)
            code = run_stage(&work, &job->stages[step - 1], &error);
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
