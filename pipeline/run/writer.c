/* SPDX-License-Identifier: MIT */
#include "pipeline/run/writer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/engine/batch_class.h"
#include "pipeline/engine/chain_plan.h"
#include "pipeline/engine/recover.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/pieces.h"
#include "pipeline/shared/stall.h"

#define WRITER_BATCH 16u

/* An item goes round again for more memory so often, and so often for each stage; each time something new is
 * known. */
#define WRITER_MOST_ROUNDS  8u
#define WRITER_STAGE_ROUNDS 2u

/* What a worker left in shared memory, copied once and made safe to read. */
struct outcome {
    struct error error;
    const uint8_t *bytes; /* the file, or the pieces in OUT */
    size_t length_bytes;
    uint64_t pixels_in;
    bool warned;
    char warning[200];
    uint64_t written_bytes;
    const uint8_t *samples; /* for `aggregate` */
    size_t samples_bytes;
    struct record record; /* for `collect` */
};

static int impossible(struct outcome *outcome)
{
    return error_set(&outcome->error, ERROR_INTERNAL, "the worker handed back an impossible result");
}

/* Is this a failure that a worker can meet with? The disk, which would stop the run, is not its business. */
static bool workers_own(int code)
{
    return code <= ERROR_USAGE && code >= ERROR_ROOM && code != ERROR_DISK_FULL && code != ERROR_CRASH;
}

static int read_outcome(const struct machine *machine, uint32_t index, struct outcome *outcome)
{
    const struct slot *slot = &machine->slots[index];
    *outcome = (struct outcome){.bytes = NULL};
    const int code =
        *(const volatile int *)&slot->error.code; /* read once: others may write it at any time */
    if (code != 0) {
        outcome->error = slot->error;
        outcome->error.code = code;
        outcome->error.stage[sizeof outcome->error.stage - 1] = '\0';
        outcome->error.reason[sizeof outcome->error.reason - 1] = '\0';
        return workers_own(code) ? code : impossible(outcome);
    }
    const bool pieces = job_makes_pieces(machine->job);
    const unsigned part = pieces ? SLOT_OUT : slot->current;
    const uint64_t at = pieces ? 0 : slot->at;
    outcome->length_bytes = slot->length_bytes;
    outcome->pixels_in = slot->pixels_in;
    if ((!pieces && part >= 2) || at > machine->part_bytes[part] ||
        outcome->length_bytes > machine->part_bytes[part] - at)
        return impossible(outcome);
    outcome->bytes = machine_part(machine, index, (enum slot_part)part) + at;
    unsigned warnings = slot->warnings;
    outcome->warned = warnings > 0;
    if (warnings)
        snprintf(outcome->warning, sizeof outcome->warning, "%.159s%s", slot->warning,
                 warnings > 1 ? " (and more)" : "");
    return 0;
}

static int write_file(struct writer *writer, const struct item *item, const struct piece *piece,
                      const uint8_t *bytes, struct outcome *outcome)
{
    char name[PATH_MAX];
    struct stat input = {.st_dev = item->device, .st_ino = item->inode};
    TRY(outname_make(&writer->names[piece->output], item->rel, piece->row, piece->col, name, sizeof name,
                     &outcome->error));
    /* An array without elements may make an empty file, an image never does. */
    const struct codec *codec = piece->length_bytes == 0 ? codec_for_name(name) : NULL;
    if (piece->length_bytes == 0 && (!codec || codec->kinds != CODEC_ARRAYS))
        return impossible(outcome);
    outcome->written_bytes += piece->length_bytes;
    struct outfile_made made;
    TRY(outfile_write(writer->out, name, bytes, piece->length_bytes, &input, writer->journal ? &made : NULL,
                      &outcome->error));
    return writer->journal ? journal_outputs_add(&writer->made, item->rel, name, &made, &outcome->error) : 0;
}

