/* SPDX-License-Identifier: MIT */
/* A slot's image through its bands, and the time of each step booked, though they take turns. */
#include "pipeline/engine/chain_bands_run.h"
#include "pipeline/engine/chain_work.h"
#include "pipeline/shared/clock.h"

struct turns {
    struct chain_work *work;
    unsigned step; /* at work */
    uint64_t since_ns;
};

static void book(struct turns *turns)
{
    const uint64_t now = clock_ns();
    turns->work->slot->step_ns[turns->step] += now - turns->since_ns;
    turns->since_ns = now;
}

static void begin_step(void *context, unsigned step)
{
    struct turns *turns = context;
    book(turns);
    turns->step = turns->work->slot->step = step;
    machine_begin_step(turns->work->machine, turns->work->index, step, turns->since_ns);
}

/* In a trace they lie one behind the other, each as long as its turns together. */
static void note(const struct chain_work *work, uint64_t begin_ns)
{
    const struct machine *machine = work->machine;
    if (!machine->rings)
        return;
    for (unsigned step = 0; step <= work->ticket.banded; step++) {
        const uint64_t end_ns = begin_ns + work->slot->step_ns[step];
        machine_note(machine, machine_worker_of(machine, work->index), TRACE_STEP, work->index, step,
                     begin_ns, end_ns);
        begin_ns = end_ns;
    }
}

/* From the opened file on. */
static int run(struct chain_work *work, struct chain_bands_task *task, struct error *error)
{
    const struct shape shape = task->decode->shape;
    const unsigned other = work->current ^ 1;
    struct chain_bands bands;
    struct error found = {0};
    const int code =
        chain_bands_plan(work->machine->job, &work->ticket, &shape, work->ticket.banded, &bands, &found);
    if (code < 0) {
        /* The file's own fault goes first. */
        TRY(chain_bands_drain(task, error));
        *error = found;
        return code;
    }
    if (shape_bytes(&bands.out) > work->have.part_bytes[other])
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    task->dst = chain_part(work, (enum slot_part)other);
    TRY(chain_bands_run(&bands, task, error));
    chain_warn(work, task->decode->warnings, task->decode->warning);
    work->slot->pixels_in = (uint64_t)shape.width * shape.height;
    work->shape = bands.out;
    work->current = other;
    work->at = 0;
    return 0;
}

/* What peek promised, it promises again. */
static int look(const struct chain_work *work, const struct codec *codec, struct codec_info *info,
                struct error *error)
{
    const size_t head_bytes = work->length_bytes < CODEC_HEAD_BYTES ? work->length_bytes : CODEC_HEAD_BYTES;
    *info = (struct codec_info){0};
    TRY(codec->peek(chain_current(work), head_bytes, work->length_bytes, &work->machine->limits, info,
                    error));
    return info->by_rows ? 0 : error_set(error, ERROR_INTERNAL, "cannot be decoded by rows");
}

int chain_run_banded(struct chain_work *work, uint64_t *since_ns, struct error *error)
{
    const struct codec *codec = codec_all()[work->ticket.codec_in];
    struct turns turns = {work, 0, *since_ns};
    struct codec_decode decode = chain_decode_task(work);
    struct codec_info info;
    begin_step(&turns, 0);
    TRY(look(work, codec, &info, error));
    work->scratch->used_bytes = 0;
    struct scratch own = {.base = scratch_alloc(work->scratch, 1, info.scratch_bytes),
                          .size_bytes = info.scratch_bytes};
    if (!own.base)
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    decode.scratch = &own;
    struct chain_bands_task task = {
        .codec = codec,
        .decode = &decode,
        .like = {.item = work->ticket.item, .attempt = work->slot->attempt, .limits = &work->machine->limits},
        .scratch = work->scratch,
        .begin_step = begin_step,
        .context = &turns};
    int code = codec->open(&decode, error);
    if (code == 0)
        code = run(work, &task, error);
    book(&turns);
    note(work, *since_ns);
    *since_ns = turns.since_ns;
    return code;
}
