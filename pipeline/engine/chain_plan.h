/* SPDX-License-Identifier: MIT */
/* What an item will take on its way through the chain, from its shape alone. In the main process before it
 * may start, and in a worker where a header could not say. */
#ifndef PIPELINE_CHAIN_PLAN_H
#define PIPELINE_CHAIN_PLAN_H

#include "pipeline/config/job.h"
#include "pipeline/shared/arena.h"
#include "pipeline/shared/slot.h"

/* How steps are numbered: decode 0, stage i 1 + i, encode of output i behind the last stage. */
unsigned chain_steps(const struct job *job);

/* The steps [*first, *last) that a pool does. What is behind the trunk is the last pool's. */
void chain_pool_steps(const struct job *job, unsigned pool, unsigned *first, unsigned *last);

/* "decode", "resize", ..., "encode". */
const char *chain_step_name(const struct job *job, unsigned step);

/* Files of arrays leave this much before the samples, so that an encoder can put its header there. */
#define CHAIN_HEADROOM ((size_t)512)

/* Where the samples of a shape begin in a buffer. */
size_t chain_samples_at(const struct shape *shape);

/* A buffer that is neither `current` nor `kept` (SLOT_BUFFERS: none is); where no item of the job branches
 * there are two. */
unsigned chain_other_buffer(const struct job *job, unsigned current, unsigned kept);

/* Plans the whole chain for an item whose header said `info`. Sizes that do not fit in size_t are SIZE_MAX.
 * Errors name the step. */
int chain_plan(const struct job *job, const struct slot_ticket *ticket, const struct codec_info *info,
               struct slot_need *need, struct error *error);

/* The most metadata that decoding an item leaves, by what its header said. */
size_t chain_meta_bytes(const struct slot_ticket *ticket, const struct codec_info *info);

/* A first guess where nothing is known of an item but that it unpacks to about `unpacked_bytes`. */
void chain_guess(const struct job *job, const struct slot_ticket *ticket, uint64_t unpacked_bytes,
                 struct slot_need *need);

/* Where on its way an item is. */
struct chain_position {
    unsigned stage;   /* the next one */
    int output;       /* whose chain that stage is in; CHAIN_TRUNK: that of all */
    unsigned current; /* the buffer the item is in */
    unsigned kept;    /* a buffer not to be written; SLOT_BUFFERS: none */
};
#define CHAIN_TRUNK (-1)

/* Plans what follows for an item of this shape, in the trunk with all outputs, in an output's chain to the
 * end of that. Adds to *need. */
int chain_plan_rest(const struct job *job, const struct slot_ticket *ticket,
                    const struct chain_position *position, const struct shape *shape, size_t meta_bytes,
                    struct slot_need *need, struct error *error);

/* Plans decoding a file that lies in buffer `current`. Adds to *need. */
void chain_plan_decode(const struct codec_info *info, unsigned current, struct slot_need *need);

/* Plans decoding a file in buffer `current`, and all that follows. Adds to *need. */
int chain_plan_all(const struct job *job, const struct slot_ticket *ticket, const struct codec_info *info,
                   unsigned current, struct slot_need *need, struct error *error);

/* Is the stage left out, for an item with this ticket that comes to it with this shape? */
bool chain_leaves_out(const struct job *job, const struct slot_ticket *ticket, unsigned stage,
                      const struct shape *shape);

/* How much smaller an image of this shape may be decoded; see codec_decode.shrink. */
unsigned chain_shrink(const struct job *job, const struct slot_ticket *ticket, const struct shape *shape,
                      unsigned most);

/* Does a need fit into what there is? */
bool chain_fits(const struct slot_need *need, const struct slot_need *have);

/* Raises *need to *other wherever that is more. */
void chain_need_raise(struct slot_need *need, const struct slot_need *other);

/* As large as pages may be: whether an item fits must not depend on the machine. */
#define CHAIN_COUNTED_BYTES 65536u
_Static_assert(CHAIN_COUNTED_BYTES % ARENA_GRAIN_BYTES == 0, "what is committed is counted");

/* All of it together, each part in whole pieces of CHAIN_COUNTED_BYTES: no less than the small pages that are
 * committed for it. SIZE_MAX where it does not fit. */
size_t chain_need_total(const struct slot_need *need);

/* Could an item with this need ever come in? ERROR_LIMIT, with need, budget and setting in the text. */
int chain_need_check(const struct slot_need *need, uint64_t memory_bytes, struct error *error);

/* Puts the step's name into the error where there is one; returns `code`. */
int chain_at_step(const struct job *job, unsigned step, int code, struct error *error);

#endif
