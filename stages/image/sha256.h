/* SPDX-License-Identifier: MIT */
/* SHA-256 (NIST FIPS 180-4). */
#ifndef STAGES_IMAGE_SHA256_H
#define STAGES_IMAGE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length_bytes;
    uint8_t block[64]; /* what has come since the last whole block */
};

void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t length_bytes);

/* The digest as 64 lower case hex digits and the end of a text. */
void sha256_end(struct sha256 *sha, char hex[65]);

#endif
