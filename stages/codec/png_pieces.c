/* SPDX-License-Identifier: MIT */
#include "stages/codec/png_pieces.h"

#include <string.h>

/* Profiles and text of nearly all images fit. */
#define FRAME_BYTES ((size_t)256 << 10)

#define CRC_BYTES 4u

size_t png_pieces_scratch(void)
{
    return scratch_need(1, FRAME_BYTES);
}

size_t png_pieces_meta(void)
{
    return 2 * FRAME_BYTES; /* no chunk takes more than twice its own bytes, see png_peek.c */
}

/* Is there at least one byte more? */
static bool at_hand(struct png_pieces *pieces)
{
    if (pieces->left_bytes > 0)
        return true;
    if (pieces->ended)
        return false;
    pieces->code = pieces->feed->next(pieces->feed->context, &pieces->at, &pieces->left_bytes, pieces->error);
    if (pieces->code < 0)
        pieces->left_bytes = 0;
    pieces->ended = pieces->left_bytes == 0;
    return !pieces->ended;
}

/* Up to `most_bytes` that lie together, at least one; 0 at the end. */
static size_t take(struct png_pieces *pieces, size_t most_bytes, const uint8_t **bytes)
{
    if (!at_hand(pieces))
        return 0;
    const size_t count = pieces->left_bytes < most_bytes ? pieces->left_bytes : most_bytes;
    *bytes = pieces->at;
    pieces->at += count;
    pieces->left_bytes -= count;
    return count;
}

static bool copy(struct png_pieces *pieces, uint8_t *to, size_t length_bytes)
{
    const uint8_t *bytes;
    for (size_t count; length_bytes > 0; to += count, length_bytes -= count) {
        count = take(pieces, length_bytes, &bytes);
        if (count == 0)
            return false;
        memcpy(to, bytes, count);
    }
    return true;
}

/* Room for so many bytes more of the frame, or NULL. */
static uint8_t *frame_more(struct png_pieces *pieces, size_t length_bytes)
{
    uint8_t *to = pieces->frame + pieces->frame_bytes;
    if (length_bytes > FRAME_BYTES - pieces->frame_bytes)
        return NULL;
    pieces->frame_bytes += length_bytes;
    return to;
}

static bool next_header(struct png_pieces *pieces)
{
    return copy(pieces, pieces->header, sizeof pieces->header);
}

static bool is(const struct png_pieces *pieces, const char type[4])
{
    return memcmp(pieces->header + 4, type, 4) == 0;
}

/* All of the chunk at work to the frame, with whatever CRC it has: libpng will see. */
static bool keep_chunk(struct png_pieces *pieces)
{
    const size_t rest_bytes = (size_t)png_get_uint_32(pieces->header) + CRC_BYTES;
    uint8_t *to = frame_more(pieces, sizeof pieces->header + rest_bytes);
    if (!to)
        return false;
    memcpy(to, pieces->header, sizeof pieces->header);
    return copy(pieces, to + sizeof pieces->header, rest_bytes);
}

/* The chunk at work is of the run. */
static bool begin_idat(struct png_pieces *pieces)
{
    pieces->chunk_left_bytes = png_get_uint_32(pieces->header);
    pieces->crc = deflate_crc32(0, pieces->header + 4, 4);
    return pieces->chunk_left_bytes > 0 && pieces->chunk_left_bytes <= pieces->chunk_most_bytes;
}

/* Behind the data of an IDAT chunk: is it sound, and what follows? */
static enum png_run_state end_idat(struct png_pieces *pieces)
{
    uint8_t crc[CRC_BYTES];
    if (!copy(pieces, crc, sizeof crc) || png_get_uint_32(crc) != pieces->crc || !next_header(pieces))
        return PNG_RUN_UNSOUND;
    if (!is(pieces, "IDAT"))
        return PNG_RUN_OVER;
    return begin_idat(pieces) ? PNG_RUN_ON : PNG_RUN_UNSOUND;
}

static bool next_of_run(void *context, const uint8_t **piece, size_t *piece_bytes)
{
    struct png_pieces *pieces = context;
    if (pieces->run == PNG_RUN_ON && pieces->chunk_left_bytes == 0)
        pieces->run = end_idat(pieces);
    *piece_bytes = pieces->run == PNG_RUN_ON ? take(pieces, pieces->chunk_left_bytes, piece) : 0;
    if (*piece_bytes == 0)
        return false;
    pieces->chunk_left_bytes -= (uint32_t)*piece_bytes;
    pieces->crc = deflate_crc32(pieces->crc, *piece, *piece_bytes);
    return true;
}

struct inflate_source png_pieces_source(struct png_pieces *pieces)
{
    return (struct inflate_source){next_of_run, pieces};
}

bool png_pieces_begin(struct png_pieces *pieces, const struct codec_decode *job,
                      const struct png_header *header, struct error *error)
{
    *pieces = (struct png_pieces){.feed = job->feed,
                                  .error = error,
                                  .chunk_most_bytes = png_fast_chunk_most(header),
                                  .frame = scratch_alloc(job->scratch, 1, FRAME_BYTES)};
    if (!pieces->frame || !copy(pieces, frame_more(pieces, PNG_SIGNATURE_BYTES), PNG_SIGNATURE_BYTES) ||
        !next_header(pieces))
        return false;
    while (!is(pieces, "IDAT")) {
        if (!keep_chunk(pieces) || !next_header(pieces))
            return false;
    }
    uint8_t *empty = frame_more(pieces, sizeof png_empty_idat);
    if (!empty || !begin_idat(pieces) || !at_hand(pieces) || !png_fast_begins(pieces->at[0]))
        return false;
    memcpy(empty, png_empty_idat, sizeof png_empty_idat);
    return true;
}

bool png_pieces_finish(struct png_pieces *pieces, struct error *error)
{
    const uint8_t *bytes;
    bool end;
    pieces->error = error;
    if (pieces->run != PNG_RUN_OVER)
        return false;
    do {
        end = is(pieces, "IEND");
        if (is(pieces, "IDAT") || !keep_chunk(pieces))
            return false;
    } while (!end && next_header(pieces));
    for (size_t count; end && (count = take(pieces, SIZE_MAX, &bytes)) > 0;)
        pieces->after_bytes += count;
    return end && pieces->code == 0;
}
