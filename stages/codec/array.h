/* SPDX-License-Identifier: MIT */
/* What the codecs of arrays share: the limit, and the way from a file's order of samples and bytes to the one
 * that stages work on. */
#ifndef STAGES_CODEC_ARRAY_H
#define STAGES_CODEC_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/codec.h"

#define ARRAY_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* How the samples of an array lie in a file. */
struct array_layout {
    struct shape shape;
    bool fortran; /* the first index runs fastest, not the last */
    bool swapped; /* each sample's bytes are in the other order than this machine's */
};

/* ERROR_LIMIT where the array has more than max_elements; ERROR_CORRUPT where its bytes cannot be counted,
 * dimensions of 0 left out. */
int array_check(const struct shape *shape, const struct codec_limits *limits, struct error *error);

/* Are these samples, byte for byte, what stages want? Looks at the bytes of bools, which must be 0 or 1. */
bool array_ready(const struct array_layout *layout, const uint8_t *from);

/* Samples to C order and this machine's byte order, any byte but 0 of a bool to 1. `to` is apart from `from`;
 * it may be the same unless `fortran`. */
void array_unpack(const struct array_layout *layout, const uint8_t *from, uint8_t *to);

/* Do they lie in C order, so that array_unpack works in place? */
bool array_in_order(const struct array_layout *layout);

/* Begins the outcome of a decode: its shape, no warnings. ERROR_MEMORY where `pixels` is too small. */
int array_begin(struct codec_decode *job, const struct array_layout *layout, struct error *error);

/* Warns of bytes after the last sample, where there are any. */
void array_warn_of_rest(struct codec_decode *job, uint64_t rest_bytes);

/* A decode whose samples lie in the file, from byte `at` on, and end before byte `end`: finds them there, or
 * fills `pixels`. */
int array_take(struct codec_decode *job, const struct array_layout *layout, size_t at, size_t end,
               struct error *error);

#endif
