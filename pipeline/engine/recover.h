/* SPDX-License-Identifier: MIT */
/* What becomes of an item whose attempt came to nothing, and giving back what a dead worker held. */
#ifndef PIPELINE_RECOVER_H
#define PIPELINE_RECOVER_H

#include "pipeline/run/admission.h"
#include "pipeline/run/ledger.h"
#include "pipeline/shared/machine.h"

/* Takes an item whose attempt failed of `cause`: after a crash, or trouble with a file that may pass
 * (ERROR_PASSING), it goes round again, up to `retries` times, the last time alone; else it has failed. */
void recover_blame(struct ledger *ledger, struct item *item, const struct error *cause, int64_t retries);

/* Is an item in this worker's hands? */
bool recover_holds(const struct machine *machine, uint32_t worker);

/* Finds every slot of this dead worker by its word and gives its item back: one that was running is
 * blamed for `cause`; one that was only claimed, or done and not yet in a queue's cell, goes round again
 * without blame. `cause` is ERROR_CRASH, ERROR_TIMEOUT or ERROR_SANDBOX with its text. When `retry` is false
 * (the run is stopping) items are left unfinished. Returns whether an item was running. Supervisor only,
 * after the worker was reaped. */
bool recover_worker(struct machine *machine, struct ledger *ledger, struct admission *admission,
                    uint32_t worker, const struct error *cause, bool retry);

#endif
