/* SPDX-License-Identifier: MIT */
/* A stage whose work is done by a command: how the item is handed over and taken back. */
#ifndef PIPELINE_CHAIN_EXEC_H
#define PIPELINE_CHAIN_EXEC_H

#include "pipeline/engine/chain_work.h"

struct chain_exchange {
    const struct codec *codec; /* NULL: bare samples */
    size_t bytes;              /* the most that goes out; what comes back is expected to be no more */
    size_t scratch_bytes;
};

/* How an item of this shape is exchanged. ERROR_UNSUPPORTED where it cannot be. */
int chain_exchange_plan(const struct job_stage *stage, const struct shape *shape,
                        struct chain_exchange *exchange, struct error *error);

/* The buffers beside `current` and `kept`: what goes out, and at the end the samples, are in *aside; what
 * comes back is in *back, which is `current` where that need not be kept. */
void chain_exchange_buffers(const struct job *job, unsigned current, unsigned kept, unsigned *aside,
                            unsigned *back);

/* Runs it. ERROR_STAGE where the command fails, with what it said; ERROR_ROOM, and what a codec finds wrong.
 */
int chain_run_command(struct chain_work *work, unsigned stage, struct error *error);

#endif
