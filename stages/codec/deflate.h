/* SPDX-License-Identifier: MIT */
/* zlib streams (RFC 1950) through libraries faster than zlib, where the build has them: libdeflate, which
 * takes and gives a stream in one piece, and ISA-L, which does so piece by piece in little memory. All memory
 * is the caller's scratch; any thread may call, each with a scratch of its own. Nothing blocks. */
#ifndef STAGES_CODEC_DEFLATE_H
#define STAGES_CODEC_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/scratch.h"

enum deflate_library { DEFLATE_LIBDEFLATE, DEFLATE_ISAL, DEFLATE_LIBRARIES };

/* Does this build have it? What follows may only be asked of a library that is there. */
bool deflate_has(enum deflate_library library);

/* Takes a stream in one piece, and gives it so? */
bool deflate_whole(enum deflate_library library);

/* A CRC-32 as PNG and gzip have it, of what had the CRC `before` (0: nothing) and these bytes behind it. */
uint32_t deflate_crc32(uint32_t before, const uint8_t *bytes, size_t length_bytes);

/* Appends names and versions of the libraries to a text for a person. */
void deflate_versions(char *text, size_t size);

/* Compression. Levels are the library's: 0 to 12 of libdeflate, 0 to 2 of ISA-L. (ISA-L's level 3 makes other
 * bytes on processors with AVX-512 than on those without. The others make the same on every x86-64 that has
 * SSE4.2 and PCLMULQDQ; libdeflate does on every machine.) */
struct deflater;

/* Scratch that a deflater takes. */
size_t deflate_scratch(enum deflate_library library, int level);

/* A deflater that writes to `out`. NULL where scratch does not suffice. */
struct deflater *deflate_begin(enum deflate_library library, int level, uint8_t *out, size_t out_bytes,
                               struct scratch *scratch);

/* Compresses the next piece, or the one piece. `piece` may be reused afterwards. The stream, and so its
 * bytes, may depend on how it was cut. False where the stream does not fit in `out`, or the library failed.
 */
bool deflate_more(struct deflater *deflater, const uint8_t *piece, size_t piece_bytes, bool last);

/* Bytes written so far; after the last piece, the length of the stream. */
size_t deflate_length(const struct deflater *deflater);

/* Decompression. */
struct inflater;

/* Gives the next piece of the compressed stream, which stays until that after it is asked for; false when
 * there is none. */
struct inflate_source {
    bool (*next)(void *context, const uint8_t **piece, size_t *piece_bytes);
    void *context;
};

/* Can it be done without zlib? By ISA-L alone: libdeflate (as of 1.14) takes code lengths that repeat beyond
 * their end. ISA-L (as of 2.30) takes, of what zlib refuses, sets of code lengths that leave codes unused.
 * Only crafted streams have these, and their checksum must hold all the same: no damage passes. */
bool inflate_has(void);

/* Scratch that an inflater takes. */
size_t inflate_scratch(void);

/* An inflater at the beginning of the source, which must outlive it. NULL where scratch does not suffice. */
struct inflater *inflate_begin(const struct inflate_source *source, struct scratch *scratch);

/* The next `piece_bytes`, no less; `last` where they are the last ones of the stream. Pieces inflated before
 * are not looked at again. False where the stream is damaged in any way, has a checksum that does not hold,
 * fewer or more bytes than asked for, or is followed by others in the source; and of some that are sound,
 * have fixed codes and declare a window of less than 32 KiB, since matches may reach beyond it. */
bool inflate_more(struct inflater *inflater, uint8_t *piece, size_t piece_bytes, bool last);

#endif
