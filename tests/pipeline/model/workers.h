/* SPDX-License-Identifier: MIT */
/* What the model's workers do; and what of the model they see. */
#ifndef TESTS_MODEL_WORKERS_H
#define TESTS_MODEL_WORKERS_H

#include "protocol.h"

extern struct plan plan;

struct queue *queue(void);
_Atomic uint64_t *cells(void);
unsigned owner_of(int actor);

/* Has every item its result? */
bool all_done(void);

/* Something is wrong; the first such thing is kept. */
void blame(enum fault fault);

/* Hands on what the plan gave it. */
void produce(int actor);

/* Takes items and works on them until all are done. */
void consume(int actor);

#endif
