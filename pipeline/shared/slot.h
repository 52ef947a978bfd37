/* SPDX-License-Identifier: MIT */
/* What lies beside a slot's word, in shared memory: the description of the item in the slot's buffers. */
#ifndef PIPELINE_SLOT_H
#define PIPELINE_SLOT_H

#include <stddef.h>
#include <string.h>

#include "pipeline/shared/feed.h"
#include "pipeline/shared/slot_word.h"
#include "stages/stage.h"

/* Most outputs of one item, and most steps: decode, the stages of the job, an encode for each output. */
#define SLOT_MAX_OUTPUTS 16
#define SLOT_MAX_STEPS   (1 + 64 + SLOT_MAX_OUTPUTS)

/* The parts of a slot's memory. An item that makes one file needs two buffers, to be read and written in
 * turn. BUFFER_2 keeps what several outputs start from, OUT holds more than one file (see pieces.h), RECORD
 * what stages have to tell, REFERENCE the file that belongs to the item elsewhere. */
enum slot_part {
    SLOT_BUFFER_0,
    SLOT_BUFFER_1,
    SLOT_BUFFER_2,
    SLOT_OUT,
    SLOT_META,
    SLOT_RECORD,
    SLOT_REFERENCE,
    SLOT_PARTS
};
#define SLOT_BUFFERS 3

/* What an item takes, in bytes; SIZE_MAX: more than can be said. */
struct slot_need {
    size_t part_bytes[SLOT_PARTS];
    size_t scratch_bytes;
};

/* How an item is to be taken: found out at the door, the same on every attempt. */
struct slot_ticket {
    uint64_t item;       /* made of the item's name; see stage_run.item */
    uint64_t file_bytes; /* of the input, in buffer 0 */
    uint64_t raw_bytes;  /* of the samples that are decoded from it, as its head has them; 0: not known */
    uint64_t skipped;    /* bit i: `when` leaves stage i out, for the item's name or file size */
    uint8_t codec_in;    /* index into codec_all() */
    bool packed_in;      /* the file is gzip around that */
    bool late;           /* what is in it is not known from its head: a worker looks at all of it */
    uint8_t shrink;      /* see codec_decode.shrink */
    uint8_t banded;      /* so many stages are done over bands of rows as the file is decoded; 0: none is */
    bool streamed;       /* so are all, and encoding: the image is never there as a whole */
    bool fed;         /* nor is the file: buffer 0 is its ring, see feed.h. Only what is banded or streamed */
    uint32_t members; /* who may share its rows, each with scratch of its own; 0 and 1: nobody */
    uint8_t codec_out[SLOT_MAX_OUTPUTS];
    bool packed_out[SLOT_MAX_OUTPUTS]; /* tiles never are */
    uint8_t reference_codec;
    uint64_t reference_bytes; /* 0: there is none */
    struct codec_info reference;
};

/* The first part is written by the reader before the slot is first queued and
 * then only read. The second is written by whichever process owns the slot, so what the main process finds
 * there is a claim to be checked, not a fact. The samples are in the slot's parts, see machine.h. */
struct slot {
    struct slot_ticket ticket;
    uint32_t attempt;       /* 1 the first time */
    uint8_t small;          /* not 0: may travel in a batch */
    struct slot_need asked; /* planned for this item */
    struct slot_need have;  /* committed: at least that */

    uint8_t current;          /* which buffer holds the item now, or the file made of it */
    uint64_t at;              /* where in that buffer it begins */
    uint32_t step;            /* the step at work, or the last one */
    struct shape shape;       /* of the samples, between decode and encode */
    struct shape trunk_shape; /* of those that are left for `aggregate` */
    uint64_t meta_used;
    uint64_t record_used;
    uint64_t length_bytes; /* of the file made, or of the pieces in OUT */
    uint64_t pixels_in;    /* decoded */
    uint32_t warnings;
    struct feed_shared feed;

    /* From here on only what is said to count does: a slot is handed out for the next item thousands of times
     * a second, and of most items nobody looks at the texts. */
    uint64_t step_ns[SLOT_MAX_STEPS]; /* of the steps of the job */
    struct error error;    /* its code; the rest where that is not 0, which is a sound item so far */
    char warning[160];     /* with warnings */
    struct slot_need need; /* with ERROR_ROOM: what it takes as it turned out */
};

/* Everything that counts is 0, for a job of so many steps. */
static inline void slot_clear(struct slot *slot, unsigned steps)
{
    memset(slot, 0, offsetof(struct slot, step_ns) + steps * sizeof *slot->step_ns);
    slot->error.code = 0;
}

#endif
