/* SPDX-License-Identifier: MIT */
/* The contract of a codec: file bytes to pixels and back. A codec is called in workers on hostile bytes. It
 * touches nothing but its job: no file, no global, no allocation outside the job's scratch. */
#ifndef STAGES_CODEC_H
#define STAGES_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/error.h"
#include "stages/meta.h"
#include "stages/param.h"
#include "stages/scratch.h"
#include "stages/shape.h"

/* How much of a file's beginning `peek` is given (less where the file is shorter). */
#define CODEC_HEAD_BYTES 65536u

struct codec_limits {
    uint64_t max_pixels; /* width x height */
    uint64_t max_width, max_height;
    uint64_t max_metadata_bytes; /* kept metadata of one item */
};

/* What the header promises: upper bounds, so that memory can be set aside before a byte is inflated. */
struct codec_info {
    struct shape shape;   /* decode gives this shape or one with fewer channels */
    size_t scratch_bytes; /* decode never needs more */
    size_t meta_bytes;    /* nor more metadata */
};

struct codec_decode {
    const struct codec_limits *limits;
    const uint8_t *bytes; /* the whole file */
    size_t length_bytes;
    uint8_t *pixels; /* out */
    size_t pixels_bytes;
    struct shape shape; /* out */
    struct meta *meta;  /* out; NULL: none wanted */
    struct scratch *scratch;
    unsigned warnings; /* out: how many; the first one's text follows */
    char warning[160];
};

/* What `save:` says; one block for all codecs, each reads what concerns it. */
struct codec_save {
    int format;      /* 0 same as the input, else 1 + index in the registry of codecs */
    int compression; /* index into CODEC_COMPRESSIONS */
    int64_t level;   /* -1: as `compression` says; else 0 to 9, as zlib counts */
    bool strip;      /* drop metadata */
    bool interlace;
};
#define CODEC_COMPRESSIONS "fastest|fast|balanced|small|smallest"
enum { COMPRESSION_FASTEST, COMPRESSION_FAST, COMPRESSION_BALANCED, COMPRESSION_SMALL, COMPRESSION_SMALLEST };

struct codec_plan {
    size_t out_bytes;     /* encode never writes more */
    size_t scratch_bytes; /* nor needs more scratch */
};

struct codec_encode {
    const struct codec_save *save;
    struct shape shape;
    const uint8_t *pixels;
    const struct meta *meta; /* NULL: none */
    uint8_t *bytes;          /* out */
    size_t bytes_size;
    size_t length_bytes; /* out */
    struct scratch *scratch;
    unsigned warnings;
    char warning[160];
};

struct codec {
    const char *name;       /* "png" */
    const char *summary;    /* "Portable Network Graphics" */
    const char *extensions; /* without dots, "|" between: "pnm|pgm|ppm"; the first is what new names get */

    /* Do these first bytes of a file claim this format? */
    bool (*sniff)(const uint8_t *head, size_t head_bytes);

    /* Reads the header of a file of `file_bytes` from its first `head_bytes` and checks the limits.
     * ERROR_CORRUPT, ERROR_UNSUPPORTED or ERROR_LIMIT; the text of a limit names limit, value and setting. */
    int (*peek)(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                const struct codec_limits *limits, struct codec_info *info, struct error *error);

    /* Strict: 0 only when every pixel and the end of the file are sound. Same errors as peek, and
     * ERROR_MEMORY when scratch or pixels are smaller than peek said. */
    int (*decode)(struct codec_decode *job, struct error *error);

    /* The most that encoding `shape` with up to `meta_bytes` of metadata takes. ERROR_UNSUPPORTED where the
     * format cannot hold the shape; the text says which stage would help. */
    int (*plan)(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                struct codec_plan *plan, struct error *error);

    int (*encode)(struct codec_encode *job, struct error *error);

    /* Optional: the libraries behind it and their versions, as they run and as they were built against, for a
     * person. A static text. */
    const char *(*version)(void);
};

/* All codecs, in registry order; NULL at the end. */
const struct codec *const *codec_all(void);

/* The codec whose `sniff` accepts the bytes, or NULL. */
const struct codec *codec_sniff(const uint8_t *head, size_t head_bytes);

/* The codec that a file name's extension belongs to (any case), or NULL. */
const struct codec *codec_for_name(const char *name);

/* Does the extension of `name` belong to this codec? */
bool codec_names(const struct codec *codec, const char *name);

#endif
