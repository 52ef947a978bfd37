/* SPDX-License-Identifier: MIT */
/* Decoding and the first stages of a chain over bands of rows. The decoder gives rows to a window, a stage
 * takes what a few of its output rows need from there and puts them to the next window, and only what leaves
 * the last of these stages is there as a whole; or not even that, where the encoder takes rows as well. So
 * the image that a file holds is never in memory, nor on its way there and back. Windows are in the worker's
 * scratch; halos are kept in them from band to band. */
#ifndef PIPELINE_CHAIN_BANDS_H
#define PIPELINE_CHAIN_BANDS_H

#include "pipeline/config/job.h"
#include "pipeline/shared/slot.h"

/* A stage and the window that it reads from. */
struct chain_band_stage {
    unsigned stage;
    struct shape in;
    struct stage_plan plan;
    uint32_t window_rows;
};

struct chain_bands {
    const struct job *job;
    unsigned last;  /* stages [0, last) of the trunk are done so, those left out among them */
    unsigned count; /* of stages at work */
    struct chain_band_stage stages[JOB_MAX_STAGES];
    struct shape out;     /* what comes out of the last one */
    bool streamed;        /* to a window of a band, for an encoder */
    uint32_t band_rows;   /* of that, at a time */
    size_t scratch_bytes; /* of windows and stages, beside the decoder's */
};

/* How many of the first stages an item that is decoded to this shape would go through so, and whether
 * encoding too: sets ticket->banded and ->streamed. False where it is better taken as a whole. */
bool chain_bands_choose(const struct job *job, const struct codec_info *info, struct slot_ticket *ticket);

/* Fills *bands for an image of this shape, as the ticket says. Errors name the stage. ERROR_INTERNAL where
 * the stages cannot be done so. */
int chain_bands_plan(const struct job *job, const struct slot_ticket *ticket, const struct shape *shape,
                     struct chain_bands *bands, struct error *error);

/* Which rows of the image that a stage reads are in its window, and from which on they are new there. */
struct chain_window {
    uint32_t first, last, fresh;
};

/* What the windows must hold for output rows [first, last), the band after those of the call before; zeros
 * before the first one. False where a stage goes back to rows that it was done with. */
bool chain_bands_advance(const struct chain_bands *bands, struct chain_window *windows, uint32_t first,
                         uint32_t last);

#endif
