/* SPDX-License-Identifier: MIT */
/* The contract of a stage, and the only door through which the pipeline sees this folder.
 *
 * A stage turns one item, an image or an array, into another. It knows no process, thread, lock, file or
 * signal: it is handed rows to read and rows to write. (The rows of an array are blocks of its samples, see
 * shape_rows.) The pipeline calls, for each item:
 *
 *   plan    in the main process, from the header alone: what shape comes out, what it costs
 *   begin   in a worker, once per image and team member: tables, histograms; may read the input rows that
 *           every output row needs
 *   rows    in a worker, for ranges of output rows, in any order and by several callers at once
 *
 * README.md in this folder writes a stage in ten minutes; template.c is one that is compiled and tested. */
#ifndef STAGES_STAGE_H
#define STAGES_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stages/codec.h"
#include "stages/combine.h"
#include "stages/error.h"
#include "stages/gzip.h"
#include "stages/meta.h"
#include "stages/param.h"
#include "stages/record.h"
#include "stages/scratch.h"
#include "stages/shape.h"

/* What a stage accepts: one bit per enum sample, for images and for arrays. A plan is refused before work
 * where it does not fit. */
#define STAGE_U8   (1u << SAMPLE_U8)
#define STAGE_U16  (1u << SAMPLE_U16)
#define STAGE_F32  (1u << SAMPLE_F32)
#define STAGE_8_16 (STAGE_U8 | STAGE_U16)
#define STAGE_ANY  (STAGE_U8 | STAGE_U16 | STAGE_F32)

#define STAGE_ARRAYS (STAGE_INTEGERS | STAGE_FLOATS | 1u << SAMPLE_BOOL)
#define STAGE_FLOATS (1u << SAMPLE_F16 | 1u << SAMPLE_F32 | 1u << SAMPLE_F64)
#define STAGE_INTEGERS                                                                                       \
    (1u << SAMPLE_U8 | 1u << SAMPLE_U16 | 1u << SAMPLE_U32 | 1u << SAMPLE_U64 | 1u << SAMPLE_I8 |            \
     1u << SAMPLE_I16 | 1u << SAMPLE_I32 | 1u << SAMPLE_I64)

/* What comes out of a stage. */
enum stage_gives { STAGE_GIVES_SAME, STAGE_GIVES_IMAGE, STAGE_GIVES_ARRAY };

/* The file that belongs to an item in the directory that stage.reference names; see there. */
struct stage_reference {
    const struct codec *codec;
    const uint8_t *bytes; /* the whole file; NULL while planning */
    size_t length_bytes;
    struct codec_info info; /* what its header promises */
};

struct stage_plan {
    struct shape out;           /* preset to the input's shape with `bits` of its sample type */
    size_t begin_scratch_bytes; /* kept from begin to the last rows; preset to 0 */
    size_t rows_scratch_bytes;  /* taken anew by each call of rows; preset to 0 */
    size_t record_bytes;        /* what it tells the record at most; preset to 0 */
    /* rows may be given dst == src. Only where out takes no more bytes than in, and they have equal rows, the
     * samples stay as they lie, or the stage is `whole`. */
    bool in_place;
    bool whole;   /* rows must be called once, for all rows */
    bool settles; /* with `whole`: begin may make run->out smaller than planned, never larger */
    const struct stage_reference *reference; /* given; NULL where the stage asks for none */
};

/* One stage at work on one item. The pipeline fills it; only `state` belongs to the stage. */
struct stage_run {
    const void *params;
    struct shape in, out;
    const uint8_t *src; /* all input rows, aligned to 64 bytes, or those from src_row on; see `windows` */
    uint8_t *dst;       /* all output rows, likewise, or those from dst_row on */
    uint32_t src_row, dst_row;
    void *state;           /* from begin, in scratch; read only while rows run */
    uint64_t item;         /* a number made of the item's name: the same on every run and attempt */
    uint32_t attempt;      /* 1 the first time */
    struct record *record; /* for a stage that is `whole`; NULL where nobody collects */
    const struct stage_reference *reference; /* NULL where the stage asks for none */
    const struct codec_limits *limits;
};

/* Where row y of the image that goes in, or comes out, begins. */
static inline const uint8_t *stage_src_row(const struct stage_run *run, uint32_t y)
{
    return run->src + (size_t)(y - run->src_row) * shape_row_bytes(&run->in);
}

static inline uint8_t *stage_dst_row(const struct stage_run *run, uint32_t y)
{
    return run->dst + (size_t)(y - run->dst_row) * shape_row_bytes(&run->out);
}

/* A part of an image that becomes an output of its own. */
struct stage_box {
    uint32_t left, top, width, height;
    uint32_t row, col; /* which of them it is, counted from 0 */
};

