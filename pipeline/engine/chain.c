/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/engine/chain_exec.h"
#include "pipeline/engine/chain_work.h"
#include "pipeline/shared/clock.h"

uint8_t *chain_part(const struct chain_work *work, enum slot_part part)
{
    return machine_part(work->machine, work->index, part);
}

uint8_t *chain_current(const struct chain_work *work)
{
    return chain_part(work, (enum slot_part)work->current) + work->at;
}

void chain_warn(const struct chain_work *work, unsigned count, const char *text)
{
    struct slot *slot = work->slot;
    if (count && slot->warnings == 0)
        snprintf(slot->warning, sizeof slot->warning, "%s", text);
    slot->warnings += count;
}

/* The counterpart of the item, in this process's memory. */
static struct stage_reference reference_of(const struct chain_work *work)
{
    return (struct stage_reference){.codec = codec_all()[work->ticket.reference_codec],
                                    .bytes = chain_part(work, SLOT_REFERENCE),
                                    .length_bytes = work->ticket.reference_bytes,
                                    .info = work->ticket.reference};
}

/* Everything about one stage on the item at hand. */
static int prepare(struct chain_work *work, unsigned stage, struct chain_rows *at, struct error *error)
{
    const struct job_stage *link = &work->machine->job->stages[stage];
    *at = (struct chain_rows){.slot = work->index, .step = stage + 1, .stage = link->stage};
    at->reference = reference_of(work);
    const bool referring = link->stage->reference && work->ticket.reference_bytes;
    at->run.reference = referring ? &at->reference : NULL;
    TRY(stage_plan_with(link->stage, link->params, &work->shape, at->run.reference, &at->plan, error));
    at->source = (uint8_t)work->current;
    at->target = (uint8_t)work->current;
    if (!at->plan.in_place || work->current == work->kept)
        at->target = (uint8_t)chain_other_buffer(work->machine->job, work->current, work->kept);
    at->run.params = link->params;
    at->run.in = work->shape;
    at->run.out = at->plan.out;
    at->run.src = chain_current(work);
    at->run.item = work->ticket.item;
    at->run.attempt = work->slot->attempt;
    at->run.limits = &work->machine->limits;
    return 0;
}

/* Where the output goes in its buffer: in place, where it is. */
static size_t target_at(const struct chain_work *work, const struct chain_rows *at)
{
    return at->target == at->source ? work->at : chain_samples_at(&at->run.out);
}

/* Whether in place or not decides on which side all that follows is done: both were planned only where the
 * other side fits, too. */
static bool can_go_apart(const struct chain_work *work, unsigned stage, const struct chain_rows *at)
{
    struct slot_need need = {0};
    const unsigned other = chain_other_buffer(work->machine->job, work->current, work->kept);
    const struct chain_position position = {stage + 1, work->output, other, work->kept};
    return work->output == CHAIN_TRUNK &&
           shape_bytes(&at->run.out) + chain_samples_at(&at->run.out) <= work->have.part_bytes[other] &&
           chain_plan_rest(work->machine->job, &work->ticket, &position, &at->run.out, work->meta.used_bytes,
                           &need, NULL) == 0 &&
           chain_fits(&need, &work->have);
}

int chain_run_stage(struct chain_work *work, unsigned stage, struct error *error)
{
    struct chain_rows at;
    const struct chain_sharing *sharing = work->sharing;
    if (work->machine->job->stages[stage].stage->command)
        return chain_run_command(work, stage, error);
    TRY(prepare(work, stage, &at, error));
    bool shared =
        sharing && work->ticket.members > 1 && !at.plan.whole && sharing->wanted(sharing->context, &at);
    if (shared && sharing->apart && at.target == at.source) {
        shared = can_go_apart(work, stage, &at);
        if (shared)
            at.target = (uint8_t)chain_other_buffer(work->machine->job, work->current, work->kept);
    }
    const size_t to = target_at(work, &at);
    if (to + shape_bytes(&at.run.out) > work->have.part_bytes[at.target])
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    at.run.dst = chain_part(work, (enum slot_part)at.target) + to;
    if (shared) {
        work->slot->shape = work->shape; /* where those who join find it */
        work->slot->at = work->at;
        TRY(sharing->work(sharing->context, &at, work->scratch, error));
    } else {
        work->record.prefix = work->machine->job->stages[stage].prefix;
        at.run.record = at.plan.whole && work->record.size_bytes ? &work->record : NULL;
        TRY(stage_run_whole(at.stage, &at.run, work->scratch, error));
    }
    work->shape = at.run.out;
    work->current = at.target;
    work->at = to;
    return at.plan.settles ? chain_plan_again(work, stage + 1, error) : 0;
}

