/* SPDX-License-Identifier: MIT */
/* What lies beside a slot's word, in shared memory: the description of the item in the slot's buffers. */
#ifndef PIPELINE_SLOT_H
#define PIPELINE_SLOT_H

#include "pipeline/shared/slot_word.h"
#include "stages/stage.h"

/* Steps of an item: decode, the stages of the job in order, encode. */
#define SLOT_MAX_STEPS 66

/* The first part is written by the reader before the slot is first queued and
 * then only read. The second is written by whichever process owns the slot, so what the main process finds
 * there is a claim to be checked, not a fact. The pixels are in the slot's two buffers, see machine.h. */
struct slot {
    uint64_t item;               /* made of the item's name; see stage_run.item */
    uint32_t attempt;            /* 1 the first time */
    uint8_t codec_in, codec_out; /* indexes into codec_all() */
    bool small;                  /* may travel in a batch */
    uint64_t file_bytes;         /* of the input, in buffer 0 */
    uint64_t buffer_bytes[2];    /* committed for this item */
    uint64_t meta_bytes;
    uint64_t scratch_bytes;

    uint8_t current;    /* which buffer holds the item now */
    uint32_t step;      /* the step at work, or the last one */
    struct shape shape; /* of the pixels, between decode and encode */
    uint64_t meta_used;
    uint64_t length_bytes; /* of the encoded output */
    uint64_t pixels_in;    /* decoded */
    uint64_t step_ns[SLOT_MAX_STEPS];
    uint32_t warnings;
    char warning[160];
    struct error error; /* code 0: the item is sound so far */
};

#endif
