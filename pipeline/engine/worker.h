/* SPDX-License-Identifier: MIT */
/* What a worker does: take slots from its pool's queue, run the pool's steps on them, hand them on. It opens
 * no file and takes no lock. */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include "pipeline/shared/machine.h"

/* How a worker ends of its own accord, as an exit code. Anything else is a death. */
enum worker_end {
    WORKER_FINISHED = 0,  /* its queue was closed: no successor wanted */
    WORKER_RECYCLED = 10, /* it did its share of items: a successor, please */
    WORKER_NO_MEMORY = 11,
    WORKER_LOST_SLOT = 12, /* a slot changed under its hands */
};

/* Runs until the queue closes. `machine` is a struct machine; for fork_server_start. */
int worker_run(void *machine, uint32_t worker);

#endif