/* Is what the slot says of itself possible, by what the machine reserved? */
static bool sound(const struct chain_work *work, unsigned first)
{
    const struct slot_ticket *ticket = &work->ticket;
    unsigned codecs = 0;
    while (codec_all()[codecs])
        codecs++;
    for (unsigned part = 0; part < SLOT_PARTS; part++) {
        if (work->have.part_bytes[part] > work->machine->part_bytes[part])
            return false;
    }
    for (unsigned i = 0; i < work->machine->job->output_count; i++) {
        if (ticket->codec_out[i] >= codecs)
            return false;
    }
    if (ticket->codec_in >= codecs || ticket->reference_codec >= codecs ||
        ticket->reference_bytes > work->have.part_bytes[SLOT_REFERENCE] ||
        work->meta.used_bytes > work->meta.size_bytes || work->record.used_bytes > work->record.size_bytes ||
        work->current >= (work->machine->part_bytes[SLOT_BUFFER_2] ? SLOT_BUFFERS : 2))
        return false;
    const size_t room = work->have.part_bytes[work->current];
    const size_t in_buffer = ticket->fed ? FEED_WINDOW_BYTES : ticket->file_bytes;
    if (first == 0)
        return work->at == 0 && in_buffer <= room &&
               (!ticket->fed || ((ticket->banded || ticket->streamed) &&
                                 ticket->file_bytes >= FEED_LEAST_BYTES && work->current == 0)) &&
               ticket->banded <= work->machine->job->trunk &&
               (!ticket->streamed ||
                (job_streams(work->machine->job) && ticket->banded == work->machine->job->trunk));
    return shape_valid(&work->shape) && work->at % 64 == 0 && work->at <= room &&
           shape_bytes(&work->shape) <= room - work->at;
}

/* A flag out of shared memory may be any byte; read as a bool it has to be one. */
static void mend(bool *flag)
{
    uint8_t byte;
    memcpy(&byte, flag, sizeof byte);
    *flag = byte == 1;
}

/* Copies the slot's claims and checks them against what the machine reserved. */
static int take_up(struct chain_work *work, const struct machine *machine, uint32_t index, unsigned first,
                   struct scratch *scratch, struct error *error)
{
    struct slot *slot = &machine->slots[index];
    *work = (struct chain_work){.machine = machine,
                                .slot = slot,
                                .ticket = slot->ticket,
                                .index = index,
                                .have = slot->have,
                                .scratch = scratch,
                                .shape = slot->shape,
                                .current = slot->current,
                                .at = slot->at,
                                .kept = SLOT_BUFFERS,
                                .output = CHAIN_TRUNK};
    mend(&work->ticket.packed_in);
    mend(&work->ticket.late);
    mend(&work->ticket.streamed);
    mend(&work->ticket.fed);
    for (unsigned i = 0; i < SLOT_MAX_OUTPUTS; i++)
        mend(&work->ticket.packed_out[i]);
    work->length_bytes = work->ticket.file_bytes;
    work->meta =
        (struct meta){chain_part(work, SLOT_META), work->have.part_bytes[SLOT_META], slot->meta_used};
    if (job_records(machine->job))
        work->record = (struct record){chain_part(work, SLOT_RECORD), work->have.part_bytes[SLOT_RECORD],
                                       slot->record_used, ""};
    return sound(work, first) ? 0 : error_set(error, ERROR_INTERNAL, "the slot holds impossible sizes");
}

