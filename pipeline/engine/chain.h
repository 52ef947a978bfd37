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

/* Could an item with this need ever come in? ERROR_LIMIT, with need, budget and setting in the text. */
int chain_need_check(const struct chain_need *need, uint64_t memory_bytes, struct error *error);

/* How many steps a job has: 2 + its stages. */
unsigned chain_steps(const struct job *job);

/* The steps [*first, *last) that a pool does. */
void chain_pool_steps(const struct job *job, unsigned pool, unsigned *first, unsigned *last);

/* "decode", "resize", ..., "encode". */
const char *chain_step_name(const struct job *job, unsigned step);

/* Several threads that share the rows of one image. */
struct chain_team {
    unsigned members;
    /* Calls work(context, member, index) once for each index below `count`, members in parallel, and returns
     * when all calls have. */
    void (*share)(void (*work)(void *context, unsigned member, unsigned index), void *context,
                  unsigned members, unsigned count);
};

/* Runs the steps [first, last) on a slot that the caller owns. Trusts nothing in the slot that another
 * worker wrote. With a `team` (NULL: none) stages that can are shared by rows. On failure the error is in
 * slot->error, and returned. */
int chain_run(const struct machine *machine, uint32_t slot, unsigned first, unsigned last,
              struct scratch *scratch, const struct chain_team *team);

#endif
