/* SPDX-License-Identifier: MIT */
#include "pipeline/run/writer.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/engine/chain.h"
#include "pipeline/shared/clock.h"
#include "pipeline/shared/stall.h"

#define WRITER_BATCH 16u

/* What a worker left in shared memory, copied once and made safe to read. */
struct outcome {
    struct error error;
    const uint8_t *bytes;
    size_t length_bytes;
    uint64_t pixels_in;
    bool warned;
    char warning[200];
};

static int read_outcome(const struct machine *machine, uint32_t index, struct outcome *outcome)
{
    const struct slot *slot = &machine->slots[index];
    outcome->error = slot->error;
    outcome->error.stage[sizeof outcome->error.stage - 1] = '\0';
    outcome->error.reason[sizeof outcome->error.reason - 1] = '\0';
    if (outcome->error.code != 0)
        return outcome->error.code;
    unsigned current = slot->current;
    outcome->length_bytes = slot->length_bytes;
    outcome->pixels_in = slot->pixels_in;
    if (current > 1 || outcome->length_bytes == 0 || outcome->length_bytes > machine->buffer_bytes)
        return error_set(&outcome->error, ERROR_INTERNAL, "the worker handed back an impossible result");
    outcome->bytes = machine_buffer(machine, index, current);
    unsigned warnings = slot->warnings;
    outcome->warned = warnings > 0;
    if (warnings)
        snprintf(outcome->warning, sizeof outcome->warning, "%.159s%s", slot->warning,
                 warnings > 1 ? " (and more)" : "");
    return 0;
}

static void write_slot(struct writer *writer, uint32_t index, uint64_t seen)
{
    const struct machine *machine = writer->machine;
    struct item *item = ledger_unseat(writer->ledger, index);
    if (!item) /* only a process that lies about slots can bring this about */
        return;
    struct outcome outcome;
    uint64_t before = machine->rings ? clock_ns() : 0;
    enum ledger_stop stop = ledger_stopped(writer->ledger);
    int code = read_outcome(machine, index, &outcome);
    uint64_t bytes_in = machine->slots[index].file_bytes;
    struct stat input = {.st_dev = item->device, .st_ino = item->inode};
    if (code == 0 && stop != STOP_DISK_FULL)
        code = outfile_write(writer->out, item->rel, outcome.bytes, outcome.length_bytes, &input,
                             &outcome.error);
    if (code == 0) {
        for (unsigned step = 0; step < chain_steps(machine->job); step++)
            writer->step_ns[step] += machine->slots[index].step_ns[step];
    }
    if (machine->rings)
        machine_note(machine, MACHINE_RING_WRITER(machine), code == 0 ? TRACE_WRITE : TRACE_REFUSE, index, 0,
                     before, clock_ns());
    stall(STALL_WRITTEN);
    admission_leave(writer->admission, index, seen);
    if (code == ERROR_DISK_FULL || (code == 0 && stop == STOP_DISK_FULL)) {
        /* Not the item's fault: it is left for the next run. */
        ledger_stop_run(writer->ledger, STOP_DISK_FULL, &outcome.error);
        ledger_unfinished(writer->ledger, item);
    } else if (code < 0) {
        ledger_failed(writer->ledger, item, &outcome.error);
    } else {
        ledger_done(writer->ledger, item, bytes_in, outcome.length_bytes, outcome.pixels_in,
                    outcome.warned ? outcome.warning : NULL);
    }
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
    now = clock_ns();
    writer->busy_ns += now - writer->since_ns;
    writer->since_ns = now;
    return true;
}

void *writer_run(void *context)
{
    while (writer_step(context))
        ;
    return NULL;
}
