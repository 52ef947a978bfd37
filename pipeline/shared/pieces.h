/* SPDX-License-Identifier: MIT */
/* How several files made of one item lie in its slot's OUT part: a header, its bytes, the next header, each
 * at a multiple of 64. Written by the worker that owns the slot, read by the main process, which trusts
 * nothing. */
#ifndef PIPELINE_PIECES_H
#define PIPELINE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instead of an output's number: the item's samples, for `aggregate`. */
#define PIECE_AGGREGATE UINT32_MAX

struct piece {
    uint32_t output;   /* index into the job's outputs */
    uint32_t row, col; /* of a tile */
    uint64_t length_bytes;
};

/* What a piece of `length_bytes` takes; SIZE_MAX where that does not fit. */
size_t piece_need(size_t length_bytes);

/* Where the bytes of a piece go that is to be put at `used`, and how many there may be; NULL: none. */
uint8_t *piece_room(uint8_t *block, size_t size_bytes, size_t used, size_t *room_bytes);

/* Closes the piece whose bytes were written there. Returns the new `used`. */
size_t piece_put(uint8_t *block, size_t used, const struct piece *piece);

/* Walks: start with *position = 0. 1 and *piece filled and *bytes set, 0 at the end, -1 where this is no list
 * of pieces. */
int piece_next(const uint8_t *block, size_t used_bytes, size_t *position, struct piece *piece,
               const uint8_t **bytes);

#endif
