/* SPDX-License-Identifier: MIT */
/* The writer thread: takes slots from the last queue, checks what the workers claim, writes whole files, and
 * tells the ledger what became of each item. */
#ifndef PIPELINE_WRITER_H
#define PIPELINE_WRITER_H

#include "pipeline/files/outfile.h"
#include "pipeline/files/outname.h"
#include "pipeline/journal/journal.h"
#include "pipeline/journal/journal_outputs.h"
#include "pipeline/run/admission.h"
#include "pipeline/run/feeder.h"
#include "pipeline/run/gather.h"
#include "pipeline/run/ledger.h"
#include "pipeline/run/quarantine.h"
#include "pipeline/shared/machine.h"

struct writer {
    struct machine *machine;
    struct ledger *ledger;
    struct admission *admission;
    struct feeder *feeder; /* NULL: none */
    struct outfile *out;
    const struct outname_form *names; /* of each output of the job */
    struct gather *gather;            /* NULL: nothing is gathered */
    struct journal *journal;          /* NULL: none */
    struct quarantine *quarantine;    /* NULL: none */
    struct journal_outputs made;      /* of the item at hand */
    struct queue queue;               /* the last one; a copy */
    uint64_t since_ns;                /* when it began what it is doing; the caller sets it first */
    uint64_t busy_ns, starved_ns;     /* good when the thread has ended */
    uint64_t step_ns[SLOT_MAX_STEPS]; /* of all items done */
};

/* Writes what waits; waits no longer than a queue's nap. False: the queue is closed and empty. */
bool writer_step(struct writer *writer);

void writer_close(struct writer *writer);

/* The thread: returns when the queue is closed and empty. */
void *writer_run(void *writer);

#endif
