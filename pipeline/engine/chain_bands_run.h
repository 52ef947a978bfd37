/* SPDX-License-Identifier: MIT */
/* Takes one image through its windows; see chain_bands.h. */
#ifndef PIPELINE_CHAIN_BANDS_RUN_H
#define PIPELINE_CHAIN_BANDS_RUN_H

#include "pipeline/engine/chain_bands.h"

struct chain_bands_task {
    const struct codec *codec;
    struct codec_decode *decode; /* open, nothing read yet; its scratch is its own */
    struct stage_run like;       /* item, attempt and limits */
    uint8_t *dst;                /* room for all rows of bands->out, where these are not streamed */
    struct scratch *scratch;     /* bands->scratch_bytes of it */
    /* Told before each piece of work which step it belongs to, as chain_plan.h numbers them. */
    void (*begin_step)(void *context, unsigned step);
    /* Takes the next rows of bands->out, where they are streamed. */
    int (*put)(void *context, const uint8_t *rows, uint32_t count, struct error *error);
    void *context;
};

/* Reads the image to its end, and closes the decoder. The bytes that come out are those of each step on the
 * whole image, and so is the error: a damaged file's own, whatever a stage has met before the damage was. The
 * step that was begun last is the one that failed. */
int chain_bands_run(const struct chain_bands *bands, const struct chain_bands_task *task,
                    struct error *error);

/* Reads a file whose image nobody wants, for the verdict; in the scratch that there is for a run. */
int chain_bands_drain(const struct chain_bands_task *task, struct error *error);

#endif
