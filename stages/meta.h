/* SPDX-License-Identifier: MIT */
/* The metadata that travels beside an image: a flat list of tagged byte strings in one caller-owned block
 * (shared memory, in a run), so that it outlives the file it came from and crosses processes as it is. */
#ifndef STAGES_META_H
#define STAGES_META_H

#include <stddef.h>
#include <stdint.h>

/* Tags are PNG chunk types ("iCCP", "gAMA", "tEXt", ...) and the data is that chunk's, byte for byte:
 * nothing is inflated or recompressed on the way. A codec of another format translates. */
enum meta_flag {
    META_RGB_ONLY = 1,  /* a colour profile for RGB: wrong for grey output */
    META_GREY_ONLY = 2, /* a colour profile for grey: wrong for RGB output */
};

struct meta {
    uint8_t *block;
    size_t size_bytes; /* of the block */
    size_t used_bytes;
};

struct meta_entry {
    char tag[5]; /* terminated */
    uint32_t flags;
    const uint8_t *data; /* in the block */
    size_t length_bytes;
};

/* What `meta_put` takes from the block for `length_bytes` of data. */
size_t meta_need(size_t length_bytes);

/* Appends an entry, copying `data`. 0, or ERROR_LIMIT when the block is full. */
int meta_put(struct meta *meta, const char tag[4], uint32_t flags, const uint8_t *data, size_t length_bytes);

/* Walks the list: start with *position = 0. 1 and *entry filled, 0 at the end, ERROR_INTERNAL where the
 * block is not a valid list (it may come from a process that was lying). */
int meta_next(const struct meta *meta, size_t *position, struct meta_entry *entry);

#endif
