/* SPDX-License-Identifier: MIT */
#include "pipeline/run/sight.h"

#include <stdio.h>

#include "pipeline/engine/chain.h"
#include "pipeline/report/units.h"

bool sight_take(struct sight *sight, const struct machine *machine, struct ledger *ledger, uint32_t place)
{
    if (place >= machine->worker_count)
        return false;
    const struct worker_cell *cell = &machine->workers[place];
    const struct job *job = machine->job;
    uint32_t doing = atomic_load_explicit(&cell->doing, memory_order_relaxed);
    uint32_t slot = atomic_load_explicit(&cell->slot, memory_order_relaxed);
    uint32_t step = atomic_load_explicit(&cell->step, memory_order_relaxed);
    *sight = (struct sight){
        .place = place,
        .pool = job->pools[machine->worker_pool[place]].name,
        .task = atomic_load_explicit(&cell->task, memory_order_relaxed),
        .doing = doing <= WORKER_HELPING ? (enum worker_doing)doing : WORKER_ABSENT,
        .since_ns = atomic_load_explicit(&cell->since_ns, memory_order_relaxed),
        .step_since_ns = atomic_load_explicit(&cell->step_since_ns, memory_order_relaxed),
        .stage = chain_step_name(job, step < chain_steps(job) ? step : 0),
    };
    sight->running = sight->doing == WORKER_BUSY && slot < machine->slot_count &&
                     machine_worker_of(machine, slot) == place &&
                     ledger_look(ledger, slot, sight->item, sizeof sight->item, &sight->attempt);
    return true;
}

/* How long ago, by the word of a worker. */
static const char *ago(uint64_t since_ns, uint64_t now_ns, char *out)
{
    return units_duration(since_ns && since_ns < now_ns ? now_ns - since_ns : 0, out, UNITS_SIZE);
}

const char *sight_text(const struct sight *sight, const struct engine *engine, uint64_t now_ns, char *out,
                       size_t size)
{
    static const char *const states[] = {
        [WORKER_ABSENT] = "not at work",
        [WORKER_IDLE] = "waiting for an item",
        [WORKER_BUSY] = "between two items",
        [WORKER_BLOCKED] = "waiting for room in the next queue",
        [WORKER_HELPING] = "helping with the rows of another's item",
    };
    char whole[UNITS_SIZE], part[UNITS_SIZE], who[96], attempt[32] = "";
    int used = snprintf(who, sizeof who, "worker %u (pool %s", sight->place, sight->pool);
    if (sight->task)
        used += snprintf(who + used, sizeof who - (size_t)used, ", %s %d",
                         engine->can_kill ? "pid" : "thread", sight->task);
    snprintf(who + used, sizeof who - (size_t)used, ")");
    if (sight->attempt > 1)
        snprintf(attempt, sizeof attempt, ", attempt %u", sight->attempt);
    if (sight->running)
        snprintf(out, size, "%s: %s of %s for %s, the item for %s%s", who, sight->stage, sight->item,
                 ago(sight->step_since_ns, now_ns, part), ago(sight->since_ns, now_ns, whole), attempt);
    else if (sight->doing == WORKER_ABSENT)
        snprintf(out, size, "%s: %s", who, states[sight->doing]);
    else
        snprintf(out, size, "%s: %s for %s", who, states[sight->doing], ago(sight->since_ns, now_ns, whole));
    return out;
}
