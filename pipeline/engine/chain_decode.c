/* SPDX-License-Identifier: MIT */
/* From the bytes of a file to samples: unpacked where it is packed, looked at as a whole where its head could
 * not say what is in it, decoded. */
#include "pipeline/engine/chain_work.h"

#include <stdio.h>

/* Too much, where it was planned for several to share its rows? From here on it is planned for one. */
static bool goes_alone(struct chain_work *work, const struct slot_need *need)
{
    struct slot_need asked = work->slot->asked;
    chain_need_raise(&asked, need);
    if (work->ticket.members <= 1 ||
        chain_need_check(&asked, work->machine->job->settings.memory_bytes, NULL) == 0)
        return false;
    work->ticket.members = 1;
    return true;
}

/* The item goes round again, with room for what it turned out to need. */
static int ask_for(const struct chain_work *work, const struct slot_need *need, struct error *error)
{
    struct slot_need *asked = &work->slot->need;
    *asked = work->slot->asked;
    if (work->ticket.members < work->slot->ticket.members)
        asked->scratch_bytes = 0; /* that was for several; the reader plans anew */
    chain_need_raise(asked, need);
    TRY(chain_need_check(asked, work->machine->job->settings.memory_bytes, error));
    return error_set(error, ERROR_ROOM, "takes more memory than could be known before");
}

/* Is there room for `need` and for what follows from stage `stage` on, with the item in buffer `current`? */
static int plan_from(struct chain_work *work, unsigned stage, const struct shape *shape, unsigned current,
                     const struct slot_need *first, struct error *error)
{
    const struct chain_position position = {stage, work->output, current, work->kept};
    struct slot_need need = *first;
    TRY(chain_plan_rest(work->machine->job, &work->ticket, &position, shape, work->meta.used_bytes, &need,
                        error));
    need.part_bytes[SLOT_RECORD] = scratch_add(need.part_bytes[SLOT_RECORD], work->record.used_bytes);
    if (chain_fits(&need, &work->have))
        return 0;
    /* What the outputs after this one take was planned before: it comes on top. */
    if (work->output != CHAIN_TRUNK)
        need.part_bytes[SLOT_OUT] =
            scratch_add(need.part_bytes[SLOT_OUT], work->slot->asked.part_bytes[SLOT_OUT]);
    return goes_alone(work, &need) ? plan_from(work, stage, shape, current, first, error)
                                   : ask_for(work, &need, error);
}

int chain_plan_again(struct chain_work *work, unsigned stage, struct error *error)
{
    const struct slot_need nothing = {0};
    return plan_from(work, stage, &work->shape, work->current, &nothing, error);
}

int chain_plan_decoding(struct chain_work *work, unsigned stage, const struct codec_info *info,
                        unsigned aside, struct error *error)
{
    struct slot_need need = {.scratch_bytes = info->scratch_bytes};
    need.part_bytes[aside] = scratch_add(shape_bytes(&info->shape), chain_samples_at(&info->shape));
    return plan_from(work, stage, &info->shape, aside, &need, error);
}

int chain_ask_for_buffer(const struct chain_work *work, unsigned buffer, size_t bytes, struct error *error)
{
    struct slot_need need = {0};
    need.part_bytes[buffer] = bytes;
    return ask_for(work, &need, error);
}

int chain_ask_for_file(const struct chain_work *work, unsigned buffer, size_t most_bytes, int code,
                       struct error *error)
{
    if (code != ERROR_ROOM)
        return code;
    if (work->have.part_bytes[buffer] >= most_bytes)
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    return chain_ask_for_buffer(work, buffer, most_bytes, error);
}

