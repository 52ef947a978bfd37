/* SPDX-License-Identifier: MIT */
/* Giving back what a dead worker held. */
#ifndef PIPELINE_RECOVER_H
#define PIPELINE_RECOVER_H

#include "pipeline/run/admission.h"
#include "pipeline/run/ledger.h"
#include "pipeline/shared/machine.h"

/* Is an item in this worker's hands? */
bool recover_holds(const struct machine *machine, uint32_t worker);

/* Finds every slot of this dead worker by its word and gives its item back: one that was running goes round
 * again as long as `retries` allows, the last time alone, and fails with `cause` after that; one that was
 * only claimed, or done and not yet in a queue's cell, goes round again without blame. `cause` is ERROR_CRASH
 * or ERROR_TIMEOUT with its text. When `retry` is false (the run is stopping) items are left unfinished.
 * Returns whether an item was running. Supervisor only, after the worker was reaped. */
bool recover_worker(struct machine *machine, struct ledger *ledger, struct admission *admission,
                    uint32_t worker, const struct error *cause, bool retry);

#endif
