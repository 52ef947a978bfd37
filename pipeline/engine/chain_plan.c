/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/chain_plan.h"

#include <stdio.h>

#include "pipeline/engine/chain_bands.h"
#include "pipeline/engine/chain_exec.h"
#include "pipeline/shared/pieces.h"

/* Scratch of an item of which nothing is known: enough to unpack it and look. */
#define GUESS_SCRATCH_BYTES ((size_t)1 << 20)

/* Of a file whose size is guessed, for what is in it beside pixels. */
#define EXPECTED_SLACK_BYTES ((size_t)256 << 10)

/* To set less aside than a file may come to pays from here on: so much is not filled for the first time. */
#define WORTH_BYTES ((size_t)4 << 20)

unsigned chain_steps(const struct job *job)
{
    return 1 + job->stage_count + job->output_count;
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

int chain_at_step(const struct job *job, unsigned step, int code, struct error *error)
{
    if (code < 0 && error && !*error->stage)
        snprintf(error->stage, sizeof error->stage, "%s", chain_step_name(job, step));
    return code;
}

size_t chain_samples_at(const struct shape *shape)
{
    return shape->kind == SHAPE_ARRAY ? CHAIN_HEADROOM : 0;
}

bool chain_leaves_out(const struct job *job, const struct slot_ticket *ticket, unsigned stage,
                      const struct shape *shape)
{
    return (ticket->skipped >> stage & 1) || !job_applies(&job->stages[stage], shape);
}

static void raise(size_t *value, size_t other)
{
    *value = *value > other ? *value : other;
}

/* One walk along the chain. */
struct planner {
    const struct job *job;
    const struct slot_ticket *ticket;
    struct slot_need *need;
    struct error *error;
    struct shape shape;
    unsigned current; /* the buffer that the item is in */
    size_t meta_bytes, out_bytes, record_bytes;
};

unsigned chain_other_buffer(const struct job *job, unsigned current, unsigned kept)
{
    if (!job_branches(job))
        return current ^ 1;
    for (unsigned i = 0;; i++) {
        if (i != current && i != kept)
            return i;
    }
}

static void take_buffer(struct planner *planner, unsigned buffer, size_t bytes)
{
    raise(&planner->need->part_bytes[buffer], bytes);
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

/* The item goes out from `aside` and comes back into `back`, to be decoded into `aside`. */
static int plan_command(struct planner *planner, const struct job_stage *link, unsigned kept)
{
    struct chain_exchange exchange;
    TRY(chain_exchange_plan(link, &planner->shape, &exchange, planner->error));
    unsigned aside, back;
    chain_exchange_buffers(planner->job, planner->current, kept, &aside, &back);
    take_buffer(planner, back, exchange.bytes);
    take_buffer(planner, aside, exchange.bytes);
    take_buffer(planner, aside, scratch_add(shape_bytes(&planner->shape), chain_samples_at(&planner->shape)));
    raise(&planner->need->scratch_bytes, exchange.scratch_bytes);
    planner->current = exchange.codec ? aside : back; /* bare samples stay where they came back */
    return 0;
}

static int plan_stage(struct planner *planner, unsigned stage, unsigned kept)
{
    const struct job_stage *link = &planner->job->stages[stage];
    struct stage_reference reference = {.codec = codec_all()[planner->ticket->reference_codec],
                                        .length_bytes = planner->ticket->reference_bytes,
                                        .info = planner->ticket->reference};
    struct stage_plan plan;
    if (chain_leaves_out(planner->job, planner->ticket, stage, &planner->shape))
        return 0;
    TRY(stage_plan_with(link->stage, link->params, &planner->shape,
                        link->stage->reference && reference.length_bytes ? &reference : NULL, &plan,
                        planner->error));
    if (link->stage->piece)
        return 0; /* the output's encode knows */
    if (link->stage->command)
        return plan_command(planner, link, kept);
    planner->shape = plan.out;
    if (!plan.in_place || planner->current == kept)
        planner->current = chain_other_buffer(planner->job, planner->current, kept);
    take_buffer(planner, planner->current, scratch_add(shape_bytes(&plan.out), chain_samples_at(&plan.out)));
    raise(&planner->need->scratch_bytes, stage_scratch(&plan, planner->ticket->members));
    planner->record_bytes = scratch_add(planner->record_bytes, plan.record_bytes);
    return 0;
}

/* The largest of the pieces that an output is cut into, and how many there are. */
static unsigned plan_pieces(const struct planner *planner, const struct job_stage *tiles,
                            struct shape *largest)
{
    struct stage_box box;
    unsigned count = 0;
    *largest = planner->shape;
    largest->width = largest->height = 0;
    while (tiles->stage->piece(tiles->params, &planner->shape, count, &box)) {
        largest->width = box.width > largest->width ? box.width : largest->width;
        largest->height = box.height > largest->height ? box.height : largest->height;
        count++;
    }
    return count;
}

/* What the file of an image may come to, where its codec does not know and files are as usual. Those that are
 * made quickly are up to a fourth larger than the others of their format; what compresses well may become
 * some times as large, which is little beside its pixels. Photographs of other formats come to less than half
 * of that. An item that takes more goes round again, with as much as there can be. */
static size_t expect_file(const struct slot_ticket *ticket, unsigned output, const struct shape *shape,
                          const struct codec_plan *plan)
{
    const double out_bytes = (double)shape_bytes(shape);
    double bytes = (double)plan->likely_bytes;
    if (plan->likely_bytes == 0 && ticket->codec_in == ticket->codec_out[output] && ticket->raw_bytes > 0)
        bytes = 1.25 * out_bytes / (double)ticket->raw_bytes * (double)ticket->file_bytes + out_bytes / 16;
    else if (plan->likely_bytes == 0)
        bytes = 0.5 * out_bytes;
    bytes += EXPECTED_SLACK_BYTES;
    return bytes < (double)plan->out_bytes ? (size_t)bytes : plan->out_bytes;
}

/* As much less is worth the risk that the item goes round again; only of what its own file tells about. */
static size_t room_for_file(const struct slot_ticket *ticket, unsigned output, const struct shape *shape,
                            const struct codec_plan *plan)
{
    if (!plan->tells_room || ticket->codec_in != ticket->codec_out[output] || ticket->raw_bytes == 0)
        return plan->out_bytes;
    const size_t bytes = expect_file(ticket, output, shape, plan);
    return plan->out_bytes - bytes < WORTH_BYTES ? plan->out_bytes : bytes;
}

static int plan_output(struct planner *planner, unsigned output, unsigned kept)
{
    const struct job *job = planner->job;
    const struct job_stage *tiles = job_tiles(job, output);
    struct shape shape = planner->shape;
    struct codec_plan plan;
    unsigned count = 1, buffer = chain_other_buffer(job, planner->current, kept);
    const bool packed = planner->ticket->packed_out[output];
    if (tiles && !chain_leaves_out(job, planner->ticket, (unsigned)(tiles - job->stages), &shape)) {
        count = plan_pieces(planner, tiles, &shape);
        take_buffer(planner, buffer, shape_bytes(&shape));
    }
    int code = codec_plan_for(codec_all()[planner->ticket->codec_out[output]], &job->outputs[output].save,
                              &shape, planner->meta_bytes, &plan, planner->error);
    TRY(chain_at_step(job, 1 + job->stage_count + output, code, planner->error));
    if (!job_makes_pieces(job) && plan.room_after > 0) {
        /* The samples are nobody else's. */
        const size_t samples = scratch_add(shape_bytes(&shape), chain_samples_at(&shape));
        take_buffer(planner, planner->current, scratch_add(samples, plan.room_after));
        plan.scratch_bytes = plan.spoiling_scratch_bytes;
    }
    raise(&planner->need->scratch_bytes, plan.scratch_bytes);
    if (packed)
        raise(&planner->need->scratch_bytes, gzip_scratch_bytes());
    const size_t out_bytes = packed ? gzip_bound(plan.out_bytes) : plan.out_bytes;
    if (!job_makes_pieces(job)) {
        take_buffer(planner, buffer,
                    packed ? plan.out_bytes : room_for_file(planner->ticket, output, &shape, &plan));
        if (packed) {
            /* The encoder may have left the samples where they are: packing goes to either side. */
            take_buffer(planner, 0, out_bytes);
            take_buffer(planner, 1, out_bytes);
        }
        return 0;
    }
    if (packed)
        take_buffer(planner, buffer, plan.out_bytes);
    for (unsigned i = 0; i < count; i++)
        planner->out_bytes = scratch_add(planner->out_bytes, piece_need(out_bytes));
    return 0;
}

static int plan_outputs(struct planner *planner)
{
    const struct job *job = planner->job;
    const struct shape shape = planner->shape;
    const unsigned base = planner->current, kept = job_branches(job) ? base : SLOT_BUFFERS;
    if (job->settings.aggregate_file)
        planner->out_bytes = scratch_add(planner->out_bytes, piece_need(shape_bytes(&shape)));
    for (unsigned i = 0; i < job->output_count; i++) {
        planner->shape = shape;
        planner->current = base;
        for (unsigned j = job->outputs[i].first; j < job->outputs[i].last; j++)
            TRY(plan_stage(planner, j, kept));
        TRY(plan_output(planner, i, kept));
    }
    return 0;
}

int chain_plan_rest(const struct job *job, const struct slot_ticket *ticket,
                    const struct chain_position *position, const struct shape *shape, size_t meta_bytes,
                    struct slot_need *need, struct error *error)
{
    struct planner planner = {.job = job,
                              .ticket = ticket,
                              .need = need,
                              .error = error,
                              .shape = *shape,
                              .current = position->current,
                              .meta_bytes = meta_bytes};
    const bool trunk = position->output == CHAIN_TRUNK;
    const unsigned last = trunk ? job->trunk : job->outputs[position->output].last;
    for (unsigned i = position->stage; i < last; i++)
        TRY(plan_stage(&planner, i, position->kept));
    TRY(trunk ? plan_outputs(&planner) : plan_output(&planner, (unsigned)position->output, position->kept));
    raise(&need->part_bytes[SLOT_OUT], planner.out_bytes);
    if (job_records(job))
        need->part_bytes[SLOT_RECORD] = scratch_add(need->part_bytes[SLOT_RECORD], planner.record_bytes);
    if (need->part_bytes[SLOT_RECORD] > JOB_MAX_RECORD_BYTES)
        return error_set(error, ERROR_LIMIT, "stages would tell more than %zu bytes about it",
                         JOB_MAX_RECORD_BYTES);
    return 0;
}

int chain_plan_all(const struct job *job, const struct slot_ticket *ticket, const struct codec_info *info,
                   unsigned current, struct slot_need *need, struct error *error)
{
    struct chain_position position = {.output = CHAIN_TRUNK, .current = current ^ 1, .kept = SLOT_BUFFERS};
    chain_plan_decode(info, current, need);
    TRY(chain_plan_rest(job, ticket, &position, &info->shape, info->meta_bytes, need, error));
    if (info->shape.kind != SHAPE_ARRAY)
        return 0;
    /* The samples may be found in the file as they are, and everything then goes on from that side. */
    need->part_bytes[SLOT_RECORD] = 0;
    position.current = current;
    return chain_plan_rest(job, ticket, &position, &info->shape, info->meta_bytes, need, error);
}

void chain_plan_decode(const struct codec_info *info, unsigned current, struct slot_need *need)
{
    const size_t at = chain_samples_at(&info->shape), bytes = scratch_add(shape_bytes(&info->shape), at);
    raise(&need->part_bytes[current ^ 1], bytes);
    raise(&need->part_bytes[SLOT_META], info->meta_bytes);
    raise(&need->scratch_bytes, info->scratch_bytes);
}

/* What comes out of the last of the banded stages is the first image that is there as a whole, where any is.
 * `info` is of the image as it is decoded. */
static int plan_banded(const struct job *job, const struct slot_ticket *ticket, const struct codec_info *info,
                       struct slot_need *need, struct error *error)
{
    struct chain_bands bands;
    struct codec_plan plan;
    TRY(chain_bands_plan(job, ticket, &info->shape, &bands, error));
    const size_t scratch_bytes = scratch_add(scratch_need(1, info->scratch_bytes), bands.scratch_bytes);
    raise(&need->part_bytes[SLOT_META], info->meta_bytes);
    if (ticket->streamed) {
        const int code = codec_plan_for(codec_all()[ticket->codec_out[0]], &job->outputs[0].save, &bands.out,
                                        info->meta_bytes, &plan, error);
        TRY(chain_at_step(job, 1 + job->stage_count, code, error));
        raise(&need->part_bytes[SLOT_BUFFER_1], expect_file(ticket, 0, &bands.out, &plan));
        raise(&need->scratch_bytes, scratch_add(scratch_bytes, scratch_need(1, plan.rows_scratch_bytes)));
        return 0;
    }
    const struct chain_position position = {ticket->banded, CHAIN_TRUNK, SLOT_BUFFER_1, SLOT_BUFFERS};
    raise(&need->part_bytes[SLOT_BUFFER_1], shape_bytes(&bands.out));
    raise(&need->scratch_bytes, scratch_bytes);
    return chain_plan_rest(job, ticket, &position, &bands.out, info->meta_bytes, need, error);
}

size_t chain_meta_bytes(const struct slot_ticket *ticket, const struct codec_info *info)
{
    const bool fewer = ticket->fed && info->pieces_meta_bytes < info->meta_bytes;
    return fewer ? info->pieces_meta_bytes : info->meta_bytes;
}

int chain_plan(const struct job *job, const struct slot_ticket *ticket, const struct codec_info *info,
               struct slot_need *need, struct error *error)
{
    struct codec_info decoded = *info;
    decoded.shape = codec_shrunk(&info->shape, ticket->shrink);
    decoded.meta_bytes = chain_meta_bytes(ticket, info);
    *need = (struct slot_need){
        .part_bytes = {[SLOT_BUFFER_0] = ticket->fed ? FEED_WINDOW_BYTES : ticket->file_bytes,
                       [SLOT_REFERENCE] = ticket->reference_bytes}};
    if (ticket->banded || ticket->streamed)
        return plan_banded(job, ticket, &decoded, need, error);
    return chain_plan_all(job, ticket, &decoded, 0, need, error);
}

void chain_guess(const struct job *job, const struct slot_ticket *ticket, uint64_t unpacked_bytes,
                 struct slot_need *need)
{
    /* Numbers take about as much as their digits. */
    const size_t bytes = scratch_add((size_t)unpacked_bytes, (size_t)unpacked_bytes / 4 + ((size_t)64 << 10));
    *need = (struct slot_need){
        .part_bytes =
            {[SLOT_BUFFER_0] = bytes, [SLOT_BUFFER_1] = bytes, [SLOT_REFERENCE] = ticket->reference_bytes},
        .scratch_bytes = GUESS_SCRATCH_BYTES};
    raise(&need->part_bytes[SLOT_BUFFER_0], ticket->file_bytes);
    if (job_branches(job))
        need->part_bytes[SLOT_BUFFER_2] = bytes;
    if (job_makes_pieces(job))
        need->part_bytes[SLOT_OUT] = bytes;
    if (job_records(job))
        need->part_bytes[SLOT_RECORD] = 16384;
}

/* The shape that comes out of a stage which is passed over; false where it is not to be passed over. */
static bool scale_free(const struct job *job, const struct slot_ticket *ticket, unsigned stage,
                       struct shape *shape)
{
    struct stage_plan plan;
    const struct job_stage *link = &job->stages[stage];
    if (ticket->skipped >> stage & 1)
        return true;
    if (link->when || !link->stage->scale_free ||
        stage_plan(link->stage, link->params, shape, &plan, NULL) < 0)
        return false;
    *shape = plan.out;
    return true;
}

/* By the first stage of [first, last) that minds. */
static unsigned shrink_of(const struct job *job, const struct slot_ticket *ticket, unsigned first,
                          unsigned last, struct shape shape)
{
    for (unsigned i = first; i < last; i++) {
        const struct job_stage *link = &job->stages[i];
        if (link->stage->shrink && !link->when && !(ticket->skipped >> i & 1))
            return link->stage->shrink(link->params, &shape);
        if (!scale_free(job, ticket, i, &shape))
            return 0;
    }
    return 0;
}

unsigned chain_shrink(const struct job *job, const struct slot_ticket *ticket, const struct shape *shape,
                      unsigned most)
{
    struct shape at = *shape;
    for (unsigned i = 0; i < job->trunk; i++) {
        if (!scale_free(job, ticket, i, &at)) {
            unsigned found = shrink_of(job, ticket, i, job->trunk, at);
            return found < most ? found : most;
        }
    }
    if (job->settings.aggregate_file)
        return 0;
    for (unsigned i = 0; i < job->output_count; i++) {
        unsigned found = shrink_of(job, ticket, job->outputs[i].first, job->outputs[i].last, at);
        most = found < most ? found : most;
    }
    return job->output_count ? most : 0;
}

bool chain_fits(const struct slot_need *need, const struct slot_need *have)
{
    for (unsigned i = 0; i < SLOT_PARTS; i++) {
        if (need->part_bytes[i] > have->part_bytes[i])
            return false;
    }
    return need->scratch_bytes <= have->scratch_bytes;
}

void chain_need_raise(struct slot_need *need, const struct slot_need *other)
{
    for (unsigned i = 0; i < SLOT_PARTS; i++)
        raise(&need->part_bytes[i], other->part_bytes[i]);
    raise(&need->scratch_bytes, other->scratch_bytes);
}

size_t chain_need_total(const struct slot_need *need)
{
    size_t total = need->scratch_bytes;
    for (unsigned i = 0; i < SLOT_PARTS; i++) {
        const size_t more = scratch_add(need->part_bytes[i], CHAIN_COUNTED_BYTES - 1);
        total =
            scratch_add(total, more == SIZE_MAX ? more : more / CHAIN_COUNTED_BYTES * CHAIN_COUNTED_BYTES);
    }
    return total;
}

int chain_need_check(const struct slot_need *need, uint64_t memory_bytes, struct error *error)
{
    size_t total = chain_need_total(need);
    if (total <= memory_bytes)
        return 0;
    return error_set(error, ERROR_LIMIT, "needs %.1f MiB, over memory %.1f MiB; raise it with --memory",
                     (double)total / 1048576, (double)memory_bytes / 1048576);
}
