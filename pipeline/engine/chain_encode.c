/* SPDX-License-Identifier: MIT */
/* From samples to the bytes of a file, or of several. A job whose items make one file each has it in a
 * buffer, without a copy; others lay them out in OUT, see pieces.h. */
#include "pipeline/engine/chain_work.h"

#include <string.h>

#include "pipeline/shared/pieces.h"

static int no_room(struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "needs more room than was planned");
}

/* Levels as zlib counts, by the words of save.compression. */
static int gzip_level(const struct codec_save *save)
{
    static const int levels[] = {1, 1, 6, 9, 9};
    return save->level >= 0 ? (int)save->level : levels[save->compression];
}

/* Samples to be encoded, and where. */
struct encoding {
    unsigned output;
    struct shape shape;
    const uint8_t *samples;
    size_t room_before, room_after; /* see codec_encode */
    unsigned beside;                /* the buffer that the samples are in: not to be written */
    uint8_t *out;
    size_t out_bytes;
    const uint8_t *file; /* out */
    size_t length_bytes;
};

static int encode(struct chain_work *work, struct encoding *at, struct error *error)
{
    const struct codec *codec = codec_all()[work->ticket.codec_out[at->output]];
    struct codec_encode task = {
        .save = &work->machine->job->outputs[at->output].save,
        .shape = at->shape,
        .pixels = at->samples,
        .room_before = at->room_before,
        .room_after = at->room_after,
        .meta = &work->meta,
        .bytes = at->out,
        .bytes_size = at->out_bytes,
        .file = at->out,
        .scratch = work->scratch,
    };
    work->scratch->used_bytes = 0;
    TRY(codec->encode(&task, error));
    chain_warn(work, task.warnings, task.warning);
    at->file = task.file;
    at->length_bytes = task.length_bytes;
    return 0;
}

/* Encodes into buffer `through` and packs from there. */
static int encode_packed(struct chain_work *work, struct encoding *at, unsigned through, struct error *error)
{
    uint8_t *out = at->out;
    const size_t out_bytes = at->out_bytes;
    at->out = chain_part(work, (enum slot_part)through);
    at->out_bytes = work->have.part_bytes[through];
    TRY(encode(work, at, error));
    work->scratch->used_bytes = 0;
    TRY(gzip_pack(at->file, at->length_bytes, gzip_level(&work->machine->job->outputs[at->output].save), out,
                  out_bytes, &at->length_bytes, work->scratch, error));
    at->file = out;
    return 0;
}

/* Where less was set aside than the file can come to, the item goes round again for that. */
static int ask_for_most(const struct chain_work *work, unsigned buffer, int code, struct error *error)
{
    struct codec_plan plan;
    if (code != ERROR_ROOM)
        return code;
    TRY(codec_plan_for(codec_all()[work->ticket.codec_out[0]], &work->machine->job->outputs[0].save,
                       &work->shape, work->meta.used_bytes, &plan, error));
    return chain_ask_for_file(work, buffer, plan.out_bytes, code, error);
}

/* The one file of the item, in a buffer. */
static int encode_alone(struct chain_work *work, struct error *error)
{
    const unsigned other = work->current ^ 1;
    uint8_t *here = chain_part(work, (enum slot_part)work->current);
    const size_t room = work->have.part_bytes[work->current];
    struct encoding at = {
        .shape = work->shape,
        .samples = chain_current(work),
        .room_before = work->at,
        .room_after = room - work->at - shape_bytes(&work->shape),
        .out = chain_part(work, (enum slot_part)other),
        .out_bytes = work->have.part_bytes[other],
    };
    TRY(ask_for_most(work, other, encode(work, &at, error), error));
    work->length_bytes = at.length_bytes;
    const bool moved = at.file == at.out;
    if (!work->ticket.packed_out[0]) {
        work->at = moved ? 0 : (size_t)(at.file - here);
        work->current = moved ? other : work->current;
        return 0;
    }
    /* From the side it is on to the other. */
    const unsigned target = moved ? work->current : other;
    work->scratch->used_bytes = 0;
    TRY(gzip_pack(at.file, at.length_bytes, gzip_level(&work->machine->job->outputs[0].save),
                  chain_part(work, (enum slot_part)target), work->have.part_bytes[target],
                  &work->length_bytes, work->scratch, error));
    work->current = target;
    work->at = 0;
    return 0;
}

/* May the output be the input itself? */
static bool may_keep(const struct chain_work *work, unsigned output, size_t room)
{
    const struct slot_ticket *ticket = &work->ticket;
    return work->machine->job->outputs[output].save.recompress &&
           ticket->codec_in == ticket->codec_out[output] && !ticket->packed_in &&
           !ticket->packed_out[output] && ticket->file_bytes <= room;
}

