/* SPDX-License-Identifier: MIT */
#include "stages/codec/deflate.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "stages/codec/deflate_backend.h"

static const struct deflate_backend *const backends[DEFLATE_LIBRARIES] = {
#ifdef FORKMILL_LIBDEFLATE
    [DEFLATE_LIBDEFLATE] = &deflate_libdeflate,
#endif
#ifdef FORKMILL_ISAL
    [DEFLATE_ISAL] = &deflate_isal,
#endif
};

bool deflate_has(enum deflate_library library)
{
    return backends[library] != NULL;
}

bool deflate_whole(enum deflate_library library)
{
    return backends[library]->whole;
}

uint32_t deflate_crc32(uint32_t before, const uint8_t *bytes, size_t length_bytes)
{
#ifdef FORKMILL_LIBDEFLATE
    return deflate_libdeflate_crc32(before, bytes, length_bytes);
#else
    return (uint32_t)crc32_z(before, bytes, length_bytes);
#endif
}

void deflate_versions(char *text, size_t size)
{
    for (unsigned i = 0; i < DEFLATE_LIBRARIES; i++) {
        size_t used = strlen(text);
        if (backends[i])
            snprintf(text + used, size - used, ", %s", backends[i]->version);
        else
            snprintf(text + used, size - used, ", no %s", i == DEFLATE_ISAL ? "ISA-L" : "libdeflate");
    }
}

size_t deflate_scratch(enum deflate_library library, int level)
{
    return backends[library]->deflate_scratch(level);
}

struct deflater *deflate_begin(enum deflate_library library, int level, uint8_t *out, size_t out_bytes,
                               struct scratch *scratch)
{
    struct deflater *deflater = backends[library]->deflate_begin(level, out, out_bytes, scratch);
    if (deflater)
        *deflater = (struct deflater){.backend = backends[library]};
    return deflater;
}

bool deflate_more(struct deflater *deflater, const uint8_t *piece, size_t piece_bytes, bool last)
{
    return deflater->backend->deflate_more(deflater, piece, piece_bytes, last);
}

size_t deflate_length(const struct deflater *deflater)
{
    return deflater->length_bytes;
}

bool inflate_has(void)
{
    return deflate_has(DEFLATE_ISAL);
}

size_t inflate_scratch(void)
{
    return backends[DEFLATE_ISAL]->inflate_scratch();
}

struct inflater *inflate_begin(const struct inflate_source *source, struct scratch *scratch)
{
    struct inflater *inflater = backends[DEFLATE_ISAL]->inflate_begin(source, scratch);
    if (inflater)
        inflater->source = source;
    return inflater;
}

bool inflate_more(struct inflater *inflater, uint8_t *piece, size_t piece_bytes, bool last)
{
    return backends[DEFLATE_ISAL]->inflate_more(inflater, piece, piece_bytes, last);
}
