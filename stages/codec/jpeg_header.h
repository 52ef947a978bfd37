/* SPDX-License-Identifier: MIT */
/* The header of a JPEG file: its markers up to the first scan (ITU-T T.81, annex B). */
#ifndef STAGES_CODEC_JPEG_HEADER_H
#define STAGES_CODEC_JPEG_HEADER_H

#include "stages/codec.h"
#include "stages/codec/keep.h"

#define JPEG_COMPONENTS 4
#define JPEG_SIDE_MAX   65500u /* libjpeg's; the format's is 65535 */

enum {
    JPEG_MARKER_APP0 = 0xe0,  /* JFIF */
    JPEG_MARKER_APP1,         /* EXIF, XMP */
    JPEG_MARKER_APP2,         /* ICC profile */
    JPEG_MARKER_APP13 = 0xed, /* Photoshop, IPTC */
};

/* How such segments begin, and what of a segment is left for data. The terminating NUL is part of each; EXIF
 * has one more, and a part of a profile its number and the number of parts. */
#define JPEG_EXIF_START       "Exif\0"
#define JPEG_XMP_START        "http://ns.adobe.com/xap/1.0/"
#define JPEG_ICC_START        "ICC_PROFILE"
#define JPEG_RESOURCES_START  "Photoshop 3.0"
#define JPEG_SEGMENT_BYTES    65533u
#define JPEG_ICC_HEADER_BYTES (sizeof JPEG_ICC_START + 2)
#define JPEG_ICC_PART_BYTES   (JPEG_SEGMENT_BYTES - JPEG_ICC_HEADER_BYTES)

struct jpeg_segment {
    uint8_t marker;
    const uint8_t *data; /* NULL when not all of it is at hand */
    size_t length_bytes;
};

/* Walks the segments behind SOI: start with *position = 2. False where the next one's marker and length are
 * not at hand. Bytes before a marker are passed over, as libjpeg does. */
bool jpeg_segment_next(const uint8_t *bytes, size_t length_bytes, size_t *position,
                       struct jpeg_segment *segment);

/* Does the segment begin with this text, its terminating NUL included? */
#define JPEG_BEGINS(segment, text)                                                                           \
    ((segment)->length_bytes >= sizeof(text) && memcmp((segment)->data, text, sizeof(text)) == 0)

bool jpeg_sniff(const uint8_t *head, size_t head_bytes);

struct jpeg_header {
    uint32_t width, height;
    bool progressive;
    bool several_scans;                                     /* maybe: the first one is not all of the image */
    uint8_t components;                                     /* 1, 3 or 4 */
    uint8_t across[JPEG_COMPONENTS], down[JPEG_COMPONENTS]; /* sampling factors, 1 to 4 */
    uint8_t most_across, most_down;
    uint8_t orientation; /* from EXIF; 0: not known */
    size_t meta_bytes;   /* of metadata at most, as entries */
};

/* The header and the limits. `length_bytes` of `bytes` are at hand, `file_bytes` promised. ERROR_ROOM where
 * the header does not end within what is at hand of a longer file. */
int jpeg_header_read(const uint8_t *bytes, size_t length_bytes, uint64_t file_bytes,
                     const struct codec_limits *limits, struct jpeg_header *header, struct error *error);

/* Blocks of 8 x 8 samples in a component's rows and columns, the last ones filled up. */
uint64_t jpeg_blocks_across(const struct jpeg_header *header, unsigned component);
uint64_t jpeg_blocks_down(const struct jpeg_header *header, unsigned component);

#endif
