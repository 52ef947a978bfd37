/* SPDX-License-Identifier: MIT */
#include "pipeline/run/reader.h"

#include <stdlib.h>

#include "pipeline/engine/batch_class.h"
#include "pipeline/engine/recover.h"
#include "pipeline/journal/journal_outputs.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/stall.h"

/* Items of at most this many bytes of pixels are worth a batch: below, the hand-over costs more than a
 * hundredth of the work. */
#define SMALL_PIXELS_BYTES ((size_t)64 << 10)

/* While a list of files is idle, items that have to go round again are looked for this often. */
#define LISTING_NAP_MS 50

int reader_open(struct reader *reader, struct error *error)
{
    reader->queue = reader->machine->queues[0];
    reader->ahead.scan = reader->places.scan;
    reader->head = malloc(CODEC_HEAD_BYTES + 1);
    return reader->head ? 0 : error_set(error, ERROR_MEMORY, "out of memory");
}

void reader_close(struct reader *reader)
{
    lookahead_close(&reader->ahead);
    resume_free(&reader->resume);
    free(reader->head);
    reader->head = NULL;
}

/* FNV-1a (Fowler, Noll, Vo): a number that stands for the item's name. */
static uint64_t number_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return hash;
}

/* When a span that is to be traced begins. */
static uint64_t begin(const struct reader *reader)
{
    return reader->machine->rings ? clock_ns() : 0;
}

/* Ends it. `item` NULL, `slot` NULL: not known, not had. */
static void note(const struct reader *reader, enum trace_kind kind, const struct item *item,
                 const uint32_t *slot, uint64_t begin_ns)
{
    if (!reader->machine->rings)
        return;
    struct trace_record record = {
        .begin_ns = begin_ns,
        .end_ns = clock_ns(),
        .item = item ? number_of(item->rel) : 0,
        .slot = slot ? *slot : TRACE_NO_SLOT,
        .attempt = item ? item->spent + 1 : 0,
        .kind = (uint32_t)kind,
    };
    if (item)
        trace_label(record.label, item->shown);
    trace_ring_put(&reader->machine->rings[MACHINE_RING_READER(reader->machine)], &record);
}

/* Hands the slot to the first pool; waits while its queue is full. False: the run stopped first. */
static bool enqueue(struct reader *reader, uint32_t slot, uint64_t *seen)
{
    if (queue_announce(&reader->queue, slot, seen, SLOT_OWNER_READER) != QUEUE_OK)
        return false;
    uint64_t before = clock_ns();
    bool placed = false;
    while (!(placed = queue_place(&reader->queue, slot, *seen) == QUEUE_OK)) {
        if (ledger_stopped(reader->ledger) != STOP_NONE)
            break;
    }
    reader->blocked_ns += clock_ns() - before;
    note(reader, TRACE_QUEUE, NULL, &slot, before);
    return placed;
}

static void fail(struct reader *reader, struct item *item, const struct error *error)
{
    recover_blame(reader->ledger, item, error, reader->machine->job->settings.retries);
}

/* A slot for the item, and of the files that are fed a place. As admission_enter. */
static int enter(struct reader *reader, const struct arrival *arrival, uint64_t *seen, struct error *error)
{
    while (arrival->ticket.fed && !feeder_has_place(reader->feeder)) {
        if (!admission_wait(reader->admission))
            return error_set(error, ERROR_STAGE, "the run was stopped");
    }
    return admission_enter(reader->admission, &arrival->need, seen, error);
}

/* Takes an examined item in. Its fate is settled when this returns: queued, failed, or unfinished. */
static void bring_in(struct reader *reader, struct item *item, struct arrival *arrival)
{
    struct error error = {0};
    uint64_t seen;
    if (chain_need_total(&arrival->need) > ADMISSION_LARGE_BYTES || arrival->ticket.fed)
        arrival_foretell(arrival);
    uint64_t before = begin(reader);
    int entered = enter(reader, arrival, &seen, &error);
    if (entered < 0) {
        if (entered == ERROR_STAGE)
            ledger_unfinished(reader->ledger, item);
        else
            fail(reader, item, &error);
        return;
    }
    uint32_t index = (uint32_t)entered;
    note(reader, TRACE_ADMIT, item, &index, before);
    struct slot *slot = &reader->machine->slots[index];
    for (unsigned part = 0; part < SLOT_PARTS; part++)
        stall_spoil(machine_part(reader->machine, index, (enum slot_part)part), slot->have.part_bytes[part]);
    slot->ticket = arrival->ticket;
    slot->ticket.item = number_of(item->rel);
    slot->attempt = item->spent + 1;
    slot->asked = arrival->need;
    slot->small = arrival->need.part_bytes[SLOT_BUFFER_1] <= SMALL_PIXELS_BYTES;
    if (reader->machine->rings)
        trace_label(reader->machine->labels[index], item->shown);
    before = clock_ns();
    int code = arrival_read(arrival, machine_part(reader->machine, index, SLOT_BUFFER_0), &error);
    if (code == 0)
        code = arrival_read_reference(arrival, machine_part(reader->machine, index, SLOT_REFERENCE), &error);
    admission_handled(reader->admission, index, clock_ns() - before);
    note(reader, TRACE_READ, item, &index, before);
    if (code < 0) {
        admission_leave(reader->admission, index, seen);
        fail(reader, item, &error);
        return;
    }
    if (arrival->ticket.fed) {
        feeder_add(reader->feeder, index, arrival->fd, arrival->ticket.file_bytes, arrival->head_bytes);
        arrival->fd = -1;
    }
    ledger_seat(reader->ledger, index, item);
    stall(STALL_SEATED);
    if (!enqueue(reader, index, &seen)) {
        /* Not in a cell, so nobody else can have claimed it. */
        ledger_unfinished(reader->ledger, ledger_unseat(reader->ledger, index));
        admission_leave(reader->admission, index, seen);
    }
}

