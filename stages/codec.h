/* SPDX-License-Identifier: MIT */
/* The contract of a codec: file bytes to samples and back. A codec is called in workers on hostile bytes. It
 * touches nothing but its job: no file, no global, no allocation outside the job's scratch. Where a library
 * allocates by itself, peek and plan count what it takes at most as scratch. */
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

/* An image of fewer bytes than this fits the caches, and gains nothing by being read a few rows at a time. */
#define CODEC_ROWS_LEAST_BYTES ((size_t)1 << 20)

/* The limits of a run. */
struct codec_limits {
    uint64_t max_pixels; /* width x height */
    uint64_t max_width, max_height;
    uint64_t max_metadata_bytes;   /* kept metadata of one item */
    uint64_t max_elements;         /* samples of an array */
    uint64_t max_file_bytes;       /* of a file, and of what it unpacks to */
    uint64_t max_ratio;            /* how many times its size a packed file may unpack to; 0: any */
    const struct codec_load *load; /* NULL: defaults */
};

/* What `load:` says; one block for all codecs, each reads what concerns it. Its table of parameters is in
 * settings.def, where each is explained. */
struct codec_load {
    int on_corrupt;        /* enum codec_on_corrupt, of images */
    bool shrink;           /* decode to a part of the size where a stage makes the image smaller anyway */
    char *array;           /* which array of several; NULL: the only one */
    int header;            /* enum codec_header: does the first line of a table hold names? */
    char *delimiter;       /* NULL: as the extension says */
    char *missing;         /* what an empty field stands for: a number or nan; NULL: it is an error */
    int dtype;             /* enum sample + 1, of raw data and of tables; 0: u8 and f64 */
    int byte_order;        /* enum codec_byte_order, of raw data */
    int order;             /* enum codec_order, of raw data */
    char *shape;           /* of raw data: "480x640"; NULL: one dimension, as long as the file */
    uint64_t offset_bytes; /* where raw data begins */
};
enum codec_on_corrupt { CODEC_FAIL, CODEC_SALVAGE };
enum codec_header { CODEC_HEADER_AUTO, CODEC_HEADER_NO, CODEC_HEADER_YES };
enum codec_byte_order { CODEC_LITTLE_ENDIAN, CODEC_BIG_ENDIAN };
enum codec_order { CODEC_ORDER_C, CODEC_ORDER_FORTRAN };

/* What the header promises: upper bounds, so that memory can be set aside before a byte is inflated. */
struct codec_info {
    struct shape shape;       /* decode gives this shape or one with fewer channels */
    size_t scratch_bytes;     /* decode never needs more */
    size_t meta_bytes;        /* nor more metadata */
    bool by_rows;             /* the codec's open, rows and close can do it, in no more scratch */
    bool by_pieces;           /* so they can while the file is still being read, see codec_feed */
    size_t pieces_meta_bytes; /* and then keep no more metadata than this */
};

/* A file that is read while it is decoded. */
struct codec_feed {
    /* The file's next bytes, from its beginning on, which stay until the next call; none at its end. Blocks
     * until there are some. ERROR_IO where it cannot be read to its end. */
    int (*next)(void *context, const uint8_t **piece, size_t *piece_bytes, struct error *error);
    void *context;
};

/* The shape of an image decoded to 1/2^shrink of its size, rounded up; full_width and full_height are set. */
struct shape codec_shrunk(const struct shape *shape, unsigned shrink);

struct codec_decode {
    const struct codec_limits *limits;
    const uint8_t *bytes; /* the whole file, of length_bytes */
    size_t length_bytes;
    /* NULL, or what gives the file to open, rows and close, where peek said `by_pieces`: `bytes` then holds
     * its first CODEC_HEAD_BYTES, and only until the second piece was asked for. */
    const struct codec_feed *feed;
    uint8_t *pixels; /* out: the samples, in a buffer apart from `bytes`; NULL for open, rows and close */
    size_t pixels_bytes;
    unsigned shrink;    /* 0, or what `shrinks` allows: decode to 1/2^shrink of the size */
    struct shape shape; /* out */
    /* Out: where in `bytes` the samples lie, where they are there just as `pixels` would hold them, at a
     * multiple of 64 bytes; `pixels` was then not touched. Preset to SIZE_MAX: they are in `pixels`. */
    size_t found_at;
    struct meta *meta; /* out; NULL: none wanted */
    struct scratch *scratch;
    void *state;       /* the codec's own, from open to close, in scratch */
    unsigned warnings; /* out: how many; the first one's text follows */
    char warning[160];
};

