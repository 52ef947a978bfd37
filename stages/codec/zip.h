/* SPDX-License-Identifier: MIT */
/* Where the members of a zip file lie (PKWARE's APPNOTE 6.3, Zip64 included). Looks only at the bytes it is
 * given; names are bytes to compare, never paths. */
#ifndef STAGES_CODEC_ZIP_H
#define STAGES_CODEC_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"

enum zip_method { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

/* The directory of a whole file at hand, and how far it was read. */
struct zip {
    const uint8_t *bytes;
    size_t directory_at, directory_end; /* members lie before it */
    size_t at;
    uint64_t left; /* entries not read yet */
};

struct zip_member {
    const uint8_t *name; /* in the file, not terminated */
    size_t name_bytes;
    uint16_t method;
    bool encrypted;
    uint32_t crc;
    uint64_t packed_bytes, unpacked_bytes;
    uint64_t header_at;
};

/* Finds the directory. ERROR_CORRUPT; ERROR_UNSUPPORTED for a file in several parts. */
int zip_open(struct zip *zip, const uint8_t *bytes, size_t length_bytes, struct error *error);

/* The next member of the directory: 1, or 0 at its end, or ERROR_CORRUPT. */
int zip_next(struct zip *zip, struct zip_member *member, struct error *error);

/* Where the packed bytes of a member begin; all of them are in the file. ERROR_CORRUPT. */
int zip_find(const struct zip *zip, const struct zip_member *member, size_t *packed_at, struct error *error);

#endif
