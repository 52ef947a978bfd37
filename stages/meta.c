/* SPDX-License-Identifier: MIT */
#include "stages/meta.h"

#include <string.h>

#include "stages/error.h"

/* In the block: tag, flags and length, then the data, padded so that the next header is aligned. */
struct meta_header {
    char tag[4];
    uint32_t flags;
    uint64_t length_bytes;
};

size_t meta_need(size_t length_bytes)
{
    if (length_bytes > SIZE_MAX / 2)
        return SIZE_MAX;
    return sizeof(struct meta_header) + (length_bytes + 7) / 8 * 8;
}

int meta_put(struct meta *meta, const char tag[4], uint32_t flags, const uint8_t *data, size_t length_bytes)
{
    size_t need = meta_need(length_bytes);
    if (need > meta->size_bytes - meta->used_bytes)
        return ERROR_LIMIT;
    struct meta_header header = {.flags = flags, .length_bytes = length_bytes};
    memcpy(header.tag, tag, sizeof header.tag);
    uint8_t *place = meta->block + meta->used_bytes;
    memcpy(place, &header, sizeof header);
    if (length_bytes)
        memcpy(place + sizeof header, data, length_bytes);
    meta->used_bytes += need;
    return 0;
}

int meta_next(const struct meta *meta, size_t *position, struct meta_entry *entry)
{
    if (*position == meta->used_bytes)
        return 0;
    struct meta_header header;
    if (*position > meta->used_bytes || meta->used_bytes > meta->size_bytes ||
        meta->used_bytes - *position < sizeof header)
        return ERROR_INTERNAL;
    memcpy(&header, meta->block + *position, sizeof header);
    size_t left = meta->used_bytes - *position;
    if (header.length_bytes > left || meta_need((size_t)header.length_bytes) > left)
        return ERROR_INTERNAL;
    memcpy(entry->tag, header.tag, sizeof header.tag);
    entry->tag[4] = '\0';
    entry->flags = header.flags;
    entry->data = meta->block + *position + sizeof header;
    entry->length_bytes = (size_t)header.length_bytes;
    *position += meta_need((size_t)header.length_bytes);
    return 1;
}
