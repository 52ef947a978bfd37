/* SPDX-License-Identifier: MIT */
/* Files packed as gzip (RFC 1952), whatever is inside: unpacked before a codec decodes, packed after one has
 * encoded. Called in workers on hostile bytes; works in scratch memory alone. */
#ifndef STAGES_GZIP_H
#define STAGES_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"
#include "stages/scratch.h"

/* The scratch that unpacking and packing take at most. */
size_t gzip_scratch_bytes(void);

/* Do these first bytes of a file claim to be gzip? */
bool gzip_sniff(const uint8_t *head, size_t head_bytes);

struct gzip_unpack {
    const uint8_t *bytes; /* the whole file */
    size_t length_bytes;
    uint8_t *out;
    size_t out_bytes;
    uint64_t max_bytes;    /* refuse files that unpack to more */
    uint64_t max_ratio;    /* and to more than so many times their size, beyond 1 MiB; 0: any */
    size_t unpacked_bytes; /* out: how much there is, also where it did not fit `out` */
    struct scratch *scratch;
};

/* All members, one after the other; strict: checks sums and lengths, and what follows the last member must be
 * nothing but zeros. ERROR_CORRUPT; ERROR_LIMIT, with limit, value and setting in the text; ERROR_ROOM where
 * the file is sound and `out` is too small. */
int gzip_unpack(struct gzip_unpack *job, struct error *error);

/* The most that packing `length_bytes` gives; SIZE_MAX where that does not fit. */
size_t gzip_bound(size_t length_bytes);

/* Packs at a level of zlib's, 0 to 9. No name and no time are kept: the same bytes give the same file.
 * ERROR_INTERNAL where `out_bytes` is less than gzip_bound said. */
int gzip_pack(const uint8_t *bytes, size_t length_bytes, int level, uint8_t *out, size_t out_bytes,
              size_t *packed_bytes, struct scratch *scratch, struct error *error);

#endif
