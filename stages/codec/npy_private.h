/* SPDX-License-Identifier: MIT */
/* The header of .npy files (numpy.lib.format): a magic, a version, a length, and a Python dictionary as text.
 */
#ifndef STAGES_CODEC_NPY_PRIVATE_H
#define STAGES_CODEC_NPY_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/codec/array.h"

#define NPY_PRELUDE_BYTES 12 /* what tells where the header ends, at most */

/* numpy reads no longer texts either, unless it is told to trust the file. */
#define NPY_TEXT_MOST   10000
#define NPY_HEADER_MOST (NPY_PRELUDE_BYTES + NPY_TEXT_MOST)

/* Headers that are written: 8 dimensions of 20 digits, and what is around them. */
#define NPY_WRITTEN_MOST 320

struct npy_header {
    struct array_layout layout;
    size_t data_at; /* where the samples begin */
};

bool npy_sniff(const uint8_t *head, size_t head_bytes);

/* Where the header's text begins and where it ends, which is where the samples begin, from the first
 * NPY_PRELUDE_BYTES of a file of `file_bytes` (fewer where the file is shorter). ERROR_CORRUPT, and
 * ERROR_UNSUPPORTED for a text over NPY_TEXT_MOST. */
int npy_header_span(const uint8_t *head, size_t head_bytes, uint64_t file_bytes, size_t *text_at,
                    size_t *text_end, struct error *error);

/* Reads the header, checks the limits, and that the samples it promises fit the file. `head_bytes` of
 * NPY_HEADER_MOST, or the whole file, suffice. Errors as of codec.peek. */
int npy_header_read(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                    const struct codec_limits *limits, struct npy_header *header, struct error *error);

/* Parses the text text[0, end) into layout: descr and order, dimensions, of which one may be negative: as
 * long as the data, which numpy reads too. Its number in *open, or -1. */
int npy_text_parse(const uint8_t *text, size_t length_bytes, unsigned version, struct array_layout *layout,
                   int *open, struct error *error);

/* Writes the header of a C-order, little-endian file: a multiple of 64 bytes, up to NPY_WRITTEN_MOST. Returns
 * its length. */
size_t npy_header_write(const struct shape *shape, uint8_t header[NPY_WRITTEN_MOST]);

#endif
