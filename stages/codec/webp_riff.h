/* SPDX-License-Identifier: MIT */
/* The container of a WebP file (RFC 9649, section 2): a RIFF list of chunks. */
#ifndef STAGES_CODEC_WEBP_RIFF_H
#define STAGES_CODEC_WEBP_RIFF_H

#include "stages/codec.h"
#include "stages/codec/keep.h"

#define WEBP_RIFF_BYTES  12u /* RIFF, size, WEBP */
#define WEBP_CHUNK_BYTES 8u  /* its type and length */
#define WEBP_VP8X_BYTES  10u
#define WEBP_SIDE_MAX    16383u

/* What VP8X says of the file. */
enum { WEBP_ANIMATION = 0x02, WEBP_XMP = 0x04, WEBP_EXIF = 0x08, WEBP_ALPHA = 0x10, WEBP_ICC = 0x20 };

bool webp_sniff(const uint8_t *head, size_t head_bytes);

struct webp_header {
    uint32_t width, height;
    bool alpha;    /* maybe */
    bool lossless; /* maybe */
    uint8_t orientation;
    struct keep_block profile, exif, xmp; /* where they lie; NULL where they are not there or not at hand */
    size_t meta_bytes;                    /* of metadata at most, as entries */
    size_t end_bytes;                     /* of the RIFF list */
};

/* The header and the limits. `length_bytes` of `bytes` are at hand, `file_bytes` promised. ERROR_ROOM where
 * EXIF is promised that does not lie within what is at hand of a longer file. */
int webp_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                     const struct codec_limits *limits, struct webp_header *header, struct error *error);

#endif
