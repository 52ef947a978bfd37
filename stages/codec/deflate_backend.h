/* SPDX-License-Identifier: MIT */
/* What a library provides to deflate.c; the functions are those of deflate.h. */
#ifndef STAGES_CODEC_DEFLATE_BACKEND_H
#define STAGES_CODEC_DEFLATE_BACKEND_H

#include "stages/codec/deflate.h"

struct deflate_backend {
    bool whole;
    const char *version; /* name and version, as built against */
    size_t (*deflate_scratch)(int level);
    struct deflater *(*deflate_begin)(int level, uint8_t *out, size_t out_bytes, struct scratch *scratch);
    bool (*deflate_more)(struct deflater *deflater, const uint8_t *piece, size_t piece_bytes, bool last);
    /* NULL where it does not inflate. */
    size_t (*inflate_scratch)(void);
    struct inflater *(*inflate_begin)(const struct inflate_source *source, struct scratch *scratch);
    bool (*inflate_more)(struct inflater *inflater, uint8_t *piece, size_t piece_bytes, bool last);
};

/* Each backend's own structures begin with these. */
struct deflater {
    const struct deflate_backend *backend;
    size_t length_bytes;
};

struct inflater {
    const struct inflate_source *source;
};

extern const struct deflate_backend deflate_libdeflate, deflate_isal;
uint32_t deflate_libdeflate_crc32(uint32_t before, const uint8_t *bytes, size_t length_bytes);

#endif
