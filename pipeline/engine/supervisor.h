/* SPDX-License-Identifier: MIT */
/* The supervisor: the main thread's loop while a run lasts. It starts workers, learns of their deaths, gives
 * back what the dead held, replaces them, ends those that overstay, and shuts the run down in order. It takes
 * nothing that a worker can hold. */
#ifndef PIPELINE_SUPERVISOR_H
#define PIPELINE_SUPERVISOR_H

#include "pipeline/engine/engine.h"
#include "pipeline/run/admission.h"
#include "pipeline/run/ledger.h"
#include "pipeline/shared/machine.h"

struct supervised;

/* What happens, as it happens. */
enum supervisor_news {
    SUPERVISOR_STARTED,  /* a worker was asked for */
    SUPERVISOR_DIED,     /* one died, of `cause`; it still holds what it held */
    SUPERVISOR_RECYCLED, /* one did its share of items and left */
    SUPERVISOR_SLOW,     /* one has held an item for most of `timeout`; once for each stay */
    SUPERVISOR_ASKED,    /* SIGUSR1 came: somebody wants to know; no place, no cause */
};

struct supervisor {
    struct machine *machine;
    struct ledger *ledger;
    struct admission *admission;
    const struct engine *engine;
    struct crew *crew;
    uint32_t places;             /* members of the crew */
    int signal_fd;               /* SIGINT, SIGTERM, SIGHUP, SIGUSR1 */
    int stop_fd;                 /* an eventfd that ends the reader's wait for standard input */
    void (*tick)(void *context); /* called about ten times a second */
    /* May be NULL. */
    void (*tell)(void *context, enum supervisor_news news, uint32_t place, const struct error *cause);
    void *context;    /* of both */
    unsigned tick_ms; /* 0: 100 */

    int signal;                     /* the first that came, or 0 */
    uint64_t deaths[JOB_MAX_POOLS]; /* workers that died, not counting recycled ones */
    uint64_t recycled[JOB_MAX_POOLS];
    uint64_t overstays;         /* items past their timeout in a crew whose members cannot be killed */
    bool abandoned;             /* such members would not end: the process has to */
    bool crew_lost;             /* nobody is left to start or to hear of */
    struct supervised *workers; /* NULL: not begun, or over */
};

/* Starts every worker ahead of supervisor_run, which is still due or supervisor_drop; of an engine that is
 * `apart`, before there are threads. Needs the fields up to `places` but ledger and admission. ERROR_MEMORY.
 */
int supervisor_begin(struct supervisor *supervisor, struct error *error);

/* Where supervisor_run will not be called. The crew is still to be closed. Accepts what never began. */
void supervisor_drop(struct supervisor *supervisor);

/* Starts every worker that was not, and returns when all have ended: because the ledger is finished, or the
 * run was stopped and the items in hand are done or `grace` is over. The writer's queue is closed then.
 * Afterwards ledger->stop says why. The caller sets the fields up to tick_ms. ERROR_MEMORY. */
int supervisor_run(struct supervisor *supervisor, struct error *error);

#endif
