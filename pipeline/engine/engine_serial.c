/* SPDX-License-Identifier: MIT */
/* One item at a time, read, worked on and written by one thread: the reference that the other engines must
 * equal, and what their speed-up is counted from. */
#include "pipeline/engine/engine.h"
#include "pipeline/engine/thread_crew.h"
#include "pipeline/engine/worker.h"

static int serial_body(struct crew *crew, uint32_t place)
{
    const struct machine *machine = thread_crew_machine(crew);
    const struct engine_turns *turns = thread_crew_turns(crew);
    struct worker *worker = worker_open(machine, place);
    if (!worker)
        return WORKER_NO_MEMORY;
    while (turns->read(turns->context)) {
        /* An item that could not be read has its result already, and nothing is queued. */
        if (queue_fill(&machine->queues[0]) > 0)
            worker_step(worker);
        turns->write(turns->context);
    }
    worker_close(worker);
    return WORKER_FINISHED;
}

static int serial_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                       struct error *error)
{
    return thread_crew_open(crew, machine, turns, serial_body, error);
}

const struct engine engine_serial = {
    .name = "serial",
    .summary = "one item at a time in one thread: the reference",
    .one_pool = true,
    .one_worker = true,
    .turns = true,
    .open = serial_open,
    .start = thread_crew_start,
    .kill = thread_crew_kill,
    .descriptor = thread_crew_descriptor,
    .next = thread_crew_next,
    .close = thread_crew_close,
};