/* What `save:` says; one block for all codecs, each reads what concerns it. */
struct codec_save {
    int format; /* 0 same as the input, else 1 + index in the registry of codecs, and after the last: none */
    int compression; /* index into CODEC_COMPRESSIONS */
    int64_t level;   /* -1: as `compression` says; else 0 to 9, as zlib counts */
    bool strip;      /* drop metadata */
    bool interlace;
    bool reduce;     /* fewer channels, bits or colours where the pixels stay what they are */
    int64_t quality; /* of lossy formats, 1 to 100 */
    int subsampling; /* index into CODEC_SUBSAMPLINGS */
    bool lossless;   /* where a format has both */
    int gzip;        /* enum codec_gzip */
    char *delimiter; /* of tables; NULL: as the extension says */
    bool recompress; /* keep the input as it is where that is no larger */
    char *name;      /* template of the output's name; NULL: as the input's */
};
#define CODEC_SUBSAMPLINGS "auto|444|422|420"
enum { SUBSAMPLING_AUTO, SUBSAMPLING_444, SUBSAMPLING_422, SUBSAMPLING_420 };
enum codec_gzip { CODEC_GZIP_SAME, CODEC_GZIP_NO, CODEC_GZIP_YES };
#define CODEC_COMPRESSIONS "fastest|fast|balanced|small|smallest"
enum { COMPRESSION_FASTEST, COMPRESSION_FAST, COMPRESSION_BALANCED, COMPRESSION_SMALL, COMPRESSION_SMALLEST };

struct codec_plan {
    size_t out_bytes;     /* encode never writes more */
    bool tells_room;      /* where it has less than that, and too little, encode says ERROR_ROOM */
    size_t scratch_bytes; /* nor needs more scratch */
    /* Where the samples need not be kept and this many bytes behind them may be written, too (0: that is no
     * help), it needs no more scratch than that. */
    size_t room_after, spoiling_scratch_bytes;
    size_t rows_scratch_bytes; /* of begin, put and finish; 0: the codec's cannot do it */
    /* What the file of most images comes to, where the settings say more about that than what the image was
     * decoded from; 0: they do not. */
    size_t likely_bytes;
};

struct codec_encode {
    const struct codec_save *save;
    struct shape shape;
    const uint8_t *pixels;   /* NULL for begin, put and finish */
    size_t room_before;      /* bytes before `pixels` that the encoder may write */
    size_t room_after;       /* and behind them, as it then may the samples themselves; 0: neither */
    const struct meta *meta; /* NULL: none */
    uint8_t *bytes;          /* out, in a buffer apart from `pixels` */
    size_t bytes_size;
    size_t length_bytes; /* out */
    /* Out: where the file begins. Preset to `bytes`; an encoder that only needs a header before the samples
     * may write it there, and leave them where they are. */
    const uint8_t *file;
    struct scratch *scratch;
    void *state; /* the codec's own, from begin to finish, in scratch */
    unsigned warnings;
    char warning[160];
};

#define CODEC_IMAGES (1u << SHAPE_IMAGE)
#define CODEC_ARRAYS (1u << SHAPE_ARRAY)

struct codec {
    const char *name;       /* "png" */
    const char *summary;    /* "Portable Network Graphics" */
    const char *extensions; /* without dots, "|" between: "pnm|pgm|ppm"; the first is what new names get */
    unsigned kinds;         /* CODEC_* bits: what it reads and writes */
    unsigned shrinks;       /* decode can give 1/2, 1/4, ... 1/2^shrinks of the size */
    bool gzip;              /* its files are also found and written as .gz */
    bool read_only;         /* it has no plan and no encode */
    bool lossy;             /* what is encoded comes back a little different, unless save.lossless says no */
    /* The shape is known only when the whole file has been looked at: peek wants all of it, and is called in
     * a worker. */
    bool late;

    /* Do these first bytes of a file claim this format? NULL: nothing in a file tells, its name must. */
    bool (*sniff)(const uint8_t *head, size_t head_bytes);

    /* Optional: do the settings for its files make sense, whatever is in them? ERROR_USAGE with a text that
     * begins with the name of the setting that does not: "load.shape ...", "save.delimiter ...". */
    int (*check_load)(const struct codec_limits *limits, struct error *error);
    int (*check_save)(const struct codec_save *save, struct error *error);

