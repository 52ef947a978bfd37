/* SPDX-License-Identifier: MIT */
/* One slot at work in this process, for the files of the chain alone. */
#ifndef PIPELINE_CHAIN_WORK_H
#define PIPELINE_CHAIN_WORK_H

#include "pipeline/engine/chain.h"

/* Everything that bounds the work is copied out of shared memory, so that it cannot change under it. */
struct chain_work {
    const struct machine *machine;
    struct slot *slot;
    struct slot_ticket ticket;
    uint32_t index;
    struct slot_need have;
    struct meta meta;
    struct record record;
    struct scratch *scratch;
    const struct chain_sharing *sharing;
    struct shape shape;
    unsigned current; /* the buffer the item is in, and where it begins there */
    size_t at;
    unsigned kept; /* a buffer not to be written; SLOT_BUFFERS: none */
    int output;    /* whose chain is at work; CHAIN_TRUNK: that of all */
    size_t length_bytes;
    size_t out_used; /* of OUT */
};

/* A part of the slot, and what begins in the current buffer. */
uint8_t *chain_part(const struct chain_work *work, enum slot_part part);
uint8_t *chain_current(const struct chain_work *work);

/* Keeps the first warning's text, and counts. */
void chain_warn(const struct chain_work *work, unsigned count, const char *text);

/* Unpacks and decodes. Where the shape was not known before, plans anew. ERROR_ROOM and others. */
int chain_decode(struct chain_work *work, struct error *error);

/* The decoder's task for the file in the current buffer, without a place for its samples. */
struct codec_decode chain_decode_task(struct chain_work *work);

/* Decodes and runs the stages that the ticket says over bands of rows. *since_ns becomes the time of its end;
 * slot->step is the step that failed, if one did. */
int chain_run_banded(struct chain_work *work, uint64_t *since_ns, struct error *error);

/* Plans the stages from number `stage` on for the shape that there is. ERROR_ROOM, with slot->need filled,
 * where that does not fit. */
int chain_plan_again(struct chain_work *work, unsigned stage, struct error *error);

/* The same before something is decoded into buffer `aside` that then goes on with stage `stage`. */
int chain_plan_decoding(struct chain_work *work, unsigned stage, const struct codec_info *info,
                        unsigned aside, struct error *error);

/* Asks for `bytes` of a buffer: ERROR_ROOM, or ERROR_LIMIT. */
int chain_ask_for_buffer(const struct chain_work *work, unsigned buffer, size_t bytes, struct error *error);

/* Where a file does not fit in `buffer` (`code` is ERROR_ROOM), and could come to `most_bytes`: asks for as
 * much. ERROR_INTERNAL where it has that. Any other code as it is. */
int chain_ask_for_file(const struct chain_work *work, unsigned buffer, size_t most_bytes, int code,
                       struct error *error);

/* Runs the stage with this number. */
int chain_run_stage(struct chain_work *work, unsigned stage, struct error *error);

/* Encodes what there is as this output, and puts it where the writer looks. */
int chain_encode(struct chain_work *work, unsigned output, struct error *error);

/* Leaves the samples for `aggregate`. */
int chain_leave_samples(struct chain_work *work, struct error *error);

#endif
