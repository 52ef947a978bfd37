/* SPDX-License-Identifier: MIT */
/* A PNG file that comes piece by piece, of any lengths. The data of its one run of IDAT chunks is handed on
 * as it lies in the pieces, its CRCs checked on the way; all else is copied into a frame: the file without
 * its image data, with png_empty_idat in the place of the run, for libpng and for whoever wants metadata.
 *
 * Any function that says false has met what the fast path leaves to others, an early end, or a feed that
 * failed; `code` tells which. There is no more to be had then. */
#ifndef STAGES_CODEC_PNG_PIECES_H
#define STAGES_CODEC_PNG_PIECES_H

#include "stages/codec/png_private.h"

struct png_pieces {
    const struct codec_feed *feed;
    struct error *error; /* the feed's, set before each call */
    int code;            /* what the feed failed with, or 0 */
    bool ended;          /* the feed has no more */
    const uint8_t *at;   /* what is left of the last piece */
    size_t left_bytes;

    uint8_t header[8]; /* of the chunk at work: length and type */
    /* Over: all of the run was handed out and sound, and `header` is that of the chunk behind it. */
    enum png_run_state { PNG_RUN_ON, PNG_RUN_OVER, PNG_RUN_UNSOUND } run;
    uint32_t chunk_left_bytes, crc; /* of the run's chunk at work */
    size_t chunk_most_bytes;

    uint8_t *frame;
    size_t frame_bytes; /* so far */
    size_t after_bytes; /* behind IEND, which are counted only */
};

/* Takes the signature, all chunks before the run, and the beginning of that. `pieces` is filled in and stays
 * where it is; the frame is taken from the job's scratch. */
bool png_pieces_begin(struct png_pieces *pieces, const struct codec_decode *job,
                      const struct png_header *header, struct error *error);

/* The data of the run. Each piece stays until the next is asked for. Ends at the end of the run, and where
 * that is not sound, of which png_pieces_finish tells. */
struct inflate_source png_pieces_source(struct png_pieces *pieces);

/* When the source has ended: takes what follows the run, to the end of the file. */
bool png_pieces_finish(struct png_pieces *pieces, struct error *error);

#endif