    /* Reads the header of a file of `file_bytes` from its first `head_bytes` and checks the limits.
     * ERROR_CORRUPT, ERROR_UNSUPPORTED or ERROR_LIMIT; the text of a limit names limit, value and setting.
     * ERROR_ROOM where the header is longer than `head_bytes`: a worker then asks again with the whole file.
     */
    int (*peek)(const uint8_t *head, size_t head_bytes, uint64_t file_bytes,
                const struct codec_limits *limits, struct codec_info *info, struct error *error);

    /* Strict: 0 only when every pixel and the end of the file are sound; with load.on_corrupt a codec may
     * give what it could read of a damaged image, zeros for the rest, and a warning. Same errors as peek, and
     * ERROR_MEMORY when scratch or pixels are smaller than peek said. */
    int (*decode)(struct codec_decode *job, struct error *error);

    /* Optional, all three or none: the same a few rows at a time, for a file of which peek said `by_rows`.
     * open tells the shape. rows puts the next `count` rows to `pixels`, until all were asked for; after an
     * error there are no more. close says whether what follows them is sound as well: no row is to be trusted
     * before. Metadata and warnings are complete only then. Nobody else may use the scratch in between, nor
     * move the job. With a feed all three may ask for the whole file, ERROR_ROOM; whatever is wrong with it
     * is left to be found there, so that no verdict hangs on how the file came. What the feed fails with goes
     * on to the caller as it is. */
    int (*open)(struct codec_decode *job, struct error *error);
    int (*rows)(struct codec_decode *job, uint8_t *pixels, uint32_t count, struct error *error);
    int (*close)(struct codec_decode *job, struct error *error);
    /* Optional: gives back what a library took by itself. Called last, whatever came of open and of the rows,
     * and also where nobody wanted the rest of them. */
    void (*leave)(struct codec_decode *job);

    /* The most that encoding `shape` with up to `meta_bytes` of metadata takes. ERROR_UNSUPPORTED where the
     * format cannot hold the shape; the text says which stage would help. */
    int (*plan)(const struct codec_save *save, const struct shape *shape, size_t meta_bytes,
                struct codec_plan *plan, struct error *error);

    /* `bytes_size` is what plan said, or less where it `tells_room`; samples that it may write are lost then.
     */
    int (*encode)(struct codec_encode *job, struct error *error);

    /* Optional, all three or none: the same a few rows at a time, where plan says in how much scratch, and
     * the same bytes. `bytes_size` may be less than planned: ERROR_ROOM where the file turns out larger. put
     * takes the next `count` rows, until finish when it had all. Metadata counts as it is then; what there is
     * of it at begin is a guess. Nobody else may use the scratch in between, nor move the job. */
    int (*begin)(struct codec_encode *job, struct error *error);
    int (*put)(struct codec_encode *job, const uint8_t *pixels, uint32_t count, struct error *error);
    int (*finish)(struct codec_encode *job, struct error *error);
    /* Optional: as leave, whatever came of begin and of the rows. */
    void (*abandon)(struct codec_encode *job);

    /* Optional: the libraries behind it and their versions, as they run and as they were built against, for a
     * person. A static text. */
    const char *(*version)(void);
};

/* All codecs, in registry order; NULL at the end. */
const struct codec *const *codec_all(void);

/* The codec whose `sniff` accepts the bytes, or NULL. */
const struct codec *codec_sniff(const uint8_t *head, size_t head_bytes);

/* The codec that a file name's extension belongs to (any case), or NULL. In "x.npy.gz" that is npy's. */
const struct codec *codec_for_name(const char *name);

/* Does the extension of `name` belong to this codec? */
bool codec_names(const struct codec *codec, const char *name);

/* The codec's plan, preset to zeros, after a look at whether it writes the kind at all: ERROR_UNSUPPORTED,
 * with what would help. */
int codec_plan_for(const struct codec *codec, const struct codec_save *save, const struct shape *shape,
                   size_t meta_bytes, struct codec_plan *plan, struct error *error);

/* The codec that writes what this one reads: itself, or where it is read_only the first that can hold the
 * same. NULL for NULL. */
const struct codec *codec_written(const struct codec *codec);

/* Does it write what another, read_only one reads? False for NULL. */
bool codec_stands_in(const struct codec *codec);

/* Is the codec asked to make the best of a damaged image? */
bool codec_salvages(const struct codec_decode *job);

/* Does the name end in .gz (any case)? */
bool codec_gzip_name(const char *name);

#endif