int chain_join(const struct machine *machine, uint32_t index, unsigned step, unsigned source, unsigned target,
               struct chain_rows *at, struct scratch *scratch, struct error *error)
{
    struct chain_work work;
    if (index >= machine->slot_count || step == 0 || step > machine->job->stage_count ||
        source >= SLOT_BUFFERS || target >= SLOT_BUFFERS || source == target)
        return error_set(error, ERROR_INTERNAL, "an impossible offer of rows");
    struct slot *slot = &machine->slots[index];
    TRY(take_up(&work, machine, index, step, scratch, error));
    work.current = source;
    if (shape_bytes(&work.shape) > work.have.part_bytes[source] ||
        work.at > work.have.part_bytes[source] - shape_bytes(&work.shape))
        return error_set(error, ERROR_INTERNAL, "an impossible offer of rows");
    TRY(prepare(&work, step - 1, at, error));
    at->target = (uint8_t)target;
    const size_t to = target_at(&work, at);
    if (at->plan.whole || to + shape_bytes(&at->run.out) > work.have.part_bytes[target])
        return error_set(error, ERROR_INTERNAL, "an impossible offer of rows");
    at->run.dst = chain_part(&work, (enum slot_part)target) + to;
    size_t planned = slot->have.scratch_bytes;
    scratch->used_bytes = 0;
    scratch->size_bytes = planned < scratch->size_bytes ? planned : scratch->size_bytes;
    return 0;
}

/* Does one step and books its time. */
static int run_step(struct chain_work *work, unsigned step, uint64_t *since_ns, struct error *error)
{
    const struct machine *machine = work->machine;
    const struct job *job = machine->job;
    int code = 0;
    work->slot->step = step;
    machine_begin_step(machine, work->index, step, *since_ns);
    work->scratch->used_bytes = 0;
    if (step == 0) {
        code = chain_decode(work, error);
    } else if (step > job->stage_count) {
        code = chain_encode(work, step - job->stage_count - 1, error);
    } else if (!job->stages[step - 1].stage->piece &&
               !chain_leaves_out(job, &work->ticket, step - 1, &work->shape)) {
        code = chain_run_stage(work, step - 1, error);
    }
    code = chain_at_step(job, step, code, error);
    uint64_t now = clock_ns();
    work->slot->step_ns[step] = now - *since_ns;
    if (machine->rings)
        machine_note(machine, machine_worker_of(machine, work->index), TRACE_STEP, work->index, step,
                     *since_ns, now);
    *since_ns = now;
    return code;
}

/* All outputs, each from what the trunk has left. */
static int run_outputs(struct chain_work *work, uint64_t *since_ns, struct error *error)
{
    const struct job *job = work->machine->job;
    int code = job->settings.aggregate_file ? chain_leave_samples(work, error) : 0;
    const struct chain_work trunk = *work;
    for (unsigned i = 0; i < job->output_count && code == 0; i++) {
        work->shape = trunk.shape;
        work->current = trunk.current;
        work->at = trunk.at;
        work->kept = job_branches(job) ? trunk.current : SLOT_BUFFERS;
        work->output = (int)i;
        for (unsigned j = job->outputs[i].first; j < job->outputs[i].last && code == 0; j++)
            code = run_step(work, j + 1, since_ns, error);
        if (code == 0)
            code = run_step(work, 1 + job->stage_count + i, since_ns, error);
    }
    if (job_makes_pieces(job))
        work->length_bytes = work->out_used;
    return code;
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
    if (code == 0 && first == 0 && (work.ticket.banded || work.ticket.streamed)) {
        code = chain_run_banded(&work, &before, &error);
        code = chain_at_step(job, slot->step, code, &error);
        first = work.ticket.streamed ? last : 1u + work.ticket.banded;
    }
    for (unsigned step = first; step < last && step <= job->trunk && code == 0; step++)
        code = run_step(&work, step, &before, &error);
    if (code == 0 && last == chain_steps(job) && !work.ticket.streamed)
        code = run_outputs(&work, &before, &error);
    slot->current = (uint8_t)work.current;
    slot->at = work.at;
    slot->shape = work.shape;
    slot->meta_used = work.meta.used_bytes;
    slot->record_used = work.record.used_bytes;
    slot->length_bytes = work.length_bytes;
    if (code < 0) {
        error.code = code;
        slot->error = error;
    }
    return code;
}