/* What was opened ahead of an item that was listed just now. */
static void take_ahead(struct reader *reader, struct arrival *arrival)
{
    struct ahead_file file;
    lookahead_take(&reader->ahead, &file);
    if (file.fd < 0)
        return;
    arrival->fd = file.fd;
    arrival->st = file.st;
    arrival->head = file.head;
    arrival->head_bytes = file.head_bytes;
}

static void leave(struct reader *reader, struct arrival *arrival)
{
    lookahead_close_file(&reader->ahead, arrival->fd);
    arrival->fd = -1;
    arrival_close(arrival);
}

static void read_item(struct reader *reader, struct item *item)
{
    const bool among_few =
        lookahead_exhausted(&reader->ahead) && reader->items < reader->machine->worker_count;
    struct arrival arrival = {
        .fd = -1, .reference_fd = -1, .among_few = among_few, .head = reader->head, .found = item->need};
    struct error error = {0};
    const uint64_t before = clock_ns();
    lookahead_begins(&reader->ahead);
    if (reader->just_listed)
        take_ahead(reader, &arrival);
    int code = arrival_open(&arrival, &reader->places, item->root, item->path, &error);
    item->device = arrival.st.st_dev;
    item->inode = arrival.st.st_ino;
    item->size_bytes = (uint64_t)arrival.st.st_size;
    item->mtime_ns = journal_mtime_ns(&arrival.st);
    const bool first = item->spent == 0 && item->rounds == 0;
    if (code == 0 && first && resume_settle(&reader->resume, reader->ledger, item, &arrival.st)) {
        lookahead_took(&reader->ahead, clock_ns() - before, false);
        leave(reader, &arrival);
        return;
    }
    arrival.may_feed =
        reader->feeder && item->size_bytes >= FEED_LEAST_BYTES && feeder_begins(reader->feeder);
    arrival.rather_whole = arrival.may_feed && !feeder_has_place(reader->feeder);
    if (code == 0)
        code = arrival_examine(&arrival, reader->machine->job, &reader->machine->limits, &reader->places,
                               item->path, item->rel, &error);
    lookahead_took(&reader->ahead, clock_ns() - before, true);
    note(reader, TRACE_OPEN, item, NULL, before);
    if (code == 0)
        code = chain_need_check(&arrival.need, reader->machine->job->settings.memory_bytes, &error);
    if (code < 0)
        fail(reader, item, &error);
    else
        bring_in(reader, item, &arrival);
    leave(reader, &arrival);
}

/* A listed file becomes an item, unless its output's name cannot be or is spoken for. */
static struct item *found(struct reader *reader, const struct scan_entry *entry)
{
    struct error error = {0};
    struct item *item = NULL;
    int code = outname_assign(&reader->names, entry->rel, &error);
    if (code == 0 && !(item = ledger_found(reader->ledger, entry)))
        code = error_set(&error, ERROR_MEMORY, "out of memory");
    reader->items += item != NULL;
    if (code < 0)
        ledger_fail_entry(reader->ledger, entry, &error);
    return item;
}

/* The next item to read: one that has to go round again before a new one. NULL: there is none left. */
static struct item *next_item(struct reader *reader)
{
    for (;;) {
        struct item *item = ledger_again(reader->ledger, reader->listing_done);
        reader->just_listed = !item;
        if (item)
            note(reader, TRACE_RETRY, item, NULL, begin(reader));
        if (item || reader->listing_done || ledger_stopped(reader->ledger) != STOP_NONE)
            return item;
        struct scan_entry entry;
        uint64_t before = clock_ns();
        if (!lookahead_ready(&reader->ahead, LISTING_NAP_MS)) {
            reader->listing_ns += clock_ns() - before;
            continue;
        }
        reader->listing_done = lookahead_next(&reader->ahead, &entry) == 0;
        reader->listing_ns += clock_ns() - before;
        note(reader, TRACE_LIST, NULL, NULL, before);
        if (reader->listing_done) {
            atomic_store(&reader->machine->all_listed, true);
            continue;
        }
        if (entry.kind == SCAN_FILE && (item = found(reader, &entry)))
            return item;
        if (entry.kind == SCAN_NOTE)
            ledger_note(reader->ledger, entry.shown, entry.reason.reason);
        else if (entry.kind == SCAN_HINT)
            ledger_hint(reader->ledger, entry.shown, entry.reason.reason);
        else if (entry.kind == SCAN_ERROR)
            ledger_fail_entry(reader->ledger, &entry, &entry.reason);
    }
}

bool reader_step(struct reader *reader)
{
    struct item *item = next_item(reader);
    if (!item) {
        lookahead_close(&reader->ahead); /* by the thread that used it */
        return false;
    }
    uint64_t before = clock_ns();
    read_item(reader, item);
    reader->reading_ns += clock_ns() - before;
    return true;
}

void *reader_run(void *context)
{
    struct reader *reader = context;
    batch_class_enter();
    while (reader_step(reader))
        ;
    ledger_finish(reader->ledger);
    return NULL;
}
