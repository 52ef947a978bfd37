/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain_exec.h"

#include <string.h>

#include "pipeline/engine/command.h"

/* Scratch for decoding what comes back, beyond what encoding took. */
#define DECODE_SCRATCH_BYTES ((size_t)1 << 20)

static const struct codec *codec_named(const char *name)
{
    for (const struct codec *const *codec = codec_all(); *codec; codec++) {
        if (strcmp((*codec)->name, name) == 0)
            return *codec;
    }
    return NULL;
}

int chain_exchange_plan(const struct job_stage *stage, const struct shape *shape,
                        struct chain_exchange *exchange, struct error *error)
{
    static const struct codec_save save = {.level = -1};
    struct stage_command command;
    struct codec_plan plan;
    stage->stage->command(stage->params, &command);
    *exchange = (struct chain_exchange){.bytes = shape_bytes(shape)};
    if (command.exchange == STAGE_EXCHANGE_RAW)
        return 0;
    exchange->codec = codec_named(shape->kind == SHAPE_ARRAY ? "npy" : "pnm");
    TRY(codec_plan_for(exchange->codec, &save, shape, 0, &plan, error));
    exchange->bytes = plan.out_bytes;
    exchange->scratch_bytes = scratch_add(plan.scratch_bytes, DECODE_SCRATCH_BYTES);
    return 0;
}

void chain_exchange_buffers(const struct job *job, unsigned current, unsigned kept, unsigned *aside,
                            unsigned *back)
{
    *aside = chain_other_buffer(job, current, kept);
    *back = current == kept ? chain_other_buffer(job, *aside, kept) : current;
}

/* Puts the bytes to hand over into buffer `aside`: a file, or the samples as they are. */
static int hand_over(struct chain_work *work, const struct chain_exchange *exchange, unsigned aside,
                     struct command_io *io, struct error *error)
{
    static const struct codec_save save = {.level = -1};
    uint8_t *bytes = chain_part(work, (enum slot_part)aside);
    const size_t room = work->have.part_bytes[aside], length = shape_bytes(&work->shape);
    io->in = bytes;
    io->in_bytes = length;
    if (!exchange->codec && length > room)
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    if (!exchange->codec) {
        memcpy(bytes, chain_current(work), length);
        return 0;
    }
    struct codec_encode task = {.save = &save,
                                .shape = work->shape,
                                .pixels = chain_current(work),
                                .meta = &(struct meta){0},
                                .bytes = bytes,
                                .bytes_size = room,
                                .file = bytes,
                                .scratch = work->scratch};
    TRY(exchange->codec->encode(&task, error));
    io->in_bytes = task.length_bytes;
    return task.file == bytes ? 0 : error_set(error, ERROR_INTERNAL, "the codec put the file elsewhere");
}

/* Bare samples are as they were, only with other values. */
static int take_samples(struct chain_work *work, const struct command_io *io, unsigned back,
                        struct error *error)
{
    if (io->out_length != shape_bytes(&work->shape))
        return error_set(error, ERROR_STAGE, "the command gave back %zu bytes of samples instead of %zu",
                         io->out_length, shape_bytes(&work->shape));
    work->current = back;
    work->at = 0;
    return 0;
}

/* Where samples go in their buffer depends on the kind. */
static int decode_back(struct chain_work *work, const struct codec *codec, const struct command_io *io,
                       unsigned stage, unsigned aside, struct error *error)
{
    struct codec_info info = {0};
    const size_t head = io->out_length < CODEC_HEAD_BYTES ? io->out_length : CODEC_HEAD_BYTES;
    if (!codec->sniff(io->out, head))
        return error_set(error, ERROR_STAGE, "what the command gave back is not %s", codec->name);
    TRY(codec->peek(io->out, head, io->out_length, &work->machine->limits, &info, error));
    const size_t at = chain_samples_at(&info.shape);
    TRY(chain_plan_decoding(work, stage + 1, &info, aside, error));
    struct codec_decode task = {.limits = &work->machine->limits,
                                .bytes = io->out,
                                .length_bytes = io->out_length,
                                .pixels = chain_part(work, (enum slot_part)aside) + at,
                                .pixels_bytes = work->have.part_bytes[aside] - at,
                                .found_at = SIZE_MAX,
                                .scratch = work->scratch};
    work->scratch->used_bytes = 0;
    TRY(codec->decode(&task, error));
    task.shape.orientation = work->shape.orientation;
    work->shape = task.shape;
    work->current = aside;
    work->at = at;
    if (task.found_at != SIZE_MAX)
        memcpy(task.pixels, io->out + task.found_at, shape_bytes(&task.shape));
    return 0;
}

int chain_run_command(struct chain_work *work, unsigned stage, struct error *error)
{
    const struct job_stage *link = &work->machine->job->stages[stage];
    struct chain_exchange exchange;
    struct stage_command command;
    unsigned aside, back;
    link->stage->command(link->params, &command);
    TRY(chain_exchange_plan(link, &work->shape, &exchange, error));
    chain_exchange_buffers(work->machine->job, work->current, work->kept, &aside, &back);
    if (exchange.bytes > work->have.part_bytes[back])
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    struct command_io io = {.out = chain_part(work, (enum slot_part)back),
                            .out_bytes = work->have.part_bytes[back],
                            .most_bytes = work->machine->limits.max_file_bytes};
    TRY(hand_over(work, &exchange, aside, &io, error));
    int code = command_run(command.line, command.timeout_ms, &io, error);
    if (code == ERROR_ROOM)
        return chain_ask_for_buffer(work, back, io.out_length, error);
    TRY(code);
    if (!exchange.codec)
        return take_samples(work, &io, back, error);
    return decode_back(work, exchange.codec, &io, stage, aside, error);
}
