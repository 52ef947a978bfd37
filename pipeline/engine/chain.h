/* SPDX-License-Identifier: MIT */
/* The chain of steps that every item goes through: decode, the stages in order, encode; run in workers on a
 * slot. */
#ifndef PIPELINE_CHAIN_H
#define PIPELINE_CHAIN_H

#include "pipeline/engine/chain_plan.h"
#include "pipeline/shared/machine.h"

/* One stage at work on one slot, for those who share its rows. */
struct chain_rows {
    uint32_t slot;
    unsigned step;
    uint8_t source, target; /* buffers of the slot */
    const struct stage *stage;
    struct stage_plan plan;
    struct stage_reference reference;
    struct record record;
    struct stage_run run; /* begin has not run */
};

/* A way to share the rows of one image; see team.h and rows.h. */
struct chain_sharing {
    void *context;
    bool apart; /* never in place: a range may have to be done a second time */
    /* Asked before each stage that can be shared: is it worth it now? */
    bool (*wanted)(void *context, const struct chain_rows *rows);
    /* Does begin and all rows. */
    int (*work)(void *context, struct chain_rows *rows, struct scratch *scratch, struct error *error);
};

/* A helper's view of a stage that another worker has offered: checked, with this process's addresses, and the
 * scratch cut to what was planned. The caller's joining keeps the slot as it is meanwhile. ERROR_INTERNAL. */
int chain_join(const struct machine *machine, uint32_t slot, unsigned step, unsigned source, unsigned target,
               struct chain_rows *rows, struct scratch *scratch, struct error *error);

/* Runs the steps [first, last) on a slot that the caller owns. Trusts nothing in the slot that another
 * worker wrote. With `sharing` (NULL: none) stages that can are shared by rows. On failure the error is in
 * slot->error, and returned. ERROR_ROOM: the item takes more
 * than was known when it came in; slot->need says how much. */
int chain_run(const struct machine *machine, uint32_t slot, unsigned first, unsigned last,
              struct scratch *scratch, const struct chain_sharing *sharing);

#endif
