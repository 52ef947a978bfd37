/* SPDX-License-Identifier: MIT */
/* A slot's image through its bands, to an image in the other buffer or, streamed, to the file that is made of
 * it; and the time of each step booked, though they take turns. */
#include "pipeline/engine/chain_bands_run.h"
#include "pipeline/engine/chain_feed.h"
#include "pipeline/engine/chain_work.h"
#include "pipeline/shared/clock.h"

struct turns {
    struct chain_work *work;
    unsigned step; /* at work */
    uint64_t since_ns;
    const struct codec *encoder; /* NULL: it is not streamed */
    struct codec_encode encode;
    struct scratch encode_scratch;
    size_t meta_bytes;      /* as was planned */
    size_t most_bytes;      /* that the file can come to */
    struct chain_feed feed; /* of a file that is fed */
};

/* To wait for a file is no work on it. */
static void book(struct turns *turns)
{
    const uint64_t now = clock_ns();
    turns->work->slot->step_ns[turns->step] += now - turns->since_ns - turns->feed.waited_ns;
    turns->feed.waited_ns = 0;
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
    for (unsigned step = 0; step < chain_steps(work->machine->job); step++) {
        if (step > work->ticket.banded && !work->ticket.streamed)
            break;
        const uint64_t end_ns = begin_ns + work->slot->step_ns[step];
        machine_note(machine, machine_worker_of(machine, work->index), TRACE_STEP, work->index, step,
                     begin_ns, end_ns);
        begin_ns = end_ns;
    }
}

static int no_room(struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
}

/* A codec's own scratch within the worker's. */
static bool take_scratch(struct chain_work *work, size_t bytes, struct scratch *own)
{
    *own = (struct scratch){.base = scratch_alloc(work->scratch, 1, bytes), .size_bytes = bytes};
    return own->base != NULL;
}

/* Where less was set aside than the file can come to, it goes round again for that. */
static int ask_for_most(const struct turns *turns, int code, struct error *error)
{
    return chain_ask_for_file(turns->work, turns->work->current ^ 1, turns->most_bytes, code, error);
}

static int begin_encode(struct turns *turns, const struct shape *shape, struct error *error)
{
    struct chain_work *work = turns->work;
    const unsigned other = work->current ^ 1;
    const struct codec_save *save = &work->machine->job->outputs[0].save;
    struct codec_plan plan;
    turns->encoder = codec_all()[work->ticket.codec_out[0]];
    begin_step(turns, 1 + work->machine->job->stage_count);
    TRY(codec_plan_for(turns->encoder, save, shape, turns->meta_bytes, &plan, error));
    if (plan.rows_scratch_bytes == 0)
        return error_set(error, ERROR_INTERNAL, "cannot be encoded by rows");
    if (!take_scratch(work, plan.rows_scratch_bytes, &turns->encode_scratch))
        return no_room(error);
    turns->most_bytes = plan.out_bytes;
    turns->encode = (struct codec_encode){.save = save,
                                          .shape = *shape,
                                          .meta = &work->meta,
                                          .bytes = chain_part(work, (enum slot_part)other),
                                          .bytes_size = work->have.part_bytes[other],
                                          .scratch = &turns->encode_scratch};
    turns->encode.file = turns->encode.bytes;
    return ask_for_most(turns, turns->encoder->begin(&turns->encode, error), error);
}

static int put(void *context, const uint8_t *rows, uint32_t count, struct error *error)
{
    struct turns *turns = context;
    return ask_for_most(turns, turns->encoder->put(&turns->encode, rows, count, error), error);
}

static int finish_encode(struct turns *turns, struct error *error)
{
    struct chain_work *work = turns->work;
    begin_step(turns, 1 + work->machine->job->stage_count);
    TRY(ask_for_most(turns, turns->encoder->finish(&turns->encode, error), error));
    chain_warn(work, turns->encode.warnings, turns->encode.warning);
    work->at = (size_t)(turns->encode.file - turns->encode.bytes);
    work->length_bytes = turns->encode.length_bytes;
    return 0;
}

/* The way of an image that is open: where its rows go. */
static int prepare(struct turns *turns, struct chain_bands_task *task, struct chain_bands *bands,
                   struct error *error)
{
    struct chain_work *work = turns->work;
    const unsigned other = work->current ^ 1;
    TRY(chain_bands_plan(work->machine->job, &work->ticket, &task->decode->shape, bands, error));
    if (bands->streamed)
        return begin_encode(turns, &bands->out, error);
    task->dst = chain_part(work, (enum slot_part)other);
    return shape_bytes(&bands->out) <= work->have.part_bytes[other] ? 0 : no_room(error);
}

/* From the opened file on. */
static int run(struct turns *turns, struct chain_bands_task *task, struct error *error)
{
    struct chain_work *work = turns->work;
    const struct shape shape = task->decode->shape;
    struct chain_bands bands;
    struct error found = {0};
    const int code = prepare(turns, task, &bands, &found);
    if (code < 0) {
        /* The file's own fault goes first. */
        const unsigned step = turns->step;
        TRY(chain_bands_drain(task, error));
        begin_step(turns, step);
        *error = found;
        return code;
    }
    TRY(chain_bands_run(&bands, task, error));
    chain_warn(work, task->decode->warnings, task->decode->warning);
    work->slot->pixels_in = (uint64_t)shape.width * shape.height;
    work->shape = bands.out;
    work->at = 0;
    if (bands.streamed)
        TRY(finish_encode(turns, error));
    work->current ^= 1;
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
    const bool can = info->by_rows && (info->by_pieces || !work->ticket.fed);
    return can ? 0 : error_set(error, ERROR_INTERNAL, "cannot be decoded by rows");
}

/* A decoder that cannot go on with pieces gets the whole file, once the item has gone round. */
static int ask_for_whole(const struct turns *turns, int code, struct error *error)
{
    const struct chain_work *work = turns->work;
    if (code != ERROR_ROOM || turns->step != 0)
        return code;
    if (!work->ticket.fed)
        return no_room(error);
    return chain_ask_for_buffer(work, SLOT_BUFFER_0, work->ticket.file_bytes, error);
}

int chain_run_banded(struct chain_work *work, uint64_t *since_ns, struct error *error)
{
    const struct codec *codec = codec_all()[work->ticket.codec_in];
    struct turns turns = {.work = work, .since_ns = *since_ns};
    struct codec_decode decode = chain_decode_task(work);
    struct codec_info info;
    begin_step(&turns, 0);
    TRY(look(work, codec, &info, error));
    turns.meta_bytes = chain_meta_bytes(&work->ticket, &info);
    work->scratch->used_bytes = 0;
    struct scratch own;
    if (!take_scratch(work, info.scratch_bytes, &own))
        return no_room(error);
    decode.scratch = &own;
    if (work->ticket.fed) {
        chain_feed_open(&turns.feed, work);
        decode.feed = &turns.feed.feed;
    }
    struct chain_bands_task task = {
        .codec = codec,
        .decode = &decode,
        .like = {.item = work->ticket.item, .attempt = work->slot->attempt, .limits = &work->machine->limits},
        .scratch = work->scratch,
        .begin_step = begin_step,
        .put = put,
        .context = &turns};
    int code = codec->open(&decode, error);
    if (code == 0)
        code = run(&turns, &task, error);
    code = ask_for_whole(&turns, code, error);
    if (codec->leave)
        codec->leave(&decode);
    if (turns.encoder && turns.encoder->abandon)
        turns.encoder->abandon(&turns.encode);
    book(&turns);
    note(work, *since_ns);
    *since_ns = turns.since_ns;
    return code;
}