static int write_pieces(struct writer *writer, const struct item *item, struct outcome *outcome)
{
    size_t position = 0;
    struct piece piece;
    const uint8_t *bytes;
    int more;
    while ((more = piece_next(outcome->bytes, outcome->length_bytes, &position, &piece, &bytes)) > 0) {
        if (piece.output == PIECE_AGGREGATE) {
            outcome->samples = bytes;
            outcome->samples_bytes = piece.length_bytes;
            continue;
        }
        if (piece.output >= writer->machine->job->output_count)
            return impossible(outcome);
        TRY(write_file(writer, item, &piece, bytes, outcome));
    }
    return more < 0 ? impossible(outcome) : 0;
}

/* Writes all files that the item makes. */
static int write_item(struct writer *writer, const struct item *item, struct outcome *outcome)
{
    const struct job *job = writer->machine->job;
    if (job_makes_pieces(job))
        return write_pieces(writer, item, outcome);
    if (job->output_count == 0)
        return 0;
    const struct piece whole = {.length_bytes = outcome->length_bytes};
    return write_file(writer, item, &whole, outcome->bytes, outcome);
}

/* What the item leaves for the table and the combinations. */
static int gather(struct writer *writer, uint32_t index, const struct item *item, struct outcome *outcome)
{
    const struct machine *machine = writer->machine;
    const struct slot *slot = &machine->slots[index];
    if (!writer->gather)
        return 0;
    struct gather_item left = {.number = item->number,
                               .shown = item->shown,
                               .shape = slot->trunk_shape,
                               .samples = outcome->samples,
                               .samples_bytes = outcome->samples_bytes};
    if (job_records(machine->job))
        left.record = (struct record){machine_part(machine, index, SLOT_RECORD),
                                      machine->part_bytes[SLOT_RECORD], slot->record_used, ""};
    outcome->record = left.record;
    if (left.record.used_bytes > left.record.size_bytes ||
        (machine->job->settings.aggregate_file && !left.samples))
        return impossible(outcome);
    return gather_put(writer->gather, &left, &outcome->error);
}

/* Notes that the item is done: now, as its outputs stand. What the worker claims was judged before. */
static void keep_journal(struct writer *writer, uint32_t index, const struct item *item,
                         const struct outcome *outcome)
{
    const struct machine *machine = writer->machine;
    const bool records = job_records(machine->job);
    struct error error = {0};
    uint64_t step_ns[SLOT_MAX_STEPS];
    if (!writer->journal)
        return;
    memcpy(step_ns, machine->slots[index].step_ns, chain_steps(machine->job) * sizeof *step_ns);
    const struct journal_row row = {
        .shown = item->shown,
        .rel = item->rel,
        .size_bytes = item->size_bytes,
        .mtime_ns = item->mtime_ns,
        .attempts = item->spent + 1,
        .warning = outcome->warned ? outcome->warning : NULL,
        .step_ns = step_ns,
        .outputs = writer->made.bytes,
        .outputs_bytes = writer->made.used_bytes,
        .record = records ? outcome->record.block : NULL,
        .record_bytes = outcome->record.used_bytes,
    };
    int code = journal_put(writer->journal, &row, &error);
    if (code < 0)
        ledger_stop_broken(writer->ledger, &error);
}

/* The item takes more than was known when it came in: it goes round again. */
static int send_again(struct writer *writer, uint32_t index, struct item *item, struct outcome *outcome)
{
    const struct slot_need need = writer->machine->slots[index].need; /* a claim: judged when it comes in */
    const uint32_t most = WRITER_MOST_ROUNDS + WRITER_STAGE_ROUNDS * writer->machine->job->stage_count;
    if (item->rounds++ >= most || chain_fits(&need, &item->need))
        return error_set(&outcome->error, ERROR_INTERNAL, "asks for memory without end");
    chain_need_raise(&item->need, &need);
    return ERROR_ROOM;
}

static void book_steps(struct writer *writer, uint32_t index)
{
    for (unsigned step = 0; step < chain_steps(writer->machine->job); step++)
        writer->step_ns[step] += writer->machine->slots[index].step_ns[step];
}

