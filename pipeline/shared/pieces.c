/* SPDX-License-Identifier: MIT */
#include "pipeline/shared/pieces.h"

#include <string.h>

#define ALIGN ((size_t)64)

_Static_assert(sizeof(struct piece) <= ALIGN, "a header takes one line");

static size_t rounded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

size_t piece_need(size_t length_bytes)
{
    return length_bytes > SIZE_MAX - 2 * ALIGN ? SIZE_MAX : ALIGN + rounded(length_bytes);
}

uint8_t *piece_room(uint8_t *block, size_t size_bytes, size_t used, size_t *room_bytes)
{
    if (used > size_bytes || size_bytes - used < ALIGN)
        return NULL;
    *room_bytes = size_bytes - used - ALIGN;
    return block + used + ALIGN;
}

size_t piece_put(uint8_t *block, size_t used, const struct piece *piece)
{
    memcpy(block + used, piece, sizeof *piece);
    return used + ALIGN + rounded(piece->length_bytes);
}

int piece_next(const uint8_t *block, size_t used_bytes, size_t *position, struct piece *piece,
               const uint8_t **bytes)
{
    if (*position >= used_bytes)
        return *position == used_bytes ? 0 : -1;
    if (used_bytes - *position < ALIGN)
        return -1;
    memcpy(piece, block + *position, sizeof *piece);
    size_t room = used_bytes - *position - ALIGN;
    if (piece->length_bytes > room || rounded(piece->length_bytes) > room)
        return -1;
    *bytes = block + *position + ALIGN;
    *position += ALIGN + rounded(piece->length_bytes);
    return 1;
}
