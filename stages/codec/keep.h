/* SPDX-License-Identifier: MIT */
/* Metadata of the formats that hold it plain (JPEG, WebP), to and from PNG's chunks, which is how it travels:
 *
 *   colour profile   iCCP, there a zlib stream; stored without compression on the way in
 *   EXIF             eXIf, the TIFF block
 *   XMP              iTXt with the keyword XML:com.adobe.xmp
 *   resolution       pHYs
 *   IPTC             8BIM, which is none of PNG's: Photoshop's image resources as JPEG has them
 *
 * Other chunks have no place in those formats. */
#ifndef STAGES_CODEC_KEEP_H
#define STAGES_CODEC_KEEP_H

#include "stages/codec.h"

/* Counts a warning and keeps the text of the first one. */
__attribute__((format(printf, 4, 5))) void keep_warn(unsigned *warnings, char *warning, size_t size,
                                                     const char *format, ...);

/* Where decoding began in scratch and metadata, so that another attempt can begin there, too. */
struct keep_start {
    size_t scratch_bytes, meta_bytes;
};
struct keep_start keep_start(const struct codec_decode *job);
void keep_begin_again(struct codec_decode *job, const struct keep_start *start);

/* The first warning of a damaged image: what part of its rows could be read, and what is wrong with it. */
void keep_salvaged(struct codec_decode *job, uint64_t rows_read, uint64_t rows, const struct error *reason);

/* The most that `plain_bytes` of one such block become as an entry of metadata, and the scratch that making
 * it takes. */
size_t keep_need(size_t plain_bytes);

/* Each adds to job->meta, which is there. What is unsound is left behind with a warning. ERROR_LIMIT over
 * max_metadata, ERROR_MEMORY where the plan was too small. */
int keep_profile(struct codec_decode *job, const uint8_t *profile, size_t length_bytes, struct error *error);
int keep_exif(struct codec_decode *job, const uint8_t *tiff, size_t length_bytes, struct error *error);
int keep_xmp(struct codec_decode *job, const uint8_t *packet, size_t length_bytes, struct error *error);
int keep_resources(struct codec_decode *job, const uint8_t *resources, size_t length_bytes,
                   struct error *error);
int keep_resolution(struct codec_decode *job, uint32_t x, uint32_t y, bool per_metre, struct error *error);

/* Would `length_bytes` more of metadata be over max_metadata? Then ERROR_LIMIT. */
int keep_limit(const struct codec_decode *job, size_t length_bytes, struct error *error);

/* What an encoder is to write, in plain; each may be absent (NULL). */
struct keep_block {
    const uint8_t *bytes;
    size_t length_bytes;
};
#define KEEP_RESOURCES 8u
struct keep_blocks {
    struct keep_block profile, exif, xmp;
    struct keep_block resources[KEEP_RESOURCES]; /* for JPEG alone */
    unsigned resource_count;
    uint32_t x_density, y_density; /* 0: not known */
    bool per_metre;                /* else only their ratio is known */
};

/* The most that all blocks together take, for `meta_bytes` of metadata, and the scratch for getting at them.
 * A profile that unpacks to more than KEEP_RATIO times the metadata is left behind. */
#define KEEP_RATIO 8u
size_t keep_blocks_bytes(size_t meta_bytes);
size_t keep_blocks_scratch(size_t meta_bytes);

/* Collects the blocks for an image of job->shape; the orientation in `exif` agrees with the shape's where
 * that is known. Empty where job->meta is NULL or save.strip is set. ERROR_INTERNAL, ERROR_MEMORY. */
int keep_blocks(struct codec_encode *job, struct keep_blocks *blocks, struct error *error);

/* For formats that do not hold image resources: says that they are left behind, where there are any. */
#define KEEP_RESOURCES_TAG "8BIM"
#define KEEP_NO_RESOURCES  "dropped IPTC and Photoshop's image resources, which only JPEG holds"

/* The eXIf entry's block with the orientation of `shape`: itself, or a copy in scratch. NULL: no room. */
const uint8_t *keep_oriented(const uint8_t *tiff, size_t length_bytes, const struct shape *shape,
                             struct scratch *scratch);

#endif
