/* SPDX-License-Identifier: MIT */
/* libdeflate. It allocates through two functions that are the same for the whole process, so these lend what
 * the calling thread has been given: a job's scratch. */
#include <libdeflate.h>

#include "stages/codec/deflate_backend.h"

struct libdeflate_deflater {
    struct deflater base;
    struct libdeflate_compressor *compressor;
    uint8_t *out;
    size_t out_bytes;
};

#define LEVELS 13

/* Without scratch, what is asked for is only counted. */
static _Thread_local struct scratch *lender;
static _Thread_local size_t asked_bytes;

static size_t compressor_bytes[LEVELS];

static void *lend(size_t size_bytes)
{
    asked_bytes = scratch_add(asked_bytes, scratch_need(1, size_bytes));
    return lender ? scratch_alloc(lender, 1, size_bytes) : NULL;
}

static void keep(void *block)
{
    (void)block; /* scratch is given back as a whole */
}

/* Before main, so that no thread is there yet. What a compressor takes depends on level and version; asked
 * for with nothing to lend, the library says it. */
__attribute__((constructor)) static void set_up(void)
{
    libdeflate_set_memory_allocator(lend, keep);
    for (int level = 0; level < LEVELS; level++) {
        asked_bytes = 0;
        libdeflate_free_compressor(libdeflate_alloc_compressor(level));
        compressor_bytes[level] = asked_bytes;
    }
}

static size_t scratch_for_deflate(int level)
{
    return scratch_add(scratch_need(1, sizeof(struct libdeflate_deflater)), compressor_bytes[level]);
}

static struct deflater *begin_deflate(int level, uint8_t *out, size_t out_bytes, struct scratch *scratch)
{
    struct libdeflate_deflater *deflater = scratch_alloc(scratch, 1, sizeof *deflater);
    if (!deflater)
        return NULL;
    lender = scratch;
    *deflater = (struct libdeflate_deflater){
        .compressor = libdeflate_alloc_compressor(level), .out = out, .out_bytes = out_bytes};
    lender = NULL;
    return deflater->compressor ? &deflater->base : NULL;
}

static bool more_deflate(struct deflater *base, const uint8_t *piece, size_t piece_bytes, bool last)
{
    struct libdeflate_deflater *deflater = (struct libdeflate_deflater *)base;
    if (!last)
        return false;
    base->length_bytes = libdeflate_zlib_compress(deflater->compressor, piece, piece_bytes, deflater->out,
                                                  deflater->out_bytes);
    return base->length_bytes > 0;
}

uint32_t deflate_libdeflate_crc32(uint32_t before, const uint8_t *bytes, size_t length_bytes)
{
    return libdeflate_crc32(before, bytes, length_bytes);
}

const struct deflate_backend deflate_libdeflate = {
    .whole = true,
    .version = "libdeflate " LIBDEFLATE_VERSION_STRING,
    .deflate_scratch = scratch_for_deflate,
    .deflate_begin = begin_deflate,
    .deflate_more = more_deflate,
};
