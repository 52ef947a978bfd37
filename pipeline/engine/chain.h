/* SPDX-License-Identifier: MIT */
/* The chain of steps that every item goes through: decode, the stages in order, encode. Planned in the main
 * process from a header, run in workers on a slot. */
#ifndef PIPELINE_CHAIN_H
#define PIPELINE_CHAIN_H

#include "pipeline/shared/machine.h"

/* What an item needs before it may start, in bytes. */
struct chain_need {
    size_t buffer_bytes[2];
    size_t meta_bytes;
    size_t scratch_bytes;
};

/* Plans the whole chain for a file of `file_bytes` whose header said `info`. Sizes that do not fit in size_t
 * are SIZE_MAX. Errors name the step. */
int chain_plan(const struct job *job, const struct codec *out, const struct codec_info *info,
               size_t file_bytes, struct chain_need *need, struct error *error);

/* All of it together, as it is committed; SIZE_MAX where it does not fit. */
size_t chain_need_total(const struct chain_need *need);

/* Could an item with this need ever come in? ERROR_LIMIT, with need, budget and setting in the text. */
int chain_need_check(const struct chain_need *need, uint64_t memory_bytes, struct error *error);

/* How many steps a job has: 2 + its stages. */
unsigned chain_steps(const struct job *job);

/* The steps [*first, *last) that a pool does. */
void chain_pool_steps(const struct job *job, unsigned pool, unsigned *first, unsigned *last);

/* "decode", "resize", ..., "encode". */
const char *chain_step_name(const struct job *job, unsigned step);

/* One stage at work on one slot, for those who share its rows. */
struct chain_rows {
    uint32_t slot;
    unsigned step;
    uint8_t source, target; /* buffers of the slot */
    const struct stage *stage;
    struct stage_plan plan;
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
 * slot->error, and returned. */
int chain_run(const struct machine *machine, uint32_t slot, unsigned first, unsigned last,
              struct scratch *scratch, const struct chain_sharing *sharing);

#endif