static int unpack(struct chain_work *work, struct error *error)
{
    const struct codec_limits *limits = &work->machine->limits;
    const unsigned other = work->current ^ 1;
    struct gzip_unpack job = {
        .bytes = chain_current(work),
        .length_bytes = work->length_bytes,
        .out = chain_part(work, (enum slot_part)other),
        .out_bytes = work->have.part_bytes[other],
        .max_bytes = limits->max_file_bytes,
        .max_ratio = limits->max_ratio,
        .scratch = work->scratch,
    };
    int code = gzip_unpack(&job, error);
    work->scratch->used_bytes = 0;
    if (code == ERROR_ROOM) {
        struct slot_need need;
        chain_guess(work->machine->job, &work->ticket, job.unpacked_bytes, &need);
        return ask_for(work, &need, error);
    }
    TRY(code);
    if (job.unpacked_bytes == 0)
        return error_set(error, ERROR_CORRUPT, "unpacks to nothing");
    work->current = other;
    work->length_bytes = job.unpacked_bytes;
    return 0;
}

/* The whole file is at hand: what is in it, and is there room for what will be made of it? */
static int look(struct chain_work *work, const struct codec *codec, struct error *error)
{
    struct codec_info info = {0};
    struct slot_need need;
    const struct job *job = work->machine->job;
    const uint8_t *bytes = chain_current(work);
    if (codec->sniff && !codec->sniff(bytes, work->length_bytes))
        return error_set(error, ERROR_CORRUPT, "what is packed is not %s, as its name says", codec->name);
    size_t head =
        codec->late || work->length_bytes < CODEC_HEAD_BYTES ? work->length_bytes : CODEC_HEAD_BYTES;
    int code = codec->peek(bytes, head, work->length_bytes, &work->machine->limits, &info, error);
    if (code == ERROR_ROOM && head < work->length_bytes)
        code =
            codec->peek(bytes, work->length_bytes, work->length_bytes, &work->machine->limits, &info, error);
    TRY(code);
    do {
        need = (struct slot_need){0};
        TRY(chain_plan_all(job, &work->ticket, &info, work->current, &need, error));
        if (chain_fits(&need, &work->have))
            return 0;
    } while (goes_alone(work, &need));
    return ask_for(work, &need, error);
}

struct codec_decode chain_decode_task(struct chain_work *work)
{
    const struct job *job = work->machine->job;
    bool strip = true;
    for (unsigned i = 0; i < job->output_count; i++)
        strip = strip && job->outputs[i].save.strip;
    return (struct codec_decode){
        .limits = &work->machine->limits,
        .bytes = chain_current(work),
        .length_bytes = work->length_bytes,
        .shrink = work->ticket.shrink,
        .meta = strip ? NULL : &work->meta,
        .found_at = SIZE_MAX,
        .scratch = work->scratch,
    };
}

static int decode(struct chain_work *work, const struct codec *codec, struct error *error)
{
    const unsigned other = work->current ^ 1;
    /* Whether samples are an image's or an array's is the codec's to say; only arrays leave room before. */
    const size_t at = codec->kinds == CODEC_ARRAYS ? CHAIN_HEADROOM : 0;
    if (work->have.part_bytes[other] < at)
        return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
    struct codec_decode task = chain_decode_task(work);
    task.pixels = chain_part(work, (enum slot_part)other) + at;
    task.pixels_bytes = work->have.part_bytes[other] - at;
    TRY(codec->decode(&task, error));
    chain_warn(work, task.warnings, task.warning);
    work->shape = task.shape;
    if (task.found_at == SIZE_MAX) {
        work->current = other;
        work->at = at;
    } else {
        work->at += task.found_at;
    }
    if (!shape_valid(&work->shape) ||
        work->at + shape_bytes(&work->shape) > work->have.part_bytes[work->current])
        return error_set(error, ERROR_INTERNAL, "the codec gave an impossible shape");
    const bool image = task.shape.kind == SHAPE_IMAGE;
    work->slot->pixels_in =
        image ? (uint64_t)task.shape.width * task.shape.height : shape_samples(&task.shape);
    return 0;
}

int chain_decode(struct chain_work *work, struct error *error)
{
    const struct codec *codec = codec_all()[work->ticket.codec_in];
    if (work->ticket.packed_in)
        TRY(unpack(work, error));
    if (work->ticket.late)
        TRY(look(work, codec, error));
    return decode(work, codec, error);
}