/* Tells the ledger what became of the item. */
static void settle(struct writer *writer, struct item *item, int code, enum ledger_stop stop,
                   uint64_t bytes_in, const struct outcome *outcome)
{
    if (code == ERROR_ROOM) {
        ledger_retry(writer->ledger, item, false);
    } else if (code == ERROR_DISK_FULL || (code == 0 && stop == STOP_DISK_FULL)) {
        /* Not the item's fault: it is left for the next run. */
        ledger_stop_run(writer->ledger, STOP_DISK_FULL, &outcome->error);
        ledger_unfinished(writer->ledger, item);
    } else if (code < 0) {
        recover_blame(writer->ledger, item, &outcome->error, writer->machine->job->settings.retries);
    } else {
        ledger_done(writer->ledger, item, bytes_in, outcome->written_bytes, outcome->pixels_in,
                    outcome->warned ? outcome->warning : NULL);
    }
}

/* What reading a file came to that was read while it was decoded goes before what the worker made of it. */
static int ask_feeder(struct writer *writer, uint32_t index, int code, struct outcome *outcome)
{
    struct error error;
    const int reading = writer->feeder ? feeder_verdict(writer->feeder, index, code == 0, &error) : 0;
    if (reading == 0)
        return code;
    outcome->error = error;
    return reading;
}

static void write_slot(struct writer *writer, uint32_t index, uint64_t seen)
{
    const struct machine *machine = writer->machine;
    struct item *item = ledger_unseat(writer->ledger, index);
    if (!item) /* only a process that lies about slots can bring this about */
        return;
    struct outcome outcome;
    uint64_t before = clock_ns();
    enum ledger_stop stop = ledger_stopped(writer->ledger);
    int code = read_outcome(machine, index, &outcome);
    code = ask_feeder(writer, index, code, &outcome);
    uint64_t bytes_in = machine->slots[index].ticket.file_bytes;
    writer->made.used_bytes = 0;
    if (code == ERROR_ROOM)
        code = send_again(writer, index, item, &outcome);
    if (code == 0 && stop != STOP_DISK_FULL)
        code = write_item(writer, item, &outcome);
    if (code == 0 && stop != STOP_DISK_FULL)
        code = gather(writer, index, item, &outcome);
    if (code == 0 && stop != STOP_DISK_FULL)
        keep_journal(writer, index, item, &outcome);
    if (code == 0)
        book_steps(writer, index);
    if (machine->rings)
        machine_note(machine, MACHINE_RING_WRITER(machine), code == 0 ? TRACE_WRITE : TRACE_REFUSE, index, 0,
                     before, clock_ns());
    stall(STALL_WRITTEN);
    admission_handled(writer->admission, index, clock_ns() - before);
    admission_leave(writer->admission, index, seen);
    settle(writer, item, code, stop, bytes_in, &outcome);
}

/* Also when nothing came: rows must not wait for long. */
static void commit_journal(struct writer *writer)
{
    struct error error = {0};
    int code = writer->journal ? journal_tick(writer->journal, &error) : 0;
    if (code < 0)
        ledger_stop_broken(writer->ledger, &error);
}

static bool always(void *context, uint32_t slot)
{
    (void)context, (void)slot;
    return true;
}

bool writer_step(struct writer *writer)
{
    uint32_t slots[WRITER_BATCH], count;
    uint64_t seen[WRITER_BATCH];
    enum queue_result result =
        queue_take(&writer->queue, SLOT_OWNER_WRITER, WRITER_BATCH, always, NULL, slots, seen, &count);
    uint64_t now = clock_ns();
    writer->starved_ns += now - writer->since_ns;
    writer->since_ns = now;
    if (result == QUEUE_CLOSED)
        return false;
    for (uint32_t i = 0; i < count; i++)
        write_slot(writer, slots[i], seen[i]);
    commit_journal(writer);
    quarantine_work(writer->quarantine);
    now = clock_ns();
    writer->busy_ns += now - writer->since_ns;
    writer->since_ns = now;
    return true;
}

void writer_close(struct writer *writer)
{
    free(writer->made.bytes);
    writer->made = (struct journal_outputs){0};
}

void *writer_run(void *context)
{
    batch_class_enter();
    while (writer_step(context))
        ;
    return NULL;
}
