/* SPDX-License-Identifier: MIT */
/* The reader thread: lists inputs, looks at each one's header, waits until it may come in, reads its bytes
 * into a slot, and queues it. It decodes nothing. What cannot be read, or may not come in, fails here. */
#ifndef PIPELINE_READER_H
#define PIPELINE_READER_H

#include "pipeline/files/outname.h"
#include "pipeline/run/admission.h"
#include "pipeline/run/arrival.h"
#include "pipeline/run/feeder.h"
#include "pipeline/run/ledger.h"
#include "pipeline/run/lookahead.h"
#include "pipeline/run/resume.h"
#include "pipeline/shared/machine.h"

struct reader {
    struct machine *machine;
    struct ledger *ledger;
    struct admission *admission;
    struct arrival_places places;
    struct feeder *feeder;  /* NULL: every file is read whole */
    struct lookahead ahead; /* its `most` and `ring` are the caller's to set */
    struct outname_rule names;
    struct resume resume;
    struct queue queue; /* the first pool's; a copy */
    bool listing_done;
    bool just_listed;    /* the item at hand: it does not go round again */
    uint64_t items;      /* found */
    uint8_t *head;       /* CODEC_HEAD_BYTES of the file at hand */
    uint64_t blocked_ns; /* the queue was full; this and the next are good when the thread has ended */
    uint64_t listing_ns; /* waiting for the next name */
    uint64_t reading_ns; /* opening, looking at headers, reading; waits for admission included */
};

/* Fills in `queue`, `head` and `ahead`; the rest is the caller's to set before. ERROR_MEMORY. */
int reader_open(struct reader *reader, struct error *error);
void reader_close(struct reader *reader);

/* Brings in one item, or fails it. Waits while there is none but some may have to go round again. False:
 * every item has its result, or the run stops. */
bool reader_step(struct reader *reader);

/* The thread: all steps, then ledger_finish. */
void *reader_run(void *reader);

#endif