/* A command that an item is handed to. */
enum stage_exchange { STAGE_EXCHANGE_AUTO, STAGE_EXCHANGE_PAM, STAGE_EXCHANGE_NPY, STAGE_EXCHANGE_RAW };
struct stage_command {
    const char *line; /* for sh -c */
    enum stage_exchange exchange;
    uint64_t timeout_ms;
};

struct stage {
    const char *name;           /* what a config says */
    const char *group;          /* "image", "numeric", "synthetic": a heading in lists */
    const char *summary;        /* one line, no final stop */
    const struct param *params; /* table ended by PARAM_END */
    size_t params_bytes;        /* size of the parameter block */
    unsigned accepts;           /* STAGE_* bits of the images it works on; 0: none */
    unsigned arrays;            /* the same of arrays */
    enum stage_gives gives;
    bool records;    /* it has something to tell about each item; see `collect` */
    bool scale_free; /* what it does is the same at any scale: an image may be decoded smaller before it */
    /* Rows of images are reached by stage_src_row and stage_dst_row alone, and no others than source_rows
     * promises are read, in begin neither: so memory may hold only those that a call of rows is about. Where
     * the plan is `whole`, it holds all. */
    bool windows;

    /* Optional. Looks at parameters together, after each was parsed and is within its own range.
     * ERROR_USAGE. */
    int (*check)(const void *params, struct error *error);

    /* Shape out from shape in, and the cost. Must not depend on pixels. A smaller input (fewer channels) must
     * never plan for more memory than a larger one. ERROR_USAGE or ERROR_UNSUPPORTED, ERROR_LIMIT. */
    int (*plan)(const void *params, const struct shape *in, struct stage_plan *plan, struct error *error);

    /* Optional. A directory where each item has a counterpart of the same relative path, which the stage
     * wants to see; NULL: none, with these parameters. One stage of a chain may have one. */
    const char *(*reference)(const void *params);

    /* Optional. For a stage that makes an image smaller: by how much (1/2^result) could an image of this
     * shape be decoded smaller without harm? */
    unsigned (*shrink)(const void *params, const struct shape *in);

    /* Optional. A stage that cuts an image into several outputs, and is the last of its chain: the box of
     * piece `index`; false: there are no more. Its plan gives the shape of the largest piece; it has no rows.
     */
    bool (*piece)(const void *params, const struct shape *in, uint32_t index, struct stage_box *box);

    /* Optional. A stage whose work is done by a command outside: the pipeline runs it. Its plan says what is
     * expected, the same shape; what comes back may differ. It has no rows. */
    void (*command)(const void *params, struct stage_command *command);

    /* Optional; the input rows [*first, *last) that output rows [first, last) are made from, its halo
     * included. NULL: the rows of the same numbers where heights are equal and nothing else. A stage that
     * needs the whole input gives all of it. */
    void (*source_rows)(const void *params, const struct shape *in, const struct shape *out, uint32_t *first,
                        uint32_t *last);

    /* Optional. Deterministic: every caller must arrive at the same state. */
    int (*begin)(struct stage_run *run, struct scratch *scratch, struct error *error);

    /* Writes output rows [first, last), all of their bytes. What it writes must not depend on how the image
     * was cut into ranges. Called by several team members at once, each with a scratch of its own. */
    int (*rows)(const struct stage_run *run, uint32_t first, uint32_t last, struct scratch *scratch,
                struct error *error);
};

/* All stages, in registry order; NULL at the end. */
const struct stage *const *stage_all(void);

/* The stage called `name`, or NULL. */
const struct stage *stage_find(const char *name);

/* Among the words ("a|b|c") the stage that was meant: what goes by that name in ImageMagick, libvips or
 * numpy, or else as param_nearest. */
const char *stage_nearest(const char *name, const char *words, char *word, size_t size);

/* Which instructions the kernels use on this machine: "AVX2 and AVX-512", "AVX2", or those that every such
 * processor has. */
const char *stage_instructions(void);

/* Presets *plan, refuses kinds and sample types the stage does not accept, calls the stage's plan, and checks
 * that the shape that comes out is valid. Errors carry the stage's name. */
int stage_plan(const struct stage *stage, const void *params, const struct shape *in, struct stage_plan *plan,
               struct error *error);

/* The same for an item that has a counterpart; `reference` may be NULL. */
int stage_plan_with(const struct stage *stage, const void *params, const struct shape *in,
                    const struct stage_reference *reference, struct stage_plan *plan, struct error *error);

/* The input rows that output rows [*first, *last) need; see source_rows. */
void stage_source_rows(const struct stage *stage, const void *params, const struct shape *in,
                       const struct shape *out, uint32_t *first, uint32_t *last);

/* begin, then rows once for the whole image; for callers that share nothing. `scratch` needs the sum of the
 * plan's two figures. Errors carry the stage's name. */
int stage_run_whole(const struct stage *stage, struct stage_run *run, struct scratch *scratch,
                    struct error *error);

#endif
