/* SPDX-License-Identifier: MIT */
/* zlib in scratch memory: what it asks for comes from a bump allocator, and what it frees is left there. */
#ifndef STAGES_CODEC_ZMEMORY_H
#define STAGES_CODEC_ZMEMORY_H

#include <zlib.h>

#include "stages/scratch.h"

/* The scratch that a stream takes at most. For inflation zlib asks for its state (7 KiB) and, once output was
 * cut, a window of 1 << window bits; for compression (zconf.h) for 256 KiB and its state. The rest is room
 * for what other versions and zlib-ng add. */
#define ZMEMORY_INFLATE_BYTES(window_bits) (((size_t)1 << (window_bits)) + 16384)
#define ZMEMORY_DEFLATE_BYTES              ((size_t)384 << 10)

static inline voidpf zmemory_take(voidpf scratch, uInt items, uInt size)
{
    return scratch_alloc(scratch, items, size);
}

static inline void zmemory_give(voidpf scratch, voidpf block)
{
    (void)scratch, (void)block;
}

/* Call before the stream is initialised. A stream need not be ended. */
static inline void zmemory_use(z_stream *stream, struct scratch *scratch)
{
    *stream = (z_stream){.zalloc = zmemory_take, .zfree = zmemory_give, .opaque = scratch};
}

/* How much of `size_bytes` goes into one call, which counts in unsigned int. */
static inline uInt zmemory_piece(size_t size_bytes)
{
    const size_t most = (size_t)1 << 30;
    return (uInt)(size_bytes < most ? size_bytes : most);
}

#endif
