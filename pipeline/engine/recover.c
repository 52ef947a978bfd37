/* SPDX-License-Identifier: MIT */
#include "pipeline/engine/recover.h"

#include <stdio.h>

#include "pipeline/engine/chain.h"
#include "pipeline/shared/stall.h"

/* What was the matter may be gone next time; all else would only happen again. */
static bool passes(int code)
{
    return code == ERROR_CRASH || code == ERROR_PASSING;
}

void recover_blame(struct ledger *ledger, struct item *item, const struct error *cause, int64_t retries)
{
    struct error error = *cause;
    item->spent++;
    if (passes(cause->code) && item->spent <= retries) {
        ledger_retry(ledger, item, item->spent == retries);
        return;
    }
    if (passes(cause->code) && item->spent > 1)
        snprintf(error.reason, sizeof error.reason, "%.160s, in each of %u attempts", cause->reason,
                 item->spent);
    ledger_failed(ledger, item, &error);
}

static void blame_step(const struct machine *machine, struct ledger *ledger, struct item *item, unsigned step,
                       const struct error *cause)
{
    struct error error = *cause;
    if (step < chain_steps(machine->job))
        snprintf(error.stage, sizeof error.stage, "%s", chain_step_name(machine->job, step));
    recover_blame(ledger, item, &error, machine->job->settings.retries);
}

bool recover_holds(const struct machine *machine, uint32_t worker)
{
    for (uint32_t i = 0; i < machine->slot_count; i++) {
        if (machine_worker_of(machine, i) == worker)
            return true;
    }
    return false;
}

bool recover_worker(struct machine *machine, struct ledger *ledger, struct admission *admission,
                    uint32_t worker, const struct error *cause, bool retry)
{
    bool was_running = false;
    for (uint32_t i = 0; i < machine->slot_count; i++) {
        uint64_t seen = atomic_load_explicit(&machine->words[i], memory_order_acquire);
        struct slot_view view = slot_unpack(seen);
        if (view.owner != SLOT_OWNER_WORKER + worker || view.state == SLOT_FREE)
            continue;
        if (view.state == SLOT_QUEUED && view.queue <= machine->job->pool_count &&
            queue_holds(&machine->queues[view.queue], i, seen))
            continue; /* it arrived before its bearer died */
        stall(STALL_RECOVER);
        if (!slot_move(&machine->words[i], &seen, SLOT_FILLING, 0, SLOT_OWNER_SUPERVISOR))
            continue; /* a consumer was faster */
        unsigned step = machine->slots[i].step;
        struct item *item = ledger_unseat(ledger, i);
        if (!item) /* a slot that holds nothing: only a process that lies can bring this about */
            continue;
        admission_leave(admission, i, seen);
        stall(STALL_RECOVERED);
        if (!retry) {
            ledger_unfinished(ledger, item);
        } else if (view.state == SLOT_RUNNING) {
            was_running = true;
            blame_step(machine, ledger, item, step, cause);
        } else {
            ledger_retry(ledger, item, false);
        }
    }
    return was_running;
}
