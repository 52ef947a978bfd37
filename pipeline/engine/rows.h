/* SPDX-License-Identifier: MIT */
/* Several workers on the rows of one image: what idle workers do while fewer items than workers remain. For
 * processes and threads alike; see board.h for who may touch what, and who may die when. */
#ifndef PIPELINE_ROWS_H
#define PIPELINE_ROWS_H

#include "pipeline/engine/chain.h"
#include "pipeline/shared/machine.h"

/* No more than this many workers share an image; scratch is planned for as many. */
#define ROWS_MOST_MEMBERS 8u

/* A worker's part in sharing. */
struct rows {
    const struct machine *machine;
    struct queue *in; /* of its pool: idle workers sleep there */
    uint32_t place;
    uint32_t pool_first, pool_last; /* places of its pool */
    void (*beat)(void *context);    /* called while waiting for helpers: the worker lives */
    void *beat_context;
};

/* As leader: for chain_run. `context` is the struct rows. */
struct chain_sharing rows_sharing(struct rows *rows);

/* As helper: joins one worker of the pool that offers rows, if any does, and works until none are left.
 * Returns whether it helped. `scratch` has the worker's limit as its size. */
bool rows_help(struct rows *rows, struct scratch *scratch);

/* Supervisor, after the worker in `place` was reaped: stops it from counting as a helper, closes its board,
 * and returns whether every helper has left it. Until then nothing of its item may be touched; ask again. */
bool rows_bury(const struct machine *machine, uint32_t place);

#endif