static void keep(const struct chain_work *work, struct encoding *at)
{
    memcpy(at->out, chain_part(work, SLOT_BUFFER_0), work->ticket.file_bytes);
    at->file = at->out;
    at->length_bytes = work->ticket.file_bytes;
}

/* Encoded once more, would it be another image? */
static bool loses(const struct chain_work *work, unsigned output)
{
    return codec_all()[work->ticket.codec_out[output]]->lossy &&
           !work->machine->job->outputs[output].save.lossless;
}

/* The input where it is no larger than what is made of it, or would lose by that. */
static int encode_or_keep(struct chain_work *work, struct encoding *at, struct error *error)
{
    const bool lossy = loses(work, at->output);
    if (!lossy)
        TRY(encode(work, at, error));
    if (lossy || work->ticket.file_bytes <= at->length_bytes)
        keep(work, at);
    return 0;
}

static int put_piece(struct chain_work *work, struct encoding *at, struct piece piece, struct error *error)
{
    uint8_t *block = chain_part(work, SLOT_OUT);
    size_t room;
    uint8_t *out = piece_room(block, work->have.part_bytes[SLOT_OUT], work->out_used, &room);
    if (!out)
        return no_room(error);
    at->out = out;
    at->out_bytes = room;
    if (may_keep(work, at->output, room))
        TRY(encode_or_keep(work, at, error));
    else if (work->ticket.packed_out[at->output])
        TRY(encode_packed(work, at, chain_other_buffer(work->machine->job, at->beside, work->kept), error));
    else
        TRY(encode(work, at, error));
    if (at->file != out) {
        if (at->length_bytes > room)
            return no_room(error);
        memcpy(out, at->file, at->length_bytes);
    }
    piece.length_bytes = at->length_bytes;
    work->out_used = piece_put(block, work->out_used, &piece);
    return 0;
}

static void copy_box(const struct chain_work *work, const struct stage_box *box, uint8_t *to)
{
    const size_t pixel = shape_pixel_bytes(&work->shape), row = shape_row_bytes(&work->shape);
    const uint8_t *from = chain_current(work) + box->top * row + box->left * pixel;
    for (uint32_t y = 0; y < box->height; y++)
        memcpy(to + y * box->width * pixel, from + y * row, box->width * pixel);
}

/* Each box of the image as an output of its own; never packed, see slot_ticket. */
static int encode_tiles(struct chain_work *work, unsigned output, const struct job_stage *tiles,
                        struct error *error)
{
    const unsigned buffer = chain_other_buffer(work->machine->job, work->current, work->kept);
    struct stage_box box;
    for (uint32_t i = 0; tiles->stage->piece(tiles->params, &work->shape, i, &box); i++) {
        struct encoding at = {.output = output, .shape = work->shape, .beside = buffer};
        at.shape.width = box.width;
        at.shape.height = box.height;
        if ((uint64_t)box.left + box.width > work->shape.width ||
            (uint64_t)box.top + box.height > work->shape.height ||
            shape_bytes(&at.shape) > work->have.part_bytes[buffer])
            return no_room(error);
        uint8_t *samples = chain_part(work, (enum slot_part)buffer);
        copy_box(work, &box, samples);
        at.samples = samples;
        TRY(put_piece(work, &at, (struct piece){.output = output, .row = box.row, .col = box.col}, error));
    }
    return 0;
}

int chain_encode(struct chain_work *work, unsigned output, struct error *error)
{
    const struct job *job = work->machine->job;
    if (!job_makes_pieces(job))
        return encode_alone(work, error);
    const struct job_stage *tiles = job_tiles(job, output);
    if (tiles && !chain_leaves_out(job, &work->ticket, (unsigned)(tiles - job->stages), &work->shape))
        return encode_tiles(work, output, tiles, error);
    struct encoding at = {
        .output = output,
        .shape = work->shape,
        .samples = chain_current(work),
        .beside = work->current,
        /* What others start from, or are made of it beside, stays as it is. */
        .room_before = 0,
        .room_after = 0,
    };
    return put_piece(work, &at, (struct piece){.output = output}, error);
}

int chain_leave_samples(struct chain_work *work, struct error *error)
{
    uint8_t *block = chain_part(work, SLOT_OUT);
    const struct piece piece = {.output = PIECE_AGGREGATE, .length_bytes = shape_bytes(&work->shape)};
    size_t room;
    uint8_t *out = piece_room(block, work->have.part_bytes[SLOT_OUT], work->out_used, &room);
    if (!out || piece.length_bytes > room)
        return no_room(error);
    memcpy(out, chain_current(work), piece.length_bytes);
    work->slot->trunk_shape = work->shape;
    work->out_used = piece_put(block, work->out_used, &piece);
    return 0;
}
