/* SPDX-License-Identifier: MIT */
/* What a worker does: take slots from its pool's queue, run the pool's steps on them, hand them on. It opens
 * no file and takes no lock. */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include "pipeline/engine/chain.h"
#include "pipeline/shared/machine.h"

/* How a worker ends of its own accord, as an exit code. Anything else is a death. */
enum worker_end {
    WORKER_GOES_ON = -1,
    WORKER_FINISHED = 0,  /* its queue was closed: no successor wanted */
    WORKER_RECYCLED = 10, /* it did its share of items: a successor, please */
    WORKER_NO_MEMORY = 11,
    WORKER_LOST_SLOT = 12,  /* a slot changed under its hands */
    WORKER_NO_SANDBOX = 13, /* it could not lock itself in */
};

/* One worker at work in this thread. */
struct worker;

/* Takes place `place` of the machine and reserves scratch. NULL: no memory. */
struct worker *worker_open(const struct machine *machine, uint32_t place);

/* From now on rows are shared in this way and not with idle workers of the pool; see chain.h. */
void worker_share_rows(struct worker *worker, struct chain_sharing sharing);

/* Takes what waits, at most a batch, and hands it on; waits no longer than a queue's nap. WORKER_GOES_ON, or
 * how it ended. */
enum worker_end worker_step(struct worker *worker);

/* Accepts NULL. */
void worker_close(struct worker *worker);

/* All of it, until the queue closes. `machine` is a struct machine; for fork_server_start. */
int worker_run(void *machine, uint32_t place);

#endif
