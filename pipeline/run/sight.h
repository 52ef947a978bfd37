/* SPDX-License-Identifier: MIT */
/* What a worker is doing at this moment, as far as it can be seen from the main process. */
#ifndef PIPELINE_SIGHT_H
#define PIPELINE_SIGHT_H

#include "pipeline/engine/engine.h"
#include "pipeline/run/ledger.h"
#include "pipeline/shared/machine.h"

struct sight {
    uint32_t place;
    const char *pool;
    int32_t task;            /* the kernel's number for it; 0: never started */
    enum worker_doing doing; /* its own word */
    uint64_t since_ns;       /* the same; by clock_ns */

    /* Only when `running`: an item is in its hands, by the slot's word and by the ledger. */
    bool running;
    char item[512];
    uint32_t attempt;
    const char *stage;
    uint64_t step_since_ns;
};

/* False: no such worker. */
bool sight_take(struct sight *sight, const struct machine *machine, struct ledger *ledger, uint32_t place);

/* A line about it, raw bytes. Returns `out`. */
const char *sight_text(const struct sight *sight, const struct engine *engine, uint64_t now_ns, char *out,
                       size_t size);

#endif
