/* SPDX-License-Identifier: MIT */
/* The worker loop in threads of one process: the same code as the processes run, where ThreadSanitizer can
 * see it, and a fair comparison. */
#include "pipeline/engine/batch_class.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/thread_crew.h"
#include "pipeline/engine/worker.h"

static int thread_body(struct crew *crew, uint32_t place)
{
    batch_class_enter();
    return worker_run(thread_crew_machine(crew), place);
}

static int thread_open(struct crew **crew, struct machine *machine, const struct engine_turns *turns,
                       struct error *error)
{
    return thread_crew_open(crew, machine, turns, thread_body, error);
}

const struct engine engine_thread = {
    .name = "thread",
    .summary = "workers are threads of one process; a crash ends the run",
    .open = thread_open,
    .start = thread_crew_start,
    .kill = thread_crew_kill,
    .descriptor = thread_crew_descriptor,
    .next = thread_crew_next,
    .close = thread_crew_close,
};
